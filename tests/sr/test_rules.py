"""Rules of PS3.3 A.35 for each SOP class, and of includes: what may stand where."""

from __future__ import annotations

import pytest

from dicomcore import sr
from dicomcore.sr import Code, ContentItem, Numeric
from dicomcore.sr.template_views import native
from dicomcore.values import PersonName
from tests.sr.highdicom_reports import report

TITLE = Code("126000", "DCM", "Imaging Measurement Report")
MM = Code("mm", "UCUM", "millimeter")
SR = "1.2.840.10008.5.1.4.1.1.88."

ALLOWED = {  # SOP class: (source, relationship, target), allowed
    "simplified echo": (SR + "72", ("NUM", "INFERRED FROM", "SCOORD"), True),
    "simplified echo, not below a container": (SR + "72", ("CONTAINER", "INFERRED FROM", "SCOORD"), False),
    "patient dose": (SR + "73", ("COMPOSITE", "HAS PROPERTIES", "UIDREF"), True),
    "planned agent": (SR + "74", ("CONTAINER", "CONTAINS", "IMAGE"), False),
    "performed agent": (SR + "75", ("CONTAINER", "CONTAINS", "IMAGE"), True),
    "waveform annotation": (SR + "77", ("CONTAINER", "CONTAINS", "TCOORD"), True),
    "waveform annotation, no image": (SR + "77", ("CONTAINER", "CONTAINS", "IMAGE"), False),
    "observer in a container": (SR + "33", ("CONTAINER", "HAS OBS CONTEXT", "CONTAINER"), True),
    "dose": (SR + "67", ("CONTAINER", "HAS OBS CONTEXT", "CONTAINER"), True),
}


@pytest.mark.parametrize(("sop_class", "row", "allowed"), ALLOWED.values(), ids=ALLOWED)
def test_relationships(sop_class: str, row: tuple[str, str, str], allowed: bool) -> None:
    source, name, target = row
    permitted = native().relations(sop_class)
    key = sr.template_views.VALUE_TYPES.index(source), sr.template_views.RELATIONSHIPS.index(name)
    assert bool(permitted.get(key, 0) >> sr.template_views.VALUE_TYPES.index(target) & 1) is allowed


def test_every_class_of_reports_has_rules_but_one() -> None:
    lacking = [last for last in range(11, 78) if native().relations(f"{SR}{last}") is None]
    assert set(range(11, 78)) - set(lacking) == {
        *(11, 22, 33, 34, 35, 40, 50, 59, 65, 67, 68, 69, 70, 71, 72, 73, 74, 75, 77)
    }  # fmt: skip


@pytest.mark.parametrize(("sop_class", "found"), [("XRayRadiationDoseSRStorage", True), ("ChestCADSRStorage", False)])
def test_references_of_the_sop_class(sop_class: str, found: bool) -> None:
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE")
    number = ContentItem("NUM", Code("1", "99TEST", "x"), Numeric(1.0, MM), "CONTAINS")
    root.add(number, ContentItem(relationship="HAS PROPERTIES", target=number))
    codes = {one.code for one in sr.check(sr.make_report(root, sop_class=sop_class))}
    assert ("REFERENCE_NOT_ALLOWED" in codes) is found


# -- includes


def observers(*items: ContentItem) -> list[tuple[str, str, str]]:
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE", template=sr.Template("1500"))
    report = sr.check(sr.make_report(root.add(*items)))
    return [(one.code, one.template, one.row) for one in report.errors if one.template in ("1002", "1003", "1004")]


PERSON = ("PNAME", Code("121008", "DCM", "Person Observer Name"), PersonName("A^B"), "HAS OBS CONTEXT")
TYPE = Code("121005", "DCM", "Observer Type")


def test_an_include_whose_condition_is_not_met() -> None:
    """TID 1002 includes the rows of a person if and only if the observer is one."""
    device = ContentItem("CODE", TYPE, Code("121007", "DCM", "Device"), "HAS OBS CONTEXT")
    person = ContentItem("CODE", TYPE, Code("121006", "DCM", "Person"), "HAS OBS CONTEXT")
    assert observers(ContentItem(*PERSON), person) == []
    assert ("ROW_NOT_ALLOWED", "1003", "1") in observers(ContentItem(*PERSON), device)


def test_one_item_is_enough_for_two_templates() -> None:
    """TID 10002 includes TID 10004 and 10007 for such a device; both ask for the dose area product."""
    dose = ContentItem("NUM", Code("113722", "DCM", "Dose Area Product Total"), Numeric(1.0, MM), "CONTAINS")
    container = ContentItem("CONTAINER", Code("113702", "DCM", "Accumulated X-Ray Dose Data"), None, "CONTAINS")
    container.continuity = "SEPARATE"
    device = Code("113957", "DCM", "Fluoroscopy-Guided Projection Radiography System")
    root = ContentItem("CONTAINER", Code("113701", "DCM", "X-Ray Radiation Dose Report"), None, continuity="SEPARATE")
    root.add(ContentItem("CODE", Code("122142", "DCM", "Acquisition Device Type"), device, "CONTAINS"))
    root.add(container.add(dose))
    missing = [
        (one.template, one.row)
        for one in sr.check(sr.make_report(root, sop_class="XRayRadiationDoseSRStorage"), 10001)
        if one.code == "ROW_MISSING"
    ]
    assert not {("10004", "1"), ("10007", "1")} & set(missing)


# -- highdicom, with all of its options


@pytest.mark.parametrize("kind", ["planar", "volumetric", "plain"])
@pytest.mark.parametrize("full", [False, True], ids=["", "properties"])
def test_highdicom_with_every_option(kind: str, full: bool) -> None:
    """It writes the map of real world values as what a number contains, which no IOD has: that alone is wrong."""
    found = sr.check(report(kind, properties_too=full))
    assert found.template == "1500"
    assert {(one.code, one.row) for one in found.errors} == {
        ("RELATIONSHIP_NOT_ALLOWED", ""),
        ("ROW_RELATIONSHIP", "18" if kind == "plain" else "19"),
    }
    assert {one.code for one in found.notes} <= {"NOT_IN_TEMPLATE"}
    assert "1501" not in {one.template for one in found}
