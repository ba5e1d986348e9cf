"""The conditions of all rows and usages: read from their texts, taken from the second source, or kept by hand."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.standard.conditions import dicom3tools, places
from tools.standard.conditions.reading import Reading, Unread
from tools.standard.conditions.sentences import read
from tools.standard.conditions.sources import Row, Usage, load, modules, rows, usages
from tools.standard.conditions.tree import ABSENT, FREE, UNDECIDED, Condition, Tree
from tools.standard.conditions.words import equal_codes

HERE = Path(__file__).resolve().parent

MACHINE, UNDECIDABLE, OPEN = "machine", "undecidable", "open"


@dataclass(frozen=True)
class Decision:
    """What became of a row or a usage: `kind` is machine, undecidable or open."""

    kind: str
    condition: Condition | None
    source: str
    """parsed, dicom3tools, override, or nothing."""
    reason: str
    """Why a machine can't tell, of the whole or of a part; for an open one, what wasn't read."""


@cache
def overrides(kind: str = "row") -> list[dict[str, Any]]:
    """Entries of overrides.toml: those of rows and usages, or of includes."""
    with (HERE / "overrides.toml").open("rb") as file:
        found: list[dict[str, Any]] = tomllib.load(file)[kind]
        return found


def _override(**wanted: Any) -> dict[str, Any] | None:
    for entry in overrides():
        same = all(wanted.get(key) == entry[key] for key in KEYS if key in entry)
        if same and ("kind" in entry) == ("kind" in wanted):
            return entry
    return None


KEYS = ("module", "tag", "number", "iod", "kind")


def as_tree(value: Any) -> Tree:
    """A tree from lists, codes in each scheme that has them."""
    if value[0] == "code":
        codes = tuple(code for scheme, text in value[3] for code in equal_codes(scheme, text))
        return (*value[:3], codes)
    return tuple(
        as_tree(one) if isinstance(one, list) and one and isinstance(one[0], str) and _is_operator(value, one)
        else tuple(one) if isinstance(one, list) else one
        for one in value
    )  # fmt: skip


def _is_operator(parent: Any, part: Any) -> bool:
    return parent[0] in ("and", "or", "xor", "not")


def decide_row(row: Row) -> Decision:
    """The condition of a row."""
    reading = Reading(
        lambda tag: places.scope_of(row.module, row.number, tag), row.path[-2] if len(row.path) > 1 else "", row.tag
    )
    second = dicom3tools.requirement(row)
    entry = _override(module=row.module, tag=row.tag, number=row.number)
    cut = row.source in ("g?", "-")
    return _decide(row.text, reading, entry, second, cut=cut)


def decide_usage(usage: Usage) -> Decision:
    """The condition of a module, or of a macro of functional groups, of an IOD."""
    group = usage.kind == "group"
    reading = Reading(
        lambda tag: places.scope_in_iod(usage.iod, tag, group),
        modules=lambda name: presence(usage.iod, name),
    )
    entry = _override(iod=usage.iod, module=usage.module, kind=usage.kind)
    entry = entry or _override(module=usage.module, kind=usage.kind)
    return _decide(usage.text, reading, entry, None, cut=False)


def _decide(
    text: str, reading: Reading, entry: dict[str, Any] | None, second: Condition | None, *, cut: bool
) -> Decision:
    if entry is not None:
        return _by_hand(entry, text, reading, second)
    try:
        if not text:
            raise Unread("no text")
        condition = read(text, reading)
    except Unread as unread:
        if second is not None:
            return Decision(MACHINE, second, "dicom3tools", "")
        return Decision(OPEN, None, "", str(unread))
    if cut and condition.otherwise == ABSENT and condition.permitted is None:
        condition = Condition(condition.required, FREE, None, condition.forbidden)  # what is cut may have said so
    reason = next(iter(reading.reasons), "")
    if not condition.machine:
        return Decision(UNDECIDABLE, None, "parsed", reason or "cut")
    return Decision(MACHINE, condition, "parsed", reason)


def _by_hand(entry: dict[str, Any], text: str, reading: Reading, second: Condition | None) -> Decision:
    if "reason" in entry:
        return Decision(UNDECIDABLE, None, "override", entry["reason"])
    if entry.get("source") == "dicom3tools":
        if second is None:
            raise ValueError(f"the second source has no condition for {entry}")
        return Decision(MACHINE, second, "dicom3tools", "")
    trees = {
        key: reading.settle(as_tree(entry[key])) if key in entry else None
        for key in ("required", "permitted", "forbidden")
    }
    required = trees["required"]
    assert required is not None, entry
    otherwise = entry.get("otherwise") or otherwise_of(text)
    condition = Condition(required, otherwise, trees["permitted"], trees["forbidden"])
    assert condition.machine, f"decides nothing: {entry}"
    return Decision(MACHINE, condition, "override", "" if condition.whole else "part")


def otherwise_of(text: str) -> str:
    """What a text says of the condition's being no, whatever the condition."""
    plain = text.lower()
    if "be present otherwise" in plain and "shall not be present otherwise" not in plain:
        return FREE
    return ABSENT


