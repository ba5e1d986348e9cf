"""pydicom.pixels.processing under install(): look-up tables, windows, palettes and colours, against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both, answers

SETUP = r"""
import hashlib
import numpy as np
from struct import pack
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import *
from pydicom.pixels.processing import *
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

def told(array):
    array = np.asarray(array)
    return str(array.dtype), array.shape, hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
def near(array):
    return str(array.dtype), array.shape, [f"{value:.6f}" for value in np.asarray(array).reshape(-1)]
def of(name):
    return dcmread(get_testdata_file(name))
def shown(name, step, *args, **options):
    ds = of(name)
    return told(step(ds.pixel_array, ds, *args, **options))
def made(syntax=ExplicitVRLittleEndian, **attributes):
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds
def lut(keyword, descriptor, data, VR="US", syntax=ExplicitVRLittleEndian):
    item = Dataset()
    item.add_new("LUTDescriptor", "US", descriptor)
    item.add_new("LUTData", VR, data)
    return made(syntax, **{keyword: [item]})
def window(center, width, function=None, signed=0, bits=12, **attributes):
    ds = made(PhotometricInterpretation="MONOCHROME2", BitsStored=bits, PixelRepresentation=signed,
              WindowCenter=center, WindowWidth=width, **attributes)
    if function:
        ds.VOILUTFunction = function
    return ds
def palette(bits, *data, entries=4, first=0, segmented="", syntax=ExplicitVRLittleEndian):
    ds = made(syntax)
    for colour, entries_of in zip(("Red", "Green", "Blue", "Alpha"), data):
        ds.add_new(f"{colour}PaletteColorLookupTableDescriptor", "US", [entries, first, bits])
        ds.add_new(f"{segmented}{colour}PaletteColorLookupTableData", "OW", entries_of)
    return ds
VALUES = np.arange(-3000, 5000, 7, dtype=np.int16)
PIXELS = np.random.default_rng(7).integers(0, 256, (2, 5, 6, 3), np.uint8)
ICC = open(get_testdata_file("crayons.icc"), "rb").read()
def profile(**options):
    return create_icc_transform(icc_profile=ICC, **options)
