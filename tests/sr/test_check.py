"""Documents checked: real ones and highdicom's are clean, and each change of one item gives its finding."""

from __future__ import annotations

import io
import time

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

import dicomcore as dc
from dicomcore import sr
from dicomcore.cli import main
from dicomcore.sr import Code, ContentItem, Numeric
from dicomcore.values import PersonName
from tests.support.corpus import real

LANGUAGE = Code("121049", "DCM", "Language of Content Item and Descendants")
TITLE = Code("126000", "DCM", "Imaging Measurement Report")
MM = Code("mm", "UCUM", "millimeter")


def dcm(value: str, meaning: str = "") -> Code:
    return Code(value, "DCM", meaning or value)


def measurement_report(kind: str) -> dc.Dataset:
    """A document of TID 1500 as highdicom makes it."""
    image = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    person = hd.sr.PersonObserverIdentifyingAttributes(name="Foo^Bar")
    device = hd.sr.DeviceObserverIdentifyingAttributes(uid=generate_uid())
    context = hd.sr.ObservationContext(
        observer_person_context=hd.sr.ObserverContext(codes.DCM.Person, person),
        observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, device),
    )
    region = hd.sr.ImageRegion(
        hd.sr.GraphicTypeValues.CIRCLE, np.array([[30.0, 30.0], [40.0, 30.0]]),
        hd.sr.SourceImageForRegion.from_source_image(image),
    )  # fmt: skip
    area = hd.sr.Measurement(codes.SCT.AreaOfDefinedRegion, 1.7, codes.UCUM.SquareMillimeter)
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(uid=generate_uid(), identifier="one"),
        "finding_type": hd.sr.CodedConcept("27925004", "SCT", "Nodule"),
        "measurements": [area],
    }
    if kind == "planar":
        group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(referenced_region=region, **common)
    elif kind == "volumetric":
        group = hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(referenced_regions=[region], **common)
    else:
        group = hd.sr.MeasurementsAndQualitativeEvaluations(**common)
    report = hd.sr.MeasurementReport(
        context,
        codes.LN.CTUnspecifiedBodyRegion,
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    document = hd.sr.Comprehensive3DSR([image], report, generate_uid(), 1, generate_uid(), 1, "M", is_complete=True)
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return dc.dcmread(io.BytesIO(buffer.getvalue()))


def dose_event() -> ContentItem:
    event = ContentItem("CONTAINER", dcm("113706"), None, "CONTAINS", continuity="SEPARATE")
    return event.add(
        ContentItem("CODE", dcm("113764"), dcm("113622"), "HAS CONCEPT MOD"),
        ContentItem("UIDREF", dcm("113769"), dc.UID("1.2.3"), "CONTAINS"),
        ContentItem("DATETIME", dcm("111526"), "20200101000000", "CONTAINS"),
        ContentItem("CODE", dcm("113721"), Code("44491008", "SCT", "Fluoroscopy"), "CONTAINS"),
        ContentItem("CODE", dcm("123014"), Code("51185008", "SCT", "Chest"), "CONTAINS"),
    )


def found(document: dc.Dataset, template: int | None = None) -> list[tuple[str, str, str, str]]:
    report = sr.check(document, template)
    return [(one.code, one.template, one.row, one.position) for one in report.at_least("warning")]


# -- clean


@pytest.mark.parametrize("kind", ["planar", "volumetric", "plain"])
def test_documents_of_highdicom_are_clean(kind):
    report = sr.check(measurement_report(kind))
    assert (report.template, list(report), report.unknown) == ("1500", [], 0)


def test_a_document_of_dcmqi_has_retired_codes_only():
    report = sr.check(dc.dcmread(real("sr-example/sr.dcm")))
    assert report.template == "1500"
    assert {one.code for one in report} == {"RETIRED_SCHEME"}
    assert report


@pytest.mark.parametrize("name", ["test-SR.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm"])
def test_documents_without_a_template(name):
    report = sr.check(dc.dcmread(real(name)))
    assert [one.code for one in report] == ["NO_TEMPLATE"]
    assert report.template == ""


# -- one item changed


def drop(item, parent):
    parent.children.remove(item)


def duplicate(item, parent):
    again = ContentItem(item.value_type, item.concept, item.value, item.relationship, list(item.children))
    parent.children.insert(parent.children.index(item), again)


def retype(item, parent):
    item.value_type, item.value, item.source = "TEXT", "a text", None


def relate(item, parent):
    item.relationship = "INFERRED FROM"


def recode(item, parent):
    item.concept = Code("1", "99TEST", "nothing")


def revalue(item, parent):
    item.value = Code("1", "99TEST", "nothing")


MUTANTS = {  # name: (concept, change, findings of the template)
    "mandatory code dropped": ("113764", drop, [("ROW_MISSING", "10003", "2")]),
    "mandatory UID dropped": ("113769", drop, [("ROW_MISSING", "10003", "3")]),
    "duplicated": ("113769", duplicate, [("ROW_TOO_OFTEN", "10003", "3")]),
    "other value type": ("113769", retype, [("ROW_VALUE_TYPE", "10003", "3")]),
    "other relationship": ("113764", relate, [("ROW_RELATIONSHIP", "10003", "2")]),
    "other concept": ("113769", recode, [("ROW_MISSING", "10003", "3"), ("NOT_IN_TEMPLATE", "10003", "")]),
}


@pytest.mark.parametrize(("concept", "change", "expected"), MUTANTS.values(), ids=MUTANTS)
def test_a_changed_item_gives_its_finding(concept, change, expected):
    def faults(event):
        document = sr.make_report(event, sop_class="XRayRadiationDoseSRStorage")
        return {(one.code, one.template, one.row) for one in sr.check(document, 10003) if one.template}

    event = dose_event()
    event.relationship = None
    before = faults(event)
    item = next(child for child in event.children if child.concept.value == concept)
    change(item, event)
    assert faults(event) - before == set(expected)
    assert before - faults(event) == set()


REPORT_MUTANTS = {  # name: (position, change, findings of the template)
    "person's name dropped": ((1, 3), drop, [("ROW_MISSING", "1003", "1", "1")]),
    "procedure of another type": ((1, 6), retype, [("ROW_VALUE_TYPE", "1500", "4", "1.6")]),
    "procedure in another relationship": ((1, 6), relate, [("ROW_RELATIONSHIP", "1500", "4", "1.6")]),
    "procedure twice": ((1, 6), duplicate, [("ROW_TOO_OFTEN", "1500", "4", "1")]),
    "group of another concept": ((1, 7, 1), recode, [("NOT_IN_TEMPLATE", "1500", "", "1.7.1")]),
    "tracking identifier twice": ((1, 7, 1, 1), duplicate, [("ROW_TOO_OFTEN", "1410", "2", "1.7.1")]),
    "image of a region dropped": ((1, 7, 1, 5, 1), drop, [("ROW_MISSING", "1410", "6", "1.7.1.5")]),
}


@pytest.mark.parametrize(("position", "change", "expected"), REPORT_MUTANTS.values(), ids=REPORT_MUTANTS)
def test_a_changed_item_of_a_measurement_report_gives_its_finding(position, change, expected):
    report = sr.read(measurement_report("planar"))
    change(report.root.at(position), report.root.at(position[:-1]))
    found = [(one.code, one.template, one.row, one.position) for one in sr.check(report.write()) if one.template]
    assert found == expected


def test_a_value_outside_a_context_group():
    event = dose_event()
    event.relationship = None
    revalue(event.children[0], event)
    report = sr.check(sr.make_report(event, sop_class="XRayRadiationDoseSRStorage"), 10003)
    assert [one.code for one in report if one.row == "2"] in (["ROW_VALUE_NOT_DEFINED"], ["ROW_VALUE_UNKNOWN"], [])


def test_like_findings_are_counted():
    root = ContentItem("CONTAINER", dcm("113701"), None, continuity="SEPARATE", template=sr.Template("10001"))
    for _ in range(50):
        event = dose_event()
        drop(event.children[1], event)
        root.add(event)
    report = sr.check(sr.make_report(root, sop_class="XRayRadiationDoseSRStorage"))
    (missing,) = (one for one in report if (one.template, one.row) == ("10003", "3"))
    assert (missing.count, missing.position) == (50, "1.1")


# -- rules of the IOD


def test_what_an_item_must_have():
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE")
    root.add(ContentItem("TEXT", dcm("121106"), "words", "CONTAINS"))
    document = sr.make_report(root)
    item = document.ContentSequence[0]
    changes = {
        "RelationshipType": "RELATIONSHIP_TYPE",
        "ValueType": "VALUE_TYPE",
        "ConceptNameCodeSequence": "CONCEPT_NAME_MISSING",
        "TextValue": "VALUE_MISSING",
    }
    for keyword, code in changes.items():
        kept = item[keyword].value
        delattr(item, keyword)
        assert code in {one.code for one in sr.check(document).errors}, keyword
        setattr(item, keyword, kept)
    del item.ConceptNameCodeSequence[0].CodeMeaning
    assert [one.code for one in sr.check(document).errors if not one.template] == ["CONCEPT_NAME_INCOMPLETE"]


def test_relationships_of_the_sop_class():
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE")
    root.add(ContentItem("NUM", dcm("121206"), Numeric(1.0, MM), "CONTAINS"))
    assert ("RELATIONSHIP_NOT_ALLOWED", "", "", "1.1") in found(sr.make_report(root, sop_class="BasicTextSRStorage"))
    assert "RELATIONSHIP_NOT_ALLOWED" not in {one[0] for one in found(sr.make_report(root))}


def test_references():
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE")
    inner = ContentItem("CONTAINER", dcm("121070"), None, "CONTAINS", continuity="SEPARATE")
    inner.add(ContentItem(relationship="HAS PROPERTIES", target=(1,)))
    root.add(inner, ContentItem(relationship="HAS PROPERTIES", target=(1, 9)))
    found_codes = {one[0] for one in found(sr.make_report(root))}
    assert {"REFERENCE_LOOP", "REFERENCE_TARGET"} <= found_codes
    assert "REFERENCE_NOT_ALLOWED" in {one[0] for one in found(sr.make_report(root, sop_class="EnhancedSRStorage"))}


# -- bad input


def test_a_template_that_includes_itself_ends():
    root = ContentItem("CODE", dcm("111015"), Code("1", "99TEST", "x"), None)
    inner = root
    for _ in range(100):
        inner.add(ContentItem("CODE", dcm("111015"), Code("1", "99TEST", "x"), "HAS PROPERTIES"))
        inner = inner.children[0]
    for template in (4004, 4006):
        assert len(sr.check(sr.make_report(root), template)) < 1000


def test_many_items_cost_little():
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE")
    root.children = [ContentItem("TEXT", dcm("121106"), "words", "CONTAINS") for _ in range(20_000)]
    document = dc.dcmread(_written(sr.make_report(root)))
    begin = time.perf_counter()
    assert sr.check(document, 1500).items == 20_001
    assert time.perf_counter() - begin < 10  # quadratic work would take far longer


def _written(document: dc.Dataset):
    buffer = io.BytesIO()
    document.save_as(buffer)
    buffer.seek(0)
    return buffer


def test_a_data_set_without_content():
    report = sr.check(dc.dcmread(get_testdata_file("CT_small.dcm")))
    assert not report
    with pytest.raises(KeyError, match="no template 9"):
        sr.check(dc.dcmread(get_testdata_file("CT_small.dcm")), 9)


# -- building


def test_new_names_what_is_missing():
    with pytest.raises(ValueError, match=r"needs a title: .*Imaging Measurement Report"):
        sr.new(1500)
    with pytest.raises(ValueError, match="Imaging Measurements"):
        sr.new(1500, title=TITLE)
    with pytest.raises(ValueError, match="has no row for Nonsense"):
        sr.new(1500, {"Nonsense": "x"}, title=TITLE)
    with pytest.raises(ValueError, match="not that of a whole document"):
        sr.new(1204)


def test_new_makes_a_document_that_follows_its_template():
    measurements = ContentItem("CONTAINER", dcm("126010", "Imaging Measurements"), None, "CONTAINS")
    measurements.continuity = "SEPARATE"
    values = {
        LANGUAGE: Code("en", "RFC5646", "English"),
        "Person Observer Name": PersonName("A^B"),
        "121058": Code("44139-4", "LN", "PET whole body"),
    }
    document = sr.new(1500, values, title=TITLE, items=[measurements])
    assert list(sr.check(document)) == []
    assert sr.read(document).root.find("121008")[0].value == "A^B"


# -- the command


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["template", "1204"], 0, "DCID 5000"),
        (["template", "1500", "--json"], 0, '"row": "1"'),
        (["template", "9"], 2, ""),
        (["context", "244"], 0, "Bilateral"),
        (["context", "244", "--json"], 0, "24028007"),
        (["find", "laterality"], 0, "CID 244"),
        (["check", "missing.dcm"], 1, ""),
        (["check", "--template", "9", "missing.dcm"], 2, ""),
    ],
)
def test_command(arguments, code, words, capsys):
    assert main(["sr", *arguments]) == code
    assert words in capsys.readouterr().out


