"""DVTk's conditions of 2010, a third opinion for tests alone: in the form of ours, for the rows that it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tools.standard.conditions import sources
from tools.standard.conditions.predicates import NUMERIC, is_sequence
from tools.standard.conditions.sources import Row
from tools.standard.conditions.tree import Tree, join
from tools.standard.conditions.words import vr_of


def _plain(name: str) -> str:
    name = name.lower().replace(" module", "").replace(" macro", "")
    return "".join(one for one in name if one.isalnum())


def rows() -> Iterator[tuple[Row, Tree]]:
    """Each of our rows that it has by the module's name and the path, with what it is required by."""
    table = sources.load("conditions_dvtk")
    modules = defaultdict(list)
    for module, entry in sources.load("modules")["modules"].items():
        modules[_plain(entry["name"])].append(module)
    known = {(row.module, "/".join(row.path)): row for row in sources.rows()}
    seen = set()
    for name, path, _, number, _ in table["rows"]:
        required = table["expressions"][number][0]
        for module in modules[_plain(name)]:
            row = known.get((module, path))
            tree = convert(required) if required and row else None
            if row and tree is not None and tree[0] not in ("true", "false") and row not in seen:
                seen.add(row)
                yield row, tree


def convert(tree: list[Any]) -> Tree | None:
    """A tree in the form of ours; None if it has no form there."""
    kind = tree[0]
    if kind in ("and", "or", "not"):
        parts = [part for part in map(convert, tree[1:]) if part is not None]
        if len(parts) < len(tree) - 1:
            return None
        return ("not", parts[0]) if kind == "not" else join(kind, *parts)
    if kind in ("true", "false"):
        return (kind,)
    *above, tag = tree[1].split("/")
    ups = above.count("..")
    scope = "/".join([*([".."] * ups or ["."]), *above[ups:]])
    if kind == "has":
        return ("has", scope, tag)
    if kind == "empty":
        filled = ("items", scope, tag, ">", 0) if is_sequence(tag) else ("val", scope, tag, 0)
        return ("and", ("has", scope, tag), ("not", filled))
    if kind == "cmp":
        relation = {"=": "==", "<>": "!="}.get(tree[3], tree[3])
        return ("cmp", scope, tag, tree[2], relation, int(tree[4]))
    values = [str(value).strip() for value in tree[3]]
    if vr_of(tag) == "AT":
        return join("or", *[("tag", scope, tag, tree[2], value.removeprefix("0x")) for value in values])
    if vr_of(tag) in NUMERIC and all(value.isdigit() for value in values):
        return join("or", *[("cmp", scope, tag, tree[2], "==", int(value)) for value in values])
    return ("in", scope, tag, tree[2], tuple(values))
