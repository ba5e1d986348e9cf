"""Look-ups, segments and windows, compared with NumPy, pydicom and the standard's rules."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut, apply_windowing

import dicomcore as dc
from dicomcore._native.pixels import lut
from dicomcore.display.rendering import Window, apply_window
from dicomcore.display.tables import LookUpTable, Palette, expand_segments, read_entries
from dicomcore.errors import PixelDecodeError


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4"])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 8])
@pytest.mark.parametrize("first", [-20, 0, 5])
@pytest.mark.parametrize("count", [0, 1, 1023, 1024, 1025])
def test_lookup(dtype, size, first, count):
    rng = np.random.default_rng(size)
    limits = np.iinfo(dtype)
    values = rng.integers(max(limits.min, -300), min(limits.max, 300), count, dtype)
    values[:2] = (limits.min, limits.max)[: len(values[:2])]
    entry = {3: 4, 6: 8}.get(size, size)
    table = rng.integers(0, 256, (40, entry), dtype=np.uint8)
    dst = np.zeros(count * size, np.uint8)
    lut.lookup(values.view(np.uint8), values.itemsize, dtype[0] == "i", table.reshape(-1), first, dst, size)
    wanted = table[np.clip(values.astype(np.int64) - first, 0, 39), :size]
    assert (dst == wanted.reshape(-1)).all()


REFUSED = {
    "no entries": (1, b"", 1, 4),
    "no such width": (3, bytes(4), 1, 4),
    "no such entry": (1, bytes(4), 5, 4),
    "half an entry": (1, bytes(5), 3, 4),
    "another size": (1, bytes(4), 1, 5),
}


@pytest.mark.parametrize(("width", "table", "size", "out"), REFUSED.values(), ids=REFUSED)
def test_lookup_refuses_wrong_sizes(width, table, size, out):
    with pytest.raises(ValueError, match=r"table|look-up|do not give"):
        lut.lookup(bytes(4), width, False, table, 0, bytearray(out), size)


SEGMENTS = {  # name: (words, entries wanted)
    "discrete": ([0, 3, 7, 8, 9], [7, 8, 9]),
    "linear": ([0, 1, 10, 1, 4, 30], [10, 15, 20, 25, 30]),
    "linear down": ([0, 1, 30, 1, 2, 10], [30, 20, 10]),
    "indirect": ([0, 2, 1, 2, 1, 2, 6, 2, 2, 0, 0], [1, 2, 4, 6, 1, 2, 4, 6]),
    "padded": ([0, 2, 7, 8, 0], [7, 8]),
}


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize(("words", "wanted"), SEGMENTS.values(), ids=SEGMENTS)
def test_segments(width, words, wanted):
    if width == 1:
        words = [*words[:-2], *words[-2:], 0, 0] if 2 in words[4:] and words[-2:] == [0, 0] else words
    data = np.array(words, f"<u{width}").tobytes()
    assert expand_segments((256, 0, 8 * width), data).tolist() == wanted


def in_big_endian(entries, width):
    """Entries in words of OW, big endian: of two 8-bit entries in a word the second comes first (PS3.5 7.3)."""
    padded = np.array([*entries, 0] if len(entries) * width % 2 else entries, f"<u{width}")
    return padded.view("<u2").astype(">u2").tobytes()


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("name", [name for name in SEGMENTS if name != "padded"])  # words bring their own padding
def test_segments_in_big_endian(width, name):
    words = SEGMENTS[name][0]
    words = [*words, 0, 0] if words[-2:] == [0, 0] and width == 1 else words  # an offset of 32 bits
    expected = expand_segments((256, 0, 8 * width), np.array(words, f"<u{width}").tobytes())
    found = expand_segments((256, 0, 8 * width), in_big_endian(words, width), big_endian=True)
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("count", [6, 7])
def test_entries_in_big_endian(width, count):
    entries = [3 + 7 * i for i in range(count)]
    descriptor = (count, 0, 8 * width)
    assert read_entries(descriptor, in_big_endian(entries, width), big_endian=True).tolist() == entries


@pytest.mark.parametrize("vr", ["OW", "OB"])
def test_segmented_palette_of_a_big_endian_file(vr):
    """The whole file is read; only words have a byte order."""
    segments = [0, 3, 10, 200, 30, 1, 5, 80]
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.2"
    ds.SOPClassUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PixelRepresentation = 2, 4, 1, 0
    ds.BitsAllocated = ds.BitsStored = 8
    ds.PhotometricInterpretation = "PALETTE COLOR"
    data = bytes(segments) if vr == "OB" else in_big_endian(segments, 1)
    for colour in ("Red", "Green", "Blue"):
        setattr(ds, f"{colour}PaletteColorLookupTableDescriptor", [8, 0, 8])
        keyword = f"Segmented{colour}PaletteColorLookupTableData"
        ds.add_new(keyword, vr, data)
    ds.add_new("PixelData", "OB", bytes(range(8)))
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, ds, enforce_file_format=True, little_endian=False, implicit_vr=False)
    picture = dc.dcmread(buffer.getvalue()).frames.render(0)
    assert picture[..., 0].reshape(-1).tolist() == [10, 200, 30, 40, 50, 60, 70, 80]


BAD_SEGMENTS = {
    "linear first": [1, 3, 7],
    "unknown": [3, 1, 1],
    "cut short": [0, 5, 1, 2],
    "without length": [0, 0, 1],
    "indirect beyond": [0, 1, 1, 2, 1, 200, 0],
    "indirect to itself": [0, 1, 1, 2, 1, 6, 0],
}


@pytest.mark.parametrize("words", BAD_SEGMENTS.values(), ids=BAD_SEGMENTS)
def test_bad_segments(words):
    with pytest.raises(PixelDecodeError):
        expand_segments((256, 0, 16), np.array(words, "<u2").tobytes())


def test_segments_are_bounded():
    """Each segment has 65535 entries, each indirect segment repeats them, and the table has 8."""
    words = [0, 1, 1, 1, 65535, 7, *[2, 65535, 0, 0] * 5000]
    assert expand_segments((8, 0, 16), np.array(words, "<u2").tobytes()).tolist()[-1] == 1


def test_segments_as_pydicom():
    path = pydicom.data.get_testdata_file("examples_palette.dcm")
    ds = pydicom.dcmread(path)
    names = [f"{c}PaletteColorLookupTableData" for c in ("Red", "Green", "Blue")]
    palette = Palette.of(ds.RedPaletteColorLookupTableDescriptor, [ds[name].value for name in names])
    assert (palette.apply(ds.pixel_array) == apply_color_lut(ds.pixel_array, ds)).all()
    assert palette.apply(ds.pixel_array, eight=True).dtype == np.uint8


ENTRIES = {  # name: (descriptor, data, dtype, entries)
    "8 bits a byte": ((4, 0, 8), bytes(range(4)), "u1", [0, 1, 2, 3]),
    "8 bits in 16": ((2, 0, 8), b"\x01\x00\x02\x00", "u2", [1, 2]),
    "16 bits": ((2, 0, 16), b"\x01\x02\x03\x04", "u2", [0x0201, 0x0403]),
    "65536 as 0": ((0, 0, 16), bytes(2 * 65536), "u2", [0] * 65536),
    "longer than said": ((2, 0, 8), bytes(range(4)), "u2", [0x0100, 0x0302]),
    "shorter than said": ((200, 0, 16), b"\x01\x02", "u2", [0x0201]),
    "a list": ((3, 0, 16), [1, 2, 3], "u2", [1, 2, 3]),
}


@pytest.mark.parametrize(("descriptor", "data", "dtype", "entries"), ENTRIES.values(), ids=ENTRIES)
def test_entries(descriptor, data, dtype, entries):
    table = LookUpTable.of(descriptor, data)
    assert table.entries.dtype == dtype
    assert table.entries.tolist() == entries


def test_first_mapped_value_has_the_samples_sign():
    assert LookUpTable.of((2, 65526, 8), b"\1\2", pixel_representation=1).first_mapped == -10
    assert LookUpTable.of((2, 65526, 8), b"\1\2", pixel_representation=0).first_mapped == 65526


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(40.0, 400.0), (0.5, 1.5), (-1000.25, 2.0), (2048.0, 4096.0)])
def test_window_as_pydicom(function, center, width):
    values = np.arange(-3000, 3000, dtype=np.int16)
    ds = pydicom.Dataset()
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.BitsStored, ds.PixelRepresentation = 8, 0
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = center, width, function
    ours = apply_window(values, Window(center, width, function))
    theirs = apply_windowing(values, ds)
    if function == "SIGMOID":
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    else:
        assert (ours == theirs).all()


def test_window_of_width_1_is_a_threshold():
    assert apply_window(np.array([1, 2, 3]), Window(2, 1)).tolist() == [0, 255, 255]
    assert apply_window(np.array([np.nan, 9.0]), Window(2, 1)).tolist()[1] == 255


def test_to_bytes():
    dst = np.zeros(7, np.uint8)
    lut.to_bytes(np.array([-5, 0.49, 0.5, 254.5, 255, 1e300, np.nan]), dst)
    assert dst.tolist() == [0, 0, 1, 255, 255, 255, 0]
