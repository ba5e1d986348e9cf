"""The index of what is checked: a file as it is, a data set with its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomcore._native.scan.opener import open_data_set
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import state_of
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
        return open_source(src, limits=limits, force=True)
    state = state_of(src)
    if state.index is not None and not state.changed and state.wanted is None and state.row < 0 and not state.is_header:
        return state.index
    return _encoded(src, limits)


def _encoded(ds: Dataset, limits: Limits) -> Index:
    """The index of a data set as a file, or as a bare data set if it has no file meta information."""
    if ds.file_meta:
        return open_source(to_bytes(ds, enforce_standard=False), limits=limits, force=True)
    syntax = str(ds.transfer_syntax or ExplicitVRLittleEndian)
    return inflated(open_data_set(encode(ds, syntax), syntax, limits=limits), limits)
