"""Identifiers hidden in forty ways in a file are found, and told without being shown."""

from __future__ import annotations

import json
import zlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate

import dicomcore as dc
from dicomcore._native.deid.place import place_at
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import index_of
from dicomcore.deid import Key, Plan, folder
from dicomcore.deid.identifiers import Identifiers, gather
from dicomcore.deid.journal import NAME
from dicomcore.deid.verifying import Report, gather_from, kinds_for, verify
from dicomcore.part10.writer import to_bytes
from dicomcore.uids import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
)
from tests.support.corpus import real, small_files

WHO = Identifiers(
    names=["Mustermann^Erika", "Li^Na", "Hong^Gildong=洪^吉洞=홍^길동", "Müller^Jörg"],
    staff=["Quincy^Brown"],
    ids=["PX-48151623", "20774455"],
    dates=[date(1970, 1, 2)],
    institutions=["Spital Entenhausen", "Coordina BV"],
    contacts=["Am Deich 4, 26548 Norderney", "+49 4932 1234567"],
    devices=["AWP77001"],
    uids=["1.2.840.113619.2.55.3.604688119.971"],
)
SYNTAXES = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}


def plain() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID = "2.25.1"
    ds.StudyInstanceUID = "2.25.2"
    ds.StudyDate = "19660203"
    ds.SeriesDescription = "T1 SAG head"
    ds.PatientName = "ANON"
    ds.PatientID = "ABCDEFGH"
    ds.PixelSpacing = [0.5, 0.5]
    ds.Rows, ds.Columns, ds.BitsAllocated = 8, 8, 8
    ds.PixelData = bytes(range(64))
    return ds


def pdf(text: str) -> bytes:
    stream = zlib.compress(f"BT ({text}) Tj ET".encode())
    return b"%PDF-1.4\n1 0 obj <</Filter/FlateDecode>>\nstream\n" + stream + b"\nendstream\nendobj\n"


def nest(ds: Dataset, text: str) -> None:
    ds.RequestAttributesSequence = [Dataset(), Dataset()]
    ds.RequestAttributesSequence[1].ScheduledProcedureStepDescription = text


def put(tag: int, vr: str, value: object):  # a change that sets one element
    def change(ds: Dataset) -> None:
        if tag >> 16 & 1:
            ds[tag & 0xFFFF0000 | 0x10] = DataElement(tag & 0xFFFF0000 | 0x10, "LO", "MAKER")
        ds[tag] = DataElement(tag, vr, value)

    return change


