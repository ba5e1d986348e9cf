"""Overlay planes, stored in Overlay Data or in an unused bit of each sample (PS3.3 C.9.2, PS3.5 8.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.base import swap
from dicomcore._native.pixels import unpack
from dicomcore.dataset.lookup import is_big_endian, number_of
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.notes import Note
from dicomcore.pixels.native_frames import MOST_MISSING

__all__ = ["Overlay", "draw_overlays", "embedded_bit", "little_endian", "put_overlay_data", "read_overlays"]

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
    """The frame of the image, from 0, that the overlay's first frame belongs to."""
    origin: tuple[int, int]
    """Row and column of the image, from 1, of the overlay's first bit; may be 0 or less."""
    kind: str
    """G graphics, R region of interest."""
    label: str
    description: str
    _source: Any
    _bit: int | None
    _every: bool = False

    @property
    def embedded(self) -> bool:
        """Whether the overlay is stored in an unused bit of the samples."""
        return self._bit is not None

    def frame_for(self, frame: int) -> int | None:
        """The overlay's frame that belongs to a frame of the image (both from 0); None where none does.

        An overlay with neither Number of Frames in Overlay nor Image Frame Origin belongs to all frames (C.9.2).
        """
        own = 0 if self._every else frame - self.first_frame
        return own if 0 <= own < self.frames else None

    def array(self, frame: int = 0) -> NDArray[np.uint8]:
        """The plane as 0 and 1, (rows, columns); raises IndexError past its last frame.

        Bits missing in Overlay Data are 0, reported as an issue of the data set; a missing frame raises
        PixelDecodeError.
        """
        if not 0 <= frame < self.frames:
            raise IndexError(f"frame {frame} of an overlay of {self.frames}")
        if self._bit is None:
            return self._unpacked(frame)
        plane = np.empty((self.rows, self.columns), np.uint8)
        words = self._source.decode(frame, raw=True)
        if words.shape != plane.shape:
            raise PixelDecodeError(f"overlay {self.group:04X} of {plane.shape} in a frame of {words.shape}")
        unpack.extract_bit(words.reshape(-1).view(np.uint8), plane.reshape(-1), words.itemsize, self._bit)
        return plane

    def _unpacked(self, frame: int) -> NDArray[np.uint8]:
        size = self.rows * self.columns
        start = frame * size
        present = min(8 * len(self._source) - start, size)
        if present <= 0 or size > MOST_MISSING * present + (1 << 20):  # refuses an implausible size
            raise PixelDecodeError(f"overlay {self.group:04X} has {len(self._source)} bytes, and no frame {frame}")
        plane = np.zeros((self.rows, self.columns), np.uint8)
        unpack.unpack_bits(self._source, plane.reshape(-1)[:present], start)
        return plane


def read_overlays(data_set: Any, frames: Any) -> tuple[Overlay, ...]:
    """Read the overlays of a data set; `frames` are its Frames, None where it has no pixel data."""
    overlays = (_read(data_set, group, frames) for group in GROUPS)
    return tuple(overlay for overlay in overlays if overlay is not None)


def draw_overlays(picture: NDArray[np.uint8], overlays: tuple[Overlay, ...], frame: int) -> NDArray[np.uint8]:
    """Draw a frame's (from 0) overlays in white over its picture, in place; parts outside the picture are cut off.

    Returns the picture, or a copy where it is read-only.
    """
    picture = picture if picture.flags.writeable else picture.copy()
    for overlay in overlays:
        own = overlay.frame_for(frame)
        if own is None:
            continue
        top, left = overlay.origin[0] - 1, overlay.origin[1] - 1
        plane = overlay.array(own)[max(-top, 0) :, max(-left, 0) :]
        place = picture[max(top, 0) :, max(left, 0) :]
        drawn = plane[: place.shape[0], : place.shape[1]].view(np.bool_)
        place[: drawn.shape[0], : drawn.shape[1]][drawn] = 255
    return picture


