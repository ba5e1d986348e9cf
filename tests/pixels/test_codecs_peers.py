"""Other libraries decode what our encoders and the plain writer of the tests encode."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_encode, rle_encode
from tests.pixels.test_jpegll import picture
from tests.support.jpeg_writer import write

IMAGES = {  # name: (samples, bits stored)
    "8 bits": (picture(61, 83, 8), 8),
    "12 bits": (picture(61, 83, 12), 12),
    "16 bits, noisy": (picture(61, 83, 16, noise=0.3), 16),
    "RGB": (np.stack([picture(61, 83, 8, seed) for seed in range(3)], -1), 8),
    "one sample": (np.array([[7]], np.uint8), 8),
    "flat": (np.zeros((61, 83), np.uint16), 16),
}
images = pytest.mark.parametrize(("array", "bits"), IMAGES.values(), ids=IMAGES)


@images
@pytest.mark.parametrize("predictor", range(1, 8))
def test_libjpeg_turbo_reads_ours(array, bits, predictor):
    imagecodecs = pytest.importorskip("imagecodecs")
    stream = jpeg_lossless_encode(array, precision=bits, selection_value=predictor)
    assert np.array_equal(imagecodecs.jpeg8_decode(stream), array)


@images
def test_libjpeg_reads_ours(array, bits):
    libjpeg = pytest.importorskip("libjpeg")
    for predictor in (1, 4, 7):
        stream = jpeg_lossless_encode(array, precision=bits, selection_value=predictor)
        assert np.array_equal(libjpeg.decode(stream), array)


@pytest.mark.parametrize("told", [{}, {"restart": 2}, {"point_transform": 2}, {"tables": [4]}], ids=str)
def test_libjpeg_turbo_reads_the_plain_writer(told):
    imagecodecs = pytest.importorskip("imagecodecs")
    array = picture(13, 17, 12)
    stream = write([array], 13, 17, precision=12, predictor=5, **told)
    assert np.array_equal(imagecodecs.jpeg8_decode(stream), jpeg_lossless_decode(stream))


def save(path: Path, array: np.ndarray, bits: int, encoded: bytes, transfer_syntax: str) -> None:
    """A DICOM file of one frame."""
    pydicom = pytest.importorskip("pydicom")
    from pydicom.encaps import encapsulate

    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = transfer_syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    ds = pydicom.Dataset()
    ds.file_meta = meta
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Rows, ds.Columns = array.shape[:2]
    ds.SamplesPerPixel = 3 if array.ndim == 3 else 1
    ds.PhotometricInterpretation = "RGB" if array.ndim == 3 else "MONOCHROME2"
    if array.ndim == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8 * array.itemsize, bits, bits - 1, 0
    ds.PixelData = encapsulate([encoded])
    ds["PixelData"].VR = "OB"
    ds.save_as(path, enforce_file_format=True)


SYNTAXES = {
    "JPEG lossless": (
        "1.2.840.10008.1.2.4.57",
        lambda array, bits: jpeg_lossless_encode(array, precision=bits, selection_value=6),
    ),
    "JPEG lossless SV1": ("1.2.840.10008.1.2.4.70", lambda array, bits: jpeg_lossless_encode(array, precision=bits)),
    "RLE": ("1.2.840.10008.1.2.5", lambda array, bits: rle_encode(array)),
}
syntaxes = pytest.mark.parametrize(("uid", "encode"), SYNTAXES.values(), ids=SYNTAXES)

GDCM = """
import sys, gdcm
reader = gdcm.ImageReader()
reader.SetFileName(sys.argv[1])
assert reader.Read()
sys.stdout.buffer.write(reader.GetImage().GetBuffer().encode("utf-8", "surrogateescape"))
"""


@images
@syntaxes
def test_gdcm_reads_ours(tmp_path, array, bits, uid, encode):
    pytest.importorskip("gdcm")
    if array.size < 8 and uid.endswith(".5"):
        pytest.skip("GDCM gives nothing for so short an RLE frame, whoever wrote it")
    save(tmp_path / "ours.dcm", array, bits, encode(array, bits), uid)
    done = subprocess.run([sys.executable, "-c", GDCM, tmp_path / "ours.dcm"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout[: array.nbytes] == array.tobytes()


@images
@syntaxes
def test_dcmtk_reads_ours(tmp_path, array, bits, uid, encode):
    tool = shutil.which("dcmdrle" if uid.endswith(".5") else "dcmdjpeg")
    if tool is None:
        pytest.skip("DCMTK is not installed")
    pydicom = pytest.importorskip("pydicom")
    save(tmp_path / "ours.dcm", array, bits, encode(array, bits), uid)
    options = [] if uid.endswith(".5") else ["+cn"]  # no colour conversion
    subprocess.run([tool, *options, tmp_path / "ours.dcm", tmp_path / "plain.dcm"], check=True, timeout=60)
    assert pydicom.dcmread(tmp_path / "plain.dcm").PixelData[: array.nbytes] == array.tobytes()


@images
def test_pylibjpeg_rle_reads_ours(array, bits):
    rle = pytest.importorskip("rle.rle")
    decoded = rle.decode_frame(rle_encode(array), array.shape[0] * array.shape[1], 8 * array.itemsize, "<")
    planes = np.moveaxis(array, -1, 0) if array.ndim == 3 else array
    assert bytes(decoded) == planes.tobytes()
    theirs = rle.encode_frame(
        array.tobytes(), *array.shape[:2], array.shape[2] if array.ndim == 3 else 1, 8 * array.itemsize, "<"
    )
    assert len(rle_encode(array)) <= len(theirs)
