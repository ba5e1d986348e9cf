"""Rows of templates that dicomcore.sr.check and PixelMed find broken, in documents and in changed ones.

PixelMed's validator comes with `apt-get install libpixelmed-java default-jdk-headless`. Its converter makes XML of a
document; its stylesheets are run by libxslt (`pip install lxml`), as the JDK takes 7 to 13 s for each. `--java N` runs
its own program over every N-th document, too, and compares. Each kind of difference has a reason in REVIEWED; the
process fails if one has none. A run writes sr_vote.md beside this file; `--quick` takes every tenth change and writes
nothing.
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
from tests.support.corpus import ROOT
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
Judged = tuple[Verdict, int]
"""And the number of rows that were compared."""


class Reason(NamedTuple):
    """Why one side is alone with a row; the texts are patterns."""

    side: str
    template: str
    row: str
    kind: str
    text: str


THEIRS, MINE = "PixelMed", "dicomcore"
ANY = "*"
REVIEWED: tuple[Reason, ...] = (
    Reason(THEIRS, "10011", "2", "value", "asks for the code of SRT; the standard has that of SCT now"),
    Reason(THEIRS, "10013", "3[234]", "relationship", "its relationship has blanks behind it, and equals none"),
    Reason(THEIRS, "401[56]", ANY, "missing",
           "the condition is about the value of the item around it; PixelMed takes those beside that one, too"),
    Reason(THEIRS, "4016", ANY, "multiplicity", "the same: it counts the containers of both summaries"),
    Reason(THEIRS, "4023", "[26]", "value", "the unit {0:n} holds the number of row 1; PixelMed takes it for a code"),
    Reason(THEIRS, "1410", ANY, ANY,
           "measurement groups of three templates have one concept: PixelMed takes one for all, ours for the best"),
    Reason(THEIRS, "1411", ANY, ANY, "the same"),
    Reason(THEIRS, "1501", ANY, ANY, "the same"),
    Reason(THEIRS, "2010", "[134]", ANY, "concepts of later editions, and rows that IHE adds, are in its own lists"),
    Reason(THEIRS, "321", ANY, ANY, "the rows name no concept, and other rows have the items"),
    Reason(THEIRS, "1004", ANY, "multiplicity", "the include around it may be there any number of times"),
    Reason(THEIRS, "1003", ANY, "multiplicity", "the same"),
    Reason(THEIRS, "100[78]", ANY, ANY, "rows of two templates for one concept: PixelMed has an item in both"),
    Reason(THEIRS, "1000[347]*", ANY, ANY, "rows of two templates for one concept: PixelMed has an item in both"),
    Reason(THEIRS, "1607", ANY, ANY, "its rows are numbered otherwise"),
    Reason(THEIRS, ANY, ANY, "value of a newer edition", "the code is in the context group since 2022"),
    Reason(THEIRS, ANY, ANY, "value of an extensible group", "other codes may be used in an extensible context group"),
    Reason(THEIRS, ANY, ANY, "relationship",
           "another row has the item; PixelMed takes it for one of each row that fits it"),
    Reason(THEIRS, "4202", "2", "missing", "a concept outside an extensible context group: ours has it for the row"),
    Reason(THEIRS, ANY, ANY, "missing", "another row has the item, or ours found its value type or relationship wrong"),
    Reason(THEIRS, ANY, ANY, "multiplicity", "the include around it may be there any number of times"),
    Reason(MINE, ANY, ANY, "value type", "PixelMed only warns that the item is in no template"),
    Reason(MINE, ANY, ANY, "multiplicity", "PixelMed does not count in templates that may be included several times"),
    Reason(MINE, ANY, ANY, "not allowed",
           "IFF: PixelMed does not look at an include whose condition is not met, or not at the condition"),
    Reason(MINE, "4021", ANY, "missing", "a reference; PixelMed does not ask for it"),
    Reason(MINE, "4006", "20", "missing", "a reference; PixelMed does not ask for it"),
    Reason(MINE, ANY, ANY, "missing", "PixelMed asks for no row of an include that is optional or conditional"),
    Reason(MINE, ANY, ANY, "relationship",
           "the include gives the relationship, which PixelMed lacks; or it does not come to the item at all"),
    Reason(MINE, "1020", "2", "value", "a parameter has the value, which PixelMed does not bind"),
    Reason(MINE, "1021", "1", "value", "a parameter has the value, which PixelMed does not bind"),
    Reason(MINE, ANY, ANY, "value", "PixelMed does not come to the item, or takes the group for another edition's"),
)  # fmt: skip


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
        assert item is not None
        assert parent is not None
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
COMPARED = re.compile(r"<item location='[\d.]+' description='Template (\d\w*) [^']*' row='(\w+)'/>")
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
    groups = [
        sr.contexts[int(number)] for number in group.split("_") if number.isdigit() and int(number) in sr.contexts
    ]
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

    def verdict(self, path: Path) -> Judged | None:
        """The rows that are wrong in a document's XML, and how many it has; None if no template was found."""
        text = str(self.checks(self.parse(str(path), self.parser)))
        if "Found Root Template" not in text:
            return None
        found = parsed(text)
        rows = {(plain(template), row) for template, row in COMPARED.findall(text)}
        return found, len(rows | found.keys())


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
    """What came of one kind of document: rows that both find broken, and those of one side alone with the documents."""

    documents: int
    rows: int  # compared
    same: Counter[str]
    alone: dict[Difference, list[str]]

    @property
    def equal(self) -> float:
        """The share of the rows about which both sides say the same, that they are right or that they are not."""
        return 1 - sum(map(len, self.alone.values())) / max(self.rows, 1)


