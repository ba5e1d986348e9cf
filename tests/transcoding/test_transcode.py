"""dc.transcode: samples, colour, bits, loss, overlays and instances from one transfer syntax to another."""

import io
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import dicomcore as dc
from dicomcore.dataset.state import index_of
from dicomcore.pixels import Capacity, register_encoder
from dicomcore.pixels.coding import encoder_registry
from dicomcore.pixels.colour import to_rgb
from dicomcore.threads import in_order
from dicomcore.transcoding import NAMES, syntax_named
from tests.support.corpus import ABSENT, real, small_files

NATIVE = ("implicit", "explicit", "big-endian", "deflated")
LOSSLESS = (
    *NATIVE, "encapsulated", "deflated-frames", "rle", "jpeg-lossless", "jpeg-lossless-14", "jpeg-ls", "jpeg-2000",
    "htj2k", "htj2k-rpcl", "jpeg-xl",
)  # fmt: skip
# name: (quality, most that samples may differ, as a part of their range)
LOSSY = {
    "jpeg": (95, 0.05),
    "jpeg-extended": (95, 0.05),
    "jpeg-ls-near": (3, None),
    "jpeg-2000-lossy": (50, 0.05),
    "htj2k-lossy": (0.002, 0.05),
    "jpeg-xl-lossy": (0.5, 0.08),
}


