"""scan: the index of a data set as a NumPy structured array."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from dicomcore.arrays import np
from dicomcore.encoding.sources import Source
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.reader import open_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dicomcore._native.scan.index import Index

__all__ = ["rows_of", "scan"]


@cache
def row() -> np.dtype[np.void]:
    """The same fields in the same order as the native Row (_native/scan/scan.pxd)."""
    return np.dtype(
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


def rows_of(index: Index) -> NDArray[np.void]:
    """The rows of an index, as a read-only view of its memory."""
    rows = np.frombuffer(index, row())
    return rows if sys.byteorder == "little" else _with_letters(rows)


def _with_letters(rows: NDArray[np.void]) -> NDArray[np.void]:
    """A copy with the letters of each VR in their order: native code has the first one in the low byte of a word."""
    made = rows.copy()
    letters = np.ascontiguousarray(rows["VR"]).view(np.uint8).reshape(-1, 2)
    made["VR"] = np.ascontiguousarray(letters[:, ::-1]).view("S2").reshape(-1)
    made.flags.writeable = False
    return made


def scan(src: Source, *, force: bool = False, limits: Limits | None = None) -> NDArray[np.void]:
    """The index of `src`, a source as for `dcmread`: one row per element, item or fragment, in the order of the bytes.

    The rows of the file meta information come first. The array is read only; on little-endian machines it is a view of
    the index's memory. Its fields are:

    - ``tag``: group << 16 | element.
    - ``VR``: the VR that the file states; in implicit VR the dictionary's, or "xs", "ox", "xo", "lt" where the
      dictionary leaves a choice; empty if unknown.
    - ``header``: bytes before the value.
    - ``flags``: sum of 1 (implicit VR), 2 (big endian), 4 (undefined length), 8 (a wrong length field), 16 (contains
      rows) and 32 (these rows are fragments).
    - ``offset``: first byte of the value, from the start of the source; in a deflated data set, from the start of the
      inflated bytes.
    - ``length``: bytes of the value.
    - ``parent``: row of the item or sequence that contains this row; -1 at the top level.
    - ``next``: first row behind this row and all rows that it contains.
    """
    return rows_of(open_source(src, limits=DEFAULT_LIMITS if limits is None else limits, force=force, whole=True))
