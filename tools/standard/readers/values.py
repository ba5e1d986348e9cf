"""values.json: value sets of 2024-12 and the attributes that use them.

The source has modules of its own, such as profiles; `Places` tells where in PS3.3 they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydicom.datadict import dictionary_VR

from tools.standard.model import Binding, ValueSet

EDITION = "2024-12"
FORMS = {"string": "string", "binary": "number", "tag": "tag", "bits": "bits"}
NEVER = "Never"  # the source's condition for what it has switched off
Path = tuple[str, ...]


class Use(NamedTuple):
    """A value set at a place: a path of tags in a module, or in an IOD."""

    owner: str
    path: Path
    binding: Binding


@dataclass(frozen=True)
class Places:
    """Where the source's modules stand: modules with the path at which they are included, and IODs by key."""

    modules: dict[str, list[tuple[str, Path]]]
    iods: dict[str, list[str]]


def read_places(source: dict[str, Any]) -> Places:
    """From conditions.json. A macro that PS3.3 has no table of stands where modules include it without a condition; a
    module that PS3.3 does not have, in the IODs that always have it, profiles and retired ones aside."""
    known = {name: module for name, *_, module in source["modules"]}
    modules = {name: [(module, ())] if module else [] for name, module in known.items()}
    for caller, path, macro, condition in source["macros"]:
        if not known[macro] and known[caller] and condition is None:
            modules[macro].append((known[caller], tuple(path.split("/"))))
    keys = {name: keys for name, _, profile, retired, _, keys in source["iods"] if not profile and not retired}
    iods: dict[str, list[str]] = {}
    for name, _, module, usage, condition in source["iod_modules"]:
        if not known[module] and usage == "M" and condition is None:
            iods.setdefault(module, []).extend(keys.get(name, ()))
    return Places(modules, iods)


def read_sets(source: dict[str, Any]) -> dict[str, ValueSet]:
    return {name: ValueSet(FORMS[kind], tuple(map(bare, values))) for name, (kind, values) in source["sets"].items()}


def bare(value: Any) -> str | int:
    """A value without its meaning; a bit's number."""
    return value[0] if isinstance(value, list) else value


def read_bindings(source: dict[str, Any], sets: dict[str, ValueSet]) -> Iterator[tuple[str, Path, Binding]]:
    """(the source's module, path, binding): value sets, values that must not be zero, and numbers of values."""
    for name, path, kind, values, number, condition in source["uses"]:
        tags = tuple(path.split("/"))
        found = signed(sets[values]) if vr(tags[-1]) == "SS" else sets[values]
        yield name, tags, Binding(kind, found, number, condition, EDITION)
    for name, path, severity, number, condition in source["not_zero"]:
        kind = "Z" if severity == "E" else "z"
        yield name, tuple(path.split("/")), Binding(kind, ValueSet("number", ()), number, condition, EDITION)
    for name, path, count, condition in source["vm"]:
        tags = tuple(path.split("/"))
        if vr(tags[-1]) != "SQ":  # the tables have the numbers of items
            yield name, tags, Binding("N", ValueSet("range", span(count)), 0, condition, EDITION)


def vr(tag: str) -> str:
    return dictionary_VR(int(tag.replace("x", "0"), 16))


def signed(values: ValueSet) -> ValueSet:
    """Numbers of SS, which the source has as unsigned words."""
    numbers = (int(one) for one in values.values)
    return ValueSet(values.form, tuple(one - (one >> 15 << 16) for one in numbers))


def span(text: str) -> tuple[int, int]:
    """The fewest and the most values of "1-n"; 0: any number."""
    least, _, most = text.partition("-")
    if least == "n":
        return 0, 0
    return int(least), 0 if most == "n" else int(most or least)


def read_uses(source: dict[str, Any], sets: dict[str, ValueSet], places: Places) -> tuple[list[Use], list[Use]]:
    """The uses in modules, and those in IODs, whose paths begin at the root."""
    inside, outside = [], []
    for name, path, binding in read_bindings(source, sets):
        if binding.condition != NEVER:
            inside += [Use(module, (*base, *path), binding) for module, base in places.modules[name]]
            outside += [Use(iod, path, binding) for iod in places.iods.get(name, ())]
    return inside, outside
