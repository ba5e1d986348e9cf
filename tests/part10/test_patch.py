"""patch: no old value stays in the file, and elements that belong together change together."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zlib

import pydicom
import pytest

import dicomcore as dc
from tests.support.dicom_bytes import BIG_ENDIAN, DEFLATED, EXPLICIT, IMPLICIT, element, item, meta, part10, sequence

SECONDARY_CAPTURE = b"1.2.840.10008.5.1.4.1.1.7\0"
PATIENT_ID, IMAGES, PRIVATE = 0x00100020, 0x00081140, 0x00091001


def two(tag: int, between: bytes = b"", *, vr: str | None = "LO", big: bool = False) -> bytes:
    """The element twice, with different values."""
    return element(tag, vr, b"OLD1", big=big) + between + element(tag, vr, b"OLD2", big=big)


def numbered(vr: str | None = "IS", big: bool = False) -> bytes:
    return element(0x00200013, vr, b"7 ", big=big)


PIXELS = element(0x7FE00010, "OB", b"\1\2\3\4")
FRAGMENTS = sequence(0x7FE00010, item(b""), item(b"\1\2\3\4"), vr="OB", undefined=True)
CREATOR = element(0x00090010, "LO", b"ACME")
IN_ITEM = "ReferencedImageSequence[0].PatientID"

TWICE = {  # name: (data set behind SOP Class UID, its transfer syntax, the changed element)
    "side by side": (two(PATIENT_ID), EXPLICIT, "PatientID"),
    "apart": (two(PATIENT_ID, numbered()), EXPLICIT, "PatientID"),
    "behind pixel data": (two(PATIENT_ID, numbered() + PIXELS), EXPLICIT, "PatientID"),
    "behind fragments": (two(PATIENT_ID, numbered() + FRAGMENTS), "1.2.840.10008.1.2.5", "PatientID"),
    "three times": (two(PATIENT_ID) + element(PATIENT_ID, "LO", b"OLD3"), EXPLICIT, "PatientID"),
    "private": (CREATOR + two(PRIVATE), EXPLICIT, PRIVATE),
    "private, apart": (CREATOR + two(PRIVATE, numbered()), EXPLICIT, PRIVATE),
    "in an item": (sequence(IMAGES, item(two(PATIENT_ID))), EXPLICIT, IN_ITEM),
    "in an undefined item": (
        sequence(IMAGES, item(two(PATIENT_ID, numbered()), undefined=True), undefined=True),
        EXPLICIT,
        IN_ITEM,
    ),
    "the sequence around it": (
        sequence(IMAGES, item(element(PATIENT_ID, "LO", b"OLD1"))) + sequence(IMAGES, item(two(PATIENT_ID))),
        EXPLICIT,
        IN_ITEM,
    ),
    "in a sequence called UN": (element(IMAGES, "UN", item(two(PATIENT_ID, vr=None))), EXPLICIT, IN_ITEM),
    "implicit VR": (two(PATIENT_ID, numbered(None), vr=None), IMPLICIT, "PatientID"),
    "deflated": (two(PATIENT_ID, numbered()), DEFLATED, "PatientID"),
    "big endian": (two(PATIENT_ID, numbered(big=True), big=True), BIG_ENDIAN, "PatientID"),
}


def file_of(data_set: bytes, syntax: str) -> bytes:
    implicit, big = syntax == IMPLICIT, syntax == BIG_ENDIAN
    body = element(0x00080016, None if implicit else "UI", SECONDARY_CAPTURE, big=big) + data_set
    if syntax == DEFLATED:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = deflater.compress(body) + deflater.flush()
    return part10(body + b"\0" * (len(body) % 2), syntax)


def inflated(data: bytes, syntax: str) -> bytes:
    if syntax != DEFLATED:
        return data
    length = struct.unpack("<I", data[140:144])[0]
    return zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(data[144 + length :])


@pytest.mark.parametrize("value", ["NEW ", "a longer new value"], ids=["fits", "does not fit"])
@pytest.mark.parametrize(("data_set", "syntax", "key"), TWICE.values(), ids=TWICE)
def test_no_old_value_is_left(data_set, syntax, key, value, tmp_path):
    path = tmp_path / "twice.dcm"
    path.write_bytes(file_of(data_set, syntax))
    assert not dc.patch(path, {key: value})
    data = inflated(path.read_bytes(), syntax)
    assert b"OLD" not in data
    assert data.count(value.encode()) == 1
    if shutil.which("dcmdump"):
        shown = subprocess.run(["dcmdump", str(path)], capture_output=True, text=True, timeout=60, check=True).stdout
        assert value.strip() in shown


def test_other_repeated_elements_stay(tmp_path):
    path = tmp_path / "other.dcm"
    path.write_bytes(file_of(element(0x00100010, "PN", b"Doe^Jane") + two(PATIENT_ID), EXPLICIT))
    assert dc.patch(path, {"PatientName": "Roe^Ann"})
    assert path.read_bytes().count(b"OLD") == 2


def test_a_bare_data_set(tmp_path):
    path = tmp_path / "bare"
    path.write_bytes(element(PATIENT_ID, "LO", b"OLD1"))
    with pytest.raises(dc.InvalidDicomError):
        dc.patch(path, {"PatientID": "NEW1"})
    assert dc.patch(path, {"PatientID": "NEW1"}, force=True)
    assert path.read_bytes() == element(PATIENT_ID, "LO", b"NEW1")


IDENTITIES = {  # name: (changes, whether they hold together)
    "the data set's, which the head follows": ({"SOPInstanceUID": "1.2.9"}, True),
    "both": ({"MediaStorageSOPInstanceUID": "1.2.9", "SOPInstanceUID": "1.2.9"}, True),
    "the head's alone": ({"MediaStorageSOPInstanceUID": "1.2.9"}, False),
    "the head's class alone": ({"MediaStorageSOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, False),
    "the head's, as the data set has it": ({"MediaStorageSOPInstanceUID": "1.2.3"}, True),
}


@pytest.mark.parametrize(("changes", "fits"), IDENTITIES.values(), ids=IDENTITIES)
def test_file_meta_information_and_data_set_agree(changes, fits, tmp_path):
    path = tmp_path / "identity.dcm"
    head = meta(EXPLICIT, element(0x00020002, "UI", SECONDARY_CAPTURE), element(0x00020003, "UI", b"1.2.3\0"))
    body = element(0x00080016, "UI", SECONDARY_CAPTURE) + element(0x00080018, "UI", b"1.2.3\0")
    path.write_bytes(bytes(128) + b"DICM" + head + body)
    before = path.read_bytes()
    if not fits:
        with pytest.raises(dc.EncodeError, match="contradicts"):
            dc.patch(path, changes)
        assert path.read_bytes() == before
        return
    dc.patch(path, changes)
    read = pydicom.dcmread(path)
    assert read.file_meta.MediaStorageSOPInstanceUID == read.SOPInstanceUID == changes[next(iter(changes))]


JPEG_LS = "1.2.840.10008.1.2.4.80"
SYNTAXES = {  # name: (as set, whether the pixel data can be in it)
    "as long, of another byte order": (BIG_ENDIAN, True),
    "implicit VR": (IMPLICIT, True),
    "deflated": (DEFLATED, True),
    "as it was": (EXPLICIT, True),
    "compressed": (JPEG_LS, False),
}


@pytest.mark.parametrize(("syntax", "fits"), SYNTAXES.values(), ids=SYNTAXES)
def test_the_data_set_is_in_its_transfer_syntax(syntax, fits, tmp_path):
    path = tmp_path / "syntax.dcm"
    shape = element(0x00280010, "US", b"\1\0") + element(0x00280011, "US", b"\2\0")
    pixels = element(0x00280100, "US", b"\20\0") + element(0x7FE00010, "OW", b"\1\2\3\4")
    path.write_bytes(file_of(element(PATIENT_ID, "LO", b"1234") + shape + pixels, EXPLICIT))
    before = path.read_bytes()
    if not fits:
        with pytest.raises(dc.EncodeError, match=r"PixelData.*transcode"):
            dc.patch(path, {"TransferSyntaxUID": syntax})
        assert path.read_bytes() == before
        return
    dc.patch(path, {"TransferSyntaxUID": syntax})
    read = pydicom.dcmread(path)
    assert read.file_meta.TransferSyntaxUID == syntax
    assert (read.PatientID, read.Rows, read.Columns) == ("1234", 1, 2)
    assert read.PixelData == (b"\2\1\4\3" if syntax == BIG_ENDIAN else b"\1\2\3\4")
    assert dc.dcmread(path).issues == ()


@pytest.mark.parametrize("key", ["FileMetaInformationGroupLength", 0x00100000], ids=["meta", "a data set's"])
def test_group_lengths_are_always_recomputed(key, tmp_path):
    path = tmp_path / "groups.dcm"
    path.write_bytes(file_of(element(0x00100000, "UL", b"\x0c\0\0\0") + element(PATIENT_ID, "LO", b"1234"), EXPLICIT))
    before = path.read_bytes()
    dc.patch(path, {key: 5})
    assert path.read_bytes() == before


WRONG = {  # name: (changes, error, its message)
    "an unknown tag": ({0x00091001: "x"}, KeyError, r"\(0009,1001\)"),
    "a value for a sequence": ({"ReferencedStudySequence": "x"}, dc.EncodeError, "ReferencedStudySequence"),
    "a value that is no text": ({"AccessionNumber": 5}, dc.EncodeError, "AccessionNumber"),
    "a wrong type for an element of the file": ({"PatientID": 5}, dc.EncodeError, "PatientID"),
}


@pytest.mark.parametrize(("changes", "error", "said"), WRONG.values(), ids=WRONG)
def test_elements_that_cannot_be_set_are_named(changes, error, said, tmp_path):
    path = tmp_path / "file.dcm"
    path.write_bytes(file_of(element(PATIENT_ID, "LO", b"1234"), EXPLICIT))
    before = path.read_bytes()
    with pytest.raises(error, match=said):
        dc.patch(path, changes)
    assert path.read_bytes() == before
