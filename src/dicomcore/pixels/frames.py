"""A data set's frames, decoded one by one or several together."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset.lookup import first_item
from dicomcore.dataset.state import file_index, header_of, index_of, is_in_big_endian, recall_of
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import View, render
from dicomcore.errors import PixelDecodeError
from dicomcore.issues import Issue
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.notes import Note, refuse_if_strict
from dicomcore.pixels.attributes import describe, find_pixel_data, revised, state_of
from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.frame_source import FrameSource, source_of
from dicomcore.pixels.overlays import Overlay, draw_overlays, read_overlays
from dicomcore.pixels.stated import stated_notes
from dicomcore.pixels.value_field import ValueField
from dicomcore.tags import Tag
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian

__all__ = ["Frames"]

UNPROVEN_SAMPLES = 1 << 28
"""An array of more samples than this is allocated only after one of its frames was decoded."""


class Frames:
    """The frames of one data set, decoded on demand.

    ``frames[i]`` is (rows, columns) or (rows, columns, samples), the same as in pydicom 3: native byte order, unused
    bits removed, YBR converted to RGB. ``frames[a:b]`` stacks frames. Several threads may decode frames at once.
    """

    def __init__(self, data_set: Any) -> None:
        """Raises PixelDecodeError where the data set has no pixel data, or lacks attributes that describe it."""
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
        stated = describe(header, keyword)
        element = data_set[keyword]
        # The words of a UN value are little endian (PS3.5 6.2.2).
        if stated.transfer_syntax == ExplicitVRBigEndian and is_in_big_endian(element) is False:
            stated = replace(stated, transfer_syntax=ExplicitVRLittleEndian)
        self._recall = recall_of(data_set)
        self._keyword, self._offset = keyword, element.offset or 0
        self._state = state_of(data_set)
        self._apart = header if header is not data_set else None
        self._kept: NDArray[Any] | None = None
        self._lock = threading.Lock()
        self._source: FrameSource = source_of(
            element,
            ValueField.of(data_set, element),
            header,
            stated,
            self.limits,
            is_from_file=file_index(data_set) is not None,
        )
        self.stated, self.description = self._source.stated, self._source.description
        self._source.note(*stated_notes(header, self.stated, coded=self.is_encapsulated))
        refuse_if_strict(self.notes, self.limits)
        self._count = len(self._source)
        self._shape, self._dtype = self.description.shape, self.description.dtype

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
        # Not referenced from here: the data set references its frames, and only the garbage collector ends a cycle.
        return self._recall()

    @property
    def _header(self) -> Any:
        return self._data_set if self._apart is None else revised(self._apart, self._data_set)

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes so far; grows as frames are decoded."""
        return self._source.notes

    @property
    def issues(self) -> tuple[Issue, ...]:
        """The notes as issues of the data set."""
        return tuple(self._issue_of(note) for note in self.notes)

    def issues_of(self, index: int) -> tuple[Issue, ...]:
        """The issues of a frame: its own, once it was decoded, and those of all the pixel data."""
        return tuple(self._issue_of(note) for note in self.notes if note.frame in (None, index))

    def _issue_of(self, note: Note) -> Issue:
        message = note.message if note.frame is None else f"frame {note.frame}: {note.message}"
        return Issue(note.code.upper().replace("-", "_"), Tag(self._keyword), self._offset, message)

    def note(self, note: Note) -> None:
        """Add a note on the frames; raises PixelDecodeError where the limits are strict."""
        self._source.note(note)
        refuse_if_strict((note,), self.limits)

    def is_of(self, data_set: Any) -> bool:
        """Whether these are still the frames of `data_set`: neither its pixel data nor its description has changed."""
        return self._state == state_of(data_set)

    @property
    def source(self) -> FrameSource:
        """Where the frames are read from: native samples, codestreams in fragments, or a video."""
        return self._source

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of `array()`: (rows, columns[, samples]), after the number of frames where that isn't 1."""
        return self._shape if self._count == 1 else (self._count, *self._shape)

    @property
    def is_encapsulated(self) -> bool:
        """Whether frames are codestreams in fragments rather than contiguous samples."""
        return self._source.is_encapsulated

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of a frame."""
        return self._dtype

    def encoded(self, index: int) -> memoryview:
        """The encoded bytes of a frame, fragments joined; of a video, the whole stream.

        A frame of single bits that starts inside a byte comes with its neighbours' bits in that byte.
        """
        index = self._index(index)
        try:
            return self._source.encoded(index)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def missing(self, index: int) -> int:
        """Bytes of a frame (of a video: of its stream) that lie beyond the end of the source."""
        return self._source.missing(self._index(index))

    def decode(self, index: int, *, raw: bool = False, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Decode one frame. `raw` leaves colour and unused bits as coded.

        `out` is a contiguous array of the frame's shape and dtype. Raises PixelDecodeError with its ``frame`` set, and
        IndexError past the last frame.
        """
        index = self._index(index)
        if out is not None and (out.shape != self._shape or out.dtype != self._dtype or not out.flags.c_contiguous):
            raise ValueError(f"out is to be a contiguous array of shape {self._shape} and dtype {self._dtype}")
        try:
            return self._source.decode(index, out, raw=raw)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """Decode one frame to samples as coded, along with its codestream's header; `out` is as for `decode`."""
        index = self._index(index)
        try:
            return self._source.decoded(index) if out is None else self._source.decoded(index, out)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def stack(
        self, indices: Sequence[int], *, raw: bool = False, out: NDArray[Any] | None = None, workers: int | None = None
    ) -> NDArray[Any]:
        """Decode frames into one array, (frames, rows, columns[, samples]), by default on a thread for each CPU."""
        if out is None and self.is_encapsulated and len(indices) * self.description.samples > UNPROVEN_SAMPLES:
            self.decode(indices[0], raw=raw)  # raises for a false claim before a large array is allocated
        target = self._target(len(indices), out)
        wanted = [self._index(index) for index in indices]
        try:
            self._source.decode_many(wanted, target, raw=raw, workers=workers)
        except PixelDecodeError as error:
            self._name(error)
            raise
        return target

    def array(self, *, raw: bool = False, out: NDArray[Any] | None = None, workers: int | None = None) -> NDArray[Any]:
        """Decode all frames, in pydicom's shape: a single frame has no frame axis.

        Returns `out` itself where it has that shape, else a view of it in that shape.
        """
        stacked = self.stack(range(self._count), raw=raw, out=out, workers=workers)
        return out if out is not None and out.shape == self.shape else stacked.reshape(self.shape)

    def kept_array(self) -> NDArray[Any]:
        """Return the same `array()` every time, so that the caller's changes to it stay."""
        if self._kept is None:
            array = self.array()
            with self._lock:
                if self._kept is None:
                    self._kept = array
        return self._kept

    def render(
        self, index: int, *, window: View = None, overlays: bool = False, out: NDArray[np.uint8] | None = None
    ) -> NDArray[np.uint8]:
        """Render a frame as an 8-bit picture; see `dicomcore.display.render` for `window`.

        `overlays` draws the frame's overlays over the picture, in white.
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
        """The overlay planes, including those in unused bits of the samples."""
        return read_overlays(self._data_set, self)

    @property
    def icc_profile(self) -> bytes | None:
        """The ICC profile of colour pixels, of the first optical path where there are several; None where missing."""
        path = first_item(self._data_set, "OpticalPathSequence")
        place = self._data_set if path is None or "ICCProfile" in self._data_set else path
        return place.get("ICCProfile") or None

    def _name(self, error: PixelDecodeError, index: int | None = None) -> None:
        """Add the file and the frame to an error that doesn't name them yet."""
        if error.path is None:
            error.path = self._path
        if error.frame is None:
            error.frame = index

    def _index(self, index: int) -> int:
        positive = index + self._count if index < 0 else index
        if not 0 <= positive < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        return positive

    def _target(self, count: int, out: NDArray[Any] | None) -> NDArray[Any]:
        shape = (count, *self._shape)
        if out is None:
            return np.empty(shape, self._dtype)
        if out.dtype != self._dtype or out.size != int(np.prod(shape)) or not out.flags.c_contiguous:
            raise ValueError(f"out is to be a contiguous array of shape {shape} and dtype {self._dtype}")
        return out.reshape(shape)


def _path_of(index: Any) -> str | None:
    if index.path is not None:
        return os.fspath(index.path) if isinstance(index.path, (str, os.PathLike)) else str(index.path)
    return None if index.ranged is None else repr(index.ranged)


Sequence.register(Frames)