GREYS = np.arange(16, dtype=np.uint8).reshape(4, 4)
"""
SAME = {
    "rescaled CT": 'shown("CT_small.dcm", apply_modality_lut), shown("CT_small.dcm", apply_rescale)',
    "rescale": "[told(apply_modality_lut(VALUES, made(RescaleSlope=slope, RescaleIntercept=intercept))) for slope,"
    " intercept in ((1, 0), (0.1, -1024), (0, 5), (-3.7, 1e5))]",
    "half a rescale": "told(apply_modality_lut(VALUES, made(RescaleSlope=2)))",
    "no modality step": "apply_modality_lut(VALUES, made()) is VALUES",
    "modality LUT": "[told(apply_modality_lut(values, lut('ModalityLUTSequence', [4, first, 16], [9, 8, 7, 6])))"
    " for values in (GREYS, GREYS.astype('i4'), GREYS.astype('>u2'), GREYS.astype('i8')) for first in (0, 3)]",
    "modality LUT of OW": "told(apply_modality_lut(GREYS, lut('ModalityLUTSequence', [4, 2, 16], pack('<4H', 1, 2, 3,"
    " 999), 'OW')))",
    "modality LUT of big-endian OW": "told(apply_modality_lut(GREYS, lut('ModalityLUTSequence', [4, 2, 16],"
    " pack('>4H', 1, 2, 3, 999), 'OW', ExplicitVRBigEndian)))",
    "modality LUT of 8 bits": "told(apply_modality_lut(GREYS, lut('ModalityLUTSequence', [2, 0, 8], [3, 4])))",
    "modality LUT of 12 bits": "told(apply_modality_lut(GREYS, lut('ModalityLUTSequence', [2, 0, 12], [3, 4])))",
    "modality LUT that is too short": "apply_modality_lut(GREYS, lut('ModalityLUTSequence', [9, 0, 16], [3, 4]))",
    "modality LUT of floats": "apply_modality_lut(VALUES / 2, lut('ModalityLUTSequence', [2, 0, 16], [3, 4]))",
    "modality LUT of OW in an unknown order": "apply_modality_lut(GREYS, lut('ModalityLUTSequence', [2, 0, 16],"
    " b'1234', 'OW', '1.2.3'))",
    "VOI of files": '[shown(name, step) for name in ("CT_small.dcm", "MR_small.dcm") for step in (apply_voi,'
    " apply_voi_lut, apply_windowing)]",
    "VOI LUT": "[told(apply_voi(GREYS, lut('VOILUTSequence', [4, 3, bits], [9, 8, 7, 6]))) for bits in (8, 10, 12,"
    " 16)]",
    "VOI LUT of 7 bits": "apply_voi(GREYS, lut('VOILUTSequence', [4, 3, 7], [9, 8, 7, 6]))",
    "VOI LUT of floats": "told(apply_voi(GREYS * 1.5, lut('VOILUTSequence', [4, 3, 16], [9, 8, 7, 6])))",
    "VOI LUT of long OW": "told(apply_voi(GREYS, lut('VOILUTSequence', [2, 0, 16], b'12345678', 'OW')))",
    "VOI LUT of short OW": "apply_voi(GREYS, lut('VOILUTSequence', [4, 0, 16], b'1234', 'OW'))",
    "VOI LUT that is not there": "apply_voi(GREYS, lut('VOILUTSequence', [4, 3, 16], [9, 8, 7, 6]), 1)",
    "no VOI": "apply_voi(VALUES, made()) is VALUES, apply_voi_lut(VALUES, made()) is VALUES, apply_windowing(VALUES,"
    " made()) is VALUES",
    "windows": "[told(apply_windowing(VALUES, window(center, width, function, signed))) for center, width in ((40,"
    " 400),"
    " (0, 1), (128.5, 3.25), (-2000, 9999)) for function in (None, 'LINEAR', 'linear_exact') for signed in (0, 1)]",
    "windows of S shape": "near(apply_windowing(VALUES[::40], window(40, 400, 'SIGMOID', 1)))",
    "windows after a rescale": "told(apply_windowing(VALUES, window(40, 400, RescaleSlope=2.5, RescaleIntercept=-10)))",
    "several windows": "[told(apply_windowing(VALUES, window([40, 50], [400, 20]), index)) for index in (0, 1)]",
    "a window that is not there": "apply_windowing(VALUES, window([40, 50], [400, 20]), 2)",
    "window of width 0": "apply_windowing(VALUES, window(40, 0))",
    "window of width 0, exact": "apply_windowing(VALUES, window(40, 0, 'LINEAR_EXACT'))",
    "window of an unknown function": "apply_windowing(VALUES, window(40, 4, 'OTHER'))",
    "window of colour": "apply_windowing(VALUES, made(WindowCenter=1, WindowWidth=2, PhotometricInterpretation='RGB'))",
    "presentation shapes": "[told(apply_presentation_lut(GREYS, made(PresentationLUTShape=shape))) for shape in"
    " ('IDENTITY', 'INVERSE', 'inverse ')]",
    "presentation shape that is none": "apply_presentation_lut(GREYS, made(PresentationLUTShape='OTHER'))",
    "presentation LUTs": "[told(apply_presentation_lut(VALUES, lut('PresentationLUTSequence', [256, 0, bits],"
    " list(range(0, 2560, 10))))) for bits in (12, 16)]",
    "presentation LUT of OW": "told(apply_presentation_lut(VALUES, lut('PresentationLUTSequence', [4, 0, 8], b'1234',"
    " 'OW')))",
    "palette of a file": 'shown("examples_palette.dcm", apply_color_lut)',
    "palettes": "[told(apply_color_lut(GREYS, palette(8, b'1234', b'abcd', b'ABCD', first=first))) for first in (0,"
    " 2)]",
    "palette of 16 bits": "told(apply_color_lut(GREYS.astype('i2'), palette(16, b'12345678', b'abcdefgh',"
    " b'ABCDEFGH')))",
    "palette with alpha": "told(apply_color_lut(GREYS, palette(8, b'1234', b'abcd', b'ABCD', b'4321')))",
    "segmented palettes": "[told(apply_color_lut(GREYS, palette(8, *[bytes((0, 2, 9, base, 1, 14, 200))] * 3,"
    " entries=16,"
    " segmented='Segmented'))) for base in (1, 50)]",
    "segmented palette of words": "[told(apply_color_lut(GREYS, palette(16, *[pack(order + '8H', 0, 2, 9, 500, 1, 14,"
    " 65000,"
    " 0)[:14]] * 3, entries=16, segmented='Segmented', syntax=syntax))) for order, syntax in (('<',"
    " ExplicitVRLittleEndian), ('>', ExplicitVRBigEndian))]",
    "palette of unequal lengths": "apply_color_lut(GREYS, palette(8, b'1234', b'ab', b'ABCD'))",
    "palette of 32 bits": "apply_color_lut(GREYS, palette(8, *[bytes(16)] * 3))",
    "palette of 15 bits": "apply_color_lut(GREYS, palette(15, *[bytes(16)] * 3))",
    "no palette": "apply_color_lut(GREYS, made(RedPaletteColorLookupTableDescriptor=[4, 0, 8]))",
    "no palette at all": "apply_color_lut(GREYS, made(Rows=1))",
    "neither data set nor palette": "apply_color_lut(GREYS)",
    "unknown palette": "apply_color_lut(GREYS, palette='NONE')",
    "supplemental palette": "apply_color_lut(GREYS, made(PixelPresentation='COLOR'))",
    "well-known palettes": "[told(apply_color_lut(GREYS, palette=f'1.2.840.10008.1.5.{end}')) for end in range(1, 9)]",
    "colours": "[told(convert_color_space(PIXELS, *pair)) for pair in (('YBR_FULL', 'RGB'), ('RGB', 'YBR_FULL'),"
    " ('YBR_FULL_422', 'RGB'), ('RGB', 'YBR_FULL_422'), ('YBR_FULL', 'YBR_FULL_422'), ('RGB', 'RGB'))]",
    "colours of a slice": "told(convert_color_space(PIXELS[:, ::2], 'YBR_FULL', 'RGB'))",
    "colours in place": "(pixels := PIXELS.copy()) is convert_color_space(pixels, 'RGB', 'YBR_FULL', per_frame=True),"
    " told(pixels)",
    "colours of words": "convert_color_space(PIXELS.astype('u2'), 'RGB', 'YBR_FULL')",
    "unknown colours": "convert_color_space(PIXELS, 'RGB', 'CMYK')",
    "two samples": "convert_color_space(PIXELS[..., :2], 'RGB', 'YBR_FULL')",
    "ICC profile": "[told(apply_icc_profile(pixels.copy(), transform=profile(color_space=space))) for pixels in"
    " (PIXELS, PIXELS[0]) for space in (None, 'sRGB', 'lab', 'XYZ')]",
    "ICC profile of a data set": "told(apply_icc_profile(PIXELS.copy(), made(ICCProfile=ICC), intent=1))",
    "ICC profile of a data set in another space": "apply_icc_profile(PIXELS, made(ICCProfile=ICC,"
    " ColorSpace='ROMMRGB'))",
    "ICC profile to another space": "create_icc_transform(icc_profile=ICC, color_space='OTHER')",
    "ICC profile with another intent": "create_icc_transform(icc_profile=ICC, intent=9)",
    "ICC profile and a data set": "create_icc_transform(made(Rows=1), ICC)",
    "ICC profile of two things": "apply_icc_profile(PIXELS, made(Rows=1), transform=1)",
    "ICC profile of two samples": "apply_icc_profile(PIXELS[..., :2], made(Rows=1))",
    "ICC profile of nothing": "apply_icc_profile(PIXELS)",
    "ICC profile of grey": "apply_icc_profile(GREYS, made(Rows=1))",
    "ICC transform of nothing": "create_icc_transform()",
    "ICC transform without a profile": "create_icc_transform(made(Rows=1))",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)


def test_names_of_palettes_are_theirs():
    """pydicom takes FALL for WINTER and the other way round, and warns of names, as they are no UIDs."""
    names = ["HOT_IRON", "PET", "HOT_METAL_BLUE", "PET_20_STEP", "SPRING", "SUMMER", "FALL", "WINTER"]
    cases = {name: f"told(apply_color_lut(GREYS, palette={name!r}))" for name in names}
    uids = {name: f"told(apply_color_lut(GREYS, palette='1.2.840.10008.1.5.{i}'))" for i, name in enumerate(names, 1)}
    found = answers(SETUP, cases, ours=True)
    assert found == answers(SETUP, uids, ours=True)
    assert len({str(answer) for answer in found.values()}) == len(names)


def test_values_far_from_a_table():
    """pydicom subtracts in the values' own width, and wraps around or raises OverflowError."""
    cases = {
        "signed": "apply_modality_lut(np.array([-32768, 0, 32767], 'i2'), lut('ModalityLUTSequence', [2, 9, 16],"
        " [3, 4])).tolist()",
        "unsigned": "apply_voi(np.array([0, 65535], 'u2'), lut('VOILUTSequence', [2, 9, 16], [3, 4])).tolist()",
        "narrow palette": "apply_color_lut(np.array([300], 'u2'), palette(8, b'1234', b'abcd', b'ABCD')).tolist()",
    }
    assert answers(SETUP, cases, ours=True) == {
        "signed": ["value", ["3", "3", "4"], False],
        "unsigned": ["value", ["3", "4"], False],
        "narrow palette": ["value", [[str(ord(one)) for one in "4dD"]], False],
    }


def test_indirect_segments_of_words():
    """Their offsets count bytes (PS3.3 C.7.9.2.3), which pydicom takes for words."""
    words = (0, 2, 700, 800, 0, 2, 900, 1000, 2, 1, 8, 0)  # two entries, two more, and the second segment again
    case = f"""apply_color_lut(np.arange(6, dtype='u1'), palette(16, *[pack('<12H', *{words})] * 3, entries=6,
        segmented='Segmented'))[:, 0].tolist()"""
    found = answers(SETUP, {"indirect": case}, ours=True)["indirect"]
    assert found == ["value", ["700", "800", "900", "1000", "900", "1000"], False]
