"""The tables of the standard as data, as conditions need them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from tools.standard.place import ABSENT, ROOT

__all__ = ["ABSENT", "ROOT", "Place", "Row", "Usage", "load", "modules", "rows", "usage_rows", "usages", "walk"]

SHARED_GROUPS = "52009229"
FRAME_GROUPS = "52009230"
CURRENT_GROUPS = "00060001"


class Row(NamedTuple):
    """A conditional row of a module's table."""

    module: str
    number: int
    tag: str
    type: str
    text: str
    source: str
    """``g`` and the other letters of the tables' README."""
    path: tuple[str, ...]
    """Its sequences in this table, then its tag."""


class Place(NamedTuple):
    """An attribute where a module, or an IOD, has it."""

    path: tuple[str, ...]
    module: str
    number: int


class Usage(NamedTuple):
    """A module, or macro of functional groups, that an IOD has on a condition."""

    iod: str
    kind: str
    module: str
    name: str
    text: str


@cache
def load(name: str) -> Any:
    """One of the files, by its name without .json."""
    return json.loads((ROOT / f"{name}.json").read_text(encoding="utf-8"))


@cache
def modules() -> dict[str, list[list[Any]]]:
    """Rows of each module, with the errata of its includes applied."""
    tables: dict[str, list[list[Any]]] = {
        module: [list(row) for row in table["rows"]] for module, table in load("modules")["modules"].items()
    }
    for kind, module, row, _, right, _ in load("types_2026b")["errata"]:
        if kind == "modules":
            include = tables[module][int(row.removeprefix("row ")) - 1]  # counted from 1
            if include[1] != "+":
                raise ValueError(f"{row} of {module} is no include")
            include[0] = int(right.removeprefix("depth "))
    return tables


@cache
def usage_rows() -> tuple[list[list[Any]], list[list[Any]]]:
    """Modules and macros of all IODs, with the errata applied."""
    iods = load("iods")
    right = {(r[1], r[2]): r[4].removeprefix("module id ") for r in load("types_2026b")["errata"] if r[0] == "iods"}
    tables = ([list(r) for r in iods["modules"]], [list(r) for r in iods["groups"]])
    for row in (*tables[0], *tables[1]):
        row[5] = right.get((row[0], row[2]), row[5])
    return tables


def walk(module: str, groups: tuple[str, ...] = (), entered: tuple[str, ...] = ()) -> Iterator[Place]:
    """Each attribute of a module with what it includes, at its path; an include that is open isn't entered again."""
    if module in entered:
        return
    path: list[str] = []
    for number, row in enumerate(modules()[module]):
        depth = row[0]
        if row[1] == "+":
            head = tuple(path[:depth])
            for one in groups if row[2] == "@groups" else (row[2],):
                for place in walk(one, groups, (*entered, module)):
                    path[depth:] = place.path
                    yield place._replace(path=head + place.path)
        elif row[1] != "*":
            path[depth:] = [row[1]]
            yield Place(tuple(path), module, number)


def rows() -> list[Row]:
    """Every conditional row, in the order of the tables."""
    found = []
    for module, table in modules().items():
        paths = {place.number: place.path for place in walk(module) if place.module == module}
        for number, row in enumerate(table):
            if row[1] not in ("+", "*") and row[3] in ("1C", "2C"):
                found.append(Row(module, number, row[1], row[3], row[5] or "", row[6], paths[number]))
    return found


def usages() -> list[Usage]:
    """Every conditional module and macro of an IOD."""
    used, groups = usage_rows()
    found = [Usage(r[0], "module", r[5], r[2], r[4]) for r in used if r[3] == "C"]
    return found + [Usage(r[0], "group", r[5], r[2], r[4]) for r in groups if r[3] == "C"]
