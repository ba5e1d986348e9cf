"""modules.json: modules and macros as PS3.3 2025e writes them."""

from __future__ import annotations

from typing import Any

from tools.standard.model import Module, Row


def read_modules(source: dict[str, Any]) -> dict[str, Module]:
    return {
        key: Module(
            key,
            entry["name"],
            entry["kind"],
            entry["section"] or "",
            [read_row(row, (key, number)) for number, row in enumerate(entry["rows"])],
        )
        for key, entry in source["modules"].items()
    }


def read_row(row: list[Any], origin: tuple[str, int] | None) -> Row:
    depth, tag, *rest = row
    if tag == "+":
        return Row(depth, None, include=rest[0], condition=rest[1], origin=origin)
    if tag == "*":
        return Row(depth, None, origin=origin)
    keyword, kind, items, condition, _ = rest
    return Row(depth, tag, keyword, kind, items, condition=condition, origin=origin)
