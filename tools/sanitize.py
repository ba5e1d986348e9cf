"""Build the extensions with AddressSanitizer and UBSan, and run the whole suite on them: `make sanitize`.

Only the package is built with the sanitizers, into build/sanitize. The interpreter is a normal one, so that the
sanitizers' runtime is preloaded, and Python's own allocator is switched off: it would hide errors inside its arenas.
Reports are shown at the end: AddressSanitizer's from files, as a test may capture the output of its child process;
UBSan, together with it, always writes to standard error, so that pytest must not capture that. With pytest-xdist there
are as many processes as processors, and a process that a report ends is replaced by another.
Arguments go to pytest. The exit code isn't 0 when a test fails or a sanitizer reports something.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "sanitize"
REPORTS = BUILD / "reports"
COMPILER = ROOT / "tools" / "sanitized-cc"
CANNOT_RUN = {
    "tests/reliability/test_guard.py::test_an_access_beyond_the_end_ends_the_process": "a deliberate fault",
    "tests/pixels/test_isolation_ends.py::test_workers_killed_under_several_threads": "its SIGSEGV would be reported",
    "tests/reliability/test_leaks.py": "resident memory: the sanitizer keeps what is freed",
    "tests/reliability/test_hostile.py::test_claims_allocate_nothing": "bounds address space; a sanitizer takes 20 TB",
    "tests/reliability/test_hostile.py::test_two_megabytes_that_inflate_to_two_gigabytes": "resident memory",
    "tests/archive/test_report.py::test_half_a_million_rows_in_bounded_memory": "resident memory",
}
"""Tests that are left out, and why; as few as possible."""
CALM = {
    # detect_leaks: the interpreter itself leaks at its end. allocator_may_return_null: a test requests too much memory
    # and expects a MemoryError. alloc_dealloc_mismatch: dciodvfy, which is C++, has this fault.
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:alloc_dealloc_mismatch=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "PYTHONMALLOC": "malloc",
}


def build(base: Path, **environment: str) -> Path:
    """Build the changed parts of the package with sanitizers below `base`; give the folder to import it from."""
    library = base / "lib"
    command = [sys.executable, "setup.py", "-q", "build", f"--build-base={base}", f"--build-lib={library}"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "CC": str(COMPILER), **environment}, check=True)
    return library


def runtime(name: str) -> str:
    """The path of a sanitizer's runtime library."""
    compiler = os.environ.get("SANITIZED_CC", "gcc").split()
    found = subprocess.run([*compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def run_tests(library: Path, arguments: list[str]) -> int:
    """Run pytest on the package in `library`; give its exit code."""
    environment = {
        **os.environ,
        **CALM,
        "ASAN_OPTIONS": f"{CALM['ASAN_OPTIONS']}:log_path={REPORTS / 'address'}",
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libubsan.so')}",
        "PYTHONPATH": str(library),
    }
    # pytest's faulthandler would catch a segmentation fault before the sanitizer.
    options = ["-p", "no:cacheprovider", "-p", "no:faulthandler", "--capture=sys", "-m", "not long"]
    options += [f"--deselect={test}" for test in CANNOT_RUN]
    if importlib.util.find_spec("xdist"):
        options += ["-n", str(os.cpu_count() or 1), "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", *options, *arguments]
    with (REPORTS / "undefined").open("w") as said:
        return subprocess.run(command, cwd=ROOT, env=environment, stderr=said).returncode


def read_report(path: Path) -> str:
    """A sanitizer's report; empty if it only warns of a failed allocation."""
    text = path.read_text(errors="replace")
    return text if "ERROR: " in text or "runtime error: " in text else ""


def main(arguments: list[str]) -> int:
    library = build(BUILD)
    REPORTS.mkdir(parents=True, exist_ok=True)
    for old in REPORTS.iterdir():
        old.unlink()
    code = run_tests(library, arguments)
    reports = [text for report in sorted(REPORTS.iterdir()) if (text := read_report(report))]
    for text in reports:
        print(f"\n{text}", file=sys.stderr)
    print(f"sanitizers' reports: {len(reports)}", file=sys.stderr)
    return code or bool(reports)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
