"""A data set's frames: found, read and decoded one by one or together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item
from dicomcore.dataset.state import file_index, header_of, index_of, is_in_big_endian, recall_of
from dicomcore.display.render import View, render
from dicomcore.errors import DicomError, LimitError, PixelDecodeError
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.pixels.attributes import (
    describe,
    display_of,
    extended_table,
    find_pixel_data,
    number_of_frames,
    revised,
    state_of,
)
from dicomcore.pixels.coding.batch import SERIAL_BYTES, Plan, decode_together, plan_for
from dicomcore.pixels.coding.builtin import NATIVE
from dicomcore.pixels.coding.decoding import DecodedFrame, check_header, decode_frame, decode_frames
from dicomcore.pixels.coding.headers import SIGNATURE_BYTES
from dicomcore.pixels.coding.mislabelled import codec_of_frame, is_uncompressed, syntax_of_frame
from dicomcore.pixels.coding.registry import Codec, codec_for
from dicomcore.pixels.coding.uncompressed import BIG_ENDIAN, decode_native, native_bits
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES, VideoStream
from dicomcore.pixels.colour import coded_colour, to_rgb
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.layout import Layout
from dicomcore.pixels.note import Note, refuse_if_strict
from dicomcore.pixels.overlays import Overlay, draw_overlays, read_overlays
from dicomcore.pixels.pieces import Pieces, Spans
from dicomcore.pixels.stated import stated_notes
from dicomcore.pixels.store import Store
from dicomcore.pixels.unused_bits import settle_unused_bits
from dicomcore.tags import Tag
from dicomcore.threads import cpus, run_over
from dicomcore.uids import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

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
        index = index_of(data_set)
        self.limits = DEFAULT_LIMITS if index is None else index.limits
        self._path = None if index is None else _path_of(index)
        try:
            self._open(data_set)
        except PixelDecodeError as error:
            self._name(error)
            raise

    def _open(self, data_set: Any) -> None:
        keyword = find_pixel_data(data_set)
        header = header_of(data_set)
        self.stated = describe(header, keyword)
        element = data_set[keyword]
        # A UN's words are in little endian (PS3.5 6.2.2).
        if self.stated.transfer_syntax == ExplicitVRBigEndian and is_in_big_endian(element) is False:
            self.stated = replace(self.stated, transfer_syntax=ExplicitVRLittleEndian)
        self._recall = recall_of(data_set)
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
        self._kept: NDArray[Any] | None = None
        self.stated.dtype  # noqa: B018  refuses what no word holds
        frames = number_of_frames(header)
        if frames > self.limits.frames:
            raise LimitError(f"{frames} frames cross the limit of {self.limits.frames}")
        if self.stated.rows * self.stated.columns > self.limits.frame_pixels:
            raise LimitError(f"frames of {self.stated.rows} × {self.stated.columns} pixels cross the limit")
        if element.is_undefined_length or self._looks_encapsulated(frames):
            self._pieces = Pieces(self._store, frames, self.limits, extended_table(header), whole=self._is_video)
            if self._is_video and self._relabel():
                self._pieces = Pieces(self._store, frames, self.limits, extended_table(header))
            self._count = frames if self._is_video else self._found(frames)
            if self.stated.transfer_syntax in NATIVE:
                self._relabel()
        else:
            self._check_unencapsulated(frames)
            wide = element.VR == "OW" and self.stated.transfer_syntax in BIG_ENDIAN
            self._layout = Layout(self._store, self.stated, frames, self.limits, wide=wide)
            self._count = len(self._layout)
        self.description = self._settled()
        self._notes.update(dict.fromkeys(stated_notes(header, self.stated, coded=self._pieces is not None)))
        refuse_if_strict(self.notes, self.limits)
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
        return self._data_set if self._apart is None else revised(self._apart, self._data_set)

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
        return tuple(self._issue_of(note) for note in self.notes)

    def issues_of(self, index: int) -> tuple[Issue, ...]:
        """The issues that concern a frame: its own, once it was decoded, and those of the whole pixel data."""
        return tuple(self._issue_of(note) for note in self.notes if note.frame in (None, index))

    def _issue_of(self, note: Note) -> Issue:
        message = note.message if note.frame is None else f"frame {note.frame}: {note.message}"
        return Issue(note.code.upper().replace("-", "_"), Tag(self._keyword), self._offset, message)

    def note(self, note: Note) -> None:
        """Keep a note on the frames, once; PixelDecodeError where the limits are strict."""
        self._notes.setdefault(note)
        refuse_if_strict((note,), self.limits)

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
        try:
            return self._encoded(index)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def _encoded(self, index: int) -> memoryview:
        if self._layout is not None:
            return self._layout.encoded(index)
        assert self._pieces is not None
        with self._lock:
            wanted = range(len(self._pieces)) if self._is_video else (index,)
            fragments = [fragment for one in wanted for fragment in self._pieces.fragments(one)]
        refuse_if_strict(self._pieces.notes, self.limits)
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
        try:
            return self._finish(self._decoded(index, out), raw)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def decoded(self, index: int) -> DecodedFrame:
        """Decode one frame to samples as coded, with what its codestream says of them."""
        index = self._index(index)
        try:
            return self._decoded(index, None)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

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
            try:
                if apart:
                    self._decode_apart(chosen, [target[place] for place in places], raw)
                    return
                for place, index, codestream in zip(places, chosen, self._codestreams(chosen), strict=True):
                    self._finish(self._decoded(index, target[place], codestream), raw)
            except PixelDecodeError as error:
                self._name(error)
                raise

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
            spans = self._pieces.spans(indices)
        try:
            refuse_if_strict(self._pieces.notes, self.limits)
        except PixelDecodeError as error:
            self._name(error)
            raise
        return spans

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

    def kept_array(self) -> NDArray[Any]:
        """Give `array()`, the same one every time: what a caller changes in it is not lost."""
        if self._kept is None:
            made = self.array()
            with self._lock:
                if self._kept is None:
                    self._kept = made
        return self._kept

    def render(
        self, index: int, *, window: View = None, overlays: bool = False, out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Give a frame as a picture of 8 bits; see `dicomcore.display.render.render` for `window`.

        `overlays` draws the overlays of the frame over it, in white.
        """
        index = self._index(index)
        try:
            display = display_of(self._header, index)
            for note in display.notes:
                self.note(note)
            picture = render(self.decode(index), display, window=window, out=out)
            return draw_overlays(picture, self.overlays, index) if overlays else picture
        except PixelDecodeError as error:
            self._name(error, index)
            raise

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

    def _name(self, error: PixelDecodeError, index: int | None = None) -> None:
        """Let an error name the file, and the frame where it doesn't yet."""
        if error.path is None:
            error.path = self._path
        if error.frame is None:
            error.frame = index

    # -- where frames are

    @property
    def _is_video(self) -> bool:
        return self.stated.transfer_syntax in VIDEO_SYNTAXES

    def _index(self, index: int) -> int:
        found = index + self._count if index < 0 else index
        if not 0 <= found < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        return found

    def _looks_encapsulated(self, frames: int) -> bool:
        """Encapsulated pixel data of defined length, which nobody should write, or which was set in memory."""
        native = self.stated.transfer_syntax in NATIVE
        if native and self._store.size in self._native_sizes(frames):
            return False  # whatever the first samples look like
        return self._store.upto(0, 4) == ITEM

    def _native_sizes(self, frames: int) -> tuple[int, ...]:
        """Bytes of so many uncompressed frames, padded to an even number or not; chroma as described, or full."""
        bits = native_bits(self.stated), self.stated.samples * self.stated.bits_allocated
        sizes = [-(-one * frames // 8) for one in bits]
        return (*sizes, *(size + size % 2 for size in sizes))

    def _check_unencapsulated(self, frames: int) -> None:
        """Samples without fragments under a transfer syntax that has them: told by their length, or else refused."""
        stated = self.stated.transfer_syntax
        if stated in NATIVE or self.stated.floating:
            return
        if self._store.size not in self._native_sizes(frames):
            codec_for(stated)
            raise PixelDecodeError(
                f"transfer syntax {UID(stated).name} has fragments, and the pixel data is {self._store.size} bytes "
                f"without any, which are no {frames} uncompressed frames either"
            )
        if file_index(self._data_set) is not None:  # pixel data of items may be native (PS3.5 A.4)
            name = UID(stated).name
            self._note("pixel-transfer-syntax", f"transfer syntax is {name}, the pixel data is uncompressed")

    def _relabel(self) -> bool:
        """Tell from the first frame what fragments are under a transfer syntax that has none, or is a video's."""
        assert self._pieces is not None
        if is_uncompressed(self.stated, sum(fragment.length for fragment in self._pieces.fragments(0))):
            return False
        first = self._pieces.head(0, SIGNATURE_BYTES) if self._is_video else self._pieces.codestream(0)
        syntax, notes = syntax_of_frame(self.stated, first)
        changed = syntax != self.stated.transfer_syntax
        if changed:
            self.stated = replace(self.stated, transfer_syntax=syntax)
        self._notes.update(dict.fromkeys(notes))
        return changed

    def _first_bytes(self) -> memoryview:
        """The first bytes of the first frame's codestream."""
        assert self._pieces is not None
        return self._pieces.head(0, 4096)

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
            settled, notes = check_header(info, self.stated, self.limits, held=1 << 62)
        except DicomError:
            return self.stated  # said when the frame is decoded
        if not self.limits.strict:  # else the frame alone is refused
            self._notes.update(dict.fromkeys(notes))
        return replace(self.stated, samples_per_pixel=settled.samples_per_pixel, bits_allocated=settled.bits_allocated)

    def _codestreams(self, indices: list[int]) -> list[memoryview | None]:
        """The codestreams of several frames, read together where they stand together; None where there are none."""
        if self._pieces is None or self._is_video or self._layout is not None:
            return [None] * len(indices)
        with self._lock:
            fragments = [self._pieces.fragments(index) for index in indices]
        refuse_if_strict(self._pieces.notes, self.limits)
        return list(self._pieces.joined_each(fragments))  # outside the lock: other threads decode meanwhile

    def _decoded(self, index: int, out: NDArray[Any] | None, codestream: memoryview | None = None) -> DecodedFrame:
        if self._is_video:
            return self._video_frame(index, out)
        if self._layout is not None:
            return DecodedFrame(self._native(index, out), self.stated, None, ())
        if codestream is None:
            (codestream,) = self._codestreams([index])
        decoded = decode_frame(
            codestream, self._as_decoded, out=out, limits=self.limits, frame=index, stated=self.stated
        )
        self._notes.update(dict.fromkeys(decoded.notes))
        return decoded

    def _decode_apart(self, indices: list[int], outs: list[NDArray[Any]], raw: bool) -> None:
        codestreams = self._codestreams(indices)
        for decoded in decode_frames(
            codestreams, self._as_decoded, outs=outs, limits=self.limits, frames=indices, stated=self.stated
        ):
            self._notes.update(dict.fromkeys(decoded.notes))
            self._finish(decoded, raw)

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


def _path_of(index: Any) -> str | None:
    if index.path is not None:
        return os.fspath(index.path) if isinstance(index.path, (str, os.PathLike)) else str(index.path)
    return None if index.ranged is None else repr(index.ranged)


Sequence.register(Frames)
