"""Check a release on one machine: ``python tools/release_check.py [PYTHON ...]``, or `make release-check`.

The sdist is built and its contents are checked. From it, and from nothing else of this tree, every Python named (by
default those of PATH and pyenv that are new enough) builds a wheel, which tools/check_wheel.py checks, and installs it
in a fresh virtual environment outside the tree, where it is imported, decodes, writes and indexes. The sdist and wheels
stay in dist/. The exit code is 1 if anything failed; the output names it.
"""

from __future__ import annotations

import argparse
import os
import runpy
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath
from time import perf_counter

from check_wheel import SRC, faults

ROOT = SRC.parent
DIST = ROOT / "dist"
OLDEST = (3, 11)
SOURCES = frozenset((".py", ".pyi", ".pyx", ".pxd", ".h", ".html", ".typed"))
FOREIGN = frozenset((".c", ".so", ".pyd", ".pyc"))
NEEDED = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "tools/check_wheel.py")
SMOKE = ROOT / "tools" / "smoke.py"


def run(command: list[str | Path], *, cwd: Path = ROOT) -> str:
    """The output of a command; if it fails, a RuntimeError with the end of its output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=clean, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout.strip()


def version_of(python: Path) -> tuple[str, ...]:
    """Three numbers and the ABI, which identifies a free-threaded build; empty if it is no Python."""
    asked = "import sys, sysconfig as s; print(*sys.version_info[:3], s.get_config_var('SOABI') or '')"
    try:
        return tuple(run([python, "-I", "-c", asked]).split())
    except (RuntimeError, OSError):
        return ()


def interpreters() -> list[Path]:
    """Pythons that are new enough, one of each version: those on PATH, then pyenv's."""
    names = [f"python3.{minor}{kind}" for minor in range(OLDEST[1], OLDEST[1] + 9) for kind in ("", "t")]
    places = [Path(found) for name in ["python3", *names] if (found := shutil.which(name))]
    places += sorted(Path("~/.pyenv/versions").expanduser().glob("3.*/bin/python3"))
    found: dict[tuple[str, ...], Path] = {}
    for place in places:
        told = version_of(place)
        if told and tuple(map(int, told[:2])) >= OLDEST:
            found.setdefault(told, place)
    return [found[told] for told in sorted(found, key=lambda told: tuple(map(int, told[:3])))]


def sdist_faults(path: Path) -> list[str]:
    """The faults of an sdist: missing sources, and generated files."""
    with tarfile.open(path) as archive:
        held = {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}
    wanted = {str(one.relative_to(ROOT).as_posix()) for one in SRC.rglob("*") if one.suffix in SOURCES}
    wanted = {name for name in wanted if ".egg-info/" not in name}
    version = runpy.run_path(str(SRC / "dicomcore" / "version.py"))["__version__"]
    return [
        *([] if path.name == f"dicomcore-{version}.tar.gz" else [f"{path.name} is not named after version {version}"]),
        *(f"{name} is missing" for name in sorted({*wanted, *NEEDED} - held)),
        *(f"{name} does not belong here" for name in sorted(held) if PurePosixPath(name).suffix in FOREIGN),
    ]


def make_sdist() -> Path:
    """Build the sdist of this tree in dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    run([sys.executable, "-m", "build", "--sdist", "--outdir", DIST, ROOT])
    (made,) = DIST.glob("*.tar.gz")
    return made


def check(python: Path, sdist: Path, folder: Path) -> str:
    """Build a wheel of the sdist, check it, install it in a fresh environment, and use it; give a summary."""
    venv, out = folder / "venv", folder / "wheel"
    run([python, "-m", "venv", venv])
    inside = venv / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    pip = [inside, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    start = perf_counter()
    run([*pip, "wheel", "--no-deps", "--no-cache-dir", "--wheel-dir", out, sdist], cwd=folder)
    took = perf_counter() - start
    (wheel,) = out.glob("*.whl")
    if wrong := faults(wheel):
        raise RuntimeError(f"{wheel.name}: " + "; ".join(wrong))
    run([sys.executable, "-m", "twine", "check", "--strict", wheel])
    run([*pip, "install", f"{wheel}[archive]", "pydicom>=3.0.1"], cwd=folder)
    said = run([inside, "-I", SMOKE, folder / "index.parquet"], cwd=folder)
    shutil.copy(wheel, DIST)
    return f"{wheel.stat().st_size / 1e6:.2f} MB, built in {took:.0f} s; {said}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="*", type=Path, help="interpreters; by default all that are found")
    chosen = parser.parse_args()
    sdist = make_sdist()
    run([sys.executable, "-m", "twine", "check", "--strict", sdist])
    wrong = sdist_faults(sdist)
    print(f"{sdist.name}: {sdist.stat().st_size / 1e6:.2f} MB, {'faults' if wrong else 'well'}", *wrong, sep="\n  ")
    failed = bool(wrong)
    for python in chosen.python or interpreters():
        told = version_of(python)
        with tempfile.TemporaryDirectory(prefix="dicomcore-release-") as folder:
            try:
                print(f"{'.'.join(told[:3])} {told[3]}: {check(python, sdist, Path(folder))}", flush=True)
            except (RuntimeError, OSError) as error:
                print(f"{python}: failed\n{error}", flush=True)
                failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
