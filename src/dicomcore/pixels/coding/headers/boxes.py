"""The boxes around the codestream of a JP2 or JPEG XL file (ISO 15444-1 Annex I)."""

from __future__ import annotations

from dicomcore.errors import PixelDecodeError

__all__ = ["find_box"]

MAX_BOXES = 1024


def find_box(data: memoryview, kind: bytes, at: int) -> tuple[int, int]:
    """Find the first top-level box of a kind, from offset `at` on; returns start and stop of its contents.

    A box that claims more bytes than present stops at the end. Raises PixelDecodeError where there is no such box.
    """
    for _ in range(MAX_BOXES):
        if at + 8 > len(data):
            break
        length, head = int.from_bytes(data[at : at + 4], "big"), 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif length == 0:  # to the end
            length = len(data) - at
        if length < head:
            break
        if data[at + 4 : at + 8] == kind and at + head <= len(data):
            return at + head, min(at + length, len(data))
        at += length
    at = min(at, len(data))
    raise PixelDecodeError(f"no {kind.decode('ascii')} box, at byte {at}", offset=at)
