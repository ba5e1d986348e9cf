"""decode: bare data sets in a stated transfer syntax, beside the same data sets as files and beside pydicom (PS3.5)."""

from __future__ import annotations

import copy
import io
import pickle
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.filereader import read_dataset

import dicomcore as dc
from dicomcore import encoding
from dicomcore.dataset.state import index_of
from tests.support import dicom_bytes as raw
from tests.support.corpus import Real, dicom_files, real, small_files
from tests.support.mutate import touch_set
from tests.support.random_sets import data_sets

NATIVE = (raw.IMPLICIT, raw.EXPLICIT, raw.BIG_ENDIAN, raw.DEFLATED)
NAMES = {raw.IMPLICIT: "implicit", raw.EXPLICIT: "explicit", raw.BIG_ENDIAN: "big-endian", raw.DEFLATED: "deflated"}
PRIVATE = "1.2.3.4.5.6"
BEFORE, BEHIND = b"\xff\x00garbage \xfe\xff\x00\xe0" * 3, b"\x10\x00\x10\x00PN\x04\x00X^Y " * 4


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def element(tag: int, vr: str, value: bytes, syntax: str) -> bytes:
    return raw.element(tag, None if syntax == raw.IMPLICIT else vr, value, big=syntax == raw.BIG_ENDIAN)


def small(syntax: str) -> bytes:
    """A data set with a sequence and with numbers whose bytes differ."""
    order = "big" if syntax == raw.BIG_ENDIAN else "little"
    big, implicit = syntax == raw.BIG_ENDIAN, syntax == raw.IMPLICIT
    inside = element(0x00081150, "UI", b"1.2.3\0", syntax)
    data = raw.sequence(0x00081140, raw.item(inside, big=big), vr=None if implicit else "SQ", big=big)
    data += element(0x00100010, "PN", b"Doe^Jane", syntax)
    data += element(0x00280010, "US", (0x0102).to_bytes(2, order), syntax)
    data += element(0x00280011, "US", (2).to_bytes(2, order), syntax)
    data += element(0x00280100, "US", (16).to_bytes(2, order), syntax)
    data += element(0x7FE00010, "OW", (0x0304).to_bytes(2, order) * 0x204, syntax)
    return deflated(data) if syntax == raw.DEFLATED else data


def body_of(data: bytes) -> tuple[bytes, str]:
    """The data set of a file as it stands, and the transfer syntax that the file states."""
    ds = dc.dcmread(data)
    index = index_of(ds)
    return data[index.packed_at if index.inflated else index.body :], str(ds.transfer_syntax)


def is_plain(one: Real) -> bool:
    """Whether a file has file meta information with the right transfer syntax."""
    try:
        ds = dc.dcmread(one.path)
    except dc.DicomError:
        return False
    codes = {issue.code for issue in ds.issues}
    return bool(index_of(ds).transfer_syntax) and not codes & {
        "WRONG_BYTE_ORDER", "EXPLICIT_IN_IMPLICIT", "IMPLICIT_IN_EXPLICIT", "META_REPEATED",
    } and ds[:0x00020000].keys() == []  # fmt: skip


PLAIN = [one for one in small_files(60_000) if is_plain(one)]


@pytest.mark.parametrize("one", PLAIN, ids=[one.name for one in PLAIN])
def test_a_body_reads_as_its_file(one: Real):
    data = one.data()
    whole = dc.dcmread(data)
    body, syntax = body_of(data)
    bare = encoding.decode(body, syntax)
    moved = len(data) - len(body)
    assert bare.transfer_syntax == whole.transfer_syntax
    assert (bare.is_implicit_VR, bare.is_little_endian) == (whole.is_implicit_VR, whole.is_little_endian)
    assert len(bare.file_meta) == 0
    assert bare.preamble is None
    assert bare.keys() == whole.keys()
    for a, b in zip(bare.iterall(), whole.iterall(), strict=True):
        assert (a.tag, a.VR, bytes(a.raw)) == (b.tag, b.VR, bytes(b.raw))
        assert a.VR == "SQ" or a.value == b.value or a.value != a.value
    ours = [(issue.code, issue.tag, issue.offset + moved) for issue in bare.issues if issue.code[:5] != "META_"]
    theirs = [(issue.code, issue.tag, issue.offset) for issue in whole.issues if issue.code[:5] != "META_"]
    assert ours == theirs
    assert encoding.encode(bare, syntax) == body


