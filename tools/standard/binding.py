"""Value sets put where they hold: at a module's own row, or in a refinement of what an include brings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tools.standard.corrections import flatten
from tools.standard.model import Binding, Iod, Module, Refinement, Row
from tools.standard.readers.values import Use


def own_rows(module: Module) -> dict[tuple[str, ...], list[int]]:
    """Positions of a module's own attributes by path."""
    found: dict[tuple[str, ...], list[int]] = {}
    path: list[str] = []
    for at, row in enumerate(module.rows):
        # What goes on inside a sequence that an include has opened has no path of own rows alone.
        path[row.depth :] = [row.tag or ""]
        if row.tag is not None:
            found.setdefault(tuple(path), []).append(at)
    return found


def bind(modules: dict[str, Module], uses: Iterable[Use]) -> list[Use]:
    """Add each use to the place it names; give those that name none."""
    lost = []
    for use in uses:
        module = modules[use.owner]
        rows = own_rows(module).get(use.path)
        if rows:
            for at in rows:
                module.rows[at] = with_binding(module.rows[at], use.binding)
        elif any(path == use.path for path, _ in flatten(modules, use.owner)):
            add_binding(module.refinements, use)
        else:
            lost.append(use)
    return lost


def bind_below(modules: dict[str, Module], uses: Iterable[Use]) -> list[Use]:
    """Add uses whose path may leave out sequences before its last tag; give those that name no place."""
    lost = []
    for use in uses:
        *base, tag = use.path
        paths = [
            path for path, _ in flatten(modules, use.owner) if path[: len(base)] == tuple(base) and path[-1] == tag
        ]
        shortest = min(map(len, paths), default=0)
        found = {path for path in paths if len(path) == shortest}
        lost += bind(modules, [use._replace(path=path) for path in sorted(found)]) if found else [use]
    return lost


def bind_iods(iods: dict[str, Iod], modules: dict[str, Module], uses: Iterable[Use]) -> list[Use]:
    """Add each use to its IOD; give those whose path no module of the IOD has."""
    lost = []
    for use in uses:
        iod = iods[use.owner]
        if any(path == use.path for usage in iod.usages for path, _ in flatten(modules, usage.module)):
            add_binding(iod.refinements, use)
        else:
            lost.append(use)
    return lost


def add_binding(refinements: list[Refinement], use: Use) -> None:
    """Add a use to the refinement of its path."""
    at = next((at for at, one in enumerate(refinements) if one.path == use.path), None)
    if at is None:
        refinements.append(Refinement(use.path, bindings=(use.binding,)))
    elif use.binding not in refinements[at].bindings:
        refinements[at] = replace(refinements[at], bindings=(*refinements[at].bindings, use.binding))


def with_binding(row: Row, binding: Binding) -> Row:
    return row if binding in row.bindings else replace(row, bindings=(*row.bindings, binding))


def bind_older(modules: dict[str, Module], uses: Iterable[Use]) -> list[Use]:
    """Add uses of an older source, which names a tag in a module, where the tag stands once and has no set yet; give
    those that could not be placed."""
    lost = []
    for use in uses:
        module = modules.get(use.owner)
        rows = [at for at, row in enumerate(module.rows) if row.tag == use.path[-1]] if module else []
        if module is None or len(rows) != 1:
            lost.append(use)
        elif all(one.edition == use.binding.edition for one in module.rows[rows[0]].bindings):
            module.rows[rows[0]] = with_binding(module.rows[rows[0]], use.binding)
    return lost
