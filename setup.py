"""The extension list; everything else about the package stands in pyproject.toml."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

NATIVE = Path("src/dicomcore/_native")
FLAGS = ["/O2"] if sys.platform == "win32" else ["-O3", "-fno-strict-aliasing", "-Wno-unreachable-code"]

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

extensions = [
    Extension(
        f"dicomcore._native.{source.stem}",
        [source.as_posix()],
        include_dirs=[NATIVE.as_posix()],
        depends=[header.as_posix() for header in sorted(NATIVE.rglob("*.h"))],
        extra_compile_args=FLAGS,
    )
    for source in sorted(NATIVE.glob("*.pyx"))
]

setup(ext_modules=cythonize(extensions, compiler_directives=DIRECTIVES, include_path=["src"]))
