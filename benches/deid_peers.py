"""Other tools that de-identify, each in a process of its own: over a folder, or one file in memory again and again.

The processes are of the Python named by DEID_PEERS, whose packages are dicom-anonymizer, deid, dicognito, dcmanon and
pydicom; gdcmanon and java (with libpixelmed-java of Debian) are taken from the path. What is not there is left out.
Each has its best settings for the set: what Table E.1-1 and its options ask for, as far as its own rules can say it.

    python benches/deid_peers.py folder NAME IN OUT [TABLE]
    python benches/deid_peers.py memory NAME FILE COUNT

Both print a line of JSON: files, failed, seconds of processor time. TABLE is what `write_table` writes.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple

PYTHON = os.environ.get("DEID_PEERS", sys.executable)
PACKAGES = {
    "dicom-anonymizer": "dicomanonymizer",
    "deid": "deid",
    "dicognito": "dicognito",
    "dcmanon": "dcmanon",
}
PROGRAMS = {"gdcmanon": "gdcmanon", "PixelMed": "java"}
JARS = Path("/usr/share/java")
Cleaner = Callable[[Path, Path], Any]
Table = dict[str, str]
KEPT = ("00100040", "00101010", "00101020", "00101030", "00102160", "001021A0", "001021C0")


class Run(NamedTuple):
    """What a peer's process said, and how long it took by the clock."""

    files: int
    failed: int
    seconds: float
    wall: float
    peak: int = 0


# ---- the side that starts processes; it has dicomcore's environment


def available() -> list[str]:
    """The peers that can be run here."""
    found = []
    for name, module in PACKAGES.items():
        done = subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True, check=False)
        if done.returncode == 0:
            found.append(name)
    found += [name for name, program in PROGRAMS.items() if shutil.which(program)]
    return found if (JARS / "pixelmed.jar").is_file() else [name for name in found if name != "PixelMed"]


def write_table(path: Path, actions: Table) -> Path:
    path.write_text(json.dumps(actions))
    return path


def over_folder(name: str, source: Path, out: Path, table: Path | None = None) -> Run:
    """Run a peer over a folder."""
    out.mkdir(parents=True, exist_ok=True)
    return _started(["folder", name, str(source), str(out), *([str(table)] if table else [])])


def in_memory(name: str, path: Path, count: int) -> Run:
    """Run a peer on one file, `count` times in one process."""
    return _started(["memory", name, str(path), str(count)])


def _started(words: list[str]) -> Run:
    begun = perf_counter()
    done = subprocess.run([PYTHON, __file__, *words], capture_output=True, text=True, check=False)
    taken = perf_counter() - begun
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(f"{words[1]}: {done.stderr[-500:]}")
    return Run(**json.loads(lines[-1]), wall=taken)


# ---- the side that runs in the peers' environment


def dicom_anonymizer(table: Table | None) -> Cleaner:
    from dicomanonymizer.simpledicomanonymizer import anonymize_dicom_file, keep

    rules: dict[Any, Any] = {}
    if table:
        rules = {_pair(tag): keep for tag, action in table.items() if action == "K" and "x" not in tag}
    return lambda source, target: anonymize_dicom_file(str(source), str(target), rules, True)


def _pair(tag: str) -> tuple[int, int]:
    return int(tag[:4], 16), int(tag[4:], 16)


def dicognito(_: Table | None) -> Cleaner:
    import pydicom
    from dicognito.anonymizer import Anonymizer

    anonymizer = Anonymizer(seed="bench")

    def run(source: Path, target: Path) -> None:
        with pydicom.dcmread(source) as ds:
            anonymizer.anonymize(ds)
            ds.save_as(target)

    return run


def dcmanon(table: Table | None) -> Cleaner:
    from dcmanon import Anonymizer

    words = {"X": "remove", "Z": "empty", "D": "replace", "U": "hashuid", "K": "keep", "S": "hashdate", "T": "remove",
             "H": "hash"}  # fmt: skip
    actions: dict[str, dict[str, Any]] = {}
    for tag, action in (table or {}).items():
        if "x" not in tag:
            actions[tag] = {"action": words[action], **({"value": "ANON"} if action == "D" else {})}
    anonymizer = Anonymizer(tag_actions=actions) if actions else Anonymizer()
    return lambda source, target: target.write_bytes(anonymizer.anonymize(str(source)))


def deid(table: Table | None) -> Cleaner:
    import logging

    from deid.config import DeidRecipe
    from deid.dicom import replace_identifiers
    from deid.logger import bot

    bot.level = -5
    logging.disable(logging.CRITICAL)
    recipe = DeidRecipe(_deid_recipe(table) if table else None)

    def run(source: Path, target: Path) -> None:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            replace_identifiers(
                dicom_files=[str(source)], deid=recipe, save=True, overwrite=True, output_folder=folder,
                remove_private=bool(table), strip_sequences=False, disable_skip=True,
            )  # fmt: skip
            made = next(one for one in Path(folder).rglob("*") if one.is_file())
            made.rename(target)

    return run


