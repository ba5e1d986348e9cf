"""The display attributes of data sets: values by the standard's rules, and comparisons with DCMTK's pictures.

pydicom writes the files, so that VRs and bytes come from another toolkit.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import dicomcore as dc
from dicomcore.dataset.state import header_of
from dicomcore.display.reading import display_of
from dicomcore.display.rendering import Window
from dicomcore.notes import Note
from dicomcore.objects import Presentation
from tests.pixels.test_frames import made

IMPLICIT, EXPLICIT, BIG = ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian
needs_dcmtk = pytest.mark.skipif(not shutil.which("dcmj2pnm"), reason="DCMTK's dcmj2pnm isn't installed")


def file_of(values, dtype="u2", *, elements=(), syntax=EXPLICIT, **attributes) -> bytes:
    """A file of one row; `elements` are (keyword, VR, value)."""
    data = np.array([[values]], dtype)
    ds = pydicom.dcmread(io.BytesIO(made(data, **attributes)))
    for keyword, vr, value in elements:
        ds.add_new(keyword, vr, value)
    ds.file_meta.TransferSyntaxUID = syntax
    big = syntax == BIG
    if big:
        ds.PixelData = data.astype(np.dtype(dtype).newbyteorder(">")).tobytes()
    buffer = io.BytesIO()
    implicit = syntax == IMPLICIT
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True, implicit_vr=implicit, little_endian=not big)
    return buffer.getvalue()


def table(first: int, entries, vr: str, bits: int = 16, big: bool = False) -> pydicom.Dataset:
    item = pydicom.Dataset()
    entries = np.asarray(entries)
    item.add_new("LUTDescriptor", vr, [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "OW", entries.astype(">u2" if big else "<u2").tobytes())
    return item


def sequence(keyword: str, *items):
    return keyword, "SQ", pydicom.Sequence(items)


def row(data: bytes, **options) -> list:
    return dc.dcmread(data).frames.render(0, **options)[0].tolist()


def dcmtk(data: bytes, folder: Path, *options: str) -> list[int]:
    """The first row of DCMTK's picture, in grey."""
    source, target = folder / "in.dcm", folder / "out.pgm"
    source.write_bytes(data)
    subprocess.run(["dcmj2pnm", "+op", *options, source, target], check=True, capture_output=True)
    kind, size, _, pixels = target.read_bytes().split(b"\n", 3)
    assert kind == b"P5"
    return list(pixels[: int(size.split()[0])])


# -- the first value that a table maps

RAMP = np.linspace(0, 65535, 2048).astype("u2")
IDENTITY = np.arange(65536)
HOUNSFIELD = {"RescaleSlope": "1", "RescaleIntercept": "-1024"}
ABOVE = {"RescaleSlope": "1", "RescaleIntercept": "40048", "BitsStored": 12}
FIRST = {  # name: (samples, dtype, attributes, VR, first value); each sample's entry is at 0, 50 and 100 % of the table
    "rescaled below 0, SS": ([0, 1024, 2047], "u2", HOUNSFIELD, "SS", -1024),
    "rescaled below 0, US": ([0, 1024, 2047], "u2", HOUNSFIELD, "US", 64512),
    "signed and rescaled below 0": ([-1024, 0, 1023], "i2", {"RescaleSlope": "1"}, "SS", -1024),
    "signed and rescaled above 0": ([-2048, -1024, -1], "i2", ABOVE, "US", 38000),
    "unsigned alone": ([40000, 41024, 42047], "u2", {}, "US", 40000),
    "signed alone, SS": ([-1024, 0, 1023], "i2", {}, "SS", -1024),
    "signed alone, US": ([-1024, 0, 1023], "i2", {}, "US", 64512),
}
BEHIND = {  # as FIRST, after a Modality LUT that begins at the least stored value
    "signed, US": ([7232, 8256, 9279], "i2", {}, "US", 40000),
    "signed, SS": ([7232, 8256, 9279], "i2", {}, "SS", -25536),
    "unsigned": ([40000, 41024, 42047], "u2", {}, "US", 40000),
}
SYNTAXES = pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG], ids=["implicit", "explicit", "big endian"])


