"""Rules that hold for single elements: how many values they have, and what is retired."""

from __future__ import annotations

import pytest

import dicomcore as dc
from dicomcore.iod import check

COUNTS: dict[str, tuple[str, object, bool]] = {  # (keyword, values, whether PS3.6 allows as many)
    "one": ("StudyID", "1", True),
    "one, and there are two": ("StudyID", ["1", "2"], False),
    "one, empty": ("StudyID", "", True),
    "two": ("PixelSpacing", [1, 2], True),
    "two, and there is one": ("PixelSpacing", [1], False),
    "two, binary": ("TimeRange", [1.0, 2.0, 3.0], False),
    "at most eight": ("ReferencedFileID", list("12345678"), True),
    "at most eight, and there are nine": ("ReferencedFileID", list("123456789"), False),
    "at least two": ("ImageType", ["A", "B", "C"], True),
    "at least two, and there is one": ("ImageType", "A", False),
    "four or five": ("FrameType", list("ABCDE"), True),
    "four or five, and there are three": ("FrameType", list("ABC"), False),
    "four or five, and there are six": ("FrameType", list("ABCDEF"), False),
    "threes": ("ContourData", [1] * 6, True),
    "threes, and one is left over": ("ContourData", [1] * 7, False),
    "any number": ("SpecificCharacterSet", ["", "ISO 2022 IR 87", "ISO 2022 IR 13"], True),
    "text with a backslash in it": ("ImageComments", "1\\2\\3", True),
    "sequence": ("ContentSequence", [dc.Dataset(), dc.Dataset()], True),
    "of a retired attribute": ("OtherPatientIDs", ["1", "2"], True),
}


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("nested", [False, True], ids=["root", "item"])
def test_number_of_values(name: str, nested: bool) -> None:
    keyword, values, allowed = COUNTS[name]
    ds = dc.Dataset()
    setattr(ds, keyword, values)
    if nested:
        outer = dc.Dataset()
        outer.ContentSequence = [ds, ds]
        ds = outer
    found = check(ds, rules=("VALUE_COUNT",))
    place = "ContentSequence[0]." * nested + keyword
    assert [(one.path, one.count, one.severity) for one in found] == [(place, 1 + nested, "warning")] * (not allowed)


@pytest.mark.parametrize(("text", "count"), [("\u4e57", 0), ("a\\b", 1)], ids=["in a character", "alone"])
def test_backslash(text: str, count: int) -> None:
    """GBK has 5CH as the second byte of some characters: where there are such bytes, values can't be told apart."""
    ds = dc.Dataset()
    ds.SpecificCharacterSet = "GBK"
    ds.StudyID = text
    assert b"\\" in text.encode("gbk")
    assert len(check(ds, rules=("VALUE_COUNT",))) == count


def test_retired() -> None:
    ds = dc.Dataset()
    ds.OtherPatientIDs = "1"
    ds.add_new(0x60000012, "US", 1)  # a repeating group
    ds.add_new(0x00090010, "LO", "ME")
    ds.add_new(0x00091001, "LO", "a")
    ds.PatientID = "1"
    (one, other) = check(ds, rules=("RETIRED",), at_least="note")
    assert [one.path, other.path] == ["OtherPatientIDs", "OverlayPlanes"]
    assert one.severity == other.severity == "note"
