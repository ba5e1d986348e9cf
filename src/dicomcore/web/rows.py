"""Rows of a catalogue as DICOM JSON (PS3.18 F.2): what most rows share is made once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from dicomcore.catalogue.naming import vr_of
from dicomcore.catalogue.zones import ZONE, known_offset
from dicomcore.dictionary import dictionary_VR, tag_for_keyword

__all__ = ["Rows", "attribute_json"]

REMEMBERED = 4096
SINGLE = frozenset({"LT", "ST", "UR", "UT"})  # a backslash is text (PS3.5 6.2)
WHOLE = frozenset({"IS", "SL", "SS", "SV", "UL", "US", "UV"})
REAL = frozenset({"DS", "FD", "FL"})
TYPED = WHOLE | REAL | {"PN"}
GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@lru_cache(maxsize=1024)
def _named(keyword: str) -> tuple[str, str]:
    """The key of an attribute with its colon, and its VR."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return f'"{int(tag):08X}":', dictionary_VR(tag)


def _value(vr: str, text: str) -> Any:
    """A value in JSON; a number that is none stays text (PS3.18 F.2.3)."""
    if vr == "PN":
        groups = text.split("=")
        return {name: group for name, group in zip(GROUPS, groups, strict=False) if group} or None
    if text == "":
        return None
    try:
        if vr in WHOLE:
            return int(text)
        if vr in REAL:
            number = float(text)
            return number if number - number == 0 else text
    except ValueError:
        pass
    return text


def attribute_json(keyword: str, value: Any) -> str:
    """An attribute as a member of its data set's object: ``"00080060":{"vr":"CS","Value":["CT"]}``."""
    key, vr = _named(keyword)
    return key + _attribute(vr, value)


def _attribute(vr: str, value: Any) -> str:
    if value is None or value == "" or value == []:
        return _encoded({"vr": vr})
    if isinstance(value, list):
        items = ",".join("{" + ",".join(_members(item)) + "}" for item in value)
        return f'{{"vr":"{vr}","Value":[{items}]}}'
    text = str(value)
    if vr not in TYPED and "\\" not in text:
        return f'{{"vr":"{vr}","Value":[{_encoded(text)}]}}'
    texts = [text] if vr in SINGLE else text.split("\\")
    return _encoded({"vr": vr, "Value": [_value(vr, one) for one in texts]})


def _members(item: Mapping[str, Any]) -> list[str]:
    known = sorted((int(tag), name) for name in item if (tag := tag_for_keyword(name)) is not None)
    return [attribute_json(name, item[name]) for _, name in known]


def _creator_json(name: str, tag: int) -> tuple[int, str]:
    """The creator of a private attribute: the tag of its element, and a member of an object."""
    at = tag & 0xFFFF0000 | (tag >> 8 & 0xFF)
    return at, f'"{at:08X}":' + _attribute("LO", name.partition(":")[2])


class Rows:
    """Makes JSON objects of rows.

    `keywords` are the attributes that each has, in the order of their tags; `private` are the tags of private ones by
    what catalogues call them. A value whose VR no dictionary knows is left out.
    """

    def __init__(self, keywords: Sequence[str], private: Mapping[str, int] | None = None) -> None:
        found = [(int(_named(name)[0][1:9], 16), name, *_named(name)) for name in keywords]
        for name, tag in (private or {}).items():
            found.append((tag, name, f'"{tag:08X}":', vr_of(tag, name.partition(":")[2])))
        constant = dict(_creator_json(name, tag) for name, tag in (private or {}).items())
        found += [(tag, "", text, "") for tag, text in constant.items()]
        self._made: list[tuple[str, str, str, dict[Any, str]]] = [
            (name, key, vr, {}) for _, name, key, vr in (sorted(found) if private else found)
        ]

    def object(self, row: Mapping[str, Any]) -> str:
        """A row as an object."""
        parts = []
        for name, key, vr, known in self._made:
            value = row.get(name)
            if name == ZONE and not known_offset(value):  # present if it is known (PS3.18 Table 10.6.3-3)
                continue
            if not name:  # a creator
                parts.append(key)
                continue
            if type(value) is list:
                parts.append(key + _attribute(vr, value))
                continue
            made = known.get(value)
            if made is None:
                if len(known) >= REMEMBERED:
                    known.clear()
                made = known[value] = key + _attribute(vr, value if vr != "UN" else None)
            parts.append(made)
        return "{" + ",".join(parts) + "}"