@SYNTAXES
@pytest.mark.parametrize(("values", "dtype", "attributes", "vr", "first"), FIRST.values(), ids=FIRST)
def test_first_value_of_a_voi_lut(values, dtype, attributes, vr, first, syntax):
    """Its sign follows the output range of the modality step (PS3.3 C.11.2.1.1), whatever VR the file has, or none."""
    voi = sequence("VOILUTSequence", table(first, RAMP, vr, big=syntax == BIG))
    assert row(file_of(values, dtype, elements=[voi], syntax=syntax, **attributes)) == [0, 128, 255]


def with_modality_lut(values, dtype, vr, first, syntax=EXPLICIT) -> bytes:
    low, sign = (-32768, "SS") if dtype == "i2" else (0, "US")
    modality = sequence("ModalityLUTSequence", table(low, IDENTITY, sign, big=syntax == BIG))
    voi = sequence("VOILUTSequence", table(first, RAMP, vr, big=syntax == BIG))
    return file_of(values, dtype, elements=[modality, voi], syntax=syntax)


@SYNTAXES
@pytest.mark.parametrize(("values", "dtype", "attributes", "vr", "first"), BEHIND.values(), ids=BEHIND)
def test_first_value_of_a_voi_lut_behind_a_modality_lut(values, dtype, attributes, vr, first, syntax):
    assert row(with_modality_lut(values, dtype, vr, first, syntax)) == [0, 128, 255]


@needs_dcmtk
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT], ids=["implicit", "explicit"])
def test_first_values_as_dcmtk(syntax, tmp_path):
    files = {}
    for name, (values, dtype, attributes, vr, first) in FIRST.items():
        voi = sequence("VOILUTSequence", table(first, RAMP, vr))
        files[name] = file_of(values, dtype, elements=[voi], syntax=syntax, **attributes)
    files |= {name: with_modality_lut(*one[:2], *one[3:], syntax) for name, one in BEHIND.items()}
    shown = {name: dcmtk(data, tmp_path, "+Wl", "1") for name, data in files.items()}
    assert {name: row(data) for name, data in files.items()} == shown


@SYNTAXES
def test_a_first_value_out_of_range_is_read_with_the_other_sign(syntax):
    """Unsigned samples of 12 bits; the writer begins the table at -1024."""
    voi = sequence("VOILUTSequence", table(-1024, RAMP, "SS", big=syntax == BIG))
    assert row(file_of([0, 512, 1023], elements=[voi], syntax=syntax, BitsStored=12)) == [128, 191, 255]


@pytest.mark.parametrize(("vr", "first", "wanted"), [("SS", -5, [128, 179, 255]), ("US", 65531, [0, 0, 0])])
def test_a_first_value_below_0_of_unsigned_samples(vr, first, wanted):
    """Both signs would map some samples; in explicit VR the writer's VR decides."""
    modality = sequence("ModalityLUTSequence", table(first, np.arange(11) * 25, vr))
    data = file_of([0, 2, 5], elements=[modality], WindowCenter=125, WindowWidth=250, VOILUTFunction="LINEAR_EXACT")
    assert row(data) == wanted


@SYNTAXES
@pytest.mark.parametrize(("vr", "first"), [("SS", -100), ("US", 65436)])
def test_first_value_of_a_modality_lut(vr, first, syntax):
    """Its sign follows Pixel Representation (PS3.3 C.11.1.1)."""
    modality = sequence("ModalityLUTSequence", table(first, [10, 20, 30, 40], vr, big=syntax == BIG))
    data = file_of([-100, -99, -97], "i2", elements=[modality], syntax=syntax, WindowCenter=25, WindowWidth=30)
    linear = file_of([10, 20, 40], "u2", WindowCenter=25, WindowWidth=30)
    assert row(data) == row(linear) == [0, 88, 255]