def _deid_recipe(table: Table) -> str:
    """The table in deid's words."""
    mapped = "REPLACE {} deid_func:pydicom_uuid"
    words = {"X": "REMOVE {}", "Z": "BLANK {}", "D": "REPLACE {} ANON", "K": "KEEP {}", "U": mapped, "H": mapped}
    words |= dict.fromkeys("ST", "JITTER {} -400")
    lines = [words[action].format(f"({tag[:4]},{tag[4:]})") for tag, action in table.items() if "x" not in tag]
    with tempfile.NamedTemporaryFile("w", suffix=".dicom", delete=False) as file:
        file.write("\n".join(["FORMAT dicom", "", "%header", "", *lines, ""]))
    return file.name


def certificate(folder: Path) -> Path:
    """A certificate for gdcmanon, which always keeps the originals encrypted."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bench", "-days", "2",
         "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
        capture_output=True, check=True,
    )  # fmt: skip
    return folder / "cert.pem"


def gdcmanon(source: Path, out: Path) -> dict[str, Any]:
    """gdcmanon over a folder in one process, so that it maps a UID the same way everywhere.

    It ends at the first file that it cannot do, so that these are left out; the time is that of the last run.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        command = ["gdcmanon", "-e", "-c", str(certificate(place)), "-r", "--continue", "-o", str(out), "-i"]
        shutil.copytree(source, place / "in")
        begun = _children()
        subprocess.run([*command, str(place / "in")], capture_output=True, check=False)
        if not _counted(source, out, 0)["failed"]:
            return _counted(source, out, _children() - begun)
        for path in [one for one in (place / "in").rglob("*") if one.is_file()]:
            alone = [*command[:4], str(path), str(place / "out.dcm")]
            if subprocess.run(alone, capture_output=True, check=False).returncode:
                path.unlink()
        begun = _children()
        subprocess.run([*command, str(place / "in")], capture_output=True, check=False)
        return _counted(source, out, _children() - begun)


CLEANERS: dict[str, Callable[[Table | None], Cleaner]] = {
    "dicom-anonymizer": dicom_anonymizer,
    "dicognito": dicognito,
    "dcmanon": dcmanon,
    "deid": deid,
}


def pixelmed(source: Path, out: Path) -> dict[str, Any]:
    """PixelMed takes whole folders."""
    bindings = ("slf4j", "maven")
    jars = [str(one) for one in sorted(JARS.glob("*.jar")) if not any(word in one.name for word in bindings)]
    jars += [str(JARS / "slf4j-api.jar"), str(JARS / "slf4j-simple.jar")]
    control = out.parent / "redaction.txt"
    control.write_text("\n")
    program = ["java", "-cp", ":".join(jars), "com.pixelmed.apps.DeidentifyAndRedact"]
    options = ["BLOCK", "KEEPSAFEPRIVATE", "DONOTADDCONTRIBUTINGEQUIPMENT"]
    begun = _children()
    subprocess.run([*program, str(source), str(out), str(control), *options], capture_output=True, check=False)
    return _counted(source, out, _children() - begun)


def _counted(source: Path, out: Path, seconds: float) -> dict[str, Any]:
    files, made = (sum(one.is_file() for one in folder.rglob("*")) for folder in (source, out))
    return {"files": files, "failed": files - made, "seconds": seconds}


FOLDERS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {"gdcmanon": gdcmanon, "PixelMed": pixelmed}


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _folder(name: str, source: Path, out: Path, table: Table | None) -> dict[str, Any]:
    if name in FOLDERS:
        return FOLDERS[name](source, out)
    clean = CLEANERS[name](table)
    files = sorted(one for one in source.rglob("*") if one.is_file())
    failed = 0
    begun = process_time() + _children()
    for path in files:
        target = out / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            clean(path, target)
        except BaseException as error:  # a Rust panic is none of Exception
            if isinstance(error, KeyboardInterrupt):
                raise
            failed += 1
            target.unlink(missing_ok=True)
    return {"files": len(files), "failed": failed, "seconds": process_time() + _children() - begun}


def _children() -> float:
    told = os.times()
    return told.children_user + told.children_system


def _memory(name: str, path: Path, count: int) -> dict[str, Any]:
    """Files in memory are files of tmpfs for those peers that only take paths."""
    clean = CLEANERS[name](None)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        source, target = Path(folder) / "in.dcm", Path(folder) / "out.dcm"
        shutil.copy(path, source)
        clean(source, target)
        begun = process_time() + _children()
        for _ in range(count):
            clean(source, target)
        return {"files": count, "failed": 0, "seconds": process_time() + _children() - begun}


def main() -> None:
    mode, name, source, last, *more = sys.argv[1:]
    table = json.loads(Path(more[0]).read_text()) if more else None
    with _silent():
        if mode == "folder":
            told = _folder(name, Path(source), Path(last), table)
        else:
            told = _memory(name, Path(source), int(last))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
