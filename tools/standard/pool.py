"""The conditions of the tables as numbers of byte strings; 0 is none.

The byte strings are those of `tools.standard.conditions`, whose ``code`` module says what they mean. Without that
package every number is 0.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field


@dataclass
class ConditionPool:
    """Equal conditions have one number; numbers are given in the order in which they are asked for."""

    codes: Mapping[Hashable, bytes] = field(default_factory=dict)
    numbers: dict[bytes, int] = field(default_factory=lambda: {b"": 0})
    tags: list[str] = field(default_factory=list)
    sets: list[tuple[str, ...]] = field(default_factory=list)
    strings: list[str] = field(default_factory=list)

    def number(self, key: Hashable) -> int:
        """The number of a condition by its key in `read_codes`; 0 if it has no code."""
        return self.numbers.setdefault(self.codes.get(key, b""), len(self.numbers))


def row_key(origin: tuple[str, int] | None) -> Hashable:
    """The condition of a row: its module and number in the source."""
    return ("row", *origin) if origin else None


def usage_key(iod: str, kind: str, module: str, name: str) -> Hashable:
    """The condition of a module ("module") or of a macro among the functional groups ("group") of an IOD."""
    return ("usage", iod, kind, module, name)


def use_key(condition: str | None) -> Hashable:
    """The condition under which a value set holds, by the name that its source gives."""
    return ("use", condition) if condition else None


def read_codes() -> Mapping[Hashable, bytes]:
    """Every condition's code by its key."""
    if importlib.util.find_spec("tools.standard.conditions") is None:
        return {}
    codes: Callable[[], Mapping[Hashable, bytes]] = importlib.import_module("tools.standard.conditions").codes
    return codes()