HIDDEN = {  # name: (change, path, kind)
    "description": (put(0x0008103E, "LO", "head Mustermann"), "SeriesDescription", "names"),
    "another case": (put(0x0008103E, "LO", "MUSTERMANN"), "SeriesDescription", "names"),
    "initials": (put(0x0008103E, "LO", "e. mustermann"), "SeriesDescription", "names"),
    "a short name": (put(0x0008103E, "LO", "Na Li"), "SeriesDescription", "names"),
    "a name that is also a word": (put(0x0008103E, "LO", "Brown, Quincy"), "SeriesDescription", "staff"),
    "a name with an umlaut": (put(0x0008103E, "LO", "mueller"), "SeriesDescription", "names"),
    "a name in Korean": (put(0x0008103E, "LO", "길동"), "SeriesDescription", "names"),
    "an ID": (put(0x00081030, "LO", "PX48151623"), "StudyDescription", "ids"),
    "an ID with spaces": (put(0x00081030, "LO", "2077 4455"), "StudyDescription", "ids"),
    "a date in a text": (put(0x00081030, "LO", "born 2 Jan 1970"), "StudyDescription", "dates"),
    "institution": (put(0x00081030, "LO", "Entenhausen"), "StudyDescription", "institutions"),
    "address": (put(0x00104000, "LT", "from Norderney"), "PatientComments", "contacts"),
    "telephone": (put(0x00104000, "LT", "0049 4932 1234567"), "PatientComments", "contacts"),
    "station": (put(0x00081010, "SH", "AWP77001"), "StationName", "devices"),
    "UID": (put(0x0020000D, "UI", "1.2.840.113619.2.55.3.604688119.971"), "StudyInstanceUID", "uids"),
    "UID and more": (put(0x0020000D, "UI", "1.2.840.113619.2.55.3.604688119.971.1"), "StudyInstanceUID", "uids"),
    "person name": (put(0x00081070, "PN", "Mustermann^E"), "OperatorsName", "names"),
    "a nested item": (
        lambda ds: nest(ds, "of Mustermann"),
        "RequestAttributesSequence[1].ScheduledProcedureStepDescription",
        "names",
    ),
    "private text": (put(0x00091001, "LO", "Mustermann"), "(0009,1001)", "names"),
    "private bytes": (put(0x00091001, "OB", b"\x01\x02Mustermann\x00"), "(0009,1001)", "names"),
    "private unknown": (put(0x00091001, "UN", b"\x01\x02Mustermann\x00"), "(0009,1001)", "names"),
    "private UTF-16": (put(0x00091001, "OB", "x Mustermann".encode("utf-16-le")), "(0009,1001)", "names"),
    "private UTF-16, high first": (put(0x00091001, "OB", "Mustermann ".encode("utf-16-be")), "(0009,1001)", "names"),
    "private Latin-1": (put(0x00091001, "OB", "Jörg Müller ".encode("latin-1")), "(0009,1001)", "names"),
    "private Korean": (put(0x00091001, "OB", "길동".encode("euc_kr")), "(0009,1001)", "names"),
    "private 7-bit codes": (put(0x00091001, "OB", "吉洞".encode("iso2022_jp_2")), "(0009,1001)", "names"),
    "pixels": (lambda ds: setattr(ds, "PixelData", bytes(50) + b"Mustermann" + bytes(4)), "PixelData", "names"),
    "overlay": (put(0x60003000, "OB", bytes(8) + b"Mustermann" + bytes(4)), "OverlayData", "names"),
    "a PDF": (put(0x00420011, "OB", b"%PDF-1.4 (Mustermann)"), "EncapsulatedDocument", "names"),
    "a deflated stream of a PDF": (put(0x00420011, "OB", pdf("Erika Mustermann")), "EncapsulatedDocument", "names"),
}  # fmt: skip


def written(ds: Dataset, syntax: str) -> bytes:
    ds.ensure_file_meta()
    ds.file_meta.TransferSyntaxUID = syntax
    return to_bytes(ds, enforce_standard=True)


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_nothing_is_found_in_what_has_nothing(syntax: str, tmp_path: Path) -> None:
    data = written(plain(), syntax)
    report = verify(data, WHO)
    assert report
    assert list(report) == []
    path = tmp_path / "a.dcm"
    path.write_bytes(data)
    assert list(verify(path, WHO)) == list(verify(plain(), WHO)) == []


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
@pytest.mark.parametrize(("change", "path", "kind"), HIDDEN.values(), ids=HIDDEN)
def test_hidden_in_elements(change, path, kind, syntax, tmp_path):
    ds = plain()
    change(ds)
    data = written(ds, syntax)
    file = tmp_path / "a.dcm"
    file.write_bytes(data)
    for out in (data, file, str(file), ds):
        report = verify(out, WHO)
        assert not report
        assert (path, kind) in {(one.path, one.kind) for one in report.errors}, str(report)
        assert not any(
            secret in f"{report} {report!r} {report.to_json()}".lower() for secret in ("muster", "4815", "길동")
        )


def test_hidden_outside_of_elements(tmp_path):
    data = bytearray(written(plain(), ExplicitVRLittleEndian))
    data[10:20] = b"Mustermann"
    data += b"\xfc\xff\xfc\xffOB\0\0\x0a\0\0\0Mustermann" + b"Entenhausen"
    found = {(one.path.rstrip("0123456789"), one.kind) for one in verify(bytes(data), WHO).errors}
    assert ("preamble", "names") in found
    assert ("DataSetTrailingPadding", "names") in found
    assert any(kind == "institutions" for _, kind in found)


