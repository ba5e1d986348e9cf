"""The conditions of the native tables, decoded, are those that the generator has."""

from __future__ import annotations

from typing import Any

import pytest

from dicomcore._native.rules import tables
from tests.support import standard

conditions = pytest.importorskip("tools.standard.conditions", reason="the generator has no conditions yet")
pytestmark = pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT)


def pool() -> Any:
    """The native pools in the generator's form; each repeating group has an F for each x."""
    tags, sets, modules = tables.condition_pool()
    names = [f"{tag:08X}" for tag in tags]
    return conditions.Pool(names, sets, [tables.module(number)[2] for number in modules])


def plain(value: Any) -> Any:
    """A condition with its sets of strings in order, and tags as the tables have them."""
    if isinstance(value, str):
        return value.replace("60xx", "60FF").replace("50xx", "50FF")
    if isinstance(value, tuple):
        parts = tuple(map(plain, value))
        if value[:1] in (("in",), ("other",), ("code",)):
            return (*parts[:-1], tuple(sorted("|".join(one) if isinstance(one, tuple) else one for one in parts[-1])))
        return parts
    return value


def described(condition: Any) -> tuple[Any, ...]:
    return (condition.otherwise, *(plain(tree) for tree in condition.trees()))


def test_rows():
    guards = {key: conditions.Condition(tree) for key, tree in conditions.includes().items()}
    expected, found = {**conditions.trees(), **guards}, 0
    shared = pool()
    source = standard.load("modules")["modules"]
    for number in range(tables.counts()["modules"]):
        *_, key = tables.module(number)
        rows = tables.rows(number)
        if len(rows) != len(source[key]["rows"]):
            continue  # a module with rows of 2026b, whose numbers are others
        for at, row in enumerate(rows):
            wanted = expected.get((key, at))
            code = tables.condition(row[-1])
            assert bool(code) == (wanted is not None), (key, at)
            if wanted is not None:
                assert described(conditions.decode_condition(code, shared)) == described(wanted), (key, at)
                found += 1
    assert found > 1500


def test_usages():
    expected = conditions.trees()
    shared = pool()
    sop_classes = standard.load("iods")["sop_classes"]
    for uid, _, iod, _ in sop_classes:
        _, usages, groups, _ = tables.iod(tables.find(uid))
        for module, _, usage, condition in usages + groups:
            wanted = expected.get((iod, tables.module(module)[2])) if usage == "C" else None
            code = tables.condition(condition)
            assert bool(code) == (wanted is not None), (iod, module)
            if wanted is not None:
                assert described(conditions.decode_condition(code, shared)) == described(wanted)
