"""Rows of a bench's table: a piece of work, the best seconds of each contestant, and the aims."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

from benches.race import processor

OURS = "dicomcore"


@dataclass
class Reach:
    """One aim: `figure` should be at least `wanted`, or at most where `most` is set."""

    wanted: float
    unit: str
    figure: float
    most: bool = False

    @property
    def met(self) -> bool:
        return self.figure <= self.wanted if self.most else self.figure >= self.wanted

    def __str__(self) -> str:
        return f"{self.figure:.3g} of {'≤' if self.most else '≥'} {self.wanted:g} {self.unit}"


@dataclass
class Row:
    """One piece of work: best seconds by contestant, ours among them, over `count` units."""

    work: str
    seconds: dict[str, float]
    count: int = 1
    unit: str = "run"
    reaches: list[Reach] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ratio(self, peer: str) -> float:
        """The peer's time as a multiple of dicomcore's."""
        return self.seconds[peer] / self.seconds[OURS]

    def at_least(self, wanted: float, peer: str) -> None:
        """Set the aim: at least this multiple of a peer's speed."""
        if peer in self.seconds:
            self.reaches.append(Reach(wanted, f"× {peer}", self.ratio(peer)))

    def at_most(self, wanted: float, unit: str, figure: float) -> None:
        """Set the aim: at most this."""
        self.reaches.append(Reach(wanted, unit, figure, most=True))

    def lines(self) -> list[str]:
        """The row's lines of a markdown table: one for each contestant, with the aims on dicomcore's."""
        aims = "<br>".join(f"{reach}: {'met' if reach.met else '**short**'}" for reach in self.reaches)
        found = []
        for name, best in self.seconds.items():
            ours = name == OURS
            each = f"{readable(best / self.count)} a {self.unit}"
            ratio = "" if ours else f"{self.ratio(name):.2f}×"
            found.append(f"| {self.work if ours else ''} | {name} | {each} | {ratio} | {aims if ours else ''} |")
        return found

    def record(self) -> dict[str, Any]:
        """The row as an object for JSON."""
        aims = [{**asdict(reach), "met": reach.met} for reach in self.reaches]
        return {**asdict(self), "reaches": aims, "ratios": {name: self.ratio(name) for name in self.seconds}}


def readable(seconds: float) -> str:
    """Seconds in the unit that suits them."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def markdown(rows: Iterable[Row]) -> str:
    """All rows as one table, with notes below."""
    rows = list(rows)
    head = ["| work | who | best | against ours | reach |", "|---|---|---|---|---|"]
    notes = [f"- {row.work}: {note}" for row in rows for note in row.notes]
    return "\n".join([*head, *(line for row in rows for line in row.lines()), "", *notes, ""])


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """The processor and the versions, for the head of a table."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in packages},
    }
