"""Rows of templates that dicomcore.sr.check and PixelMed find broken, document by document, and in changed documents.

PixelMed's validator comes with `apt-get install libpixelmed-java default-jdk-headless`. Its own converter makes XML of a
document; its stylesheets are run by libxslt (`pip install lxml`), as the JDK takes 7 to 13 s for each document. `--java
N` runs its own program over every N-th document, too, and compares. Each kind of difference has a reason in REVIEWED;
the process fails if one has none. A run writes sr_vote.md beside this file; `--quick` takes every tenth document and
writes nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zipfile import ZipFile

import dicomcore as dc
from dicomcore import sr
from dicomcore.sr import Code, ContentItem
from tests.support.corpus import PYDICOM, ROOT
from tests.support.reports import Known, filled

HERE = Path(__file__).parent
JAVA = Path(os.environ.get("PIXELMED_JARS", "/usr/share/java"))
OTHER_LOGGERS = re.compile(r"slf4j-(jcl|jdk14|log4j12|nop|migrator)|over-slf4j|to-slf4j|maven3-slf4j")
LIMITS = [f"-Djdk.xml.xpath{name}Limit=0" for name in ("TotalOp", "ExprOp", "ExprGrp")]
ROOTS = {  # templates that PixelMed knows as those of a whole document: (SOP class, documents, share of optional rows)
    "1500": ("Comprehensive3DSRStorage", 10, 0.5),
    "2000": ("ComprehensiveSRStorage", 4, 0.6),
    "2010": ("KeyObjectSelectionDocumentStorage", 4, 0.7),
    "4000": ("MammographyCADSRStorage", 8, 0.25),
    "4200": ("ComprehensiveSRStorage", 6, 0.6),
    "8101": ("AcquisitionContextSRStorage", 6, 0.5),
    "10001": ("XRayRadiationDoseSRStorage", 8, 0.5),
    "10011": ("XRayRadiationDoseSRStorage", 8, 0.5),
    "10021": ("RadiopharmaceuticalRadiationDoseSRStorage", 6, 0.6),
}
FILES = ("dicom-test-files/dcmqi/sr-example/sr.dcm",)
MUTANTS = 2000
NOTHING = Code("1", "99TEST", "nothing")

Verdict = dict[tuple[str, str], str]
"""By template and row: what is wrong."""


class Reason(NamedTuple):
    """Why one side is alone with a row; the texts are patterns."""

    side: str
    template: str
    row: str
    kind: str
    text: str


THEIRS, MINE = "PixelMed", "dicomcore"
REVIEWED: tuple[Reason, ...] = ()


class Document(NamedTuple):
    name: str
    change: str  # "" for a document as it is
    data: dc.Dataset


# -- documents


def documents(known: Known) -> list[tuple[str, dc.Dataset]]:
    """Real ones, and one for each template and seed."""
    found = [(name, dc.dcmread(ROOT / "files" / name)) for name in FILES if (ROOT / "files" / name).is_file()]
    for template, (sop_class, count, share) in ROOTS.items():
        for seed in range(count):
            root = filled(template, sop_class, seed, share, known=known)
            found.append((f"TID {template}, {seed}", sr.make_report(root, sop_class=sop_class)))
    return found


def drop(item: ContentItem, parent: ContentItem) -> None:
    parent.children.remove(item)


def duplicate(item: ContentItem, parent: ContentItem) -> None:
    parent.children.insert(parent.children.index(item), deepcopy(item))


def retype(item: ContentItem, parent: ContentItem) -> None:
    item.value_type, item.value = ("CODE", NOTHING) if item.value_type == "TEXT" else ("TEXT", "a text")
    item.continuity = item.source = None
    item.concept = item.concept or NOTHING


def recode(item: ContentItem, parent: ContentItem) -> None:
    item.concept = NOTHING


def relate(item: ContentItem, parent: ContentItem) -> None:
    item.relationship = "INFERRED FROM" if item.relationship != "INFERRED FROM" else "HAS PROPERTIES"


def revalue(item: ContentItem, parent: ContentItem) -> None:
    if item.value_type == "NUM":
        item.value = sr.Numeric(1.0, NOTHING)
    elif item.value_type == "CODE":
        item.value = NOTHING
    else:
        drop(item, parent)


CHANGES = {change.__name__: change for change in (drop, duplicate, retype, recode, relate, revalue)}


def mutants(bases: list[tuple[str, dc.Dataset]], count: int) -> Iterator[Document]:
    """Documents with one item changed, the same in every run."""
    random = Random(14)
    made = 0
    while made < count:
        name, data = bases[made % len(bases)]
        report = sr.read(data)
        places = [place for place, item in report.root.walk() if len(place) > 1 and item.target is None]
        place = random.choice(places)
        change = random.choice(sorted(CHANGES))
        item, parent = report.root.at(place), report.root.at(place[:-1])
        assert item is not None and parent is not None
        CHANGES[change](item, parent)
        made += 1
        yield Document(f"{name} at {'.'.join(map(str, place))}", change, report.write())


# -- verdicts


def ours(document: Document) -> Verdict:
    found: Verdict = {}
    for one in sr.check(document.data):
        if one.template and one.code.startswith("ROW_"):
            found.setdefault((plain(one.template), one.row), one.code)
    return found


SAID = re.compile(r"(Error): Template (?P<template>\w+) [^/]*(?P<path>(?:/\[Row \w+\][^:]*?)+)(?: ?:) (?P<rest>.*)")
WORDS = {
    "Missing required content item": "missing",
    "Missing conditional content item": "missing",
    "Incorrect content item value multiplicity": "multiplicity",
    "condition not satisfied": "not allowed",
    "Incorrect relationship": "relationship",
    "Incorrect units": "value",
    "Incorrect value": "value",
    "not found in context group": "value",
    "raphic type": "graphic type",
    "Missing value": "no value",
}
ROW = re.compile(r"\[Row (\w+)\]")
OWN_WORDS = {
    "ROW_MISSING": "missing",
    "ROW_TOO_OFTEN": "multiplicity",
    "ROW_TOO_FEW": "multiplicity",
    "ROW_NOT_ALLOWED": "not allowed",
    "ROW_RELATIONSHIP": "relationship",
    "ROW_VALUE_TYPE": "value type",
}


def parsed(text: str) -> Verdict:
    """The rows that PixelMed's errors name."""
    found: Verdict = {}
    for line in text.splitlines():
        if not line.startswith("Error: Template "):
            continue
        template = line.split()[2]
        head = line.split(": within ")[0] if ": within " in line else re.split(r": \d+(?:\.\d+)*: /", line)[0]
        rows = ROW.findall(head)
        kind = next((kind for words, kind in WORDS.items() if words in line), "other")
        if group := re.search(r"Code \((.*?),(.*?),.*not found in context group (\S+)", line):
            kind = outside(*group.groups())
        found.setdefault((plain(template), rows[-1] if rows else ""), kind)
    return found