@pytest.mark.parametrize("syntax", NATIVE, ids=NAMES.get)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
def test_native_syntaxes(syntax: str, kind):
    ds = encoding.decode(kind(small(syntax)), syntax)
    assert ds.PatientName == "Doe^Jane"
    assert ds.Rows == 0x0102
    assert ds.ReferencedImageSequence[0].ReferencedSOPClassUID == "1.2.3"
    assert ds.issues == ()
    assert ds.transfer_syntax == syntax
    assert encoding.decode(kind(small(syntax)), NAMES[syntax]) == ds
    assert int(ds.pixel_array[0, 0]) == 0x0304


@pytest.mark.parametrize("syntax", NATIVE, ids=NAMES.get)
def test_pydicom_reads_the_same(syntax: str):
    data = small(raw.EXPLICIT) if syntax == raw.DEFLATED else small(syntax)
    theirs = read_dataset(io.BytesIO(data), syntax == raw.IMPLICIT, syntax != raw.BIG_ENDIAN)
    ours = encoding.decode(small(syntax), syntax)
    assert [int(one.tag) for one in ours] == [int(one.tag) for one in theirs]
    assert str(theirs.PatientName) == ours.PatientName
    assert (theirs.Rows, theirs.PixelData) == (ours.Rows, ours.PixelData)


# -- data sets within larger sources


@pytest.mark.parametrize("syntax", NATIVE, ids=NAMES.get)
@pytest.mark.parametrize("form", ["path", "bytes", "stream", "ranged"])
def test_a_data_set_within_a_larger_source(syntax: str, form: str, tmp_path: Path):
    """Bytes around the data set are not read, though they could continue it."""
    body = small(syntax)
    data = BEFORE + body + BEHIND
    path = tmp_path / "received"
    path.write_bytes(data)

    class Reader:
        size = len(data)

        def read_at(self, offset: int, length: int) -> bytes:
            assert len(BEFORE) <= offset
            assert offset + length <= len(BEFORE) + len(body)
            return data[offset : offset + length]

    given = {"path": path, "bytes": data, "stream": io.BytesIO(data), "ranged": Reader()}[form]
    ds = encoding.decode(given, syntax, offset=len(BEFORE), length=len(body))
    alone = encoding.decode(body, syntax)
    assert ds == alone
    assert ds.issues == ()
    assert ds["PatientName"].offset == alone["PatientName"].offset + len(BEFORE)
    assert encoding.encode(ds, syntax) == body
    assert np.array_equal(ds.pixel_array, alone.pixel_array)
    again = pickle.loads(pickle.dumps(ds))
    assert again == alone
    assert again["PatientName"].offset == ds["PatientName"].offset
    assert encoding.decode(encoding.encode(again, syntax), syntax) == alone
    assert copy.deepcopy(ds) == alone
    assert copy.copy(ds).transfer_syntax == syntax


def test_large_values_are_read_on_access(tmp_path: Path):
    pixels = bytes(range(256)) * 8192
    body = small(raw.EXPLICIT)[: -(12 + 2 * 0x204)] + raw.element(0x7FE00010, "OW", pixels)
    path = tmp_path / "received"
    path.write_bytes(BEFORE + body + BEHIND)
    ds = encoding.decode(path, raw.EXPLICIT, offset=len(BEFORE), length=len(body))
    assert ds.filename == str(path)
    assert ds.PixelData == pixels
    assert encoding.encode(ds, raw.EXPLICIT) == body
    with path.open("ab") as file:
        file.write(b"more")
    with pytest.raises(dc.DicomError, match="changed"):
        _ = encoding.decode(path, raw.EXPLICIT, offset=len(BEFORE), length=len(body)), ds.PixelData


@pytest.mark.parametrize(("offset", "length", "error"), [(-1, None, ValueError), (0, -1, ValueError),
                         (5, None, dc.TruncatedError), (1, 4, dc.TruncatedError)])  # fmt: skip
def test_a_part_beyond_the_source_is_refused(offset: int, length: int | None, error, tmp_path: Path):
    path = tmp_path / "four"
    path.write_bytes(b"four")
    for source in (path, b"four"):
        with pytest.raises(error):
            encoding.decode(source, raw.EXPLICIT, offset=offset, length=length)


def test_empty_input_is_an_empty_data_set(tmp_path: Path):
    path = tmp_path / "empty"
    path.write_bytes(b"")
    for source in (b"", path, io.BytesIO()):
        ds = encoding.decode(source, raw.EXPLICIT)
        assert (len(ds), ds.issues, encoding.encode(ds, raw.EXPLICIT)) == (0, (), b"")


# -- the stated transfer syntax


