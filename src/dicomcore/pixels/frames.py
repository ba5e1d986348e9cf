"""A data set's frames: found, read and decoded one by one or together."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.errors import DicomError, LimitError, PixelDecodeError
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.lookup import first_item
from dicomcore.pixels.attributes import (
    describe,
    display_of,
    extended_table,
    find_pixel_data,
    header_of,
    number_of_frames,
    state_of,
)
from dicomcore.pixels.batch import SERIAL_BYTES, Plan, decode_together, plan_for
from dicomcore.pixels.builtin import NATIVE
from dicomcore.pixels.colour import coded_colour, colour_notes, to_rgb
from dicomcore.pixels.decoding import DecodedFrame, check_header, decode_frame, decode_frames
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.layout import Layout
from dicomcore.pixels.mislabelled import codec_of_frame, syntax_of_fragment
from dicomcore.pixels.note import Note
from dicomcore.pixels.overlays import Overlay, read_overlays
from dicomcore.pixels.pieces import Pieces, Spans
from dicomcore.pixels.registry import Codec, codec_for
from dicomcore.pixels.render import Window, render
from dicomcore.pixels.store import Store
from dicomcore.pixels.uncompressed import BIG_ENDIAN, decode_native
from dicomcore.pixels.unused_bits import settle_unused_bits
from dicomcore.pixels.video import VIDEO_SYNTAXES, VideoStream
from dicomcore.tags import Tag
from dicomcore.threads import cpus, run_over

if TYPE_CHECKING:
    from dicomcore.pixels.isolation import VideoApart

__all__ = ["Frames"]

MOST_AT_ONCE, RUN_BYTES = 16, 4 << 20
"""Frames that a thread takes from the queue, and reads, at once; and the bytes that they may have."""
APART_BYTES = 4 << 20
"""Codestreams and samples of the frames that a worker process is given at once, unless one alone has more."""
UNPROVEN_SAMPLES = 1 << 28
"""An array of more samples than that is made once a frame of it was decoded."""
ITEM = b"\xfe\xff\x00\xe0"


class Frames:
    """The frames of one data set, decoded when asked for.

    ``frames[i]`` is (rows, columns) or (rows, columns, samples), as pydicom 3 gives it: native byte order, unused bits
    settled, YBR turned to RGB. ``frames[a:b]`` stacks them. Frames may be decoded on several threads at once.
    """

    def __init__(self, data_set: Any) -> None:
        """Raises PixelDecodeError where the data set has no pixel data, or says too little of it."""
        keyword = find_pixel_data(data_set)
        index = data_set._index
        self.limits = DEFAULT_LIMITS if index is None else index.limits
        header = header_of(data_set)
        self.stated = describe(header, keyword)
        element = data_set[keyword]
        self._recall = data_set._recall()
        self._keyword, self._offset = keyword, element.offset or 0
        self._state = state_of(data_set)
        self._apart = header if header is not data_set else None
        self._store = Store.of(data_set, element)
        self._notes: dict[Note, None] = {}
        self._pieces: Pieces | None = None
        self._layout: Layout | None = None
        self._video: VideoStream | VideoApart | None = None
        self._head: memoryview | None = None
        self._plans: dict[bool, tuple[Codec, Plan | None]] = {}
        self._lock = threading.Lock()
        self.stated.dtype  # noqa: B018  refuses what no word holds
        frames = number_of_frames(header)
        if frames > self.limits.frames:
            raise LimitError(f"{frames} frames cross the limit of {self.limits.frames}")
        if self.stated.rows * self.stated.columns > self.limits.frame_pixels:
            raise LimitError(f"frames of {self.stated.rows} × {self.stated.columns} pixels cross the limit")
        if element.is_undefined_length or self._looks_encapsulated():
            self._pieces = Pieces(self._store, frames, self.limits, extended_table(header))
            self._count = frames if self.stated.transfer_syntax in VIDEO_SYNTAXES else self._found(frames)
            if self.stated.transfer_syntax in NATIVE and self._count:
                self._relabel()
        else:
            wide = element.VR == "OW" and self.stated.transfer_syntax in BIG_ENDIAN
            self._layout = Layout(self._store, self.stated, frames, self.limits, wide=wide)
            self._count = len(self._layout)
        self.description = self._settled()
        self._dtype: np.dtype[Any] = self.description.dtype

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, key: int | slice) -> NDArray[Any]:
        if isinstance(key, slice):
            return self.stack(range(*key.indices(self._count)))
        return self.decode(self._index(key))

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return (self.decode(i) for i in range(self._count))

    def __reduce__(self) -> tuple[Any, ...]:
        return Frames, (self._data_set,)

    @property
    def _data_set(self) -> Any:
        # Not held: it holds its frames, and would last until the garbage collector comes by.
        return self._recall()

    @property
    def _header(self) -> Any:
        return self._data_set if self._apart is None else self._apart

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was settled or passed over so far; grows as frames are decoded."""
        found = dict(self._notes)
        for where in (self._pieces, self._layout):
            found.update(dict.fromkeys(where.notes if where is not None else ()))
        return tuple(found)

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The notes as issues of the data set."""
        tag = Tag(self._keyword)
        return tuple(Issue(note.code.upper().replace("-", "_"), tag, self._offset, note.message) for note in self.notes)

    def is_of(self, data_set: Any) -> bool:
        """Whether these are still the frames of `data_set`, whose pixel data or description may have been set."""
        return self._state == state_of(data_set)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `array()`: (rows, columns[, samples]), with the number of frames before it where it isn't 1."""
        return self.description.shape if self._count == 1 else (self._count, *self.description.shape)

    @property
    def is_encapsulated(self) -> bool:
        """Whether frames are codestreams in fragments, not samples one behind the other."""
        return self._pieces is not None

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of a frame."""
        return self._dtype

    def encoded(self, index: int) -> memoryview:
        """The bytes of a frame as they stand in the file, fragments joined; of a video, the whole stream.

        A frame of single bits that starts inside a byte comes with its neighbours' bits.
        """
        index = self._index(index)
        if self._layout is not None:
            return self._layout.encoded(index)
        assert self._pieces is not None
        with self._lock:
            wanted = range(len(self._pieces)) if self._is_video else (index,)
            fragments = [fragment for one in wanted for fragment in self._pieces.fragments(one)]
        return self._pieces.joined(tuple(fragments))

    def missing(self, index: int) -> int:
        """Bytes of a frame (of a video: its stream) that are claimed and not there, as the source breaks off."""
        index = self._index(index)
        if self._layout is not None:
            return self._layout.missing(index)
        assert self._pieces is not None
        with self._lock:
            return self._pieces.missing(len(self._pieces) - 1 if self._is_video else index)

    def decode(self, index: int, *, raw: bool = False, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Decode one frame. `raw` leaves colour and unused bits as coded.

        `out` is a contiguous array of the frame's shape and dtype. Raises PixelDecodeError with ``frame``, IndexError
        past the last frame.
        """
        index, shape = self._index(index), self.description.shape
        if out is not None and (out.shape != shape or out.dtype != self.dtype or not out.flags.c_contiguous):
            raise ValueError(f"out is to be a contiguous array of shape {shape} and dtype {self.dtype}")
        plan = self._plan(raw)
        if plan is not None and (spans := self._spans((index,))) is not None:
            held = int(spans.places[0, 1] - spans.places[0, 0])
            if out is not None or plan.could_fill(held):
                target = np.empty(shape, self.dtype) if out is None else out
                if not self._together(plan, spans, target, 1):
                    return target
        return self._finish(self._decoded(index, out), raw)

    def decoded(self, index: int) -> DecodedFrame:
        """Decode one frame to samples as coded, with what its codestream says of them."""
        return self._decoded(self._index(index), None)

    def stack(
        self, indices: Sequence[int], *, raw: bool = False, out: NDArray[Any] | None = None, workers: int | None = None
    ) -> NDArray[Any]:
        """Decode frames into one array, (frames, rows, columns[, samples]), on as many threads as there are CPUs."""
        if out is None and self._pieces is not None and len(indices) * self.description.samples > UNPROVEN_SAMPLES:
            self.decode(indices[0], raw=raw)  # raises before all that is claimed is allocated
        target = self._target(len(indices), out)
        wanted = [self._index(index) for index in indices]
        plan = self._plan(raw)
        threads = self._threads(len(wanted), workers, plan)
        left: Sequence[int] = range(len(wanted))
        if plan is not None and wanted and (spans := self._spans(wanted)) is not None:
            left = self._together(plan, spans, target, threads)
        apart = self._is_apart
        size = self._run_length(len(left), threads, apart)

        def decode(_: int, places: Sequence[int]) -> None:
            chosen = [wanted[place] for place in places]
            if apart:
                self._decode_apart(chosen, [target[place] for place in places], raw)
                return
            for place, index, codestream in zip(places, chosen, self._codestreams(chosen), strict=True):
                self._finish(self._decoded(index, target[place], codestream), raw)

        run_over([left[at : at + size] for at in range(0, len(left), size)], decode, threads)
        return target

    def _plan(self, raw: bool) -> Plan | None:
        """How frames are decoded together, while nobody registers another codec."""
        if self._pieces is None or self._is_video:
            return None
        codec = codec_for(self.stated.transfer_syntax)
        known = self._plans.get(raw)
        if known is None or known[0] is not codec:
            plan = plan_for(codec, self.stated, self.description, self._head, self.limits, raw=raw)
            self._plans[raw] = known = codec, plan
        return known[1]

    def _spans(self, indices: Sequence[int]) -> Spans | None:
        assert self._pieces is not None
        with self._lock:
            return self._pieces.spans(indices)

    def _together(self, plan: Plan, spans: Spans, target: NDArray[Any], threads: int) -> list[int]:
        """Decode frames in one go; the places of those that are left for `_decoded`."""
        left = decode_together(plan, self._store, spans, target, threads=threads)
        if len(left) < len(spans.places):
            for note in plan.notes:
                self._notes.setdefault(note)
        return left

    @property
    def _is_apart(self) -> bool:
        """Whether worker processes decode codestreams, each of which takes several at once."""
        apart = self.limits.isolate and self._pieces is not None and not self._is_video
        return apart and not codec_for(self.stated.transfer_syntax).trusted

    def _run_length(self, frames: int, threads: int, apart: bool) -> int:
        """How many frames a thread takes at once: some runs for each thread, and few bytes in a run."""
        if self._pieces is None:
            return 1
        average = self._store.size // max(self._count, 1) + 1
        if apart:  # the fewer requests the better: each wakes two processes
            return max(1, min(MOST_AT_ONCE, frames // (2 * threads), APART_BYTES // (average + self._frame_bytes)))
        return max(1, min(MOST_AT_ONCE, frames // (4 * threads), RUN_BYTES // average))

    @property
    def _frame_bytes(self) -> int:
        return self.description.samples * self.dtype.itemsize

    def _threads(self, frames: int, workers: int | None, plan: Plan | None) -> int:
        """How many threads are worth it; videos and uncompressed frames are not decoded, but read in order."""
        if self._pieces is None or self._is_video or frames < 2:
            return 1
        if workers is not None:
            return min(workers, frames)
        if frames * self._frame_bytes < (plan.serial_bytes if plan is not None else SERIAL_BYTES):
            return 1
        return min(cpus(), frames)

    def array(self, *, raw: bool = False, out: NDArray[Any] | None = None, workers: int | None = None) -> NDArray[Any]:
        """Decode all frames, in the shape that pydicom gives: a single frame has no axis of its own.

        An `out` of that shape is what comes back, another one of that size as a view of that shape.
        """
        stacked = self.stack(range(self._count), raw=raw, out=out, workers=workers)
        return out if out is not None and out.shape == self.shape else stacked.reshape(self.shape)

    def render(
        self, index: int, *, window: int | Window | None = None, out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Give a frame as a picture of 8 bits; see `dicomcore.pixels.render.render` for `window`."""
        index = self._index(index)
        return render(self.decode(index), display_of(self._header, index), window=window, out=out)

    @property
    def overlays(self) -> tuple[Overlay, ...]:
        """Overlay planes, those in unused bits of the samples too."""
        return read_overlays(self._data_set, self)

    @property
    def icc_profile(self) -> bytes | None:
        """The ICC profile of colour pixels, the first optical path's where there are several; None without one."""
        path = first_item(self._data_set, "OpticalPathSequence")
        place = self._data_set if path is None or "ICCProfile" in self._data_set else path
        return place.get("ICCProfile") or None

    # -- where frames are

    @property
    def _is_video(self) -> bool:
        return self.stated.transfer_syntax in VIDEO_SYNTAXES

    def _index(self, index: int) -> int:
        found = index + self._count if index < 0 else index
        if not 0 <= found < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        return found

    def _looks_encapsulated(self) -> bool:
        """Encapsulated pixel data of defined length, which nobody should write, or which was set in memory."""
        return self.stated.transfer_syntax not in NATIVE and self._store.upto(0, 4) == ITEM

    def _relabel(self) -> None:
        """Pixel data in fragments under a transfer syntax without any: what they are is told from the first one."""
        syntax, notes = syntax_of_fragment(self.stated.transfer_syntax, self._first_bytes())
        self.stated = replace(self.stated, transfer_syntax=syntax)
        self._notes.update(dict.fromkeys(notes))

    def _first_bytes(self) -> memoryview:
        """The first bytes of the first frame's codestream."""
        assert self._pieces is not None
        fragment = self._pieces.fragments(0)[0]
        return memoryview(self._store.upto(fragment.offset, min(fragment.length, 4096)))

    def _found(self, stated: int) -> int:
        assert self._pieces is not None
        found = len(self._pieces)
        if found != stated:
            self._note("frames", f"Number of Frames is {stated}, and {found} are there")
        return found

    # -- decoding

    def _settled(self) -> Any:
        """The description as the first frame's codestream has it, by which arrays are made."""
        if self._pieces is None or self._is_video or not self._count:
            return self.stated if not self._is_video else replace(self.stated, bits_allocated=8, samples_per_pixel=3)
        try:
            self._head = self._first_bytes()
            _, info, _ = codec_of_frame(self.stated.transfer_syntax, self._head)
            if info is None:
                return self.stated
            settled, _ = check_header(info, self.stated, self.limits, held=1 << 62)
        except DicomError:
            return self.stated  # said when the frame is decoded
        return replace(self.stated, samples_per_pixel=settled.samples_per_pixel, bits_allocated=settled.bits_allocated)

    def _codestreams(self, indices: list[int]) -> list[memoryview | None]:
        """The codestreams of several frames, read together where they stand together; None where there are none."""
        if self._pieces is None or self._is_video or self._layout is not None:
            return [None] * len(indices)
        with self._lock:
            fragments = [self._pieces.fragments(index) for index in indices]
        return list(self._pieces.joined_each(fragments))  # outside the lock: other threads decode meanwhile

    def _decoded(self, index: int, out: NDArray[Any] | None, codestream: memoryview | None = None) -> DecodedFrame:
        if self._is_video:
            return self._video_frame(index, out)
        if self._layout is not None:
            return DecodedFrame(self._native(index, out), self.stated, None, ())
        if codestream is None:
            (codestream,) = self._codestreams([index])
        decoded = decode_frame(codestream, self._as_decoded, out=out, limits=self.limits, frame=index)
        self._note_of(decoded)
        return decoded

    def _decode_apart(self, indices: list[int], outs: list[NDArray[Any]], raw: bool) -> None:
        codestreams = self._codestreams(indices)
        for decoded in decode_frames(codestreams, self._as_decoded, outs=outs, limits=self.limits, frames=indices):
            self._note_of(decoded)
            self._finish(decoded, raw)

    def _note_of(self, decoded: DecodedFrame) -> None:
        for note in (*decoded.notes, *colour_notes(self.stated, decoded.info)):
            self._notes.setdefault(note)

    @property
    def _as_decoded(self) -> FrameDescription:
        """What is stated, in the container and with the samples that arrays are made for."""
        if self.description == self.stated:
            return self.stated
        return replace(
            self.stated,
            samples_per_pixel=self.description.samples_per_pixel,
            bits_allocated=self.description.bits_allocated,
        )

    def _finish(self, decoded: DecodedFrame, raw: bool) -> NDArray[Any]:
        samples = decoded.samples
        if raw or self._is_video:
            return samples
        settle_unused_bits(samples, self.stated, decoded.info)
        if coded_colour(decoded.description, decoded.info) in (None, "RGB"):
            return samples
        return to_rgb(samples, decoded.description, decoded.info, out=samples)

    def _native(self, index: int, out: NDArray[Any] | None) -> NDArray[Any]:
        codec_for(self.stated.transfer_syntax)  # what nobody knows is not taken for samples
        assert self._layout is not None
        view, start_bit = self._layout.read(index)
        try:
            return decode_native(view, self.stated, out, start_bit=start_bit)
        except PixelDecodeError as error:
            error.frame = index
            raise

    def _opened(self, stream: memoryview) -> VideoStream | VideoApart:
        if self.limits.isolate:
            from dicomcore.pixels.isolation import VideoApart

            return VideoApart(stream, self.description, limits=self.limits)
        return VideoStream(stream, self.stated.transfer_syntax, limits=self.limits)

    def _video_frame(self, index: int, out: NDArray[Any] | None) -> DecodedFrame:
        stream = self.encoded(0) if self._video is None else memoryview(b"")
        with self._lock:
            if self._video is None:
                self._video = self._opened(stream)
            try:
                samples: NDArray[Any] = self._video.frame(index)
            except PixelDecodeError as error:
                error.frame = index
                raise
            except IndexError as error:
                raise PixelDecodeError(f"the video ends before its stated length: {error}", frame=index) from None
        if samples.shape != self.description.shape:
            raise PixelDecodeError(f"a video of {samples.shape}, stated {self.description.shape}", frame=index)
        if out is not None:
            np.copyto(out, samples)
            samples = out
        return DecodedFrame(samples, self.description, None, ())

    def _target(self, count: int, out: NDArray[Any] | None) -> NDArray[Any]:
        shape = (count, *self.description.shape)
        if out is None:
            return np.empty(shape, self.dtype)
        if out.dtype != self.dtype or out.size != int(np.prod(shape)) or not out.flags.c_contiguous:
            raise ValueError(f"out is to be a contiguous array of shape {shape} and dtype {self.dtype}")
        return out.reshape(shape)

    def _note(self, code: str, message: str) -> None:
        self._notes.setdefault(Note(code, message))


Sequence.register(Frames)
