"""The native code compiled, not run, for other systems by the clang of the package ziglang.

    python -m tools.platforms.compiled                      # every target
    python -m tools.platforms.compiled windows-x86_64

Zig brings each system's own headers. Python's are those of this interpreter, with a pyconfig.h for the target that is
laid in build/platforms. Warnings about what MSVC refuses are errors: expressions that contain statements, arrays of
variable length, `case` ranges, computed gotos. Needs the generated C (python setup.py build_ext --inplace).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOP = Path(__file__).parents[2]
NATIVE = TOP / "src/dicomcore/_native"
OUT = TOP / "build/platforms/compiled"
TARGETS = {
    "windows-x86_64": "x86_64-windows-gnu",
    "windows-aarch64": "aarch64-windows-gnu",
    "macos-x86_64": "x86_64-macos",
    "macos-aarch64": "aarch64-macos",
    "musl-x86_64": "x86_64-linux-musl",
    "musl-aarch64": "aarch64-linux-musl",
    "linux-aarch64": "aarch64-linux-gnu",
    "linux-s390x": "s390x-linux-gnu",
    "linux-armv7": "arm-linux-gnueabihf",  # 32 bits: sizes of pointers and of Py_ssize_t
}
ERRORS = ["gnu-statement-expression", "vla", "gnu-case-range", "gnu-label-as-value", "gnu-empty-initializer",
          "gnu-binary-literal", "zero-length-array", "gnu-pointer-arith", "gnu-union-cast", "gnu-designator",
          "gnu-auto-type", "gnu-empty-struct", "gnu-folding-constant", "implicit-function-declaration",
          "incompatible-pointer-types", "int-conversion", "shift-count-overflow", "format"]  # fmt: skip
# Sizes by the system's data model; what else Python's headers ask of pyconfig.h.
MODELS = {
    "LLP64": {"INT": 4, "LONG": 4, "LONG_LONG": 8, "VOID_P": 8, "SIZE_T": 8, "TIME_T": 8, "WCHAR_T": 2, "SHORT": 2,
              "FLOAT": 4, "DOUBLE": 8, "OFF_T": 8, "PID_T": 4, "FPOS_T": 8, "UINTPTR_T": 8, "PTHREAD_T": 8,
              "LONG_DOUBLE": 16, "_BOOL": 1},
    "ILP32": {"LONG": 4, "VOID_P": 4, "SIZE_T": 4, "UINTPTR_T": 4, "PTHREAD_T": 4, "LONG_DOUBLE": 8},
}  # fmt: skip
WINDOWS = ["MS_WIN32", "MS_WIN64", "MS_WINDOWS", "NT_THREADS", "HAVE_DECLSPEC_DLL", "WITH_DOC_STRINGS"]


def configuration(target: str) -> str:
    """pyconfig.h of a target: this interpreter's with other sizes, or the few facts that Windows needs."""
    if "windows" in target:
        sizes = "".join(f"#define SIZEOF_{name} {size}\n" for name, size in MODELS["LLP64"].items())
        return "".join(f"#define {word} 1\n" for word in WINDOWS) + sizes + "#define NATIVE_TSS_KEY_T unsigned long\n"
    text = '#include "pyconfig-here.h"\n'
    changed = dict(MODELS["ILP32"]) if target.startswith("arm-") else {}
    for name, size in changed.items():
        text += f"#undef SIZEOF_{name}\n#define SIZEOF_{name} {size}\n"
    text += "#undef WORDS_BIGENDIAN\n" + ("#define WORDS_BIGENDIAN 1\n" if target.startswith("s390x") else "")
    return text


def lay(target: str) -> Path:
    """A folder of Python's headers for the target."""
    place = OUT / target / "include"
    place.mkdir(parents=True, exist_ok=True)
    headers = Path(sysconfig.get_paths()["include"])
    for path in headers.iterdir():
        link = place / path.name
        if path.name != "pyconfig.h" and not link.exists():
            link.symlink_to(path)
    (place / "pyconfig-here.h").write_text(Path(sysconfig.get_config_h_filename()).read_text(encoding="utf-8"))
    (place / "pyconfig.h").write_text(configuration(target))
    return place


def modules() -> Iterator[Path]:
    return (path for path in sorted(NATIVE.rglob("*.c")) if path.with_suffix(".pyx").exists() or path.stem == "shared")


def compile_for(name: str) -> list[str]:
    """What the compiler says of each module that it refuses."""
    target = TARGETS[name]
    include = lay(target)
    options = [
        "-c",
        "-O0",
        "-fno-sanitize=all",
        "-fno-strict-aliasing",
        "-Wno-everything",
        *(f"-Werror={one}" for one in ERRORS),
    ]

    def build(path: Path) -> str:
        out = OUT / target / f"{path.relative_to(NATIVE).as_posix().replace('/', '.')}.o"
        command = [sys.executable, "-m", "ziglang", "cc", "-target", target, *options, f"-I{include}", f"-I{NATIVE}"]
        done = subprocess.run([*command, str(path), "-o", str(out)], capture_output=True, text=True, check=False)
        return f"{path.relative_to(NATIVE)}\n{done.stderr}" if done.returncode else ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [said for said in pool.map(build, modules()) if said]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", nargs="*", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--quiet", "-q", action="store_true", help="only whether each module compiles")
    arguments = parser.parse_args()
    if not any(modules()):
        sys.exit("the native code was not built here: python setup.py build_ext --inplace")
    failed = 0
    for name in arguments.target or TARGETS:
        refused = compile_for(name)
        failed += len(refused)
        print(
            f"{name}: {sum(1 for _ in modules()) - len(refused)} modules compiled, {len(refused)} refused", flush=True
        )
        if not arguments.quiet:
            print("\n".join(refused))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
