"""What the tables of PS3.3 say of the presence of each attribute of a data set, in plain Python.

What `dicomcore.iod.check` is compared with: the tables are the same, but they are expanded here into paths from the
root, and conditions are evaluated by tests.support.conditions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from dicomcore import DataElement, Dataset
from dicomcore._native.rules import tables
from tests.support.conditions import Spot
from tools.standard.conditions.code import Pool, decode_condition
from tools.standard.conditions.tree import FORBIDDEN, FREE, YES, Condition

Path = tuple[int, ...]
SHARED, FRAMES = 0x52009229, 0x52009230
WHOLE, PART = "whole", "part"
STATED_ELSEWHERE = {  # modules that put a type in place of that of another module (C.8.6.1, C.8.6.3)
    ("SC Equipment", 0x00080060): "General Series",
    ("SC Multi-frame Image", 0x00280009): "Multi-frame",
}


class Claim(NamedTuple):
    """What a module says of an attribute: `usage` numbers the modules of the IOD, and its functional groups behind."""

    usage: int
    type: str
    condition: int
    guard: int
    """The condition of the macro that brought it, 0: none."""


class Definition(NamedTuple):
    """The IOD of a SOP class. `levels` have the claims of each attribute, by the tags of the sequences around it."""

    names: list[str]
    ids: list[str]
    letters: list[str]
    conditions: list[int]
    modules: int
    levels: dict[Path, dict[int, list[Claim]]]


@cache
def pool() -> Pool:
    """The strings and tags of the native conditions; repeating groups have an x."""
    tags, sets, modules = tables.condition_pool()
    names = [f"{tag:08X}".replace("60FF", "60xx").replace("50FF", "50xx") for tag in tags]
    return Pool(names, list(sets), [tables.module(number)[2] for number in modules])


@cache
def condition(number: int) -> Condition | None:
    """A condition of the tables; None: nobody can tell."""
    code = tables.condition(number)
    return decode_condition(code, pool()) if code else None


@cache
def definition(sop_class: str) -> Definition:
    """The IOD of a SOP class by its UID."""
    _, usages, groups, refined = tables.iod(tables.find(sop_class))
    both = [*usages, *groups]
    names = [tables.module(one[0])[0] for one in both]
    found: dict[Path, dict[int, list[Claim]]] = {}
    context = [(path, kind, need) for path, kind, _, _, need in refined]
    for usage, (module, *_) in enumerate(usages):
        _expand(usage, module, [], (module,), 0, context, [one[0] for one in groups], len(usages), found)
    root = found[()]
    for (name, tag), weaker in STATED_ELSEWHERE.items():
        if name in names[: len(usages)] and tag in root:
            root[tag] = [one._replace(type="3") if names[one.usage] == weaker else one for one in root[tag]]
    return Definition(
        names,
        [tables.module(one[0])[2] for one in both],
        [one[2] for one in both],
        [one[3] for one in both],
        len(usages),
        found,
    )


def _expand(
    usage: int,
    module: int,
    path: list[int],
    entered: tuple[int, ...],
    guard: int,
    context: list[tuple[Path, str, int]],
    groups: list[int],
    count: int,
    found: dict[Path, dict[int, list[Claim]]],
) -> None:
    """Enter the rows of a table at a path; a table that is open is not entered again."""
    base = len(path)
    own = [(tuple(path) + one[0], one[1], one[4]) for one in tables.refinements(module)]
    context = [*context, *own]
    for depth, tag, target, kind, _, _, _, need in tables.rows(module):
        if tag is not None:
            path[base + depth :] = [tag]
            refined = next(((k, n) for place, k, n in context if k and place == tuple(path)), (kind, need))
            claim = Claim(usage, *refined, guard if depth == 0 else 0)
            claims = found.setdefault(tuple(path[:-1]), {}).setdefault(tag, [])
            if claim not in claims:
                claims.append(claim)
        elif target is not None:
            inner = guard if depth == 0 else 0
            for number, included in enumerate(groups) if target < 0 else [(usage - count, target)]:
                del path[base + depth :]
                if included not in entered:
                    _expand(
                        count + number,
                        included,
                        path,
                        (*entered, included),
                        need or inner,
                        context,
                        groups,
                        count,
                        found,
                    )  # which may leave a sequence open, inside of which rows go on here


class Oracle:
    """What is due in a data set."""

    def __init__(self, root: Dataset) -> None:
        self.root = root
        self.iod = definition(str(root.SOPClassUID).strip(" \0"))
        self.present = self._modules()
        self.ids = frozenset(self.iod.ids[k] for k in range(self.iod.modules) if self.present.get(k) == WHOLE)
        self.spots: dict[tuple[tuple[int, int], ...], Spot] = {}

    def _modules(self) -> dict[int, str]:
        """The usages whose modules are there, whole or in part."""
        iod = self.iod
        present = {k: WHOLE for k in range(len(iod.names)) if k >= iod.modules or iod.letters[k] == "M"}
        for tag, claims in sorted(iod.levels[()].items()):
            typed = [one for one in claims if one.type]
            owners = {one.usage for one in typed}
            element = element_of(self.root, tag)
            if element is None or len(owners) != 1 or not is_filled(element):
                continue
            (owner,) = owners
            if owner < iod.modules and present.get(owner) != WHOLE:
                present[owner] = PART if claims[0].type == "3" else WHOLE
        for k in range(iod.modules):
            if iod.letters[k] == "C" and present.get(k) != WHOLE:
                ids = frozenset(iod.ids[n] for n in range(iod.modules) if present.get(n) == WHOLE)
                if self._verdict(Spot(self.root, (), ids), iod.conditions[k]) == "required":
                    present[k] = WHOLE
        return present

    def _verdict(self, spot: Spot, number: int) -> str:
        known = condition(number)
        return "unknown" if known is None else spot.verdict(known)

    def code(self, steps: tuple[tuple[int, int], ...], tag: int) -> set[str]:
        """The codes of findings about the presence of an attribute of the item that the steps lead to."""
        spot = self.spots.get(steps)
        if spot is None:
            spot = self.spots[steps] = Spot(self.root, steps, self.ids)
        element = element_of(spot.chain[-1], tag)
        claims = self.iod.levels.get(tuple(step for step, _ in steps), {}).get(tag, [])
        if element is None and all(one.type == "3" for one in claims):
            return set()
        if len(steps) == 1 and steps[0][0] in (SHARED, FRAMES):
            return self._group(spot, steps, tag, claims, element)
        return _judged(self, spot, claims, element)

    def _group(
        self, spot: Spot, steps: tuple[tuple[int, int], ...], tag: int, claims: list[Claim], element: DataElement | None
    ) -> set[str]:
        """Of a functional group: it is in the shared ones or in this frame's."""
        shared = items_of(self.root, SHARED)
        in_shared = bool(shared) and tag in shared[0]
        of_frame = steps[0][0] == FRAMES
        last = of_frame or not items_of(self.root, FRAMES)
        found = set()
        for claim in claims:
            if claim.usage < self.iod.modules or not claim.type:
                continue
            if element is not None and of_frame and in_shared:
                found.add("GROUP_TWICE")
            if element is not None and not is_filled(element) and claim.type in ("1", "1C"):
                found.add("EMPTY" if claim.type == "1" else "EMPTY_CONDITIONAL")
            if element is None and last and not in_shared and claim.type in ("1", "2"):
                letter = self.iod.letters[claim.usage]
                due = letter == "M" or (
                    letter == "C" and self._verdict(spot, self.iod.conditions[claim.usage]) == "required"
                )
                found |= {"GROUP_MISSING"} if due else set()
        return found


