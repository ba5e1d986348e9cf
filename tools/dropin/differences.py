"""Tests that pass with pydicom and not with dicomcore in its place, each under the reason that explains it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Results = Mapping[str, Mapping[str, str]]
"""The state of each test, by file and then by test."""


@dataclass(frozen=True)
class Reason:
    """Why some tests differ; `tests` are patterns by file, in which ``*`` stands for any text."""

    name: str
    why: str
    tests: Mapping[str, tuple[str, ...]]

    def names(self, file: str, test: str) -> str | None:
        """The pattern that names a test."""
        return next((pattern for pattern in self.tests.get(file, ()) if matches(pattern, test)), None)


@dataclass
class Comparison:
    """Two runs of the same tests: what both pass, and what only pydicom passes."""

    both: dict[str, int] = field(default_factory=dict)
    """Tests of each file that pass with both."""
    baseline: dict[str, int] = field(default_factory=dict)
    """Tests of each file that pass with pydicom."""
    lost: list[tuple[str, str]] = field(default_factory=list)
    """Tests that only pydicom passes, with their files."""


def matches(pattern: str, test: str) -> bool:
    """Whether a pattern names a test; brackets are a test's parameters, so only ``*`` is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), test, re.DOTALL) is not None


def load(table: Path) -> list[Reason]:
    """The reasons in a TOML table."""
    rows = tomllib.loads(table.read_text(encoding="utf-8"))
    return [
        Reason(name, row["why"], {file: tuple(tests) for file, tests in row["tests"].items()})
        for name, row in rows.items()
    ]


def compare(pydicom: Results, dicomcore: Results) -> Comparison:
    """The tests that pass with both; a test that did not run counts as one that failed."""
    found = Comparison()
    for file, outcomes in pydicom.items():
        ours = dicomcore.get(file, {})
        wanted = [test for test, state in outcomes.items() if state == "passed"]
        lost = [test for test in wanted if ours.get(test) != "passed"]
        found.baseline[file] = len(wanted)
        found.both[file] = len(wanted) - len(lost)
        found.lost += [(file, test) for test in lost]
    return found


def sort(lost: Iterable[tuple[str, str]], reasons: Iterable[Reason]) -> tuple[dict[str, list[str]], list[str]]:
    """The lost tests by the first reason that names them, and those that no reason names."""
    explained: dict[str, list[str]] = {reason.name: [] for reason in reasons}
    unexplained = []
    for file, test in lost:
        name = next((reason.name for reason in reasons if reason.names(file, test) is not None), None)
        (unexplained if name is None else explained[name]).append(f"{file}::{test}")
    return explained, unexplained


def idle(lost: Iterable[tuple[str, str]], reasons: Iterable[Reason], files: Iterable[str]) -> list[str]:
    """The patterns for some files that name no lost test any more."""
    lost, ran = list(lost), set(files)
    return [
        f"{file}::{pattern}"
        for reason in reasons
        for file, patterns in reason.tests.items()
        for pattern in patterns
        if file in ran and not any(file == where and matches(pattern, test) for where, test in lost)
    ]


def fallen(counts: Mapping[str, int], kept: Mapping[str, int]) -> list[str]:
    """The files in which fewer tests pass than were recorded."""
    return [f"{file}: {counts[file]} pass, {kept[file]} did" for file in counts if counts[file] < kept.get(file, 0)]


def table(explained: Mapping[str, list[str]], reasons: Iterable[Reason]) -> str:
    """The number of lost tests of each reason as a Markdown table, most first."""
    rows = sorted(((len(explained[reason.name]), reason) for reason in reasons), key=lambda row: -row[0])
    lines = [f"| {reason.name} | {count} | {reason.why} |" for count, reason in rows if count]
    return "\n".join(["| reason | tests | why |", "|---|---|---|", *lines])
