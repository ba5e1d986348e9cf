"""Encapsulated pixel data from single fragments: `DataFragment`, which dcm4che writes into JSON and XML although PS3.18
Annex F and PS3.19 Annex A do not have it."""

from __future__ import annotations

import struct
from collections.abc import Iterable

__all__ = ["joined"]


def joined(fragments: Iterable[bytes]) -> bytes:
    """Build the value of encapsulated pixel data: an item per fragment, the Basic Offset Table first (PS3.5 A.4)."""
    return b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, len(data) + len(data) % 2) + data + b"\0" * (len(data) % 2)
        for data in fragments
    )
