"""series_volume: the values of slices with different sample types are kept exactly, or refused."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from tests.support.volume_files import encoded, image

pytest.importorskip("pyarrow")

from dicomcore.archive import series_volume


def stack(*slices, **attributes):
    return [dc.dcmread(encoded(image(one, (0, 0, z), **attributes))) for z, one in enumerate(slices)]


def flat(dtype, *values):
    return np.resize(np.array(values, dtype), (4, 5))


MIXED = {  # name: (a slice, another, dtype that holds both)
    "signed, unsigned": (flat("i2", -5, 3), flat("u2", 40000, 1), "i4"),
    "unsigned, signed": (flat("u2", 40000, 1), flat("i2", -5, 3), "i4"),
    "8 bits, 16": (flat("u1", 200, 1), flat("u2", 4000, 1), "u2"),
    "8 bits, signed 16": (flat("u1", 200, 1), flat("i2", -4000, 1), "i2"),
    "16 bits, 32": (flat("i2", -5, 1), flat("i4", 1 << 30, -(1 << 30)), "i4"),
    "unsigned 32, signed 16": (flat("u4", 4_000_000_000, 1), flat("i2", -1, 1), "i8"),
    "all alike": (flat("u1", 200, 1), flat("u1", 100, 1), "u1"),
}


@pytest.mark.parametrize(("a", "b", "wanted"), MIXED.values(), ids=MIXED)
def test_stored_values_of_several_types(a, b, wanted):
    volume = series_volume(stack(a, b), rescale=False)
    assert volume.array.dtype == wanted
    assert np.array_equal(volume.array[0], a)
    assert np.array_equal(volume.array[1], b)


def test_no_type_holds_signed_and_unsigned_64_bits():
    made = stack(flat("u8", 1 << 63, 1), flat("i8", -1, 1))
    with pytest.raises(dc.DicomError, match=r"no dtype holds .*uint64 in 0, frame 0, int64 in 1, frame 0"):
        series_volume(made, rescale=False)


REFUSED = {  # name: (a slice, options, part of the message)
    "too large": (flat("u2", 40000), {"rescale": False, "dtype": "i2"}, "int16 can't hold its values from 40000"),
    "too small": (flat("i2", -1, 5), {"rescale": False, "dtype": "u2"}, "uint16 can't hold its values from -1"),
    "rescaled too large": (flat("i2", 300), {"dtype": "u1"}, "uint8 can't hold its values from 300"),
    "fractions": (flat("i2", 3), {"dtype": "i2", "slope": 0.5}, "can't hold values such as 0.5: choose a float dtype"),
    "beyond float16": (flat("u2", 65535), {"dtype": "f2"}, "float16 can't hold values beyond 65504"),
    "beyond float32": (flat("i2", 4), {"slope": 1e38}, "float32 can't hold values beyond"),
    "fill below 0": (flat("u2", 5), {"rescale": False, "fill": -1}, "fill is -1, which uint16 can't hold"),
    "fill of a fraction": (flat("i2", 5), {"rescale": False, "fill": 0.5}, "fill is 0.5, which int16"),
    "fill of NaN": (flat("i2", 5), {"rescale": False, "fill": np.nan}, "fill is nan, which int16"),
    "fill beyond float32": (flat("i2", 5), {"fill": 1e39}, "fill is 1e.39, which float32"),
}


@pytest.mark.parametrize(("pixels", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_values_that_do_not_fit_are_refused(pixels, options, message):
    options = dict(options)
    slope = options.pop("slope", 1)
    made = stack(flat(pixels.dtype, 1), flat(pixels.dtype, 1), pixels, RescaleSlope=slope, RescaleIntercept=0)
    with pytest.raises(dc.DicomError, match=message):
        series_volume(made, **options)


HELD = {  # name: (dtype, slope, intercept)
    "whole numbers in integers": ("i2", 2, -1024),
    "fractions in floats": ("f4", 0.5, 0.25),
    "double": ("f8", 0.1, 1e-9),
    "half": ("f2", 0.5, 0),
    "64 bits": ("i8", 1, 1 << 40),
}


@pytest.mark.parametrize(("dtype", "slope", "intercept"), HELD.values(), ids=HELD)
def test_values_that_fit_are_kept(dtype, slope, intercept):
    pixels = flat("i2", 3, -7, 500)
    volume = series_volume(stack(pixels, pixels, RescaleSlope=slope, RescaleIntercept=intercept), dtype=dtype)
    assert volume.array.dtype == dtype
    assert np.array_equal(volume.array[0], (pixels * float(slope) + intercept).astype(dtype))


@pytest.mark.parametrize("dtype", ["?", "c8", "O", "S4"])
def test_other_dtypes_are_refused(dtype):
    with pytest.raises(ValueError, match="dtype is one of integers or floats"):
        series_volume(stack(flat("i2", 1)), dtype=dtype)


def test_a_mixed_series_is_rescaled_slice_by_slice():
    made = [
        dc.dcmread(encoded(image(flat("i2", -5), (0, 0, 0), RescaleSlope=2, RescaleIntercept=1))),
        dc.dcmread(encoded(image(flat("u2", 40000), (0, 0, 1), RescaleSlope=1, RescaleIntercept=-1024))),
    ]
    volume = series_volume(made, strict=True)
    assert volume.array[:, 0, 0].tolist() == [-9, 38976]
    assert volume.slope_intercept == (1, 0)
    assert series_volume(made, rescale=False).slope_intercept is None
    assert series_volume(made[:1], rescale=False).slope_intercept == (2, 1)


def test_frames_of_other_shapes_in_one_series():
    made = stack(flat("u2", 1), flat("u2", 2))
    other = dc.dcmread(encoded(image(np.zeros((6, 5), "u2"), (0, 0, 2))))
    volume = series_volume([*made, other])
    assert [one.code for one in volume.issues] == ["MIXED_SHAPE"]
    assert len(volume.array) == 2
