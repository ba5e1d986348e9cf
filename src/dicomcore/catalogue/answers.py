"""Rows of a catalogue as identifiers: what a query asks for, in a character set that holds it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomcore.catalogue.attributes import KEYS, LEVELS
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dictionary import dictionary_VR, keyword_for_tag, tag_for_keyword

__all__ = ["identifier"]

UTF_8 = "ISO_IR 192"
SKIPPED = frozenset({0x00080005, 0x00080052, 0x00080201})


def identifier(row: dict[str, Any], asked: Dataset, level: str, **extra: str) -> Dataset:
    """The identifier of a match: the keys that were asked for, those that are not kept empty, and the unique keys.

    Text beyond ASCII is in UTF-8, unless the request was in a single-byte set that holds it.
    """
    made = Dataset()
    names = [name for name in (KEYS[one] for one in LEVELS[: LEVELS.index(level) + 1]) if name in row]
    wanted = {int(element.tag): element for element in asked if int(element.tag) not in SKIPPED}
    for name in names:
        tag = tag_for_keyword(name)
        assert tag is not None
        wanted.setdefault(int(tag), None)  # type: ignore[arg-type]
    for tag in sorted(wanted):
        keyword = keyword_for_tag(tag)
        value = row.get(keyword) if keyword else None
        if isinstance(value, list):
            made.add_new(tag, "SQ", [_item(one) for one in value])
        elif keyword:
            vr = dictionary_VR(tag)
            made.add(DataElement(tag, vr, _value(vr, value)))
    made.QueryRetrieveLevel = level
    for name, value in extra.items():
        setattr(made, name, value)
    if not all(text.isascii() for text in _texts(row.values())):
        made.SpecificCharacterSet = UTF_8
    return made


def _item(values: dict[str, Any]) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is not None:
            vr = dictionary_VR(tag)
            item.add(DataElement(tag, vr, _value(vr, value)))
    return item


def _value(vr: str, value: Any) -> Any:
    if value is None or value == "":
        return [] if vr == "SQ" else None
    if vr in ("US", "SS", "UL", "SL"):
        return int(value)
    return str(value).split("\\") if isinstance(value, str) and "\\" in value else str(value)


def _texts(values: Iterable[Any]) -> Iterable[str]:
    for value in values:
        if isinstance(value, list):
            for item in value:
                yield from map(str, item.values())
        else:
            yield str(value)
