"""Pixel data written: from arrays, frame by frame; and files changed without touching it."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.pixels import get_decoder

import dicomcore as dc
from tests.support.dicom_bytes import BIG_ENDIAN, EXPLICIT, IMPLICIT, element, part10

SECONDARY_CAPTURE, PARAMETRIC_MAP = "1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.30"
UNCOMPRESSED_FRAGMENTS, RLE, JPEG_LOSSLESS = "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.70"


def image(array=None, **options) -> dc.Dataset:
    data_set = dc.Dataset({})
    data_set.SOPClassUID, data_set.SOPInstanceUID = SECONDARY_CAPTURE, "1.2.3"
    data_set.PatientID = "P1"
    if array is not None:
        data_set.set_pixels(array, **options)
    return data_set


def ramp(*shape: int, dtype: str = "u2") -> np.ndarray:
    return (np.arange(np.prod(shape)) * 37 + 0x0102).astype(dtype).reshape(shape)


ARRAYS = {  # name: (array, options, what is described)
    "8 bits": (ramp(3, 5, dtype="u1"), {}, {"BitsAllocated": 8, "HighBit": 7, "PixelRepresentation": 0}),
    "12 of 16 bits": (ramp(4, 6) & 0xFFF, {"bits_stored": 12}, {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11}),
    "signed": (
        ramp(4, 6, dtype="i2") - 400,
        {},
        {"PixelRepresentation": 1, "PhotometricInterpretation": "MONOCHROME2"},
    ),
    "frames": (ramp(5, 4, 6), {"photometric_interpretation": "MONOCHROME1"}, {"NumberOfFrames": 5, "Rows": 4}),
    "colour": (ramp(4, 6, 3, dtype="u1"), {}, {"SamplesPerPixel": 3, "PlanarConfiguration": 0}),
    "colour frames": (ramp(2, 4, 6, 3, dtype="u1"), {}, {"PhotometricInterpretation": "RGB", "NumberOfFrames": 2}),
    "32 bits": (ramp(4, 6, dtype="u4") * 70_000, {}, {"BitsAllocated": 32}),
    "bits": (ramp(3, 5, 7) % 3 == 0, {}, {"BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "NumberOfFrames": 3}),
}


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
@pytest.mark.parametrize(("array", "options", "described"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_come_back(tmp_path, array, options, described, syntax):
    data_set = image(array, **options)
    assert np.array_equal(data_set.pixel_array, array)
    path = tmp_path / "set.dcm"
    data_set.save_as(path, transfer_syntax=syntax)
    again = dc.dcmread(path)
    assert {keyword: again.get(keyword) for keyword in described} == described
    assert np.array_equal(again.pixel_array, array)
    assert again.SOPInstanceUID != "1.2.3"
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID
    read = pydicom.dcmread(path)
    assert np.array_equal(read.pixel_array, array)


def test_floats_have_elements_of_their_own(tmp_path):
    for dtype, keyword in (("f4", "FloatPixelData"), ("f8", "DoubleFloatPixelData")):
        array = ramp(3, 4, dtype=dtype) / 7
        data_set = image(ramp(2, 2))
        data_set.SOPClassUID = PARAMETRIC_MAP
        data_set.set_pixels(array)
        assert keyword in data_set
        assert "PixelData" not in data_set
        assert "BitsStored" not in data_set
        assert np.array_equal(dc.dcmread(data_set.to_bytes()).pixel_array, array)


BAD_ARRAYS = {
    "text": (np.array(["a"]), {}),
    "one axis": (ramp(7), {}),
    "too large for its bits": (ramp(4, 6), {"bits_stored": 8}),
    "more bits than there are": (ramp(4, 6, dtype="u1"), {"bits_stored": 9}),
    "five samples": (ramp(4, 6, 5, dtype="u1"), {"photometric_interpretation": "RGB"}),
    "no pixels": (ramp(0, 6), {}),
}


@pytest.mark.parametrize(("array", "options"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_arrays_that_cannot_be_pixels_change_nothing(array, options):
    data_set = image(ramp(2, 2), new_instance=False)
    before = data_set.to_bytes()
    with pytest.raises(dc.EncodeError):
        data_set.set_pixels(array, **options)
    assert data_set.to_bytes() == before


@pytest.mark.parametrize("table", [None, "basic", "extended", "none"])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, UNCOMPRESSED_FRAGMENTS, RLE, JPEG_LOSSLESS])
def test_frames_are_appended_one_by_one(tmp_path, syntax, table):
    frames = ramp(7, 5, 9)
    data_set, path = image(frames[0]), tmp_path / "frames.dcm"
    data_set.add_new(0xFFFCFFFC, "OB", b"\0\0")
    before = data_set.to_bytes()
    with dc.FrameWriter(path, data_set, transfer_syntax=syntax, offset_table=table) as writer:
        for frame in frames:
            assert not path.exists()
            writer.append(frame)
        assert len(writer) == 7
    assert data_set.to_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["frames.dcm"]
    again = dc.dcmread(path)
    assert (again.NumberOfFrames, again.transfer_syntax, again.issues) == (7, syntax, ())
    assert np.array_equal(again.pixel_array, frames)
    assert (0xFFFC, 0xFFFC) in again
    assert ("ExtendedOffsetTable" in again) == (table == "extended" and again.transfer_syntax.is_encapsulated)
    read = pydicom.dcmread(path)
    assert read.NumberOfFrames == 7
    by_plugin = syntax == JPEG_LOSSLESS and not get_decoder(syntax).is_available
    if syntax != UNCOMPRESSED_FRAGMENTS and not by_plugin:
        assert np.array_equal(read.pixel_array, frames)


def test_codestreams_are_appended_as_they_are(tmp_path):
    source = dc.dcmread(image(ramp(4, 5, 9)).to_bytes())
    first, second = tmp_path / "1.dcm", tmp_path / "2.dcm"
    with dc.FrameWriter(first, source, transfer_syntax=RLE) as writer:
        for frame in source.frames:
            writer.append(frame)
    coded = dc.dcmread(first)
    with dc.FrameWriter(second, coded) as writer:
        for number in reversed(range(4)):
            writer.append(coded.frames.encoded(number))
    assert np.array_equal(dc.dcmread(second).pixel_array, source.pixel_array[::-1])


def test_a_failing_writer_leaves_the_old_file(tmp_path):
    path = tmp_path / "frames.dcm"
    path.write_bytes(b"old")
    for syntax in (EXPLICIT, RLE):
        writer = dc.FrameWriter(path, image(ramp(5, 9)), transfer_syntax=syntax)
        writer.append(ramp(5, 9))
        with pytest.raises(dc.EncodeError, match="frame 1"):
            writer.append(ramp(9, 5))
        writer.abort()
        with pytest.raises(ValueError, match="closed"):
            writer.append(ramp(5, 9))
        with pytest.raises(KeyError), dc.FrameWriter(path, image(ramp(5, 9)), transfer_syntax=syntax):
            raise KeyError
        empty = dc.FrameWriter(path, image(ramp(5, 9)), transfer_syntax=syntax)
        with pytest.raises(dc.EncodeError, match="no frame"):
            empty.close()
        assert path.read_bytes() == b"old"
        assert [each.name for each in tmp_path.iterdir()] == ["frames.dcm"]


def test_four_gibibytes_of_native_frames_are_refused(tmp_path):
    with dc.FrameWriter(tmp_path / "large.dcm", image(ramp(4, 4, dtype="u1"))) as writer:
        writer._written = 0xFFFFFFFE - 15  # as if that number of bytes had been appended
        with pytest.raises(dc.EncodeError, match=r"1\.2\.840\.10008\.1\.2\.1\.98"):
            writer.append(ramp(4, 4, dtype="u1"))
        writer.abort()
    assert not list(tmp_path.iterdir())


def test_patch_in_place(tmp_path):
    path = tmp_path / "patched.dcm"
    data_set = image(ramp(64, 64))
    data_set.PatientName, data_set.StudyDate, data_set.PatientID = "Doe^Jane", "20200101", "ABCDEF"
    data_set.ReferencedSeriesSequence = [{"SeriesInstanceUID": "1.2.3", "StationName": "CT1234"}]
    data_set.save_as(path)
    inode, before = path.stat().st_ino, path.read_bytes()
    changes = {"PatientID": "X", "StudyDate": "20210202", "Rows": 32, "ReferencedSeriesSequence[0].StationName": "A"}
    assert dc.patch(path, changes)
    after = path.read_bytes()
    assert (path.stat().st_ino, len(after)) == (inode, len(before))
    again = dc.dcmread(path)
    assert (again.PatientID, again.StudyDate, again.Rows) == ("X", "20210202", 32)
    assert again.ReferencedSeriesSequence[0].StationName == "A"
    differing = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert len(differing) <= 20
    assert again.PixelData == data_set.PixelData


def test_patch_by_copy(tmp_path):
    path = tmp_path / "patched.dcm"
    data_set = image(ramp(64, 64))
    data_set.PatientName = "Doe"
    data_set.save_as(path)
    assert not dc.patch(path, {"PatientName": "a much longer name", 0x00100040: "F", "SOPInstanceUID": "1.2.3.4.5.6"})
    again = dc.dcmread(path)
    assert (again.PatientName, again.PatientSex, again.SOPInstanceUID) == ("a much longer name", "F", "1.2.3.4.5.6")
    assert again.file_meta.MediaStorageSOPInstanceUID == "1.2.3.4.5.6"
    assert not again.issues
    assert again.PixelData == data_set.PixelData
    assert [each.name for each in tmp_path.iterdir()] == ["patched.dcm"]
    before = path.read_bytes()
    for changes, error in (
        ({"PatientName": "Διονυσιος"}, dc.EncodeError),
        ({"Nonsense": 1}, KeyError),
        ({"BeamSequence[0].BeamName": "1"}, KeyError),
        ({"Rows": 70_000}, dc.EncodeError),
    ):
        with pytest.raises(error):
            dc.patch(path, {"PatientSex": "M", **changes})
        assert path.read_bytes() == before


@pytest.mark.parametrize(("vr", "held"), [("SQ", b""), ("AT", b"1234"), ("DS", b"1 "), ("IS", b"1 "), ("US", b"12")])
def test_patch_where_the_file_has_another_vr(vr, held, tmp_path):
    """A damaged header can give any VR: the error names the element, and nothing changes."""
    path = tmp_path / "damaged.dcm"
    path.write_bytes(part10(element(0x00100010, vr, held) + element(0x00100020, "LO", b"1 ")))
    before = path.read_bytes()
    with pytest.raises(dc.EncodeError, match=rf"\(0010,0010\) PatientName: .*{vr}") as caught:
        dc.patch(path, {"PatientID": "2", "PatientName": "Doe^J"})
    assert caught.value.tag == 0x00100010
    assert path.read_bytes() == before


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"])
def test_a_known_number_of_frames(syntax, tmp_path):
    ds = dc.Dataset()
    ds.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": "1.2.3"})
    ds.set_pixels(np.zeros((4, 5), "u1"), new_instance=False)
    with dc.FrameWriter(tmp_path / "one.dcm", ds, transfer_syntax=syntax, frames=1) as writer:
        writer.append(np.ones((4, 5), "u1"))
    got = dc.dcmread(tmp_path / "one.dcm")
    assert "NumberOfFrames" not in got
    assert got.pixel_array.sum() == 20
    with (
        pytest.raises(dc.EncodeError, match="1 frames were appended where 2 were due"),
        dc.FrameWriter(tmp_path / "two.dcm", ds, transfer_syntax=syntax, frames=2) as writer,
    ):
        writer.append(np.ones((4, 5), "u1"))
    assert not (tmp_path / "two.dcm").exists()


def test_single_bits_appended_frame_by_frame(tmp_path):
    bits = np.random.default_rng(2).integers(0, 2, (7, 3, 5)).astype("u1")
    ds = dc.Dataset()
    ds.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": "1.2.3"})
    ds.set_pixels(bits.astype(bool), new_instance=False)
    with dc.FrameWriter(tmp_path / "a.dcm", ds, transfer_syntax="1.2.840.10008.1.2.1") as writer:
        for frame in bits:
            writer.append(frame)
        with pytest.raises(dc.EncodeError, match="appended as arrays"):
            writer.append(b"\0\0")
    got = dc.dcmread(tmp_path / "a.dcm")
    assert bytes(got.PixelData) == bytes(ds.PixelData)
    assert np.array_equal(got.pixel_array, bits)
