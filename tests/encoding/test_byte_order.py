"""Byte order guessed from the first elements: of bare data sets, and of files that state the wrong one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import dicomcore as dc
from dicomcore import archive
from tests.support import dicom_bytes as raw

LONG = bytes(2000)  # so that a length of 4 is in range in the other byte order, too
FIRST = {  # name: (first element, its VR, its value)
    "Structure Set Label": (0x30060002, "SH", b"LABEL "),
    "Structure Set Sequence": (0x30060010, "SQ", b""),
    "Beam Sequence": (0x300A00B0, "SQ", raw.item(raw.element(0x300A00C0, "IS", b"1 "))),
    "RT Plan Label": (0x300A0002, "SH", b"PLAN"),
    "group length": (0x300A0000, "UL", b"\1\2\3\4"),
    "Interpretation Status": (0x40080212, "CS", b"APPROVED"),
    "Waveform Sequence": (0x54000100, "SQ", b""),
    "Encrypted Attributes": (0x04000500, "SQ", b""),
    "Number of Copies": (0x20000010, "IS", b"1 "),
    "Red Palette": (0x00281201, "OW", b"\1\2\3\4"),
    "Overlay Rows": (0x60000010, "US", b"\1\0"),
    "pixel data": (0x7FE00010, "OW", b"\1\2\3\4"),
    "private creator": (0x30050010, "LO", b"ACME"),
}


def body(tag: int, vr: str | None, value: bytes, big: bool = False) -> bytes:
    behind = raw.element(0xFFFCFFFC, vr and "OB", LONG, big=big)
    return raw.element(tag, vr, value, big=big) + behind


@pytest.mark.parametrize("explicit", [True, False], ids=["explicit", "implicit"])
@pytest.mark.parametrize(("tag", "vr", "value"), FIRST.values(), ids=FIRST)
def test_bare_little_endian(tag, vr, value, explicit):
    data_set = dc.dcmread(body(tag, vr if explicit else None, value), force=True)
    assert data_set.keys() == [tag, 0xFFFCFFFC]
    assert bytes(data_set[tag].raw) == value
    assert (data_set.is_little_endian, data_set.is_implicit_VR) == (True, not explicit)


BIG = {
    "Modality": (0x00080060, "CS", b"MR"),
    "group length": (0x00080000, "UL", b"\0\0\0\4"),
    "Patient's Name": (0x00100010, "PN", b"A^B "),
    "Rows": (0x00280010, "US", b"\1\2"),
    "Number of Slices": (0x00540081, "US", b"\0\1"),
}


@pytest.mark.parametrize(("tag", "vr", "value"), BIG.values(), ids=BIG)
def test_bare_big_endian(tag, vr, value):
    data_set = dc.dcmread(body(tag, vr, value, big=True), force=True)
    assert data_set.keys() == [tag, 0xFFFCFFFC]
    assert not data_set.is_little_endian


HONEST = {  # name: (transfer syntax, first element, VR, value); its bytes also make sense in the other byte order
    "little endian, Number of Copies": (raw.EXPLICIT, 0x20000010, "IS", b"1 "),
    "little endian, Encrypted Attributes": (raw.EXPLICIT, 0x04000500, "SQ", b""),
    "little endian, Digital Signature UID": (raw.EXPLICIT, 0x04000100, "UI", b"1.2\0"),
    "implicit, Encrypted Attributes": (raw.IMPLICIT, 0x04000500, None, b""),
    "big endian, Structure Set Label": (raw.BIG_ENDIAN, 0x30060002, "SH", b"LABEL "),
    "big endian, Beam Sequence": (raw.BIG_ENDIAN, 0x300A00B0, "SQ", b""),
    "big endian, Pixel Data": (raw.BIG_ENDIAN, 0x7FE00010, "OW", b"\1\2"),
}


@pytest.mark.parametrize(("syntax", "tag", "vr", "value"), HONEST.values(), ids=HONEST)
def test_a_right_label_is_believed(tmp_path: Path, syntax, tag, vr, value):
    path = tmp_path / "a.dcm"
    path.write_bytes(raw.part10(body(tag, vr, value, big=syntax == raw.BIG_ENDIAN), syntax))
    data_set = dc.dcmread(path)
    assert data_set.keys() == [tag, 0xFFFCFFFC]
    assert data_set.issues == ()
    row = archive.index([path], columns=["PatientID"]).to_pylist()[0]
    assert row["error"] is None
    assert not row["issues"]


def test_a_stream_at_its_end_is_refused():
    stream = io.BytesIO()
    dc.Dataset({}).save_as(stream, enforce_standard=False)
    stream.write(body(*FIRST["pixel data"]))
    for force in (False, True):
        with pytest.raises(dc.InvalidDicomError, match=r"at its end, byte \d+: seek\(0\)") as caught:
            dc.dcmread(stream, force=force)
        assert caught.value.may_be_dicom
    stream.seek(0)
    assert 0x7FE00010 in dc.dcmread(stream, force=True)
    assert len(dc.dcmread(io.BytesIO(), force=True)) == 0


MOVED = {  # name: (tag, VR, the bytes in big endian, the same in little endian, Bits Allocated)
    "OW": (0x00281201, "OW", b"\0\1\0\2", b"\1\0\2\0", 16),
    "OL": (0x00660040, "OL", b"\0\0\0\1", b"\1\0\0\0", 16),
    "OB": (0x00420011, "OB", b"\1\2", b"\1\2", 16),
    "UN, always little endian": (0x00091001, "UN", b"\1\2", b"\1\2", 16),
    "US": (0x00280010, "US", b"\0\1", b"\1\0", 16),
    "cells of 16 bits": (0x7FE00010, "OW", b"\0\1\0\2", b"\1\0\2\0", 16),
    "cells of 32 bits": (0x7FE00010, "OW", b"\0\1\2\3", b"\3\2\1\0", 32),
}
WAYS = {
    "by tag": lambda target, source, tag: target.__setitem__(tag, source[tag]),
    "add": lambda target, source, tag: target.add(source[tag]),
    "update": lambda target, source, tag: target.update({tag: source[tag]}),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("tag", "vr", "big", "little", "bits"), MOVED.values(), ids=MOVED)
def test_an_element_of_a_big_endian_data_set_is_copied(tag, vr, big, little, bits, way):
    allocated = {
        order: raw.element(0x00280100, "US", bits.to_bytes(2, order), big=order == "big") for order in ("big", "little")
    }
    parts = {0x00280100: allocated["big"], tag: raw.element(tag, vr, big, big=True)}
    source = dc.dcmread(raw.part10(b"".join(parts[key] for key in sorted(parts)), raw.BIG_ENDIAN))
    for target in (dc.Dataset(), dc.dcmread(raw.part10(allocated["little"]))):
        way(target, source, tag)
        made = dc.dcmread(target.to_bytes(enforce_standard=False, transfer_syntax=raw.EXPLICIT), force=True)
        assert bytes(made[tag].raw) == little
    back = dc.dcmread(raw.part10(allocated["big"], raw.BIG_ENDIAN))
    way(back, source, tag)
    assert bytes(dc.dcmread(back.to_bytes(enforce_standard=False))[tag].raw) == big
    other = dc.dcmread(
        raw.part10(b"".join([allocated["little"], raw.element(tag, vr, little)][:: 1 if tag > 0x00280100 else -1]))
    )
    back = dc.dcmread(raw.part10(allocated["big"], raw.BIG_ENDIAN))
    way(back, other, tag)
    assert bytes(dc.dcmread(back.to_bytes(enforce_standard=False))[tag].raw) == big
