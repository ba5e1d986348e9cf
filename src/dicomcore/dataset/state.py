"""The seam between data sets and the rooms above: the only way to what a data set stands on.

A data set is a view over the rows of an index, with the elements that were set or handed out laid over them. Rooms
above ask these functions for index, rows and changes; what is private in a data set or an element stays so.
"""

from __future__ import annotations

from dataclasses import dataclass

from dicomcore._native.scan.index import Index
from dicomcore._native.views.data_element import DataElement
from dicomcore._native.views.state import (
    as_read,
    file_index,
    header_of,
    index_of,
    is_changed,
    is_in_big_endian,
    loose_bytes,
    put,
    recall_of,
    row_of,
    state_fields,
    touched,
)
from dicomcore.dataset.dataset import DATA_SET, FILE_META, Dataset
from dicomcore.issues import Issue

__all__ = [
    "DATA_SET",
    "FILE_META",
    "State",
    "as_read",
    "file_index",
    "has_own_preamble",
    "header_of",
    "index_of",
    "is_changed",
    "is_in_big_endian",
    "kept_meta",
    "loose_bytes",
    "note",
    "put",
    "recall_of",
    "row_of",
    "state_of",
    "touched",
]


@dataclass(frozen=True, slots=True)
class State:
    """All that a data set stands on."""

    index: Index | None
    """None for one made in memory."""
    row: int
    """Row of an item in the index, or DATA_SET, FILE_META or less for what is no item."""
    wanted: frozenset[int] | None
    """The tags that the reader was asked for, None for all."""
    changed: dict[int, DataElement | None] | None
    """Elements that were set or handed out, by tag; None for one that was deleted. None where there never was any."""
    is_header: bool
    """Whether it ends before its pixel data, see `header_of`."""


def state_of(data_set: Dataset) -> State:
    """The state of a data set now; its `changed` is a copy."""
    return State(*state_fields(data_set))


def kept_meta(data_set: Dataset) -> Dataset | None:
    """File meta information that was asked for or set; None where nobody did, so that it is as the source has it."""
    found: Dataset | None = data_set._kept.get("file_meta")
    return found


def has_own_preamble(data_set: Dataset) -> bool:
    """Whether a preamble was set, None included."""
    return "preamble" in data_set._kept


def note(data_set: Dataset, issue: Issue) -> None:
    """Add to the issues of a data set that has no source."""
    data_set._kept.setdefault("noted", []).append(issue)
