"""Overlay planes without the text that is drawn in them (PS3.15 E.3.3, Clean Graphics)."""

from __future__ import annotations

import numpy as np

from dicomcore.deid.pixels.detect import text_boxes

__all__ = ["clean_planes"]

ROUNDS = 3
"""Times that a plane is looked at again."""


def clean_planes(data: bytes, rows: int, columns: int, planes: int) -> bytes | None:
    """Overlay Data (PS3.3 C.9.2) with the bits of text cleared; None if it is not as long as the planes are.

    The first bit is the lowest one of the first byte, and planes follow each other without padding.
    """
    size = rows * columns * planes
    if rows <= 0 or columns <= 0 or planes <= 0 or (size + 7) // 8 > len(data) or len(data) > (size + 7) // 8 + 1:
        return None
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    bits[size:] = 0
    for plane in bits[:size].reshape(planes, rows, columns):
        for _ in range(ROUNDS):
            boxes = text_boxes(plane * np.uint8(255))
            for x, y, width, height in boxes:
                plane[y : y + height, x : x + width] = 0
            if not boxes:
                break
        else:
            plane[...] = 0
    return np.packbits(bits, bitorder="little").tobytes()