@SYNTAXES
@pytest.mark.parametrize(("vr", "first"), [("SS", -100), ("US", 65436)])
def test_first_value_of_a_palette(vr, first, syntax):
    entries = np.array([0, 64, 128, 192]) * 257
    elements = []
    for colour in ("Red", "Green", "Blue"):
        elements.append((f"{colour}PaletteColorLookupTableDescriptor", vr, [4, first, 16]))
        data = entries.astype(">u2" if syntax == BIG else "<u2").tobytes()
        elements.append((f"{colour}PaletteColorLookupTableData", "OW", data))
    data = file_of([-100, -99, -97], "i2", elements=elements, syntax=syntax, PhotometricInterpretation="PALETTE COLOR")
    assert [pixel[0] for pixel in row(data)] == [0, 64, 192]


def state_for(image: dc.Dataset, *elements, syntax=EXPLICIT) -> dc.Dataset:
    """A presentation state for an image, read from a file."""
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.11.1"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    ds.PresentationLUTShape = "IDENTITY"
    for keyword, vr, value in elements:
        ds.add_new(keyword, vr, value)
    buffer = io.BytesIO()
    implicit = syntax == IMPLICIT
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True, implicit_vr=implicit, little_endian=syntax != BIG)
    return dc.dcmread(buffer.getvalue())


@pytest.mark.parametrize("image_syntax", [EXPLICIT, BIG], ids=["image little endian", "image big endian"])
@SYNTAXES
@pytest.mark.parametrize(("vr", "first"), [("SS", -1024), ("US", 64512)])
def test_first_value_in_a_presentation_state(vr, first, syntax, image_syntax):
    """A presentation state has no Pixel Representation, and a byte order of its own."""
    image = dc.dcmread(file_of([0, 1024, 2047], syntax=image_syntax))
    view = sequence("VOILUTSequence", table(first, RAMP, vr, big=syntax == BIG))
    softcopy = pydicom.Dataset()
    softcopy.add_new(*view)
    state = state_for(
        image,
        ("RescaleIntercept", "DS", "-1024"),
        ("RescaleSlope", "DS", "1"),
        sequence("SoftcopyVOILUTSequence", softcopy),
        syntax=syntax,
    )
    assert Presentation(state).render(image)[0].tolist() == [0, 128, 255]


# -- the automatic range


PADDED = [-2000, 0, 100, 500]


@SYNTAXES
@pytest.mark.parametrize("dtype", ["i2", "i4"])
@pytest.mark.parametrize(("vr", "value"), [("SS", -2000), ("US", 63536)])
def test_padding_is_left_out_of_the_range(dtype, vr, value, syntax):
    """PS3.3 C.7.5.1.1.2; the value's sign follows Pixel Representation, even if the writer used the other VR."""
    data = file_of(PADDED, dtype, elements=[("PixelPaddingValue", vr, value)], syntax=syntax)
    assert row(data) == [0, 0, 51, 255]


@SYNTAXES
@pytest.mark.parametrize(("vr", "value"), [("SS", -2000), ("US", 63536)])
def test_padding_of_unsigned_samples(vr, value, syntax):
    data = file_of([63536, 0, 100, 500], elements=[("PixelPaddingValue", vr, value)], syntax=syntax)
    assert row(data) == [0, 0, 51, 255]


RANGES = {  # name: (samples, dtype, padding value, range limit, picture)
    "8 bits": ([255, 10, 20, 60], "u1", 255, None, [0, 0, 51, 255]),
    "a range": ([-2000, -1990, 0, 100, 500], "i2", -2000, -1980, [0, 0, 0, 51, 255]),
    "a range from its end": ([-2000, -1990, 0, 100, 500], "i2", -1980, -2000, [0, 0, 0, 51, 255]),
    "between the values": ([0, 50, 100], "i2", 40, 60, [0, 0, 255]),
    "above": ([30000, 100, 200, 600], "u2", 30000, None, [0, 0, 51, 255]),
    "nothing else": ([7, 7], "i2", 7, None, [0, 0]),
    "a limit alone": ([-1000, 0, 1000], "i2", None, 0, [0, 128, 255]),
}


