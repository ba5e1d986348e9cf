"""Our conditions beside those of the second source, on small data sets made at random for each row.

A data set here has one value for each attribute, wherever the two trees look for it, so that the trees differ only in
what they say of it; where they look is compared on its own. It is one of a single frame: Image Type and Frame Type
are the same. What is of type 1 beside the row, or around it, is there.
"""

from __future__ import annotations

import csv
import json
import operator
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tools.standard.conditions import dicom3tools
from tools.standard.conditions.code import parts_of_scope
from tools.standard.conditions.sources import Row, modules, rows, walk
from tools.standard.conditions.tables import HERE, row_decisions
from tools.standard.conditions.tree import FREE, NO, UNKNOWN, YES, Tree, evaluate, leaves

ROUNDS = 300
ABSENCE = (0.2, 0.2, 0.8)
"""How likely an element is missing: one of these for each data set."""
SAME = {"00089007": "00080008"}
ALWAYS = {"00080016", "00080008"}
"""SOP Class UID and Image Type are type 1."""
ENUMERATED = {("00080008", 0): ("ORIGINAL", "DERIVED", "MIXED")}
"""The values that an attribute has at a place, from 0, where there are no others (PS3.3 C.7.6.1.1.2, C.8.16.1.1)."""
CODE_PARTS = {"00080100": 1, "00080102": 0}
COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Compared:
    """A row that both have: how often the two agree of the times that ours is yes or no, and one time they don't."""

    row: Row
    ours: Tree
    theirs: Tree
    agreed: int
    decided: int
    unknown: int
    example: dict[Key, Any] | None
    verdicts: tuple[int, int] | None

    @property
    def same_scopes(self) -> bool:
        """Do both look in the same places for each attribute that both name?"""
        root = len(self.row.path) == 1  # where the data set that the row stands in is the root
        ours, theirs = _scopes(self.ours, root=root), _scopes(self.theirs, root=root)
        return all(ours[tag] == theirs[tag] for tag in ours.keys() & theirs.keys())


def _scopes(tree: Tree, *, root: bool) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for leaf in leaves(tree):
        if len(leaf) > 2:
            found.setdefault(leaf[2], set()).add("/" if root and leaf[1] == "." else leaf[1])
    return found


class _Cells:
    """The attributes that two trees test, with the values that make a difference."""

    def __init__(self, *trees: Tree, certain: frozenset[str] = frozenset(ALWAYS)) -> None:
        self.certain = certain
        self.sequences: set[Key] = set()
        self.values: dict[Key, dict[int, set[Any]]] = {}
        self.flags: set[Key] = set()
        self.codes: dict[Key, set[tuple[str, str]]] = {}
        self.all_leaves = [leaf for tree in trees for leaf in leaves(tree)]
        for leaf in self.all_leaves:
            self._note_sequence(leaf)
        for leaf in self.all_leaves:
            self._note(leaf)

    def _note_sequence(self, leaf: Tree) -> None:
        if leaf[0] in ("code", "items"):
            self.sequences.add(_key(leaf))
        elif len(leaf) > 2 and leaf[2] in CODE_PARTS and parts_of_scope(leaf[1])[1]:
            self.sequences.add(parts_of_scope(leaf[1])[1])

    def _note(self, leaf: Tree) -> None:
        kind = leaf[0]
        if kind in ("?", "true", "false"):
            return
        if kind in ("place", "module", "wide", "odd"):
            self.flags.add(leaf)
            return
        key = _key(leaf)
        if kind == "code":
            self.codes.setdefault(key, set()).update(leaf[3])
        elif key[:-1] in self.sequences and key[-1] in CODE_PARTS:
            self._note_code_part(key, leaf)
        elif key not in self.sequences:
            number = leaf[3] if len(leaf) > 3 else 1
            values = self.values.setdefault(key, {}).setdefault(max(number, 1), set())
            if kind in ("in", "other"):
                values |= set(leaf[4])
            elif kind == "cmp":
                values |= {bound for bound in (leaf[5] - 1, leaf[5], leaf[5] + 1) if bound >= 0}  # all are counts
            elif kind == "tag":
                values.add(leaf[4])

    def _note_code_part(self, key: Key, leaf: Tree) -> None:
        found = self.codes.setdefault(key[:-1], set())
        if leaf[0] in ("in", "other"):
            for value in leaf[4]:
                found.add(("SRT", value) if key[-1] == "00080100" else (value, "?"))

    def draw(self, dice: random.Random) -> dict[Key, Any]:
        """A data set."""
        absent = dice.choice(ABSENCE)
        found: dict[Key, Any] = {flag: dice.choice((YES, NO)) for flag in sorted(self.flags, key=repr)}
        for key, by_number in self.values.items():
            present = key[-1] in self.certain
            size = 0 if not present and dice.random() < 0.1 else max(by_number)
            found[key] = [self._value(key, by_number.get(n + 1, set()), n, dice) for n in range(size)]
            if not present and dice.random() < absent:
                found[key] = None
        for key in sorted(self.sequences):
            choices = [*sorted(self.codes.get(key, ())), ("99TEST", "OTHER")]
            absent_here = 0.0 if key[-1] in self.certain else absent
            count = max(dice.randrange(3), key[-1] in self.certain)
            found[key] = None if dice.random() < absent_here else [dice.choice(choices) for _ in range(count)]
        return found

    def _value(self, key: Key, values: set[Any], at: int, dice: random.Random) -> Any:
        if (key[-1], at) in ENUMERATED:
            return dice.choice(ENUMERATED[key[-1], at])
        numbers = any(isinstance(value, int) for value in values)
        return dice.choice([*sorted(values, key=repr), 7 if numbers else "OTHER"])

    def test(self, leaf: Tree, data: dict[Key, Any]) -> int:
        """The value of a test."""
        if leaf in self.flags:
            return int(data[leaf])
        key = _key(leaf)
        if key in self.sequences:
            return _test_sequence(leaf, data[key])
        if key[:-1] in self.sequences and key[-1] in CODE_PARTS:
            part = CODE_PARTS[key[-1]]
            items = data[key[:-1]] or []
            return int(any(leaf[0] not in ("in",) or item[part] in leaf[4] for item in items))
        return _test_value(leaf, data[key])


