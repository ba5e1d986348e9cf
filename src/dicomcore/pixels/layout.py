"""Where uncompressed frames are: one behind the other, each from the bit where the one before ended (PS3.5 8.1.1)."""

from __future__ import annotations

import numpy as np

from dicomcore._native.base import swap
from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.notes import Note
from dicomcore.pixels.coding.uncompressed import is_subsampled, native_bits
from dicomcore.pixels.description import FrameDescription
from dicomcore.pixels.value_field import ValueField

__all__ = ["Layout"]

MOST_MISSING = 64
"""A frame cut short is filled up with zeros, unless it is hardly there: what is claimed is then not believed."""


class Layout:
    """Finds each uncompressed frame's bytes; as many frames as there are, whatever Number of Frames says."""

    def __init__(self, value: ValueField, desc: FrameDescription, frames: int, limits: Limits, *, wide: bool) -> None:
        """`frames` is Number of Frames. `wide` says that bytes stand in big-endian words, so that pairs are exchanged.

        Raises PixelDecodeError where there is nothing, or hardly anything of even one frame.
        """
        self.value = value
        self.notes: list[Note] = []
        self._wide = wide and desc.bits_allocated in (1, 8)
        full = desc.samples * desc.bits_allocated
        self.bits = native_bits(desc)
        # called 4:2:2, and long enough for samples that aren't: decode_native() sees it the same way
        if self.bits < full and 8 * value.size >= full * frames:
            self.bits = full
        elif is_subsampled(desc) and desc.columns % 2 and 8 * (value.size - value.size % 2) != self.bits * frames:
            raise PixelDecodeError(
                f"{desc.photometric_interpretation} of {desc.columns} columns: {frames} frames of whole pairs of "
                f"pixels take {self.bits * frames // 8} bytes, and {value.size} are there"
            )
        if frames > 1 and self._padded(frames):
            self.notes.append(Note("pixel-length", f"each frame is padded to {self.bits // 8} bytes"))
            self._count = frames
        else:
            self._count = self._there(frames, limits)

    def __len__(self) -> int:
        return self._count

    def _padded(self, frames: int) -> bool:
        """Whether frames are padded one by one, which PS3.5 8.1.1 has no place for: single bits to whole bytes, odd
        frames to even ones. Told by the length, and by zeros where padding would be; `bits` is then with it."""
        size, bits = self.value.size, self.bits
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
                self.bits = whole
                return True
        return False

    def _last_word(self, index: int, bits: int, whole: int) -> int:
        """What stands behind the `bits` of a frame that takes `whole` ones, the first in the lowest bit."""
        first, stop = (whole * index + bits) // 8, whole * (index + 1) // 8
        return int.from_bytes(self.value.read(first, stop - first), "little") >> bits % 8

    def _there(self, stated: int, limits: Limits) -> int:
        """Frames that are there: more than stated where whole ones follow, fewer where the data is short."""
        size, held = self.value.size, 8 * self.value.size
        expected = -(-self.bits * stated // 8)
        if not size:
            raise PixelDecodeError("the pixel data is empty")
        if self.bits > MOST_MISSING * held + (1 << 20):
            raise PixelDecodeError(f"{size} bytes of pixel data, and a frame takes {self.bits // 8}")
        if size < expected:
            self.notes.append(Note("pixel-length", f"{expected} bytes of pixel data are due, {size} are there"))
            return min(stated, -(-held // self.bits))
        if size > expected + expected % 2:
            whole = held // self.bits
            if whole > stated:
                self.notes.append(Note("frames", f"Number of Frames is {stated}, and {whole} are there"))
                return min(whole, limits.frames)
            self.notes.append(Note("pixel-length", f"{size - expected} bytes follow the last frame"))
        return stated

    def _span(self, index: int) -> tuple[int, int, int]:
        """First byte, the byte behind the last, and the bit of the first byte where frame `index` begins."""
        first = index * self.bits
        return first // 8, -(-(first + self.bits) // 8), first % 8

    def encoded(self, index: int) -> memoryview:
        """The bytes of a frame as they stand in the file; as many as there are."""
        first, stop, _ = self._span(index)
        return self.value.upto(first, stop - first)

    def missing(self, index: int) -> int:
        """Bytes of a frame that are not there, for which `read` gives zeros."""
        return max(self._span(index)[1] - self.value.size, 0)

    def read(self, index: int) -> tuple[memoryview, int]:
        """The bytes of a frame, zeros for what is missing, and the bit where it begins."""
        first, stop, bit = self._span(index)
        if self._wide:  # from an even byte to an even byte
            data = np.zeros((stop + 1) // 2 * 2 - first // 2 * 2, np.uint8)
            held = self.value.upto(first // 2 * 2, len(data))
            data[: len(held)] = held
            swap.swap_words(data, data, 2)
            return memoryview(data)[first % 2 : first % 2 + stop - first], bit
        view = self.value.upto(first, stop - first)
        if len(view) < stop - first:
            padded = bytearray(stop - first)
            padded[: len(view)] = view
            view = memoryview(padded)
        return view, bit
