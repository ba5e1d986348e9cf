"""UN: values of a VR that the writer didn't know, or that were too long for their VR's length field (PS3.5 6.2.2).

Such a value is in Implicit VR Little Endian whatever surrounds it (CP-246), and the dictionary's VR is the right one
whatever its length (CP-1066).
"""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw

SEQUENCE, LAST = 0x00081140, 0x40080040
ORDERS = {"little": raw.EXPLICIT, "big": raw.BIG_ENDIAN}
PLACES = ("top", "item", "undefined item")
SIZES = {"short": 2, "long": 0x12000}

# A private element of each kind, by the private dictionary, with its creator.
CREATORS = {0x00431012: b"GEMS_PARM_01", 0x0043101E: b"GEMS_PARM_01", 0x00191028: b"SIEMENS MR HEADER ",
            0x20011003: b"Philips Imaging DD 001"}  # fmt: skip


def value_of(vr: str, count: int) -> tuple[bytes, list[Any]]:
    """`count` values: their bytes as UN has them, and what they are."""
    if vr in ("US", "SS", "UL", "SL", "FL", "FD"):
        kind = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}[vr]
        values: list[Any] = [n % 30_000 + 258 if kind.isalpha() and kind not in "fd" else n + 0.5 for n in range(count)]
        return struct.pack(f"<{count}{kind}", *values), values
    if vr == "AT":
        return struct.pack("<HH", 0x0018, 0x1063) * count, [0x00181063] * count
    one: Any = {"DS": 1.25, "IS": 12, "UI": "1.2.34", "CS": "AB", "LO": "text", "PN": "Doe^Jane", "DA": "20200102"}[vr]
    data = b"\\".join([str(one).encode()] * count)
    return data + b" \0"[vr == "UI" : (vr == "UI") + 1] * (len(data) % 2), [one] * count


SELECTORS = {  # elements of any number of values (PS3.6)
    "US": 0x0072007A, "SS": 0x0072007E, "UL": 0x00720078, "SL": 0x0072007C, "FL": 0x00720076, "FD": 0x00720074,
    "AT": 0x00720060, "DS": 0x00720072, "IS": 0x00720064, "UI": 0x0072007F, "CS": 0x00720062, "LO": 0x00720066,
    "PN": 0x0072006A, "DA": 0x00720061,
}  # fmt: skip


def placed(element: bytes, place: str, big: bool) -> bytes:
    """A file with the element at `place`, and another element behind."""
    if place != "top":
        undefined = place == "undefined item"
        item = raw.item(element, undefined=undefined, big=big)
        element = raw.sequence(SEQUENCE, item, undefined=undefined, big=big)
    last = raw.element(0x7FE10010, "LO", b"AB", big=big)
    return raw.part10(element + last, raw.BIG_ENDIAN if big else raw.EXPLICIT)


def first(big: bool) -> bytes:
    """An element that shows the byte order of a data set, like the first one of every real file."""
    return raw.element(0x00080060, "CS", b"MR", big=big)


def found(ds: Any, tag: int, place: str) -> Any:
    return ds[tag] if place == "top" else ds[SEQUENCE].value[0][tag]


