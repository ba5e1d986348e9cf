"""Contiguous uncompressed frames, each beginning at the bit where the previous one ended (PS3.5 8.1.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.base import swap
from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.notes import Note
from dicomcore.pixels.coding.decoding import DecodedFrame
from dicomcore.pixels.coding.registry import codec_for
from dicomcore.pixels.coding.uncompressed import BIG_ENDIAN, decode_native, is_subsampled, native_bits
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.sample_values import sample_values
from dicomcore.pixels.value_field import ValueField

__all__ = ["NativeFrames", "native_sizes"]

MOST_MISSING = 64
"""A short frame is completed with zeros, unless it claims more than this number of times the bytes present."""


def native_sizes(desc: FrameDescription, frames: int) -> tuple[int, ...]:
    """Possible sizes in bytes of `frames` uncompressed frames: chroma as described or full, with or without padding."""
    bits = native_bits(desc), desc.samples * desc.bits_allocated
    sizes = [-(-each * frames // 8) for each in bits]
    return (*sizes, *(size + size % 2 for size in sizes))


class NativeFrames:
    """A `FrameSource` of uncompressed samples; counts the frames present, whatever Number of Frames says."""

    is_encapsulated = False

    def __init__(
        self,
        value: ValueField,
        stated: FrameDescription,
        frames: int,
        limits: Limits,
        *,
        in_words: bool,
        notes: Iterable[Note] = (),
    ) -> None:
        """`frames` is Number of Frames; `in_words` says that the element is an OW; `notes` are earlier notes.

        Raises PixelDecodeError where the pixel data is empty, or has almost nothing of even one frame.
        """
        self.stated = self.description = stated
        self._value = value
        self._noted = dict.fromkeys(notes)
        self._lengths: list[Note] = []
        """Notes on the pixel data's length."""
        # Bytes in big-endian words are swapped in pairs.
        self._swapped = in_words and stated.transfer_syntax in BIG_ENDIAN and stated.bits_allocated in (1, 8)
        self._bits = self._frame_bits(frames)
        if frames > 1 and self._padded(frames):
            self._lengths.append(Note("pixel-length", f"each frame is padded to {self._bits // 8} bytes"))
            self._count = frames
        else:
            self._count = self._there(frames, limits)

    def __len__(self) -> int:
        return self._count

    @property
    def notes(self) -> tuple[Note, ...]:
        """See `FrameSource.notes`."""
        return tuple(dict.fromkeys((*self._noted, *self._lengths)))

    def note(self, *notes: Note) -> None:
        """See `FrameSource.note`."""
        self._noted.update(dict.fromkeys(notes))

    def encoded(self, index: int) -> memoryview:
        """The bytes of a frame as they are in the file, without any that are missing at its end."""
        first, stop, _ = self.span(index)
        return self._value.upto(first, stop - first)

    def missing(self, index: int) -> int:
        """Missing bytes of a frame, decoded as zeros."""
        return max(self.span(index)[1] - self._value.size, 0)

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """See `FrameSource.decoded`."""
        codec_for(self.stated.transfer_syntax)  # raises for an unknown transfer syntax, whose bytes may be no samples
        data, start_bit = self._read(index)
        try:
            samples = decode_native(data, self.stated, out, start_bit=start_bit)
        except PixelDecodeError as error:
            error.frame = index
            raise
        return DecodedFrame(samples, self.stated, None, ())

    def decode(self, index: int, out: NDArray[Any] | None = None, *, raw: bool = False) -> NDArray[Any]:
        """See `FrameSource.decode`."""
        decoded = self.decoded(index, out)
        return decoded.samples if raw else sample_values(decoded, self.stated)

    def decode_many(
        self, indices: Sequence[int], target: NDArray[Any], *, raw: bool = False, workers: int | None = None
    ) -> None:
        """See `FrameSource.decode_many`; runs in order, on one thread, as samples are read rather than decoded."""
        for place, index in enumerate(indices):
            self.decode(index, target[place], raw=raw)

    # -- the layout of frames

    @property
    def value(self) -> ValueField:
        """The Value Field that has the frames."""
        return self._value

    @property
    def frame_bits(self) -> int:
        """The bits from the start of a frame to that of the next."""
        return self._bits

    @property
    def is_swapped(self) -> bool:
        """Whether the bytes are swapped in pairs: samples of fewer than 16 bits in big-endian words."""
        return self._swapped

    def _frame_bits(self, frames: int) -> int:
        """The bits of one frame, without padding."""
        size, stated = self._value.size, self.stated
        bits, full = native_bits(stated), stated.samples * stated.bits_allocated
        # Labelled 4:2:2, but long enough for full chroma; decode_native() decides the same.
        if bits < full and 8 * size >= full * frames:
            return full
        if is_subsampled(stated) and stated.columns % 2 and 8 * (size - size % 2) != bits * frames:
            raise PixelDecodeError(
                f"{stated.photometric_interpretation} of {stated.columns} columns: {frames} frames of whole pairs of "
                f"pixels take {bits * frames // 8} bytes, and {size} are there"
            )
        return bits

    def _padded(self, frames: int) -> bool:
        """Whether each frame is padded, against PS3.5 8.1.1: single bits to whole bytes, or odd lengths to even ones.

        The length, and zeros in the place of the padding, tell; `_bits` then includes the padding.
        """
        size, bits = self._value.size, self._bits
        unpadded = -(-bits * frames // 8)
        if size in (unpadded, unpadded + unpadded % 2):
            return False  # the length that PS3.5 8.1.1 requires, whatever the bytes are
        for unit in (8, 16):
            whole = -(-bits // unit) * unit
            due = whole // 8 * frames
            if whole == bits or size not in (due, due + due % 2):
                continue
            ends = (self._last_word(index, bits, whole) for index in range(frames))
            if not any(ends):
                self._bits = whole
                return True
        return False

    def _last_word(self, index: int, bits: int, whole: int) -> int:
        """The bits after the first `bits` of a frame that takes `whole` bits, the first of them in the lowest bit."""
        first, stop = (whole * index + bits) // 8, whole * (index + 1) // 8
        return int.from_bytes(self._value.read(first, stop - first), "little") >> bits % 8

    def _there(self, stated: int, limits: Limits) -> int:
        """The number of frames present: more than stated where whole ones follow, fewer where the data is short."""
        size, size_bits = self._value.size, 8 * self._value.size
        expected = -(-self._bits * stated // 8)
        if not size:
            raise PixelDecodeError("the pixel data is empty")
        if self._bits > MOST_MISSING * size_bits + (1 << 20):
            raise PixelDecodeError(f"{size} bytes of pixel data, and a frame takes {self._bits // 8}")
        if size < expected:
            self._lengths.append(Note("pixel-length", f"{expected} bytes of pixel data are due, {size} are there"))
            return min(stated, -(-size_bits // self._bits))
        if size > expected + expected % 2:
            whole = size_bits // self._bits
            if whole > stated:
                self._lengths.append(Note("frames", f"Number of Frames is {stated}, and {whole} are there"))
                return min(whole, limits.frames)
            self._lengths.append(Note("pixel-length", f"{size - expected} bytes follow the last frame"))
        return stated

    def span(self, index: int) -> tuple[int, int, int]:
        """The first byte of frame `index`, the byte after its last, and the bit of the first byte where it begins."""
        first = index * self._bits
        return first // 8, -(-(first + self._bits) // 8), first % 8

    def _read(self, index: int) -> tuple[memoryview, int]:
        """The bytes of a frame, zeros for missing ones, and the bit where it begins."""
        first, stop, bit = self.span(index)
        if self._swapped:  # read whole 16-bit words
            data = np.zeros((stop + 1) // 2 * 2 - first // 2 * 2, np.uint8)
            words = self._value.upto(first // 2 * 2, len(data))
            data[: len(words)] = words
            swap.swap_words(data, data, 2)
            return memoryview(data)[first % 2 : first % 2 + stop - first], bit
        view = self._value.upto(first, stop - first)
        if len(view) < stop - first:
            padded = bytearray(stop - first)
            padded[: len(view)] = view
            view = memoryview(padded)
        return view, bit
