"""The model from the folder of sources."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.standard.binding import bind, bind_below, bind_iods, bind_older
from tools.standard.corrections import (
    correct_iods,
    correct_modules,
    correct_sets,
    correct_sop_classes,
    read_overrides,
    unmet,
)
from tools.standard.model import Standard
from tools.standard.readers import cid_bindings, iods, modules, types_2026b, values, values_2016
from tools.standard.readers.values import Use

NEEDED = (
    "modules.json",
    "iods.json",
    "types_2026b.json",
    "values.json",
    "values_2016.json",
    "conditions.json",
    "cid_bindings.json",
)


@dataclass(frozen=True)
class Built:
    """The model, and the value sets that found no place in it."""

    standard: Standard
    lost: list[Use]


def build(sources: Path) -> Built:
    read: dict[str, dict[str, Any]] = {
        name: json.loads((sources / name).read_text(encoding="utf-8")) for name in NEEDED
    }
    overrides = read_overrides()
    tables = modules.read_modules(read["modules.json"])
    correct_modules(tables, overrides)
    missing = unmet(tables, types_2026b.read_changes(read["types_2026b.json"]))
    assert not missing, f"overrides.toml lacks changes of edition: {missing}"
    found = iods.read_iods(read["iods.json"])
    correct_iods(found, overrides)
    classes = iods.read_sop_classes(read["iods.json"])
    correct_sop_classes(classes, overrides)
    sets = values.read_sets(read["values.json"])
    correct_sets(sets, overrides)
    places = values.read_places(read["conditions.json"])
    inside, outside = values.read_uses(read["values.json"], sets, places)
    lost = bind(tables, inside) + bind_iods(found, tables, outside)
    lost += bind_below(tables, cid_bindings.read_uses(read["cid_bindings.json"]))
    lost += bind_older(tables, values_2016.read_uses(read["values_2016.json"]))
    return Built(Standard(tables, found, classes), lost)
