"""Frames encoded as codestreams in fragments, decoded one by one or in batches (PS3.5 A.4, 8.2)."""

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
from dicomcore.pixels.fragments import Fragment, Fragments, Spans
from dicomcore.pixels.sample_values import sample_values
from dicomcore.pixels.value_field import ValueField
from dicomcore.threads import cpus, run_over

__all__ = ["EncapsulatedFrames"]

MOST_AT_ONCE, RUN_BYTES = 16, 4 << 20
"""A thread takes and reads at most this number of frames, and about this number of bytes, at once."""
APART_BYTES = 4 << 20
"""Bytes of codestreams and samples that one request to a worker process may have, unless a single frame has more."""
HEAD_BYTES = 4096
"""Bytes read from the start of the first frame for its codestream's header."""


class EncapsulatedFrames:
    """A `FrameSource` of frames encoded as codestreams in fragments.

    For dicomcore's own codecs, one native call finds, reads and decodes a batch of frames (`Plan`). Frames unlike the
    first, and all frames of other codecs, are decoded one by one.
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
        """`frames` is Number of Frames; `extended` the Extended Offset Table and Lengths; `notes` are earlier notes."""
        self._value = value
        self._limits = limits
        self._fragments = Fragments(value, frames, limits, extended)
        self._lock = threading.Lock()
        """Guards `_fragments`: one thread at a time looks up fragments."""
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
        """`stated`, with the transfer syntax of the first frame's bytes where the stated one has no fragments."""
        if stated.transfer_syntax not in NATIVE:
            return stated
        if is_uncompressed(stated, sum(fragment.length for fragment in self._fragments.fragments(0))):
            return stated
        syntax, notes = syntax_of_frame(stated, self._fragments.codestream(0))
        self.note(*notes)
        return replace(stated, transfer_syntax=syntax)

    def _settled(self) -> FrameDescription:
        """`stated`, with Bits Allocated and Samples per Pixel corrected by the first frame's codestream."""
        if not self._count:
            return self.stated
        try:
            self._head = self._fragments.head(0, HEAD_BYTES)
            _, info, _ = codec_of_frame(self.stated.transfer_syntax, self._head)
            if info is None:
                return self.stated
            settled, notes = check_header(info, self.stated, self._limits, length=1 << 62)
        except DicomError:
            return self.stated  # reported when the frame is decoded
        if not self._limits.strict:  # else only that frame is refused, when it is decoded
            self.note(*notes)
        samples, bits = settled.samples_per_pixel, settled.bits_allocated
        if (samples, bits) == (self.stated.samples_per_pixel, self.stated.bits_allocated):
            return self.stated
        return replace(self.stated, samples_per_pixel=samples, bits_allocated=bits)

    def __len__(self) -> int:
        return self._count

    @property
    def notes(self) -> tuple[Note, ...]:
        """See `FrameSource.notes`."""
        return tuple(dict.fromkeys((*self._noted, *self._fragments.notes)))

    def note(self, *notes: Note) -> None:
        """See `FrameSource.note`."""
        self._noted.update(dict.fromkeys(notes))

    def encoded(self, index: int) -> memoryview:
        """The codestream of a frame, its fragments joined."""
        return self._codestreams((index,))[0]

    @property
    def value(self) -> ValueField:
        """The Value Field that has the fragments, from the Basic Offset Table on."""
        return self._value

    def fragments(self, index: int) -> tuple[Fragment, ...]:
        """Where a frame's fragments are in the Value Field."""
        with self._lock:
            return self._fragments.fragments(index)

    def missing(self, index: int) -> int:
        """Bytes that the frame's last fragment claims beyond the end of the source."""
        with self._lock:
            return self._fragments.missing(index)

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """See `FrameSource.decoded`."""
        return self._decoded(index, self.encoded(index), out)

    def decode(self, index: int, out: NDArray[Any] | None = None, *, raw: bool = False) -> NDArray[Any]:
        """See `FrameSource.decode`."""
        plan = self._plan(raw)
        if plan is not None and (spans := self._spans((index,))) is not None:
            length = int(spans.places[0, 1] - spans.places[0, 0])
            if out is not None or plan.could_fill(length):
                target = np.empty(self._shape, self._dtype) if out is None else out
                if not self._by_plan(plan, spans, target, 1):
                    return target
        decoded = self.decoded(index, out)
        return decoded.samples if raw else sample_values(decoded, self.stated)

    def decode_many(
        self, indices: Sequence[int], target: NDArray[Any], *, raw: bool = False, workers: int | None = None
    ) -> None:
        """See `FrameSource.decode_many`; uses a thread for each CPU unless `workers` says otherwise."""
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

    # -- in batches, by one native call

    def _plan(self, raw: bool) -> Plan | None:
        """The plan for decoding batches, made again when another codec was registered; None where there is no way."""
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
        """Decode frames in one native call; returns the places of those left for `_decoded`."""
        left = decode_together(plan, self._value, spans, target, threads=threads)
        if plan.notes and len(left) < len(spans.places):
            self.note(*plan.notes)
        return left

    # -- one by one

    def _codestreams(self, indices: Sequence[int]) -> list[memoryview]:
        """The codestreams of several frames, read together where they are close together."""
        with self._lock:
            fragments = [self._fragments.fragments(index) for index in indices]
        refuse_if_strict(self._fragments.notes, self._limits)
        return self._fragments.joined_each(fragments)  # outside the lock, so that other threads can look up fragments

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
        """Decode frames in a worker process, several in one request."""
        together = decode_frames(
            codestreams, self.description, outs=outs, limits=self._limits, frames=indices, stated=self.stated
        )
        self.note(*(note for decoded in together for note in decoded.notes))
        return together

    # -- threads

    def _threads(self, frames: int, workers: int | None, plan: Plan | None) -> int:
        """The number of threads that decode these frames fastest."""
        if frames < 2:
            return 1
        if workers is not None:
            return min(workers, frames)
        if frames * self._frame_bytes < (plan.serial_bytes if plan is not None else SERIAL_BYTES):
            return 1
        return min(cpus(), frames)

    def _run_length(self, frames: int, threads: int, apart: bool) -> int:
        """The number of frames that a thread takes at once: several runs for each thread, few bytes in each run."""
        average = self._value.size // max(self._count, 1) + 1
        if apart:  # few requests are best: each wakes two processes
            return max(1, min(MOST_AT_ONCE, frames // (2 * threads), APART_BYTES // (average + self._frame_bytes)))
        return max(1, min(MOST_AT_ONCE, frames // (4 * threads), RUN_BYTES // average))
