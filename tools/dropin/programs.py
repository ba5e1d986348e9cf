"""Tests of public programs, with pydicom and with dicomcore in its place: ``python -m tools.dropin.programs FOLDER``.

FOLDER has a checkout of each program, under its name in programs.toml, at the commit that stands there
and with data that its repository doesn't hold. The interpreter needs pydicom and what `requires` lists; ``--python
old=PATH`` names a further one. Programs are not changed, but for what `replace` says, and are run twice, in turns. What
a test starts as another process has pydicom in both.

A test is lost if it passes with pydicom alone. The reports, results.json and the table, programs.md, stay in
build/dropin-programs, or where ``--out`` says; results of programs that are not run are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter

from tools.dropin import junit

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("programs.toml")
PROGRAM_SECONDS, TEST_SECONDS = 3600, 120
PLACES = {"pydicom": ["-m", "pytest"], "dicomcore": ["-m", "dicomcore.interop.pydicom", "-m", "pytest"]}
"""How pytest is started with each library in pydicom's place."""


@dataclass(frozen=True)
class Program:
    """A row of programs.toml."""

    name: str
    repository: str
    commit: str
    tests: Sequence[str]
    paths: Sequence[str] = (".",)
    requires: Sequence[str] = ()
    python: str = ""
    replace: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What one program's tests gave: how many pass with pydicom, which of these dicomcore loses, and the seconds."""

    program: str
    passing: int
    lost: Mapping[str, str]
    gained: Sequence[str]
    seconds: Mapping[str, float]


def main() -> int:
    """Run the chosen programs, write the results and say what is lost; 1 if anything is."""
    chosen = arguments()
    programs = read_programs(TABLE.read_text())
    wanted = chosen.only or list(programs)
    unknown = set(wanted) - programs.keys()
    if unknown:
        sys.exit(f"not in {TABLE.name}: {', '.join(sorted(unknown))}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    kept = chosen.out / "results.json"
    results = read_results(kept.read_text()) if kept.is_file() else {}
    for name in wanted:
        results[name] = run(programs[name], chosen, results.get(name))
        print(line(results[name]), flush=True)
        for test, message in results[name].lost.items():
            print(f"  lost: {test}: {message}", flush=True)
        kept.write_text(json.dumps({one: asdict(results[one]) for one in programs if one in results}, indent=1) + "\n")
        (chosen.out / "programs.md").write_text(table(results[one] for one in programs if one in results))
    return int(any(results[name].lost for name in wanted))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", type=Path)
    parser.add_argument("only", nargs="*", metavar="PROGRAM")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="another interpreter")
    parser.add_argument("--dicomcore", type=Path, default=ROOT / "src", help="the folder that holds dicomcore, built")
    parser.add_argument("--reuse", action="store_true", help="pydicom's outcomes of the run before")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "dropin-programs")
    return parser.parse_intermixed_args()


def read_programs(text: str) -> dict[str, Program]:
    """The rows of programs.toml, by name."""
    return {name: Program(name, **row) for name, row in tomllib.loads(text).items()}


def read_results(text: str) -> dict[str, Result]:
    """What results.json holds, by program."""
    return {name: Result(**row) for name, row in json.loads(text).items()}


def run(program: Program, chosen: argparse.Namespace, before: Result | None) -> Result:
    """Run a program's tests with each library in pydicom's place."""
    checkout = chosen.checkouts / program.name
    for old, new in program.replace.items():
        replace(checkout, old, new)
    seconds, outcomes = {}, {}
    for place in PLACES:
        report = chosen.out.resolve() / place / f"{program.name}.xml"
        if place == "pydicom" and chosen.reuse and before is not None and report.is_file():
            seconds[place] = before.seconds[place]
        else:
            seconds[place] = run_tests(program, chosen, place, report)
        outcomes[place] = junit.read_all(report)
    return compare(program.name, outcomes["pydicom"], outcomes["dicomcore"], seconds)


def replace(checkout: Path, old: str, new: str) -> None:
    for source in checkout.rglob("*.py"):
        text = source.read_text(encoding="utf-8", errors="surrogateescape")
        if old in text:
            source.write_text(text.replace(old, new), encoding="utf-8", errors="surrogateescape")


def run_tests(program: Program, chosen: argparse.Namespace, place: str, report: Path) -> float:
    """Run pytest in a process of its own, which writes its report; gives the seconds."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    checkout = chosen.checkouts.resolve() / program.name
    interpreters = dict(one.split("=", 1) for one in chosen.python)
    python = interpreters[program.python] if program.python else sys.executable
    options = ["-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}", f"--junitxml={report}"]
    begun = perf_counter()
    with report.with_suffix(".txt").open("wb") as output:
        process = subprocess.Popen(
            [python, *PLACES[place], *options, *chosen_tests(program)],
            cwd=checkout,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(search_path(program, checkout, chosen.dicomcore))},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(PROGRAM_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return round(perf_counter() - begun, 1)


def chosen_tests(program: Program) -> list[str]:
    """pytest's arguments: the files and folders, without what is left out."""
    drives = TABLE.parent / "drives"
    tests = [
        str(drives / test.removeprefix("drives/")) if test.startswith("drives/") else test for test in program.tests
    ]
    return [*tests, "-k", " and ".join(f"not {part}" for part in program.left_out)] if program.left_out else tests


def search_path(program: Program, checkout: Path, dicomcore: Path) -> list[str]:
    return [*(str(checkout / path) for path in program.paths), str(dicomcore.resolve())]


def compare(
    program: str,
    before: Mapping[str, junit.Outcome],
    after: Mapping[str, junit.Outcome],
    seconds: Mapping[str, float],
) -> Result:
    """What dicomcore loses and gains; a test that isn't reported doesn't pass."""
    first, second = junit.passed(before), set(junit.passed(after))
    absent = junit.Outcome(junit.FAILED, "not run")
    lost = {test: after.get(test, absent).message for test in first if test not in second}
    return Result(program, len(first), lost, sorted(second.difference(first)), seconds)


def line(result: Result) -> str:
    """A result in one line."""
    kept = result.passing - len(result.lost)
    times = " → ".join(f"{result.seconds[place]:.0f}" for place in PLACES)
    return f"{result.program}: {kept} of {result.passing} pass, {times} s"


def table(results: Iterable[Result]) -> str:
    """The results as a table in Markdown."""
    lines = ["| program | pass with pydicom | of these with dicomcore | seconds |", "|---|---|---|---|"]
    for one in results:
        times = " → ".join(f"{one.seconds[place]:.0f}" for place in PLACES)
        lines.append(f"| {one.program} | {one.passing} | {one.passing - len(one.lost)} | {times} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
