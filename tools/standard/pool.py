"""The conditions of the tables as numbers of byte strings; 0 is none.

The byte strings are those of `tools.standard.conditions`, whose ``code`` module says what they mean, as are the pools
of tags, value sets and modules that they refer to by index. Without that package every number is 0.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.standard.readers.values import NEVER

PACKAGE = "tools.standard.conditions"


@dataclass
class ConditionPool:
    """Equal conditions have one number; numbers are given in the order in which they are asked for."""

    codes: dict[Hashable, bytes] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    sets: list[tuple[str, ...]] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    numbers: dict[bytes, int] = field(default_factory=lambda: {b"": 0})

    def number(self, key: Hashable) -> int:
        """The number of a condition by its key; 0 if it has no code."""
        return self.numbers.setdefault(self.codes.get(key, b""), len(self.numbers))


def row_key(origin: tuple[str, int] | None) -> Hashable:
    """The condition of a row: its module and number in the source."""
    return origin


def usage_key(iod: str, module: str) -> Hashable:
    """The condition of a module, or of a macro among the functional groups, of an IOD."""
    return (iod, module)


def use_key(condition: str | None) -> Hashable:
    """The condition under which a value set holds, by the name that its source gives."""
    return condition


def read_conditions(sources: Path) -> ConditionPool:
    """Every condition that a machine can tell."""
    if importlib.util.find_spec(PACKAGE) is None:
        return ConditionPool()
    conditions = importlib.import_module(PACKAGE)
    pool = conditions.Pool()
    codes = {key: conditions.encode_condition(one, pool) for key, one in conditions.trees().items()}
    codes |= {
        key: conditions.encode_condition(conditions.Condition(tree), pool)
        for key, tree in conditions.includes().items()
    }
    codes |= {name: conditions.encode_condition(one, pool) for name, one in read_uses(sources).items()}
    return ConditionPool(codes, pool.tags, pool.sets, pool.strings)


def read_uses(sources: Path) -> dict[str, Any]:
    """The conditions of value sets by name; they hold where `required` is yes. Those that look where ours cannot are
    left out."""
    convert = importlib.import_module(f"{PACKAGE}.dicom3tools").convert
    condition = importlib.import_module(PACKAGE).Condition
    named = json.loads((sources / "conditions.json").read_text(encoding="utf-8"))["conditions"]
    source = json.loads((sources / "values.json").read_text(encoding="utf-8"))
    used = {row[-1] for key in ("uses", "not_zero", "vm") for row in source[key]} - {None, NEVER}
    trees = {name: convert(named[name]) for name in sorted(used)}
    return {name: condition(tree) for name, tree in trees.items() if tree is not None}