def test_the_stated_syntax_is_believed():
    """dcmread would look at the first element; decode follows the stated syntax, and the result has issues."""
    for syntax, other in ((raw.IMPLICIT, raw.EXPLICIT), (raw.EXPLICIT, raw.BIG_ENDIAN), (raw.BIG_ENDIAN, raw.EXPLICIT)):
        ds = encoding.decode(small(syntax), other)
        assert ds.transfer_syntax == other
        assert (ds.is_implicit_VR, ds.is_little_endian) == (other == raw.IMPLICIT, other != raw.BIG_ENDIAN)
        assert ds.issues
        assert not {"WRONG_BYTE_ORDER", "MISSING_META", "MISSING_PREAMBLE"} & {issue.code for issue in ds.issues}


@pytest.mark.parametrize("syntax", [PRIVATE, raw.JPEG_BASELINE, "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.201"])
def test_all_other_syntaxes_are_explicit_little_endian(syntax: str):
    ds = encoding.decode(small(raw.EXPLICIT), syntax)
    assert (ds.PatientName, ds.Rows, ds.transfer_syntax, ds.issues) == ("Doe^Jane", 0x0102, syntax, ())


@pytest.mark.parametrize("syntax", [raw.JPIP_DEFLATE, raw.JPIP_HTJ2K_DEFLATE])
def test_deflated_with_referenced_pixels(syntax: str):
    assert encoding.decode(small(raw.DEFLATED), syntax).PatientName == "Doe^Jane"


def test_syntaxes_with_implicit_vr_under_another_name():
    for syntax in (raw.GE, "1.2.840.10008.1.20"):
        assert encoding.decode(small(raw.IMPLICIT), syntax).Rows == 0x0102


@pytest.mark.parametrize("wrong", ["", "nonsense", "1.2.840.10008.1.1", "CTImageStorage"])
def test_no_transfer_syntax(wrong: str):
    with pytest.raises(ValueError, match="no transfer syntax"):
        encoding.decode(b"", wrong)


def test_wrong_use():
    with pytest.raises(TypeError, match="decode"):
        encoding.decode(7, raw.EXPLICIT)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="binary"):
        encoding.decode(io.StringIO("text"), raw.EXPLICIT)  # type: ignore[arg-type]


@pytest.mark.parametrize("group", [0x0000, 0x0002])
def test_elements_of_groups_0000_and_0002_are_reported(group: int):
    body = raw.element(group << 16 | 0x0010, "UI", b"1.2\0") + small(raw.EXPLICIT)
    ds = encoding.decode(body, raw.EXPLICIT)
    assert [(issue.code, issue.offset) for issue in ds.issues] == [("STRAY_GROUP", 0)]
    assert ds.PatientName == "Doe^Jane"
    with pytest.raises(dc.ParseError):
        encoding.decode(body, raw.EXPLICIT, limits=dc.Limits(strict=True))


# -- damage


@pytest.mark.parametrize("syntax", NATIVE, ids=NAMES.get)
def test_every_truncation(syntax: str, tmp_path: Path):
    body = small(syntax)
    path = tmp_path / "cut"
    path.write_bytes(BEFORE + body)
    for size in [*range(120), *range(120, len(body), 97)]:
        if size >= len(body):
            break
        try:
            ds = encoding.decode(body[:size], syntax)
        except dc.ParseError as error:
            assert syntax == raw.DEFLATED
            assert error.offset is not None
            continue
        there = encoding.decode(path, syntax, offset=len(BEFORE), length=size)
        assert there == ds
        moved = [(issue.code, issue.tag, issue.offset - len(BEFORE)) for issue in there.issues]
        assert moved == [(issue.code, issue.tag, issue.offset) for issue in ds.issues]
        if syntax != raw.DEFLATED:
            assert encoding.encode(ds, syntax) == body[:size]


def test_strict_errors_have_an_offset(tmp_path: Path):
    body = small(raw.EXPLICIT)[:-10]
    path = tmp_path / "cut"
    path.write_bytes(BEFORE + body)
    at = len(BEFORE) + body.index(b"\xe0\x7f\x10\0")
    with pytest.raises(dc.TruncatedError) as caught:
        encoding.decode(path, raw.EXPLICIT, offset=len(BEFORE), limits=dc.Limits(strict=True))
    assert caught.value.offset == at


def test_limits():
    nested = b""
    for _ in range(40):
        nested = raw.sequence(0x00081140, raw.item(nested))
    with pytest.raises(dc.LimitError, match="depth"):
        encoding.decode(nested, raw.EXPLICIT, limits=dc.Limits(depth=20))
    with pytest.raises(dc.LimitError, match="elements"):
        encoding.decode(nested, raw.EXPLICIT, limits=dc.Limits(elements=20))
    with pytest.raises(dc.LimitError, match="inflated"):
        encoding.decode(deflated(bytes(5000)), raw.DEFLATED, limits=dc.Limits(inflated_bytes=4000))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([*NATIVE, raw.JPEG_BASELINE, PRIVATE, raw.GE]))