Verdicts = tuple[Judged, Verdict]
"""PixelMed's and ours."""


def judge(peer: PixelMed, documents: list[Document]) -> list[Verdicts | None]:
    """Both verdicts of each document, None where PixelMed finds no template."""
    paths = []
    for number, document in enumerate(documents):
        path = peer.folder / f"{number}.dcm"
        document.data.save_as(path)
        paths.append(path)
    peer.run("Convert", list(map(str, paths)))
    found: list[Verdicts | None] = []
    for document, path in zip(documents, paths, strict=True):
        theirs = peer.verdict(Path(f"{path}.xml"))
        found.append(None if theirs is None else (theirs, ours(document)))
    return found


def vote(judged: list[tuple[str, Verdicts, Verdicts]]) -> Vote:
    """Compare verdicts, each without the rows that are broken before the change already."""
    same: Counter[str] = Counter()
    alone: dict[Difference, list[str]] = defaultdict(list)
    rows = 0
    for name, ((theirs, count), own), ((their_base, _), own_base) in judged:
        rows += count
        new = {key: kind for key, kind in theirs.items() if key not in their_base}
        own_new = {key: kind for key, kind in own.items() if key not in own_base}
        same.update(template for template, _ in new.keys() & own_new.keys())
        for key in new.keys() - own.keys():
            alone[Difference(THEIRS, *key, new[key])].append(name)
        for key in own_new.keys() - theirs.keys():
            alone[Difference(MINE, *key, OWN_WORDS.get(own_new[key], "value"))].append(name)
    return Vote(len(judged), rows, same, alone)


def by_itself(peer: PixelMed, documents: int, every: int) -> int:
    """How many of some documents PixelMed's own program judges otherwise than its stylesheets in libxslt."""
    paths = [peer.folder / f"{number}.dcm" for number in range(0, documents, every)]
    parts = peer.run("Validate", list(map(str, paths))).split("== ")[1:]
    assert len(parts) == len(paths)
    unequal = 0
    for path, _, text in (part.partition("\n") for part in parts):
        judged = peer.verdict(Path(f"{path}.xml"))
        unequal += parsed(text) != (judged[0] if judged else {})
    return unequal


def reason(one: Difference) -> str:
    """Why a side is alone; empty if nobody has looked."""
    known = row_of(one.template, one.row) if one.side == THEIRS else None
    if known is not None:
        if one.kind == "not allowed" and known.may_be_otherwise:
            return "IF: the item may be there otherwise (PS3.16 6.1.8); PixelMed takes it for IFF"
        if one.kind in ("missing", "not allowed") and known.condition == ("open",):
            return "ours does not decide the condition"
    for row in REVIEWED:
        if row.side == one.side and all(
            map(fnmatchcase, (one.template, one.row, one.kind), (row.template, row.row, row.kind))
        ):
            return row.text
    return ""


