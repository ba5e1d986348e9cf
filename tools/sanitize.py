"""Build the extensions with AddressSanitizer and UBSan, and run the tests of native code on them: `make sanitize`.

Only the package is built with the sanitizers, into build/sanitize; the interpreter is as it is, so that the sanitizers'
runtime is loaded before it, and Python's own allocator is switched off: it would hide what happens inside its arenas.
Arguments go to pytest. The exit code isn't 0 when a test fails or a sanitizer reports something.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
BUILD = HOUSE / "build" / "sanitize"
COMPILER = HOUSE / "tools" / "sanitized-cc"
# What reaches every kernel, hostile input first; what only repeats it through the façade is left to `make test`.
TESTS = (
    *("hostile", "codecs_hostile", "scan", "number", "dictionary", "values", "charset", "differential", "archive_rows"),
    *("rle", "jpegll", "swap", "unpack", "planes", "colour", "lut", "guard"),
    *("pixels_frames", "pixels_pieces", "pixels_batch"),
)
# These bound the process's memory, of which the sanitizers' shadow takes more than they grant.
UNFIT = "not test_claims_allocate_nothing and not test_two_megabytes_that_inflate"
CALM = {
    # leaks: the interpreter's own at its end. Null: a test asks for more than there is, and wants its MemoryError.
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "PYTHONMALLOC": "malloc",
}


def build(base: Path, **environment: str) -> Path:
    """Build the package with sanitizers below `base`, what has changed of it; give the folder to import it from."""
    library = base / "lib"
    command = [sys.executable, "setup.py", "-q", "build", f"--build-base={base}", f"--build-lib={library}"]
    subprocess.run(command, cwd=HOUSE, env={**os.environ, "CC": str(COMPILER), **environment}, check=True)
    return library


def runtime(name: str) -> str:
    """The path of a sanitizer's runtime library."""
    compiler = os.environ.get("SANITIZED_CC", "gcc")
    found = subprocess.run([compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def main(arguments: list[str]) -> int:
    library = build(BUILD)
    paths = [str(path) for path in (HOUSE / "tests" / f"test_{name}.py" for name in TESTS) if path.is_file()]
    environment = {
        **os.environ,
        **CALM,
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libubsan.so')}",
        "PYTHONPATH": str(library),
    }
    options = ["-p", "no:cacheprovider", "-m", "not long", "-k", UNFIT]
    command = [sys.executable, "-m", "pytest", *options, *(arguments or paths)]
    return subprocess.run(command, cwd=HOUSE, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
