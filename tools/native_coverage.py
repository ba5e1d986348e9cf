"""Build the extensions with gcc's counters, run the suite on them, and say which lines of Cython it reached.

``make native-coverage``, which needs gcc and its gcov. A copy of the sources is built in build/native-coverage, with C
that names its lines of Cython. One process runs all tests, as counts are written at the normal end of a process: those
of workers that are killed are lost. Its counts are stored apart from its children's, which may be incomplete. Arguments
go to pytest. Lines that weren't reached are listed in build/native-coverage/missed.txt; a line counts if any module has
C for it, headers included.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "native-coverage"
SOURCE = BUILD / "source"
NATIVE = SOURCE / "src" / "dicomcore" / "_native"
COUNTS = BUILD / "counts"
CANNOT_RUN = {
    "tests/archive/test_resume.py::test_a_full_disk_is_one_clear_error": "a full disk takes no counts either",
    "tests/cli/test_disk.py": "the same",
    "tests/part10/test_write_faults.py::test_a_full_disk_leaves_the_old_file": "the same",
    "tests/reliability/test_leaks.py": "resident memory",
}
"""Tests that are left out, and why."""
CYTHONS = re.compile(r"^(?=[^#/ ].*\b(?:__Pyx_\w+|__pyx_tp_\w+|__pyx_pymod_\w+|PyInit_\w+)\s*\([^;]*$)", re.MULTILINE)
"""The beginning of functions that Cython adds to each module: gcc counts them to the source before them."""
PYTEST = """
import os, pytest, sys
code = pytest.main(sys.argv[1:])
os.environ["GCOV_PREFIX"] += "/../tests"
sys.exit(code)
"""


def build() -> Path:
    """Build a copy of the sources with counters; give the folder to import it from."""
    shutil.rmtree(BUILD, ignore_errors=True)
    shutil.copytree(ROOT / "src", SOURCE / "src", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, SOURCE)
    environment = {**os.environ, "CC": str(ROOT / "tools" / "counting-cc"), "DICOMCORE_SYMBOLS": "1"}
    subprocess.run([sys.executable, "setup.py", "-q", "--name"], cwd=SOURCE, env=environment, check=True)
    for made in NATIVE.rglob("*.c"):
        made.write_text(CYTHONS.sub('#line 1 "cython"\n', made.read_text()))
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "-i"], cwd=SOURCE, env=environment, check=True)
    return SOURCE / "src"


def run_tests(library: Path, arguments: list[str]) -> int:
    """Run pytest on the package in `library`; give its exit code."""
    options = ["-p", "no:cacheprovider", "-m", "not long", "-o", "timeout=1800"]
    options += [f"--deselect={test}" for test in CANNOT_RUN]
    environment = {**os.environ, "PYTHONPATH": str(library), "GCOV_PREFIX": str(COUNTS / "children")}
    COUNTS.joinpath("children").mkdir(parents=True)
    return subprocess.run([sys.executable, "-c", PYTEST, *options, *arguments], cwd=ROOT, env=environment).returncode


def counts() -> dict[str, Counter[int]]:
    """How often each line of each source was reached: files below _native, line by line."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for data in sorted(COUNTS.rglob("*.gcda")):
        shutil.copy(Path("/", *data.relative_to(COUNTS).parts[1:]).with_suffix(".gcno"), data.parent)
        said = subprocess.run(
            ["gcov", "--json-format", "--stdout", str(data)], cwd=SOURCE, capture_output=True, check=True
        )
        for document in said.stdout.splitlines():
            for file in json.loads(document)["files"]:
                path = Path(file["file"])
                if "_native" not in path.parts or path.suffix not in (".pyx", ".pxd", ".h"):
                    continue  # Cython's own code, Python's headers
                name = "/".join(path.parts[path.parts.index("_native") + 1 :])
                for line in file["lines"]:
                    found[name][line["line_number"]] += line["count"]
    return found


def report(found: dict[str, Counter[int]]) -> None:
    """Print a line for each source, and the sum; write the missed lines to a file."""
    reached = total = 0
    with (BUILD / "missed.txt").open("w") as missed:
        for name, counted in sorted(found.items()):
            text = (NATIVE / name).read_text().splitlines()
            lines = {line: count for line, count in counted.items() if line <= len(text)}  # further lines are Cython's
            unreached = [line for line, count in sorted(lines.items()) if not count]
            hit = len(lines) - len(unreached)
            reached, total = reached + hit, total + len(lines)
            print(f"{name:24} {hit:5} of {len(lines):5}  {hit / len(lines):6.1%}")
            missed.writelines(f"{name}:{line}: {text[line - 1]}\n" for line in unreached)
    print(f"{'all':24} {reached:5} of {total:5}  {reached / max(total, 1):6.1%}")


def main(arguments: list[str]) -> int:
    code = run_tests(build(), arguments)
    report(counts())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
