"""Paths of the service (PS3.18 9 to 13): what a target names."""

from __future__ import annotations

from typing import NamedTuple

from dicomcore.web.problems import Problem

__all__ = ["Target", "resolve"]

LONGEST_UID = 64
VIEWS = frozenset({"metadata", "rendered", "thumbnail", "pixeldata", "bulkdata"})
ABOVE = {"studies": "study", "series": "series", "instances": "instance"}


class Target(NamedTuple):
    """A resource: its `kind`, and the UIDs and frames that its path names.

    `kind` is ``search``, ``retrieve``, the name of a view such as ``metadata``, ``frames``, or that of a service.
    `level` is what a search finds: STUDY, SERIES or IMAGE.
    """

    kind: str
    study: str = ""
    series: str = ""
    instance: str = ""
    level: str = ""
    frames: tuple[int, ...] = ()
    rest: tuple[str, ...] = ()

    @property
    def uids(self) -> dict[str, str]:
        """The UIDs, as options of a catalogue's `instances`."""
        return {"study": self.study, "series": self.series, "instance": self.instance}


def resolve(path: tuple[str, ...]) -> Target:
    """What a path names; Problem 404 if it names nothing."""
    if not path or path == ("*",):  # OPTIONS * asks for all of the server (RFC 9110 9.3.7)
        return Target("root")
    head = path[0]
    if head == "studies":
        return _below_study(path)
    if head in ("series", "instances") and len(path) == 1:
        return Target("search", level="SERIES" if head == "series" else "IMAGE")
    if head in SERVICES:
        return Target(head, rest=path[1:])
    if head in OBJECTS and len(path) <= 2:
        return Target(head, instance=_uid(path[1]) if len(path) == 2 else "")
    raise _missing()


SERVICES = frozenset({"workitems", "commitment-requests", "health", "metrics", "openapi.json", "wado", "subscribers",
                      "viewer"})  # fmt: skip


OBJECTS = frozenset({"color-palettes", "defined-procedure-protocols", "hanging-protocols", "implant-templates",
                     "inventories", "protocol-approvals"})  # fmt: skip
"""Resources of instances that belong to no patient (PS3.18 12)."""


def _missing() -> Problem:
    return Problem(404, "there is no such resource")


def _below_study(path: tuple[str, ...]) -> Target:
    if len(path) == 1:
        return Target("search", level="STUDY")
    study, rest = _uid(path[1]), path[2:]
    if not rest:
        return Target("retrieve", study)
    if len(rest) == 1 and rest[0] in ABOVE and rest[0] != "studies":
        return Target("search", study, level="SERIES" if rest[0] == "series" else "IMAGE")
    if rest[0] in VIEWS:
        return _view(Target(rest[0], study), rest)
    if rest[0] != "series":
        raise _missing()
    series, rest = _uid(rest[1]), rest[2:]
    if not rest:
        return Target("retrieve", study, series)
    if rest == ("instances",):
        return Target("search", study, series, level="IMAGE")
    if rest[0] in VIEWS:
        return _view(Target(rest[0], study, series), rest)
    if rest[0] != "instances":
        raise _missing()
    return _below_instance(Target("retrieve", study, series, _uid(rest[1])), rest[2:])


def _below_instance(target: Target, rest: tuple[str, ...]) -> Target:
    if not rest:
        return target
    if rest[0] in VIEWS:
        return _view(target._replace(kind=rest[0]), rest)
    if rest[0] != "frames" or len(rest) < 2:
        raise _missing()
    target = target._replace(kind="frames", frames=frame_numbers(rest[1]))
    if len(rest) == 2:
        return target
    if len(rest) == 3 and rest[2] in ("rendered", "thumbnail"):
        return target._replace(kind=rest[2])
    raise _missing()


def _view(target: Target, rest: tuple[str, ...]) -> Target:
    """A view of a resource; behind `bulkdata` of an instance stands the path of an element."""
    if len(rest) == 1:
        return target
    if target.kind == "bulkdata" and target.instance:
        return target._replace(rest=rest[1:])
    raise _missing()


def _uid(text: str) -> str:
    if not text or len(text) > LONGEST_UID or not text.isascii() or not text.isprintable():
        raise _missing()
    return text


def frame_numbers(text: str) -> tuple[int, ...]:
    """Frame numbers, from 1, of a list with commas; Problem 400 for what is none."""
    numbers = []
    for piece in text.split(","):
        piece = piece.strip()
        if not piece.isascii() or not piece.isdigit() or len(piece) > 9 or int(piece) < 1:
            raise Problem(400, f"{piece[:20]!r} is no frame number; they count from 1")
        numbers.append(int(piece))
    return tuple(numbers)
