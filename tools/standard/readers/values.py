"""values.json: value sets of 2024-12 and the attributes that use them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tools.standard.model import Binding, ValueSet

EDITION = "2024-12"
FORMS = {"string": "string", "binary": "number", "tag": "tag", "bits": "bits"}


class Use(NamedTuple):
    """A value set at a place: a path of tags in a module."""

    module: str
    path: tuple[str, ...]
    binding: Binding


def read_sets(source: dict[str, Any]) -> dict[str, ValueSet]:
    return {name: ValueSet(FORMS[kind], tuple(map(bare, values))) for name, (kind, values) in source["sets"].items()}


def bare(value: Any) -> str | int:
    """A value without its meaning; a bit's number."""
    return value[0] if isinstance(value, list) else value


def read_uses(source: dict[str, Any], sets: dict[str, ValueSet], modules: dict[str, str | None]) -> Iterator[Use]:
    """The uses in modules of PS3.3; `modules` gives the id for the source's names, None for profiles and the like."""
    for name, path, kind, values, number, condition in source["uses"]:
        module = modules[name]
        if module is not None:
            yield Use(module, tuple(path.split("/")), Binding(kind, sets[values], number, condition, EDITION))
