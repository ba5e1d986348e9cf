"""Data sets with parts in another encoding than their transfer syntax: all is read, and reported in ds.issues."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.corpus import dicom_files
from tests.support.mutate import check_every_truncation, check_rows

SEQUENCE, LAST, ROWS = 0x00081140, 0x50000010, 0x00280010
CLASS_UID, INSTANCE_UID, CODE, MEANING = 0x00080016, 0x00080018, 0x00080100, 0x00080104
HEAD = raw.element(CLASS_UID, None, b"1.2\0") + raw.element(INSTANCE_UID, None, b"1.2.3\0")
TAIL = raw.element(LAST, None, b"\1\0")
INNER = (
    raw.element(CODE, "SH", b"AB")
    + raw.sequence(0x00081199, raw.item(raw.element(0x00081155, "UI", b"1.2\0"), undefined=True), undefined=True)
    + raw.element(0x00200013, "IS", b"12")
    + raw.element(0x0040A160, "UT", b"text")
)
PHILIPS = raw.element(0x20010010, None, b"Philips Imaging DD 001")


def E(tag: int, vr: str, value: bytes, big: bool = False) -> bytes:
    return raw.element(tag, vr, value, big=big)


def check_item(item: dc.Dataset) -> None:
    assert item.CodeValue == "AB"
    assert item[0x00081199].value[0].ReferencedSOPInstanceUID == "1.2"
    assert (item.InstanceNumber, item.TextValue) == (12, "text")


def check_survives(ds: dc.Dataset, data: bytes, check: Any) -> None:
    """Unchanged it is written byte for byte; in every other encoding, and after a change, it has the same values."""
    assert ds.to_bytes(enforce_standard=False) == data
    for syntax in (raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN, raw.DEFLATED):
        check(dc.dcmread(ds.to_bytes(transfer_syntax=syntax, enforce_standard=False)))
    repaired = dc.dcmread(ds.to_bytes(repair=True, enforce_standard=False))
    check(repaired)
    assert [issue.code for issue in repaired.issues] == []
    check(dc.Dataset.from_json(ds.to_json()))
    check(dc.Dataset.from_xml(ds.to_xml()))
    ds.PatientName = "A^B"
    check(dc.dcmread(ds.to_bytes(enforce_standard=False)))


# ---- explicit VR in implicit data sets ----------------------------------------------------------------------------


@pytest.mark.parametrize("undefined_item", [False, True], ids=["item", "undefined item"])
@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("tag", [SEQUENCE, 0x2001105F, 0x00091010], ids=["public", "private", "unknown creator"])
def test_explicit_items(tag: int, undefined: bool, undefined_item: bool) -> None:
    undefined |= tag == 0x00091010  # otherwise this can't be recognised as a sequence
    items = [raw.item(INNER, undefined=undefined_item)] * 2
    creator = PHILIPS if tag >> 16 == 0x2001 else b""
    data = raw.part10(HEAD + creator + raw.sequence(tag, *items, vr=None, undefined=undefined) + TAIL, raw.IMPLICIT)

    def check(ds: dc.Dataset) -> None:
        assert ds[LAST].value == 1
        assert len(ds[tag].value) == 2
        for item in ds[tag].value:
            check_item(item)

    ds = dc.dcmread(data)
    check(ds)
    assert {issue.code for issue in ds.issues} == {"EXPLICIT_IN_IMPLICIT"}
    check_rows(dc.scan(data))
    check_survives(ds, data, check)


@pytest.mark.parametrize("behind", [b"", TAIL], ids=["at the end", "in the middle"])
@pytest.mark.parametrize(("tag", "vr", "value", "read"), [
    (0x00100020, "LO", b"ROUTER", "ROUTER"),
    (0x00100030, "DA", b"20200102", "20200102"),
    (0x00101030, "DS", b"70.5", 70.5),
    (0x00101030, "DS", b"", None),
    (0x00189087, "FD", struct.pack("<d", 1.5), 1.5),
    (0x00280009, "AT", b"\x18\0\x63\x10", 0x00181063),
    (0x00280010, "US", b"\2\1", 0x0102),
    (0x00420011, "OB", b"\1\2\3\4" * 20_000, b"\1\2\3\4" * 20_000),
    (0x00104000, "LT", b"x" * 40_000, "x" * 40_000),
    (0x00400555, "SQ", raw.item(raw.element(0x0040A043, "SQ", b"")), [{}]),
    (0x00400555, "SQ", b"", []),
    (0x00890010, "LO", b"ROUTER", "ROUTER"),
], ids=lambda one: one if isinstance(one, str) and len(one) == 2 else "")  # fmt: skip
def test_one_explicit_element(tag: int, vr: str, value: bytes, read: Any, behind: bytes) -> None:
    data = raw.part10(HEAD + E(tag, vr, value) + behind, raw.IMPLICIT)

    def check(ds: dc.Dataset) -> None:
        assert vr == ds[tag].VR
        if vr == "SQ":
            assert len(ds[tag].value) == len(read)
        else:
            assert ds[tag].value == read
        assert not behind or ds[LAST].value == 1
        assert (ds.SOPClassUID, ds.SOPInstanceUID) == ("1.2", "1.2.3")

    ds = dc.dcmread(data)
    check(ds)
    assert [(issue.code, issue.tag) for issue in ds.issues] == [("EXPLICIT_IN_IMPLICIT", tag)]
    check_survives(ds, data, check)
    with pytest.raises(dc.ParseError, match="explicit VR"):
        dc.dcmread(data, strict=True)


def test_explicit_elements_appended_by_a_router() -> None:
    added = E(0x00890010, "LO", b"ROUTER") + E(0x00891001, "LO", b"x ") + E(0x00891002, "UN", b"ab")
    ds = dc.dcmread(raw.part10(HEAD + raw.element(0x00100020, None, b"ID") + added, raw.IMPLICIT))
    assert [element.value for element in ds][2:] == ["ID", "ROUTER", "x", b"ab"]


def test_an_index_reads_them(tmp_path: Path) -> None:
    archive = pytest.importorskip("dicomcore.archive")
    data = HEAD + raw.sequence(SEQUENCE, raw.item(INNER), vr=None) + E(0x00100020, "LO", b"ID") + TAIL
    (tmp_path / "one.dcm").write_bytes(raw.part10(data, raw.IMPLICIT))
    columns = ["PatientID", "SourceImageSequence[0].CodeValue", "ReferencedImageSequence[0].CodeValue"]
    table = archive.index(tmp_path / "one.dcm", columns=columns)
    assert [table[name].to_pylist() for name in columns] == [["ID"], [None], ["AB"]]
    assert "EXPLICIT_IN_IMPLICIT" in str(table["issues"].to_pylist())


class Ranged:
    """Bytes that are read by position, in the same blocks as a file."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@pytest.mark.parametrize("content", [
    HEAD + raw.sequence(SEQUENCE, raw.item(INNER), vr=None) + TAIL,
    HEAD + E(0x00104000, "LT", b"x" * 40_000) + TAIL,
    HEAD + raw.element(0x00080070, None, b"GE MEDICAL", length=13) + TAIL,
    HEAD + raw.element(0x00104000, None, bytes(0x14144)) + TAIL,
], ids=["item", "element", "length 13", "honest length"])  # fmt: skip
def test_explicit_parts_are_read_alike_wherever_a_block_ends(content: bytes) -> None:
    """A file is read in blocks, the first of 16 KiB: the meaning of a header doesn't depend on their ends."""
    for before in range(16384 - 300, 16384, 6):
        filler = before - 132 - len(raw.meta(raw.IMPLICIT)) - 8
        data = raw.part10(raw.element(0x00080001, None, b"A" * filler) + content, raw.IMPLICIT)
        assert dc.scan(data).tobytes() == dc.scan(Ranged(data)).tobytes()
        assert dc.dcmread(Ranged(data)).issues == dc.dcmread(data).issues


