"""set_pixels: the meaning of the array's axes and type, and the attributes that follow the new pixels."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore.errors import EncodeError
from tests.support.corpus import real
from tests.support.made_images import made

CT, SECONDARY_CAPTURE, PARAMETRIC_MAP = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in (2, 7, 30))
SYNTAXES = ("implicit", "explicit", "big-endian")


def held(pixel_representation=1, **values) -> dc.Dataset:
    """A data set as it is read from a file with pixels of that sign."""
    ds = dc.Dataset()
    ds.update({"SOPClassUID": SECONDARY_CAPTURE, "SOPInstanceUID": "1.2.3"})
    ds.set_pixels(np.zeros((4, 5), "i2" if pixel_representation else "u2"), new_instance=False)
    ds.update(values)
    return ds


def read(ds, syntax):
    """What dicomcore and pydicom read of the file."""
    data = ds.to_bytes(transfer_syntax=syntax)
    return dc.dcmread(data), pydicom.dcmread(io.BytesIO(data))


# -- values whose VR follows Pixel Representation


def with_vr(ds, vr, **values):
    for keyword, value in values.items():
        ds.add_new(keyword, vr, value)
    return ds


TURNED = {  # name: (old Pixel Representation, VR, keyword, value, new dtype, value afterwards)
    "padding beyond unsigned": (1, "SS", "PixelPaddingValue", -2000, "u2", None),
    "padding that fits": (1, "SS", "PixelPaddingValue", 63, "u2", 63),
    "padding beyond signed": (0, "US", "PixelPaddingValue", 63536, "i2", None),
    "padding beyond bytes": (1, "SS", "PixelPaddingValue", 2000, "u1", None),
    "to signed 32": (0, "US", "PixelPaddingValue", 4000, "i4", 4000),
    "range limit": (1, "SS", "PixelPaddingRangeLimit", -1000, "u2", None),
    "range limit that fits": (0, "US", "PixelPaddingRangeLimit", 1000, "i2", 1000),
    "smallest of the series": (1, "SS", "SmallestPixelValueInSeries", -1024, "u2", None),
    "largest of the series": (1, "SS", "LargestPixelValueInSeries", 3071, "u2", 3071),
    "palette": (0, "US", "RedPaletteColorLookupTableDescriptor", [256, 10, 16], "i2", [256, 10, 16]),
    "palette that begins below 0": (1, "SS", "RedPaletteColorLookupTableDescriptor", [256, -10, 16], "u2", None),
    "the same sign": (1, "SS", "PixelPaddingValue", -2000, "i2", -2000),
    "the same sign, other words": (0, "US", "PixelPaddingValue", 63536, "u4", 63536),
}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("source_syntax", [None, *SYNTAXES])
@pytest.mark.parametrize(("before", "vr", "keyword", "value", "dtype", "after"), TURNED.values(), ids=TURNED)
def test_values_follow_the_sign(before, vr, keyword, value, dtype, after, source_syntax, syntax):
    ds = with_vr(held(before), vr, **{keyword: value})
    if source_syntax is not None:
        ds = dc.dcmread(ds.to_bytes(transfer_syntax=source_syntax))
    ds.set_pixels(np.ones((4, 5), dtype))
    ours, theirs = read(ds, syntax)
    assert ours.get(keyword) == after
    assert (keyword in theirs) == (after is not None)
    if after is not None:
        found = theirs[keyword].value
        assert (list(found) if isinstance(after, list) else found) == after


def table(vr, descriptor) -> dc.Dataset:
    item = dc.Dataset()
    item.add_new("LUTDescriptor", vr, descriptor)
    item.add_new("LUTData", "OW", np.arange(descriptor[0] & 0xFFFF, dtype="u2").tobytes())
    item.LUTExplanation = str(descriptor[1])
    return item


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("sequence", ["ModalityLUTSequence", "VOILUTSequence"])
def test_tables_follow_the_sign(sequence, syntax):
    ds = held(1, **{sequence: [table("SS", [16, 5, 16]), table("SS", [16, -8, 16])]})
    original = dc.dcmread(ds.to_bytes(transfer_syntax=syntax))
    copy = original.copy()
    copy.set_pixels(np.ones((4, 5), "u2"))
    ours, theirs = read(copy, syntax)
    for found in (ours, theirs):
        assert [item.LUTExplanation for item in found[sequence].value] == ["5"]  # the other table can't begin below 0
        assert list(found[sequence].value[0].LUTDescriptor) == [16, 5, 16]
    assert [item.LUTDescriptor for item in original[sequence].value] == [[16, 5, 16], [16, -8, 16]]


def test_a_table_of_many_entries_for_signed_pixels():
    ds = held(0, ModalityLUTSequence=[table("US", [40000, 3, 16])])
    ds.set_pixels(np.ones((4, 5), "i2"))
    found = ds.ModalityLUTSequence[0]["LUTDescriptor"]
    assert found.VR == "SS"
    assert np.array(found.value, "i2").view("u2").tolist() == [40000, 3, 16]


def test_the_last_table_takes_its_sequence_along():
    ds = held(1, ModalityLUTSequence=[table("SS", [16, -8, 16])])
    ds.set_pixels(np.ones((4, 5), "u2"))
    assert "ModalityLUTSequence" not in ds


def test_voi_tables_behind_a_rescale_are_left_alone():
    """Their input is no stored value (PS3.3 C.11.2.1.1)."""
    ds = held(0, RescaleSlope=1, RescaleIntercept=-1024, VOILUTSequence=[table("SS", [16, -8, 16])])
    ds.set_pixels(np.ones((4, 5), "i2"))
    assert ds.VOILUTSequence[0].LUTDescriptor == [16, -8, 16]


def test_values_in_functional_groups():
    mapping = with_vr(dc.Dataset(), "SS", RealWorldValueFirstValueMapped=-5, RealWorldValueLastValueMapped=200)
    group = dc.Dataset()
    group.RealWorldValueMappingSequence = [mapping]
    icon = with_vr(held(1), "SS", PixelPaddingValue=-7)
    ds = held(1, SharedFunctionalGroupsSequence=[group], IconImageSequence=[icon])
    ds.set_pixels(np.ones((4, 5), "u2"))
    found = ds.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert "RealWorldValueFirstValueMapped" not in found
    assert (found.RealWorldValueLastValueMapped, found["RealWorldValueLastValueMapped"].VR) == (200, "US")
    assert ds.IconImageSequence[0].PixelPaddingValue == -7  # which has pixels of its own
    assert mapping.RealWorldValueFirstValueMapped == -5


def test_padding_of_floats_and_of_whole_numbers():
    ds = with_vr(held(1), "SS", PixelPaddingValue=-2000)
    ds.SOPClassUID = PARAMETRIC_MAP
    ds.set_pixels(np.ones((4, 5), "f4"))
    assert "PixelPaddingValue" not in ds
    ds.FloatPixelPaddingValue = -1.0
    ds.set_pixels(np.ones((4, 5), "i2"))
    assert "FloatPixelPaddingValue" not in ds


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_values_set_before_the_pixels(syntax):
    ds = dc.Dataset()
    ds.update({"SOPClassUID": SECONDARY_CAPTURE, "SOPInstanceUID": "1.2.3", "PixelPaddingValue": -2000})
    ds.set_pixels(np.zeros((4, 5), "i2"))
    for found in read(ds, syntax):
        assert found["PixelPaddingValue"].value == -2000


def test_a_real_ct():
    ds = dc.dcmread(real("CT_small.dcm"))
    assert ds.PixelPaddingValue == -2000
    ds.set_pixels(ds.pixel_array.astype("u2"))
    for found in read(ds, "implicit"):
        assert "PixelPaddingValue" not in found
        assert found.PixelRepresentation == 0


# -- floats


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("sop_class", [CT, SECONDARY_CAPTURE])
def test_floats_that_the_data_set_cannot_hold(sop_class, dtype):
    ds = held(1, SOPClassUID=sop_class)
    before = ds.to_bytes()
    with pytest.raises(dc.EncodeError, match=r"Storage has no Float Pixel Data.*astype\(np\.int16\)"):
        ds.set_pixels(np.ones((4, 5), dtype))
    assert ds.to_bytes() == before


@pytest.mark.parametrize("sop_class", [PARAMETRIC_MAP, "1.2.840.10008.5.1.4.1.1.66.8", "1.2.3.4", None])
def test_floats_that_the_data_set_can_hold(sop_class):
    ds = dc.Dataset()
    if sop_class is not None:
        ds.SOPClassUID = sop_class
    array = np.linspace(0, 1, 20, dtype="f4").reshape(4, 5)
    ds.set_pixels(array)
    assert np.array_equal(ds.pixel_array, array)


@pytest.mark.parametrize("rescale", [{"RescaleIntercept": -1024}, {"RescaleSlope": 2, "RescaleIntercept": 0}])
def test_floats_are_not_rescaled_twice(rescale):
    ds = held(1, SOPClassUID=PARAMETRIC_MAP, **rescale)
    with pytest.raises(dc.EncodeError, match="Rescale Slope and Intercept"):
        ds.set_pixels(np.ones((4, 5), "f4"))
    ds.update({"RescaleSlope": 1, "RescaleIntercept": 0})
    ds.set_pixels(np.ones((4, 5), "f4"))


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
def test_other_floats(dtype):
    with pytest.raises(dc.EncodeError, match=r"not float.*: astype\(np\.float32\) converts them"):
        dc.Dataset().set_pixels(np.ones((4, 5), dtype))


# -- what the axes are


AXES = {  # name: (shape, dtype, photometric interpretation, frames, samples)
    "picture": ((4, 5), "u1", None, None, 1),
    "frames": ((5, 6, 7), "u1", None, 5, 1),
    "colour": ((5, 6, 3), "u1", None, None, 3),
    "colour of 16 bits": ((5, 6, 3), "u2", None, None, 3),
    "colour frames": ((2, 5, 6, 3), "u1", None, 2, 3),
    "three frames": ((3, 5, 6), "u1", None, 3, 1),
    "frames of 3 columns, said": ((5, 6, 3), "u1", "MONOCHROME2", 5, 1),
    "signed frames of 3 columns, said": ((5, 6, 3), "i2", "MONOCHROME2", 5, 1),
    "indices of 3 columns": ((5, 6, 3), "u1", "PALETTE COLOR", 5, 1),
    "frames of 4 columns, said": ((5, 6, 4), "u1", "MONOCHROME1", 5, 1),
    "colour, said": ((5, 6, 3), "u1", "YBR_FULL", None, 3),
    "four samples, said": ((5, 6, 4), "u1", "CMYK", None, 4),
}


@pytest.mark.parametrize(("shape", "dtype", "interpretation", "frames", "samples"), AXES.values(), ids=AXES)
def test_axes(shape, dtype, interpretation, frames, samples):
    ds = dc.Dataset()
    ds.set_pixels(np.ones(shape, dtype), photometric_interpretation=interpretation)
    assert (ds.get("NumberOfFrames"), ds.SamplesPerPixel) == (frames, samples)
    colour = "RGB" if samples == 3 else "MONOCHROME2"
    assert ds.PhotometricInterpretation == (interpretation or colour)


AMBIGUOUS = {
    "signed, 3 at the end": ((5, 6, 3), "i2"),
    "floats, 3 at the end": ((5, 6, 3), "f4"),
    "bits, 3 at the end": ((5, 6, 3), "?"),
    "4 at the end": ((5, 6, 4), "u1"),
    "signed, 4 at the end": ((5, 6, 4), "i2"),
}


@pytest.mark.parametrize(("shape", "dtype"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_axes_that_may_mean_either(shape, dtype):
    words = f'of shape .* may be 5 frames of {shape[2]} columns, or .*photometric_interpretation="MONOCHROME2"'
    with pytest.raises(dc.EncodeError, match=words):
        dc.Dataset().set_pixels(np.ones(shape, dtype))


REFUSED = {
    "RGBA of several frames": ((2, 5, 6, 4), "u1", None),
    "RGB of four samples": ((5, 6, 4), "u1", "RGB"),
    "CMYK of three": ((5, 6, 3), "u1", "CMYK"),
    "4:2:2": ((5, 6, 3), "u1", "YBR_FULL_422"),
    "of a codestream": ((5, 6, 3), "u1", "YBR_RCT"),
    "no term": ((5, 6), "u1", "GREY"),
}


@pytest.mark.parametrize(("shape", "dtype", "interpretation"), REFUSED.values(), ids=REFUSED)
def test_colour_spaces_that_arrays_cannot_have(shape, dtype, interpretation):
    ds = dc.Dataset()
    with pytest.raises(dc.EncodeError):
        ds.set_pixels(np.ones(shape, dtype), photometric_interpretation=interpretation)
    assert len(ds) == 0


# -- the transfer syntax of what was read


@pytest.mark.parametrize("syntax", ["1.2.840.113619.5.2", "1.2.3.4", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"])
def test_a_syntax_that_native_samples_can_t_be_in(syntax):
    """GE's private one has big-endian pixels: pixels that were set came back with swapped bytes."""
    array = np.arange(20, dtype="u2").reshape(4, 5)
    ds = held(0)
    ds.file_meta = dc.Dataset()
    ds.file_meta.TransferSyntaxUID = syntax
    if syntax == "1.2.840.113619.5.2":
        ds = dc.dcmread(ds.to_bytes())
    ds.set_pixels(array)
    assert np.array_equal(ds.pixel_array, array)
    ours, theirs = read(ds, None)
    assert ours.transfer_syntax == "1.2.840.10008.1.2.1"
    assert np.array_equal(ours.pixel_array, array)
    assert np.array_equal(theirs.pixel_array, array)