def theirs(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(pydicom.filebase.DicomBytesIO(data))


KNOWN = [  # for long values in items three VRs are enough
    pytest.param(vr, order, place, size, id=f"{vr}-{order}-{place}-{name}")
    for vr, order, place, (name, size) in product(SELECTORS, ORDERS, PLACES, SIZES.items())
    if size == 2 or place == "top" or vr in ("DS", "US", "AT")
]


@pytest.mark.parametrize(("vr", "order", "place", "size"), KNOWN)
def test_known_elements(vr: str, order: str, place: str, size: int) -> None:
    """Read from any source and written in any encoding, the value is that of the dictionary's VR."""
    tag = SELECTORS[vr]
    data, values = value_of(vr, size if size == 2 else size // len(value_of(vr, 1)[0]) + 1)
    assert size == 2 or len(data) > 0xFFFF
    ds = dc.dcmread(placed(raw.element(tag, "UN", data, big=order == "big"), place, order == "big"))
    element = found(ds, tag, place)
    assert (element.VR, element.value) == (vr, values)
    if vr not in ("UI", "CS", "LO", "PN", "DA"):
        assert np.array_equal(element.array, values)
    assert ds[0x7FE10010].value == "AB"
    assert [issue.code for issue in ds.issues] == []
    for form in (dc.Dataset.from_json(ds.to_json()), dc.Dataset.from_xml(ds.to_xml())):
        assert (found(form, tag, place).VR, found(form, tag, place).value) == (vr, values)
    converted = found(ds.to_pydicom(), tag, place)
    assert (converted.VR, list(converted.value)) == (vr, values)
    for syntax in (raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN, raw.DEFLATED):
        made = ds.to_bytes(transfer_syntax=syntax, enforce_standard=False)
        assert found(dc.dcmread(made), tag, place).value == values
        if syntax == raw.IMPLICIT or (size == 2 and syntax == raw.EXPLICIT):  # pydicom doesn't read other forms of UN
            assert list(found(theirs(made), tag, place).value) == values


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("tag", "vr"), [(0x00431012, "SS"), (0x0043101E, "DS"), (0x00191028, "FD"), (0x20011003, "FL")]
)
@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_private_elements(tag: int, vr: str, order: str, size: int) -> None:
    data, values = value_of(vr, size if size == 2 else size // len(value_of(vr, 1)[0]) + 1)
    big = order == "big"
    creator = raw.element(tag & 0xFFFF0000 | 0x10, "LO", CREATORS[tag], big=big)
    ds = dc.dcmread(raw.part10(first(big) + creator + raw.element(tag, "UN", data, big=big), ORDERS[order]))
    assert (ds[tag].VR, ds[tag].value) == (vr, values)
    for syntax in (raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN):
        assert dc.dcmread(ds.to_bytes(transfer_syntax=syntax, enforce_standard=False))[tag].value == values


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("tag", "creator"), [(SEQUENCE, b""), (0x2001105F, b"Philips Imaging DD 001")],
                         ids=["public", "private"])  # fmt: skip
@pytest.mark.parametrize("count", [1, 3000], ids=["short", "long"])
def test_sequences_of_defined_length(order: str, tag: int, creator: bytes, count: int) -> None:
    """Items in Implicit VR Little Endian, in which US is little endian too."""
    inner = raw.element(0x00081155, None, b"1.2.3\0") + raw.element(0x00280010, None, b"\5\0")
    data = raw.item(inner) * count
    big = order == "big"
    head = raw.element(tag & 0xFFFF0000 | 0x10, "LO", creator, big=big) if creator else b""
    ds = dc.dcmread(raw.part10(first(big) + head + raw.element(tag, "UN", data, big=big), ORDERS[order]))
    assert ds[tag].VR == "SQ"
    items = ds[tag].value
    assert (len(items), items[-1].ReferencedSOPInstanceUID, items[-1].Rows) == (count, "1.2.3", 5)
    assert ds.issues == ()
    assert len(ds.to_pydicom()[tag].value) == count
    assert json.loads(ds.to_json())[f"{tag:08X}"]["Value"][-1]["00280010"]["Value"] == [5]
    for syntax in (raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN):
        made = ds.to_bytes(transfer_syntax=syntax, enforce_standard=False)
        assert [item.Rows for item in dc.dcmread(made)[tag].value] == [5] * count
        if not creator and (syntax == raw.IMPLICIT or (count == 1 and syntax == raw.EXPLICIT)):
            assert [item.Rows for item in theirs(made)[tag].value] == [5] * count


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
def test_un_items_in_big_endian_are_recognised(undefined: bool) -> None:
    """Against CP-246; the items' tags show it."""
    item = raw.item(raw.element(0x00280010, "US", b"\0\5", big=True), undefined=undefined, big=True)
    data = raw.sequence(SEQUENCE, item, vr="UN", undefined=undefined, big=True)
    assert dc.dcmread(raw.part10(data, raw.BIG_ENDIAN))[SEQUENCE].value[0].Rows == 5


@pytest.mark.parametrize("source", ["read", "set"])
def test_long_values_as_un_are_little_endian_in_big_endian_files(source: str) -> None:
    """By hand: (0072,007A) UN, its 40 000 words in little endian."""
    values = list(range(40_000))
    ds = dc.Dataset()
    ds.SelectorUSValue = values
    if source == "read":
        ds = dc.dcmread(ds.to_bytes(transfer_syntax=raw.IMPLICIT, enforce_standard=False), force=True)
    made = ds.to_bytes(transfer_syntax=raw.BIG_ENDIAN, enforce_standard=False)
    assert made.endswith(raw.element(0x0072007A, "UN", struct.pack("<40000H", *values), big=True))
    assert dc.dcmread(raw.part10(made, raw.BIG_ENDIAN)).SelectorUSValue == values


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="DCMTK is not installed")
@pytest.mark.parametrize("order", ORDERS)
def test_long_values_as_un_are_read_by_dcmtk(order: str, tmp_path: Path) -> None:
    """DCMTK reads values that were written as UN because of their length by the dictionary's VR."""
    ds = dc.Dataset()
    ds.SelectorUSValue = [5, 258] * 20_000
    path = tmp_path / "long.dcm"
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    ds.save_as(path, transfer_syntax=ORDERS[order])
    run = subprocess.run(["dcmdump", "+uc", "+L", "+P", "0072,007a", path], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("(0072,007a) US 5\\258\\5\\258\\")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [2, 0x9000], ids=SIZES)
