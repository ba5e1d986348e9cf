"""Overlay planes: bits of their own, or one unused bit of each sample (PS3.3 C.9.2, PS3.5 8.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native import swap, unpack
from dicomcore.errors import PixelDecodeError
from dicomcore.lookup import is_big_endian

__all__ = ["Overlay", "read_overlays"]

GROUPS = range(0x6000, 0x6020, 2)
ROWS, COLUMNS, FRAMES, KIND, ORIGIN, FIRST_FRAME = 0x10, 0x11, 0x15, 0x40, 0x50, 0x51
DESCRIPTION, LABEL, BITS_ALLOCATED, BIT_POSITION, DATA = 0x22, 0x1500, 0x100, 0x102, 0x3000


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """One overlay plane."""

    group: int
    """6000H to 601EH."""
    rows: int
    columns: int
    frames: int
    first_frame: int
    """Frame of the image, from 0, that the overlay's first one belongs to."""
    origin: tuple[int, int]
    """Row and column of the image, from 1, where its first bit lies; may be 0 or less."""
    kind: str
    """G graphics, R region of interest."""
    label: str
    description: str
    _source: Any
    _bit: int | None

    @property
    def embedded(self) -> bool:
        """Whether it stands in an unused bit of the samples."""
        return self._bit is not None

    def array(self, frame: int = 0) -> NDArray[np.uint8]:
        """The plane as 0 and 1, (rows, columns); raises IndexError past its last frame."""
        if not 0 <= frame < self.frames:
            raise IndexError(f"frame {frame} of an overlay of {self.frames}")
        plane = np.empty((self.rows, self.columns), np.uint8)
        if self._bit is None:
            start = frame * plane.size
            if 8 * len(self._source) - start < plane.size:
                raise PixelDecodeError(f"overlay {self.group:04X} has {len(self._source)} bytes, and no frame {frame}")
            unpack.unpack_bits(self._source, plane.reshape(-1), start)
            return plane
        words = self._source.decode(frame, raw=True)
        if words.shape != plane.shape:
            raise PixelDecodeError(f"overlay {self.group:04X} of {plane.shape} in a frame of {words.shape}")
        unpack.extract_bit(words.reshape(-1).view(np.uint8), plane.reshape(-1), words.itemsize, self._bit)
        return plane


def read_overlays(data_set: Any, frames: Any) -> tuple[Overlay, ...]:
    """The overlays of a data set; `frames` are its Frames, None where it has none."""
    found = (_read(data_set, group, frames) for group in GROUPS)
    return tuple(overlay for overlay in found if overlay is not None)


def _read(data_set: Any, group: int, frames: Any) -> Overlay | None:
    def value(element: int, default: Any = None) -> Any:
        held = data_set.get(group << 16 | element)
        held = getattr(held, "value", held)
        return default if held is None else held

    rows, columns = value(ROWS), value(COLUMNS)
    if not rows or not columns:
        return None
    data, bit, source = value(DATA), None, None
    if data:
        tag = group << 16 | DATA
        source = _little_endian(data, data_set[tag].VR, data_set) if is_big_endian(data_set, tag, data_set) else data
    elif frames is not None and value(BITS_ALLOCATED, 1) > 1:
        bit, source = int(value(BIT_POSITION, 0)), frames
        if not 0 <= bit < 8 * frames.dtype.itemsize:
            return None
    else:
        return None
    origin = value(ORIGIN, [1, 1])
    return Overlay(
        group=group,
        rows=int(rows),
        columns=int(columns),
        frames=len(frames) if bit is not None else max(int(value(FRAMES, 1)), 1),
        first_frame=max(int(value(FIRST_FRAME, 1)), 1) - 1,
        origin=(int(origin[0]), int(origin[1])) if isinstance(origin, list) and len(origin) == 2 else (1, 1),
        kind=str(value(KIND, "")).strip(),
        label=str(value(LABEL, "")),
        description=str(value(DESCRIPTION, "")),
        _source=source,
        _bit=bit,
    )


def _little_endian(data: bytes, vr: str, data_set: Any) -> bytes:
    """Overlay Data as OW in big endian has its bytes in pairs."""
    if vr != "OW" or data_set.is_little_endian is not False or len(data) % 2:
        return data
    swapped = bytearray(len(data))
    swap.swap_words(data, swapped, 2)
    return bytes(swapped)
