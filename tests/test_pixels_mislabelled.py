"""Codestreams of another format than their transfer syntax says: decoded as what they are, with an issue."""

from __future__ import annotations

import numpy as np
import pytest
from corpus import ABSENT, ROOT

import dicomcore as dc

pytestmark = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

WG04 = "files/dicom-test-files/WG04"
REAL = {  # format: a real file of it
    "JPEG": "files/pylibjpeg-data/ds/JPEGBaseline/JPEGBaseline_1s_1f_u_08_08.dcm",
    "JPEG lossless": "files/pylibjpeg-data/ds/JPEGLosslessSV1/JPEGLosslessP14SV1_1s_1f_u_16_16.dcm",
    "JPEG-LS": "files/pylibjpeg-data/ds/JPEGLS/CT1_JLSN.dcm",
    "JPEG 2000": f"{WG04}/J2KR/CT1_J2KR",
}
LABELS = {
    "JPEG baseline": "1.2.840.10008.1.2.4.50",
    "JPEG extended": "1.2.840.10008.1.2.4.51",
    "JPEG lossless": "1.2.840.10008.1.2.4.57",
    "JPEG lossless SV1": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "JPEG XL": "1.2.840.10008.1.2.4.110",
    "RLE": "1.2.840.10008.1.2.5",
    "implicit, so without fragments": "1.2.840.10008.1.2",
    "explicit, so without fragments": "1.2.840.10008.1.2.1",
}


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("path", REAL.values(), ids=REAL)
def test_the_codestream_is_believed(path: str, label: str):
    expected = dc.dcmread(ROOT / path)
    wrong = dc.dcmread(ROOT / path)
    wrong.file_meta.TransferSyntaxUID = label
    assert np.array_equal(wrong.pixel_array, expected.pixel_array)
    codes = [issue.code for issue in wrong.issues]
    same = kind(expected.transfer_syntax) == kind(label)
    assert ("PIXEL_TRANSFER_SYNTAX" in codes) != same
    assert "PIXEL_TRANSFER_SYNTAX" not in [issue.code for issue in expected.issues]


def kind(uid: str) -> str:
    """What a transfer syntax's codestreams are."""
    ends = {"50": "JPEG", "51": "JPEG", "57": "lossless", "70": "lossless", "80": "LS", "81": "LS", "91": "90"}
    end = uid.rpartition(".")[2]
    return ends.get(end, end)


def test_all_frames_at_once():
    """The frames of a file are decoded in parallel, each by what it is."""
    path = ROOT / "files/pylibjpeg-data/ds/JPEGLosslessSV1/JPEGLosslessP14SV1_3s_2f_u_08_08.dcm"
    wrong = dc.dcmread(path)
    wrong.file_meta.TransferSyntaxUID = LABELS["RLE"]
    assert np.array_equal(wrong.pixel_array, dc.dcmread(path).pixel_array)
