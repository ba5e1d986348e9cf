"""dcmwrite: unchanged elements stay byte for byte, changed ones are encoded by VR, and targets are replaced whole."""

from __future__ import annotations

import errno
import io
import math
import os
import struct

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from tests.support import corpus
from tests.support.dicom_bytes import (
    BIG_ENDIAN,
    IMPLICIT,
    ITEM,
    ITEM_END,
    PREAMBLE,
    UNDEFINED,
    element,
    header,
    item,
    meta,
    part10,
    sequence,
)

# Real files that break PS3.10 7.1, which enforce_standard mends or refuses; all others come back byte for byte.
NO_INSTANCE = {
    "JLSL_RGB_ILV0.dcm", "JLSL_RGB_ILV1.dcm", "JLSL_RGB_ILV2.dcm", "JLSN_RGB_ILV0.dcm", "empty_charset_LEI.dcm",
    "JPEGLosslessP14SV1_1s_1f_u_16_16.dcm", "meta_missing_tsyntax.dcm", "nested_priv_SQ.dcm", "no_meta.dcm",
}  # fmt: skip
NO_HEAD = {"ExplVR_BigEndNoMeta.dcm", "ExplVR_LitEndNoMeta.dcm", "rtstruct.dcm", "no_meta_group_length.dcm"}


def base_name(name: str) -> str:
    return name.rsplit("/", 1)[-1]


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
@pytest.mark.parametrize("touched", [False, True], ids=["untouched", "looked at"])
def test_real_files_come_back_byte_for_byte(touched):
    for one in corpus.dicom_files():
        data_set = dc.dcmread(one.path, force=True)
        if touched:
            for found in (*data_set.iterall(), *data_set):
                _ = found.value
            for sequences in data_set:
                if sequences.VR == "SQ":
                    _ = [inner.value for each in sequences.value for inner in each]
        assert data_set.to_bytes(enforce_standard=False) == one.data(), one.name


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
def test_files_that_conform_are_not_changed_to_conform():
    for one in corpus.dicom_files():
        name = base_name(one.name)
        data_set = dc.dcmread(one.path, force=True)
        if name in NO_INSTANCE:
            with pytest.raises(dc.EncodeError, match=r"has no SOP(Class|Instance)UID"):
                data_set.to_bytes()
            continue
        made = data_set.to_bytes()
        if name not in NO_HEAD:
            assert made == one.data(), one.name
        else:
            again = dc.dcmread(made)
            assert not {issue.code for issue in again.issues} & {"MISSING_META", "MISSING_PREAMBLE", "META_LENGTH"}
            assert again == data_set


@pytest.mark.skipif(bool(corpus.ABSENT), reason=corpus.ABSENT)
def test_changing_one_element_leaves_all_others():
    seen = 0
    for one in corpus.small_files(1 << 20):
        data_set, before = dc.dcmread(one.path, force=True), one.data()
        if "PatientID" not in data_set or not data_set["PatientID"].raw or data_set.transfer_syntax.is_deflated:
            continue
        start, length = data_set["PatientID"].offset, data_set["PatientID"].length
        if before[start - 8 : start - 4] == b"UN\0\0":  # the new value has its own VR, in a shorter header
            continue
        if (0x0010, 0x0000) in data_set:  # the group length is recomputed
            continue
        data_set.PatientID = "X" * length
        expected = before[:start] + b"X" * length + before[start + length :]
        assert data_set.to_bytes(enforce_standard=False) == expected, one.name
        seen += 1
    assert seen > 100


def test_group_length_counts_changed_elements():
    group = element(0x00100010, "PN", b"Doe ") + element(0x00100020, "LO", b"1 ")
    rest = element(0x00200000, "UL", b"\x63\0\0\0") + element(0x00200010, "SH", b"1 ")
    data_set = dc.dcmread(part10(element(0x00100000, "UL", len(group).to_bytes(4, "little")) + group + rest))
    data_set.PatientName = "Roe^Richard"
    changed = element(0x00100010, "PN", b"Roe^Richard ") + element(0x00100020, "LO", b"1 ")
    made = part10(element(0x00100000, "UL", len(changed).to_bytes(4, "little")) + changed + rest)
    assert data_set.to_bytes(enforce_standard=False) == made