def _key(leaf: Tree) -> Key:
    return (*parts_of_scope(leaf[1])[1], SAME.get(leaf[2], leaf[2]))


def _test_sequence(leaf: Tree, items: list[tuple[str, str]] | None) -> int:
    if leaf[0] == "has":
        return int(items is not None)
    if leaf[0] == "items":
        return int(COMPARE[leaf[3]](len(items or ()), leaf[4]))
    if leaf[0] == "val":
        return int(bool(items))
    return int(any(item in leaf[3] for item in items or ()))


def _test_value(leaf: Tree, values: list[Any] | None) -> int:
    if leaf[0] == "has":
        return int(values is not None)
    held = values or []
    n = leaf[3]
    chosen = held if n == 0 else held[n - 1 : n]
    if leaf[0] == "val":
        return int(bool(chosen))
    if leaf[0] == "other":
        return int(not any(value in leaf[4] for value in chosen)) if chosen else UNKNOWN
    if leaf[0] == "in":
        return int(any(value in leaf[4] for value in chosen))
    if leaf[0] == "tag":
        return int(leaf[4] in chosen)
    return int(any(isinstance(value, int) and COMPARE[leaf[4]](value, leaf[5]) for value in chosen))


@cache
def _of_type_1(module: str) -> dict[tuple[str, ...], str]:
    """The attributes of a module that are of type 1, by path."""
    return {
        place.path: place.path[-1]
        for place in walk(module)
        if place.module == module and modules()[module][place.number][3] == "1"
    }


def certain(row: Row) -> frozenset[str]:
    """Attributes that are there where the row is: those of type 1 beside it and around it, and its sequences."""
    around = {row.path[:depth] for depth in range(len(row.path))}
    there = {tag for path, tag in _of_type_1(row.module).items() if path[:-1] in around and path != row.path}
    return frozenset(there | ALWAYS | set(row.path[:-1]))


def compare(row: Row, ours: Tree, theirs: Tree, *, there: frozenset[str] | None = None) -> Compared:
    """Both trees of a row on its data sets, which have what is `there`: what the tables say, if not given."""
    cells, dice = (
        _Cells(ours, theirs, certain=certain(row) if there is None else there),
        random.Random(f"{row.module} {row.number}"),
    )
    agreed = decided = unknown = 0
    example, verdicts = None, None
    for _ in range(ROUNDS):
        data = cells.draw(dice)
        one, other = (evaluate(tree, lambda leaf, data=data: cells.test(leaf, data)) for tree in (ours, theirs))  # type: ignore[misc]
        if one == UNKNOWN:
            unknown += 1
            continue
        decided += 1
        agreed += one == other
        if one != other and example is None:
            example, verdicts = data, (one, other)
    return Compared(row, ours, theirs, agreed, decided, unknown, example, verdicts)


def values(tree: Tree) -> Iterator[int]:
    """The values of a tree on data sets made for it."""
    cells, dice = _Cells(tree), random.Random(json.dumps(tree))
    for _ in range(ROUNDS):
        data = cells.draw(dice)
        yield evaluate(tree, lambda leaf, data=data: cells.test(leaf, data))  # type: ignore[misc]


def compared() -> Iterator[Compared]:
    """Each row that both have, and that ours isn't taken from the other."""
    for row in rows():
        decision = row_decisions()[row.module, row.number]
        second = dicom3tools.requirement(row)
        if decision.condition is not None and second is not None and decision.source != "dicom3tools":
            yield compare(row, decision.condition.required, second.required)


def effects() -> tuple[int, int]:
    """Of how many rows both say the same of what holds otherwise, and of how many rows both say something."""
    same = total = 0
    for row in rows():
        decision = row_decisions()[row.module, row.number]
        second = dicom3tools.requirement(row)
        if decision.condition is not None and second is not None:
            total += 1
            condition = decision.condition
            same += (condition.otherwise == FREE or condition.permitted is not None) == (second.otherwise == FREE)
    return same, total


COLUMNS = ("module", "row", "tag", "ours", "theirs", "reason")


def reasons() -> dict[tuple[str, str], str]:
    """The explanations in the committed table, by module and row."""
    with (HERE / "differences.csv").open(encoding="utf-8", newline="") as file:
        return {(line["module"], line["row"]): line["reason"] for line in csv.DictReader(file)}


def differences(results: list[Compared]) -> list[tuple[Any, ...]]:
    """The lines of the table: what both trees are, and the explanation that the committed table has."""
    known = reasons()
    return [
        (
            one.row.module,
            one.row.number,
            one.row.tag,
            shown(one.ours),
            shown(one.theirs),
            known.get((one.row.module, str(one.row.number)), ""),
        )
        for one in results
        if one.agreed != one.decided
    ]


def shown(tree: Tree) -> str:
    """A tree as text."""
    return json.dumps(tree, separators=(",", ":"))
