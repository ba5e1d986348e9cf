"""Conditions of the second source, in the form of ours."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

from tools.standard.conditions.sources import FRAME_GROUPS, SHARED_GROUPS, Row, load
from tools.standard.conditions.tree import ABSENT, FREE, LOGIC, Condition, Tree, join, leaves

SCOPES = {f"/{SHARED_GROUPS}//": "@", f"/{FRAME_GROUPS}[1]//": "@", f"/{FRAME_GROUPS}//": "@"}


@cache
def _by_place() -> dict[tuple[str, str], list[list[Any]]]:
    ids = {row[0]: row[4] for row in load("conditions")["modules"]}
    found = defaultdict(list)
    for row in load("conditions")["requirements"]:
        if ids.get(row[0]):
            found[ids[row[0]], row[1]].append(row)
    return found


def rows_of(row: Row) -> list[list[Any]]:
    """What it has on a row."""
    return _by_place().get((row.module, "/".join(row.path)), [])


@cache
def _tree(name: str) -> Tree | None:
    return convert(load("conditions")["conditions"][name])


def convert(tree: list[Any]) -> Tree | None:
    """A tree in the form of ours; None if it looks where ours cannot."""
    kind = tree[0]
    if kind in LOGIC:
        parts = [convert(part) for part in tree[1:]]
        if None in parts:
            return None
        return join(kind, *parts) if kind in ("and", "or") else (kind, *parts)  # type: ignore[arg-type]
    if kind in ("true", "false"):
        return (kind,)
    scope = SCOPES.get(tree[1], tree[1])
    if "//" in scope or kind == "group":
        return None
    rest = [tuple(one) if isinstance(one, list) else one for one in tree[2:]]
    return (kind, scope, *rest)


def requirement(row: Row) -> Condition | None:
    """Its condition of a row, if it has one that says something: not always, never, or whether the row is there."""
    for _, _, _, name, free in rows_of(row):
        tree = _tree(name) if name else None
        if tree is None or tree[0] in ("true", "false"):
            continue
        if any(len(leaf) > 2 and leaf[1:3] == (".", row.tag) for leaf in leaves(tree)):
            continue
        return Condition(tree, FREE if free else ABSENT)
    return None
