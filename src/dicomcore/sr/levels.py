"""Templates made ready for matching: the rows that the children of a content item may be items of.

A level is made of ranges of rows. Includes are expanded, with their parameters bound; a template that is being expanded
is not entered again. Levels are made when an item asks for them, and are kept.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, NamedTuple

from dicomcore.sr.template_views import BY_REFERENCE, MAY_OTHERWISE, OPEN, expression, native

INCLUDE = 17
MOST_LEVELS = 200  # that are looked at below one; a template that includes itself has no end of them
UNIQUE, MANDATORY, MANDATORY_IF, ONLY_IF = range(4)  # as REQUIREMENTS counts them
NUM = 9

Tree = Any
"""An expression of the tables as nested tuples."""


class Range(NamedTuple):
    """Rows of a template at one depth, from `first` to `stop`, with the parameters that hold there."""

    template: int
    first: int
    stop: int
    depth: int
    bindings: tuple[tuple[str, Tree], ...]


class Group(NamedTuple):
    """An include in a level: the items of its rows belong together."""

    template: str
    number: str
    requirement: int
    condition: Tree
    may_be_otherwise: bool
    above: int  # the number of the group around it, -1: none


class Slot(NamedTuple):
    """A row in a level."""

    template: str
    number: str
    is_old: bool
    relationship: int  # 0: any
    value_type: int
    by_reference: bool
    concept: Tree
    value: Tree
    least: int
    most: int  # 0: any number
    requirement: int
    condition: Tree
    may_be_otherwise: bool
    group: int
    below: tuple[Range, ...]


NO_SLOT = Slot("", "", False, 0, 0, False, None, None, 0, 0, 0, None, False, -1, ())


class Level:
    """The slots of a level, and those by the number of the code that is their concept."""

    __slots__ = ("generic", "groups", "is_open", "looks_up", "named", "other", "slots", "twins")

    def __init__(self, ranges: tuple[Range, ...]) -> None:
        self.slots: list[Slot] = []
        self.groups: list[Group] = []
        self.is_open = False
        self.other = NO_SLOT._replace(template=_rows(ranges[0].template)[0]) if ranges else NO_SLOT
        """In the place of a slot, for items that have none."""
        for one in ranges:
            self._expand(one, 0, 0, -1, (), set())
        self.named: dict[int, list[int]] = {}
        self.generic: list[int] = []
        for number, slot in enumerate(self.slots):
            codes = _codes(slot.concept)
            if codes is None:
                self.generic.append(number)
            else:
                for code in codes:
                    self.named.setdefault(code, []).append(number)

        conditions = [slot.condition for slot in self.slots] + [group.condition for group in self.groups]
        self.looks_up = any(map(_looks_up, conditions))
        """Whether a condition here is about what is around the item whose children are matched."""
        self.twins: list[list[int]] = [self._twins(slot) for slot in self.slots]
        """For each slot those of other templates that ask for the same: an item is enough for all of them."""

    def _twins(self, slot: Slot) -> list[int]:
        codes = _codes(slot.concept) or []
        return [
            number
            for code in codes
            for number in self.named[code]
            if (other := self.slots[number]).template != slot.template
            and other.value_type == slot.value_type
            and other.by_reference == slot.by_reference
        ]

    def _expand(
        self, one: Range, relationship: int, most: int, group: int, extra: tuple[Range, ...], entered: set[Hashable]
    ) -> None:
        """Add the rows of a range; `most` is 0 if an include around them may come any number of times, else 1 or more.

        `extra` are rows below the include itself, which belong below its items.
        """
        key = one.template, one.first, one.bindings
        if key in entered:
            return
        entered.add(key)
        name, is_old, rows = _rows(one.template)
        bindings = dict(one.bindings)
        for at in range(one.first, one.stop):
            number, depth, related, kind, least, limit, requirement, flags, concept, value, condition, bound, target = (
                rows[at]
            )
            if depth != one.depth:
                continue
            stop = at + 1
            while stop < one.stop and rows[stop][1] > depth:
                stop += 1
            below = (Range(one.template, at + 1, stop, depth + 1, one.bindings),) if stop > at + 1 else ()
            if kind == OPEN:
                self.is_open = True
            elif kind == INCLUDE:
                self.groups.append(Group(name, number, requirement, condition, bool(flags & MAY_OTHERWISE), group))
                given = tuple((key, _bound(tree, bindings)) for key, tree in bound)
                included = Range(target, 0, len(_rows(target)[2]), 1, given)
                many = 0 if limit == 0 or (most == 0 and group >= 0) else limit
                self._expand(included, related or relationship, many, len(self.groups) - 1, below + extra, entered)
            else:
                many = 0 if limit == 0 or (most == 0 and group >= 0) else limit * (most or 1)
                self.slots.append(
                    Slot(
                        name,
                        number,
                        is_old,
                        related or relationship,
                        kind,
                        bool(flags & BY_REFERENCE),
                        _bound(concept, bindings),
                        _bound(value, bindings),
                        least,
                        many,
                        requirement,
                        condition,
                        bool(flags & MAY_OTHERWISE),
                        group,
                        below + extra,
                    )
                )
        entered.discard(key)


@cache
def level_of(ranges: tuple[Range, ...]) -> Level:
    """The level of these rows."""
    return Level(ranges)


@cache
def looks_up(ranges: tuple[Range, ...]) -> bool:
    """Whether the level of these rows, or one below it, has a condition about what is around it."""
    seen, pending = {ranges}, [ranges]
    while pending:
        level = level_of(pending.pop())
        if level.looks_up:
            return True
        below = {slot.below for slot in level.slots if slot.below and not slot.by_reference} - seen
        seen |= below
        pending += below
        if len(seen) > MOST_LEVELS:
            return True
    return False


@cache
def whole(template: int) -> tuple[Range, ...]:
    """The rows of a template that no other includes."""
    return (Range(template, 0, len(_rows(template)[2]), 1, ()),)


@cache
def _rows(template: int) -> tuple[str, bool, list[tuple[Any, ...]]]:
    """(the template's number with letters, whether it is of 2016, its rows with expressions as tuples)."""
    tables = native()
    key, _, number, edition = tables.template(template)
    letters = key[len(str(number)) :]
    rows = []
    for row in tables.rows(template):
        *fields, concept, value, condition, bound, target = row
        given = tuple((name, _frozen(tree)) for name, tree in (expression(bound) or {}).items())
        parts = [_frozen(expression(part)) for part in (concept, value, condition)]
        rows.append((*fields, *parts, given, target))
    return f"{number}{letters.upper() if len(letters) == 1 else ''}", edition == 1, rows


def _frozen(tree: Any) -> Tree:
    return tuple(map(_frozen, tree)) if isinstance(tree, list) else tree


def _bound(tree: Tree, bindings: dict[str, Tree]) -> Tree:
    """A concept or value with parameters replaced; one that is not bound leaves everything open."""
    if tree is None:
        return None
    if tree[0] == "$":
        return bindings.get(tree[1])
    if tree[0] == "|":
        parts = tuple(_bound(part, bindings) for part in tree[1:])
        return None if None in parts else ("|", *parts)
    return tree


def _looks_up(condition: Tree) -> bool:
    if not isinstance(condition, tuple) or not condition:
        return False
    if condition[0] == "count":
        return str(condition[1]).startswith("..")
    return any(map(_looks_up, condition[1:]))


def _codes(concept: Tree) -> list[int] | None:
    """The codes of a concept that is one of some codes; None for context groups and for any concept."""
    if concept is None:
        return None
    if concept[0] == "C":
        return [concept[1]]
    if concept[0] == "|":
        parts = [_codes(part) for part in concept[1:]]
        return None if None in parts else [code for part in parts for code in part or ()]
    return None
