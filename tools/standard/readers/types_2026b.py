"""types_2026b.json: what 2026b has otherwise than 2025e. Errata and additions are decided in overrides.toml."""

from __future__ import annotations

from typing import Any, NamedTuple


class Change(NamedTuple):
    """An attribute that 2026b adds (`before` is empty) or gives another type."""

    module: str
    path: tuple[str, ...]
    before: str
    after: str


def read_changes(source: dict[str, Any]) -> list[Change]:
    """Changes of edition; what one side merely left out is none. A change in a functional group names the IOD's own
    module, whose paths begin with the shared or per-frame sequence."""
    return [
        Change(module, tuple(path.split("/")), before or "", after)
        for _, module, path, side, why, before, after, _ in source["differences"]
        if why == "e" and side in ("26", "type")
    ]
