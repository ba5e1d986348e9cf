"""Streams read up to their pixel data: the data set is the path's, and the stream stands where pydicom leaves it."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest

import dicomcore as dc
from tests.support.corpus import PYDICOM

FILES = sorted((PYDICOM / "test_files").glob("*.dcm"))
CUT = "MR_truncated.dcm"  # from a path, an issue tells that its pixel data is cut short


def their_position(path: Path) -> int | None:
    with path.open("rb") as stream:
        try:
            pydicom.dcmread(stream, stop_before_pixels=True)
        except Exception:
            return None
        return stream.tell()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_stream_is_read_as_its_path_is(path):
    try:
        expected = dc.dcmread(path, stop_before_pixels=True)
    except dc.DicomError as error:
        with path.open("rb") as stream, pytest.raises(type(error)):
            dc.dcmread(stream, stop_before_pixels=True)
        return
    with path.open("rb") as stream:
        ours = dc.dcmread(stream, stop_before_pixels=True)
        position = stream.tell()
    assert ours == expected
    assert ours.file_meta == expected.file_meta
    if path.name != CUT:
        assert [issue.code for issue in ours.issues] == [issue.code for issue in expected.issues]
    assert their_position(path) in (position, None)


class Counting(io.BytesIO):
    """A stream that counts the bytes read from it."""

    counted = 0

    def read(self, size=-1, /):
        data = super().read(size)
        self.counted += len(data)
        return data


def ct_with_much_pixel_data() -> bytes:
    ds = dc.dcmread(PYDICOM / "test_files" / "CT_small.dcm")
    ds.NumberOfFrames = 400
    ds.PixelData = bytes(400 * 128 * 128 * 2)
    return ds.to_bytes()


def test_pixel_data_is_not_read():
    data = ct_with_much_pixel_data()
    stream = Counting(b"before" + data)
    stream.seek(6)
    ds = dc.dcmread(stream, stop_before_pixels=True)
    assert ds.PatientID == "1CT1"
    assert "PixelData" not in ds
    assert stream.counted < 500_000 < len(data)
    assert stream.read(4) == b"\xe0\x7f\x10\x00"


class Pipe(io.RawIOBase):
    """A stream that cannot seek."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size=-1, /):
        return self._data.read(size)

    def tell(self):
        raise io.UnsupportedOperation("tell")


def test_a_pipe_is_read_whole():
    assert dc.dcmread(Pipe(ct_with_much_pixel_data()), stop_before_pixels=True).PatientID == "1CT1"


@pytest.mark.parametrize("size", range(0, 1200, 7))
def test_truncated_anywhere(size):
    data = ct_with_much_pixel_data()[:size]
    outcomes = []
    for source in (data, io.BytesIO(data)):
        try:
            outcomes.append(dc.dcmread(source, stop_before_pixels=True, force=True).to_json())
        except dc.DicomError as error:
            outcomes.append(type(error).__name__)
    assert outcomes[0] == outcomes[1]
