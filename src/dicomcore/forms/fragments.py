"""Encapsulated pixel data in single fragments: `DataFragment` of dcm4che's JSON and XML, which PS3.18 Annex F and
PS3.19 Annex A don't know."""

from __future__ import annotations

import struct
from collections.abc import Iterable

__all__ = ["joined"]


def joined(fragments: Iterable[bytes]) -> bytes:
    """The value of encapsulated pixel data: an item for each fragment, the Basic Offset Table's first (PS3.5 A.4)."""
    return b"".join(
        struct.pack("<HHI", 0xFFFE, 0xE000, len(one) + len(one) % 2) + one + b"\0" * (len(one) % 2) for one in fragments
    )
