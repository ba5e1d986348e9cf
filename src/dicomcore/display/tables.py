"""A data set's look-up tables: modality, VOI, presentation and palette (PS3.3 C.7.6.3.1.5, C.11)."""

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
    """Entries for the values from `first_mapped` on; values outside the table take the nearer end's entry."""

    entries: NDArray[Any]
    """uint8 or uint16."""
    first_mapped: int
    bits: int
    """Significant bits of an entry: the descriptor's, or where those are wrong, the bits of the largest entry."""

    @classmethod
    def of(
        cls,
        descriptor: Sequence[int],
        data: Any,
        *,
        pixel_representation: int = 0,
        big_endian: bool = False,
    ) -> LookUpTable:
        """Read LUT Descriptor and LUT Data; raises PixelDecodeError where they are not a table.

        `data` is bytes in the file's byte order, or an array or list of entries. 8-bit entries may be stored in 16 bits
        each.
        """
        _, first, bits = _descriptor(descriptor, pixel_representation)
        entries = read_entries(descriptor, data, big_endian=big_endian)
        return cls(entries, first, _entry_bits(entries, bits))

    def apply(self, values: NDArray[Any], *, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Look up the entry of each value; values are integers of 8, 16 or 32 bits."""
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

        Channels of different lengths are cut to the shortest. Raises PixelDecodeError where they are not a table.
        """
        _, first, bits = _descriptor(descriptor, pixel_representation)
        read = expand_segments if segmented else read_entries
        tables = [read(descriptor, data, big_endian=big_endian) for data in channels]
        shortest = min(len(table) for table in tables)
        if not 1 <= bits <= 16:
            bits = max(_entry_bits(table, bits) for table in tables)
        elif bits > 8 and max(int(table.max()) for table in tables) < 256:
            bits = 8  # entries of 8 bits in words, which are otherwise all black
        return cls(tuple(table[:shortest] for table in tables), first, bits)

    def packed(self, *, eight: bool = False) -> NDArray[Any]:
        """The channels side by side, (entries, 4), the fourth alpha or filler; with `eight` in 8 bits for a screen."""
        channels = self._eight() if eight else self.channels
        table = np.zeros((len(channels[0]), 4), channels[0].dtype)
        for i, channel in enumerate(channels):
            table[:, i] = channel
        return table

    def _eight(self) -> tuple[NDArray[np.uint8], ...]:
        if self.channels[0].itemsize == 1:
            return self.channels
        # All channels share one scale: a channel of small values must not become brighter than the others.
        largest = max(int(entries.max()) for entries in self.channels)
        # Writers differ: 8-bit entries in 16-bit words are in the low byte, in the high one, or in both.
        full = max(self.bits, 8) if largest < 1 << max(self.bits, 8) else 16
        return tuple((entries >> (full - 8)).astype(np.uint8) for entries in self.channels)

    def apply(self, values: NDArray[Any], *, eight: bool = False, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Look up the colours of integer values of 8, 16 or 32 bits: (…, 3), or (…, 4) with alpha.

        Colours have the width of the entries, as in pydicom's `apply_color_lut`; with `eight` they are uint8.
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
    """Number of entries (0 stands for 65536), first mapped value and bits per entry."""
    if len(descriptor) != 3:
        raise PixelDecodeError(f"a look-up table's descriptor has 3 values, not {len(descriptor)}")
    entries, first, bits = (int(value) for value in descriptor)
    if pixel_representation and first >= 32768:  # an SS that was read as US
        first -= 65536
    return entries & 0xFFFF or MAX_ENTRIES, first, bits


def _entry_bits(entries: NDArray[Any], stated: int) -> int:
    """Significant bits of an entry: as stated, unless the number is impossible or the largest entry needs more.

    An entry of exactly 2 to the power of the stated bits is the writer's rounding error, and shown as the largest.
    """
    largest = int(entries.max())
    if 1 <= stated <= 16 and largest <= 1 << stated:
        return stated
    return max(largest.bit_length(), 8)


def _words(data: Any, width: int, big_endian: bool) -> NDArray[Any]:
    if isinstance(data, (bytes, bytearray, memoryview)):
        raw = memoryview(data).cast("B")
        if width == 1 and big_endian:
            # Each OW word contains two entries, in swapped order in big endian (PS3.5 7.3).
            pairs = np.frombuffer(raw[: len(raw) // 2 * 2], "u2").byteswap().view("u1")
            return np.concatenate([pairs, np.frombuffer(raw[len(pairs) :], "u1")])
        order = ">" if big_endian else "<"
        return np.frombuffer(raw[: len(raw) // width * width], f"{order}u{width}").astype(f"u{width}")
    return np.ascontiguousarray(np.asarray(data).astype(f"u{width}"))


def read_entries(descriptor: Sequence[int], data: Any, *, big_endian: bool = False) -> NDArray[Any]:
    """Read a table's entries: uint8 where each takes one byte, else uint16.

    Data longer than the descriptor says is cut; shorter data gives a shorter table. Raises PixelDecodeError where
    there is no entry.
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
    """Expand a segmented table (PS3.3 C.7.9.2) to uint8 or uint16, at most as many entries as the descriptor says."""
    count, _, bits = _descriptor(descriptor, 0)
    if not 1 <= bits <= 16:
        raise PixelDecodeError(f"a segmented look-up table's entries have 8 or 16 bits, not {bits}")
    width = 1 if bits <= 8 else 2
    words = _words(data, width, big_endian).astype(np.uint16)
    entries = np.empty(count, np.uint16)
    written = kernels.expand_segments(words, width, entries)
    if not written:
        raise PixelDecodeError("a segmented look-up table without entries")
    return entries[:written].astype(f"u{width}")
