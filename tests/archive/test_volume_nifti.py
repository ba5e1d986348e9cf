"""Volume.save: NIfTI files, read with nibabel, have each voxel where dcm2niix puts it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from tests.support.corpus import PYDICOM, real
from tests.support.volume_files import encoded, enhanced, folder_of, group, image, ramp

pytest.importorskip("pyarrow")
nibabel = pytest.importorskip("nibabel")

from dicomcore.archive import Volume, series_volume  # noqa: E402

FOLDERS = PYDICOM / "test_files" / "dicomdirtests"
COS, SIN = np.cos(0.3), np.sin(0.3)
PLANES = {  # name: row and column cosines
    "axial": [1, 0, 0, 0, 1, 0],
    "axial, feet first": [-1, 0, 0, 0, 1, 0],
    "sagittal": [0, 1, 0, 0, 0, -1],
    "coronal": [1, 0, 0, 0, 0, -1],
    "oblique": [COS, SIN, 0, -0.6 * SIN, 0.6 * COS, -0.8],
    "doubly oblique": [0.8, 0.6, 0, -0.36, 0.48, -0.8],
}


def made(folder, cosines, step=2.5, **attributes):
    """A folder of noisy slices of a plane, with shuffled names and descending Instance Numbers."""
    normal = np.cross(cosines[:3], cosines[3:])
    noise = np.random.default_rng(3).integers(-1000, 3000, (5, 7, 6)).astype(np.int16)
    images = [
        image(
            noise[i],
            np.round(np.array([-40, 12, 30]) + i * step * normal, 6),
            ImageOrientationPatient=[float(f"{one:.9f}") for one in cosines],
            InstanceNumber=5 - i,
            SeriesNumber=7,
            Manufacturer="GE MEDICAL SYSTEMS",
            **attributes,
        )
        for i in range(5)
    ]
    return folder_of(folder, images, ["d", "a", "c", "e", "b"])


def by_dcm2niix(folder: Path, out: Path):
    if shutil.which("dcm2niix") is None:
        pytest.skip("dcm2niix is not installed")
    out.mkdir()
    command = ["dcm2niix", "-b", "n", "-z", "n", "-f", "theirs", "-o", str(out), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    (found,) = [path for path in out.iterdir() if "_Eq" not in path.name and "_Tilt" not in path.name]
    return nibabel.load(found)


def assert_same(ours, theirs, tolerance=1e-3):
    """Check that two images have the same value at each position, whatever the order of their axes."""
    values, others = np.asanyarray(ours.dataobj), np.asanyarray(theirs.dataobj)
    index = np.indices(values.shape[:3]).reshape(3, -1)
    to_theirs = np.linalg.inv(theirs.affine) @ ours.affine
    places = to_theirs[:3, :3] @ index + to_theirs[:3, 3:]
    assert np.abs(places - np.rint(places)).max() < 0.05
    found = others[tuple(np.rint(places).astype(int))]
    assert np.allclose(found, values[tuple(index)], atol=tolerance)
    assert sorted(values.shape[:3]) == sorted(others.shape[:3])


@pytest.mark.parametrize("cosines", PLANES.values(), ids=PLANES)
def test_equals_dcm2niix_and_simpleitk(tmp_path, cosines):
    folder = made(tmp_path / "made", cosines, RescaleSlope=2, RescaleIntercept=-1024)
    volume = series_volume(folder, strict=True)
    volume.save(tmp_path / "ours.nii.gz")
    ours = nibabel.load(tmp_path / "ours.nii.gz")
    assert_same(ours, by_dcm2niix(folder, tmp_path / "theirs"))
    itk = pytest.importorskip("SimpleITK")
    reader = itk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    theirs = reader.Execute()
    assert np.array_equal(volume.array, itk.GetArrayFromImage(theirs))
    for k, r, c in ((0, 0, 0), (4, 6, 5), (2, 3, 1)):
        place = theirs.TransformIndexToPhysicalPoint((c, r, k))
        assert np.allclose((volume.affine @ (k, r, c, 1))[:3], place, atol=1e-4)
        assert np.allclose((ours.affine @ (c, r, k, 1))[:3], np.array(place) * (-1, -1, 1), atol=1e-4)


def test_a_real_series_equals_dcm2niix(tmp_path):
    volume = series_volume(FOLDERS / "98892001" / "CT5N", strict=True)
    volume.save(tmp_path / "ours.nii")
    theirs = by_dcm2niix(FOLDERS / "98892001" / "CT5N", tmp_path / "theirs")
    assert_same(nibabel.load(tmp_path / "ours.nii"), theirs)


def test_a_gap_is_filled_or_refused(tmp_path):
    """A real series of four slices with 20 cm between the first two, which one affine can't describe."""
    with pytest.raises(dc.EncodeError, match=r"slices are missing.*fill"):
        series_volume(FOLDERS / "77654033" / "CT2").save(tmp_path / "a.nii")
    volume = series_volume(FOLDERS / "77654033" / "CT2", fill=-1024)
    volume.save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    for path in (FOLDERS / "77654033" / "CT2").iterdir():
        one = pydicom.dcmread(path)
        place = np.array([*one.ImagePositionPatient, 1]) * (-1, -1, 1, 1)
        index = np.rint(np.linalg.inv(found.affine) @ place)[:3].astype(int)
        wanted = one.pixel_array * one.RescaleSlope + one.RescaleIntercept
        assert np.array_equal(np.asanyarray(found.dataobj)[:, :, index[2]], wanted.T)


