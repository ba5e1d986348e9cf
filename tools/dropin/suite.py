"""pydicom's own tests, with pydicom and with dicomcore in its place: ``make pydicom-suite``.

The tests come from pydicom's source distribution, or from a tree that is at hand (``--tree``). Each file runs in a
process of its own, first with pydicom and then with dicomcore; a file that cannot be collected, or does not end in
time, has no test that passes. Nothing is downloaded by the tests: those that need more data than pydicom and
pydicom-data bring fail with pydicom too, and do not count.

A test that only pydicom passes needs a reason in suite_differences.toml. The number of tests that pass is kept in
suite_counts.json, by file, and may not fall; ``--update`` writes the higher numbers, ``--update --force`` the lower
ones too. Reports and the summary by reason stay in build/pydicom-suite.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from tools.dropin import differences, junit

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "pydicom-suite"
REASONS = Path(__file__).with_name("suite_differences.toml")
COUNTS = Path(__file__).with_name("suite_counts.json")
VERSION = "3.0.2"
FILE_SECONDS, TEST_SECONDS = 900, 120
PLACES = {"pydicom": ["-m", "pytest"], "dicomcore": ["-m", "dicomcore.interop.pydicom", "-m", "pytest"]}
"""How pytest is started with each library in pydicom's place."""


def main() -> int:
    """Run, compare and say; 1 if fewer tests pass than before, or if one has no reason to fail."""
    chosen = arguments()
    if version("pydicom") != VERSION:
        sys.exit(f"pydicom {VERSION} is needed here, {version('pydicom')} is installed")
    fetch(chosen.tree)
    files = chosen.files or sorted(place.relative_to(BUILD / "tests").as_posix() for place in tests())
    results = {place: run(place, files, reuse=chosen.reuse and place == "pydicom") for place in PLACES}
    return judge(results, update=chosen.update, force=chosen.force)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="a file of tests, such as pixels/test_utils.py")
    parser.add_argument("--tree", type=Path, help="pydicom's sources or a git directory with the tag of the version")
    parser.add_argument("--reuse", action="store_true", help="pydicom's outcomes of the run before")
    parser.add_argument("--update", action="store_true", help="write the number of tests that pass, if it is higher")
    parser.add_argument("--force", action="store_true", help="with --update: also if it is lower")
    return parser.parse_args()