def test_explicit_pixel_data_behind_an_implicit_header() -> None:
    pixels = bytes(range(256)) * 8192  # 2 MiB: its end is beyond the bytes that a scan examines
    rows = raw.element(ROWS, None, struct.pack("<H", 1024))
    for vr, data in (("OW", pixels), ("OB", pixels + b"\0\0")):
        padding = raw.element(0xFFFCFFFC, None, bytes(8))
        ds = dc.dcmread(raw.part10(HEAD + rows + E(0x7FE00010, vr, data) + padding, raw.IMPLICIT))
        assert ds.Rows == 1024
        assert bytes(ds["PixelData"].raw) == data
        assert 0xFFFCFFFC in ds


HONEST = {  # name: a length in implicit VR whose bytes are the letters of a VR
    "DA": 0x4144, "DS": 0x5344, "LO": 0x4F4C, "PN": 0x4E50, "TM": 0x4D54, "FD and 1": 0x1_4446, "UI, odd": 0x4955,
}  # fmt: skip


@pytest.mark.parametrize("filler", [b"\0", b" ", b"7", b"\xff"], ids=["zeros", "spaces", "digits", "ones"])
@pytest.mark.parametrize("length", HONEST.values(), ids=HONEST)
@pytest.mark.parametrize("tag", [0x00104000, 0x00291010, 0x7FE00010])
def test_lengths_that_look_like_a_vr_are_lengths(tag: int, length: int, filler: bytes) -> None:
    """Bytes that could be a VR are a length if it leads to an element or to the end."""
    for behind in (b"", TAIL if tag < LAST else raw.element(0xFFFCFFFC, None, b"ab")):
        ds = dc.dcmread(raw.part10(HEAD + raw.element(tag, None, filler * length) + behind, raw.IMPLICIT))
        assert bytes(ds[tag].raw) == filler * length
        assert len(ds) == 3 + (behind != b"")
        assert {issue.code for issue in ds.issues} <= {"ODD_LENGTH"}