def ramp(shape, low, high, dtype):
    """Values from `low` to `high`, no two neighbours' bytes alike."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    plane = low + (7 * y + 13 * x) * (high - low) // (7 * shape[0] + 13 * shape[1])
    return (plane if len(shape) == 2 else np.stack([plane, plane[::-1], plane[:, ::-1]], -1)).astype(dtype)


IMAGES = {  # name: (array, bits stored, photometric interpretation)
    "grey 8": (ramp((17, 23), 0, 255, "u1"), 8, None),
    "grey 7 of 8": (ramp((17, 23), 0, 127, "u1"), 7, None),
    "grey 12 of 16": (ramp((17, 23), 0, 4095, "u2"), 12, None),
    "grey 16": (ramp((17, 23), 0, 65535, "u2"), 16, None),
    "signed 16": (ramp((17, 23), -32768, 32767, "i2"), 16, None),
    "signed 12 of 16": (ramp((17, 23), -2048, 2047, "i2"), 12, None),
    "signed 8": (ramp((17, 23), -128, 127, "i1"), 8, None),
    "RGB": (ramp((16, 22, 3), 0, 255, "u1"), 8, None),
    "YBR_FULL": (ramp((16, 22, 3), 0, 255, "u1"), 8, "YBR_FULL"),
    "RGB 16": (ramp((16, 22, 3), 0, 65535, "u2"), 16, None),
    "frames": (np.stack([ramp((9, 11), 0, 4000 + i, "u2") for i in range(5)]), 12, None),
    "wide": (ramp((17, 23), 0, (1 << 32) - 1, "u4"), 32, None),
}


def made(array, bits_stored=None, photometric=None, **values):
    ds = dc.Dataset()
    ds.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": "1.2.3.4", "PatientID": "P", **values})
    ds.set_pixels(array, bits_stored=bits_stored, photometric_interpretation=photometric, new_instance=False)
    return ds


def through(src, to, **options):
    """The transcoded data set, and the report."""
    out = bytearray()
    done = dc.transcode(src, out, to, **options)
    return dc.dcmread(bytes(out)), done


def raw(ds):
    return ds.frames.stack(range(len(ds.frames)), raw=True)


def values(ds, keyword):
    held = ds.get(keyword)
    return held if isinstance(held, list) else [held]


# -- lossless


@pytest.mark.parametrize("name", IMAGES)
def test_every_pair_of_lossless_syntaxes(name):
    array, stored, photometric = IMAGES[name]
    wanted = raw(made(array, stored, photometric))
    able = []
    for to in LOSSLESS:
        try:
            ds, done = through(made(array, stored, photometric), to, verify=True)
        except dc.EncodeError as error:
            assert "1.2.840.10008.1.2.1.98" in str(error)  # the message names encoders that can
            continue
        assert done.lossless
        assert done.verified
        assert ds.SOPInstanceUID == "1.2.3.4"
        assert "LossyImageCompression" not in ds
        able.append((to, ds))
    assert {"explicit", "rle", "encapsulated", "deflated-frames"} <= {to for to, _ in able}
    for (_, source), (to, _) in product(able, able):
        ds, _ = through(source, to, workers=1)
        assert ds.transfer_syntax == NAMES[to]
        frames = [np.array(ds.frames.decode(i, raw=False)) for i in range(len(ds.frames))]
        assert ds.frames.description.dtype == wanted.dtype
        for i, frame in enumerate(frames):
            described = made(array, stored, photometric).frames
            assert np.array_equal(frame, described[i]), (source.transfer_syntax.name, to)
        assert not [issue for issue in ds.issues if issue.code != "PIXEL_PRECISION"]


def test_elements_other_than_pixel_data_stay_byte_for_byte():
    ds, _ = through(real("CT_small.dcm"), "jpeg-lossless")
    back, _ = through(ds, "explicit")
    source = dc.dcmread(real("CT_small.dcm"))
    assert [el.tag for el in back] == [el.tag for el in source]
    for element in source:
        if element.VR != "SQ":
            assert bytes(back[element.tag].raw) == bytes(element.raw), element.tag


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("to", ["explicit", "big-endian", "rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k-rpcl"])
def test_real_files_pass_verification(to):
    done = 0
    for one in small_files(60_000):
        pixels = one.line.get("pixels", {})
        if pixels.get("rows") and pixels["rows"] * pixels["columns"] * pixels["frames"] < 300_000:
            try:
                dc.transcode(one.path, bytearray(), to, verify=True, force=True)
            except (dc.EncodeError, dc.PixelDecodeError) as error:
                assert "verification" not in str(error), one.name
            else:
                done += 1
    assert done > 40


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("to", ["htj2k", "htj2k-rpcl", "jpeg-2000", "jpeg-ls"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 8), (100, 1), (2, 2)])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_one_row_or_column_of_the_least_value(dtype, shape, to):
    """OpenJPH 0.32 loses such samples where it divides them into resolutions."""
    array = np.full(shape, np.iinfo(dtype).min, dtype)
    for last in (np.iinfo(dtype).min, np.iinfo(dtype).max):
        array.flat[-1] = last
        ds, _ = through(made(array), to)
        assert np.array_equal(ds.pixel_array.reshape(shape), array)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), to=st.sampled_from([name for name in LOSSLESS if name != "jpeg-xl"]))
def test_property_lossless_is_exact(data, to):
    dtype = data.draw(st.sampled_from(["u1", "u2", "i1", "i2"]))
    shape = data.draw(st.sampled_from([(1, 1), (3, 2), (8, 8), (2, 5, 4), (6, 5, 3)]))
    array = data.draw(arrays(dtype, shape))
    colour = "RGB" if shape[-1] == 3 and dtype[0] == "u" else "MONOCHROME2"
    ds, _ = through(made(array, photometric=colour), to)
    assert np.array_equal(ds.pixel_array, array)


# -- colour and layout


def test_planes_become_pixels():
    array = IMAGES["RGB"][0]
    ds = made(array)
    ds.PlanarConfiguration = 1
    ds.PixelData = np.moveaxis(array, -1, 0).tobytes()
    for to in ("rle", "jpeg-lossless", "jpeg-2000"):
        got, _ = through(ds, to)
        assert got.PlanarConfiguration == 0
        assert np.array_equal(got.pixel_array, array)


@pytest.mark.parametrize(
    ("to", "wanted"),
    [
        ("rle", "RGB"), ("jpeg-lossless", "RGB"), ("jpeg-ls", "RGB"), ("jpeg-2000", "YBR_RCT"), ("htj2k", "YBR_RCT"),
        ("jpeg-2000-lossy", "YBR_ICT"), ("htj2k-lossy", "YBR_ICT"), ("jpeg", "YBR_FULL_422"), ("jpeg-xl", "RGB"),
        ("jpeg-xl-lossy", "XYB"),
    ],
)  # fmt: skip
def test_photometric_interpretation_of_rgb(to, wanted):
    ds, _ = through(made(IMAGES["RGB"][0]), to)
    assert ds.PhotometricInterpretation == wanted
    back, _ = through(ds, "explicit")
    assert back.PhotometricInterpretation == "RGB"
    assert np.array_equal(back.pixel_array, ds.pixel_array)


def test_subsampled_native_becomes_full():
    pairs = np.arange(4 * 6 * 2, dtype="u1")
    ds = made(np.zeros((4, 6, 3), "u1"))
    ds.PhotometricInterpretation, ds.PixelData = "YBR_FULL_422", pairs.tobytes()
    wanted = raw(ds)
    got, _ = through(ds, "rle")
    assert got.PhotometricInterpretation == "YBR_FULL"
    assert np.array_equal(raw(got), wanted)
    kept, _ = through(ds, "big-endian")
    assert kept.PhotometricInterpretation == "YBR_FULL_422"
    assert bytes(kept.PixelData) == pairs.tobytes()


def test_jpeg_of_ybr_becomes_rgb():
    source, _ = through(made(IMAGES["RGB"][0]), "jpeg")
    got, _ = through(source, "jpeg-lossless")
    assert got.PhotometricInterpretation == "RGB"
    assert np.array_equal(raw(got), source.frames.stack([0]))
    assert (got.LossyImageCompression, got.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert got.SOPInstanceUID == source.SOPInstanceUID


def test_palette_colour_stays_palette_colour():
    ds = made(IMAGES["grey 8"][0], photometric="PALETTE COLOR")
    assert through(ds, "jpeg-lossless")[0].PhotometricInterpretation == "PALETTE COLOR"
    with pytest.raises(dc.EncodeError, match="indices of a palette"):
        through(ds, "jpeg")


# -- bits


@pytest.mark.parametrize("of", ["explicit", "big-endian"])
@pytest.mark.parametrize("to", ["rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "explicit"])
def test_overlay_in_unused_bits_is_moved(of, to):
    words, plane = IMAGES["grey 12 of 16"][0], np.arange(17 * 23).reshape(17, 23) % 3 == 0
    ds = made(words | (plane.astype("u2") << 13), 16)
    ds.BitsStored, ds.HighBit = 12, 11
    for element, vr, value in (
        (0x10, "US", 17), (0x11, "US", 23), (0x40, "CS", "G"), (0x50, "SS", [1, 1]),
        (0x100, "US", 16), (0x102, "US", 13),
    ):  # fmt: skip
        ds.add_new(0x60000000 | element, vr, value)
    got, _ = through(through(ds, of)[0], to, verify=True)
    assert np.array_equal(got.pixel_array, words)
    (overlay,) = got.frames.overlays
    assert overlay.embedded == (to == "explicit")  # native to native stays as it is
    assert np.array_equal(overlay.array(0), plane)


def test_overlays_of_frames_follow_each_other():
    words = np.stack([ramp((5, 3), 0, 255 - i, "u2") for i in range(3)])
    planes = np.random.default_rng(3).integers(0, 2, words.shape).astype("u2")
    ds = made(words | (planes << 15), 16, "MONOCHROME2")
    ds.BitsStored, ds.HighBit = 8, 7
    for element, value in ((0x10, 5), (0x11, 3), (0x100, 16), (0x102, 15)):
        ds.add_new(0x60020000 | element, "US", value)
    got, _ = through(ds, "rle", workers=2)
    (overlay,) = got.frames.overlays
    assert (overlay.group, overlay.frames, overlay.embedded) == (0x6002, 3, False)
    assert all(np.array_equal(overlay.array(i), planes[i]) for i in range(3))


def test_unused_bits_above_bits_stored_are_cleared():
    words = IMAGES["grey 12 of 16"][0]
    ds = made(words | np.uint16(0xA000), 16)
    ds.BitsStored, ds.HighBit = 12, 11
    assert np.array_equal(raw(through(ds, "jpeg-lossless", verify=True)[0])[0], words)


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("to", ["rle", "jpeg-lossless", "jpeg-2000", "jpeg-ls", "explicit"])
def test_samples_in_high_bits_keep_their_values(to, signed):
    """They move to the lowest bits, as PS3.5 8.1.1 requires and as readers that ignore High Bit expect."""
    values = IMAGES["grey 12 of 16"][0]
    ds = made(values << 4 | 5, 16)
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 15, signed
    wanted = np.where(values > 2047, values.astype(int) - 4096, values) if signed else values
    got, _ = through(ds, to, verify=True)
    assert np.array_equal(got.pixel_array, wanted)
    assert (got.BitsStored, got.HighBit) == ((12, 15) if to == "explicit" else (12, 11))


@pytest.mark.parametrize("to", ["explicit", "rle", "jpeg-lossless", "jpeg-2000", "deflated-frames"])
@pytest.mark.parametrize("of", ["jpeg-ls", "jpeg-2000", "htj2k", "jpeg-xl", "jpeg-extended"])
def test_a_codestream_of_more_bits_than_stored(of, to):
    """Bits Stored follows the codestream; otherwise readers would cut off bits of the source."""
    lossy = of == "jpeg-extended"
    array = ramp((16, 24), 0, 4095 if lossy else 65535, "u2")
    source, _ = through(made(array, 12 if lossy else 16), of)
    source.BitsStored, source.HighBit = 10, 9
    if of != to:
        got, _ = through(source, to, verify=True)
        assert (got.BitsStored, got.HighBit) == ((12, 11) if lossy else (16, 15))
        assert np.abs(got.pixel_array.astype(int) - array).max() <= (200 if lossy else 0)
        assert np.array_equal(got.pixel_array, source.pixel_array)


def test_a_later_frame_beyond_bits_stored():
    source, _ = through(made(np.stack([np.full((9, 11), 1000, "u2"), np.full((9, 11), 5000, "u2")])), "jpeg-2000")
    source.BitsStored, source.HighBit = 12, 11
    with pytest.raises(dc.EncodeError, match="frame 1: 12 Bits Stored hold 0 to 4095, the array holds 5000 to 5000"):
        through(source, "rle")


@pytest.mark.parametrize("to", ["encapsulated", "deflated-frames", "explicit"])
def test_single_bits(to):
    bits = np.random.default_rng(5).integers(0, 2, (3, 5, 7)).astype(bool)
    ds, _ = through(made(bits), to, verify=True)
    assert np.array_equal(ds.pixel_array, bits)
    back, _ = through(ds, "explicit", verify=True)
    assert np.array_equal(back.pixel_array, bits)
    assert len(back.PixelData) == 14
    one, _ = through(ds, "explicit", frames=[2, 0])
    assert np.array_equal(one.pixel_array, bits[[2, 0]])


# -- loss


@pytest.mark.parametrize("to", LOSSY)
@pytest.mark.parametrize("name", ["grey 8", "grey 12 of 16", "RGB", "signed 12 of 16"])
def test_lossy_frames_are_near_and_the_header_records_the_loss(to, name):
    quality, share = LOSSY[to]
    array, stored, photometric = IMAGES[name]
    source = made(array, stored, photometric, ImageType=["ORIGINAL", "PRIMARY"])
    try:
        ds, done = through(source, to, quality=quality)
    except dc.EncodeError as error:
        assert name != "grey 8", error
        assert any(word in str(error) for word in ("16 bits allocated", "signed"))
        return
    most = quality if share is None else share * (1 << stored) * (3 if name == "RGB" else 1)
    assert np.abs(ds.pixel_array.astype("i4") - array).max() <= most
    assert not done.lossless
    assert ds.LossyImageCompression == "01"
    assert ds.LossyImageCompressionRatio == pytest.approx(done.ratio, abs=0.01)
    assert ds.LossyImageCompressionMethod.startswith("ISO_")
    assert ds.ImageType == ["DERIVED", "PRIMARY"]
    assert ds.SOPInstanceUID not in ("", "1.2.3.4")
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID == done.sop_instance_uid
    assert ds.DerivationCodeSequence[0].CodeValue == "113040"
    assert ds.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    assert ds.HighBit == ds.BitsStored - 1


def test_history_of_loss_is_kept():
    once, _ = through(made(IMAGES["RGB"][0]), "jpeg")
    twice, _ = through(once, "jpeg-2000-lossy")
    assert values(twice, "LossyImageCompressionMethod") == ["ISO_10918_1", "ISO_15444_1"]
    assert len(values(twice, "LossyImageCompressionRatio")) == 2
    assert len(twice.SourceImageSequence) == 2
    same, _ = through(made(IMAGES["RGB"][0]), "jpeg", new_instance=False)
    assert same.SOPInstanceUID == "1.2.3.4"
    assert same.LossyImageCompression == "01"


def test_near_lossless_stays_within_bits_stored():
    array = np.where(IMAGES["grey 12 of 16"][0] > 2000, 4095, 0).astype("u2")
    array[::2] -= (array[::2] > 2) * np.uint16(1)
    ds, _ = through(made(array, 12), "jpeg-ls-near", quality=7)
    assert raw(ds).max() <= 4095
    assert np.abs(ds.pixel_array.astype(int) - array).max() <= 7


@pytest.mark.parametrize(("to", "quality"), [("jpeg", 0), ("jpeg", 101), ("jpeg-ls-near", 300), ("jpeg-xl-lossy", -1)])
def test_a_quality_out_of_range_is_refused(to, quality):
    with pytest.raises(ValueError, match="quality"):
        through(made(IMAGES["grey 8"][0]), to, quality=quality)


@pytest.mark.parametrize(
    "to", ["explicit", "deflated", "rle", "jpeg-lossless", "jpeg-ls", "jpeg-2000", "htj2k", "jpeg-xl"]
)
def test_lossless_syntaxes_refuse_a_quality(to, tmp_path):
    source = made(IMAGES["grey 8"][0])
    with pytest.raises(ValueError, match=r"takes no quality.* these take one: .*JPEG-LS Lossy"):
        dc.transcode(source, bytearray(), to, quality=5)
    if to not in ("explicit", "deflated"):
        with (
            pytest.raises(ValueError, match="takes no quality"),
            dc.FrameWriter(tmp_path / "a.dcm", source, transfer_syntax=to, quality=5) as writer,
        ):
            writer.append(IMAGES["grey 8"][0])
    assert not list(tmp_path.iterdir())


# -- codestreams that need no decoding


def test_jpeg_is_taken_as_extended():
    source, _ = through(made(IMAGES["grey 8"][0]), "jpeg")
    got, done = through(source, "jpeg-extended")
    assert done.how == "copied"
    assert bytes(got.frames.encoded(0)) == bytes(source.frames.encoded(0))
    assert got.SOPInstanceUID == source.SOPInstanceUID


def test_jpeg_in_jpeg_xl_is_restored():
    source, _ = through(made(np.stack([IMAGES["RGB"][0]] * 2), 8), "jpeg")
    packed, done = through(source, "jpeg-xl-jpeg", verify=True)
    assert done.lossless
    back, _ = through(packed, "jpeg", verify=True)
    for i in range(2):
        assert bytes(back.frames.encoded(i)).rstrip(b"\0") == bytes(source.frames.encoded(i)).rstrip(b"\0")
    with pytest.raises(dc.EncodeError, match="only be made from JPEG Baseline"):
        through(made(IMAGES["RGB"][0]), "jpeg-xl-jpeg")


def test_same_syntax_is_not_decoded():
    source, _ = through(made(IMAGES["frames"][0], 12), "rle")
    data = bytearray(dc.dcmread(index_of(source).read(0, index_of(source).size)).PixelData)
    source.PixelData = bytes(data[:-20]) + b"\xaa" * 20  # no decoder would accept it
    got, done = through(source, "rle", frames=slice(2), offset_table="extended")
    assert done.how == "copied"
    assert len(got.frames) == 2
    assert "ExtendedOffsetTable" in got
    assert np.array_equal(got.pixel_array, IMAGES["frames"][0][:2])


# -- frames, tables, targets


def test_chosen_frames():
    source = made(IMAGES["frames"][0], 12, FrameIncrementPointer=0x00181065, FrameTimeVector=[0.0, 1.0, 2.0, 3.0, 4.0])
    groups = [dc.Dataset() for _ in range(5)]
    for i, group in enumerate(groups):
        group.FrameAcquisitionNumber = i
    source.PerFrameFunctionalGroupsSequence = dc.Sequence(groups)
    for to in ("explicit", "rle", "deflated", "implicit"):
        ds, done = through(source, to, frames=[3, -5], verify=True)
        assert done.frames == ds.NumberOfFrames == 2
        assert np.array_equal(ds.pixel_array, IMAGES["frames"][0][[3, 0]])
        assert ds.FrameTimeVector == [0.0, -6.0]  # the time since the frame before (PS3.3 C.7.6.5.1.2)
        assert [item.FrameAcquisitionNumber for item in ds.PerFrameFunctionalGroupsSequence] == [3, 0]
        assert ds.SOPInstanceUID != "1.2.3.4"
        assert "LossyImageCompression" not in ds
    with pytest.raises(IndexError):
        through(source, "rle", frames=5)


@pytest.mark.parametrize("table", ["basic", "extended", "none", None])
def test_offset_tables(table):
    ds, _ = through(made(IMAGES["frames"][0], 12), "jpeg-lossless", offset_table=table)
    assert ("ExtendedOffsetTable" in ds) == (table == "extended")
    basic = int.from_bytes(ds.PixelData[4:8], "little")
    assert basic == (20 if table in ("basic", None) else 0)
    assert np.array_equal(ds.frames[4], IMAGES["frames"][0][4])


def test_targets(tmp_path):
    source, path = made(IMAGES["grey 16"][0]), tmp_path / "a.dcm"
    dc.transcode(source, path, "rle")
    stream = io.BytesIO()
    dc.transcode(path, stream, "1.2.840.10008.1.2.4.70")
    assert dc.dcmread(stream.getvalue()).transfer_syntax.keyword == "JPEGLosslessSV1"
    dc.transcode(path, path, "JPEG2000Lossless")  # replaces its source
    assert np.array_equal(dc.dcmread(path).pixel_array, IMAGES["grey 16"][0])
    with pytest.raises(FileExistsError):
        dc.transcode(source, path, "rle", overwrite=False)
    with pytest.raises(TypeError):
        dc.transcode(source, 5, "rle")
    assert [one.name for one in tmp_path.iterdir()] == ["a.dcm"]


@pytest.mark.parametrize("name", ["", "jpg", "1.2.840.10008.1.1", "CTImageStorage"])
def test_an_unknown_syntax_is_refused(name):
    with pytest.raises(ValueError, match="no transfer syntax"):
        syntax_named(name)


# -- impossible targets


FAULTS = {  # name: (image, target, words of the message)
    "16 bits in baseline": ("grey 16", "jpeg", "16 bits allocated"),
    "16 bits in extended": ("grey 16", "jpeg-extended", "4 to 12 bits stored"),
    "32 bits in JPEG lossless": ("wide", "jpeg-lossless", "RLE Lossless"),
    "signed in JPEG": ("signed 8", "jpeg", "signed"),
    "signed in JPEG XL": ("signed 16", "jpeg-xl", "JPEG 2000"),
}


@pytest.mark.parametrize(("image", "to", "words"), FAULTS.values(), ids=FAULTS)
def test_a_refusal_names_the_syntaxes_that_can_hold_the_pixels(image, to, words, tmp_path):
    array, stored, photometric = IMAGES[image]
    with pytest.raises(dc.EncodeError, match=words):
        dc.transcode(made(array, stored, photometric), tmp_path / "x", to)
    assert not list(tmp_path.iterdir())


def test_floats_stay_uncompressed():
    array = np.linspace(0, 1, 12, dtype="f4").reshape(3, 4)
    source = made(array, SOPClassUID="1.2.840.10008.5.1.4.1.1.30")  # Parametric Map Storage
    for to in NATIVE:
        assert np.array_equal(through(source, to, verify=True)[0].pixel_array, array)
    with pytest.raises(dc.EncodeError, match="floating-point"):
        through(source, "rle")


@pytest.mark.parametrize("to", ["implicit", "rle", "deflated"])
def test_a_data_set_without_sop_instance_uid_is_refused(to):
    source = made(IMAGES["grey 8"][0])
    del source.SOPInstanceUID
    with pytest.raises(dc.EncodeError, match=r"no SOPInstanceUID, which a file names \(PS3\.10 7\.1\): set it$"):
        through(source, to)


def test_an_encapsulated_syntax_without_pixel_data_is_refused():
    ds = dc.Dataset()
    ds.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": "1.2.3"})
    assert through(ds, "implicit")[1].frames == 0
    with pytest.raises(dc.EncodeError, match="no pixel data"):
        through(ds, "rle")


def test_a_frame_that_fails_leaves_no_file(tmp_path):
    source, _ = through(made(IMAGES["frames"][0], 12), "rle")
    data = bytearray(source.PixelData)
    data[-40:] = b"\x80" * 40  # they encode nothing (PS3.5 G.3.1)
    source.PixelData = bytes(data)
    target = tmp_path / "a.dcm"
    target.write_bytes(b"old")
    with pytest.raises(dc.PixelDecodeError):
        dc.transcode(source, target, "jpeg-lossless")
    assert target.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.dcm"]


PRIVATE = "1.2.840.10008.1.2.5"


@pytest.fixture
def other_encoder():
    before = encoder_registry.encoder_for(PRIVATE)
    yield
    encoder_registry._ENCODERS[PRIVATE] = before


@pytest.mark.thread_unsafe(reason="registers an encoder")
def test_verify_finds_the_loss_of_an_encoder(other_encoder, tmp_path):
    before = encoder_registry.encoder_for(PRIVATE)
    register_encoder(PRIVATE, lambda samples, desc, q: before.encode(samples & 0xFFFE, desc, q), name="liar")
    target = tmp_path / "a.dcm"
    dc.transcode(made(IMAGES["grey 16"][0]), target, "rle")
    target.write_bytes(b"old")
    with pytest.raises(dc.EncodeError, match="verification failed: frame 0"):
        dc.transcode(made(IMAGES["grey 16"][0]), target, "rle", verify=True)
    assert target.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["a.dcm"]


@pytest.mark.thread_unsafe(reason="registers an encoder")
def test_third_party_encoders(other_encoder):
    register_encoder(PRIVATE, lambda *_: 1 / 0, name="broken", capacity=Capacity(bits=(1, 8)), requires="numpy")
    with pytest.raises(dc.EncodeError, match="1 to 8 bits stored"):
        through(made(IMAGES["grey 16"][0]), "rle")
    with pytest.raises(dc.EncodeError, match="frame 0 can't be encoded"):
        through(made(IMAGES["grey 8"][0]), "rle")
    register_encoder(PRIVATE, lambda *_: b"", name="absent", requires="no_such_module")
    with pytest.raises(dc.UnsupportedTransferSyntaxError, match="pip install no_such_module"):
        through(made(IMAGES["grey 8"][0]), "rle")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order_and_few_are_queued(threads):
    drawn = []

    def items():
        for i in range(100):
            drawn.append(i)
            yield i

    for place, result in enumerate(in_order(items(), lambda i: i * i, threads)):
        assert result == place * place
        assert len(drawn) <= place + 2 * threads + 1


def test_ybr_to_rgb_equals_pixel_array():
    array = IMAGES["YBR_FULL"][0]
    ds = made(array, photometric="YBR_FULL")
    got, _ = through(ds, "jpeg-2000-lossy", quality=90)
    wanted = to_rgb(array.copy(), ds.frames.description)
    assert got.PhotometricInterpretation == "YBR_ICT"
    assert np.abs(got.pixel_array.astype(int) - wanted).max() <= 2


def test_a_video_becomes_frames():
    pytest.importorskip("av")
    from tests.pixels.test_video import FRAMES, H264, encoded, file_of

    source = dc.dcmread(file_of(encoded("h264", "h264"), H264))
    got, done = through(source, "jpeg-lossless", verify=True)
    assert (done.frames, got.PhotometricInterpretation) == (FRAMES, "RGB")
    assert np.array_equal(got.pixel_array, source.pixel_array)
    assert (got.LossyImageCompression, got.LossyImageCompressionMethod) == ("01", "ISO_14496_10")
    few, _ = through(source, "explicit", frames=[7, 2])
    assert np.array_equal(few.pixel_array, source.pixel_array[[7, 2]])
    with pytest.raises(dc.DicomError):
        through(source, H264, frames=[1])


def test_icons_stay_as_they_are():
    icon = made(IMAGES["grey 8"][0])
    source = made(IMAGES["grey 16"][0], IconImageSequence=[icon])
    for to in ("rle", "jpeg-2000-lossy", "big-endian"):
        held = through(source, to)[0].IconImageSequence[0]
        assert bytes(held.PixelData).startswith(bytes(icon.PixelData))
        assert np.array_equal(held.frames[0], IMAGES["grey 8"][0])


def test_an_icon_in_the_old_syntax_is_uncompressed():
    coded, icon = through(made(IMAGES["grey 12 of 16"][0], 12), "rle")[0], made(IMAGES["grey 12 of 16"][0], 12)
    icon.PixelData = bytes(coded.PixelData)
    source, _ = through(made(IMAGES["grey 16"][0]), "rle")
    source.IconImageSequence = dc.Sequence([icon])
    written = bytearray()
    dc.dcmwrite(written, source)
    for to in ("jpeg-lossless", "explicit", "big-endian"):
        held = through(bytes(written), to)[0].IconImageSequence[0]
        assert len(held.PixelData) == 2 * 17 * 23
        assert np.array_equal(held.frames[0], IMAGES["grey 12 of 16"][0])


def with_icon(to, icon):
    """A file in the syntax of the icon's codestream, as bytes."""
    source, _ = through(made(IMAGES["grey 8"][0]), to)
    source.IconImageSequence = dc.Sequence([icon])
    written = bytearray()
    dc.dcmwrite(written, source)
    return bytes(written)