@pytest.mark.parametrize(("values", "dtype", "value", "limit", "wanted"), RANGES.values(), ids=RANGES)
def test_padding_ranges(values, dtype, value, limit, wanted):
    vr = "SS" if dtype[0] == "i" else "US"
    stated = {"PixelPaddingValue": value, "PixelPaddingRangeLimit": limit}
    elements = [(keyword, vr, number) for keyword, number in stated.items() if number is not None]
    assert row(file_of(values, dtype, elements=elements)) == wanted


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4"])
def test_entries_that_no_pixel_uses_do_not_widen_the_range(dtype):
    """A Modality LUT that isn't monotonous, whose largest entry stands between those that are used."""
    modality = sequence("ModalityLUTSequence", table(0, [100, 65535, 200, 0, 600], "SS" if dtype[0] == "i" else "US"))
    assert row(file_of([0, 2, 4], dtype, elements=[modality])) == [0, 51, 255]


@pytest.mark.parametrize(("keyword", "dtype"), [("Float", "f4"), ("DoubleFloat", "f8")])
@pytest.mark.parametrize("limit", [None, -99.25])
def test_padding_of_float_pixels(keyword, dtype, limit):
    ds = pydicom.dcmread(io.BytesIO(made(np.zeros((1, 1, 5), "u2"))))
    for name in ("PixelData", "PixelRepresentation", "BitsStored", "HighBit"):
        del ds[name]
    ds.BitsAllocated = 8 * np.dtype(dtype).itemsize
    values = np.array([-100.1, -99.5 if limit else -100.1, 0, 0.25, 1.25], dtype)
    vr = "FL" if dtype == "f4" else "FD"
    ds.add_new(f"{keyword}PixelData", "OF" if dtype == "f4" else "OD", values.tobytes())
    ds.add_new(f"{keyword}PixelPaddingValue", vr, float(values[0]))
    if limit:
        ds.add_new(f"{keyword}PixelPaddingRangeLimit", vr, limit)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    assert row(buffer.getvalue()) == [0, 0, 0, 51, 255]


def test_float_pixels_over_the_whole_range_of_their_type():
    from dicomcore.display.rendering import Display, render

    largest = np.finfo("f8").max
    values = np.array([[-largest, 0, largest, np.nan, np.inf, -np.inf]])
    assert render(values, Display()).tolist() == [[0, 128, 255, 0, 255, 0]]


# -- wrong attributes


@pytest.mark.parametrize("vr", [IMPLICIT, EXPLICIT], ids=["implicit", "explicit"])
def test_a_slope_of_0_is_ignored_and_reported(vr, tmp_path):
    data = file_of([0, 100, 400], RescaleSlope="0", RescaleIntercept="7", syntax=vr)
    ds = dc.dcmread(data)
    assert ds.frames.render(0)[0].tolist() == [0, 64, 255]
    assert [issue.code for issue in ds.issues] == ["RESCALE_SLOPE"]
    assert "Rescale Slope is 0" in ds.issues[0].message


@needs_dcmtk
def test_a_slope_of_0_as_dcmtk(tmp_path):
    data = file_of([0, 50, 100, 255], RescaleSlope="0", RescaleIntercept="7")
    assert row(data) == dcmtk(data, tmp_path, "+Wm")


