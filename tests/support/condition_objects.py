"""Objects made to put a condition to the test: at a place of an IOD, with the elements that its trees ask for."""

from __future__ import annotations

import random
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPIP_DEFLATE,
    JPIP_HTJ2K_DEFLATE,
    PREAMBLE,
    element,
    item,
    meta,
    sequence,
)
from tools.standard.conditions import Condition, includes, sources
from tools.standard.conditions.code import parts_of_scope
from tools.standard.conditions.tree import Tree, leaves
from tools.standard.conditions.words import vr_of

GROUPS = (sources.SHARED_GROUPS, sources.FRAME_GROUPS, sources.CURRENT_GROUPS)
SOP_CLASS, SYNTAX = "00080016", "00020010"
OTHERWISE_ENCODED = (IMPLICIT, BIG_ENDIAN, DEFLATED, JPIP_DEFLATE, JPIP_HTJ2K_DEFLATE)
FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q", "US or SS": "H"}
TEXTS = {"DA": "20200101", "TM": "1200", "DT": "20200101", "AS": "010Y", "UI": "1.2", "PN": "A^B"}
ENOUGH = 3
"""IODs with the same module that are looked at."""
BYTES = {"OB", "OW", "OF", "OD", "OL", "OV", "UN", "OB or OW"}


@dataclass(frozen=True)
class Stand:
    """Where a condition stands in an IOD, with what has to be there for it to hold."""

    uid: str
    path: tuple[str, ...]
    filled: str
    """An attribute that tells that the module is there, if it is not mandatory; a sequence of the path, or another."""
    guards: tuple[tuple[int, Tree], ...]
    """Conditions of includes, each with the depth of the data set that it is about."""


@cache
def sop_classes() -> dict[str, list[str]]:
    """UIDs by IOD."""
    found: dict[str, list[str]] = {}
    for uid, _, iod, _ in sources.load("iods")["sop_classes"]:
        found.setdefault(iod, []).append(uid)
    return found


