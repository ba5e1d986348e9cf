"""Check the contents of wheels: ``python tools/check_wheel.py dist/*.whl``.

A wheel must hold every module, stub and template of src/, an extension for every .pyx, and the shared extension; no
tests, no benches, no sources of extensions; and at most 4.5 MB. Faults are printed, and the exit code is then 1.
"""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

SRC = Path(__file__).resolve().parents[1] / "src"
SHIPPED = frozenset((".py", ".pyi", ".html"))
VIEWER = "web/viewer/"  # of which everything is shipped
EXTENSIONS = frozenset((".so", ".pyd"))
LARGEST = 4_500_000
SHARED = "dicomcore/_native/shared"  # Cython's code common to all modules; setup.py makes it, without a .pyx


def is_shipped(path: Path) -> bool:
    """Whether a file of src/ belongs into a wheel."""
    return path.is_file() and (path.suffix in SHIPPED or path.name == "py.typed" or VIEWER in path.as_posix())


def faults(wheel: Path) -> list[str]:
    """The faults of a wheel, as sentences."""
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}
    sources = [path for path in (SRC / "dicomcore").rglob("*") if "__pycache__" not in path.parts]
    wanted = {path.relative_to(SRC).as_posix() for path in sources if is_shipped(path)}
    native = {path.relative_to(SRC).with_suffix("").as_posix() for path in sources if path.suffix == ".pyx"}
    native.add(SHARED)
    # dicomcore/_native/pixels/rle.cpython-313-x86_64-linux-gnu.so
    built = {name.partition(".")[0] for name in held if PurePosixPath(name).suffix in EXTENSIONS}
    loaded = {name for name in held if PurePosixPath(name).suffix in EXTENSIONS}
    size = wheel.stat().st_size
    return [
        *(f"{name} is missing" for name in sorted(wanted - held)),
        *(f"{name}: no extension" for name in sorted(native - built)),
        *(f"{name} does not belong here" for name in sorted(held - wanted - loaded)),
        *([f"{size} bytes are more than {LARGEST}"] if size > LARGEST else []),
    ]


def main(names: list[str]) -> int:
    if not names:
        print("no wheels", file=sys.stderr)
        return 2
    found = {name: faults(Path(name)) for name in names}
    for name, wrong in found.items():
        print(f"{Path(name).name}: {Path(name).stat().st_size} bytes, {'faults' if wrong else 'well'}")
        for one in wrong:
            print(f"  {one}")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
