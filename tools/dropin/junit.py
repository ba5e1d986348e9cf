"""The outcome of each test from pytest's JUnit XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
LONGEST = 300  # characters kept of a message


@dataclass(frozen=True)
class Outcome:
    """What became of one test, and the first line of the message if it did not pass."""

    state: str
    message: str = ""


def read(report: Path, file: str) -> dict[str, Outcome]:
    """The outcomes of the tests of one file, by ``Class::name[parameters]``; a report that is not there has none.

    `file` is relative to the folder where pytest ran. What cannot be collected has no test to its name: the report
    calls it by its module, and it is left out here.
    """
    if not report.is_file():
        return {}
    module = file.removesuffix(".py").replace("/", ".")
    outcomes: dict[str, Outcome] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        names = case.get("classname", ""), case.get("name", "")
        if names[0] != module and not names[0].startswith(f"{module}."):
            continue
        test = "::".join(filter(None, (names[0][len(module) + 1 :].replace(".", "::"), names[1])))
        if test not in outcomes or outcomes[test].state == PASSED:  # one that passes and ends badly is there twice
            outcomes[test] = _outcome(case)
    return outcomes


def read_all(report: Path) -> dict[str, Outcome]:
    """The outcomes of all tests, by ``module.Class::name[parameters]``; a report that is not there has none."""
    if not report.is_file():
        return {}
    outcomes: dict[str, Outcome] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        test = f"{case.get('classname', '')}::{case.get('name', '')}"
        outcome = _outcome(case)
        if test not in outcomes or outcomes[test].state != FAILED:
            outcomes[test] = outcome
    return outcomes


def passed(outcomes: Mapping[str, Outcome]) -> list[str]:
    """The tests that passed, in order."""
    return [test for test, outcome in outcomes.items() if outcome.state == PASSED]


def _outcome(case: ElementTree.Element) -> Outcome:
    for child in case:
        if child.tag in ("failure", "error", "skipped"):
            lines = child.get("message", "").strip().splitlines() or [""]
            return Outcome(SKIPPED if child.tag == "skipped" else FAILED, lines[0][:LONGEST])
    return Outcome(PASSED)
