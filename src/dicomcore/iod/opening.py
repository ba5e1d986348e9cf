"""The index of what is checked: a file as it is, a data set with its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomcore.dataset import Dataset
from dicomcore.dataset.state import file_index, has_own_items, index_of, is_changed, state_of
from dicomcore.encoding import decode, encode
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.part10.reader import open_source
from dicomcore.uids import ExplicitVRLittleEndian

if TYPE_CHECKING:
    from dicomcore._native.scan.index import Index
    from dicomcore.encoding.sources import Source

__all__ = ["index_for", "written_index"]


def index_for(src: Source | Dataset, limits: Limits | None = None) -> Index:
    """The index of a source or a data set.

    A data set that was made or changed in memory is encoded and read again, without file meta information: that is
    made to agree with it when it is written.
    """
    limits = DEFAULT_LIMITS if limits is None else limits
    if not isinstance(src, Dataset):
        return open_source(src, limits=limits)
    index = file_index(src)
    if index is not None and not _is_changed(src):
        return index
    return written_index(src, limits)


def written_index(ds: Dataset, limits: Limits | None = None) -> Index:
    """The index of a data set as it would be written, without file meta information."""
    syntax = str(ds.transfer_syntax or ExplicitVRLittleEndian)
    made = index_of(decode(encode(ds, syntax), syntax, limits=DEFAULT_LIMITS if limits is None else limits))
    assert made is not None
    return made


def _is_changed(ds: Dataset) -> bool:
    """Whether a file's data set is no longer what its index has."""
    state = state_of(ds)
    return (
        state.wanted is not None
        or state.is_header
        or any(
            one is None or is_changed(one) or (one.VR == "SQ" and not has_own_items(one))
            for one in (state.changed or {}).values()
        )
    )
