"""Attributes as the rooms above data sets want them: of a kind, or not at all, whatever a damaged file has there."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import is_in_big_endian

__all__ = [
    "first_item",
    "float_array",
    "integers_of",
    "is_big_endian",
    "item_at",
    "items_of",
    "number_of",
    "text_of",
    "texts_of",
]


def items_of(data_set: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty where there is none."""
    value = data_set.get(keyword)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def item_at(data_set: Dataset, keyword: str, place: int) -> Dataset | None:
    """The item of a sequence that stands at `place`, counted from 0; None where the sequence has no such item."""
    value = data_set.get(keyword)
    item = value[place] if isinstance(value, list) and 0 <= place < len(value) else None
    return item if isinstance(item, Dataset) else None


def first_item(data_set: Dataset, keyword: str) -> Dataset | None:
    """The first item of a sequence, None where there is none."""
    return item_at(data_set, keyword, 0)


def is_big_endian(place: Any, key: str | int, data_set: Any) -> bool:
    """Whether the words of an element's bytes are in big endian; `data_set` tells of what was set, and of pydicom's.

    A UN's are not, whatever its data set is in (PS3.5 6.2.2).
    """
    element = place[key]
    own = is_in_big_endian(element) if isinstance(element, DataElement) else None
    return data_set.is_little_endian is False if own is None else bool(own)


def text_of(data_set: Dataset, keyword: str) -> str | None:
    """A text, several joined by backslashes as they stand in the file; None where there is none, or no text."""
    value = data_set.get(keyword)
    if isinstance(value, list):
        return "\\".join(value) if all(isinstance(one, str) for one in value) else None
    return value if isinstance(value, str) else None


def texts_of(data_set: Dataset, keyword: str) -> tuple[str, ...]:
    """Every value of a text."""
    value = data_set.get(keyword)
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str) and one)


def number_of(data_set: Dataset, keyword: str, default: Any = None) -> Any:
    """A finite number, the first of several; `default` where there is none."""
    value = data_set.get(keyword)
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, (int, float)) and isfinite(value) else default


def integers_of(data_set: Dataset, keyword: str) -> tuple[int, ...]:
    """Every value of an attribute of integers; empty where there is none, or it has others."""
    value = data_set.get(keyword)
    values = value if isinstance(value, list) else [value]
    return tuple(values) if all(isinstance(one, int) for one in values) else ()


def float_array(data_set: Dataset, keyword: str) -> NDArray[Any] | None:
    """The numbers of an attribute, (n,), in the dtype of its VR; None where there is none, or no numbers."""
    array = data_set[keyword].array if keyword in data_set else None
    return None if array is None or array.dtype.kind not in "fiu" else np.asarray(array)
