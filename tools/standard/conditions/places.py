"""Where the attributes that a condition names are, seen from the attribute that it rules."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from tools.standard.conditions.sources import (
    CURRENT_GROUPS,
    FRAME_GROUPS,
    SHARED_GROUPS,
    usage_rows,
    walk,
)

GROUPS = (SHARED_GROUPS, FRAME_GROUPS, CURRENT_GROUPS)
UP = (".", "..", "../..", "../../..")

Path = tuple[str, ...]


@cache
def _iods() -> dict[str, frozenset[Path]]:
    """The paths of each IOD."""
    return {iod: frozenset(paths) for iod, (paths, _) in _walked().items()}


@cache
def _walked() -> dict[str, tuple[set[Path], dict[tuple[str, int], set[Path]]]]:
    used, group_rows = usage_rows()
    groups = defaultdict(list)
    for row in group_rows:
        groups[row[0]].append(row[5])
    found: dict[str, tuple[set[Path], dict[tuple[str, int], set[Path]]]] = {}
    for row in used:
        paths, places = found.setdefault(row[0], (set(), defaultdict(set)))
        for place in walk(row[5], tuple(groups[row[0]])):
            paths.add(place.path)
            places[place.module, place.number].add(place.path)
    return found


@cache
def occurrences(module: str, number: int) -> list[tuple[str, Path]]:
    """Each IOD and path that a row comes to."""
    return [(iod, path) for iod, (_, places) in _walked().items() for path in sorted(places.get((module, number), ()))]


@cache
def _framed(iod: str) -> frozenset[str]:
    """Tags in functional groups, two levels deep."""
    return frozenset(path[-1] for path in _iods()[iod] if path[0] in GROUPS and len(path) in (2, 3))


def _seen_from(paths: frozenset[Path], framed: frozenset[str], path: Path, tag: str) -> set[str]:
    """The names of the nearest place of a tag, seen from the attribute at `path`; empty where there is none."""
    inside = path[0] in GROUPS
    levels = len(path) - 1
    for up in range(levels + 1):
        at = path[: levels - up]
        if not at and inside and tag in framed:
            break
        if (*at, tag) in paths and inside and len(at) == 1:
            return {"@"}  # in the item of the groups: the others may be shared
        if (*at, tag) in paths:
            names = {UP[up]} if up < len(UP) else set()
            return names | {"^"} | (set() if at else {"/"})
    return {"@"} if tag in framed else set()


@cache
def scope_of(module: str, number: int, tag: str) -> str | None:
    """The scope of an attribute that the condition of a row names, or None if there is none in any IOD."""
    names: list[set[str]] = []
    for iod, path in occurrences(module, number):
        seen = _seen_from(_iods()[iod], _framed(iod), path, tag)
        if seen and seen not in names:
            names.append(seen)
    if not names:  # in no IOD, as directory records and queries are, or only beside itself
        own = frozenset(place.path for place in walk(module))
        path = next(place.path for place in walk(module) if (place.module, place.number) == (module, number))
        names = [_seen_from(own, frozenset(), path, tag)]
    common = set.intersection(*names)
    return next((scope for scope in (".", "@", "/", *UP[1:], "^") if scope in common), None)


def scope_in_iod(iod: str, tag: str, group: bool) -> str | None:
    """The scope of an attribute that the condition of a module, or of a macro of functional groups, names."""
    if (tag,) in _iods()[iod]:
        return "/"
    return "@" if tag in _framed(iod) else None
