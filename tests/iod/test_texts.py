"""Text in the form of its VR."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore import dcmread
from dicomcore._native.check.texts import fits
from dicomcore.errors import DicomError
from tests.support.corpus import ABSENT, dicom_files, real
from tests.support.iod_findings import findings

REVIEWED = Path(__file__).with_name("reviewed_texts.csv")

GOOD = [
    *(("UI", text) for text in ("1.2", "0.0", "2.25.340282366920938463463374607431768211455", "1." + "2" * 62)),
    *(("DA", text) for text in ("20240229", "19931231", "1993.12.31")),
    *(("TM", text) for text in ("00", "2359", "235960", "235959.1", "235959.999999", "23:59:59", "23:59:59.5")),
    *(("DT", text) for text in ("2024", "202402", "20240229", "2024022923", "20240229235959.123456", "2024-0500")),
    *(("DT", text) for text in ("20240229235959.123456+1400", "202402-1200")),
    *(("AS", text) for text in ("000D", "018M", "012W", "120Y")),
    *(("DS", text) for text in ("0", "-1.5", "+1", "1e5", "1.0E-12", "1234567890123456")),
    *(("IS", text) for text in ("0", "-2147483648", "+2147483647")),
    *(("CS", text) for text in ("ANY THING", "T2_3D", "A" * 16)),
    *(("SH", text) for text in ("anything", "x" * 16, "é" * 16, "漢" * 16)),
    *(("LO", text) for text in ("x" * 64, "é" * 64, "\x1b$B" + "x" * 90)),
    *(("PN", text) for text in ("A^B^C^D^E", "x" * 64 + "=" + "y" * 64 + "=" + "z" * 64, "Ä" * 64)),
    *(("LT", text) for text in ("a\r\n\tb\fc", "x" * 10240)),
    *(("ST", "x" * 1024), ("AE", "x" * 16), ("UT", "x" * 20000), ("UC", "x" * 100)),
]
BAD = [
    *(("UI", text) for text in ("1.02", ".1", "1.", "1..2", "1.a", "1. 2", "1." + "2" * 63)),
    *(("DA", text) for text in ("20230229", "20240431", "20241301", "20240100", "2024", "20240101-20240102")),
    *(("TM", text) for text in ("24", "2360", "235961", "2359590", "235959.", "235959.1234567", "9", "12:3")),
    *(("DT", text) for text in ("202", "20241", "202413", "20240230", "2024022924", "2024+1401", "2024+0060")),
    *(("AS", text) for text in ("18Y", "018y", "0018Y", "01 Y", "018")),
    *(("DS", text) for text in ("1,5", "abc", "1.2.3", "12345678901234567", "nan", "1e")),
    *(("CS", text) for text in ("any", "A-B", "A" * 17, "É")),
    *(("SH", text) for text in ("x" * 17, "a\nb", "漢" * 33)),
    *(("LO", text) for text in ("x" * 65, "a\tb", "a\x00b")),
    *(("PN", text) for text in ("A^B^C^D^E^F", "x" * 65, "a=b=c=d", "a=" + "b" * 65)),
    *(("LT", text) for text in ("x" * 10241, "a\x07")),
    *(("ST", "x" * 1025), ("AE", "x" * 17)),
    *(("IS", text) for text in ("1A", "1.5", "1.0", "15e1", "2147483648", "-2147483649", "1234567890123")),
]


@pytest.mark.parametrize(("vr", "text"), GOOD)
def test_good(vr: str, text: str) -> None:
    assert fits(vr, text.encode())


@pytest.mark.parametrize(("vr", "text"), BAD)
def test_bad(vr: str, text: str) -> None:
    assert not fits(vr, text.encode())


@given(st.sampled_from(["UI", "DA", "TM", "DT", "AS", "DS", "IS", "LO"]), st.binary(max_size=70))
def test_any_bytes(vr: str, text: bytes) -> None:
    fits(vr, text)


@given(st.datetimes(), st.integers(0, 6))
def test_real_moments(moment: object, digits: int) -> None:
    text = f"{moment:%Y%m%d%H%M%S}".rjust(14, "0") + (f".{moment:%f}"[: digits + 1] if digits else "")  # type: ignore[str-format]
    assert fits("DT", text.encode())
    assert fits("DA", text[:8].encode())
    assert fits("TM", text[8:].encode())


def test_values_in_items_and_padding() -> None:
    ds = dcmread(real("CT_small.dcm"))
    before = findings(ds, coherence=False, texts=True)
    ds.OtherPatientIDsSequence[0].add_new("PatientBirthDate", "DA", "20230229")
    ds.add_new("ScheduledStudyStartTime", "TM", ["1200 ", "", "13"])
    ds.add_new("PatientSize", "DS", [" 1.5 "])
    assert before == []
    assert [(one.code, one.path) for one in findings(ds, coherence=False, texts=True)] == [
        ("BAD_VALUE", "OtherPatientIDsSequence[0].PatientBirthDate")
    ]


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_real_files() -> None:
    with REVIEWED.open(encoding="utf-8", newline="") as lines:
        every = {(row["file"], row["attribute"]): row["why"] for row in csv.DictReader(lines)}
    seen = set()
    for one in dicom_files():
        try:
            found = findings(dcmread(one.path, force=True), coherence=False, texts=True)
        except DicomError:
            continue
        seen |= {(one.name, finding.path.rpartition(".")[2]) for finding in found}
    assert seen - set(every) == set()
    assert all(every.values())
