"""Structured reports: content trees are read, changed and written, and compared with DCMTK's dsrdump and highdicom."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore import sr
from dicomcore.cli import main
from dicomcore.sr import Cell, Code, ContentItem, Heading, Numeric, Table
from tests.support.corpus import real

REPORTS = ("test-SR.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm", "sr-example/sr.dcm")
DSRDUMP, DCIODVFY = shutil.which("dsrdump"), shutil.which("dciodvfy")
FINDING = Code("121071", "DCM", "Finding")
MM = Code("mm", "UCUM", "millimeter")


def container(*children: ContentItem, **more) -> ContentItem:
    made = ContentItem("CONTAINER", Code("126000", "DCM", "Imaging Measurement Report"), continuity="SEPARATE", **more)
    return made.add(*children)


def text(words: str = "a mass", **more) -> ContentItem:
    return ContentItem("TEXT", FINDING, words, more.pop("relationship", "CONTAINS"), **more)


# -- reading


def test_every_value_type_of_a_real_report_is_read():
    report = sr.read(dc.dcmread(real("test-SR.dcm")))
    assert report.issues == ()
    items_by_type = {item.value_type: item for _, item in report.root.walk()}
    assert items_by_type["UIDREF"].value == "1.2.3.4.5"
    assert items_by_type["NUM"].value.value == 3
    assert items_by_type["NUM"].value.unit == Code("cm", "99_OFFIS_DCMTK")
    assert items_by_type["CODE"].value.meaning == "Sample Code 2"
    assert items_by_type["DATE"].value == "20001206"
    assert items_by_type["DATETIME"].value == "20001206120000"
    assert items_by_type["SCOORD"].value.graphic_type == "CIRCLE"
    assert np.array_equal(items_by_type["SCOORD"].value.points, [[0, 0], [255, 255]])
    assert items_by_type["TCOORD"].value.offsets == (1.0, 2.5)
    assert items_by_type["COMPOSITE"].value.sop_class.name == "Basic Text SR Storage"
    assert items_by_type["WAVEFORM"].value.channels == ((5, 3), (2, 0))
    image = report.root.at((1, 5))
    assert image.value.frames == (5, 2)
    assert image.value.presentation_state.sop_instance == "1.2.3.5.6.7"
    assert image.observed == "20010213184746"
    assert report.root.at((1, 3, 3, 1)).target is report.root.at((1, 3, 2))


def test_find_matches_concept_value_type_and_relationship():
    report = sr.read(dc.dcmread(real("sr-example/sr.dcm")))
    (language,) = report.find("Language of Content Item and Descendants")
    assert language.value == Code("eng", "RFC3066")
    assert report.find(Code("121049", "DCM")) == [language]
    assert len(report.find(value_type="NUM", relationship="HAS ACQ CONTEXT")) == 2
    assert report.root.template == sr.Template("1500", "DCMR")


NUMBERED = re.compile(r"^([\d.]+)  <(has [a-z]+ [a-z]+|has properties|[a-z]+ from|contains)? ?(\S+?)[:>]", re.MULTILINE)


@pytest.mark.skipif(DSRDUMP is None, reason="no dsrdump")
@pytest.mark.parametrize("name", REPORTS)
def test_outline_has_the_structure_that_dsrdump_shows(name):
    dump = subprocess.run([DSRDUMP, "+Pn", "-Ph", "-Ee", str(real(name))], capture_output=True, timeout=60, check=True)
    theirs = NUMBERED.findall(dump.stdout.decode("latin-1"))
    assert theirs
    report = sr.read(dc.dcmread(real(name)))
    ours = []
    for line in report.outline().splitlines():
        position, _, rest = line.strip().partition(" ")
        match = re.match(r"(has [a-z]+ [a-z]+ (?=[A-Z])|has properties |[a-z]+ from |contains )?(-> )?(\S+)", rest)
        ours.append((position, (match[1] or "").strip(), match[3]))
    assert ours == theirs


def test_items_equal_those_of_highdicom():
    highdicom = pytest.importorskip("highdicom")
    ds = dc.dcmread(real("sr-example/sr.dcm"))
    theirs = highdicom.sr.ContentSequence.from_sequence(ds.to_pydicom().ContentSequence)
    ours = sr.read(ds).root.children
    assert len(theirs) == len(ours)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.value_type, one.relationship) == (other.ValueType, other.RelationshipType)
        assert one.concept.value == other.name.value


# -- writing


@pytest.mark.parametrize("name", REPORTS)
def test_an_unchanged_report_is_written_byte_for_byte(name):
    ds = dc.dcmread(real(name))
    written = sr.read(ds).write()
    assert written == ds
    assert written.to_bytes(enforce_standard=False) == real(name).read_bytes()


@pytest.mark.parametrize("name", REPORTS)
def test_items_without_their_source_give_the_same_data_set(name):
    ds = dc.dcmread(real(name))
    report = sr.read(ds)
    for _, item in report.root.walk():
        item.source = None
    written = sr.write(report.root, ds)
    assert written == ds


def test_a_changed_item_keeps_its_other_attributes():
    ds = dc.dcmread(real("test-SR.dcm"))
    report = sr.read(ds)
    (measured,) = report.root.at((1, 2)).find("Diameter", value_type="NUM")[:1]
    measured.source.add_new(0x00091001, "LO", "private")
    measured.value.value = 4.5
    written = report.write()
    again = sr.read(written)
    assert again.root.at((1, 2, 2)).value.value == 4.5
    assert again.root.at((1, 2, 2)).value.unit.scheme_uid == "1.2.276.0.7230010.3.0.0.1"
    assert written.ContentSequence[1].ContentSequence[1][0x00091001].value == "private"
    assert sr.read(ds).root.at((1, 2, 2)).value.value == 3
    del written.ContentSequence[1].ContentSequence[1][0x00091001]
    written.ContentSequence[1].ContentSequence[1].MeasuredValueSequence[0].NumericValue = 3
    del measured.source[0x00091001]
    assert written == ds


def test_references_follow_their_targets():
    report = sr.read(dc.dcmread(real("test-SR.dcm")))
    report.root.children.insert(0, text())
    written = report.write()
    again = sr.read(written)
    assert again.issues == ()
    assert again.root.at((1, 4, 3, 1)).target is again.root.at((1, 4, 2))
    assert written.ContentSequence[3].ContentSequence[2].ContentSequence[0].ReferencedContentItemIdentifier == [1, 4, 2]


def test_every_value_type_is_read_as_it_was_written():
    uid = dc.UID("1.2.3")
    square = sr.Coordinates("POLYLINE", np.float32([[0, 0], [2.5, 0], [2.5, 2]]), pixel_origin="FRAME")
    cube = sr.Coordinates("POINT", np.float32([[1, 2, -3]]), dc.UID("1.2.4"), fiducial=dc.UID("1.2.9"))
    image = sr.ImageReference(uid, uid, (3,), (1, 2), sr.Reference(uid, uid), sr.Reference(uid, uid))
    number = Numeric(0.1, MM, Code("114006", "DCM", "Measurement failure"), 0.1, 1, 10)
    table = Table(
        1,
        2,
        [
            Cell(1, 1, 2.5, "FD"),
            Cell(1, 2, "x", "UC"),
            Cell(None, 2, MM),
            Cell(1, None, (1, 2)),
            Cell(1, 1, [1, 2], "IS"),
        ],
        [Heading(1, FINDING)],
        [Heading(None, FINDING, MM)],
    )
    values = {
        "TEXT": "words\nof <b>two</b> lines",
        "DATE": "20240101",
        "TIME": "1200",
        "DATETIME": "20240101120000",
        "UIDREF": uid,
        "PNAME": dc.PersonName("Doe^Jane"),
        "CODE": Code("urn:oid:1.2.3", "", "Named by a URN"),
        "NUM": number,
        "COMPOSITE": sr.Reference(uid, uid),
        "IMAGE": image,
        "WAVEFORM": sr.WaveformReference(uid, uid, ((1, 1), (1, 2))),
        "SCOORD": square,
        "SCOORD3D": cube,
        "TCOORD": sr.TemporalRange("MULTIPOINT", samples=(1, 5)),
        "TABLE": table,
    }
    root = container(*(ContentItem(kind, FINDING, value, "CONTAINS") for kind, value in values.items()))
    report = sr.read(sr.write(root))
    assert report.issues == ()
    for item, value in zip(report.root.children, values.values(), strict=True):
        if isinstance(value, sr.Coordinates):
            assert np.array_equal(item.value.points, value.points)
            item.value.points = value.points
            assert item.value.plain() == value.plain()
        else:
            assert item.value == value
    assert report.root.children[6].value.form == "URNCodeValue"
    assert report.outline().count("\n") == len(values)
    assert "&lt;b&gt;two" in report.html()


def test_long_codes_are_written_as_long_code_values():
    item = ContentItem("CODE", Code("12345678901234567", "SCT", "Long"), FINDING, "CONTAINS")
    written = sr.write(container(item)).ContentSequence[0]
    assert written.ConceptNameCodeSequence[0].LongCodeValue == "12345678901234567"
    assert written.ConceptCodeSequence[0].CodeValue == "121071"


UNWRITABLE = {  # name: (child of the root, part of the message)
    "unknown value type": (ContentItem("WORD", FINDING, "x", "CONTAINS"), "1.1 has the value type 'WORD'"),
    "value of another type": (ContentItem("NUM", FINDING, 5, "CONTAINS"), "1.1 is a NUM and holds 5"),
    "no value": (ContentItem("TEXT", FINDING, None, "CONTAINS"), "1.1 is a TEXT and holds None"),
    "no relationship": (ContentItem("TEXT", FINDING, "x"), "1.1 has the relationship None"),
    "no continuity": (ContentItem("CONTAINER", FINDING, None, "CONTAINS"), "continuity is None"),
    "target elsewhere": (ContentItem(relationship="SELECTED FROM", target=text()), "1.1 refers to an item outside"),
    "target and value": (ContentItem("TEXT", None, "x", "SELECTED FROM", target=(1,)), "it can't have both"),
    "deep inside": (text().add(text().add(ContentItem("WORD", None, "x", "CONTAINS"))), "1.1.1.1 has"),
    "cell of another VR": (
        ContentItem("TABLE", FINDING, Table(1, 1, [Cell(1, 1, b"", "OB")]), "CONTAINS"),
        "cannot have the VR OB",
    ),
}


@pytest.mark.parametrize(("item", "said"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_an_invalid_item_is_refused(item, said):
    with pytest.raises(dc.EncodeError, match=re.escape(said)):
        sr.write(container(item))


@pytest.mark.skipif(DSRDUMP is None or DCIODVFY is None, reason="no dsrdump or no dciodvfy")
@pytest.mark.parametrize("sop_class", ["EnhancedSRStorage", "ComprehensiveSRStorage"])
def test_a_new_document_satisfies_dsrdump_and_dciodvfy(sop_class, tmp_path):
    image = dc.dcmread(real("CT_small.dcm"))
    image_reference = sr.ImageReference(image.SOPClassUID, image.SOPInstanceUID)
    circle = sr.Coordinates("CIRCLE", np.float32([[58, 52], [58, 41]]))
    root = container(
        ContentItem("CODE", Code("121049", "DCM", "Language"), Code("en", "RFC5646", "English"), "HAS CONCEPT MOD"),
        ContentItem("NUM", Code("410668003", "SCT", "Length"), Numeric(12.5, MM), "CONTAINS").add(
            ContentItem("SCOORD", None, circle, "INFERRED FROM").add(
                ContentItem("IMAGE", None, image_reference, "SELECTED FROM"),
            )
        ),
        text("a mass of über 12 mm"),
    )
    report = sr.make_report(root, sources=[image], sop_class=sop_class)
    report.save_as(tmp_path / "report.dcm")
    again = sr.read(dc.dcmread(tmp_path / "report.dcm"))
    assert again.issues == ()
    assert again.outline() == "\n".join(sr.outline(root))
    dump = subprocess.run(
        [DSRDUMP, "-Ph", "+Pn", str(tmp_path / "report.dcm")], capture_output=True, encoding="latin-1"
    )
    assert dump.returncode == 0
    assert dump.stderr == ""
    assert "1.2.1.1" in dump.stdout
    findings = subprocess.run([DCIODVFY, str(tmp_path / "report.dcm")], capture_output=True, encoding="latin-1").stderr
    assert "Error" not in findings
    elsewhere = dc.dcmread(real("MR_small.dcm"))
    with pytest.raises(ValueError, match="not among the sources"):
        sr.make_report(root, sources=[elsewhere])


def test_an_item_that_occurs_twice_in_its_tree_is_refused():
    twice, loop = text(), text()
    with pytest.raises(dc.EncodeError, match=r"1\.2 is also 1\.1"):
        sr.write(container(twice, twice))
    loop.add(text().add(loop))
    with pytest.raises(dc.EncodeError, match=r"1\.1\.1\.1 stands below itself"):
        sr.write(container(loop))


# -- damaged reports


def damaged(**changes) -> dc.Dataset:
    """Make a report and change its item 1.1.1; an attribute whose value is None is deleted."""
    report = sr.write(container(text().add(text(relationship="HAS PROPERTIES"))))
    item = report.ContentSequence[0].ContentSequence[0]
    for keyword, value in changes.items():
        if value is None:
            delattr(item, keyword)
        else:
            setattr(item, keyword, value)
    return report


DAMAGES = {  # name: (changes, code and message of the one issue)
    "no value type": ({"ValueType": None}, "VALUE_TYPE", "has no Value Type"),
    "unknown value type": ({"ValueType": "WORD"}, "VALUE_TYPE", "has the unknown value type 'WORD'"),
    "no relationship": ({"RelationshipType": None}, "RELATIONSHIP", "has no Relationship Type"),
    "unknown relationship": ({"RelationshipType": "OWNS"}, "RELATIONSHIP", "has the relationship 'OWNS'"),
    "no value": ({"TextValue": None}, "VALUE", "is a TEXT without TextValue"),
    "another type's value": ({"ValueType": "SCOORD"}, "VALUE", "is a SCOORD without GraphicData"),
    "no concept name": ({"ConceptNameCodeSequence": None}, "CONCEPT_NAME", "has no Concept Name"),
    "no items": ({"ConceptNameCodeSequence": []}, "CONCEPT_NAME", "has no Concept Name"),
    "empty concept": ({"ConceptNameCodeSequence": [dc.Dataset()]}, "CONCEPT_NAME", "has a Concept Name without a code"),
    "odd points": (
        {"ValueType": "SCOORD", "GraphicData": [1.0, 2.0, 3.0]},
        "VALUE",
        "is a SCOORD without a readable GraphicData",
    ),
    "value and reference": ({"ReferencedContentItemIdentifier": [1, 1]}, "REFERENCE", "has a value and refers"),
}


@pytest.mark.parametrize(("changes", "code", "said"), DAMAGES.values(), ids=DAMAGES)
def test_an_issue_names_the_damaged_item(changes, code, said):
    data_set = damaged(**changes)
    report = sr.read(data_set)
    assert (report.issues[0].code, report.issues[0].message[:21]) == (code, "content item 1.1.1 " + said[:2])
    assert said in report.issues[0].message
    assert report.outline()
    assert report.html()
    assert report.write() == data_set
    with pytest.raises(dc.ParseError, match=r"^content item 1\.1\.1 "):
        sr.read(data_set, strict=True)


def measured(**attributes: object) -> dc.Dataset:
    item = dc.Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


MEASURED = {  # name: (items of the Measured Value Sequence, part of the issue's message; None if there is no issue)
    "a number": ([measured(NumericValue=1.5)], None),
    "unknown": ([], None),
    "no number": ([measured()], "is a NUM without a readable NumericValue"),
    "two numbers": ([measured(NumericValue=[1.5, 2.5])], "with 2 values in NumericValue, of which the first"),
    "two measured values": (
        [measured(NumericValue=1.5), measured(NumericValue=2)],
        "with 2 items in MeasuredValueSequence",
    ),
}


@pytest.mark.parametrize(("items", "said"), MEASURED.values(), ids=MEASURED)
def test_measured_values_that_are_not_read_are_reported(items, said):
    issues = sr.read(damaged(ValueType="NUM", MeasuredValueSequence=items)).issues
    assert [issue.code for issue in issues] == ["VALUE"] * (said is not None)
    assert said is None or said in issues[0].message


REFERENCES = {  # name: (identifier, codes of the issues)
    "to itself": ([1, 1, 1], ["REFERENCE_LOOP"]),
    "to its parent": ([1, 1], ["REFERENCE_LOOP"]),
    "to the root": ([1], ["REFERENCE_LOOP"]),
    "past the last": ([1, 9], ["REFERENCE"]),
    "to number 0": ([1, 0], ["REFERENCE"]),
    "outside": ([2, 1], ["REFERENCE"]),
    "to a sibling": ([1, 2], []),
}


@pytest.mark.parametrize(("identifier", "codes"), REFERENCES.values(), ids=REFERENCES)
def test_dangling_references_and_loops_are_reported(identifier, codes):
    data_set = sr.write(container(text(), text()))
    referring = dc.Dataset()
    referring.RelationshipType, referring.ReferencedContentItemIdentifier = "INFERRED FROM", identifier
    data_set.ContentSequence[0].ContentSequence = [referring]
    report = sr.read(data_set)
    assert [issue.code for issue in report.issues] == codes
    assert all("1.1.1" in issue.message for issue in report.issues)
    assert f"-> {'.'.join(map(str, identifier))}" in report.outline()
    assert report.html()
    assert report.write() == data_set


def test_a_loop_of_two_references_is_reported_once():
    one, other = text(), text()
    one.add(ContentItem(relationship="INFERRED FROM", target=other))
    other.add(ContentItem(relationship="INFERRED FROM", target=one))
    report = sr.read(sr.write(container(one, other)))
    assert [issue.code for issue in report.issues] == ["REFERENCE_LOOP"]


def test_a_data_set_without_content_is_refused():
    with pytest.raises(dc.ParseError, match="no content"):
        sr.read(dc.dcmread(real("CT_small.dcm")))


def test_a_deep_tree_needs_no_recursion():
    root = deepest = container()
    for _ in range(800):
        deepest.add(text())
        (deepest,) = deepest.children
    ds = sr.write(root)
    report = sr.read(ds)
    assert len(list(report.root.walk())) == 801
    assert report.outline().count("\n") == 800
    assert report.html().count("</div>") == 800


# -- properties

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).map(lambda s: f"a{s}b")
codes = st.builds(Code, st.text("abc012", min_size=1, max_size=20), st.just("99T"), words)
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
items = st.one_of(
    st.builds(ContentItem, st.just("TEXT"), codes, words, st.just("CONTAINS")),
    st.builds(ContentItem, st.just("CODE"), codes, codes, st.just("HAS PROPERTIES")),
    st.builds(ContentItem, st.just("NUM"), codes, st.builds(Numeric, numbers, codes), st.just("CONTAINS")),
)
trees = st.recursive(
    items,
    lambda below: st.builds(lambda item, children: item.add(*children), items, st.lists(below, max_size=3)),
    max_leaves=12,
)


@pytest.mark.thread_unsafe(reason="Hypothesis' recursive strategies aren't for threads")
@settings(max_examples=60, deadline=None)
@given(st.lists(trees, max_size=3))
def test_any_tree_is_read_as_it_was_written(children):
    root = container(*children)
    data_set = sr.write(root)
    report = sr.read(data_set)
    assert report.issues == ()
    ours, ours_again = list(root.walk()), list(report.root.walk())
    assert [position for position, _ in ours] == [position for position, _ in ours_again]
    for (_, one), (_, other) in zip(ours, ours_again, strict=True):
        assert (one.value_type, one.concept, one.value) == (other.value_type, other.concept, other.value)
        assert one.concept.meaning == other.concept.meaning
    assert report.write() == data_set


# -- HTML and the command line


class Page(HTMLParser):
    """Collects ids and links, and checks that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.ids, self.links, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert tag != "script"
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", REPORTS)
def test_html_is_well_formed_and_its_links_resolve(name):
    report = sr.read(dc.dcmread(real(name)))
    page = Page()
    page.feed(report.html())
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)) == len(list(report.root.walk()))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_html_escapes_everything():
    evil = "<script>\"'&"
    code = Code(evil, evil, evil)
    cells = Table(1, 1, [Cell(1, 1, evil)])
    root = ContentItem("CONTAINER", code, continuity="SEPARATE").add(
        ContentItem("TEXT", code, evil, "CONTAINS"),
        ContentItem("CODE", code, code, "CONTAINS"),
        ContentItem("NUM", code, Numeric(1, code, code), "CONTAINS"),
        ContentItem("TABLE", code, cells, evil),
        ContentItem("IMAGE", code, sr.ImageReference(dc.UID(evil), dc.UID(evil)), evil),
    )
    about = dc.Dataset()
    about.PatientName = evil
    page = Page()
    page.feed(sr.html(root, about))
    assert page.open == []


def test_dump_prints_a_report_as_text_and_as_html(capsys):
    assert main(["dump", "--sr", str(real("test-SR.dcm"))]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith('1 CONTAINER (1111, TEST, "Diagnosis") = SEPARATE')
    assert '    1.2.2 contains NUM (1234, 99_OFFIS_DCMTK, "Diameter") = 3 cm\n' in printed
    assert main(["dump", "--html", str(real("test-SR.dcm"))]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")
    assert main(["dump", "--sr", str(real("CT_small.dcm"))]) == 1
    assert "no content" in capsys.readouterr().err
