"""A data set's frames: found, read and decoded one by one or together."""

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
"""An array of more samples than that is made once a frame of it was decoded."""


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
        stated = describe(header, keyword)
        element = data_set[keyword]
        # A UN's words are in little endian (PS3.5 6.2.2).
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
        # Not held: it holds its frames, and would last until the garbage collector comes by.
        return self._recall()

    @property
    def _header(self) -> Any:
        return self._data_set if self._apart is None else revised(self._apart, self._data_set)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was settled or passed over so far; grows as frames are decoded."""
        return self._source.notes

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
        self._source.note(note)
        refuse_if_strict((note,), self.limits)

    def is_of(self, data_set: Any) -> bool:
        """Whether these are still the frames of `data_set`, whose pixel data or description may have been set."""
        return self._state == state_of(data_set)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of `array()`: (rows, columns[, samples]), with the number of frames before it where it isn't 1."""
        return self._shape if self._count == 1 else (self._count, *self._shape)

    @property
    def is_encapsulated(self) -> bool:
        """Whether frames are codestreams in fragments, not samples one behind the other."""
        return self._source.is_encapsulated

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
            return self._source.encoded(index)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def missing(self, index: int) -> int:
        """Bytes of a frame (of a video: its stream) that are claimed and not there, as the source breaks off."""
        return self._source.missing(self._index(index))

    def decode(self, index: int, *, raw: bool = False, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Decode one frame. `raw` leaves colour and unused bits as coded.

        `out` is a contiguous array of the frame's shape and dtype. Raises PixelDecodeError with ``frame``, IndexError
        past the last frame.
        """
        index = self._index(index)
        if out is not None and (out.shape != self._shape or out.dtype != self._dtype or not out.flags.c_contiguous):
            raise ValueError(f"out is to be a contiguous array of shape {self._shape} and dtype {self._dtype}")
        try:
            return self._source.decode(index, out, raw=raw)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def decoded(self, index: int) -> DecodedFrame:
        """Decode one frame to samples as coded, with what its codestream says of them."""
        index = self._index(index)
        try:
            return self._source.decoded(index)
        except PixelDecodeError as error:
            self._name(error, index)
            raise

    def stack(
        self, indices: Sequence[int], *, raw: bool = False, out: NDArray[Any] | None = None, workers: int | None = None
    ) -> NDArray[Any]:
        """Decode frames into one array, (frames, rows, columns[, samples]), on as many threads as there are CPUs."""
        if out is None and self.is_encapsulated and len(indices) * self.description.samples > UNPROVEN_SAMPLES:
            self.decode(indices[0], raw=raw)  # raises before all that is claimed is allocated
        target = self._target(len(indices), out)
        wanted = [self._index(index) for index in indices]
        try:
            self._source.decode_many(wanted, target, raw=raw, workers=workers)
        except PixelDecodeError as error:
            self._name(error)
            raise
        return target

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
        """Give a frame as a picture of 8 bits; see `dicomcore.display.render` for `window`.

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

    def _index(self, index: int) -> int:
        found = index + self._count if index < 0 else index
        if not 0 <= found < self._count:
            raise IndexError(f"frame {index} of {self._count}")
        return found

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
