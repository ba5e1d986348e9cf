"""values.json: value sets of 2024-12 and the attributes that use them.

The source has modules of its own, such as profiles; `Places` tells where in PS3.3 they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
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
    inside: dict[str, list[Use]] = {}
    outside = []
    for name, path, binding in read_bindings(source, sets):
        if binding.condition != NEVER:
            found = [Use(module, (*base, *path), binding) for module, base in places.modules[name]]
            inside.setdefault(name, []).extend(found)
            outside += [Use(iod, path, binding) for iod in places.iods.get(name, ())]
    tables = same_table(places)
    variants = {name for names in tables for name in names}
    single = [use for name, uses in inside.items() if name not in variants for use in uses]
    return single + [use for names in tables for use in merge([inside.get(name, []) for name in names])], outside


def same_table(places: Places) -> list[list[str]]:
    """The source's modules that are one table of PS3.3: it has two of some, such as of the image and of its frames."""
    names: dict[str, list[str]] = {}
    for name, found in places.modules.items():
        for module, base in found:
            if not base:
                names.setdefault(module, []).append(name)
    return [one for one in names.values() if len(one) > 1]


def merge(variants: list[list[Use]]) -> list[Use]:
    """What all variants of a table ask for: one value set for each place, with the values of all of them. What one of
    them does not ask for is left out, as the table does not tell which of them is meant."""
    merged = []
    groups = [grouped(uses) for uses in variants]
    for key, uses in groups[0].items():
        found = uses + [use for other in groups[1:] for use in other.get(key, [])]
        if all(key in other for other in groups):
            bindings = {use.binding for use in found}
            kinds = {binding.kind for binding in bindings}
            forms = {binding.values.form for binding in bindings}
            if len(bindings) > 1 and (len(forms) > 1 or "N" in kinds):
                continue
            values = ValueSet(forms.pop(), union(use.binding.values for use in found))
            kind = next(one for one in "DzEBTMZN" if one in kinds)  # the weakest comes first
            merged.append(uses[0]._replace(binding=replace(uses[0].binding, kind=kind, values=values)))
    return merged


def union(sets: Iterable[ValueSet]) -> tuple[str | int, ...]:
    return tuple(dict.fromkeys(value for one in sets for value in one.values))


def grouped(uses: list[Use]) -> dict[tuple[Any, ...], list[Use]]:
    """Uses by what they are about: place, number of the value, condition."""
    found: dict[tuple[Any, ...], list[Use]] = {}
    for use in uses:
        about = {"Z": "z", "N": "N"}.get(use.binding.kind.upper(), "values")
        key = (use.owner, use.path, about, use.binding.number, use.binding.condition)
        found.setdefault(key, []).append(use)
    return found