def outside(value: str, scheme: str, group: str) -> str:
    """The kind of an error about a code outside a context group."""
    groups = [sr.contexts[int(number)] for number in group.split("_") if number.isdigit() and int(number) in sr.contexts]
    if not groups:
        return "value of a list"
    if any(Code(value, scheme, "") in one for one in groups):
        return "value of a newer edition"
    return "value of an extensible group" if any(one.extensible for one in groups) else "value"


def plain(template: str) -> str:
    """The number of a template; letters count for the parts of TID 10003 only."""
    number = re.match(r"\d+", template)
    assert number, template
    part = template[number.end() :]
    return template.upper() if number[0] == "10003" and len(part) == 1 else number[0]


class PixelMed:
    """Its converter and stylesheets."""

    def __init__(self, folder: Path) -> None:
        from lxml import etree

        self.folder = folder
        jars = [jar for jar in sorted(JAVA.glob("*.jar")) if not OTHER_LOGGERS.search(jar.name)]
        self.path = ":".join(map(str, [*jars, folder]))
        with ZipFile(JAVA / "pixelmed.jar") as jar:
            for name in jar.namelist():
                if name.startswith("com/pixelmed/validate/Di") or "Common" in name:
                    (folder / Path(name).name).write_bytes(jar.read(name))
        rules = folder / "CommonDicomSRValidationRules.xsl"
        text = rules.read_text(encoding="utf-8")
        name = "conceptCSDPreferred"  # bound twice in one template, which XSLT 1.0 forbids and libxslt refuses
        start, again = (match.start() for match in re.finditer(f'<xsl:variable name="{name}">', text))
        rules.write_text(text[:start] + text[start:again].replace(name, f"{name}1") + text[again:], encoding="utf-8")
        self.parser = etree.XMLParser(huge_tree=True)
        self.parse = etree.parse
        groups = etree.parse(str(folder / "DicomContextGroupsSource.xml"), self.parser).getroot()
        self.groups = {
            int(group.get("cid")): {(code.get("csd"), code.get("cv")) for code in group.iter("contextgroupcode")}
            for group in groups
            if str(group.get("cid")).isdigit()
        }
        self.checks = etree.XSLT(etree.parse(str(folder / "DicomSRDescriptionsCompiled.xsl"), self.parser))

    def knows(self, group: int, code: Code) -> bool:
        """Whether a context group of its edition has a code, or it does not have the group."""
        codes = self.groups.get(group)
        return codes is None or (code.scheme, code.value) in codes

    def run(self, program: str, lines: list[str]) -> str:
        """One of the programs below over many files."""
        (self.folder / f"{program}.java").write_text(PROGRAMS[program], encoding="utf-8")
        subprocess.run(["javac", "-cp", self.path, "-d", self.folder, f"{self.folder}/{program}.java"], check=True)
        command = ["java", "-Xss64m", *LIMITS, "-cp", self.path, program]
        done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
        return done.stdout

    def verdict(self, path: Path) -> Verdict | None:
        """The rows that are wrong in a document's XML; None if no template was found."""
        text = str(self.checks(self.parse(str(path), self.parser)))
        return parsed(text) if "Found Root Template" in text else None