def test_an_index_has_the_values_of_un_elements(order: str, size: int, tmp_path: Path) -> None:
    archive = pytest.importorskip("dicomcore.archive")
    values = [5, 258] * (size // 2)
    us = raw.element(0x0072007A, "UN", struct.pack(f"<{size}H", *values), big=order == "big")
    (tmp_path / "one.dcm").write_bytes(placed(raw.element(0x00280010, "UN", b"\5\0", big=order == "big") + us, "top",
                                              order == "big"))  # fmt: skip
    table = archive.index(tmp_path / "one.dcm", columns=["Rows", "SelectorUSValue"])
    assert table["Rows"].to_pylist() == [5]
    assert table["SelectorUSValue"].to_pylist() == [values]
    assert table["issues"].to_pylist() == [None]


def test_contours_written_here_are_read_here() -> None:
    """Contour Data of more than 64 KiB is UN in explicit VR: its points are unchanged (PS3.3 C.8.8.6)."""
    points = np.arange(30_000, dtype=float).reshape(-1, 3)
    ds = dc.Dataset()
    ds.StructureSetROISequence = [{"ROINumber": 1, "ROIName": "a"}]
    contour = {"ContourGeometricType": "CLOSED_PLANAR", "NumberOfContourPoints": len(points),
               "ContourData": points.reshape(-1).tolist()}  # fmt: skip
    ds.ROIContourSequence = [{"ReferencedROINumber": 1, "ContourSequence": [contour]}]
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.3"
    made = ds.to_bytes(transfer_syntax=raw.EXPLICIT)
    assert b"\x50\x00UN" in made
    (roi,) = dc.objects.Structures(dc.dcmread(made))
    assert np.array_equal(roi.contours[0].points, points)


def test_lookup_table_data_keep_their_words() -> None:
    """LUT Data as UN: 16-bit entries, by the descriptor (PS3.3 C.11.1)."""
    entries = np.arange(40_000, dtype="<u2")
    lut = raw.element(0x00283002, "US", struct.pack("<3H", 40_000, 0, 16)) + raw.element(0x00283006, "UN",
                                                                                        entries.tobytes())  # fmt: skip
    ds = dc.dcmread(raw.part10(raw.sequence(0x00283010, raw.item(lut))))
    element = ds.VOILUTSequence[0]["LUTData"]
    assert element.VR == "OW"
    assert np.array_equal(element.array, entries)


def image(vr: str, *, big: bool) -> bytes:
    """An image with a Modality LUT and an overlay, in OW or UN."""

    def us(tag: int, *values: int) -> bytes:
        return raw.element(tag, "US", struct.pack(f"{'>' if big else '<'}{len(values)}H", *values), big=big)

    def words(tag: int, *values: int) -> bytes:
        order = ">" if big and vr == "OW" else "<"
        return raw.element(tag, vr, struct.pack(f"{order}{len(values)}H", *values), big=big)

    table = us(0x00283002, 4, 0, 16) + raw.element(0x00283004, "LO", b"US", big=big)
    table += words(0x00283006, 1, 300, 20, 4000)
    data = raw.element(0x00080060, "CS", b"MR", big=big) + us(0x00280002, 1)
    data += raw.element(0x00280004, "CS", b"MONOCHROME2 ", big=big) + us(0x00280010, 2) + us(0x00280011, 2)
    data += us(0x00280100, 16) + us(0x00280101, 16) + us(0x00280102, 15) + us(0x00280103, 0)
    data += raw.sequence(0x00283000, raw.item(table, big=big), big=big)
    data += us(0x60000010, 2) + us(0x60000011, 2) + raw.element(0x60000050, "SS", struct.pack(
        ">2h" if big else "<2h", 1, 1), big=big)  # fmt: skip
    data += us(0x60000100, 1) + us(0x60000102, 0) + words(0x60003000, 0b0110) + words(0x7FE00010, 0, 1, 2, 3)
    return raw.part10(data, raw.BIG_ENDIAN if big else raw.EXPLICIT)


def test_bulk_data_in_big_endian_files() -> None:
    """Pixel data, look-up tables and overlays as UN have the same values as in OW."""
    plain = dc.dcmread(image("OW", big=False))
    for vr in ("OW", "UN"):
        ds = dc.dcmread(image(vr, big=True))
        assert ds.pixel_array.tolist() == [[0, 1], [2, 3]]
        assert ds.frames.overlays[0].array().tolist() == [[0, 1], [1, 0]]
        assert np.array_equal(ds.frames.render(0), plain.frames.render(0))


def test_from_pydicom_in_big_endian() -> None:
    """pydicom gives too long values VR UN, and leaves their words in big endian."""
    theirs = pydicom.Dataset()
    theirs.SelectorUSValue = [5, 258] * 20_000
    theirs.file_meta = pydicom.dataset.FileMetaDataset()
    theirs.file_meta.TransferSyntaxUID = raw.BIG_ENDIAN
    assert dc.from_pydicom(theirs).SelectorUSValue == [5, 258] * 20_000


def test_changing_another_element_leaves_un_as_it_is() -> None:
    data = placed(raw.element(0x0072007A, "UN", b"\5\0\2\1", big=True), "top", True)
    ds = dc.dcmread(data)
    ds.PatientName = "A^B"
    made = ds.to_bytes(enforce_standard=False)
    assert raw.element(0x0072007A, "UN", b"\5\0\2\1", big=True) in made
    assert dc.dcmread(made).SelectorUSValue == [5, 258]
    ds.SelectorUSValue = [7, 8]
    assert raw.element(0x0072007A, "US", b"\0\7\0\10", big=True) in ds.to_bytes(enforce_standard=False)


def test_unknown_elements_stay_bytes() -> None:
    data = raw.part10(raw.element(0x00091001, "UN", b"\1\2\3\4", big=True), raw.BIG_ENDIAN)
    ds = dc.dcmread(data)
    assert (ds[0x00091001].VR, ds[0x00091001].value) == ("UN", b"\1\2\3\4")
    for syntax in (raw.EXPLICIT, raw.IMPLICIT):
        assert ds.to_bytes(transfer_syntax=syntax, enforce_standard=False).endswith(b"\1\2\3\4")


def test_every_truncation() -> None:
    inner = raw.item(raw.element(0x00280010, None, b"\5\0"))
    data = raw.part10(raw.element(SEQUENCE, "UN", inner, big=True) + raw.element(LAST, "UN", b"AB", big=True),
                      raw.BIG_ENDIAN)  # fmt: skip
    for size in range(132, len(data)):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                ds = dc.dcmread(data[:size], force=True)
                _ = [element.value for element in ds.iterall()]
                ds.to_bytes(transfer_syntax=raw.EXPLICIT, enforce_standard=False)
            except dc.DicomError:
                pass
