"""Keeping files of instances: names that no sender can choose, and whether two files hold the same."""

from __future__ import annotations

import hashlib
import os
import re

from dicomcore._native.scan.index import Index
from dicomcore.dataset.state import file_index
from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

__all__ = ["safe_name", "same_data_set"]

UID = re.compile(r"[0-9](?:[0-9.]{0,62}[0-9])?")
CHUNK = 1 << 20


def safe_name(uid: str) -> str:
    """A name for a path: the UID itself if it is made like one, else a hash. What a peer sends never is a path."""
    if UID.fullmatch(uid) and ".." not in uid:
        return uid
    return "x-" + hashlib.sha256(uid.encode("utf-8", "surrogateescape")).hexdigest()[:40]


def same_data_set(
    one: str | os.PathLike[str],
    other: str | os.PathLike[str],
    limits: Limits | None = None,
    *,
    body: int | None = None,
) -> bool:
    """Whether two files have the same data set, byte for byte, in the same transfer syntax.

    `body` is where that of `other` begins, if the caller knows it.
    """
    try:
        first, second = (file_index(dcmread(path, stop_before_pixels=True, limits=limits)) for path in (one, other))
        if first is None or second is None or first.transfer_syntax != second.transfer_syntax:
            return False
        with open(one, "rb") as kept, open(other, "rb") as came:
            kept.seek(_begin_of(first))
            came.seek(_begin_of(second) if body is None else body)
            while True:
                some, more = kept.read(CHUNK), came.read(CHUNK)
                if some != more:
                    return False
                if not some:
                    return True
    except (DicomError, OSError):
        return False


def _begin_of(index: Index) -> int:
    return int(index.packed_at if index.inflated else index.body)
