"""dcmread() of an object with `read_at`: the same data set, and no more bytes read than from a path."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from tests.support.corpus import small_files

FILES = small_files(600_000)


class Counted:
    """Bytes behind read_at(), with a count of the bytes read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size, self.asked = data, len(data), 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.asked += length
        return self.data[offset : offset + length]

    def __repr__(self) -> str:
        return "'counted'"


@pytest.mark.skipif(not FILES, reason="no corpus")
def test_every_real_file_is_the_same_data_set():
    for one in FILES:
        try:
            plain = dc.dcmread(one.path)
        except dc.DicomError:
            with pytest.raises(dc.DicomError):
                dc.dcmread(Counted(one.data()))
            continue
        ranged = dc.dcmread(Counted(one.data()))
        assert [(el.tag, el.VR, el.raw) for el in ranged] == [(el.tag, el.VR, el.raw) for el in plain], one.name
        assert ranged.issues == plain.issues


def test_frames_are_asked_for_one_by_one():
    big = next((one for one in FILES if one.name.endswith("CT_small.dcm")), None)
    if big is None:
        pytest.skip("no corpus")
    source = Counted(big.data())
    data_set = dc.dcmread(source)
    assert data_set.PatientID == "1CT1"
    assert source.asked <= 16 * 1024
    assert np.array_equal(data_set.frames[0], dc.dcmread(big.path).frames[0])


def test_a_source_shorter_than_its_size_raises():
    source = Counted(FILES[0].data() if FILES else bytes(2000))
    source.size += 1000
    source.data = source.data[:100]
    with pytest.raises(dc.DicomError, match="counted"):
        dc.dcmread(source)