def test_command_checks_files(capsys):
    path = str(real("sr-example/sr.dcm"))
    assert main(["sr", "check", path]) == 1
    assert "RETIRED_SCHEME" in capsys.readouterr().out
    assert main(["sr", "check", "--at-least", "error", "--json", path]) == 0
    assert '"findings": []' in capsys.readouterr().out
    assert main(["sr", "tree", path]) == 0
    assert "Imaging Measurement Report" in capsys.readouterr().out


@pytest.mark.parametrize(
    "keyword", ["ReferencedSOPSequence", "ConceptCodeSequence", "MeasuredValueSequence", "GraphicData"]
)
def test_a_value_that_is_no_sequence(keyword):
    """Bytes where a sequence is due, as the last element of the file, must not lead behind the rows."""
    kinds = {"ReferencedSOPSequence": "IMAGE", "ConceptCodeSequence": "CODE", "MeasuredValueSequence": "NUM"}
    body = dc.Dataset()
    body.ValueType = kinds.get(keyword, "SCOORD")
    body.add_new(keyword, "OB", b"\x01\x02\x03\x04")
    body.add_new("ContentSequence", "OB", b"\x01\x02")
    document = dc.encoding.decode(dc.encoding.encode(body, "1.2.840.10008.1.2.1"), "1.2.840.10008.1.2.1")
    assert not sr.check(document)


def test_damaged_documents_are_checked_or_refused():
    data = bytearray(_written(sr.make_report(dose_event())).getvalue())
    for place in range(len(data) - 900, len(data), 3):
        damaged = bytearray(data)
        damaged[place] ^= 0xFF
        try:
            sr.check(dc.dcmread(io.BytesIO(bytes(damaged))), 10003)
        except dc.DicomError:
            continue
