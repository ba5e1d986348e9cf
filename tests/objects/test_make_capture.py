"""Secondary captures: valid by every checker here, and what they refuse."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from pydicom.data import get_testdata_file

import dicomcore
from dicomcore import iod
from dicomcore.objects import make_capture

GREY, COLOUR = np.arange(80, dtype=np.uint8).reshape(8, 10), np.arange(240, dtype=np.uint8).reshape(8, 10, 3)
PICTURES = {  # name: (pictures, the end of the SOP class's UID)
    "grey": (GREY, ".1.7"),
    "colour": (COLOUR, ".1.7"),
    "odd number of bytes": (GREY[:3, :3], ".1.7"),
    "several in grey": ([GREY, GREY[::-1]], ".7.2"),
    "several in colour": ([COLOUR] * 3, ".7.4"),
}


@pytest.mark.parametrize(("pictures", "end"), PICTURES.values(), ids=PICTURES)
def test_captures_are_valid_and_have_the_pictures(tmp_path, pictures, end):
    source = dicomcore.dcmread(get_testdata_file("CT_small.dcm"))
    dicomcore.dcmwrite(tmp_path / "capture", make_capture(pictures, source, frame_time=40))
    assert [str(finding) for finding in iod.check(tmp_path / "capture")] == []
    read = dicomcore.dcmread(tmp_path / "capture")
    assert read.SOPClassUID.endswith(end)
    assert (read.PatientID, read.StudyInstanceUID) == (source.PatientID, source.StudyInstanceUID)
    assert read.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    expected = [pictures] if isinstance(pictures, np.ndarray) else pictures
    assert len(read.frames) == len(expected)
    for frame, picture in zip(read.frames, expected, strict=True):
        np.testing.assert_array_equal(frame, picture)
    if shutil.which("dciodvfy"):
        said = subprocess.run(["dciodvfy", tmp_path / "capture"], capture_output=True, text=True, errors="replace")
        assert [line for line in said.stderr.splitlines() if line.startswith("Error")] == []


WRONG = {  # name: (pictures, options, message)
    "none": ([], {}, "needs a picture"),
    "no pixels": (GREY[:0], {}, "needs a picture"),
    "grey and colour": ([GREY, COLOUR], {}, "one size"),
    "16 bits": (GREY.astype(np.uint16), {}, "8 bits"),
    "four samples": (np.zeros((2, 2, 4), np.uint8), {}, r"not \(2, 2, 4\)"),
    "frame time": ([GREY, GREY], {"frame_time": 0}, "more than 0 ms"),
}


@pytest.mark.parametrize(("pictures", "options", "message"), WRONG.values(), ids=WRONG)
def test_what_is_no_capture_is_refused(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        make_capture(pictures, **options)
