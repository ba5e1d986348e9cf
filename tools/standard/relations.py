"""Relationships that each IOD of structured reports permits (PS3.3 A.35), as a native table."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.make_tables import numbers
from tools.standard.headers import closing, counted, opening, text
from tools.standard.template_rows import RELATIONSHIPS, VALUE_TYPES

SOURCE = "vupeter/posdaJS, 2016 (MIT), and sr_relations.toml from DCMTK, 2026 (BSD); SOP classes as in iods.h"
MORE = Path(__file__).with_name("sr_relations.toml")
TYPES = [name for name in VALUE_TYPES if name not in ("", "INCLUDE", "OPEN")]


def relation_header(sources: Path) -> str:
    rows = json.loads((sources / "sr_relations.json").read_text(encoding="utf-8"))["rows"]
    classes = json.loads((sources / "iods.json").read_text(encoding="utf-8"))["sop_classes"]
    return text(lines(permitted([*rows, *read_more()]), {uid: iod for uid, _, iod, *_ in classes}))


def read_more(path: Path = MORE) -> list[list[object]]:
    """The rows of sr_relations.toml, as the source has its own."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["more"]
    assert all(entry["clause"] and entry["source"] for entry in entries)
    found: list[list[object]] = []
    for entry in entries:
        for row in entry["rows"]:
            sources, relationship, targets = (cell.strip() for cell in row.split("|"))
            found += [["", iod, sources.split(", "), relationship, targets.split(", "), None] for iod in entry["iods"]]
    return found


def permitted(rows: list[list[object]]) -> dict[str, dict[tuple[int, int], int]]:
    """By IOD: for a source's value type and a relationship the targets' value types, as bits."""
    found: dict[str, dict[tuple[int, int], int]] = {}
    for _, iod, sources, relationship, targets, marks in rows:
        related = RELATIONSHIPS[2:] if str(relationship).startswith("any type") else [relationship]
        left_out = [marks for mark in marks or [] if "except CONTAINER" in mark[1]]
        from_types = [name for name in expanded(sources) if not left_out or name != "CONTAINER"]
        mask = sum(1 << VALUE_TYPES.index(name) for name in expanded(targets))
        for source in from_types:
            for name in related:
                key = VALUE_TYPES.index(source), RELATIONSHIPS.index(name)
                kept = found.setdefault(str(iod), {})
                kept[key] = kept.get(key, 0) | mask
    return found


def expanded(names: list[str]) -> list[str]:
    return TYPES if "any type" in names else names


def lines(table: dict[str, dict[tuple[int, int], int]], classes: dict[str, str]) -> Iterator[str]:
    iods = sorted(table)
    uids = sorted(uid for uid, iod in classes.items() if iod in table)
    rows = [f"{{{iods.index(iod)}, {source}, {name}, 0x{mask:X}}}"
            for iod in iods for (source, name), mask in sorted(table[iod].items())]  # fmt: skip
    counts = f"{len(iods)} IODs of {len(uids)} SOP classes, {len(rows)} rows"
    yield from opening("RELATIONS", "Relationships of content items.", SOURCE, counts, "template_rows.h")
    yield from counted("RULE_SR_CLASS", len(uids))
    yield f"static const rule_sr_class_t RULE_SR_CLASSES[{len(uids)}] = {{"
    yield from numbers((f'{{"{uid}", {iods.index(classes[uid])}}}' for uid in uids), 2)
    yield "};"
    yield ""
    yield from counted("RULE_RELATION", len(rows))
    yield f"static const rule_relation_t RULE_RELATIONS[{len(rows)}] = {{"
    yield from numbers(rows, 8)
    yield "};"
    yield from closing()
