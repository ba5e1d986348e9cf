"""What is decided by hand of the templates (template_overrides.toml), applied to what the sources give.

Rows of a template that the sources lack, or have of an older edition, stand there as lines of cells:

    >> 3b | HAS PROPERTIES | CODE | DCM 113820 | 1 | MC | IFF row 2 is absent | D 10013

that is depth and number, relationship (``=`` in front: by reference), value type, concept, multiplicity, requirement,
condition, and the value set or unit. Concepts and values are a code (``DCM 113820``), several with ``or`` between them,
context groups (``D 10013`` for a defined one, ``B`` for a baseline one), or a parameter (``$Units``). An include has the
template in the place of the concept, and parameters in the place of the value: ``$Role = DCM 113850; $Site = D 4031``.

An entry that no longer fits its source is an error: a source of another edition needs another look.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.standard.templates import Reader, Template

OVERRIDES = Path(__file__).with_name("template_overrides.toml")


def read_template_overrides(path: Path = OVERRIDES) -> dict[str, list[dict[str, Any]]]:
    overrides = tomllib.loads(path.read_text(encoding="utf-8"))
    assert all(entry.get("clause") and entry.get("source") for entries in overrides.values() for entry in entries)
    return overrides


def correct_templates(found: dict[str, Template], reader: Reader, overrides: dict[str, list[dict[str, Any]]]) -> None:
    for entry in overrides["codes"]:
        codes = [reader.code(*code.split(" ", 1), "") for code in entry["codes"]]
        value = None if not codes else codes[0] if len(codes) == 1 else ["|", *codes]
        change(found[entry["template"]], entry["row"], value=value)


def change(template: Template, number: str, **fields: Any) -> None:
    """Give one row other fields, which must not be those that it has."""
    at = next(at for at, row in enumerate(template.rows) if row.number == number)
    changed = replace(template.rows[at], **fields)
    assert changed != template.rows[at], f"nothing to change: TID {template.key} row {number}"
    template.rows[at] = changed
