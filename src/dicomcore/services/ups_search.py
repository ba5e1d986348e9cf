"""Search for unified procedure steps: the values that are matched, and what an answer has of a step (PS3.4 CC.2.8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomcore.catalogue.matching import Term
from dicomcore.catalogue.zones import ZONE, has_moments, known_offset
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, text_of

__all__ = ["answer", "keys_of"]

NEVER = frozenset({0x00081195})  # Transaction UID: the lock of a step
SKIPPED = frozenset({0x00080005, 0x00080052, 0x00080201}) | NEVER


def keys_of(ds: Dataset) -> dict[str, Any]:
    """Values by keyword as matching takes them: texts, several joined by backslashes, and items as lists."""
    row: dict[str, Any] = {}
    for element in ds:
        if not element.keyword or element.tag in NEVER:
            continue
        if element.VR == "SQ":
            row[element.keyword] = [keys_of(item) for item in items_of(ds, element.keyword)]
            continue
        value = element.value
        values = value if isinstance(value, list) else [value]
        if not any(isinstance(one, bytes | memoryview) for one in values):
            row[element.keyword] = "\\".join("" if one is None else str(one) for one in values)
    return row


def answer(asked: Dataset, step: Dataset, terms: Iterable[Term] = ()) -> Dataset:
    """What was asked for of a step, at every level; what it lacks is empty. It says the offset of its times.

    Of sequences there are the items that match the `terms` of the query (PS3.4 C.2.2.2.6).
    """
    made = _answer(asked, step, terms)
    zone = known_offset(text_of(step, ZONE))
    if zone and has_moments(asked):
        made.TimezoneOffsetFromUTC = zone
    return made


def _answer(asked: Dataset, step: Dataset, terms: Iterable[Term]) -> Dataset:
    made, wanted = Dataset(), {term.keyword: term.inner for term in terms if term.kind == "items"}
    if "SpecificCharacterSet" in step:
        made.SpecificCharacterSet = step.SpecificCharacterSet
    for element in asked:
        tag = element.tag
        if tag in SKIPPED or tag.group in (0, 2):
            continue
        if element.VR != "SQ":
            made.add_new(tag, element.VR, step[tag].value if tag in step else None)
            continue
        inner = element.value[0] if element.value else None
        below = wanted.get(element.keyword, ())
        rows = ((one, keys_of(one)) for one in items_of(step, element.keyword))
        found = [one for one, row in rows if all(term.is_matched_by(row) for term in below)]
        made.add_new(tag, "SQ", [_answer(inner, one, below) if inner else one.copy() for one in found])
    return made