@cache
def presence(iod: str, name: str) -> Tree | None:
    """The test whether a module, or a macro of functional groups, is there, by its name in the IOD."""
    wanted = _plain(name)
    for row in load("iods")["groups"]:
        if row[0] == iod and _plain(row[2]) == wanted:
            sequence = next(one[1] for one in modules()[row[5]] if one[1] not in ("+", "*"))
            return ("has", "@", sequence)
    for row in load("iods")["modules"]:
        if row[0] == iod and _plain(row[2]) == wanted:
            return ("module", row[5])
    return None


def _plain(name: str) -> str:
    return "".join(one for one in name.lower() if one.isalnum())


@cache
def row_decisions() -> dict[tuple[str, int], Decision]:
    """The decision of each conditional row."""
    found = {(row.module, row.number): decide_row(row) for row in rows()}
    return found | _twins(found)


# What such a text may not say: that the attribute may be there otherwise, or something of the attribute itself.
OWN = re.compile(r"be present|Required if (present|used|needed|different|the value is) ", re.I)


def _twins(decisions: dict[tuple[str, int], Decision]) -> dict[tuple[str, int], Decision]:
    """Rows whose condition can't be told, beside others with the same: where one is there, the condition was met.

    Only for texts that don't let it be there otherwise (PS3.5 7.4.2), and that have all their words.
    """
    alike = defaultdict(list)
    for row in rows():
        decision = decisions[row.module, row.number]
        if decision.kind == UNDECIDABLE and row.source == "g" and not OWN.search(row.text):
            alike[row.module, row.path[:-1], _plain(row.text)].append(row)
    found = {}
    for group in alike.values():
        for row in group:
            others: list[Tree] = [("has", ".", other.tag) for other in group if other is not row]
            if others:
                reason = decisions[row.module, row.number].reason
                condition = Condition(("or", *others, UNDECIDED))
                found[row.module, row.number] = Decision(MACHINE, condition, "parsed", reason)
    return found


@cache
def usage_decisions() -> dict[tuple[str, str, str], Decision]:
    """The decision of each conditional usage, by IOD, kind and module id."""
    return {(one.iod, one.kind, one.module): decide_usage(one) for one in usages()}


def trees() -> dict[tuple[str, int] | tuple[str, str], Condition]:
    """The conditions that a machine can tell: by module id and row index, and by IOD and module (or macro) id."""
    found: dict[tuple[str, int] | tuple[str, str], Condition] = {}
    for (module, number), decision in row_decisions().items():
        if decision.condition is not None:
            found[module, number] = decision.condition
    for (iod, _, module), decision in usage_decisions().items():
        if decision.condition is not None:
            found[iod, module] = decision.condition
    return found


def includes() -> dict[tuple[str, int], Tree]:
    """The condition of each include that has one, by module id and row index: else its attributes don't count."""
    return {(entry["module"], entry["number"]): as_tree(entry["when"]) for entry in overrides("include")}


COLUMNS = ("class", "parts", "reason", "source")


def _columns(decision: Decision) -> tuple[str, ...]:
    parts = "" if decision.condition is None else "whole" if decision.condition.whole else "part"
    return decision.kind, parts, decision.reason, decision.source


def coverage() -> str:
    """The table of all rows."""
    return as_csv(
        ("module", "row", "tag", "type", *COLUMNS),
        [
            (row.module, row.number, row.tag, row.type, *_columns(row_decisions()[row.module, row.number]))
            for row in rows()
        ],
    )


def usage_coverage() -> str:
    """The table of all usages."""
    return as_csv(
        ("iod", "kind", "module", *COLUMNS),
        [
            (one.iod, one.kind, one.module, *_columns(usage_decisions()[one.iod, one.kind, one.module]))
            for one in usages()
        ],
    )


def as_csv(head: tuple[str, ...], lines: list[tuple[Any, ...]]) -> str:
    """A table as text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return out.getvalue()


def counts(decisions: dict[Any, Decision]) -> Counter[str]:
    """How many are machine, undecidable and open."""
    return Counter(decision.kind for decision in decisions.values())
