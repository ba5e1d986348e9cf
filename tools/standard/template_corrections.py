"""What is decided by hand of the templates (template_overrides.toml), applied to what the sources give.

Rows of a template that the sources lack, or have of an older edition, stand there as lines of cells:

    >> 3b | HAS PROPERTIES | CODE | DCM 113820 | 1 | MC | IFF row 2 is absent | D 10013

that is depth and number, relationship (``R-`` in front: by reference), value type, concept, multiplicity, requirement,
condition, and the value set or unit. A concept or value is a code (``DCM 113820``), several with ``or`` between them, a
context group (``D 10013`` for a defined one, ``B`` for a baseline one), or a parameter (``$Units``). An include has a
template in the place of the concept, and parameters in the place of the value: ``$Role = DCM 113850; $Site = D 4031``.

An entry that no longer fits its source is an error: a source of another edition needs another look.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.standard.template_conditions import Conditions
from tools.standard.template_rows import BY_REFERENCE, Template, TemplateRow, read_vm

if TYPE_CHECKING:
    from tools.standard.templates import Reader

OVERRIDES = Path(__file__).with_name("template_overrides.toml")


def read_template_overrides(path: Path = OVERRIDES) -> dict[str, list[dict[str, Any]]]:
    overrides = tomllib.loads(path.read_text(encoding="utf-8"))
    assert all(entry.get("clause") and entry.get("source") for entries in overrides.values() for entry in entries)
    return overrides


def correct_templates(found: dict[str, Template], reader: Reader, overrides: dict[str, list[dict[str, Any]]]) -> None:
    for entry in overrides["template"]:
        assert entry["identifier"] not in found, f"the sources have TID {entry['identifier']}"
        rows = [parsed(line, reader) for line in entry["rows"].strip().splitlines()]
        conditions = Conditions([row for row, _ in rows], reader.code, lambda name: next(iter(found[name].rows), None))
        made = conditions.read([said for _, said in rows])
        found[entry["identifier"]] = Template(entry["identifier"], entry["name"], entry["edition"], made)
    for entry in overrides["insert"]:
        for key in entry["templates"]:
            insert(found[key], entry["after"], [parsed(line, reader)[0] for line in entry["rows"].strip().splitlines()])
    for entry in overrides["codes"]:
        codes = [expression(code, reader) for code in entry["codes"]]
        value = None if not codes else codes[0] if len(codes) == 1 else ["|", *codes]
        change(found[entry["template"]], entry["row"], value=value)
    for entry in overrides["relationship"]:
        change(found[entry["template"]], entry["row"], relationship=entry["relationship"])
    for entry in overrides["edition"]:
        for key in entry["templates"]:
            assert found[key].edition < entry["edition"], f"nothing to change: TID {key}"
            found[key].edition = entry["edition"]


def parsed(line: str, reader: Reader) -> tuple[TemplateRow, str]:
    """A line of a template, and the text of its condition."""
    cells = [cell.strip() for cell in line.split("|")] + [""] * 8
    place, relationship, kind, concept, vm, requirement, said, value = cells[:8]
    depth, _, number = place.rpartition(" ") if place.startswith(">") else ("", "", place)
    bindings = [pair.partition(" = ") for pair in value.split("; ")] if kind == "INCLUDE" and value else []
    row = TemplateRow(
        len(depth.strip()) + 1,
        number,
        relationship.removeprefix("R-"),
        kind,
        None if kind in ("INCLUDE", "OPEN") else expression(concept, reader),
        read_vm(vm),
        requirement,
        None,
        None if bindings or kind == "INCLUDE" else expression(value, reader),
        concept if kind == "INCLUDE" else "",
        tuple((name.strip("$ "), expression(bound, reader)) for name, _, bound in bindings),
        BY_REFERENCE * relationship.startswith("R-"),
    )
    return row, said


def expression(cell: str, reader: Reader) -> Any:
    """A concept or value: a code, several with "or" between them, context groups, or a parameter."""
    if not cell:
        return None
    if " or " in cell:
        return ["|", *(expression(part, reader) for part in cell.split(" or "))]
    kind, _, rest = cell.partition(" ")
    if kind.startswith("$"):
        return ["$", kind[1:]]
    if kind in ("D", "B"):
        assert int(rest) in reader.vocabulary.contexts, f"there is no context group {rest}"
        return [kind, int(rest)]
    return reader.code(kind, rest, "")


def insert(template: Template, after: str, rows: list[TemplateRow]) -> None:
    """Add rows behind one, whose relationship they have where theirs is "="."""
    at = next(at for at, row in enumerate(template.rows) if row.number == after)
    known = {row.number for row in template.rows}
    assert not known & {row.number for row in rows}, f"TID {template.key} has the rows already"
    same = template.rows[at].relationship
    made = [replace(row, relationship=same) if row.relationship == "=" else row for row in rows]
    template.rows[at + 1 : at + 1] = made


def change(template: Template, number: str, **fields: Any) -> None:
    """Give one row other fields, which must not be those that it has."""
    at = next(at for at, row in enumerate(template.rows) if row.number == number)
    changed = replace(template.rows[at], **fields)
    assert changed != template.rows[at], f"nothing to change: TID {template.key} row {number}"
    template.rows[at] = changed


def conditions_of(overrides: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, str]]:
    """The texts of conditions by template and row."""
    found: dict[str, dict[str, str]] = {}
    for entry in overrides["template"]:
        cells = [[cell.strip() for cell in line.split("|")] for line in entry["rows"].strip().splitlines()]
        found[entry["identifier"]] = {row[0].strip("> "): row[6] for row in cells if len(row) > 6}
    return found