def test_targets(tmp_path):
    data = part10(element(0x00100020, "LO", b"1 "))
    data_set = dc.dcmread(data)
    path, stream, held = tmp_path / "a.dcm", io.BytesIO(), bytearray(b"head")
    data_set.save_as(path, enforce_standard=False)
    dc.dcmwrite(stream, data_set, enforce_standard=False)
    data_set.save_as(held, enforce_standard=False)
    assert path.read_bytes() == stream.getvalue() == bytes(held[4:]) == data
    assert [each.name for each in tmp_path.iterdir()] == ["a.dcm"]
    with pytest.raises(FileExistsError):
        data_set.save_as(path, overwrite=False, enforce_standard=False)
    with pytest.raises(TypeError):
        data_set.save_as(7, enforce_standard=False)


def test_built_from_nothing_is_read_by_pydicom(tmp_path):
    data_set = dc.Dataset()
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data_set.SOPInstanceUID = "1.2.3"
    data_set.PatientName = "Doe^Jane"
    data_set.Rows = 2
    inner = dc.Dataset()
    inner.CodeValue = "odd"
    data_set.ConceptNameCodeSequence = [inner, dc.Dataset()]
    path = tmp_path / "built.dcm"
    data_set.save_as(path)
    read = pydicom.dcmread(path)
    assert read.file_meta.MediaStorageSOPInstanceUID == "1.2.3"
    body = path.read_bytes().index(b"\x08\0\x16\0UI")
    assert read.file_meta.FileMetaInformationGroupLength == body - 144
    assert (read.PatientName, read.Rows, read.ConceptNameCodeSequence[0].CodeValue) == ("Doe^Jane", 2, "odd")
    assert len(read.ConceptNameCodeSequence) == 2


def test_a_file_replaced_by_its_own_data_set_is_still_read_from(tmp_path):
    path = tmp_path / "own.dcm"
    path.write_bytes(
        part10(
            element(0x00080018, "UI", b"1.2\0")
            + sequence(0x0008114A, item(element(0x00081155, "UI", b"1\0")))
            + element(0x7FE00010, "OW", bytes(range(256)) * 1000)
        )
    )
    data_set = dc.dcmread(path)
    data_set.PatientID = "new"
    data_set.save_as(path, enforce_standard=False)
    assert data_set.PixelData == bytes(range(256)) * 1000
    assert dc.dcmread(path).PatientID == "new"
    assert dc.dcmread(path).PixelData == bytes(range(256)) * 1000