def embedded_bit(data_set: Any, group: int) -> int | None:
    """The bit of each sample's word that stores an overlay; None where it has Overlay Data, or no valid bit position.

    Only a bit that the samples leave unused can store an overlay (PS3.5 8.1.2).
    """
    if _number(data_set, group, BITS_ALLOCATED, 1) <= 1 or _value(data_set, group, DATA):
        return None
    bit = _number(data_set, group, BIT_POSITION, -1)
    allocated = int(number_of(data_set, "BitsAllocated", 0))
    stored = int(number_of(data_set, "BitsStored", allocated))
    stored = stored if 0 < stored <= allocated else allocated
    high = int(number_of(data_set, "HighBit", stored - 1))
    if not stored - 1 <= high < allocated:
        high = stored - 1
    return bit if 0 <= bit <= high - stored or high < bit < allocated else None


def _value(data_set: Any, group: int, element: int, default: Any = None) -> Any:
    value = data_set.get(group << 16 | element)
    value = getattr(value, "value", value)
    return default if value is None else value


def _number(data_set: Any, group: int, element: int, default: int) -> int:
    value = _value(data_set, group, element)
    return int(value) if isinstance(value, (int, float)) else default


def _read(data_set: Any, group: int, frames: Any) -> Overlay | None:
    rows, columns = _number(data_set, group, ROWS, 0), _number(data_set, group, COLUMNS, 0)
    if rows <= 0 or columns <= 0:
        return None
    data, source = _value(data_set, group, DATA), frames
    bit = None if frames is None else embedded_bit(data_set, group)
    if bit is not None and bit >= _bits_carried(frames):
        bit = None
    count = max(_number(data_set, group, FRAMES, 1), 1)
    if data and isinstance(data, (bytes, bytearray, memoryview)):
        source = little_endian(data, data_set, group << 16 | DATA)
        if frames is not None and 8 * len(source) < rows * columns * count:
            due = -(-rows * columns * count // 8)
            said = f"overlay {group:04X} takes {due} bytes of Overlay Data, and has {len(source)}"
            frames.note(Note("overlay-length", said))
    elif bit is None:
        return None
    first = _number(data_set, group, FIRST_FRAME, 0)
    origin = _value(data_set, group, ORIGIN, [1, 1])
    return Overlay(
        group=group,
        rows=rows,
        columns=columns,
        frames=count if bit is None else len(frames),
        first_frame=max(first, 1) - 1 if bit is None else 0,
        origin=(int(origin[0]), int(origin[1])) if isinstance(origin, list) and len(origin) == 2 else (1, 1),
        kind=str(_value(data_set, group, KIND, "")).strip(),
        label=str(_value(data_set, group, LABEL, "")),
        description=str(_value(data_set, group, DESCRIPTION, "")),
        _source=source,
        _bit=bit,
        _every=bit is None and not first and _number(data_set, group, FRAMES, 0) < 1,
    )


def _bits_carried(frames: Any) -> int:
    """Bits in each decoded word that come from the file; a codestream may have the samples' bits only."""
    width = 8 * int(frames.dtype.itemsize)
    if not frames.is_encapsulated:
        return width
    try:
        info = frames.decoded(0).info
    except DicomError:
        return width  # raised again when the overlay is read
    return width if info is None or info.precision is None else min(width, info.precision)


def put_overlay_data(data_set: Any, tag: int, data: bytes) -> None:
    """Set Overlay Data, given in little endian, in the byte order of the data set."""
    padded = data + b"\0" * (len(data) % 2)
    data_set.add_new(tag, "OW", padded)
    data_set.add_new(tag, "OW", little_endian(padded, data_set, tag))  # swapped where the element is in big endian


def little_endian(data: bytes | bytearray | memoryview, data_set: Any, tag: int) -> bytes | bytearray | memoryview:
    """Overlay Data in little endian: big-endian OW has its bytes swapped in pairs."""
    if data_set[tag].VR != "OW" or not is_big_endian(data_set, tag, data_set) or len(data) % 2:
        return data
    swapped = bytearray(len(data))
    swap.swap_words(data, swapped, 2)
    return bytes(swapped)