def _judged(oracle: Oracle, spot: Spot, claims: list[Claim], element: DataElement | None) -> set[str]:
    """By all modules that are there: the gravest absence, and a refusal if none of them allows it."""
    there, filled = element is not None, element is not None and is_filled(element)
    absences, refusals, allowed = [], [], False
    typed = [one for one in claims if one.type]
    held = [
        one
        for one in typed
        if oracle.present.get(one.usage) == WHOLE or (oracle.present.get(one.usage) == PART and spot.steps)
    ]
    for claim in held:
        if claim.guard:
            guard = condition(claim.guard)
            value = spot.value(guard.required) if guard is not None else 2
            if value != YES:
                allowed |= value == 2
                continue
        code, refusal, allows = _of_claim(oracle, spot, claim, there, filled)
        absences += [code] if code else []
        refusals += [refusal] if refusal else []
        allowed |= allows
    grave = [one for one in absences if one != "MISSING_EMPTY_ALLOWED"]
    found = set(grave[:1] or absences[:1])
    if typed and not held and there and not filled and all(one.type == "1" and not one.guard for one in typed):
        found = {"EMPTY"}
    return found | (set(refusals[-1:]) if not allowed else set())


def _of_claim(oracle: Oracle, spot: Spot, claim: Claim, there: bool, filled: bool) -> tuple[str, str, bool]:
    """What one module says: (what is missing, why it may not be there, whether it may)."""
    if claim.type == "1":
        return "" if filled else "EMPTY" if there else "MISSING", "", True
    if claim.type == "2":
        return "" if there else "MISSING_EMPTY_ALLOWED", "", True
    if claim.type == "3":
        return "", "", True
    known = condition(claim.condition)
    verdict = "unknown" if known is None else spot.verdict(known)
    if verdict == "required" and not there:
        return "MISSING_CONDITIONAL", "", False
    if verdict != "forbidden":
        empty = there and not filled and claim.type == "1C"
        return "EMPTY_CONDITIONAL" if empty else "", "", True
    if not there:
        return "", "", False
    assert known is not None
    always = known.forbidden is not None and spot.value(known.forbidden) == YES
    return "", "FORBIDDEN" if always or known.otherwise == FORBIDDEN else "NOT_DUE", False


