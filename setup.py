"""The extensions and how they are compiled; pyproject.toml has everything else about the package.

Extensions have no debug symbols, which would be three quarters of their size; DICOMCORE_SYMBOLS=1 keeps them, with the
lines of Cython.
"""

import os
import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

NATIVE = Path("src/dicomcore/_native")
# The code that Cython would write into each module with typed views, a third of all C, compiled once for all modules.
SHARED = "dicomcore._native.shared"
SYMBOLS = os.environ.get("DICOMCORE_SYMBOLS", "0") != "0"
# Rooms and modules with inner loops, over bytes, elements, samples or files. The rest calls Python most of the time:
# compiled for size it is a third smaller, and as fast.
HOT = {
    "base.dictionary", "base.number", "base.swap", "bulk", "check", "deid.copier", "deid.needle", "deid.textlike",
    "forms", "jpegll", "net.fragments", "net.plain", "pixels", "scan", "views.data_element", "views.dataset",
    "views.decimal", "views.decode", "write.elements", "write.encode", "write.output",
}  # fmt: skip
if sys.platform == "win32":
    FAST, SMALL, FLAGS = "/O2", "/O1", []  # symbols go to separate files
else:
    FAST, SMALL, FLAGS = "-O3", "-Os", ["-fno-strict-aliasing", "-Wno-unreachable-code"]
    # Nothing throws or unwinds here: the tables for it only serve debuggers, and are a twentieth of an extension.
    FLAGS += ["-g"] if SYMBOLS else ["-g0", "-fno-asynchronous-unwind-tables"]
# What a linker leaves besides, the names of static functions, is a tenth of an extension.
LINKING = ["-Wl,-s"] if sys.platform == "linux" and not SYMBOLS else []
PROCESSORS = min(os.cpu_count() or 1, 61)  # Windows can't wait for more processes at once

# Set here once, so that all kernels are compiled with the same directives.
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "embedsignature": True,
    "embedsignature.format": "clinic",  # which `inspect` reads
    "freethreading_compatible": True,
    # What Cython would add for introspection and pickling of each function and class is a sixth of all machine code.
    "binding": False,
    "auto_pickle": False,
}


def headers(room: Path) -> list[str]:
    """The headers that modules of a room may be compiled with: its own and those of rooms that its sources name."""
    text = "".join(source.read_text(encoding="utf-8") for source in room.iterdir() if source.suffix in {".pyx", ".pxd"})
    rooms = [NATIVE / "base", *(other for other in NATIVE.iterdir() if f"_native.{other.name}" in text)]
    return sorted({header.as_posix() for folder in (room, *rooms) for header in folder.rglob("*.h")})


def extension(name: str, source: Path) -> Extension:
    module = name.removeprefix("dicomcore._native.")
    hot = not HOT.isdisjoint((module, module.partition(".")[0]))
    return Extension(
        name,
        [source.as_posix()],
        include_dirs=[NATIVE.as_posix()],
        depends=headers(source.parent),
        extra_compile_args=[FAST if hot else SMALL, *FLAGS],
        extra_link_args=LINKING,
    )


if __name__ == "__main__":  # Cython's spawned processes import this file again, under another name
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
