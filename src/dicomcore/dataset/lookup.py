"""Attributes with a type that the caller can rely on: a damaged file may give any attribute any VR and value."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from dicomcore.arrays import np
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import is_in_big_endian

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "first_item",
    "float_array",
    "integers_of",
    "interpretation_of",
    "is_big_endian",
    "item_at",
    "items_of",
    "number_of",
    "term_of",
    "text_of",
    "texts_of",
]


def items_of(data_set: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty if the attribute is missing or not a sequence."""
    value = data_set.get(keyword)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, Dataset)]


def item_at(data_set: Dataset, keyword: str, place: int) -> Dataset | None:
    """The item of a sequence at position `place`, counted from 0; None if the sequence does not reach so far."""
    value = data_set.get(keyword)
    item = value[place] if isinstance(value, list) and 0 <= place < len(value) else None
    return item if isinstance(item, Dataset) else None


def first_item(data_set: Dataset, keyword: str) -> Dataset | None:
    """The first item of a sequence; None if the sequence is missing or empty."""
    return item_at(data_set, keyword, 0)


def is_big_endian(place: Any, key: str | int, data_set: Any) -> bool:
    """Whether the words of an element's bytes are in big endian.

    `data_set` answers for elements that were set and for elements of pydicom. Words of a UN are in little endian,
    whatever its data set is in (PS3.5 6.2.2).
    """
    element = place[key]
    own = is_in_big_endian(element) if isinstance(element, DataElement) else None
    return data_set.is_little_endian is False if own is None else bool(own)


def interpretation_of(data_set: Any) -> str:
    """Photometric Interpretation, in capital letters whatever its writer wrote; empty if it is missing."""
    return str(data_set.get("PhotometricInterpretation") or "").strip(" \0").upper()


def text_of(data_set: Dataset, keyword: str) -> str | None:
    """The text of an attribute, with several values joined by backslashes as in a file; None if it has no text."""
    value = data_set.get(keyword)
    if isinstance(value, list):
        return "\\".join(value) if all(isinstance(text, str) for text in value) else None
    return value if isinstance(value, str) else None


def term_of(data_set: Any, keyword: str) -> str:
    """The text of a CS attribute in capital letters, whatever its writer wrote; empty if it has no text."""
    return (text_of(data_set, keyword) or "").strip(" \0").upper()


def texts_of(data_set: Dataset, keyword: str) -> tuple[str, ...]:
    """All texts of an attribute that are not empty."""
    value = data_set.get(keyword)
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in values if isinstance(text, str) and text)


def number_of(data_set: Dataset, keyword: str, default: Any = None) -> Any:
    """The first value of an attribute if it is a finite number, else `default`."""
    value = data_set.get(keyword)
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, (int, float)) and isfinite(value) else default


def integers_of(data_set: Dataset, keyword: str) -> tuple[int, ...]:
    """All values of an attribute if they are integers; else, and if it is missing, an empty tuple."""
    value = data_set.get(keyword)
    values = value if isinstance(value, list) else [value]
    return tuple(values) if all(isinstance(number, int) for number in values) else ()


def float_array(data_set: Dataset, keyword: str) -> NDArray[Any] | None:
    """The numbers of an attribute, (n,), in the dtype of its VR; None if it is missing or not numeric."""
    array = data_set[keyword].array if keyword in data_set else None
    return None if array is None or array.dtype.kind not in "fiu" else np.asarray(array)
