"""The content of a document as arrays of numbers, for checks: one record an item, in the order of the document."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dicomcore.dataset.code import Code
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.sr.context_groups import code_at

if TYPE_CHECKING:
    from dicomcore._native.scan.index import Index

__all__ = ["Content"]

ITEM_TYPE = np.dtype(
    [
        ("row", "u4"),
        ("parent", "i4"),
        ("ordinal", "i4"),
        ("concept", "i4"),
        ("value", "i4"),
        ("template", "i4"),
        ("flags", "u2"),
        ("relationship", "u1"),
        ("value_type", "u1"),
    ],
    align=True,
)
MOST_ITEMS = 2_000_000
"""Content items of one document before LimitError is raised."""


class Content:
    """The items of a document. `references` are those by reference, with the positions that they refer to."""

    def __init__(self, index: Index, limits: Limits = DEFAULT_LIMITS) -> None:
        from dicomcore._native.check import content as _native  # its tables are large

        most = min(MOST_ITEMS, limits.elements)
        records, self.codes, self.templates, references = _native.items(index, most, limits.depth)
        self.records = records
        self.items: Any = np.frombuffer(records, ITEM_TYPE)
        self.references = dict(references)
        self.targets: dict[int, int] = {}
        for number, target in references:
            found = self.at(target)
            if found is not None:
                self.targets[number] = found

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def _places(self) -> dict[tuple[int, int], int]:
        """Numbers of items by the number of their parent and their place below it."""
        parents, ordinals = self.items["parent"].tolist(), self.items["ordinal"].tolist()
        return {key: number for number, key in enumerate(zip(parents, ordinals, strict=True))}

    def at(self, position: tuple[int, ...]) -> int | None:
        """The number of the item at a position; None if there is none."""
        if not position or position[0] != 1:
            return None
        number: int | None = 0
        for ordinal in position[1:]:
            if number is None:
                return None
            number = self._places.get((number, ordinal))
        return number

    def position(self, number: int) -> str:
        """The position of an item, such as ``"1.8.1.5"``."""
        parts = []
        while number > 0:
            parts.append(int(self.items[number]["ordinal"]))
            number = int(self.items[number]["parent"])
        return ".".join(map(str, (1, *reversed(parts))))

    def code(self, number: int) -> Code | None:
        """The code with a number: one of the tables, or one that they do not have."""
        if number >= 0:
            return code_at(number)
        if number == -1:
            return None
        scheme, value, meaning = self.codes[-2 - number]
        return Code(value, scheme, meaning)

    def kinds(self) -> tuple[Any, list[Any]]:
        """The number of each item's kind, and what the kinds are: see the native module."""
        from dicomcore._native.check import content as _native

        numbers, kinds = _native.signatures(self.records, self.targets)
        return np.frombuffer(numbers, np.int32), kinds