def test_hidden_in_a_compressed_frame():
    ds = plain()
    ds.PixelData = encapsulate([b"\xff\xd8\xff\xfe\x00\x0eMustermann\0\0\xff\xd9"])
    data = written(ds, JPEGBaseline8Bit)
    assert [(one.path, one.kind) for one in verify(data, WHO).errors] == [("PixelData", "names")]


CHANCE = {  # name: (change, severities)
    "a date that was moved there": (put(0x00080020, "DA", "19700102"), {"warning"}),
    "a number in a UID": (put(0x0020000D, "UI", "2.25.20774455"), {"warning"}),
    "digits in pixels": (lambda ds: setattr(ds, "PixelData", bytes(50) + b"20774455" + bytes(6)), {"warning"}),
    "in a word of the vocabulary": (put(0x0008103E, "LO", "coordinates"), set()),
    "a word inside another": (put(0x0008103E, "LO", "Linatest"), set()),
    "a short number": (put(0x0008103E, "LO", "b1970"), set()),
    "a word of the vocabulary": (put(0x0008103E, "LO", "brown tumor"), set()),
}


@pytest.mark.parametrize(("change", "severities"), CHANCE.values(), ids=CHANCE)
def test_chance(change, severities):
    ds = plain()
    change(ds)
    report = verify(written(ds, ExplicitVRLittleEndian), WHO)
    assert {one.severity for one in report} == severities
    assert report


def test_a_run_of_one_letter_is_no_identifier_in_pixels():
    who = Identifiers(names=("xxxxxxxx^yyyyyyyyyyy",), ids=("0000000000",))
    ds = plain()
    ds.PixelData = b"xxxxxxxxxxxx" + bytes(4) + b"yyyyyyyyyyyyyyyy" + b"0" * 16
    assert not list(verify(written(ds, ExplicitVRLittleEndian), who))
    ds.StudyDescription = "of xxxxxxxx"
    assert [one.path for one in verify(written(ds, ExplicitVRLittleEndian), who).errors] == ["StudyDescription"]


def test_what_folder_wrote(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    ds = plain()
    ds.PatientName, ds.PatientID = "Mustermann^Erika", "PX-48151623"
    (before / "a.dcm").write_bytes(written(ds, ExplicitVRLittleEndian))
    folder(before, after, Plan(key=Key.generate()))
    assert (after / NAME).exists()
    report = verify(after, before)
    assert report
    assert not report.unread
    (after / "notes.txt").write_text("nothing")
    assert verify(after, before).unread == ("notes.txt",)


def test_a_folder_against_a_folder(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    (before / "deep").mkdir(parents=True)
    (after / "Mustermann Erika").mkdir(parents=True)
    original = plain()
    original.PatientName = "Mustermann^Erika"
    original.PatientID = "PX-48151623"
    original.SOPInstanceUID = "1.2.3.4.5.6"
    (before / "deep" / "a").write_bytes(written(original, ExplicitVRLittleEndian))
    (before / "notes.txt").write_bytes(b"no DICOM")
    (after / "Mustermann Erika" / "1").write_bytes(written(plain(), ExplicitVRLittleEndian))
    leak = plain()
    leak.ImageComments = "see 1.2.3.4.5.6"
    (after / "2").write_bytes(written(leak, ImplicitVRLittleEndian))
    (after / "list.txt").write_bytes(b"1;Mustermann;\n")
    reports = [verify(after, before, workers=workers) for workers in (1, 3)]
    assert list(reports[0]) == list(reports[1])
    report = reports[0]
    assert report.files == 3
    found = {(one.file, one.path, one.kind, one.severity) for one in report}
    assert ("2", "ImageComments", "uids", "error") in found
    assert ("list.txt", "byte 2", "names", "error") in found
    assert ("*** / 1".replace(" ", ""), "file name", "names", "error") in found
    assert report.unread == ("list.txt",)
    assert "uster" not in str(report)
    assert "uster" not in json.dumps(report.to_json())
    shown = verify(after, before, show=True)
    assert any("Mustermann" in one.value for one in shown)
    assert "Mustermann" in str(shown)


def test_options():
    ds = plain()
    ds.StudyDescription = "Mustermann AWP77001"
    data = written(ds, ExplicitVRLittleEndian)
    assert {one.kind for one in verify(data, WHO)} == {"names", "devices"}
    assert {one.kind for one in verify(data, WHO, kinds=kinds_for(["retain_device_identity"]))} == {"names"}
    assert not verify(data, WHO, kinds=["uids", "names"])
    assert verify(data, WHO, allow=["AWP77001", "Mustermann^Erika"])
    assert kinds_for(["retain_uids", "retain_longitudinal_full_dates"]) == (
        *("names", "staff", "ids", "institutions", "contacts", "devices"),
    )
    seen: list[int] = []
    verify(real("CT_small.dcm"), WHO, progress=seen.append)
    assert seen == [1]


def test_a_real_file_against_itself():
    path = real("CT_small.dcm")
    ds = dc.dcmread(path)
    report = verify(path, path)
    assert {"PatientName", "PatientID", "StudyInstanceUID", "InstitutionName"} <= {one.path for one in report.errors}
    assert gather_from([ds, ds]) == gather_from(path) == gather(ds)
    assert "CompressedSamples" not in str(report)
    assert repr(report).startswith("<Report 1 file, 39206 bytes: ")


ENCODINGS = ["utf-8", "utf-16-le", "utf-16-be", "latin-1", "cp1251", "iso8859_5", "euc_kr", "gb18030", "shift_jis"]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["Featherstone^Xanthippe", "Quillfeather^Rosé", "Щербаков^Юрий", "山城^文子", "남궁^선우"]),
    st.sampled_from(ENCODINGS),
    st.sampled_from(["{0}", "{1} {0}", "{0}^{1}", "{0}, {1}"]),
    st.binary(max_size=300),
    st.binary(max_size=300),
)
def test_names_in_any_encoding_among_any_bytes(name, encoding, form, before, after):
    parts = name.split("^")
    try:
        hidden = form.format(*parts).encode(encoding)
    except UnicodeEncodeError:
        return
    report = verify(before + b"\0\0" + hidden + b"\0\0" + after, Identifiers(names=[name]))
    assert "names" in {one.kind for one in report}