def fetch(tree: Path | None) -> None:
    """Put pydicom's tests, and nothing else of it, into the build folder."""
    if tree is None and (BUILD / "tests").is_dir():
        return
    shutil.rmtree(BUILD / "tests", ignore_errors=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    if tree is None:
        wanted = ["--no-binary", ":all:", "--no-deps", f"pydicom=={VERSION}"]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", BUILD]
        subprocess.run([*pip, *wanted], check=True)
        unpack(BUILD / f"pydicom-{VERSION}.tar.gz", f"pydicom-{VERSION}/")
    elif (tree / "tests").is_dir():
        shutil.copytree(tree / "tests", BUILD / "tests")
    else:
        archive = BUILD / "tests.tar"
        git = ["git", f"--git-dir={tree}", "archive", "--output", archive, f"v{VERSION}", "tests"]
        subprocess.run(git, check=True)
        unpack(archive)
    (BUILD / "pytest.ini").write_text("[pytest]\n")  # the settings of this project are not theirs
    if not tests():
        sys.exit("no tests in the sources of pydicom: name a tree with --tree")


def unpack(archive: Path, top: str = "") -> None:
    """Extract the folder of tests from below `top`."""
    with tarfile.open(archive) as packed:
        for member in packed.getmembers():
            member.name = member.name.removeprefix(top)
            if member.name.startswith("tests/"):
                packed.extract(member, BUILD, filter="data")


def tests() -> list[Path]:
    return list((BUILD / "tests").rglob("test_*.py"))


def run(place: str, files: list[str], *, reuse: bool = False) -> dict[str, dict[str, junit.Outcome]]:
    """The outcomes of all files with one library in pydicom's place."""
    outcomes = {}
    for file in files:
        report = BUILD / place / f"{file}.xml"
        begun = perf_counter()
        if not reuse:
            report.unlink(missing_ok=True)
            report.parent.mkdir(parents=True, exist_ok=True)
            ended = run_file(place, file, report)
        outcomes[file] = junit.read(report, f"tests/{file}")
        if not reuse:
            count = len(junit.passed(outcomes[file]))
            print(f"{place}: {file}: {count} of {len(outcomes[file])} pass, {perf_counter() - begun:.1f} s{ended}")
    return outcomes


def run_file(place: str, file: str, report: Path) -> str:
    """Run one file of tests in a process of its own; gives a remark if there is no report."""
    options = ["-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}", f"--junitxml={report}"]
    environment = os.environ | dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")  # nothing listens
    environment |= {"HOME": str(BUILD / "home"), "PYTHONPATH": os.pathsep.join(paths())}
    with report.with_suffix(".txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *PLACES[place], *options, f"tests/{file}"],
            cwd=BUILD,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(FILE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f", ended after {FILE_SECONDS} s"
    return "" if report.is_file() else f", no report, exit code {code}"


def paths() -> list[str]:
    """PYTHONPATH as absolute paths, as the tests run in another folder."""
    return [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def judge(results: dict[str, dict[str, dict[str, junit.Outcome]]], *, update: bool, force: bool) -> int:
    """Print the comparison, and keep it; the exit code."""
    states = {
        place: {file: {test: one.state for test, one in tests.items()} for file, tests in outcomes.items()}
        for place, outcomes in results.items()
    }
    found = differences.compare(states["pydicom"], states["dicomcore"])
    reasons = differences.load(REASONS)
    explained, unexplained = differences.sort(found.lost, reasons)
    kept = json.loads(COUNTS.read_text())["passed"] if COUNTS.is_file() else {}
    wanted, both = sum(found.baseline.values()), sum(found.both.values())
    summary = (
        f"Of pydicom {VERSION}'s own tests, {wanted} pass with pydicom in this environment, and {both} of these with "
        f"dicomcore in its place ({both / max(wanted, 1):.1%}).\n\n{differences.table(explained, reasons)}\n"
    )
    (BUILD / "summary.md").write_text(summary, encoding="utf-8")
    print(f"\n{summary}")
    remarks = {
        "no reason in suite_differences.toml": told(unexplained, results["dicomcore"]),
        "fewer tests pass": differences.fallen(found.both, kept),
    }
    for title, lines in remarks.items():
        if lines:
            print(f"{title} ({len(lines)}):", *lines, sep="\n  ")
    if stale := differences.idle(found.lost, reasons, found.baseline):
        print(f"patterns that name no failing test any more ({len(stale)}):", *stale, sep="\n  ")
    if update:
        keep(found.both, kept, force=force)
    return int(any(remarks.values()))


def told(lost: list[str], outcomes: dict[str, dict[str, junit.Outcome]]) -> list[str]:
    """Lost tests with their messages; a file without outcomes in one line."""
    lines = {}
    for test in lost:
        file, _, name = test.partition("::")
        outcome = outcomes[file].get(name, junit.Outcome(junit.FAILED, "did not run"))
        lines[test if outcomes[file] else file] = f"{outcome.state}: {outcome.message}"
    return [f"{name}: {line}" for name, line in lines.items()]


def keep(counts: dict[str, int], kept: dict[str, int], *, force: bool) -> None:
    """Write the number of tests that pass, by file."""
    passed = kept | {file: count if force else max(count, kept.get(file, 0)) for file, count in counts.items()}
    record = {"pydicom": VERSION, "total": sum(passed.values()), "passed": dict(sorted(passed.items()))}
    COUNTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