def test_a_real_enhanced_series_equals_its_slices(tmp_path):
    volume = series_volume(real("23x38x3/multiframe/mf.dcm"))
    volume.save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    assert np.array_equal(found.dataobj, volume.array.transpose())
    assert_same(found, by_dcm2niix(real("23x38x3/image/IMG0001.dcm").parent, tmp_path / "theirs"))


def test_the_header(tmp_path):
    volume = series_volume(made(tmp_path / "made", PLANES["oblique"]))
    for name in ("a.nii", "B.NII.GZ"):
        volume.save(tmp_path / name)
        header = nibabel.load(tmp_path / name).header
        assert header.get_xyzt_units() == ("mm", "sec")
        assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
        assert np.allclose(header.get_qform(), header.get_sform(), atol=1e-4)
        assert header.get_data_dtype() == np.float32
        assert header.get_zooms() == pytest.approx((0.25, 0.5, 2.5))
    assert (tmp_path / "B.NII.GZ").read_bytes()[:2] == b"\x1f\x8b"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["B.NII.GZ", "a.nii"]


def test_a_sheared_stack_has_no_qform(tmp_path):
    tilted = [dc.dcmread(encoded(image(z, (0, -0.3 * z, z)))) for z in range(4)]
    volume = series_volume(tilted)
    volume.save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    assert (int(found.header["qform_code"]), int(found.header["sform_code"])) == (0, 1)
    assert np.allclose(found.affine @ (0, 0, 3, 1), (0, 0.9, 3, 1))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8", "f2"])
def test_dtypes(tmp_path, dtype):
    array = np.arange(60).reshape(3, 4, 5).astype(dtype)
    Volume(array, np.eye(4), ((("a", 0),) * 3), ()).save(tmp_path / "a.nii.gz")
    found = nibabel.load(tmp_path / "a.nii.gz")
    assert found.get_data_dtype() == ("f4" if dtype == "f2" else dtype)
    assert np.array_equal(found.dataobj, array.transpose())


def test_stored_values_go_with_slope_and_intercept(tmp_path):
    folder = made(tmp_path / "made", PLANES["axial"], RescaleSlope=0.5, RescaleIntercept=-1024)
    stored = series_volume(folder, rescale=False)
    stored.save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    assert found.get_data_dtype() == np.int16
    assert (found.dataobj.slope, found.dataobj.inter) == (0.5, -1024)
    assert np.array_equal(found.dataobj.get_unscaled(), stored.array.transpose())
    assert np.array_equal(found.dataobj, series_volume(folder).array.transpose())


def test_times_have_their_step(tmp_path):
    groups = [group((0, 0, frame % 3), TemporalPositionIndex=frame // 3 + 1) for frame in range(6)]
    for frame, one in enumerate(groups):
        one.FrameContentSequence[0].FrameAcquisitionDateTime = f"202001011000{3 * (frame // 3):02}"
    volume = series_volume(dc.dcmread(encoded(enhanced(ramp(6), groups))), times="all", strict=True)
    volume.save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    assert found.shape == (5, 4, 3, 2)
    assert found.header.get_zooms() == pytest.approx((0.25, 0.5, 1, 3))
    assert np.asanyarray(found.dataobj)[0, 0].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_colour_is_rgb24(tmp_path):
    colours = np.random.default_rng(1).integers(0, 255, (3, 4, 5, 3)).astype(np.uint8)
    made = [dc.dcmread(encoded(image(one, (0, 0, z)))) for z, one in enumerate(colours)]
    series_volume(made).save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    assert int(found.header["datatype"]) == 128
    held = np.asanyarray(found.dataobj)
    assert np.array_equal(np.stack([held[channel] for channel in "RGB"], -1), colours.transpose(2, 1, 0, 3))


def test_volumes_that_nifti_cannot_represent_are_refused(tmp_path):
    slices = (("a", 0),)
    for array, message in (
        (np.zeros((1, 2, 2, 3), np.uint16), "three 8-bit samples"),
        (np.zeros((1, 1, 40000), np.uint8), "32767 voxels"),
    ):
        with pytest.raises(dc.EncodeError, match=message):
            Volume(array, np.eye(4), slices, ()).save(tmp_path / "a.nii")
    several = [dc.dcmread(encoded(image(z, (0, 0, z), RescaleSlope=z + 1, RescaleIntercept=0))) for z in range(3)]
    with pytest.raises(dc.EncodeError, match="leave rescale=True"):
        series_volume(several, rescale=False).save(tmp_path / "a.nii")
    with pytest.raises(ValueError, match=r"ends in \.nii"):
        series_volume(several).save(tmp_path / "a.img")
    with pytest.raises(FileNotFoundError):
        series_volume(several).save(tmp_path / "nowhere" / "a.nii")
    assert not list(tmp_path.iterdir())


@pytest.mark.thread_unsafe(reason="hides a module")
def test_without_nibabel_the_extra_is_named(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "nibabel"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nibabel", None)
    monkeypatch.setitem(sys.modules, "nibabel.nifti1", None)
    with pytest.raises(ModuleNotFoundError, match=r"nibabel is not installed; pip install \"dicomcore\[nifti\]\""):
        Volume(np.zeros((1, 2, 2)), np.eye(4), (("a", 0),), ()).save(tmp_path / "a.nii")
    assert not list(tmp_path.iterdir())


def test_pydicom_agrees_on_the_first_voxel(tmp_path):
    folder = made(tmp_path / "made", PLANES["coronal"])
    lowest = min((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda one: -one.InstanceNumber)
    series_volume(folder).save(tmp_path / "a.nii")
    found = nibabel.load(tmp_path / "a.nii")
    assert np.asanyarray(found.dataobj)[2, 3, 0] == lowest.pixel_array[3, 2]