def walk(module: str, groups: tuple[str, ...], entered: tuple[str, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Path, module, row and guards of each attribute, as `sources.walk` does."""
    if module in entered:
        return
    path: list[str] = []
    when = includes()
    for number, row in enumerate(sources.modules()[module]):
        depth = row[0]
        if row[1] == "+":
            head = tuple(path[:depth])
            guard = ((depth, when[module, number]),) if (module, number) in when else ()
            for one in groups if row[2] == "@groups" else (row[2],):
                for inner, *rest, guards in walk(one, groups, (*entered, module)):
                    path[depth:] = inner
                    yield head + inner, *rest, (*guard, *((depth + d, tree) for d, tree in guards))
        elif row[1] != "*":
            path[depth:] = [row[1]]
            yield tuple(path), module, number, ()


@cache
def stands() -> dict[tuple[str, int], list[Stand]]:
    """For each row the places where it alone speaks of its attribute."""
    found: dict[tuple[str, int], list[Stand]] = {}
    used, group_rows = sources.usage_rows()
    often: Counter[str] = Counter()
    for iod, uids in sop_classes().items():
        groups = tuple(row[5] for row in group_rows if row[0] == iod)
        tables = {*groups, *(row[5] for row in used if row[0] == iod)}
        if all(often[one] >= ENOUGH for one in tables):
            continue
        often.update(tables)
        claims: dict[tuple[str, ...], set[tuple[Any, ...]]] = {}
        owners: dict[str, set[int]] = {}
        own: dict[int, list[tuple[str, str]]] = {}
        for k, usage in enumerate(row for row in used if row[0] == iod):
            for path, module, number, guards in walk(usage[5], groups):
                claims.setdefault(path, set()).add((module, number, k, usage[3], guards))
                if len(path) == 1:
                    owners.setdefault(path[0], set()).add(k)
                    own.setdefault(k, []).append((path[0], sources.modules()[module][number][3]))
        for path, ones in claims.items():
            if len(ones) > 1:
                continue
            ((module, number, k, usage, guards),) = ones
            filled = ""
            if usage != "M":
                told = [tag for tag, kind in own[k] if owners[tag] == {k} and kind in ("1", "1C", "2", "2C")]
                told = [path[0]] if len(path) > 1 and path[0] in told else [t for t in told if t != path[-1]]
                if not told:
                    continue
                filled = min(told, key=lambda tag: (vr_of(tag) in ("SQ", *BYTES), tag))
            found.setdefault((module, number), []).append(Stand(uids[0], path, filled, guards))
    return {key: sorted(ones, key=lambda one: (len(one.path), one.filled, one.uid)) for key, ones in found.items()}


@dataclass
class Level:
    """A data set on its way to bytes: values, or items, by tag."""

    held: dict[str, Any] = field(default_factory=dict)

    def items(self, tag: str, at_least: int = 1) -> list[Level]:
        """The items of a sequence, made if there are none."""
        found = self.held.setdefault(tag, [])
        if not all(isinstance(one, Level) for one in found):
            found.clear()
        while len(found) < at_least:
            found.append(Level())
        return found  # type: ignore[no-any-return]

    def encode(self) -> bytes:
        """Explicit little endian."""
        return b"".join(_encoded(tag, self.held[tag]) for tag in sorted(self.held) if tag != SYNTAX)


def _encoded(tag: str, values: list[Any]) -> bytes:
    number, vr = int(tag.replace("x", "0"), 16), vr_of(tag) or "LO"
    if vr == "SQ" or any(isinstance(one, Level) for one in values):
        return sequence(number, *(item(one.encode()) for one in values))
    if vr == "AT":
        data = b"".join(struct.pack("<HH", int(one[:4], 16), int(one[4:], 16)) for one in values)
    elif vr in FORMATS:
        data = b"".join(struct.pack("<" + FORMATS[vr], int(one)) for one in values)
    elif vr in BYTES:
        data = b"".join(b"\1\0" for _ in values)
    else:
        data = "\\".join(map(str, values)).encode("latin-1")
        data += (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
    return element(number, {"US or SS": "US", "OB or OW": "OW"}.get(vr, vr), data)


def some_value(tag: str) -> Any:
    """A value that the VR can have, and that no condition asks for."""
    vr = vr_of(tag) or "LO"
    if vr == "AT":
        return "00100010"
    return 7 if vr in FORMATS or vr in ("IS", "DS") else TEXTS.get(vr, "OTHER")


class Maker:
    """Objects for one condition at one place."""

    def __init__(self, stand: Stand, condition: Condition, dice: random.Random) -> None:
        self.stand, self.dice = stand, dice
        self.leaves = [leaf for tree in condition.trees() for leaf in leaves(tree) if len(leaf) > 1]
        self.root = Level({SOP_CLASS: [stand.uid]})
        self.syntax = EXPLICIT
        self.chain = [self.root]
        self._descend()
        dice.shuffle(self.leaves)
        absent = dice.choice((0.1, 0.3, 0.6, 0.95))
        for leaf in self.leaves:
            if dice.random() >= absent and leaf[0] not in ("place", "module"):
                self._put(leaf)
        for depth, tree in stand.guards:
            self._force(self.chain[depth], tree)
        if stand.filled and not self.root.held.get(stand.filled):
            self.root.held[stand.filled] = [Level()] if vr_of(stand.filled) == "SQ" else [some_value(stand.filled)]

    def _descend(self) -> None:
        placed = any(leaf[0] == "place" for leaf in self.leaves)
        counted = {leaf[2] for leaf in self.leaves if leaf[0] == "items"}
        for tag in self.stand.path[:-1]:
            items = self.chain[-1].items(tag, self.dice.randint(1, 3) if placed or tag in counted else 1)
            self.chain.append(self.dice.choice(items))

    def _force(self, level: Level, tree: Tree) -> None:
        if tree[0] == "in":
            level.held[tree[2]] = [tree[4][0]]
        elif tree[2] not in level.held:
            level.held[tree[2]] = [some_value(tree[2])]

    def _level(self, scope: str, tag: str) -> Level | None:
        base, sequences = parts_of_scope(scope)
        if base == "@":
            level = self._group(tag)
        elif base == "^":
            level = self.dice.choice(self.chain)
        else:
            up = {"/": len(self.chain) - 1, ".": 0, "..": 1, "../..": 2, "../../..": 3}[base]
            if up >= len(self.chain):
                return None
            level = self.chain[-1 - up]
        for one in sequences:
            level = self.dice.choice(level.items(one, self.dice.randint(1, 2)))
        return level

    def _group(self, tag: str) -> Level:
        """The item of a frame's groups, or of the shared ones, or of a macro's sequence in it."""
        if self.stand.path[0] in GROUPS and len(self.chain) > 1:
            group = self.chain[1] if self.dice.random() < 0.6 else self._other_group()
        else:
            group = self._other_group()
        inner = "00209116" if tag != "00209116" else "00209113"
        return group if self.dice.random() < 0.2 else group.items(inner)[0]

    def _other_group(self) -> Level:
        place = self.dice.choice((sources.SHARED_GROUPS, sources.FRAME_GROUPS))
        return self.dice.choice(
            self.root.items(place, 1 if place == sources.SHARED_GROUPS else self.dice.randint(1, 2))
        )

    def _put(self, leaf: Tree) -> None:
        if leaf[0] == "wide":
            level = self._level(leaf[1], "")
            if level is not None:
                level.held["00104000"] = ["Ä"]
            return
        tag = leaf[2]
        if tag == SYNTAX:
            plain = [one for one in leaf[4] if one not in OTHERWISE_ENCODED] if len(leaf) > 4 else []
            self.syntax = self.dice.choice([*plain, EXPLICIT])
            return
        level = self._level(leaf[1], tag)
        if level is None or (level is self.root and tag == SOP_CLASS) or any(tag in one.held for one in (level,)):
            return
        if leaf[0] in ("code", "items") or vr_of(tag) == "SQ":
            self._put_items(level, leaf)
        else:
            level.held[tag] = self._values(leaf)

    def _put_items(self, level: Level, leaf: Tree) -> None:
        count = self.dice.choice((leaf[4], leaf[4] + 1, 0)) if leaf[0] == "items" else self.dice.randint(0, 2)
        made = [Level() for _ in range(count)]
        for one in made if leaf[0] == "code" else ():
            scheme, value = self.dice.choice([*leaf[3], ("99TEST", "OTHER")])
            one.held.update({"00080100": [value], "00080102": [scheme]})
        level.held[leaf[2]] = made

    def _values(self, leaf: Tree) -> list[Any]:
        kind, tag = leaf[0], leaf[2]
        number = max(leaf[3] if len(leaf) > 3 else 1, 1)
        found = [some_value(tag) for _ in range(number)]
        if kind in ("has", "val") and self.dice.random() < 0.3:
            return found[: number - 1]
        choices = {
            "in": lambda: leaf[4],
            "other": lambda: leaf[4],
            "cmp": lambda: [value for value in (leaf[5] - 1, leaf[5], leaf[5] + 1) if value >= 0],
            "tag": lambda: [leaf[4]],
            "odd": lambda: ["00091001"],
        }.get(kind, lambda: [some_value(tag)])()
        if self.dice.random() < 0.75:
            found[number - 1] = self.dice.choice(choices)
        return found

    def encode(self, *, there: bool) -> bytes:
        """The object, with or without the attribute that the condition is of."""
        level, tag = self.chain[-1], self.stand.path[-1]
        kept = level.held.get(tag)
        if there and kept is None:
            level.held[tag] = [Level()] if vr_of(tag) == "SQ" else [some_value(tag)]
        elif not there:
            level.held.pop(tag, None)
        data = PREAMBLE + meta(self.syntax) + self.root.encode()
        if kept is None:
            level.held.pop(tag, None)
        else:
            level.held[tag] = kept
        return data
