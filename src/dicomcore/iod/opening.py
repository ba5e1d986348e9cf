"""The index of what is checked: a file as it is, a data set with its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomcore._native.scan.opener import open_data_set
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import (
    file_index,
    has_own_items,
    index_of,
    is_changed,
    kept_meta,
    state_of,
    touched,
)
from dicomcore.encoding import encode
from dicomcore.encoding.inflate import inflated
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.reader import open_source
from dicomcore.part10.writer import to_bytes
from dicomcore.uids import ExplicitVRLittleEndian

if TYPE_CHECKING:
    from dicomcore._native.scan.index import Index
    from dicomcore.encoding.sources import Source

__all__ = ["index_for"]


def index_for(src: Source | Dataset, limits: Limits | None = None) -> Index:
    """The index of a source or a data set; one that was made or changed in memory is encoded and read again."""
    limits = DEFAULT_LIMITS if limits is None else limits
    if not isinstance(src, Dataset):
        return open_source(src, limits=limits)
    index = file_index(src)
    return _encoded(src, limits) if index is None or _is_changed(src) else index


def _is_changed(ds: Dataset) -> bool:
    """Whether a file's data set or its file meta information is no longer what the index has."""
    state, meta = state_of(ds), kept_meta(ds)
    if state.wanted is not None or state.is_header:
        return True
    return _has_changes(ds) or (meta is not None and (index_of(meta) is not state.index or _has_changes(meta)))


def _has_changes(ds: Dataset) -> bool:
    return any(
        one is None or is_changed(one) or (one.VR == "SQ" and not has_own_items(one)) for one in touched(ds).values()
    )


def _encoded(ds: Dataset, limits: Limits) -> Index:
    """The index of a data set as a file, or as a bare data set if it has no file meta information."""
    if ds.file_meta:
        return open_source(to_bytes(ds, enforce_standard=False), limits=limits, force=True)
    syntax = str(ds.transfer_syntax or ExplicitVRLittleEndian)
    return inflated(open_data_set(encode(ds, syntax), syntax, limits=limits), limits)