@pytest.mark.parametrize("stated", [("YBR_FULL_422", 0), ("YBR_FULL", 1), ("RGB", 0)], ids=str)
@pytest.mark.parametrize("to", ["explicit", "implicit", "big-endian", "jpeg-lossless"])
def test_an_uncompressed_icon_says_what_its_samples_are(stated, to):
    """Of YBR in a codestream that says so, whatever its Photometric Interpretation and Planar Configuration are."""
    pixels = (np.arange(64).reshape(8, 8, 1) * [1, 2, 3] % 256).astype(np.uint8)
    coloured, icon = through(made(pixels), "jpeg")[0], made(pixels)
    marked = bytes(coloured.PixelData).replace(b"\xff\xd8", b"\xff\xd8\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\1", 1)
    length = marked.index(b"\xff\xd8") - 4
    size = int.from_bytes(marked[length : length + 4], "little") + 16
    icon.PixelData = marked[:length] + size.to_bytes(4, "little") + marked[length + 4 :]
    icon.PhotometricInterpretation, icon.PlanarConfiguration = stated
    held = through(with_icon("jpeg", icon), to)[0].IconImageSequence[0]
    assert (held.PhotometricInterpretation, held.PlanarConfiguration) == ("RGB", 0)
    assert bytes(held.PixelData) == coloured.pixel_array.tobytes()


