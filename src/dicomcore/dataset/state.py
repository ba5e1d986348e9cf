"""The internal state of data sets for the packages above: the only access to the index behind a data set.

A data set is a view of an index's rows. Elements that were set or handed out take precedence over their rows. Other
packages ask these functions for index, rows and changes, so that they touch no private attribute of a data set or an
element.
"""

from __future__ import annotations

from dicomcore._native.scan.index import Index
from dicomcore._native.views.data_element import DataElement, Later, later_element, later_of
from dicomcore._native.views.state import (
    as_read,
    file_index,
    has_own_items,
    header_of,
    index_of,
    is_changed,
    is_in_big_endian,
    item_header,
    loose_bytes,
    put,
    recall_of,
    row_of,
    served,
    state_fields,
    touched,
)
from dicomcore.dataset.dataset import Dataset
from dicomcore.dataset.meta import DATA_SET, FILE_META, ensured_meta, meta_of, preamble_of
from dicomcore.issues import Issue

__all__ = [
    "DATA_SET",
    "FILE_META",
    "Later",
    "State",
    "as_read",
    "ensured_meta",
    "file_index",
    "has_own_items",
    "has_own_preamble",
    "header_of",
    "index_of",
    "is_changed",
    "is_in_big_endian",
    "item_header",
    "kept_meta",
    "later_element",
    "later_of",
    "loose_bytes",
    "meta_of",
    "note",
    "preamble_of",
    "put",
    "recall_of",
    "row_of",
    "served",
    "state_of",
    "touched",
]


class State:
    """The state of a data set."""

    __slots__ = ("changed", "index", "is_header", "row", "wanted")

    index: Index | None
    """None for a data set made in memory."""
    row: int
    """The row of an item in the index; DATA_SET, FILE_META or less for a data set that is not an item."""
    wanted: frozenset[int] | None
    """The tags that the caller asked the reader for; None for all."""
    changed: dict[int, DataElement | None] | None
    """Elements that were set or handed out, by tag, None for a deleted element; None if there never was one."""
    is_header: bool
    """Whether the data set ends before its pixel data, see `header_of`."""

    def __init__(
        self,
        index: Index | None,
        row: int,
        wanted: frozenset[int] | None,
        changed: dict[int, DataElement | None] | None,
        is_header: bool,
    ) -> None:
        self.index, self.row, self.wanted, self.changed, self.is_header = index, row, wanted, changed, is_header


def state_of(data_set: Dataset) -> State:
    """The state of a data set now; its `changed` is a copy."""
    return State(*state_fields(data_set))


def kept_meta(data_set: Dataset) -> Dataset | None:
    """File meta information that the caller read or set; None if not, so that it is still that of the source."""
    meta: Dataset | None = data_set._kept.get("file_meta")
    return meta


def has_own_preamble(data_set: Dataset) -> bool:
    """Whether the caller set a preamble, even to None."""
    return "preamble" in data_set._kept


def note(data_set: Dataset, issue: Issue) -> None:
    """Add an issue to a data set that has no source."""
    data_set._kept.setdefault("noted", []).append(issue)
