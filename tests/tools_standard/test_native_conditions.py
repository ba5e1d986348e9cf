"""Every condition of an attribute, run by native code over objects made for it, beside an evaluator in plain Python."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("pydicom.sr._snomed_dict")

import dicomcore as dc
from dicomcore.iod import check
from tests.support.condition_objects import Maker, Stand, sop_classes, stands
from tests.support.conditions import Spot
from tools.standard.conditions import Condition, sources, trees
from tools.standard.conditions.tables import usage_decisions
from tools.standard.conditions.tree import YES, leaves
from tools.standard.conditions.words import spelled

pytestmark = pytest.mark.skipif(bool(sources.ABSENT), reason=sources.ABSENT)

DRAWS, MOST_DRAWS = 8, 40
"""Objects of a condition; more, if all had the same verdict."""
MISSING, REFUSED = {"MISSING_CONDITIONAL"}, {"FORBIDDEN", "NOT_DUE"}


def spots(root: dc.Dataset, path: tuple[str, ...]) -> list[Spot]:
    """Each item where the condition stands."""
    found: list[tuple[tuple[int, int], ...]] = [()]
    for tag in path[:-1]:
        deeper = []
        for steps in found:
            sequence = Spot(root, steps).chain[-1].get(int(tag, 16))
            deeper += [(*steps, (int(tag, 16), k)) for k in range(len(sequence.value) if sequence is not None else 0)]
        found = deeper
    return [Spot(root, steps) for steps in found]


def expected(data: bytes, stand: Stand, condition: Condition) -> tuple[int, int, set[str]]:
    """How often the attribute is missing, how often it is refused, and the verdicts."""
    root, tag = dc.dcmread(data), int(stand.path[-1].replace("x", "0"), 16)
    missing = refused = 0
    verdicts = set()
    for spot in spots(root, stand.path):
        if any(Spot(root, spot.steps[:depth]).value(tree) != YES for depth, tree in stand.guards):
            continue
        verdict, there = spot.verdict(condition), tag in spot.chain[-1]
        verdicts.add(verdict)
        missing += verdict == "required" and not there
        refused += verdict == "forbidden" and there
    return missing, refused, verdicts


def name(tag: str) -> str:
    """A tag as the path of a finding has it."""
    return spelled(tag) if spelled(tag) != tag else f"({tag[:4]},{tag[4:]})"


def found(data: bytes, stand: Stand) -> tuple[int, int]:
    """The same as native code has it."""
    tag = int(stand.path[-1].replace("x", "0"), 16)
    path = ".".join(name(one) for one in stand.path)
    counts = [0, 0]
    for one in check(data, rules=("structure", "-MODULE_MISSING")):
        if int(one.tag) == tag and re.sub(r"\[\d+\]", "", one.path) == path:
            counts[0] += one.count if one.code in MISSING else 0
            counts[1] += one.count if one.code in REFUSED else 0
    return counts[0], counts[1]


def differences(key: tuple[str, int], condition: Condition, places: list[Stand]) -> tuple[set[str], list[Any]]:
    """The verdicts that were seen, and the objects that the two sides differ on."""
    dice = random.Random(f"{key}")
    seen: set[str] = set()
    unlike = []
    for turn in range(MOST_DRAWS):
        if turn >= DRAWS and len(seen) > 1:
            break
        stand = dice.choice(places)
        made = Maker(stand, condition, dice)
        for there in (False, True):
            data = made.encode(there=there)
            missing, refused, verdicts = expected(data, stand, condition)
            seen |= verdicts
            if found(data, stand) != (missing, refused):
                unlike.append((stand, there, (missing, refused), found(data, stand)))
    return seen, unlike


def is_testable(condition: Condition) -> bool:
    """Whether the condition does not ask for a module: which ones are there is no matter of the objects made here."""
    return not any(leaf[0] == "module" for tree in condition.trees() for leaf in leaves(tree))


# The sequence of a macro of functional groups, whose presence is looked at as that of the group.
GROUPS_OF_THEIR_OWN = {("C.8.15.3.12-1", 0), ("C.36.2.2.21-1", 0)}


def test_native_code_and_the_evaluator_agree_on_every_condition():
    unlike, both, tested = [], 0, 0
    for key, condition in trees().items():
        places = stands().get(key) if isinstance(key[1], int) else None
        if not places or not is_testable(condition) or key in GROUPS_OF_THEIR_OWN:
            continue
        seen, differing = differences(key, condition, places)
        tested += 1
        both += len(seen) > 1
        unlike += [(key, *one) for one in differing[:1]]
    assert unlike == []
    assert tested > 1600
    assert both / tested > 0.97


def group_stands() -> Iterator[tuple[str, str, Condition, Stand]]:
    """Each conditional macro of the frames' functional groups whose sequence is due where the macro is."""
    framed = {row[0] for row in sources.usage_rows()[0] if row[5] == "C.7.6.16-1"}
    for (iod, kind, module), decision in usage_decisions().items():
        if kind != "group" or decision.condition is None or iod not in framed & sop_classes().keys():
            continue
        first = next(row for row in sources.modules()[module] if row[1] not in ("+", "*"))
        if first[3] in ("1", "2"):
            path = (sources.FRAME_GROUPS, first[1])
            yield iod, module, decision.condition, Stand(sop_classes()[iod][0], path, "", ())


def missing_groups(data: bytes, stand: Stand, condition: Condition) -> int:
    """How many frames lack a macro that is due."""
    root, tag = dc.dcmread(data), int(stand.path[-1], 16)
    shared = root.get(int(sources.SHARED_GROUPS, 16))
    if shared is not None and any(tag in one for one in shared.value):
        return 0
    return sum(tag not in spot.chain[-1] and spot.value(condition.required) == YES for spot in spots(root, stand.path))


def test_native_code_and_the_evaluator_agree_on_functional_groups():
    unlike, both, tested = [], 0, 0
    for iod, module, condition, stand in group_stands():
        if not is_testable(condition):
            continue
        dice, seen = random.Random(f"{iod} {module}"), set()
        for _ in range(MOST_DRAWS):
            data = Maker(stand, condition, dice).encode(there=False)
            wanted = missing_groups(data, stand, condition)
            seen.add(bool(wanted))
            tag = int(stand.path[-1], 16)
            report = check(data, rules=("structure", "-MODULE_MISSING"))
            counted = sum(one.count for one in report if one.code == "GROUP_MISSING" and int(one.tag) == tag)
            if counted != wanted:
                unlike.append((iod, module, wanted, counted))
                break
        both += len(seen) > 1
        tested += 1
    assert unlike == []
    assert (tested, both) == (119, 117)
