"""The tests on another processor: a Debian for it in a folder, the native code cross-compiled, run by QEMU.

    sudo python -m tools.platforms.foreign s390x                # big endian; the tests of ROOMS
    sudo python -m tools.platforms.foreign arm64 tests/scan -k truncated

Needs root, and Debian's debootstrap, qemu-user-static and gcc-<processor>-linux-gnu; binfmt_misc is mounted and the
processor registered if they aren't yet. What is laid stays in build/platforms/<name>, so that a second run compiles
only what changed. Ends with the exit code of pytest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ["python3", "python3-dev", "python3-numpy", "python3-aiohttp", "python3-jinja2", "python3-pil"]
# Of Python alone, newer than Debian's: laid there by the pip of this machine.
PURE = [
    "anyio", "attrs", "certifi", "click", "dpkt", "execnet", "fsspec", "h11", "httpcore", "httpx", "hypothesis", "idna",
    "iniconfig", "markdown-it-py", "mdurl", "packaging", "pluggy", "pydicom", "pygments", "pynetdicom", "pytest",
    "pytest-timeout", "pytest-xdist", "python-multipart", "rich", "sortedcontainers", "starlette", "typing-extensions",
    "uvicorn", "websockets",
]  # fmt: skip
# Rooms whose results depend on the order of bytes, the alignment of loads or the sign of char.
ROOMS = [
    "base", "dictionary", "dataset", "encoding", "part10", "forms", "deid", "net", "iod", "sr", "objects", "display",
    "pixels", "services", "fileset", "transcoding", "reliability",
]  # fmt: skip


@dataclass(frozen=True)
class Platform:
    debian: str  # its name of the processor
    suite: str  # of Debian: the newest that is whole for the processor
    qemu: str
    compiler: str


PLATFORMS = {
    "arm64": Platform("arm64", "trixie", "aarch64", "aarch64-linux-gnu-gcc"),
    "s390x": Platform("s390x", "bookworm", "s390x", "s390x-linux-gnu-gcc"),
}


def run(*argv: object, **options: object) -> None:
    subprocess.run([str(part) for part in argv], check=True, **options)  # type: ignore[call-overload]


def register(platform: Platform) -> None:
    """Let the kernel start the processor's programs by QEMU."""
    table = Path("/proc/sys/fs/binfmt_misc")
    if not (table / "register").exists():
        run("mount", "-t", "binfmt_misc", "none", table)
    if not (table / f"qemu-{platform.qemu}").exists():
        run("update-binfmts", "--enable", f"qemu-{platform.qemu}")


def lay(platform: Platform, root: Path) -> None:
    """A Debian for the processor, with Python and what the tests need."""
    done = root / ".laid"
    if done.exists():
        return
    if not (root / "usr/bin/apt-get").exists():
        shutil.rmtree(root, ignore_errors=True)
        root.parent.mkdir(parents=True, exist_ok=True)
        run("debootstrap", f"--arch={platform.debian}", "--foreign", "--variant=minbase", platform.suite, root, MIRROR)
        run("chroot", root, "/debootstrap/debootstrap", "--second-stage")
    (root / "etc/apt/sources.list").write_text(f"deb {MIRROR} {platform.suite} main\n")
    for name in ("etc/resolv.conf", "etc/hosts"):
        shutil.copy(f"/{name}", root / name)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run("chroot", root, "apt-get", "-q", "update", env=environment)
    run("chroot", root, "apt-get", "-q", "-y", "--no-install-recommends", "install", *PACKAGES, env=environment)
    run(
        sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--upgrade", "--only-binary=:all:", "--platform=any",
        f"--python-version={python_of(root).removeprefix('python')}",
        "--target", root / f"usr/local/lib/{python_of(root)}/dist-packages", *PURE,
    )  # fmt: skip
    done.touch()


def python_of(root: Path) -> str:
    """The name of the folder's Python, such as python3.13."""
    return next(path.name for path in sorted((root / "usr/include").glob("python3*")) if path.is_dir())


def compile_for(platform: Platform, root: Path, flags: Sequence[str]) -> None:
    """Each module's C, as Cython generated it here, for the processor and for the chroot's Python."""
    include = root / "usr/include" / python_of(root)
    minor = include.name.removeprefix("python3.")
    suffix = f".cpython-3{minor}-{platform.compiler.removesuffix('-gcc')}.so"
    source = TOP / "src/dicomcore/_native"
    target = root / "dicomcore/src/dicomcore/_native"
    headers = max(path.stat().st_mtime for path in source.rglob("*.h"))

    def build(path: Path) -> None:
        out = (target / path.relative_to(source)).with_suffix(suffix)
        if out.exists() and out.stat().st_mtime > max(path.stat().st_mtime, headers):
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        run(
            platform.compiler, "-shared", "-fPIC", "-O2", "-fno-strict-aliasing", "-Wno-unreachable-code", *flags,
            "-DNDEBUG", f"-I{include}", f"-I{root}/usr/include", f"-I{root}/usr/include/{platform.compiler[:-4]}",
            f"-I{source}", path, "-o", out, "-lm",
        )  # fmt: skip

    modules = sorted(path for path in source.rglob("*.c") if path.with_suffix(".pyx").exists() or path.stem == "shared")
    if not modules:
        sys.exit("the native code was not built here: python setup.py build_ext --inplace")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(build, modules))


def copy_tree(root: Path) -> None:
    place = root / "dicomcore"
    for name in ("src", "tests", "benches", "fuzz", "tools", "docs"):
        shutil.copytree(
            TOP / name, place / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.so", "__pycache__", ".*")
        )
    for path in TOP.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, place / path.name)


def test(root: Path, argv: Sequence[str]) -> int:
    """The outcome of pytest in the chroot, which sees the corpus and the tables of the standard if they are here."""
    mounts = [(Path("/proc"), root / "proc"), (Path("/dev"), root / "dev")]
    if (TOP.parent / "shared").exists():
        mounts.append((TOP.parent / "shared", root / "shared"))
    for source, target in mounts:
        target.mkdir(exist_ok=True)
        run("mount", "--bind", source, target)
    try:
        command = ["python3", "-m", "pytest", "-m", "not long", "-p", "no:cacheprovider", *argv]
        # Without its bytecode pytest compiles hypothesis anew each time, which takes two minutes on such a processor.
        script = 'cd /dicomcore && unset PYTHONDONTWRITEBYTECODE && PYTHONPATH=/dicomcore/src exec "$@"'
        return subprocess.run(["chroot", str(root), "sh", "-c", script, "sh", *command], check=False).returncode
    finally:
        for _, target in reversed(mounts):
            run("umount", target)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", choices=PLATFORMS)
    parser.add_argument("--root", type=Path, help="the folder of the other Debian (build/platforms/<name>)")
    parser.add_argument("--warnings", action="store_true", help="show what the compiler warns of")
    arguments, argv = parser.parse_known_args()
    platform = PLATFORMS[arguments.platform]
    root = (arguments.root or TOP / "build/platforms" / arguments.platform).absolute()
    register(platform)
    lay(platform, root)
    copy_tree(root)
    compile_for(platform, root, ("-Wall", "-Wextra") if arguments.warnings else ("-w",))
    return test(root, argv or [f"tests/{room}" for room in ROOMS])


if __name__ == "__main__":
    sys.exit(main())
