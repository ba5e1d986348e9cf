"""Uncompressed frames, one behind the other, each from the bit where the one before ended (PS3.5 8.1.1)."""

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
"""A frame cut short is filled up with zeros, unless it is hardly there: what is claimed is then not believed."""


def native_sizes(desc: FrameDescription, frames: int) -> tuple[int, ...]:
    """How many bytes `frames` uncompressed frames may take: chroma as described or full, at the end padded or not."""
    bits = native_bits(desc), desc.samples * desc.bits_allocated
    sizes = [-(-each * frames // 8) for each in bits]
    return (*sizes, *(size + size % 2 for size in sizes))


class NativeFrames:
    """Frames that are samples; a `FrameSource`. As many as there are, whatever Number of Frames says."""

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
        """`frames` is Number of Frames; `in_words` says that the element is an OW; `notes` are kept.

        Raises PixelDecodeError where there is nothing, or hardly anything of even one frame.
        """
        self.stated = self.description = stated
        self._value = value
        self._noted = dict.fromkeys(notes)
        self._lengths: list[Note] = []
        """What is to be noted of the pixel data's length."""
        # Bytes that stand in big-endian words have changed places in pairs.
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
        """As `FrameSource` says."""
        return tuple(dict.fromkeys((*self._noted, *self._lengths)))

    def note(self, *notes: Note) -> None:
        """As `FrameSource` says."""
        self._noted.update(dict.fromkeys(notes))

    def encoded(self, index: int) -> memoryview:
        """The bytes of a frame as they stand in the file; as many as there are."""
        first, stop, _ = self._span(index)
        return self._value.upto(first, stop - first)

    def missing(self, index: int) -> int:
        """Bytes of a frame that are not there, for which samples are decoded from zeros."""
        return max(self._span(index)[1] - self._value.size, 0)

    def decoded(self, index: int, out: NDArray[Any] | None = None) -> DecodedFrame:
        """As `FrameSource` says."""
        codec_for(self.stated.transfer_syntax)  # what nobody knows is not taken for samples
        data, start_bit = self._read(index)
        try:
            samples = decode_native(data, self.stated, out, start_bit=start_bit)
        except PixelDecodeError as error:
            error.frame = index
            raise
        return DecodedFrame(samples, self.stated, None, ())

    def decode(self, index: int, out: NDArray[Any] | None = None, *, raw: bool = False) -> NDArray[Any]:
        """As `FrameSource` says."""
        decoded = self.decoded(index, out)
        return decoded.samples if raw else sample_values(decoded, self.stated)

    def decode_many(
        self, indices: Sequence[int], target: NDArray[Any], *, raw: bool = False, workers: int | None = None
    ) -> None:
        """In order, on one thread: samples are read rather than decoded."""
        for place, index in enumerate(indices):
            self.decode(index, target[place], raw=raw)

    # -- where frames are

    def _frame_bits(self, frames: int) -> int:
        """The bits of one frame, padding left out."""
        size, stated = self._value.size, self.stated
        bits, full = native_bits(stated), stated.samples * stated.bits_allocated
        # called 4:2:2, and long enough for samples that aren't: decode_native() sees it the same way
        if bits < full and 8 * size >= full * frames:
            return full
        if is_subsampled(stated) and stated.columns % 2 and 8 * (size - size % 2) != bits * frames:
            raise PixelDecodeError(
                f"{stated.photometric_interpretation} of {stated.columns} columns: {frames} frames of whole pairs of "
                f"pixels take {bits * frames // 8} bytes, and {size} are there"
            )
        return bits

    def _padded(self, frames: int) -> bool:
        """Whether frames are padded one by one, which PS3.5 8.1.1 has no place for: single bits to whole bytes, odd
        frames to even ones. Told by the length, and by zeros where padding would be; `bits` is then with it."""
        size, bits = self._value.size, self._bits
        honest = -(-bits * frames // 8)
        if size in (honest, honest + honest % 2):
            return False  # just as long as PS3.5 8.1.1 has it, whatever stands there
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
        """What stands behind the `bits` of a frame that takes `whole` ones, the first in the lowest bit."""
        first, stop = (whole * index + bits) // 8, whole * (index + 1) // 8
        return int.from_bytes(self._value.read(first, stop - first), "little") >> bits % 8

    def _there(self, stated: int, limits: Limits) -> int:
        """Frames that are there: more than stated where whole ones follow, fewer where the data is short."""
        size, held = self._value.size, 8 * self._value.size
        expected = -(-self._bits * stated // 8)
        if not size:
            raise PixelDecodeError("the pixel data is empty")
        if self._bits > MOST_MISSING * held + (1 << 20):
            raise PixelDecodeError(f"{size} bytes of pixel data, and a frame takes {self._bits // 8}")
        if size < expected:
            self._lengths.append(Note("pixel-length", f"{expected} bytes of pixel data are due, {size} are there"))
            return min(stated, -(-held // self._bits))
        if size > expected + expected % 2:
            whole = held // self._bits
            if whole > stated:
                self._lengths.append(Note("frames", f"Number of Frames is {stated}, and {whole} are there"))
                return min(whole, limits.frames)
            self._lengths.append(Note("pixel-length", f"{size - expected} bytes follow the last frame"))
        return stated

    def _span(self, index: int) -> tuple[int, int, int]:
        """First byte, the byte behind the last, and the bit of the first byte where frame `index` begins."""
        first = index * self._bits
        return first // 8, -(-(first + self._bits) // 8), first % 8

    def _read(self, index: int) -> tuple[memoryview, int]:
        """The bytes of a frame, zeros for what is missing, and the bit where it begins."""
        first, stop, bit = self._span(index)
        if self._swapped:  # from an even byte to an even byte
            data = np.zeros((stop + 1) // 2 * 2 - first // 2 * 2, np.uint8)
            held = self._value.upto(first // 2 * 2, len(data))
            data[: len(held)] = held
            swap.swap_words(data, data, 2)
            return memoryview(data)[first % 2 : first % 2 + stop - first], bit
        view = self._value.upto(first, stop - first)
        if len(view) < stop - first:
            padded = bytearray(stop - first)
            padded[: len(view)] = view
            view = memoryview(padded)
        return view, bit
