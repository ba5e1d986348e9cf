"""Rows of templates, as the generator has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

RELATIONSHIPS = (
    *("", "CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "HAS ACQ CONTEXT", "INFERRED FROM", "SELECTED FROM"),
    "HAS CONCEPT MOD",
)
VALUE_TYPES = (
    *("", "CONTAINER", "TEXT", "DATE", "TIME", "DATETIME", "UIDREF", "PNAME", "CODE", "NUM", "COMPOSITE", "IMAGE"),
    *("WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "TABLE", "INCLUDE", "OPEN"),
)
REQUIREMENTS = ("U", "M", "MC", "UC")
BY_REFERENCE, MAY_OTHERWISE = 1, 2  # flags of a row
EDITIONS = ("2022", "2016", "2024", "2026")
"""In the order of their numbers in the native tables."""


@dataclass(frozen=True)
class TemplateRow:
    """A row; concepts, values, conditions and bindings are the expressions that `template_rows.h` explains."""

    depth: int
    number: str
    relationship: str
    value_type: str
    concept: Any = None
    vm: tuple[int, int] = (1, 1)  # most is 0 for any number
    requirement: str = "U"
    condition: Any = None
    value: Any = None
    include: str = ""
    bindings: tuple[tuple[str, Any], ...] = ()
    flags: int = 0


@dataclass
class Template:
    key: str  # the number, and letters for a variant of it
    name: str
    edition: str
    rows: list[TemplateRow] = field(default_factory=list)


def read_vm(vm: str | None) -> tuple[int, int]:
    parts = (vm or "1-n").split("-")
    return int(parts[0]), 0 if parts[-1] == "n" else int(parts[-1])
