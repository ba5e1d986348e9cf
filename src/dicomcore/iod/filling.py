"""What is missing in an object is filled, by what the check finds, until it finds nothing more that can be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dicomcore._native.check.coherence import findings
from dicomcore._native.rules import tables as _tables
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dictionary import get_entry
from dicomcore.iod.checking import row_of
from dicomcore.iod.completion import Added
from dicomcore.iod.definitions import describe
from dicomcore.iod.deriving import Derived, derived
from dicomcore.iod.opening import written_index
from dicomcore.iod.report import Step, path_text
from dicomcore.tags import Tag

__all__ = ["Filling"]

MISSING, EMPTY, MISSING_EMPTY_ALLOWED, MISSING_CONDITIONAL, EMPTY_CONDITIONAL = 1, 2, 3, 4, 6
DUE = frozenset((MISSING, EMPTY, MISSING_EMPTY_ALLOWED, MISSING_CONDITIONAL, EMPTY_CONDITIONAL))
TYPE_2C = 4  # the detail of MISSING_CONDITIONAL
MOST = 1 << 22  # findings that are looked at
Kind = tuple[int, ...]
"""The tags of the sequences around an attribute, and its own: what is done for one of them is done for all."""


Place = tuple[int, tuple[Step, ...], int]
"""A finding's code, the sequences around its attribute, and its tag."""


class _Spot(NamedTuple):
    """A finding at one place."""

    code: int
    steps: tuple[Step, ...]
    tag: int
    detail: int

    @property
    def kind(self) -> Kind:
        return (*(sequence for sequence, _ in self.steps), self.tag)

    @property
    def place(self) -> Place:
        return self.code, self.steps, self.tag


class Filling:
    """One call of `complete`."""

    def __init__(self, ds: Dataset, iod: str | None) -> None:
        self._ds = ds
        self._stated = None if iod is None else str(describe(iod).sop_class)
        self._added: dict[tuple[tuple[Step, ...], int], Added] = {}
        self._undo: list[tuple[Dataset, int, DataElement | None]] = []

    def run(self) -> list[Added]:
        self._state_class()
        first = self._spots()
        before = {spot.place for spot in first}
        refused: set[Kind] = set()
        while self._fill(refused) - before:
            kinds = dict.fromkeys(spot.kind for spot in first)
            self._withdraw()
            refused |= self._culprits([kind for kind in kinds if kind not in refused], before) or set(kinds)
        return list(self._added.values())

    def _state_class(self) -> None:
        """Add the SOP class, which everything else goes by. It is not withdrawn."""
        if text_of(self._ds, "SOPClassUID"):
            return
        meta = self._ds.file_meta
        told = (text_of(meta, "MediaStorageSOPClassUID") if meta is not None else None) or ""
        if told:
            self._put((), 0x00080016, Derived(told, "MediaStorageSOPClassUID"))
        elif self._stated is not None:
            self._put((), 0x00080016, Derived(self._stated, "the IOD that was named"))
        self._undo.clear()

    def _culprits(self, kinds: list[Kind], before: set[Place]) -> set[Kind]:
        """The kinds of attributes that lead to new findings, each taken for itself with what it brings about."""
        wrong: set[Kind] = set()
        for one in kinds:
            if self._fill({kind for kind in kinds if kind != one}) - before:
                wrong.add(one)
            self._withdraw()
        return wrong

    def _fill(self, refused: set[Kind]) -> set[Place]:
        """Fill what is due until nothing more can be; returns the places of the findings that are left."""
        while True:
            spots = self._spots()
            if not self._fill_once(spot for spot in spots if spot.code in DUE and spot.kind not in refused):
                return {spot.place for spot in spots}

    def _fill_once(self, spots: Iterable[_Spot]) -> bool:
        items: dict[tuple[Step, ...], Dataset] = {(): self._ds}
        done = False
        for spot in spots:
            if (spot.steps, spot.tag) in self._added or spot.tag >> 16 & 0xFF == 0xFF:  # not one of a repeating group
                continue
            parent = self._item(spot.steps, items)
            if parent is None:
                continue
            found = derived(spot.tag, parent, self._ds, self._class())
            if found is None:
                found = _empty(spot)
            if found is not None:
                self._put(spot.steps, spot.tag, found, parent)
                done = True
        return done

    def _item(self, steps: tuple[Step, ...], known: dict[tuple[Step, ...], Dataset]) -> Dataset | None:
        """The item at the end of these steps; None if it is in a sequence in UN, whose value is bytes."""
        depth = len(steps)
        while steps[:depth] not in known:
            depth -= 1
        item = known[steps[:depth]]
        for place in range(depth, len(steps)):
            sequence, number = steps[place]
            element = item[Tag(sequence)]
            if element.VR != "SQ":
                return None
            item = known[steps[: place + 1]] = element.value[number]
        return item

    def _put(self, steps: tuple[Step, ...], tag: int, found: Derived, parent: Dataset | None = None) -> None:
        parent = self._ds if parent is None else parent
        where = Tag(tag)
        before = parent[where] if where in parent else None  # noqa: SIM401  get() gives values for keywords
        self._undo.append((parent, tag, before))
        parent.add_new(where, _vr(tag, self._ds), found.value)
        self._added[steps, tag] = Added(path_text(steps, tag), where, found.how)

    def _withdraw(self) -> None:
        """Undo all but the SOP class."""
        while self._undo:
            parent, tag, element = self._undo.pop()
            if element is None:
                del parent[Tag(tag)]
            else:
                parent[Tag(tag)] = element
        self._added = {place: one for place, one in self._added.items() if place == ((), 0x00080016)}

    def _class(self) -> str:
        return self._stated or text_of(self._ds, "SOPClassUID") or ""

    def _spots(self) -> list[_Spot]:
        """Every finding at its own place; none if no IOD is known."""
        index = written_index(self._ds)
        row = row_of(self._stated) if self._stated is not None else _tables.find(self._class())
        if row < 0:
            return []
        found = findings(
            index,
            sop_class=row,
            structure=True,
            notes=False,
            folds=False,
            coherence=True,
            forms=True,
            counts=True,
            retired=False,
            most=MOST,
            apart=True,
        )[0]
        return [_Spot(code, steps, tag, detail) for code, _, tag, steps, _, detail, _ in found]


def _empty(spot: _Spot) -> Derived | None:
    """The empty value of an attribute that may be empty."""
    value: list[Dataset] | None = [] if get_entry(Tag(spot.tag))[0] == "SQ" else None
    if spot.code == MISSING_EMPTY_ALLOWED:
        return Derived(value, "type 2")
    if spot.code == MISSING_CONDITIONAL and spot.detail == TYPE_2C:
        return Derived(value, "type 2C, and its condition is met")
    return None


def _vr(tag: int, root: Dataset) -> str:
    """The VR of the dictionary; of several the one that the object's samples have, or words."""
    choice: list[str] = get_entry(Tag(tag))[0].split(" or ")
    if "SS" in choice:
        return "SS" if root.get("PixelRepresentation") == 1 else "US"
    return choice[-1]