# -- pixel data that is set as bytes


def cut(ds):
    ds.PixelData = bytes(ds.PixelData)[:-6]


def lengthened(ds):
    ds.PixelData = bytes(ds.PixelData) + bytes(6)


def emptied(ds):
    ds.PixelData = b""


def without_rows(ds):
    del ds.Rows


CONTRADICTED = {  # name: (a change of an image of 4 rows and 5 columns, the issue's code, words)
    "too short": (cut, "PIXEL_LENGTH", "40 bytes of pixel data are due, 34 are there"),
    "too long": (lengthened, "PIXEL_LENGTH", "6 bytes follow the last frame"),
    "other rows": (lambda ds: setattr(ds, "Rows", 9), "PIXEL_LENGTH", "90 bytes of pixel data are due, 40 are there"),
    "other bits": (lambda ds: setattr(ds, "BitsAllocated", 32), "PIXEL_LENGTH", "80 bytes"),
    "more frames": (lambda ds: setattr(ds, "NumberOfFrames", 3), "PIXEL_LENGTH", "120 bytes"),
    "fewer rows": (lambda ds: setattr(ds, "Rows", 2), "FRAMES", "Number of Frames is 1, and 2 are there"),
    "nothing": (emptied, "PIXEL_DATA", "empty"),
    "no rows": (without_rows, "PIXEL_DATA", "no Rows"),
}