def test_a_slope_of_0_in_a_volume(tmp_path):
    pytest.importorskip("pyarrow")
    from dicomcore.archive import series_volume

    for i in range(2):
        placed = {"ImagePositionPatient": [0, 0, i], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        data = file_of([0, 100, 400], RescaleSlope="0", RescaleIntercept="7", PixelSpacing=[1, 1], **placed)
        (tmp_path / f"{i}.dcm").write_bytes(data)
    volume = series_volume(sorted(tmp_path.iterdir()))
    assert volume.array.tolist() == [[[0, 100, 400]]] * 2


def test_a_slope_of_0_in_functional_groups():
    ds = dc.dcmread(file_of([0, 100, 400]))
    group, transform = dc.Dataset(), dc.Dataset()
    transform.RescaleSlope, transform.RescaleIntercept = 0.0, 7.0
    group.PixelValueTransformationSequence = dc.Sequence([transform])
    ds.PerFrameFunctionalGroupsSequence = dc.Sequence([group])
    display = display_of(ds)
    assert (display.rescale_slope, display.rescale_intercept) == (1.0, 0.0)
    assert [note.code for note in display.notes] == ["rescale-slope"]


NARROW = {  # name: (center, width, slope, picture of 0, 100 and 200)
    "half": (100, 0.5, "1", [0, 128, 255]),
    "a tenth, beside": (100.025, 0.1, "1", [0, 64, 255]),
    "one": (100, 1, "1", [0, 255, 255]),
    "a tiny slope": (0.001, 0.002, "0.00001", [0, 128, 255]),
}


@pytest.mark.parametrize(("center", "width", "slope", "wanted"), NARROW.values(), ids=NARROW)
def test_windows_narrower_than_1(center, width, slope, wanted):
    """LINEAR needs a width of 1 at least (PS3.3 C.11.2.1.2.1); narrower ones are taken as LINEAR_EXACT."""
    data = file_of([0, 100, 200], WindowCenter=center, WindowWidth=width, RescaleSlope=slope, RescaleIntercept="0")
    assert row(data) == wanted
    exact = Window(center, width, "LINEAR_EXACT")
    assert width == 1 or row(data, window=exact) == wanted


def test_narrow_windows_and_odd_pairs_are_told():
    """What stands in for an invalid window is no silent choice (PS3.3 C.11.2.1.2)."""
    narrow = file_of([0, 100, 200], WindowCenter=100, WindowWidth="0.5")
    assert [note.code for note in display_of(dc.dcmread(narrow)).notes] == ["window-width"]
    exact = file_of([0, 100, 200], WindowCenter=100, WindowWidth="0.5", VOILUTFunction="LINEAR_EXACT")
    assert display_of(dc.dcmread(exact)).notes == ()
    for pair in ({"WindowCenter": [40, 300], "WindowWidth": 80}, {"WindowCenter": 40}, {"WindowWidth": 80}):
        found = display_of(dc.dcmread(file_of([0, 100, 200], **pair)))
        assert [note.code for note in found.notes] == ["window-pairs"], pair
        assert len(found.windows) == ("WindowCenter" in pair and "WindowWidth" in pair)


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_of_no_width_is_ignored_and_reported(width, tmp_path):
    """No window may have one (PS3.3 C.11.2.1.2): careless writers fill the attribute with zeros."""
    data = file_of([0, 100, 250], WindowCenter=0, WindowWidth=width)
    ds = dc.dcmread(data)
    assert ds.frames.render(0)[0].tolist() == [0, 102, 255]
    assert [issue.code for issue in ds.issues] == ["WINDOW_WIDTH"]
    both = file_of([0, 100, 250], WindowCenter=[0, 100], WindowWidth=[width, 101])
    assert row(both) == row(both, window=(100, 101)) == [0, 129, 255]
    assert row(data, window=(100, width)) == [0, 0, 255]  # asked for, it is a threshold


@needs_dcmtk
@pytest.mark.parametrize("width", [0, -5])
def test_a_window_of_no_width_as_dcmtk(width, tmp_path):
    data = file_of([0, 100, 250], WindowCenter=0, WindowWidth=width)
    assert np.abs(np.subtract(row(data), dcmtk(data, tmp_path, "+Wi", "1", "+Wm"))).max() <= 1


def test_an_unknown_function_is_taken_as_linear_and_reported(tmp_path):
    """The default (PS3.3 C.11.2.1.3), not LINEAR_EXACT."""
    shown = {"WindowCenter": 3, "WindowWidth": 5}
    ds = dc.dcmread(file_of(range(7), "u1", VOILUTFunction="FOO", **shown))
    assert ds.frames.render(0)[0].tolist() == row(file_of(range(7), "u1", **shown)) == [0, 32, 96, 159, 223, 255, 255]
    assert [issue.code for issue in ds.issues] == ["VOI_LUT_FUNCTION"]
    with pytest.raises(ValueError, match="'linear'"):
        Window(3, 5, "linear")


CONTRADICTIONS = {  # name: (Photometric Interpretation, samples a pixel, codes)
    "grey": ("MONOCHROME2", 1, []),
    "colour": ("RGB", 3, []),
    "nothing stated": ("", 3, ["PIXEL_COLOUR"]),
    "grey of three": ("MONOCHROME2", 3, ["PIXEL_SAMPLES"]),
    "inverted grey of three": ("MONOCHROME1", 3, ["PIXEL_SAMPLES"]),
    "colour of one": ("RGB", 1, ["PIXEL_SAMPLES"]),
}


@pytest.mark.parametrize(("interpretation", "samples", "said"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_photometric_interpretation_that_contradicts_the_samples_is_reported(interpretation, samples, said):
    values = np.array([[[0, 128, 255]]], "u1") if samples == 3 else np.array([[0, 128, 255]], "u1")
    ds = dc.dcmread(made(values[None]))
    ds.PhotometricInterpretation = interpretation
    assert ds.frames.render(0).tolist() == values.tolist()
    assert [issue.code for issue in ds.issues] == said


@pytest.mark.parametrize("window", [(float("nan"), 400), (40, float("inf")), Window(40, float("nan"))])
def test_a_window_that_is_not_finite_is_refused(window):
    with pytest.raises(ValueError, match="center and width are finite"):
        row(file_of([0, 1]), window=window)


def test_a_window_as_a_pair():
    frames = dc.dcmread(file_of(range(7), "u1")).frames
    assert frames.render(0, window=(3, 5)).tolist() == frames.render(0, window=Window(3, 5)).tolist()
    with pytest.raises(ValueError, match="pair of center and width"):
        frames.render(0, window=(3, 5, 7))
    with pytest.raises(TypeError):
        frames.render(0, window="lung")


BITS = {  # name: (bits stated, largest entry, whether it is reported)
    "none": (0, 65535, True),
    "none, of 12 bits": (0, 4095, True),
    "none, of 8 bits": (0, 255, True),
    "too many": (32, 65535, True),
    "12": (12, 4095, False),
    "10": (10, 1023, False),
    "too few": (8, 4095, True),
    "those of a word": (16, 4095, True),
    "those of a word, of 8 bits": (16, 255, True),
    "16, as the darker half": (16, 32767, False),
}


@pytest.mark.parametrize(("bits", "largest", "said"), BITS.values(), ids=BITS)
def test_bits_of_an_entry(bits, largest, said, tmp_path):
    voi = sequence("VOILUTSequence", table(0, np.linspace(0, largest, 2048), "US", bits))
    data = file_of([0, 1024, 2047], elements=[voi])
    ds = dc.dcmread(data)
    white = 128 if largest == 32767 else 255
    assert ds.frames.render(0)[0].tolist() == pytest.approx([0, white / 2, white], abs=1)
    assert [issue.code for issue in ds.issues] == ["LUT_BITS"] * said
    assert all(issue.message.startswith(f"VOI LUT: the descriptor says {bits} bits") for issue in ds.issues)
    if shutil.which("dcmj2pnm") and bits not in (8, 16):
        assert row(data) == dcmtk(data, tmp_path, "+Wl", "1")


@pytest.mark.parametrize(("keyword", "name"), [("ModalityLUTSequence", "Modality LUT"), ("VOILUTSequence", "VOI LUT")])
def test_errors_name_the_table(keyword, name):
    data = file_of([0, 1], elements=[sequence(keyword, table(0, [], "US"))])
    with pytest.raises(dc.PixelDecodeError, match=f"{name}: a look-up table without"):
        row(data)


# -- palettes


def with_palette(values, entries, bits, first=0, dtype="u2", **attributes) -> bytes:
    """`entries` are those of red; green is half as bright, blue black."""
    red = np.asarray(entries)
    elements = []
    for colour, channel in zip(("Red", "Green", "Blue"), (red, red // 2, red * 0), strict=True):
        vr = "SS" if dtype[0] == "i" else "US"
        elements.append((f"{colour}PaletteColorLookupTableDescriptor", vr, [len(red), first, bits]))
        elements.append((f"{colour}PaletteColorLookupTableData", "OW", channel.astype("<u2").tobytes()))
    return file_of(values, dtype, elements=elements, **attributes)


@pytest.mark.parametrize(
    ("bits", "largest"),
    [(8, 255), (10, 1023), (12, 4095), (16, 65535), (12, 65535), (8, 0xFF00), (0, 65535), (16, 255)],
)
def test_entries_of_a_palette_are_shown_over_their_full_range(bits, largest):
    data = with_palette([0, 128, 255], np.linspace(0, largest, 256), bits, PhotometricInterpretation="PALETTE COLOR")
    ds = dc.dcmread(data)
    picture = ds.frames.render(0)[0]
    assert [issue.code for issue in ds.issues] == ["LUT_BITS"] * (bits == 0 or (bits, largest) == (16, 255))
    assert picture[:, 0] == pytest.approx([0, 128, 255], abs=1)
    assert picture[:, 1] == pytest.approx([0, 64, 127], abs=1)
    assert not picture[:, 2].any()


def test_a_missing_palette_is_reported():
    ds = dc.dcmread(file_of([0, 1], "u1", PhotometricInterpretation="PALETTE COLOR"))
    assert ds.frames.render(0).tolist() == [[0, 255]]
    assert [issue.code for issue in ds.issues] == ["PALETTE"]


def test_a_damaged_palette_matters_only_where_it_is_used():
    elements = [("RedPaletteColorLookupTableDescriptor", "US", [2, 0])]
    elements += [(f"{colour}PaletteColorLookupTableData", "OW", bytes(4)) for colour in ("Red", "Green", "Blue")]
    assert row(file_of([0, 1], elements=elements)) == [0, 255]
    for attributes in ({"PhotometricInterpretation": "PALETTE COLOR"}, {"PixelPresentation": "COLOR"}):
        with pytest.raises(dc.PixelDecodeError, match="palette: a look-up table's descriptor has 3"):
            row(file_of([0, 1], elements=elements, **attributes))


SUPPLEMENTED = [0, 500, 1000, 2000, 2001, 2003, 4000]
SUPPLEMENTED_PICTURE = [[0, 0, 0], [128, 128, 128], [255, 255, 255], [0, 0, 0], [64, 32, 0], [192, 96, 0], [192, 96, 0]]


@pytest.mark.parametrize("dtype", ["u2", "i2", "u4"])
def test_supplemental_palette(dtype):
    """Grey below the first mapped value, whose range the colours don't widen (PS3.3 C.7.6.19, C.8.16.2.1.1)."""
    entries = np.array([0, 64, 128, 192]) * 257
    data = with_palette(SUPPLEMENTED, entries, 16, 2000, dtype, PixelPresentation="COLOR")
    assert row(data) == SUPPLEMENTED_PICTURE
    out = np.zeros((1, 7, 3), np.uint8)
    assert dc.dcmread(data).frames.render(0, out=out) is out
    assert out[0].tolist() == SUPPLEMENTED_PICTURE
    grey = with_palette(SUPPLEMENTED, entries, 16, 2000, dtype, PixelPresentation="MONOCHROME")
    assert row(grey) == row(file_of(SUPPLEMENTED, dtype))


def test_supplemental_palette_with_a_window_for_the_greys():
    entries = np.array([0, 64, 128, 192]) * 257
    window = {"WindowCenter": 5, "WindowWidth": 10}
    data = with_palette([0, 9, 10, 11], entries, 16, 10, PixelPresentation="COLOR", **window)
    assert row(data) == [[0, 0, 0], [255, 255, 255], [0, 0, 0], [64, 32, 0]]


@pytest.mark.parametrize("kind", ["MRImage", "CTImage", "PET"])
def test_supplemental_palette_of_some_frames(kind):
    """MIXED images say of each frame by its frame type whether it is in colour (PS3.3 C.8.16.2.1.1)."""
    ds = dc.dcmread(with_palette(SUPPLEMENTED, np.array([0, 64, 128, 192]) * 257, 16, 2000, PixelPresentation="MIXED"))
    assert ds.frames.render(0).ndim == 2
    for presentation, dimensions in (("COLOR", 3), ("MONOCHROME", 2)):
        group, frame_type = dc.Dataset(), dc.Dataset()
        frame_type.PixelPresentation = presentation
        setattr(group, f"{kind}FrameTypeSequence", dc.Sequence([frame_type]))
        ds.PerFrameFunctionalGroupsSequence = dc.Sequence([group])
        assert ds.frames.render(0).ndim == dimensions


def test_notes_of_display_are_kept_once():
    frames = dc.dcmread(file_of([0, 1], RescaleSlope="0")).frames
    frames.render(0)
    frames.render(0)
    assert frames.notes == (Note("rescale-slope", "Rescale Slope is 0: slope and intercept are left out"),)


@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_changes_made_after_the_frames_were_opened_count(kind, tmp_path):
    """The header is read once and kept: changes of elements and of items, and deletions, must still take effect."""
    data = file_of([0, 50, 100], WindowCenter=50, WindowWidth=200)
    (tmp_path / "a.dcm").write_bytes(data)
    ds = dc.dcmread(tmp_path / "a.dcm" if kind == "path" else data)
    before = ds.frames.render(0)[0].tolist()
    ds.WindowCenter = 100
    assert ds.frames.render(0)[0].tolist() != before
    del ds.WindowWidth
    assert ds.frames.render(0)[0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("kind", ["path", "bytes"])
def test_changes_in_an_item_count(kind, tmp_path):
    shared, view = pydicom.Dataset(), pydicom.Dataset()
    view.WindowCenter, view.WindowWidth = 50, 1
    shared.FrameVOILUTSequence = [view]
    data = file_of([0, 50, 100], elements=[sequence("SharedFunctionalGroupsSequence", shared)])
    (tmp_path / "a.dcm").write_bytes(data)
    ds = dc.dcmread(tmp_path / "a.dcm" if kind == "path" else data)
    item = ds.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence[0]
    assert ds.frames.render(0)[0].tolist() == [0, 255, 255]
    item.WindowCenter = 100
    assert display_of(header_of(ds)).windows == (Window(100, 1),)
    assert ds.frames.render(0)[0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("stored", [None, 0, 40])
def test_missing_or_impossible_bits_stored_is_ignored(stored):
    """Colour of 16 bits is then shown by its upper byte."""
    ds = dc.dcmread(made(np.full((1, 1, 1, 3), 0x8070, "u2")))
    if stored is None:
        del ds.BitsStored
    else:
        ds.BitsStored = stored
    assert ds.frames.render(0).tolist() == [[[0x80] * 3]]
