"""Value sets put where they hold: at a module's own row, or in a refinement of what an include brings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tools.standard.corrections import flatten
from tools.standard.model import Binding, Module, Refinement, Row
from tools.standard.readers.values import Use


def own_rows(module: Module) -> dict[tuple[str, ...], list[int]]:
    """Positions of a module's own attributes by path."""
    found: dict[tuple[str, ...], list[int]] = {}
    path: list[str] = []
    for at, row in enumerate(module.rows):
        if row.tag is not None and row.depth <= len(path):
            path[row.depth :] = [row.tag]
            found.setdefault(tuple(path), []).append(at)
    return found


def bind(modules: dict[str, Module], uses: Iterable[Use]) -> list[Use]:
    """Add each use to the place it names; give those that name none."""
    lost = []
    for use in uses:
        module = modules[use.module]
        rows = own_rows(module).get(use.path)
        if rows:
            for at in rows:
                module.rows[at] = with_binding(module.rows[at], use.binding)
        elif any(path == use.path for path, _ in flatten(modules, use.module)):
            module.refinements.append(Refinement(use.path, bindings=(use.binding,)))
        else:
            lost.append(use)
    return lost


def with_binding(row: Row, binding: Binding) -> Row:
    return row if binding in row.bindings else replace(row, bindings=(*row.bindings, binding))


def bind_older(modules: dict[str, Module], uses: Iterable[Use]) -> list[Use]:
    """Add uses of an older source, which names a tag in a module, where the tag stands once and has no set yet; give
    those that could not be placed."""
    lost = []
    for use in uses:
        module = modules.get(use.module)
        rows = [at for at, row in enumerate(module.rows) if row.tag == use.path[-1]] if module else []
        if module is None or len(rows) != 1:
            lost.append(use)
        elif all(one.edition == use.binding.edition for one in module.rows[rows[0]].bindings):
            module.rows[rows[0]] = with_binding(module.rows[rows[0]], use.binding)
    return lost