@pytest.mark.parametrize("from_file", [False, True])
@pytest.mark.parametrize(("change", "code", "words"), CONTRADICTED.values(), ids=CONTRADICTED)
def test_contradicted_lengths_are_validated(change, code, words, from_file):
    ds = held(1)
    if from_file:
        ds = dc.dcmread(ds.to_bytes())
    assert ds.validate() == ()
    ds.to_bytes(validate="raise")
    change(ds)
    (issue,) = ds.validate()
    assert (issue.code, words in issue.message) == (code, True)
    with pytest.raises(dc.EncodeError, match=words):
        ds.to_bytes(validate="raise")
    with pytest.warns(UserWarning, match=words):
        ds.to_bytes(validate="warn")
    ds.to_bytes()


def test_contradictions_read_from_a_file_are_reported_by_validate():
    ds = dc.dcmread(real("MR_truncated.dcm"))
    assert [issue.code for issue in ds.validate()] == ["PIXEL_LENGTH"]
    ds.PatientID = "X"
    ds.to_bytes(validate="raise")  # which checks only elements that were set
    assert dc.dcmread(real("CT_small.dcm")).validate() == ()


def test_monochrome1_stays_monochrome1():
    ds = dc.dcmread(made(np.arange(12, dtype="u1").reshape(3, 4), PhotometricInterpretation="MONOCHROME1"))
    before = ds.frames.render(0)
    ds.set_pixels(ds.pixel_array)
    assert ds.PhotometricInterpretation == "MONOCHROME1"
    assert (ds.frames.render(0) == before).all()
    ds.set_pixels(ds.pixel_array, photometric_interpretation="MONOCHROME2")
    assert (ds.frames.render(0) == 255 - before).all()


def test_grey_or_palette_indices_must_be_stated():
    indices = np.arange(12, dtype="u1").reshape(3, 4)
    ds = dc.dcmread(made(indices, PhotometricInterpretation="PALETTE COLOR"))
    before = ds.to_bytes()
    with pytest.raises(EncodeError, match="indices of its palette"):
        ds.set_pixels(indices)
    assert ds.to_bytes() == before
    for interpretation in ("PALETTE COLOR", "MONOCHROME2"):
        ds.set_pixels(indices, photometric_interpretation=interpretation)
        assert ds.PhotometricInterpretation == interpretation
