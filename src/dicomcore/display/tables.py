"""Look-up tables as data sets carry them: modality, VOI, presentation and palette (PS3.3 C.7.6.3.1.5, C.11)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import lut as kernels
from dicomcore.arrays import as_bytes
from dicomcore.errors import PixelDecodeError

__all__ = ["LookUpTable", "Palette", "expand_segments", "read_entries"]

MAX_ENTRIES = 65536


@dataclass(frozen=True, slots=True, eq=False)
class LookUpTable:
    """Entries for the values from `first_mapped` on; what lies outside takes the nearer end's."""

    entries: NDArray[Any]
    """uint8 or uint16."""
    first_mapped: int
    bits: int
    """Bits of an entry that count: as the descriptor says, or as the largest entry needs where it can't be right."""

    @classmethod
    def of(
        cls,
        descriptor: Sequence[int],
        data: Any,
        *,
        pixel_representation: int = 0,
        big_endian: bool = False,
    ) -> LookUpTable:
        """Read LUT Descriptor and LUT Data; raises PixelDecodeError where they make no table.

        `data` is bytes in the file's byte order, or an array or list of entries. 8-bit entries may be stored in 16 bits
        each.
        """
        _, first, bits = _descriptor(descriptor, pixel_representation)
        entries = read_entries(descriptor, data, big_endian=big_endian)
        return cls(entries, first, _entry_bits(entries, bits))

    def apply(self, values: NDArray[Any], *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Give the entry for each of the values, which are integers of 8, 16 or 32 bits."""
        values = np.ascontiguousarray(values)
        if out is None:
            out = np.empty(values.shape, self.entries.dtype)
        kernels.lookup(
            as_bytes(values),
            values.itemsize,
            values.dtype.kind == "i",
            as_bytes(self.entries),
            self.first_mapped,
            as_bytes(out),
            self.entries.itemsize,
        )
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Red, green, blue and perhaps alpha entries for the values from `first_mapped` on (PS3.3 C.7.6.3.1.5)."""

    channels: tuple[NDArray[Any], ...]
    first_mapped: int
    bits: int

    @classmethod
    def of(
        cls,
        descriptor: Sequence[int],
        channels: Sequence[Any],
        *,
        segmented: bool = False,
        pixel_representation: int = 0,
        big_endian: bool = False,
    ) -> Palette:
        """Read a palette's descriptor and its channels' data, plain or segmented.

        Channels of different length are cut to the shortest. Raises PixelDecodeError where they make no table.
        """
        _, first, bits = _descriptor(descriptor, pixel_representation)
        read = expand_segments if segmented else read_entries
        tables = [read(descriptor, data, big_endian=big_endian) for data in channels]
        shortest = min(len(table) for table in tables)
        if not 1 <= bits <= 16:
            bits = max(_entry_bits(table, bits) for table in tables)
        return cls(tuple(table[:shortest] for table in tables), first, bits)

    def packed(self, *, eight: bool = False) -> NDArray[Any]:
        """Entries side by side, (entries, 4), the fourth a filler or alpha; with `eight` as 8 bits for a screen."""
        channels = self._eight() if eight else self.channels
        table = np.zeros((len(channels[0]), 4), channels[0].dtype)
        for i, channel in enumerate(channels):
            table[:, i] = channel
        return table

    def _eight(self) -> tuple[NDArray[np.uint8], ...]:
        if self.channels[0].itemsize == 1:
            return self.channels
        # All channels have one scale: a blue that is never bright must not be made so.
        largest = max(int(entries.max()) for entries in self.channels)
        # 8-bit entries in 16 bits stand in the low byte, or in the high one, or in both: writers differ
        full = max(self.bits, 8) if largest < 1 << max(self.bits, 8) else 16
        return tuple((entries >> (full - 8)).astype(np.uint8) for entries in self.channels)

    def apply(self, values: NDArray[Any], *, eight: bool = False, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Give the colours of integer values of 8, 16 or 32 bits: (…, 3), or (…, 4) with alpha.

        In the entries' own width, as pydicom's `apply_color_lut`; with `eight` as uint8.
        """
        values = np.ascontiguousarray(values)
        table = self.packed(eight=eight)
        count = len(self.channels)
        if out is None:
            out = np.empty((*values.shape, count), table.dtype)
        kernels.lookup(
            as_bytes(values),
            values.itemsize,
            values.dtype.kind == "i",
            as_bytes(table),
            self.first_mapped,
            as_bytes(out),
            count * table.itemsize,
        )
        return out


def _descriptor(descriptor: Sequence[int], pixel_representation: int) -> tuple[int, int, int]:
    """Entries, first mapped value and bits an entry; 0 entries are 65536."""
    if len(descriptor) != 3:
        raise PixelDecodeError(f"a look-up table's descriptor has 3 values, not {len(descriptor)}")
    entries, first, bits = (int(value) for value in descriptor)
    if pixel_representation and first >= 32768:  # SS in a data set read as US
        first -= 65536
    return entries & 0xFFFF or MAX_ENTRIES, first, bits


def _entry_bits(entries: NDArray[Any], stated: int) -> int:
    """Bits of an entry that count: those stated, unless no entry can have so many or the largest needs more.

    An entry of just 2 to the power of the bits stated is a rounding error of the writer, and shown as the largest.
    """
    largest = int(entries.max())
    if 1 <= stated <= 16 and largest <= 1 << stated:
        return stated
    return max(largest.bit_length(), 8)


def _words(data: Any, width: int, big_endian: bool) -> NDArray[Any]:
    if isinstance(data, (bytes, bytearray, memoryview)):
        held = memoryview(data).cast("B")
        if width == 1 and big_endian:
            # two entries stand in each word of OW, whose bytes come in the other order (PS3.5 7.3)
            pairs = np.frombuffer(held[: len(held) // 2 * 2], "u2").byteswap().view("u1")
            return np.concatenate([pairs, np.frombuffer(held[len(pairs) :], "u1")])
        order = ">" if big_endian else "<"
        return np.frombuffer(held[: len(held) // width * width], f"{order}u{width}").astype(f"u{width}")
    return np.ascontiguousarray(np.asarray(data).astype(f"u{width}"))


def read_entries(descriptor: Sequence[int], data: Any, *, big_endian: bool = False) -> NDArray[Any]:
    """Read a table's entries: uint8 where each takes one byte, else uint16.

    Data that is longer than the descriptor says is cut, shorter data makes a shorter table. Raises PixelDecodeError
    where there is none.
    """
    count, _, bits = _descriptor(descriptor, 0)
    wide = 8 < bits <= 16
    if isinstance(data, (bytes, bytearray, memoryview)):
        width = 2 if wide or memoryview(data).nbytes > count + count % 2 else 1
    else:
        width = 2 if wide or (len(data) and max(data) > 255) else 1
    entries = _words(data, width, big_endian)[:count]
    if not len(entries):
        raise PixelDecodeError("a look-up table without entries")
    return entries


def expand_segments(descriptor: Sequence[int], data: Any, *, big_endian: bool = False) -> NDArray[Any]:
    """Expand a segmented table (PS3.3 C.7.9.2): uint8 or uint16, as many entries as the descriptor says at most."""
    count, _, bits = _descriptor(descriptor, 0)
    if not 1 <= bits <= 16:
        raise PixelDecodeError(f"a segmented look-up table's entries have 8 or 16 bits, not {bits}")
    width = 1 if bits <= 8 else 2
    words = _words(data, width, big_endian).astype(np.uint16)
    entries = np.empty(count, np.uint16)
    found = kernels.expand_segments(words, width, entries)
    if not found:
        raise PixelDecodeError("a segmented look-up table without entries")
    return entries[:found].astype(f"u{width}")