def test_an_icon_that_cannot_be_decoded_is_named():
    icon = made(IMAGES["grey 8"][0])
    whole = bytes(through(icon, "rle")[0].PixelData)
    icon.PixelData = whole.replace(b"\1\0\0\0\x40\0\0\0", b"\x99\0\0\0\x40\0\0\0", 1)
    assert bytes(icon.PixelData) != whole
    with pytest.raises(dc.EncodeError, match=r"IconImageSequence\[0\]: the icon can't be decoded"):
        through(with_icon("rle", icon), "implicit")


@pytest.mark.parametrize("options", [{"new_instance": True}, {"offset_table": "extended"}], ids=str)
def test_a_file_that_contradicts_its_transfer_syntax_is_repaired(options):
    """Implicit VR labelled as explicit: pixel data that followed in explicit VR was once lost."""
    source = dc.dcmread(real("SC_rgb_jpeg.dcm"))
    assert [issue.code for issue in source.issues] == ["IMPLICIT_IN_EXPLICIT"]
    back, done = through(source, "jpeg", verify=True, **options)
    assert done.how == "copied"
    assert back.issues == ()
    assert (back.pixel_array == source.pixel_array).all()


def test_native_frames_of_a_file_that_contradicts_its_transfer_syntax(tmp_path):
    out = bytearray()
    dc.dcmwrite(out, made(IMAGES["frames"][0], 12), transfer_syntax="1.2.840.10008.1.2")
    at = out.index(b"1.2.840.10008.1.2\0")
    group = out.index(b"\x02\0\0\0UL\x04\0") + 8
    length = int.from_bytes(out[group : group + 4], "little") + 2
    out[group : group + 4] = length.to_bytes(4, "little")
    out[at - 2 : at + 18] = (20).to_bytes(2, "little") + b"1.2.840.10008.1.2.1\0"
    source = dc.dcmread(bytes(out))
    assert [issue.code for issue in source.issues] == ["IMPLICIT_IN_EXPLICIT"]
    dc.transcode(source, tmp_path / "a.dcm", "explicit", frames=[1, 3], verify=True)
    back = dc.dcmread(tmp_path / "a.dcm")
    assert back.issues == ()
    assert (back.pixel_array == IMAGES["frames"][0][[1, 3]]).all()
