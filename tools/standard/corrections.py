"""What is decided by hand (overrides.toml), applied to what the readers give.

An entry that no longer fits its source is an error: a source of another edition needs another look.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.standard.model import Iod, Module, Refinement, Row, ValueSet
from tools.standard.readers.types_2026b import Change

OVERRIDES = Path(__file__).with_name("overrides.toml")


def read_overrides(path: Path = OVERRIDES) -> dict[str, list[dict[str, Any]]]:
    overrides = tomllib.loads(path.read_text(encoding="utf-8"))
    assert all(entry.get("clause") for entries in overrides.values() for entry in entries)
    return overrides


def correct_modules(modules: dict[str, Module], overrides: dict[str, list[dict[str, Any]]]) -> None:
    for entry in overrides["name"]:
        modules[entry["module"]].name = entry["name"]
    for entry in overrides["depth"]:
        change(modules, entry, depth=entry["depth"])
    for entry in overrides["type"]:
        change(modules, entry, type=entry["type"])
    for entry in overrides["items"]:
        change(modules, entry, items=entry["items"])
    for entry in overrides["insert"]:
        insert(modules[entry["module"]], entry["after"], [inserted(*row) for row in entry["rows"]])
    for entry in overrides["refine"]:
        for number in entry["rows"]:
            refine(modules, modules[entry["module"]], number, entry["tag"], entry["type"])


def change(modules: dict[str, Module], entry: dict[str, Any], **fields: Any) -> None:
    """Give one row other fields, which must not be those that it has."""
    rows = modules[entry["module"]].rows
    at = position(rows, entry["row"])
    changed = replace(rows[at], **fields)
    assert changed != rows[at], f"nothing to change: {entry}"
    rows[at] = changed


def position(rows: list[Row], number: int) -> int:
    """Where the row with a number in the source stands now."""
    return next(at for at, row in enumerate(rows) if row.origin and row.origin[1] == number)


def insert(module: Module, after: int, rows: list[Row]) -> None:
    known = {(row.depth, row.tag) for row in module.rows if row.tag and row.depth == 0}
    assert not known & {(row.depth, row.tag) for row in rows}, f"{module.id} has the rows already"
    at = position(module.rows, after) + 1
    module.rows[at:at] = rows


def inserted(depth: int, tag: str, name: str, kind: str = "", items: str | None = None) -> Row:
    if tag == "+":
        return Row(depth, None, include=name)
    return Row(depth, tag, name, kind, items)


def refine(modules: dict[str, Module], module: Module, number: int, tag: str, kind: str) -> None:
    """Give an attribute that an include brings another type, wherever it lies below the include."""
    at = position(module.rows, number)
    row = module.rows[at]
    assert row.include is not None
    paths = [path for path, found in flatten(modules, row.include) if found.tag == tag]
    shortest = min(map(len, paths))
    base = parents(module.rows, at)
    for path in paths:
        if len(path) == shortest:
            conditional = kind.endswith("C")
            condition = row.condition if conditional else None
            module.refinements.append(Refinement((*base, *path), kind, condition, row.origin if conditional else None))


def parents(rows: list[Row], at: int) -> tuple[str, ...]:
    """Tags of the sequences around a row."""
    path: list[str] = []
    for row in rows[:at]:
        path[row.depth :] = [row.tag or ""]
    found = tuple(path[: rows[at].depth])
    assert len(found) == rows[at].depth
    assert all(found), "inside a sequence that an include has opened"
    return found


def flatten(modules: dict[str, Module], key: str, stack: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Row]]:
    """Paths of a table's attributes, includes entered unless they are open; functional groups are left out."""
    if key in stack or key not in modules:
        return
    path: list[str] = []
    for row in modules[key].rows:
        if row.include is not None:
            base = tuple(path[: row.depth])
            for inner, found in flatten(modules, row.include, (*stack, key)):
                path[row.depth :] = inner  # rows may go on inside a sequence that an include opened
                yield base + inner, found
        elif row.tag is not None:
            path[row.depth :] = [row.tag]
            yield tuple(path), row


def correct_iods(iods: dict[str, Iod], overrides: dict[str, list[dict[str, Any]]]) -> None:
    for entry in overrides["usage"]:
        usages = iods[entry["iod"]].usages
        at = next(at for at, usage in enumerate(usages) if usage.name == entry["name"])
        assert usages[at].module != entry["module"], f"nothing to change: {entry}"
        usages[at] = replace(usages[at], module=entry["module"])


def correct_sop_classes(classes: dict[str, tuple[str, str]], overrides: dict[str, list[dict[str, Any]]]) -> None:
    for entry in overrides["sop_class"]:
        assert entry["uid"] not in classes, f"nothing to add: {entry}"
        classes[entry["uid"]] = (entry["name"], entry["iod"])


def correct_sets(sets: dict[str, ValueSet], overrides: dict[str, list[dict[str, Any]]]) -> None:
    for entry in overrides["values"]:
        found = sets[entry["set"]]
        corrected = replace(found, values=tuple(entry["values"]))
        assert corrected != found, f"nothing to change: {entry}"
        sets[entry["set"]] = corrected


def unmet(modules: dict[str, Module], changes: list[Change]) -> list[Change]:
    """Changes of edition that the corrected modules don't have; those of functional groups are looked up by their last
    two tags in any macro."""
    paths = {key: {path: row.type for path, row in flatten(modules, key)} for key in modules}
    groups = {path: kind for found in paths.values() for path, kind in found.items() if len(path) == 2}

    def has(one: Change) -> bool:
        if one.path[0] in ("52009229", "52009230"):
            return groups.get(one.path[1:]) == one.after
        return paths[one.module].get(one.path) == one.after

    return [one for one in changes if not has(one)]
