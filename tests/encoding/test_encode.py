"""encode, encode_into, encode_buffers: a bare data set in each transfer syntax that can hold it."""

from __future__ import annotations

import io
import os
import zlib
from pathlib import Path

import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

import dicomcore as dc
from dicomcore import encoding
from dicomcore.dataset.state import index_of
from tests.support import dicom_bytes as raw
from tests.support.corpus import Real, real, small_files

NATIVE = {"implicit": raw.IMPLICIT, "explicit": raw.EXPLICIT, "big-endian": raw.BIG_ENDIAN, "deflated": raw.DEFLATED}
PRIVATE = "1.2.3.4.5.6"
FILES = [one for one in small_files(40_000) if one.line.get("transfer_syntax")]


def made() -> dc.Dataset:
    ds = dc.Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
    ds.PatientName, ds.Rows = "Doe^Jane", 0x0102
    item = dc.Dataset()
    item.ReferencedSOPInstanceUID = "1.2.3.5"
    ds.ReferencedImageSequence = [item]
    return ds


def body_of(data: bytes) -> bytes:
    """What stands behind the file meta information."""
    ds = dc.dcmread(data)
    return data[(index_of(ds).packed_at if index_of(ds).inflated else index_of(ds).body) :]


def is_true(ds: dc.Dataset) -> bool:
    """Whether the data set is in the encoding that it is labelled with, and has no stray groups."""
    codes = {issue.code for issue in ds.issues}
    wrong = {"WRONG_BYTE_ORDER", "EXPLICIT_IN_IMPLICIT", "IMPLICIT_IN_EXPLICIT", "META_REPEATED"}
    return not codes & wrong and ds[:0x00030000].keys() == []


@pytest.mark.parametrize("one", FILES, ids=[one.name for one in FILES])
def test_the_body_of_the_file(one: Real):
    """The same transfer syntax keeps the bytes; another uncompressed one gives what dcmwrite puts into a file."""
    try:
        ds = dc.dcmread(one.path)
    except dc.DicomError:
        pytest.skip("no DICM prefix")
    if not is_true(ds):
        pytest.skip("not what its label says")
    own = str(ds.transfer_syntax)
    assert encoding.encode(ds, own) == body_of(one.data())
    for syntax in NATIVE.values():
        options = {"enforce_standard": False, "transfer_syntax": syntax}
        try:
            file = ds.to_bytes(**options)
        except dc.EncodeError as error:
            with pytest.raises(dc.EncodeError) as caught:
                encoding.encode(ds, syntax)
            assert (str(caught.value), caught.value.tag) == (str(error), error.tag)
            continue
        body = encoding.encode(ds, syntax)
        assert file.endswith(body)
        assert encoding.decode(body, syntax).keys() == ds.keys()


@pytest.mark.parametrize("name", NATIVE)
def test_pydicom_writes_the_same(name: str):
    syntax, ds = NATIVE[name], made()
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = syntax == raw.IMPLICIT, syntax != raw.BIG_ENDIAN
    write_dataset(stream, ds.to_pydicom())
    data = encoding.encode(ds, name)
    plain = zlib.decompress(data, -15) if syntax == raw.DEFLATED else data
    assert plain == stream.getvalue()
    theirs = read_dataset(io.BytesIO(plain), syntax == raw.IMPLICIT, syntax != raw.BIG_ENDIAN)
    assert theirs.ReferencedImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.5"


@pytest.mark.parametrize("name", NATIVE)
def test_every_form_gives_the_same_bytes(name: str, tmp_path: Path):
    ds = made()
    ds.PixelData = bytes(range(256)) * 9000
    wanted = encoding.encode(ds, name)
    buffers = list(encoding.encode_buffers(ds, name))
    assert b"".join(buffers) == wanted
    array = bytearray(b"head")
    assert encoding.encode_into(array, ds, name) == len(wanted)
    assert array == b"head" + wanted
    stream = io.BytesIO(b"head")
    stream.seek(4)
    encoding.encode_into(stream, ds, name)
    assert stream.getvalue() == b"head" + wanted
    path = tmp_path / "out"
    with path.open("wb", buffering=0) as file:
        file.write(b"head")
        encoding.encode_into(file.fileno(), ds, name)
        encoding.encode_into(file, ds, name)
    assert path.read_bytes() == b"head" + wanted + wanted
    with pytest.raises(TypeError, match="descriptor"):
        encoding.encode_into("path", ds, name)  # type: ignore[arg-type]


def test_buffers_view_values_in_memory():
    data = bytes(4 << 20)
    ds = encoding.decode(made_with(data), "explicit")
    buffers = list(encoding.encode_buffers(ds, "explicit"))
    assert sum(len(one) for one in buffers) == len(data) + len(made_with(b""))
    assert max(len(one) for one in buffers) > len(data)  # not in steps: not copied


def made_with(pixels: bytes) -> bytes:
    return raw.element(0x00100010, "PN", b"A^B ") + raw.element(0x7FE00010, "OW", pixels)


def test_buffers_of_a_file_are_read_in_turn(tmp_path: Path):
    data = made_with(bytes(3 << 20))
    path = tmp_path / "in"
    path.write_bytes(data)
    ds = encoding.decode(path, "explicit")
    ds.PatientName = "Other^Name"
    buffers = encoding.encode_buffers(ds, "explicit")
    sizes = [len(one) for one in buffers]
    assert max(sizes) <= 1 << 20
    assert sum(sizes) == len(data) + len("Other^Name") - len("A^B ")


