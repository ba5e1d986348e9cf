"""Rules of the IODs of structured reports: what an item must have, and may have below it (PS3.3 A.35, C.17.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from dicomcore.sr.content import Content
from dicomcore.sr.template_views import RELATIONSHIPS, VALUE_TYPES, native

__all__ = ["ItemFault", "item_faults"]

REFERENCE = 256
# Bits of an item's flags, as the native module sets them: the code of the finding, and what is meant.
FLAGS = {
    1: ("RELATIONSHIP_TYPE", "has no Relationship Type, or an unknown one"),
    2: ("VALUE_TYPE", "has no Value Type, or an unknown one"),
    4: ("CONCEPT_NAME_MISSING", "has no Concept Name"),
    8: ("CONCEPT_NAME_INCOMPLETE", "has a Concept Name without value, scheme or meaning"),
    16: ("VALUE_MISSING", "has no value"),
    32: ("VALUE_INCOMPLETE", "has an incomplete value"),
    64: ("RETIRED_SCHEME", "has a Concept Name of the retired scheme SRT"),
    128: ("RETIRED_SCHEME", "has a value of the retired scheme SRT"),
    512: ("REFERENCE_WITH_VALUE", "refers to another item and has a Value Type"),
    1024: ("MORE_THAN_ONE", "has a sequence with more than one item where one is allowed"),
}
WITH_REFERENCES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.88.{last}"
    for last in (
        33,  # Comprehensive SR
        34,  # Comprehensive 3D SR
        35,  # Extensible SR
        50,  # Mammography CAD SR
        65,  # Chest CAD SR
        69,  # Colon CAD SR
        77,  # Waveform Annotation SR
    )
)
"""SOP classes whose IOD has relationships by reference (PS3.3 A.35)."""


class ItemFault(NamedTuple):
    """A fault of an item: `times` items have it, `number` is the first."""

    code: str
    number: int
    message: str
    times: int = 1
    expected: str = ""
    found: str = ""


def item_faults(content: Content, sop_class: str) -> Iterator[ItemFault]:
    """The faults of a document's items by the IOD of its SOP class."""
    flags = content.items["flags"]
    for bit, (code, message) in FLAGS.items():
        at = np.flatnonzero(flags & bit)
        if at.size:
            yield ItemFault(code, int(at[0]), message, int(at.size))
    root = content.items[0]
    if root["value_type"] > 1:
        found = VALUE_TYPES[root["value_type"]]
        yield ItemFault("ROOT_NOT_A_CONTAINER", 0, "is the root", 1, "CONTAINER", found)
    yield from _reference_faults(content, sop_class)
    yield from _relation_faults(content, sop_class)


def _reference_faults(content: Content, sop_class: str) -> Iterator[ItemFault]:
    lost = [number for number in content.references if number not in content.targets]
    if lost:
        named = ".".join(map(str, content.references[lost[0]]))
        message = "refers to an item that does not exist"
        yield ItemFault("REFERENCE_TARGET", lost[0], message, len(lost), "", named)
    if content.references and sop_class not in WITH_REFERENCES and native().relations(sop_class) is not None:
        first, count = next(iter(content.references)), len(content.references)
        yield ItemFault("REFERENCE_NOT_ALLOWED", first, "refers to another item, which this SOP class forbids", count)
    loops = _loops(content) if content.targets else []
    if loops:
        yield ItemFault("REFERENCE_LOOP", loops[0], "refers to an item that leads back to it", len(loops))


def _loops(content: Content) -> list[int]:
    """The references whose target leads back to them, down the tree and along references."""
    below: list[list[int]] = [[] for _ in range(len(content))]
    for number, parent in enumerate(content.items["parent"].tolist()):
        if parent >= 0:
            below[parent].append(number)
    for number, target in content.targets.items():
        below[number].append(target)
    state = bytearray(len(content))  # 1 while open, 2 when done
    found = set()
    stack = [(0, iter(below[0]))]
    state[0] = 1
    while stack:
        number, rest = stack[-1]
        following = next(rest, -1)
        if following < 0:
            state[number] = 2
            stack.pop()
        elif state[following] == 1:
            found.add(next(one for one, _ in reversed(stack) if one in content.targets))
        elif not state[following]:
            state[following] = 1
            stack.append((following, iter(below[following])))
    return sorted(found)


def _relation_faults(content: Content, sop_class: str) -> Iterator[ItemFault]:
    permitted = native().relations(sop_class)
    if permitted is None or len(content) < 2:
        return
    items: Any = content.items
    types = items["value_type"].astype(np.int64)
    for number, target in content.targets.items():
        types[number] = items[target]["value_type"]
    sources, related = types[items["parent"][1:]], items["relationship"][1:].astype(np.int64)
    known = (sources > 0) & (related > 0) & (types[1:] > 0)
    keys = sources << 16 | related << 8 | types[1:]
    keys[~known] = 0
    for key in np.unique(keys).tolist():
        source, name, kind = key >> 16, key >> 8 & 0xFF, key & 0xFF
        if not key or permitted.get((source, name), 0) >> kind & 1:
            continue
        at = np.flatnonzero(keys == key)
        allowed = permitted.get((source, name), 0)
        expected = ", ".join(word for bit, word in enumerate(VALUE_TYPES) if word and allowed >> bit & 1)
        found = f"{VALUE_TYPES[source]} {RELATIONSHIPS[name]} {VALUE_TYPES[kind]}"
        message = f"{found} is not a relationship of this SOP class"
        yield ItemFault("RELATIONSHIP_NOT_ALLOWED", int(at[0]) + 1, message, int(at.size), expected, found)