PROGRAMS = {
    "Convert": """
import com.pixelmed.dicom.*;
import java.io.*;
public class Convert {
    public static void main(String[] a) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String line;
        while ((line = in.readLine()) != null) {
            try (OutputStream out = new FileOutputStream(line + ".xml")) {
                AttributeList list = new AttributeList();
                list.read(line);
                XMLRepresentationOfStructuredReportObjectFactory.createDocumentAndWriteIt(list, out);
            }
        }
    }
}
""",
    "Validate": """
import com.pixelmed.validate.DicomSRValidator;
import java.io.*;
public class Validate {
    public static void main(String[] a) throws Exception {
        DicomSRValidator validator = new DicomSRValidator();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        String line;
        while ((line = in.readLine()) != null) {
            System.out.println("== " + line);
            System.out.println(validator.validate(line, false, false, false, false, false));
        }
    }
}
""",
}


class Difference(NamedTuple):
    side: str
    template: str
    row: str
    kind: str


class Vote(NamedTuple):
    documents: int
    same: Counter[str]  # rows that both find broken, by template
    alone: dict[Difference, list[str]]
    clean: int  # rows of the documents that neither finds broken
    unequal: int  # by the program itself and by libxslt


def compare(both: list[Document], every: int) -> Vote:
    same: Counter[str] = Counter()
    alone: dict[Difference, list[str]] = defaultdict(list)
    clean = unequal = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer = PixelMed(folder)
        paths = []
        for number, document in enumerate(both):
            path = folder / f"{number}.dcm"
            document.data.save_as(path)
            paths.append(path)
        peer.run("Convert", list(map(str, paths)))
        counted = 0
        for document, path in zip(both, paths, strict=True):
            theirs = peer.verdict(Path(f"{path}.xml"))
            if theirs is None:
                continue
            counted += 1
            own = ours(document)
            label = f"{document.name}, {document.change}" if document.change else document.name
            same.update(template for template, _ in own.keys() & theirs.keys())
            for side, found, other in ((THEIRS, theirs, own), (MINE, own, theirs)):
                for key in found.keys() - other.keys():
                    kind = found[key] if side == THEIRS else OWN_WORDS.get(found[key], "value")
                    alone[Difference(side, *key, kind)].append(label)
            clean += rows_in(document) - len(own.keys() | theirs.keys())
        if every:
            chosen = paths[::every]
            for part in peer.run("Validate", list(map(str, chosen))).split("== ")[1:]:
                path, _, text = part.partition("\n")
                unequal += parsed(text) != peer.verdict(Path(f"{path}.xml"))
    return Vote(counted, same, alone, clean, unequal)




def reason(one: Difference) -> str:
    return next((row.text for row in REVIEWED if row.side == one.side and all(
        map(fnmatchcase, (one.template, one.row, one.kind), (row.template, row.row, row.kind)))), "")  # fmt: skip
