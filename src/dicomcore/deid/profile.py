"""Profile: the Basic Application Level Confidentiality Profile and its options (PS3.15 E.2, E.3) as actions by tag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from dicomcore._native.deid import tables as _tables
from dicomcore._native.deid.rules import Rules

if TYPE_CHECKING:
    from dicomcore.deid.plan import Plan

__all__ = ["EDITION", "OPTIONS", "rules_of"]

EDITION = _tables.edition()
"""The edition of PS3.15 whose tables the plans are made of."""

OPTIONS = tuple(option for _, _, option in _tables.codes() if option != "basic")
"""The names of the options of PS3.15 E.3."""

LETTERS = {"X/Z": "a", "X/D": "b", "Z/D": "c", "X/Z/D": "d", "X/Z/U*": "e"}  # those of one letter stand for themselves
TABLE, OWN, STRUCTURE = 0, 1, 8
ATTRIBUTE = 0
DOCUMENT, DOCUMENT_LENGTH = 0x00420011, 0x00420015
MARKS = 0x00120062, 0x00120063, 0x00120064, 0x00280303
PATIENT_NAME, PATIENT_ID, PATIENT_AGE = 0x00100010, 0x00100020, 0x00101010
Row = tuple[int, str, str, int, int, str]


@cache
def _attributes() -> list[tuple[int, int, bool, str, dict[str, str], str]]:
    return _tables.attributes()


def chosen(basic: str, marks: dict[str, str], options: frozenset[str]) -> str:
    """The action of a row: C if one of the options cleans, else K if one keeps, else the basic profile's."""
    letters = {letter for option, letter in marks.items() if option in options}
    return "C" if "C" in letters else "K" if letters else LETTERS.get(basic, basic)


def rules_of(plan: Plan) -> Rules:
    """The compiled rules of a plan."""
    functions: list[Callable[[Any], Any]] = []
    rows = {row[0]: row for row in _rows(plan)}
    for tag, action in plan.overrides.items():
        basic = rows[tag][2] if tag in rows else "X"
        vr = rows[tag][5] if tag in rows else ""
        if callable(action):
            functions.append(action)
            rows[tag] = tag, "F", basic, OWN, len(functions) - 1, vr
        else:
            rows[tag] = tag, action, basic, OWN, 0, vr
    return Rules(
        rows=list(rows.values()),
        private=list(_private(plan)),
        nets=_nets(plan.options),
        functions=tuple(functions),
        unknown_removed=plan.unknown == "remove",
        structured="clean_structured_content" in plan.options,
        descriptors="clean_descriptors" in plan.options,
    )


def _rows(plan: Plan) -> Iterator[Row]:
    for tag in plan.allow_tags:
        yield tag, "K", "X", OWN, 0, ""
    for tag, kind, _, basic, marks, vr in _attributes():
        if kind != ATTRIBUTE:
            continue
        action = chosen(basic, marks, plan.options)
        if tag in (PATIENT_NAME, PATIENT_ID) and (plan.key or plan.pseudonyms):
            action = "P"
        if tag == PATIENT_AGE and action == "K" and plan.cap_ages:
            action = "A"
        if tag == DOCUMENT and action == "D":
            yield DOCUMENT_LENGTH, "X", "X", TABLE, 0, ""
        yield tag, action, LETTERS.get(basic, basic), TABLE, 0, vr
    for tag in MARKS:  # written anew, once
        yield tag, "X", "X", STRUCTURE, 0, ""


def _nets(options: frozenset[str]) -> dict[str, str]:
    """The actions of what the table does not name: its siblings', and those of repeating groups."""
    graphics = "C" if "clean_graphics" in options else "X"
    dates = "C" if "retain_longitudinal_modified_dates" in options else "d"
    return {
        "UI": "K" if "retain_uids" in options else "U",
        "PN": "d",
        "DA": "K" if "retain_longitudinal_full_dates" in options else dates,
        "curves": graphics,
        "overlays": graphics,
        "overlay text": graphics,
    }


def _private(plan: Plan) -> Iterator[tuple[bytes, int, int, str, str]]:
    """Private elements that stay: creator, group, low byte, what becomes of them, VR."""
    rows: list[tuple[str, int, int, str, str]] = []
    if "retain_safe_private" in plan.options:
        rows += _tables.tcia_private() if plan.safe_private == "tcia" else _tables.safe_private()
    rows += [(creator, group, low, "k", "") for creator, group, low in plan.allow_private]
    for creator, group, low, what, vr in rows:
        yield creator.encode("latin-1"), group, low, what, vr