def test_any_bytes_in_any_syntax(data: bytes, syntax: str):
    try:
        ds = encoding.decode(data, syntax, limits=dc.Limits(inflated_bytes=1 << 20))
    except dc.DicomError:
        return
    touch_set(ds)


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None)
@given(data_sets(), st.sampled_from(NATIVE))
def test_random_data_sets_survive_encoding_and_decoding(ds: dc.Dataset, syntax: str):
    """Random data sets survive each uncompressed transfer syntax, except VRs, which implicit VR doesn't store."""
    try:
        data = encoding.encode(ds, syntax, widen="utf-8")
    except dc.EncodeError:  # numbers of too many characters, and the like
        return
    again = encoding.decode(data, syntax)
    assert again.issues == ()
    assert encoding.encode(again, syntax) == data
    if syntax != raw.IMPLICIT:
        assert set(map(int, ds.keys())) <= set(map(int, again.keys()))


# -- functions of the decoded data set


def test_frames_of_encapsulated_data_sets(tmp_path: Path):
    data = real("JPEG2000.dcm").read_bytes()
    body, syntax = body_of(data)
    path = tmp_path / "received"
    path.write_bytes(BEFORE + body + BEHIND)
    ds = encoding.decode(path, syntax, offset=len(BEFORE), length=len(body))
    whole = dc.dcmread(data)
    assert ds.frames.is_encapsulated
    assert np.array_equal(ds.pixel_array, whole.pixel_array)
    assert bytes(ds.frames.encoded(0)) == bytes(whole.frames.encoded(0))


def test_saving_makes_a_file_of_it(tmp_path: Path):
    body = small(raw.EXPLICIT)
    path = tmp_path / "received"
    path.write_bytes(BEFORE + body + BEHIND)
    ds = encoding.decode(path, raw.EXPLICIT, offset=len(BEFORE), length=len(body))
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    ds.save_as(path)  # over the file that it still reads from
    again = dc.dcmread(path)
    assert again.issues == ()
    assert again.transfer_syntax == raw.EXPLICIT
    assert again.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4"
    assert again == ds
    assert ds.PixelData == again.PixelData
    assert ds.to_bytes(enforce_standard=False)[-len(body) + 100 :] == body[100:]


def test_a_bare_data_set_is_written_bare():
    ds = encoding.decode(small(raw.BIG_ENDIAN), raw.BIG_ENDIAN)
    assert ds.to_bytes(enforce_standard=False) == small(raw.BIG_ENDIAN)


def test_conversion_to_other_forms():
    body = small(raw.BIG_ENDIAN)
    ds = encoding.decode(body, raw.BIG_ENDIAN)
    assert dc.Dataset.from_json(ds.to_json()).PatientName == "Doe^Jane"
    assert dc.Dataset.from_xml(ds.to_xml()).Rows == 0x0102
    theirs = ds.to_pydicom()
    assert theirs.file_meta.TransferSyntaxUID == raw.BIG_ENDIAN
    assert theirs.original_encoding == (False, False)
    assert isinstance(theirs, pydicom.Dataset)
    assert np.array_equal(dc.from_pydicom(theirs).pixel_array, ds.pixel_array)
    assert encoding.encode(dc.from_pydicom(theirs), raw.BIG_ENDIAN) == body


def test_a_pickled_deflated_file_is_written_deflated():
    """The pickle has only the inflated bytes, which must not be written as deflated ones."""
    ds = dc.dcmread(raw.part10(small(raw.DEFLATED), raw.DEFLATED))
    again = pickle.loads(pickle.dumps(ds))
    assert dc.dcmread(again.to_bytes(enforce_standard=False)) == ds


def test_a_transfer_syntax_may_be_set():
    ds = encoding.decode(small(raw.EXPLICIT), raw.EXPLICIT)
    ds.file_meta.TransferSyntaxUID = raw.IMPLICIT
    assert ds.transfer_syntax == raw.IMPLICIT
    assert encoding.encode(ds, raw.IMPLICIT) == small(raw.IMPLICIT)
    assert encoding.encode(ds, raw.EXPLICIT) == small(raw.EXPLICIT)


def test_large_real_files_are_decoded_in_place():
    for one in dicom_files():
        if one.line["size"] < 1 << 20 or not is_plain(one):
            continue
        whole = dc.dcmread(one.path)
        if index_of(whole).inflated:
            continue
        at = index_of(whole).body
        ds = encoding.decode(one.path, str(whole.transfer_syntax), offset=at)
        assert ds.get("SOPInstanceUID") == whole.get("SOPInstanceUID")
        assert [element.offset for element in ds][-1] == [element.offset for element in whole][-1]
        break
