"""series_volume, compared with SimpleITK's reading of the same files, and with expected values for irregular stacks."""

from __future__ import annotations

import shutil
import warnings

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from tests.support.corpus import PYDICOM, real

pytest.importorskip("pyarrow")

from dicomcore.archive import series_volume

CT = PYDICOM / "test_files" / "dicomdirtests" / "98892001" / "CT5N"  # 5 slices, the last file lowest


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def codes(volume) -> list[str]:
    return [one.code for one in volume.issues]


def written(folder, positions, *, template=None, **changes):
    """Copies of a real slice at these positions; `changes` are lists by keyword, with a value for each slice."""
    source = pydicom.dcmread(template or PYDICOM / "test_files" / "CT_small.dcm")
    folder.mkdir(exist_ok=True)
    for i, position in enumerate(positions):
        source.ImagePositionPatient = [float(one) for one in position]
        source.SOPInstanceUID = f"1.2.3.{i}"
        for keyword, values in changes.items():
            setattr(source, keyword, values[i])
        source.save_as(folder / f"{i:03}.dcm")
    return folder


def along_z(places, x=0.0, y=0.0):
    return [(x, y, z) for z in places]


def by_itk(folder):
    """SimpleITK's array and affine, with columns in the order of our axes."""
    itk = pytest.importorskip("SimpleITK")
    reader = itk.ImageSeriesReader()
    (series,) = reader.GetGDCMSeriesIDs(str(folder))
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder), series))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = (np.array(image.GetDirection()).reshape(3, 3) @ np.diag(image.GetSpacing()))[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    return itk.GetArrayFromImage(image), affine


def oblique():
    """A slice plane turned about two axes, and five positions along its normal, rounded as in a DS."""
    across, down = np.array([0.8, 0.6, 0.0]), np.array([-0.36, 0.48, -0.8])
    normal = np.cross(across, down)
    return [*across, *down], [np.array([10.0, -20.0, 30.0]) + 2.5 * i * normal for i in (3, 0, 4, 1, 2)]


def test_equals_simpleitk(tmp_path):
    orientation, positions = oblique()
    turned = written(tmp_path / "turned", positions, ImageOrientationPatient=[orientation] * 5)
    segmented = real("23x38x3/image/IMG0001.dcm").parent
    for folder in (CT, turned, segmented):
        volume = series_volume(folder)
        array, affine = by_itk(folder)
        assert np.array_equal(volume.array, array)
        assert np.allclose(volume.affine, affine, atol=1e-6)
        assert volume.issues == ()


def test_a_multiframe_file_is_the_same_volume_as_its_slices():
    single = series_volume(real("23x38x3/image/IMG0001.dcm").parent)
    enhanced = series_volume(real("23x38x3/multiframe/mf.dcm"))
    assert np.array_equal(single.array, enhanced.array)
    assert np.allclose(single.affine, enhanced.affine)
    assert [frame for _, frame in enhanced.sources] == [0, 1, 2]


def test_values_places_and_types():
    paths = sorted(CT.iterdir())
    volume = series_volume(reversed(paths))
    by_height = sorted((pydicom.dcmread(path) for path in paths), key=lambda one: one.ImagePositionPatient[2])
    wanted = np.stack([one.pixel_array * one.RescaleSlope + one.RescaleIntercept for one in by_height])
    assert volume.array.dtype == np.float32
    assert np.array_equal(volume.array, wanted)
    assert [path for path, _ in volume.sources] == [one.filename and str(one.filename) for one in by_height]
    for k, one in enumerate(by_height):
        assert np.allclose(volume.affine @ (k, 0, 0, 1), [*one.ImagePositionPatient, 1])
        row, column = one.ImageOrientationPatient[3:], one.ImageOrientationPatient[:3]
        place = np.array(one.ImagePositionPatient) + 3 * np.array(row) * one.PixelSpacing[0]
        place += 5 * np.array(column) * one.PixelSpacing[1]
        assert np.allclose((volume.affine @ (k, 3, 5, 1))[:3], place)
    assert volume.spacing == pytest.approx((2.5, 0.488281, 0.488281))
    assert np.array_equal(volume.ras_affine[:2], -volume.affine[:2])
    stored = series_volume([dc.dcmread(path) for path in paths], rescale=False)
    assert stored.array.dtype == by_height[0].pixel_array.dtype
    assert np.array_equal(stored.array, np.stack([one.pixel_array for one in by_height]))
    assert series_volume(CT, dtype="int16").array.dtype == np.int16


def test_each_slice_has_its_own_slope(tmp_path):
    folder = written(tmp_path / "pet", along_z(range(4)), RescaleSlope=[1, 2, 3, 4], RescaleIntercept=[0, 0, -5, 0])
    flat = pydicom.dcmread(folder / "000.dcm").pixel_array.astype(float)
    wanted = [flat * slope + intercept for slope, intercept in ((1, 0), (2, 0), (3, -5), (4, 0))]
    assert np.array_equal(series_volume(folder).array, np.stack(wanted).astype(np.float32))


def test_a_dose_grid_is_in_gray():
    path = PYDICOM / "test_files" / "rtdose.dcm"
    there = pydicom.dcmread(path)
    volume = series_volume(path)
    assert np.allclose(volume.array, there.pixel_array * there.DoseGridScaling)
    assert np.diff([volume.affine @ (k, 0, 0, 1) for k in range(15)], axis=0)[:, 2] == pytest.approx(
        np.diff(there.GridFrameOffsetVector)
    )


ODD = {  # name: (positions, the code, slices in the array)
    "a slice is missing": (along_z([0, 2, 4, 8, 10]), "MISSING_SLICES", 5),
    "two at one place": (along_z([0, 2, 2, 4, 6]), "DUPLICATE_POSITION", 4),
    "unequal steps": (along_z([0, 2, 4.6, 6, 8]), "UNEVEN_SPACING", 5),
    "one beside the others": ([*along_z([0, 2, 4]), (3, 0, 6), (0, 0, 8)], "UNEVEN_SPACING", 5),
    "tilted gantry": ([(0, -0.3 * z, z) for z in range(5)], "TILTED", 5),
}


@pytest.mark.parametrize(("positions", "code", "count"), ODD.values(), ids=ODD)
def test_irregular_stacks_are_issues(tmp_path, positions, code, count):
    volume = series_volume(written(tmp_path / "odd", positions))
    assert codes(volume) == [code]
    assert len(volume.array) == count


def test_a_tilted_stack_keeps_its_shear(tmp_path):
    positions = [(0, -0.3 * z, z) for z in range(5)]
    volume = series_volume(written(tmp_path / "tilted", positions))
    for k, position in enumerate(positions):
        assert np.allclose((volume.affine @ (k, 0, 0, 1))[:3], position)


MIXED = {
    "MIXED_ORIENTATION": ("ImageOrientationPatient", [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1]),
    "MIXED_SPACING": ("PixelSpacing", [1, 1], [1, 2]),
    "MIXED_FRAME_OF_REFERENCE": ("FrameOfReferenceUID", "1.2", "1.3"),
}


@pytest.mark.parametrize(("code", "keyword", "most", "few"), [(code, *rest) for code, rest in MIXED.items()], ids=MIXED)
def test_slices_that_do_not_fit_are_left_out(tmp_path, code, keyword, most, few):
    folder = written(tmp_path / "mixed", along_z(range(5)), **{keyword: [few, most, most, most, most]})
    volume = series_volume(folder)
    assert codes(volume) == [code]
    assert [path[-7:] for path, _ in volume.sources] == ["001.dcm", "002.dcm", "003.dcm", "004.dcm"]


def test_slices_of_another_size_are_left_out(tmp_path):
    written(tmp_path / "mixed", along_z(range(5)))
    written(tmp_path / "small", along_z([9]), template=PYDICOM / "test_files" / "MR_small.dcm")
    shutil.copy(tmp_path / "small" / "000.dcm", tmp_path / "mixed" / "009.dcm")
    volume = series_volume(tmp_path / "mixed")
    assert codes(volume) == ["MIXED_SHAPE"]
    assert volume.array.shape == (5, 128, 128)


def test_gaps_are_filled_on_request(tmp_path):
    folder = written(tmp_path / "gap", along_z([0, 2, 4, 8, 10]))
    volume = series_volume(folder, fill=-1024)
    assert volume.array.shape == (6, 128, 128)
    assert (volume.array[3] == -1024).all()
    assert [one is None for one in volume.sources] == [False, False, False, True, False, False]
    assert np.allclose(volume.affine @ (5, 0, 0, 1), (0, 0, 10, 1))
    far = written(tmp_path / "far", along_z([0, 1, 2, 1e9]))
    with pytest.raises(dc.DicomError, match="no gap"):
        series_volume(far, fill=0)
    assert codes(series_volume(far)) == ["MISSING_SLICES"]


def test_one_slice_has_the_stated_thickness():
    volume = series_volume(PYDICOM / "test_files" / "CT_small.dcm")
    assert volume.spacing == pytest.approx((5.0, 0.661468, 0.661468))


def test_files_without_a_position_are_an_issue(tmp_path):
    folder = written(tmp_path / "series", along_z(range(3)))
    plan = PYDICOM / "test_files" / "rtplan.dcm"
    volume = series_volume([folder, plan])
    assert codes(volume) == ["NO_POSITION"]
    assert "rtplan.dcm" in volume.issues[0].message
    for nothing in ([plan], []):
        with pytest.raises(dc.DicomError, match="no volume"):
            series_volume(nothing)
    with pytest.raises(OSError, match="nowhere"):
        series_volume(tmp_path / "nowhere")


BAD = {
    "no position": ("ImagePositionPatient", []),
    "two numbers": ("ImagePositionPatient", [1, 2]),
    "flat cosines": ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0]),
    "no cosines": ("ImageOrientationPatient", [0, 0, 0, 0, 0, 0]),
}


@pytest.mark.parametrize(("keyword", "value"), BAD.values(), ids=BAD)
def test_invalid_attributes_give_no_position(keyword, value):
    data_set = pydicom.dcmread(PYDICOM / "test_files" / "CT_small.dcm")
    setattr(data_set, keyword, value)
    with pytest.raises(dc.DicomError, match="no volume"):
        series_volume(dc.from_pydicom(data_set))