NAME = element(0x00100010, "PN", b"A^B ")
NANS = struct.pack("<3d", 1.0, math.nan, 2.0)
DAMAGED = {  # name: a whole file that reading and writing once changed, found by fuzzing
    "a delimiter before the first element": part10(element(ITEM_END, None) + NAME),
    "a delimiter with a length before it": part10(header(ITEM_END, None, 5) + NAME),
    "a sequence of what are no items": part10(element(0x00081140, "SQ", b"no items at all ") + NAME),
    "the same by the dictionary": part10(element(0x00081140, None, b"no items at all ") + NAME, IMPLICIT),
    "not a number among others": part10(element(0x00720074, "FD", NANS)),
    "the same in implicit VR in explicit": part10(element(0x00720074, "FD", NANS) + element(0x00720074, None, NANS)),
    "the same in big endian": part10(element(0x00720074, "FD", NANS, big=True), BIG_ENDIAN),
    "a transfer syntax that is a sequence": PREAMBLE + meta(None, element(0x00020010, "SQ", b"1.2.840\t")) + NAME,
    "several transfer syntaxes": PREAMBLE + meta("1.2.840.10008.1.2.1\\1.2.840.10008.1.2") + NAME,
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_come_back_byte_for_byte(data):
    data_set = dc.dcmread(data)
    assert data_set.to_bytes(enforce_standard=False) == data
    for found in (*data_set.iterall(), *data_set):
        _ = found.value
    assert data_set.to_bytes(enforce_standard=False) == data


def test_not_a_number_set_in_place_is_a_change():
    data_set = dc.dcmread(part10(element(0x00720074, "FD", NANS)))
    data_set[0x00720074].value[0] = math.nan
    again = dc.dcmread(data_set.to_bytes(enforce_standard=False))
    assert [math.isnan(one) for one in again[0x00720074].value] == [True, True, False]


INNER = element(0x00081155, "UI", b"1.2\0")
CUT = element(0x00081155, "UI", b"1.2\0", length=40)
BROKEN_OFF = {  # name: a data set whose length field claims more bytes than follow
    "a value": element(0x00100010, "PN", b"A^B ", length=40),
    "a sequence": element(0x00081140, "SQ", item(INNER), length=60),
    "an item": element(0x00081140, "SQ", item(INNER, length=60), length=70),
    "a sequence without its delimiter": header(0x00081140, "SQ", UNDEFINED) + item(INNER),
    "an item without its delimiter": header(0x00081140, "SQ", UNDEFINED) + header(ITEM, None, UNDEFINED) + INNER,
    "a value in an item": header(0x00081140, "SQ", UNDEFINED) + header(ITEM, None, UNDEFINED) + CUT,
    "fragments": header(0x7FE00010, "OB", UNDEFINED) + item() + item(b"ab"),
    "a fragment": header(0x7FE00010, "OB", UNDEFINED) + item() + item(b"ab", length=60),
}


@pytest.mark.parametrize("content", BROKEN_OFF.values(), ids=BROKEN_OFF)
@pytest.mark.parametrize("place", ["behind", "in an item", "in a last item"])
def test_an_element_added_behind_a_truncated_one_is_separate(content, place):
    data_set = dc.dcmread(part10(content, "1.2.840.10008.1.2.4.50" if b"OB" in content else "1.2.840.10008.1.2.1"))
    before = [(one.tag, one.VR, bytes(one.raw)) for one in data_set.iterall() if one.VR not in ("SQ", "OB")]
    if place != "behind":
        items = data_set.get("ReferencedImageSequence")
        if not items:
            pytest.skip("no items")
        if place == "in an item":
            items[0].PurposeOfReferenceCodeSequence = [dc.Dataset()]
        else:
            items.append(dc.Dataset())
            items[-1].ReferencedFrameNumber = 7
    data_set[0xFFFB0010] = dc.DataElement(0xFFFB0010, "LO", "last")
    again = dc.dcmread(data_set.to_bytes(enforce_standard=False))
    assert not again.issues
    assert again[0xFFFB0010].value == "last"
    after = [(one.tag, one.VR, bytes(one.raw)) for one in again.iterall() if one.VR not in ("SQ", "OB")]
    assert [one for one in after if one[0] not in (0xFFFB0010, 0x00081160)] == before
    if place == "in a last item":
        assert again.ReferencedImageSequence[-1].ReferencedFrameNumber == 7


def refuse(*_):
    raise OSError(errno.EINVAL, "not here")


SYSTEMS = {  # how the system copies from file to file: all, nothing, or a few bytes at a time and then no more
    "all": lambda monkeypatch: None,
    "nothing": lambda monkeypatch: [monkeypatch.setattr(os, name, refuse) for name in ("copy_file_range", "sendfile")],
    "some": lambda monkeypatch: monkeypatch.setattr(os, "sendfile", some_of(os.sendfile)),
}


def some_of(send):
    sizes = iter([1, 5000, 70_001])
    return lambda out, source, offset, count: send(out, source, offset, next(sizes, 0)) if count else 0


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="Linux alone")
@pytest.mark.parametrize("identifier", ["1", "A1B2", "moves all that follows"])
@pytest.mark.parametrize("prepare", SYSTEMS.values(), ids=SYSTEMS)
def test_large_values_are_copied_whole_however_the_system_copies(tmp_path, monkeypatch, prepare, identifier):
    source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    pixels = np.arange(300_000, dtype="<u2").tobytes()
    content = element(0x00080018, "UI", b"1.2\0") + element(0x00100020, "LO", b"1 ")
    source.write_bytes(part10(content + element(0x7FE00010, "OW", pixels)))
    ds = dc.dcmread(source)
    ds.PatientID = identifier
    prepare(monkeypatch)
    ds.save_as(target, enforce_standard=False, durable=False)
    assert target.read_bytes() == ds.to_bytes(enforce_standard=False)
    assert dc.dcmread(target).PixelData == pixels


@pytest.mark.skipif(not hasattr(os, "sendfile"), reason="without sendfile()")
def test_a_source_that_is_cut_short_while_it_is_copied_is_an_error(tmp_path, monkeypatch):
    source, target = tmp_path / "source.dcm", tmp_path / "target.dcm"
    target.write_bytes(b"old")
    source.write_bytes(part10(element(0x00080018, "UI", b"1.2\0") + element(0x7FE00010, "OW", bytes(600_000))))
    ds = dc.dcmread(source)
    ds.PatientID = "longer"
    send = os.sendfile

    def cut(out, file, offset, count):
        os.truncate(source, 300_000)
        return send(out, file, offset, count)

    monkeypatch.setattr(os, "sendfile", cut)
    with pytest.raises(dc.TruncatedError):
        ds.save_as(target, enforce_standard=False, durable=False)
    assert target.read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"source.dcm", "target.dcm"}
