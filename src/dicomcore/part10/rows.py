"""scan: the element index itself, as a NumPy structured array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dicomcore.encoding.sources import Source
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.reader import open_source

__all__ = ["ROW", "scan"]

# The native Row (_native/scan/scan.pxd), field for field.
ROW = np.dtype(
    [
        ("tag", "=u4"),
        ("VR", "S2"),
        ("header", "u1"),
        ("flags", "u1"),
        ("offset", "=u8"),
        ("length", "=u8"),
        ("parent", "=i4"),
        ("next", "=u4"),
    ]
)


def scan(src: Source, *, force: bool = False, limits: Limits | None = None) -> NDArray[np.void]:
    """The index of `src` (as dcmread() takes it): one row an element, item or fragment, in the order of the bytes.

    The rows are the index's own memory, read-only, with these fields: ``tag`` (group << 16 | element), ``VR`` (as the
    file states it; in implicit VR the dictionary's, "xs", "ox", "xo", "lt" where that leaves a choice; empty where
    unknown), ``header`` (bytes before the value), ``flags`` (1 implicit VR, 2 big endian, 4 undefined length, 8 a
    wrong length field, 16 has rows inside it, 32 those are fragments), ``offset`` and ``length`` of the value in bytes
    from the source's start (of the inflated data set), ``parent`` (row of the item or sequence around it, -1 at the
    top) and ``next`` (first row behind it and all that it contains). File meta information comes first.
    """
    index = open_source(src, limits=DEFAULT_LIMITS if limits is None else limits, force=force, whole=True)
    return np.frombuffer(index, ROW)