def places(root: Dataset, most: int) -> Iterator[tuple[tuple[tuple[int, int], ...], Dataset]]:
    """The root and the items at all depths, the first ones of each sequence."""
    waiting: list[tuple[tuple[tuple[int, int], ...], Dataset]] = [((), root)]
    while waiting:
        steps, data_set = waiting.pop()
        yield steps, data_set
        for element in data_set:
            if element.VR == "SQ" and not int(element.tag) >> 16 & 1:
                inner = list(element.value)[:most]
                waiting += [((*steps, (int(element.tag), n)), one) for n, one in enumerate(inner)]


def element_of(data_set: Dataset, tag: int) -> DataElement | None:
    """The element with a tag, of a repeating group the first one that is there."""
    if tag >> 24 in (0x50, 0x60) and tag >> 16 & 0xFF == 0xFF:
        named = (tag & 0xFF00FFFF | x << 16 for x in range(0, 0x20, 2))
        return next((data_set[one] for one in named if one in data_set), None)
    return data_set.get(tag)


def is_filled(element: Any) -> bool:
    """Has it more than padding?"""
    value = element.value
    if element.VR == "SQ":
        return len(value) > 0
    if value is None or value == "" or value == b"":
        return False
    if isinstance(value, str):
        return bool(value.strip(" \0"))
    try:
        return len(value) > 0
    except TypeError:
        return True


def items_of(data_set: Dataset, tag: int) -> list[Dataset]:
    """The items of a sequence, none if it is missing."""
    element = data_set.get(tag)
    return list(element.value) if element is not None and element.VR == "SQ" else []


__all__ = ["FREE", "Oracle", "definition", "element_of", "is_filled", "places"]
