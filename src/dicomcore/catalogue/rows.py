"""Rows: the values of a data set by name, as queries match them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomcore.catalogue.matching import Term
from dicomcore.catalogue.naming import element_named, name_of
from dicomcore.dataset import DataElement, Dataset

__all__ = ["merged", "named_values", "row_of", "value_of"]

DEEPEST = 16  # sequences in each other
LONGEST = 1 << 16  # bytes of a value that is matched
BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def row_of(ds: Dataset, depth: int = 0) -> dict[str, Any]:
    """All values of a data set by name: texts, several joined by backslashes, and of a sequence a list of rows."""
    row: dict[str, Any] = {}
    for element in ds:
        if not element.tag.is_private_creator:
            row[name_of(ds, element)] = _value(element, depth)
    return row


def _value(element: DataElement, depth: int) -> Any:
    if element.VR == "SQ":
        items = element.value if isinstance(element.value, list) and depth < DEEPEST else []
        return [row_of(item, depth + 1) for item in items]
    return value_of(element)


def value_of(element: DataElement) -> str:
    """The text of a value, several joined by backslashes; "" for none, and for bytes."""
    if element.VR in BINARY or (element.length or 0) > LONGEST:
        return ""
    value = element.value
    if value is None:
        return ""
    if isinstance(value, list):
        return "\\".join("" if one is None else str(one) for one in value)
    return "" if isinstance(value, bytes) else str(value)


def named_values(ds: Dataset, terms: Iterable[Term], asked: Dataset | None) -> dict[str, Any]:
    """The values of a data set that terms look at, and those that are asked for."""
    names = {term.keyword for term in terms} | {term.time for term in terms if term.time}
    if asked is not None:
        names |= {name_of(asked, element) for element in asked if not element.tag.is_private_creator}
    found = ((name, element_named(ds, name)) for name in names)
    return {name: _value(element, 0) for name, element in found if element is not None}


def merged(row: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A row with what it lacks from another."""
    return {**more, **{name: value for name, value in row.items() if name not in more or value not in (None, "", [])}}