def test_real_implicit_files_have_no_explicit_parts() -> None:
    """The corpus has none, so that none may be found."""
    for one in dicom_files():
        assert "EXPLICIT_IN_IMPLICIT" not in {issue.code for issue in dc.dcmread(one.path, force=True).issues}, one.name


def test_implicit_items_in_explicit_files() -> None:
    item = raw.item(raw.element(0x00081155, None, b"1.2\0"), undefined=True)
    ds = dc.dcmread(raw.part10(raw.sequence(SEQUENCE, item, undefined=True) + E(0x00200013, "IS", b"7 ")))
    assert (ds[SEQUENCE].value[0].ReferencedSOPInstanceUID, ds.InstanceNumber) == ("1.2", 7)


# ---- GE's length 13 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["middle", "end", "item"])
def test_length_13_stands_for_10_bytes(place: str) -> None:
    """GE wrote 13 for 10; GDCM reads it as 10, too (PS3.5 7.1.1: lengths are even)."""
    element = raw.element(0x00081090, None, b"GE MEDICAL", length=13)
    if place == "item":
        data = HEAD + raw.sequence(SEQUENCE, raw.item(element), vr=None) + TAIL
    else:
        data = HEAD + element + (TAIL if place == "middle" else b"")
    ds = dc.dcmread(raw.part10(data, raw.IMPLICIT))
    home = ds[SEQUENCE].value[0] if place == "item" else ds
    assert home.ManufacturerModelName == "GE MEDICAL"
    assert place == "end" or ds[LAST].value == 1
    assert [issue.code for issue in ds.issues] == ["LENGTH_13"]


@pytest.mark.skipif(shutil.which("gdcmdump") is None, reason="GDCM is not installed")
def test_length_13_is_read_as_gdcm_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ge.dcm"
    path.write_bytes(raw.part10(HEAD + raw.element(0x00081090, None, b"GE MEDICAL", length=13) + TAIL, raw.IMPLICIT))
    run = subprocess.run(["gdcmdump", path], capture_output=True, text=True, check=True)
    assert "[GE MEDICAL]" in run.stdout
    assert "(5000,0010)" in run.stdout
    assert dc.dcmread(path).ManufacturerModelName == "GE MEDICAL"


def test_13_bytes_stay_13_bytes() -> None:
    ds = dc.dcmread(raw.part10(HEAD + raw.element(0x00080070, None, b"GE MEDICAL SY") + TAIL, raw.IMPLICIT))
    assert (ds.Manufacturer, ds[LAST].value) == ("GE MEDICAL SY", 1)
    assert [issue.code for issue in ds.issues] == ["ODD_LENGTH"]


# ---- cut short ------------------------------------------------------------------------------------------------------

CUT = {
    "explicit item": raw.part10(HEAD + raw.sequence(SEQUENCE, raw.item(INNER), vr=None) + TAIL, raw.IMPLICIT),
    "explicit undefined item": raw.part10(
        HEAD + raw.sequence(SEQUENCE, raw.item(INNER, undefined=True), vr=None, undefined=True) + TAIL, raw.IMPLICIT),
    "explicit element": raw.part10(HEAD + E(0x00100020, "LO", b"ID") + TAIL, raw.IMPLICIT),
    "length 13": raw.part10(HEAD + raw.element(0x00080070, None, b"GE MEDICAL", length=13) + TAIL, raw.IMPLICIT),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_every_truncation(name: str) -> None:
    check_every_truncation(CUT[name])
