"""Content items: what becomes of each in a structured report, an acquisition context or a specimen's preparation.

PS3.15 Table E.3.4-1 names items by their concept and value type; what it does not name is ruled by its value type. An
item's children go with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from dicomcore._native.deid import tables as _tables
from dicomcore._native.deid.concept import concept_at, refers_to_items
from dicomcore._native.rules import contexts as _contexts
from dicomcore._native.scan.index import Index
from dicomcore.dataset.code import Code

__all__ = ["CONTENT_SEQUENCES", "Content", "action_of", "table"]

CONTENT_SEQUENCES = frozenset({0x0040A730, 0x00400555, 0x00400440, 0x00400441, 0x00400612})
"""The sequences whose items are content items: Content, Acquisition Context, Protocol Context, Content Item Modifier,
Specimen Preparation Step Content Item."""

Key = tuple[str, str, str]
"""Coding scheme, code and value type of a content item."""

# By value type, for what the table does not name. UIDs of references and dates are mapped in items that stay.
_OTHERS = {"PNAME": "X/D", "TEXT": "C", "": "C"}
_REFERENCES = frozenset({"COMPOSITE", "IMAGE", "WAVEFORM", "UIDREF"})
_OLD_NAMES = ("SRT", "SNM3", "99SDM")  # of SNOMED (PS3.16 8)


def action_of(scheme: str, code: str, value_type: str, options: Iterable[str] = (), *, removable: bool = True) -> str:
    """What becomes of a content item.

    Parameters
    ----------
    scheme, code, value_type : str
        The concept and the value type.
    options : iterable of str
        The options of the plan, such as ``"clean_descriptors"``.
    removable : bool
        Whether items may be removed at all; they may not where others refer to their places.

    Returns
    -------
    str
        ``"X"`` (removed), ``"D"`` (the value is replaced), ``"C"`` (its text is cleaned, its UIDs and dates are mapped)
        or ``"K"`` (its text stays, its UIDs and dates are treated as anywhere). A template's mandatory item is replaced
        and not removed, and what the table removes or replaces is replaced where a template may ask for it.
    """
    key = scheme, code, value_type
    action = _chosen(key, frozenset(options))
    if action == "X":
        return "X" if removable and key not in _mandatory("M") else "D"
    if action == "X/D":
        # A reference whose UIDs are mapped is as good as a dummy, and still leads to what is referred to.
        stays = value_type in _REFERENCES or key in _mandatory("M", "MC")
        return "X" if removable and not stays else "D"
    return action


def _chosen(key: Key, options: frozenset[str]) -> str:
    row = _rows().get(key)
    if row is None:
        return _OTHERS.get(key[2], "K")
    basic, marks = row
    letters = {letter for option, letter in marks.items() if option in options}
    return "C" if "C" in letters else "K" if letters else basic


@cache
def _rows() -> dict[Key, tuple[str, dict[str, str]]]:
    """The table, under the former codes of SNOMED, too."""
    made = {}
    for code, scheme, _, value_type, _, basic, marks in _tables.content_items():
        for one in _aliases(scheme, code):
            made[(*one, value_type)] = basic, marks
    return made


def _aliases(scheme: str, code: str) -> list[tuple[str, str]]:
    found = [(scheme, code)]
    number = _contexts.find(scheme, code) if scheme == "SCT" else -1
    old = _contexts.srt(number) if number >= 0 else ""
    return found + [(name, old) for name in _OLD_NAMES if old]


@cache
def _mandatory(*requirements: str) -> frozenset[Key]:
    """What has one of these requirement types in a template of PS3.16, whichever."""
    from dicomcore.sr import templates  # not needed without structured content

    found: set[Key] = set()
    for template in templates:
        for row in template.rows:
            if row.requirement in requirements and row.least and isinstance(row.concept, Code):
                found.update((*one, row.value_type) for one in _aliases(row.concept.scheme, row.concept.value))
    return frozenset(found)


@cache
def table(options: frozenset[str]) -> tuple[tuple[str, str, str, str], ...]:
    """(scheme, code, value type, action) of the items that the table names, sorted, for these options."""
    return tuple(sorted((*key, action_of(*key, options)) for key in _rows()))


class Content:
    """What becomes of the content items of one file; see `action_of`."""

    __slots__ = ("_actions", "_index", "_options", "_removable")

    def __init__(self, index: Index, options: Iterable[str]) -> None:
        self._index, self._options = index, frozenset(options)
        self._removable: bool | None = None
        self._actions: dict[Key, str] = {}

    def action(self, row: int) -> str:
        """The action of the item in a row of the index: X, D, C or K."""
        key = concept_at(self._index, row)
        known = self._actions.get(key)
        if known is None:
            if self._removable is None:
                self._removable = not refers_to_items(self._index)
            known = self._actions[key] = action_of(*key, self._options, removable=self._removable)
        return known
