"""Templates of PS3.16, as views of the native tables."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from dicomcore.sr.context_groups import ContextGroup, code_at, contexts

__all__ = ["Choice", "Parameter", "TemplateDefinition", "TemplateRow", "Templates", "templates"]

RELATIONSHIPS = (
    *("", "CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "INFERRED FROM", "SELECTED FROM"),
    "HAS CONCEPT MOD",
)
VALUE_TYPES = (
    *("", "CONTAINER", "TEXT", "DATE", "TIME", "DATETIME", "UIDREF", "PNAME", "CODE", "NUM", "COMPOSITE", "IMAGE"),
    *("WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "TABLE", "INCLUDE", ""),
)
REQUIREMENTS = ("U", "M", "MC", "UC")
EDITIONS = ("2022", "2016", "2024", "2026")
BY_REFERENCE, MAY_OTHERWISE = 1, 2
OPEN = 18  # the value type of an include whose target is not known


class Parameter(NamedTuple):
    """A parameter of a template: what it stands for is said where the template is included."""

    name: str


class Choice(NamedTuple):
    """The codes of context groups; `defined` ones are required (DCID), others are proposed (BCID)."""

    groups: tuple[ContextGroup, ...]
    defined: bool


class TemplateRow(NamedTuple):
    """A row of a template.

    `concept` and `value` are a Code, a Choice, a Parameter, several of them in a tuple, or None where the tables have
    none; the value of a NUM is its unit. `most` is None where there is no limit. `condition` is a tree of tuples, see
    the page on templates; ``("open",)`` can't be decided. `included` is the template that an include names, empty if it
    is not known; `bindings` are the values of its parameters. `depth` counts from 1.
    """

    number: str
    depth: int
    relationship: str
    by_reference: bool
    value_type: str
    concept: Any
    least: int
    most: int | None
    requirement: str
    condition: Any
    may_be_otherwise: bool
    """Whether the item may be there though the condition is false."""
    value: Any
    included: str
    bindings: dict[str, Any]


class TemplateDefinition(NamedTuple):
    """A template as the tables have it, with the `edition` of PS3.16 that its rows agree with.

    The tables do not say whether its order is significant, nor whether it is extensible.
    """

    identifier: str
    """Its number, with letters for a variant: ``"1500"``, ``"10003a"``."""
    name: str
    edition: str
    rows: tuple[TemplateRow, ...]

    def __repr__(self) -> str:
        return f"<TemplateDefinition {self.identifier} {self.name}>"


class Templates:
    """All templates: ``templates[1500]``, ``1500 in templates``, iteration over them in the order of numbers."""

    def __getitem__(self, identifier: int | str) -> TemplateDefinition:
        row = find(identifier)
        if row < 0:
            raise KeyError(f"there is no template {identifier}")
        return _definition(row)

    def __contains__(self, identifier: int | str) -> bool:
        return find(identifier) >= 0

    def __iter__(self) -> Iterator[TemplateDefinition]:
        return map(_definition, range(len(self)))

    def __len__(self) -> int:
        return int(native().counts()["templates"])

    def find(self, words: str) -> list[TemplateDefinition]:
        """The templates with all these words in their name, in any case."""
        wanted = words.lower().split()
        return [one for one in self if wanted and all(word in one.name.lower() for word in wanted)]


templates = Templates()
"""The templates by number."""


def find(identifier: int | str) -> int:
    """The row of a template in the native tables, -1 if there is none."""
    return int(native().find(str(identifier)))


@cache
def expression(number: int) -> Any:
    """An expression of the native tables as lists; None for 0."""
    return json.loads(native().expression(number)) if number else None


def native() -> Any:
    """The native tables, which are loaded when they are first asked."""
    from dicomcore._native.rules import templates as tables

    return tables


@cache
def _definition(row: int) -> TemplateDefinition:
    tables = native()
    key, name, _, edition = tables.template(row)
    return TemplateDefinition(key, name, EDITIONS[edition], tuple(map(_row, tables.rows(row))))


def _row(fields: tuple[Any, ...]) -> TemplateRow:
    number, depth, relationship, kind, least, most, requirement, flags, *parts, included = fields
    concept, value, condition, bindings = map(expression, parts)
    return TemplateRow(
        number,
        depth,
        RELATIONSHIPS[relationship],
        bool(flags & BY_REFERENCE),
        "INCLUDE" if kind == OPEN else VALUE_TYPES[kind],
        _seen(concept),
        least,
        most or None,
        REQUIREMENTS[requirement],
        _tree(condition),
        bool(flags & MAY_OTHERWISE),
        _seen(value),
        native().template(included)[0] if included >= 0 else "",
        {name: _seen(bound) for name, bound in (bindings or {}).items()},
    )


def _seen(tree: Any) -> Any:
    """A concept or value as objects."""
    if tree is None:
        return None
    kind, *parts = tree
    if kind == "C":
        return code_at(parts[0])
    if kind in ("D", "B"):
        return Choice(tuple(contexts[number] for number in parts), kind == "D")
    if kind == "$":
        return Parameter(parts[0])
    return tuple(map(_seen, parts)) if kind == "|" else tuple(tree)


def _tree(tree: Any) -> Any:
    """A condition with its codes as objects."""
    if not isinstance(tree, list):
        return tree
    if tree and tree[0] in ("C", "D", "B"):
        return _seen(tree)
    return tuple(map(_tree, tree))