@cache
def row_of(template: str, number: str) -> Any:
    """Our row; of variants of a template the first that has it."""
    variants = [
        template,
        template.lower(),
        *(one.identifier for one in sr.templates if plain(one.identifier) == template),
    ]
    for name in variants:
        for row in sr.templates[name].rows if name in sr.templates else ():
            if row.number == number:
                return row
    return None


def table(found: Vote, title: str) -> list[str]:
    alone = {side: sum(len(n) for one, n in found.alone.items() if one.side == side) for side in (THEIRS, MINE)}
    lines = [
        f"## {title}",
        "",
        f"{found.documents} documents, {found.rows:,} rows compared. Both find {sum(found.same.values())} broken, only"
        f" PixelMed {alone[THEIRS]}, only dicomcore {alone[MINE]}: the verdicts of {found.equal:.2%} of the rows"
        " are equal.",
        "",
        "| only | finds | rows | times | why |",
        "|---|---|---|---|---|",
    ]
    grouped: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for one, names in found.alone.items():
        grouped[one.side, one.kind, reason(one)][f"{one.template}:{one.row}"] += len(names)
    for (side, kind, why), rows in sorted(grouped.items(), key=lambda row: (row[0][0], -sum(row[1].values()), row[0])):
        shown = ", ".join(f"{name}" for name, _ in rows.most_common(MOST_SHOWN))
        more = f" and {len(rows) - MOST_SHOWN} more" if len(rows) > MOST_SHOWN else ""
        lines.append(f"| {side} | {kind} | {shown}{more} | {sum(rows.values())} | {why or '**not looked at**'} |")
    return [*lines, ""]


HEAD = """# Reports beside PixelMed's validator

Written by `python -m benches.sr_vote`: rows of templates (`TID:row`) that `dicomcore.sr.check` and the validator of
PixelMed {version} (templates of 2022) find broken. Documents are a real one, and some for each template of a whole
document that PixelMed knows, filled from the rows of the tables; in each changed document one item is dropped,
duplicated, or given another type, concept, relationship or value. A changed document counts what is broken by the
change. PixelMed's stylesheets are run by libxslt{checked}.

"""
MOST_SHOWN = 12


def main() -> None:
    warnings.simplefilter("ignore")
    quick = "--quick" in sys.argv
    every = int(sys.argv[sys.argv.index("--java") + 1]) if "--java" in sys.argv else 0
    with tempfile.TemporaryDirectory() as name:
        peer = PixelMed(Path(name))
        bases = documents(peer.knows)
        changed = list(mutants(bases, MUTANTS // (10 if quick else 1)))
        judged = judge(peer, [*(Document(name, "", data) for name, data in bases), *changed])
        checked = ""
        if every:
            unequal, asked = by_itself(peer, len(judged), every), len(range(0, len(judged), every))
            checked = f"; its own program judges {asked - unequal} of {asked} of these documents alike"
    empty: Verdicts = (({}, 0), {})
    known = [(name, one, empty) for (name, _), one in zip(bases, judged, strict=False) if one]
    moved = []
    for number, document in enumerate(changed):
        base, one = judged[number % len(bases)], judged[len(bases) + number]
        if base and one:
            moved.append((f"{document.name}, {document.change}", one, base))
    jar = next(JAVA.glob("pixelmed-2*.jar"), Path("pixelmed-unknown.jar")).stem.partition("-")[2]
    lines = [*table(vote(known), "As they are"), *table(vote(moved), "With one item changed")]
    text = HEAD.format(version=jar, checked=checked) + "\n".join(lines)
    print(text)
    if not quick:
        (HERE / "sr_vote.md").write_text(text, encoding="utf-8")
    unseen = [one for found in (vote(known), vote(moved)) for one in found.alone if not reason(one)]
    if unseen:
        sys.exit(f"{len(unseen)} differences have no reason yet")


if __name__ == "__main__":
    main()
