"""The extension list and how it is compiled; everything else about the package stands in pyproject.toml.

What is built carries no symbols for debuggers, which would be three quarters of it; DICOMCORE_SYMBOLS=1 keeps them, and
names the lines of Cython in them.
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

NATIVE = Path("src/dicomcore/_native")
# What Cython would write into each module that has typed views, a third of all C: once for all of them.
SHARED = "dicomcore._native.shared"
SYMBOLS = os.environ.get("DICOMCORE_SYMBOLS", "0") != "0"
if sys.platform == "win32":
    FLAGS = ["/O2"]  # symbols go to files of their own, when asked for
else:
    FLAGS = ["-O3", "-fno-strict-aliasing", "-Wno-unreachable-code"]
    FLAGS += ["-g" if SYMBOLS else "-g0"]
PROCESSORS = min(os.cpu_count() or 1, 61)  # Windows waits for no more processes at once

# Set once here, so that no kernel is compiled under other rules than its neighbour.
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": True,
    "freethreading_compatible": True,
}


def extension(name: str, source: Path) -> Extension:
    return Extension(
        name,
        [source.as_posix()],
        include_dirs=[NATIVE.as_posix()],
        depends=[header.as_posix() for header in sorted(NATIVE.rglob("*.h"))],
        extra_compile_args=FLAGS,
    )


if __name__ == "__main__":  # where processes are spawned, each of Cython's runs this file again, under another name
    sources = sorted(NATIVE.rglob("*.pyx"))
    extensions = [extension(".".join(source.relative_to("src").with_suffix("").parts), source) for source in sources]
    setup(
        ext_modules=cythonize(
            [*extensions, extension(SHARED, NATIVE / "shared.c")],
            compiler_directives=DIRECTIVES,
            include_path=["src"],
            emit_linenums=SYMBOLS,
            nthreads=PROCESSORS,
            shared_utility_qualified_name=SHARED,
        ),
        options={"build_ext": {"parallel": PROCESSORS}},
    )
