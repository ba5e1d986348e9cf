"""Content items (PS3.15 E.3.4-1), beside a reading of the table of its own."""

from __future__ import annotations

import pytest

import dicomcore as dc
from dicomcore import deid, sr
from dicomcore._native.deid.concept import concept_at, refers_to_items
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import index_of, row_of
from dicomcore.deid.structured import CONTENT_SEQUENCES, Content, action_of, table
from dicomcore.dictionary import keyword_for_tag
from dicomcore.encoding import decode, encode
from dicomcore.uids import ExplicitVRLittleEndian
from tests.support import standard
from tests.support.corpus import ABSENT, dicom_files

OPTIONS = (
    "retain_uids",
    "retain_device_identity",
    "retain_institution_identity",
    "retain_patient_characteristics",
    "retain_longitudinal_full_dates",
    "retain_longitudinal_modified_dates",
    "clean_descriptors",
)
needs_tables = pytest.mark.skipif(bool(standard.ABSENT), reason=standard.ABSENT)

# Mandatory rows of templates, which are replaced where the table removes.
REPLACED = {("DCM", "121041", "TEXT"), ("DCM", "121033", "NUM"), ("DCM", "121032", "CODE"),
            ("DCM", "111527", "DATETIME")}  # fmt: skip


@needs_tables
@pytest.mark.parametrize("options", [(), *((one,) for one in OPTIONS), OPTIONS], ids=str)
def test_every_row_with_its_options(options: tuple[str, ...]) -> None:
    meta = standard.load("deid")
    rows = meta["content_items"]
    assert meta["meta"]["columns"]["content_items"][6:] == list(OPTIONS)
    assert len(rows) == 214
    for code, scheme, _, value_type, _, basic, *marks in rows:
        chosen = [mark for option, mark in zip(OPTIONS, marks, strict=True) if mark and option in options]
        wanted = {"C"} if "C" in chosen else {"K"} if chosen else {"X", "D"} if basic == "X/D" else {basic}
        if wanted == {"X"} and (scheme, code, value_type) in REPLACED:
            wanted = {"D"}
        assert action_of(scheme, code, value_type, options) in wanted, (code, value_type)


CASES = {  # name: (scheme, code, value type, options, removable, action)
    "a subject's name": ("DCM", "121029", "PNAME", (), True, "D"),
    "a comment": ("DCM", "121106", "TEXT", (), True, "X"),
    "a comment, cleaned": ("DCM", "121106", "TEXT", ("clean_descriptors",), True, "C"),
    "a comment where items refer to others": ("DCM", "121106", "TEXT", (), False, "D"),
    "a birth date in spite of dates that stay": (
        "DCM", "121031", "DATE", ("retain_longitudinal_full_dates",), True, "X",
    ),
    "a finding by its former code": ("SRT", "F-006E4", "TEXT", (), True, "C"),
    "a reference that may be replaced": ("DCM", "121191", "IMAGE", (), True, "D"),
    "a text that may be replaced": ("DCM", "122083", "TEXT", (), True, "D"),
    "a date that a template asks for": ("DCM", "111060", "DATE", (), True, "D"),
    "a mandatory name": ("DCM", "121008", "PNAME", (), True, "D"),
    "another name": ("99X", "1", "PNAME", (), True, "X"),
    "another name where items refer to others": ("99X", "1", "PNAME", (), False, "D"),
    "another text": ("99X", "1", "TEXT", (), True, "C"),
    "another measurement": ("99X", "1", "NUM", (), True, "K"),
    "another code": ("99X", "1", "CODE", (), True, "K"),
    "another container": ("99X", "1", "CONTAINER", (), True, "K"),
    "another reference": ("99X", "1", "IMAGE", (), True, "K"),
    "no value type": ("99X", "1", "", (), True, "C"),
    "subject sex": ("DCM", "121032", "CODE", ("retain_patient_characteristics",), True, "K"),
}  # fmt: skip


@pytest.mark.parametrize(("scheme", "code", "kind", "options", "removable", "action"), CASES.values(), ids=CASES)
def test_actions(scheme, code, kind, options, removable, action):
    assert action_of(scheme, code, kind, options, removable=removable) == action


def test_codes_of_snomed_before_sct():
    rows = {row[:3]: row[3] for row in table(frozenset())}
    assert rows["SRT", "G-C0E3", "TEXT"] == rows["SCT", "363698007", "TEXT"] == "D"
    assert [row[:3] for row in table(frozenset())] == sorted(rows)


def test_sequences_of_content_items():
    assert {keyword_for_tag(tag) for tag in CONTENT_SEQUENCES} == {
        "ContentSequence",
        "AcquisitionContextSequence",
        "ProtocolContextSequence",
        "ContentItemModifierSequence",
        "SpecimenPreparationStepContentItemSequence",
    }


def item(kind: str, scheme: str, code: str) -> Dataset:
    made = Dataset()
    made.ValueType = kind
    made.ConceptNameCodeSequence = [Dataset()]
    made.ConceptNameCodeSequence[0].CodeValue = code
    made.ConceptNameCodeSequence[0].CodingSchemeDesignator = scheme
    return made


def test_items_of_a_file():
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    ds.SOPInstanceUID = "1.2.3"
    ds.ContentSequence = [item("PNAME", "99X", "1"), item("TEXT", "DCM", "121106"), Dataset()]
    found = decode(encode(ds, ExplicitVRLittleEndian), ExplicitVRLittleEndian)
    index = index_of(found)
    rows = [row_of(one) for one in found.ContentSequence]
    assert [concept_at(index, row) for row in rows] == [("99X", "1", "PNAME"), ("DCM", "121106", "TEXT"), ("", "", "")]
    assert [Content(index, ()).action(row) for row in rows] == ["X", "X", "C"]
    with pytest.raises(ValueError, match="is no item"):
        concept_at(index, 0)
    ds.ContentSequence[2].ReferencedContentItemIdentifier = [1, 2]
    found = decode(encode(ds, ExplicitVRLittleEndian), ExplicitVRLittleEndian)
    assert refers_to_items(index_of(found))
    assert [Content(index_of(found), ()).action(row_of(one)) for one in found.ContentSequence] == ["D", "D", "C"]


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_real_reports():
    count = 0
    for path in [one.path for one in dicom_files() if one.line["size"] < 1_000_000]:
        try:
            ds = dc.dcmread(path)
            if "ContentSequence" not in ds:
                continue
            content = Content(index_of(ds), ("clean_descriptors",))
        except ValueError:
            continue
        stack = list(ds.ContentSequence or ())
        while stack:
            one = stack.pop()
            count += 1
            kind, action = one.get("ValueType"), content.action(row_of(one))
            assert action in "XDCK"
            if kind == "PNAME":
                assert action in "XD"
            stack += one.get("ContentSequence") or ()
    assert count > 10


def test_templates_keep_their_rows():
    plan = deid.Plan(options=("clean_structured_content", "clean_descriptors"), key=deid.Key.generate())
    count = 0
    for one in dicom_files():
        if one.line["size"] > 1_000_000:
            continue
        try:
            ds = dc.dcmread(one.path)
            before = {(found.code, found.path) for found in sr.check(ds).errors} if "ContentSequence" in ds else None
        except ValueError:
            continue
        if before is None:
            continue
        count += 1
        after = sr.check(deid.deidentify(ds, plan)).errors
        new = {(found.code, found.path) for found in after if found.code.startswith("ROW_")} - before
        assert not new, one.name
    assert count or ABSENT