def test_an_identifier_of_any_length():
    name = "Featherstone" * 500
    ds = plain()
    ds.PatientComments = f"of {name}"
    assert verify(ds, Identifiers(names=[name])).errors


def test_an_item_at_the_top():
    data = written(plain(), ExplicitVRLittleEndian)
    at = data.index(b"\x10\x00\x10\x00PN")
    found = verify(data[:at] + b"\xfe\xff\x00\xe0\x0a\0\0\0Mustermann" + data[at:], WHO)
    assert {one.kind for one in found.errors} == {"names"}


def test_damaged_files_are_searched_all_the_same():
    whole = plain()
    whole.SeriesDescription = "Mustermann"
    for syntax in (ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        data = written(whole, syntax)
        for length in range(0, len(data), 7):
            report = verify(data[:length], WHO)
            if syntax == ExplicitVRLittleEndian and b"Mustermann" in data[:length]:
                assert report.errors
    for one in small_files(20_000)[::5]:
        data = bytearray(one.data())
        for at in range(150, len(data), 997):
            data[at] ^= 0xFF
        verify(bytes(data), WHO)


def test_what_does_not_exist(tmp_path):
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "none", WHO)
    with pytest.raises(FileNotFoundError):
        verify(tmp_path, tmp_path / "none")
    assert list(verify(tmp_path, WHO)) == list(Report()) == []


def test_the_place_of_every_byte():
    ds = plain()
    nest(ds, "text")
    index = index_of(dc.dcmread(written(ds, ExplicitVRLittleEndian)))
    data = index.read(0, index.source.size)
    at = bytes(data).index(b"text")
    assert place_at(index, at) == ([(0x00400275, 1)], 0x00400007, "LO")
    assert place_at(index, at - 8) == ([(0x00400275, 1)], 0x00400007, "LO")
    assert place_at(index, at - 9) == ([], 0x00400275, "SQ")
    assert place_at(index, 5) == ([], 0, "")
    for offset in range(len(data)):
        steps, tag, vr = place_at(index, offset)
        assert tag or offset < 132 or not vr
        assert len(steps) <= 1
