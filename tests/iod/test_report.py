"""Findings and reports as objects, text, JSON and Arrow."""

from __future__ import annotations

import json
import pickle

import pytest

from dicomcore.iod.report import Finding, Report, make_finding
from dicomcore.tags import Tag

MADE = make_finding(101, ("CT Image", "C.8.2.1"), 0x00280101, (), 1, 17, 16)
MISSING = make_finding(1, ("CT Image", "C.8.2.1"), 0x00280030, ((0x52009230, 4), (0x00289110, 0)), 300, 0, 0)
NOTE = make_finding(211, None, 0x00091001, (), 1, 0, 0)


def test_finding() -> None:
    same = Finding(
        *("BITS_STORED", "error", "BitsStored", Tag(0x00280101), "CT Image", "PS3.5 8.1.1"),
        *("is 17, with 16 bits allocated", 1),
    )
    assert same == MADE
    assert str(MADE) == "error BITS_STORED: BitsStored is 17, with 16 bits allocated [PS3.5 8.1.1]"
    assert str(MISSING) == (
        "error MISSING: PerFrameFunctionalGroupsSequence[4].PixelMeasuresSequence[0].PixelSpacing is missing"
        " (300 times) [C.8.2.1]"
    )
    assert NOTE.path == "(0009,1001)"
    assert pickle.loads(pickle.dumps(MADE)) == MADE
    assert len({MADE, MADE, NOTE}) == 2
    with pytest.raises(AttributeError):
        MADE.code = "OTHER"  # type: ignore[misc]


def test_report() -> None:
    report = Report([NOTE, MADE], sop_class="1.2", iod="CT Image", unknown=2)
    assert (report.errors, report.warnings, report.notes) == ((MADE,), (), (NOTE,))
    assert (len(report), report[0], report[-1:], list(report)) == (2, NOTE, (MADE,), [NOTE, MADE])
    assert not report
    assert MADE in report
    assert report == pickle.loads(pickle.dumps(report))
    assert report != Report([NOTE, MADE])
    assert str(report).splitlines() == [
        "CT Image: 1 error, 1 note, 2 conditions not decided", str(MADE), str(NOTE)
    ]  # fmt: skip
    assert repr(report) == "<Report CT Image: 1 errors, 0 warnings, 1 notes>"


@pytest.mark.parametrize("report", [Report(), Report([NOTE])], ids=["empty", "a note"])
def test_clean_of_errors(report: Report) -> None:
    assert report


def test_json() -> None:
    report = Report([MISSING], sop_class="1.2", iod="CT Image")
    assert json.loads(json.dumps(report.to_json())) == {
        "sop_class": "1.2",
        "iod": "CT Image",
        "unknown": 0,
        "findings": [
            {
                "code": "MISSING",
                "severity": "error",
                "path": "PerFrameFunctionalGroupsSequence[4].PixelMeasuresSequence[0].PixelSpacing",
                "tag": "00280030",
                "module": "CT Image",
                "clause": "C.8.2.1",
                "message": "is missing",
                "count": 300,
            }
        ],
    }


def test_arrow() -> None:
    pytest.importorskip("pyarrow")
    table = Report([MISSING, MADE]).to_arrow()
    assert table.column_names == ["code", "severity", "path", "tag", "module", "clause", "message", "count"]
    assert table["tag"].to_pylist() == [0x00280030, 0x00280101]
    assert table["count"].to_pylist() == [300, 1]
    assert Report().to_arrow().schema == table.schema
