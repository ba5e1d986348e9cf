"""Overlays in unused bits of samples, moved to Overlay Data, as encoders keep only Bits Stored bits (PS3.5 8.1.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import unpack
from dicomcore.dataset import Dataset
from dicomcore.pixels.overlays import (
    BIT_POSITION,
    BITS_ALLOCATED,
    DATA,
    FIRST_FRAME,
    FRAMES,
    GROUPS,
    embedded_bit,
    put_overlay_data,
)
from dicomcore.pixels.packing import packed_bits

__all__ = ["EmbeddedOverlays"]


class EmbeddedOverlays:
    """The overlay planes that frames have in a bit of each sample; `take` may be called on several threads."""

    def __init__(self, data_set: Any, bits_allocated: int) -> None:
        bits = {group: embedded_bit(data_set, group) for group in GROUPS}
        self._bits = {group: bit for group, bit in bits.items() if bit is not None and bit < bits_allocated}
        self._planes: dict[tuple[int, int], bytes | NDArray[Any]] = {}

    def __bool__(self) -> bool:
        return bool(self._bits)

    def take(self, place: int, samples: NDArray[Any]) -> None:
        """Extract the planes from the samples of the frame that will be number `place` in the new file."""
        for group, bit in self._bits.items():
            plane = np.empty(samples.size, np.uint8)
            unpack.extract_bit(samples.reshape(-1).view(np.uint8), plane, samples.itemsize, bit)
            # Planes follow each other without padding, so only a plane of whole bytes can be packed separately.
            self._planes[group, place] = packed_bits(plane) if plane.size % 8 == 0 else plane

    def put(self, header: Dataset, frames: int) -> None:
        """Put the planes into Overlay Data, with the attributes that describe them."""
        for group in self._bits:
            planes = [self._planes[group, place] for place in range(frames)]
            if all(isinstance(plane, bytes) for plane in planes):
                data = b"".join(bytes(plane) for plane in planes)
            else:
                data = packed_bits(np.concatenate(planes))  # type: ignore[arg-type]
            header.add_new(group << 16 | BITS_ALLOCATED, "US", 1)
            header.add_new(group << 16 | BIT_POSITION, "US", 0)
            if frames > 1:
                header.add_new(group << 16 | FRAMES, "IS", frames)
                header.add_new(group << 16 | FIRST_FRAME, "US", 1)
            put_overlay_data(header, group << 16 | DATA, data)
