"""Frames that are codestreams in fragments, decoded one by one or many together (PS3.5 A.4, 8.2)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.notes import Note, refuse_if_strict
from dicomcore.pixels.coding.batch import SERIAL_BYTES, Plan, decode_together, plan_for
from dicomcore.pixels.coding.builtin import NATIVE
from dicomcore.pixels.coding.decoding import DecodedFrame, check_header, decode_frame, decode_frames
from dicomcore.pixels.coding.mislabelled import codec_of_frame, is_uncompressed, syntax_of_frame
from dicomcore.pixels.coding.registry import Codec, codec_for
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.fragments import Fragments, Spans
from dicomcore.pixels.sample_values import sample_values
from dicomcore.pixels.value_field import ValueField
from dicomcore.threads import cpus, run_over

__all__ = ["EncapsulatedFrames"]

MOST_AT_ONCE, RUN_BYTES = 16, 4 << 20
"""Frames that a thread takes from the queue, and reads, at once; and the bytes that they may have."""
APART_BYTES = 4 << 20
"""Codestreams and samples of the frames that a worker process is given at once, unless one alone has more."""
HEAD_BYTES = 4096
"""Bytes of the first frame that are looked at for its codestream's header."""


class EncapsulatedFrames:
    """Frames each of which is a codestream in fragments; a `FrameSource`.

    Frames of the codecs written here are decoded by one native call that finds, reads and decodes them (`Plan`). It
    leaves those that aren't like the first frame, and all frames of other codecs, to be decoded one by one.
    """

    is_encapsulated = True

    def __init__(
        self,
        value: ValueField,
        stated: FrameDescription,
        frames: int,
        limits: Limits,
        *,
        extended: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None,
        notes: Iterable[Note] = (),
    ) -> None:
        """`frames` is Number of Frames; `extended` the Extended Offset Table and its lengths; `notes` are kept."""
        self._value = value
        self._limits = limits
        self._fragments = Fragments(value, frames, limits, extended)
        self._lock = threading.Lock()
        """Held by the thread that finds fragments."""
        self._noted = dict.fromkeys(notes)
        self._plans: dict[bool, tuple[Codec, Plan | None]] = {}
        self._count = len(self._fragments)
        if self._count != frames:
            self.note(Note("frames", f"Number of Frames is {frames}, and {self._count} are there"))
        self.stated = self._labelled(stated)
        self._head: memoryview | None = None
        self.description = self._settled()
        self._shape, self._dtype = self.description.shape, self.description.dtype
        self._frame_bytes = self.description.samples * self._dtype.itemsize

    def _labelled(self, stated: FrameDescription) -> FrameDescription:
        """`stated`, under the syntax that the first frame's bytes tell where the stated one has no fragments."""
        if stated.transfer_syntax not in NATIVE:
            return stated
        if is_uncompressed(stated, sum(fragment.length for fragment in self._fragments.fragments(0))):
            return stated
        syntax, notes = syntax_of_frame(stated, self._fragments.codestream(0))
        self.note(*notes)
        return replace(stated, transfer_syntax=syntax)

    def _settled(self) -> FrameDescription:
        """What is stated, in the container and with the samples that the first frame's codestream asks for."""
        if not self._count:
            return self.stated
        try:
            self._head = self._fragments.head(0, HEAD_BYTES)
            _, info, _ = codec_of_frame(self.stated.transfer_syntax, self._head)
            if info is None:
                return self.stated
            settled, notes = check_header(info, self.stated, self._limits, held=1 << 62)
        except DicomError:
            return self.stated  # said when the frame is decoded
        if not self._limits.strict:  # else the frame alone is refused
            self.note(*notes)
        samples, bits = settled.samples_per_pixel, settled.bits_allocated
        if (samples, bits) == (self.stated.samples_per_pixel, self.stated.bits_allocated):
            return self.stated
        return replace(self.stated, samples_per_pixel=samples, bits_allocated=bits)

    def __len__(self) -> int:
        return self._count

    @property
    def notes(self) -> tuple[Note, ...]:
        """As `FrameSource` says."""
        return tuple(dict.fromkeys((*self._noted, *self._fragments.notes)))

    def note(self, *notes: Note) -> None:
        """As `FrameSource` says."""
        self._noted.update(dict.fromkeys(notes))

    def encoded(self, index: int) -> memoryview:
        """The codestream of a frame, its fragments joined."""
        return self._codestreams((index,))[0]

    def missing(self, index: int) -> int:
        """Bytes that the frame's last fragment claims and that are not there."""
        with self._lock:
            return self._fragments.missing(index)

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """As `FrameSource` says."""
        return self._decoded(index, self.encoded(index), out)

    def decode(self, index: int, out: NDArray[Any] | None = None, *, raw: bool = False) -> NDArray[Any]:
        """As `FrameSource` says."""
        plan = self._plan(raw)
        if plan is not None and (spans := self._spans((index,))) is not None:
            held = int(spans.places[0, 1] - spans.places[0, 0])
            if out is not None or plan.could_fill(held):
                target = np.empty(self._shape, self._dtype) if out is None else out
                if not self._by_plan(plan, spans, target, 1):
                    return target
        decoded = self.decoded(index, out)
        return decoded.samples if raw else sample_values(decoded, self.stated)

    def decode_many(
        self, indices: Sequence[int], target: NDArray[Any], *, raw: bool = False, workers: int | None = None
    ) -> None:
        """As `FrameSource` says; on as many threads as there are CPUs unless `workers` says otherwise."""
        plan = self._plan(raw)
        threads = self._threads(len(indices), workers, plan)
        left: Sequence[int] = range(len(indices))
        if plan is not None and indices and (spans := self._spans(indices)) is not None:
            left = self._by_plan(plan, spans, target, threads)
        if not left:
            return
        apart = self._limits.isolate and not codec_for(self.stated.transfer_syntax).trusted
        size = self._run_length(len(left), threads, apart)

        def decode(_: int, places: Sequence[int]) -> None:
            chosen, outs = [indices[place] for place in places], [target[place] for place in places]
            codestreams = self._codestreams(chosen)
            together = self._decoded_apart if apart else self._decoded_in_turn
            for decoded in together(chosen, codestreams, outs):
                if not raw:
                    sample_values(decoded, self.stated)

        run_over([left[at : at + size] for at in range(0, len(left), size)], decode, threads)

    # -- by one native call

    def _plan(self, raw: bool) -> Plan | None:
        """How frames are decoded together, while nobody registers another codec."""
        codec = codec_for(self.stated.transfer_syntax)
        known = self._plans.get(raw)
        if known is None or known[0] is not codec:
            plan = plan_for(codec, self.stated, self.description, self._head, self._limits, raw=raw)
            self._plans[raw] = known = codec, plan
        return known[1]

    def _spans(self, indices: Sequence[int]) -> Spans | None:
        with self._lock:
            spans = self._fragments.spans(indices)
        refuse_if_strict(self._fragments.notes, self._limits)
        return spans

    def _by_plan(self, plan: Plan, spans: Spans, target: NDArray[Any], threads: int) -> list[int]:
        """Decode frames in one go; the places of those that are left for `_decoded`."""
        left = decode_together(plan, self._value, spans, target, threads=threads)
        if plan.notes and len(left) < len(spans.places):
            self.note(*plan.notes)
        return left

    # -- one by one

    def _codestreams(self, indices: Sequence[int]) -> list[memoryview]:
        """The codestreams of several frames, read together where they stand together."""
        with self._lock:
            fragments = [self._fragments.fragments(index) for index in indices]
        refuse_if_strict(self._fragments.notes, self._limits)
        return self._fragments.joined_each(fragments)  # outside the lock: other threads decode meanwhile

    def _decoded(self, index: int, codestream: memoryview, out: NDArray[Any] | None) -> DecodedFrame:
        decoded = decode_frame(
            codestream, self.description, out=out, limits=self._limits, frame=index, stated=self.stated
        )
        self.note(*decoded.notes)
        return decoded

    def _decoded_in_turn(
        self, indices: list[int], codestreams: list[memoryview], outs: list[NDArray[Any]]
    ) -> Iterable[DecodedFrame]:
        return map(self._decoded, indices, codestreams, outs)

    def _decoded_apart(
        self, indices: list[int], codestreams: list[memoryview], outs: list[NDArray[Any]]
    ) -> Iterable[DecodedFrame]:
        """By a worker process, which takes several frames at once."""
        found = decode_frames(
            codestreams, self.description, outs=outs, limits=self._limits, frames=indices, stated=self.stated
        )
        self.note(*(note for decoded in found for note in decoded.notes))
        return found

    # -- on how many threads

    def _threads(self, frames: int, workers: int | None, plan: Plan | None) -> int:
        """How many threads are worth it."""
        if frames < 2:
            return 1
        if workers is not None:
            return min(workers, frames)
        if frames * self._frame_bytes < (plan.serial_bytes if plan is not None else SERIAL_BYTES):
            return 1
        return min(cpus(), frames)

    def _run_length(self, frames: int, threads: int, apart: bool) -> int:
        """How many frames a thread takes at once: some runs for each thread, and few bytes in a run."""
        average = self._value.size // max(self._count, 1) + 1
        if apart:  # the fewer requests the better: each wakes two processes
            return max(1, min(MOST_AT_ONCE, frames // (2 * threads), APART_BYTES // (average + self._frame_bytes)))
        return max(1, min(MOST_AT_ONCE, frames // (4 * threads), RUN_BYTES // average))
