"""Bad input to sr.check: too much, too deep, going round. A finding or a LimitError, in little time."""

from __future__ import annotations

import time

import pytest

import dicomcore as dc
from dicomcore import sr
from dicomcore.sr import Code, ContentItem
from tests.support import dicom_bytes as raw

MANY = 100_000
TITLE = Code("126000", "DCM", "Imaging Measurement Report")
TEXT = raw.element(0x0040A010, "CS", b"CONTAINS") + raw.element(0x0040A040, "CS", b"TEXT")
HEAD = raw.element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.88.33\0") + raw.element(0x0040A040, "CS", b"CONTAINER ")


def content(items: bytes) -> bytes:
    return raw.part10(HEAD + raw.sequence(0x0040A730, items), raw.EXPLICIT)


def nested(depth: int) -> bytes:
    """Items within items, with undefined lengths."""
    start = (
        raw.element(0x0040A040, "CS", b"CONTAINER ")
        + b"\x40\0\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff"
    )
    end = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    return raw.part10(
        HEAD[: -len(raw.element(0x0040A040, "CS", b"CONTAINER "))] + start * depth + end * depth, raw.EXPLICIT
    )


INPUTS = {
    "empty items": content(raw.item() * MANY),
    "items alike": content(raw.item(TEXT) * MANY),
    "deep items": nested(250),
}


@pytest.mark.parametrize("data", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("template", [None, 1500, 4006, 10001])
def test_much_is_checked(data: bytes, template: int | None) -> None:
    begun = time.process_time()
    report = sr.check(data, template)
    assert report.items > 250
    assert len(report) < 1100
    assert time.process_time() - begun < 20


def test_limits() -> None:
    with pytest.raises(dc.LimitError, match="nested deeper"):
        sr.check(nested(MANY))
    with pytest.raises(dc.LimitError):
        sr.check(INPUTS["empty items"], limits=dc.Limits(elements=1000))
    read = dc.dcmread(nested(40))
    assert sr.check(read).items == 41
    with pytest.raises(dc.LimitError, match="nested deeper than 20 levels"):
        sr.check(read, limits=dc.Limits(depth=20))
    with pytest.raises(dc.LimitError, match="more than 5 content items"):
        sr.check(dc.dcmread(content(raw.item(TEXT) * 9)), limits=dc.Limits(elements=5))


def test_references_that_go_round() -> None:
    root = ContentItem("CONTAINER", TITLE, None, continuity="SEPARATE")
    for number in range(1, 301):
        inner = ContentItem("CONTAINER", TITLE, None, "CONTAINS", continuity="SEPARATE")
        inner.add(ContentItem(relationship="HAS PROPERTIES", target=(1, number % 300 + 1)))
        root.add(inner)
    report = sr.check(sr.make_report(root), 1500)
    (loop,) = (one for one in report if one.code == "REFERENCE_LOOP")
    assert loop.count > 0
    assert len(report) < 100


def test_sources_of_each_kind() -> None:
    data = content(raw.item(TEXT))
    assert sr.check(data) == sr.check(dc.dcmread(data)) == sr.check(memoryview(data))
    changed = dc.dcmread(data)
    changed.ContentSequence[0].RelationshipType = "NO SUCH"
    assert [one.code for one in sr.check(changed).errors] != [one.code for one in sr.check(data).errors]