def test_all_is_checked_before_the_first_byte():
    ds = made()
    ds.PatientName = "山田"
    stream, array = io.BytesIO(), bytearray()
    for target in (stream, array):
        with pytest.raises(dc.EncodeError) as caught:
            encoding.encode_into(target, ds, "explicit")
        assert caught.value.tag == 0x00100010
    with pytest.raises(dc.EncodeError):
        encoding.encode_buffers(ds, "explicit")  # at the call, not at the first buffer
    assert (stream.getvalue(), array) == (b"", b"")


# -- options


def test_options():
    ds = made()
    undefined = encoding.encode(ds, "explicit", lengths="undefined")
    assert undefined.count(b"\xff\xff\xff\xff") == 2
    assert encoding.encode(encoding.decode(undefined, "explicit"), "explicit", lengths="defined") == encoding.encode(
        ds, "explicit", lengths="defined"
    )
    ds.PatientName = "山田"
    wide = encoding.decode(encoding.encode(ds, "explicit", widen="utf-8"), "explicit")
    assert (wide.SpecificCharacterSet, wide.PatientName) == ("ISO_IR 192", "山田")
    ds = made()
    ds.validation = "ignore"
    ds.Modality = "lower case"
    with pytest.raises(dc.EncodeError):
        encoding.encode(ds, "explicit", validate="raise")
    with pytest.raises(ValueError, match="lengths"):
        encoding.encode(ds, "explicit", lengths="some")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no transfer syntax"):
        encoding.encode(ds, "nonsense")
    with pytest.raises(TypeError):
        encoding.encode(ds, "explicit", durable=False)  # type: ignore[call-arg]


def test_repair():
    disordered = raw.element(0x00280010, "US", b"\2\1") + raw.element(0x00100010, "PN", b"A^B ")
    ds = encoding.decode(disordered, "explicit")
    assert encoding.encode(ds, "explicit") == disordered
    mended = encoding.encode(ds, "explicit", repair=True)
    assert encoding.decode(mended, "explicit").issues == ()
    assert encoding.decode(mended, "explicit") == ds


# -- what can't be


def test_pixel_data_is_never_relabelled():
    jpeg = dc.dcmread(real("JPEG2000.dcm"))
    for syntax in (*NATIVE.values(), raw.JPEG_BASELINE, PRIVATE):
        with pytest.raises(dc.EncodeError, match=r"pixel data must be|fragments"):
            encoding.encode(jpeg, syntax)
    native = dc.dcmread(real("CT_small.dcm"))
    for syntax in (raw.JPEG_BASELINE, "1.2.840.10008.1.2.5", PRIVATE):
        with pytest.raises(dc.EncodeError, match="pixel data must be encoded"):
            encoding.encode(native, syntax)


def test_without_pixels_any_syntax_will_do():
    for syntax in (raw.JPEG_BASELINE, PRIVATE):
        assert encoding.encode(made(), syntax) == encoding.encode(made(), raw.EXPLICIT)


@pytest.mark.parametrize("tag", [0x00000002, 0x00020010])
def test_groups_of_commands_and_files(tag: int):
    read = encoding.decode(raw.element(tag, "UI", b"1.2\0") + made_with(b"\1\2"), "explicit")
    for ds in (read, encoding.decode(made_with(b"\1\2"), "explicit")):
        if tag not in ds:
            ds.add_new(tag, "UI", "1.2")
            with pytest.raises(dc.EncodeError) as caught:
                encoding.encode(ds, "explicit")
            assert caught.value.tag == tag
            del ds[tag]
            assert encoding.encode(ds, "explicit") == made_with(b"\1\2")
            continue
        with pytest.raises(dc.EncodeError, match="belongs to") as caught:
            encoding.encode(ds, "explicit")
        assert caught.value.tag == tag
        assert encoding.encode(ds, "explicit", repair=True) == made_with(b"\1\2")
        del ds[tag]
        assert encoding.encode(ds, "explicit") == made_with(b"\1\2")


def test_the_syntax_is_the_truth_whatever_the_label_says():
    """A file in implicit VR that is labelled explicit keeps that as a file; encode() writes what it is asked for."""
    implicit = raw.element(0x00100010, None, b"A^B ") + raw.element(0x00280010, None, b"\2\1")
    ds = dc.dcmread(raw.part10(implicit, raw.EXPLICIT))
    assert ds.to_bytes(enforce_standard=False).endswith(implicit)
    explicit = encoding.encode(ds, raw.EXPLICIT)
    assert explicit == raw.element(0x00100010, "PN", b"A^B ") + raw.element(0x00280010, "US", b"\2\1")
    assert encoding.encode(ds, raw.IMPLICIT) == implicit


def test_deflated_bytes_are_kept_too():
    packed = zlib.compress(made_with(b"\1\2"), 1)[2:-4]
    packed += b"\0" * (len(packed) % 2)
    ds = encoding.decode(packed, "deflated")
    assert encoding.encode(ds, "deflated") == packed
    assert encoding.encode(ds, "explicit") == made_with(b"\1\2")
    ds.PatientName = "C^D"
    assert encoding.decode(encoding.encode(ds, "deflated"), "deflated").PatientName == "C^D"


def test_a_source_that_changes(tmp_path: Path):
    path = tmp_path / "in"
    path.write_bytes(made_with(bytes(3 << 20)))
    ds = encoding.decode(path, "explicit")
    buffers = encoding.encode_buffers(ds, "explicit")
    path.write_bytes(b"other")
    os.utime(path, (1, 1))
    with pytest.raises(dc.DicomError, match="changed"):
        list(buffers)
