"""Boxes blanked in every form of pixel data: nothing else changes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dicomcore import Dataset, FrameWriter, codecs, dcmread, dcmwrite, transcode
from dicomcore.deid.pixels import Box, Mask, Masks, Rectangle, Stretch, clean
from dicomcore.deid.pixels.boxes import Boxes
from dicomcore.deid.pixels.native import NativeValue
from dicomcore.errors import EncodeError, PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.pixels import encoders
from dicomcore.uids import UID
from tests.support.made_images import made
from tests.support.pixel_files import named, with_pixels

BOXES = (Rectangle(3, 5, 20, 7), Rectangle(40, 30, 31, 11))
EVERYWHERE = Masks((Mask("made up", ("always", True), BOXES),))
JPEG = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")


def covered(shape: tuple[int, ...], boxes: Any = BOXES, *, unit: int = 1) -> np.ndarray[Any, Any]:
    """Where boxes are, enlarged to whole units of pixels, with what the interpolation of chroma may change."""
    found = np.zeros(shape[:2], bool)
    for x, y, width, height in boxes:
        left, top = x // unit * unit, y // unit * unit
        right, bottom = -(-(x + width) // unit) * unit, -(-(y + height) // unit) * unit
        room = 1 if unit > 2 else 0
        found[max(top - room, 0) : bottom + room, max(left - room, 0) : right + room] = True
    return found


def written(data_set: Dataset) -> Dataset:
    """The data set after it was written and read again."""
    out = io.BytesIO()
    dcmwrite(out, data_set, enforce_standard=False)
    return dcmread(out.getvalue())


def cleaned_of(source: Dataset, **options: Any) -> tuple[Any, Dataset]:
    done = clean(source, ["masks"], masks=options.pop("masks", EVERYWHERE), **options)
    target = source.copy()
    done.put(target)
    return done, written(target)


SMALL = [line for line in with_pixels() if line["pixels"]["rows"] * line["pixels"]["columns"] < 2_000_000]


@pytest.mark.parametrize("line", SMALL, ids=lambda line: line["path"])
def test_real_file_changes_in_its_boxes_alone(line: dict[str, Any]) -> None:
    source = dcmread(line["file"])
    try:
        frames = source.frames
        before = [frames.decode(index) for index in range(min(len(frames), 40))]
    except ValueError:
        pytest.skip("cannot be decoded")
    try:
        done, after = cleaned_of(source, recode=True)
    except PixelDecodeError as error:
        assert "damaged" in str(error) or "cut" in str(error)
        return
    except EncodeError as error:
        assert frames.stated.bits_allocated == 1 or "video" in str(error), str(error)
        return
    assert len(after.frames) == len(frames)
    unit = 16 if frames.stated.transfer_syntax in JPEG else 2
    for index, values in enumerate(before):
        blank = covered(values.shape, unit=unit)
        new = after.frames.decode(index)
        if done.lossless:
            assert np.array_equal(new[~blank], values[~blank])
        inside = new[covered(values.shape)]
        if done.lossless and inside.size:
            assert (inside == inside[0]).all()
    assert done.frames_changed == (tuple(range(len(frames))) if done.boxes else ())
    assert done.burned_in is None


def picture(rows: int = 60, columns: int = 80, samples: int = 1, bits: int = 8, signed: bool = False) -> Any:
    """Noise in all of a sample's range."""
    noise = np.random.default_rng(5).integers(0, 1 << bits, (rows, columns, samples)[: 2 + (samples > 1)])
    if signed:
        noise -= 1 << bits - 1
    return noise.astype(f"{'i' if signed else 'u'}{1 if bits <= 8 else 2}")


def of(array: Any, **said: Any) -> Dataset:
    return dcmread(made(array, **said))


KINDS: dict[str, Callable[[], Dataset]] = {
    "grey": lambda: of(picture()),
    "12 bits": lambda: of(picture(bits=12), BitsStored=12),
    "signed": lambda: of(picture(bits=12, signed=True), BitsStored=12),
    "colour": lambda: of(picture(samples=3)),
    "inverted": lambda: of(picture(bits=12), BitsStored=12, PhotometricInterpretation="MONOCHROME1"),
}
LOSSLESS = [each.uid for each in encoders() if each.lossless and each.available]


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: UID(uid).keyword)
@pytest.mark.parametrize("kind", KINDS)
def test_lossless_syntaxes_stay_lossless(kind: str, syntax: str) -> None:
    coded = bytearray()
    try:
        transcode(KINDS[kind](), coded, syntax)
    except EncodeError:
        pytest.skip("the syntax does not hold such frames")
    source = dcmread(bytes(coded))
    done, after = cleaned_of(source)
    assert after.transfer_syntax == syntax
    assert done.lossless
    before, new = source.frames.decode(0), after.frames.decode(0)
    blank = covered(before.shape)
    assert np.array_equal(new[~blank], before[~blank])
    dark = {"inverted": (1 << source.BitsStored) - 1, "signed": before.min()}.get(kind, 0)
    assert (new[blank] == dark).all()
    changes = {**done.attributes}
    assert not {"Rows", "PhotometricInterpretation", "BitsStored"} & set(changes)


NATIVE = {  # name: (file, pixels of a unit)
    "signed words": ("CT_small.dcm", 1),
    "big endian words": ("MR_small_bigendian.dcm", 1),
    "bytes in big-endian words": ("OBXXXX1A_expb.dcm", 1),
    "implicit": ("MR_small_implicit.dcm", 1),
    "planes": ("color-pl.dcm", 1),
    "pixels": ("color-px.dcm", 1),
    "halved chroma": ("SC_ybr_full_422_uncompressed.dcm", 2),
    "32 bits, two frames": ("SC_rgb_32bit_2frame.dcm", 1),
    "single bits": ("liver_nonbyte_aligned.dcm", 1),
    "deflated": ("image_dfl.dcm", 1),
}


@pytest.mark.parametrize(("name", "unit"), NATIVE.values(), ids=NATIVE)
def test_native_bytes_change_in_boxes_alone(name: str, unit: int) -> None:
    source = dcmread(named(name))
    done, after = cleaned_of(source)
    assert len(after.PixelData) == len(source.PixelData)
    for index, values in enumerate(source.frames):
        blank = covered(values.shape, unit=unit)
        assert np.array_equal(after.frames.decode(index)[~blank], values[~blank])
    whole = done.pixel_data.whole()
    parts = b"".join(
        bytes(done.pixel_data.source.read(*part)) if isinstance(part, Stretch) else part
        for part in done.pixel_data.parts()
    )
    assert whole == parts == after.PixelData
    cut = slice(11, len(whole) - 9)
    assert bytes(done.pixel_data.read(11, len(whole) - 20)) == whole[cut]


def test_only_touched_frames_are_read() -> None:
    frames = np.stack([picture() for _ in range(50)])
    source = of(frames, NumberOfFrames=50)
    boxes = Boxes(60, 80, 50)
    boxes.add(20, BOXES, "text")
    value = NativeValue(source.frames.source, boxes, (0,), "OW")
    kept = [part for part in value.parts() if isinstance(part, Stretch)]
    assert kept == [Stretch(0, 20 * 4800), Stretch(21 * 4800, 29 * 4800)]


ODD = {  # frames that share bytes or words: (rows, columns, bits allocated, syntax)
    "odd bytes": (7, 9, 8, "1.2.840.10008.1.2.1"),
    "odd bytes in big-endian words": (7, 9, 8, "1.2.840.10008.1.2.2"),
    "bits": (7, 9, 1, "1.2.840.10008.1.2.1"),
    "bits in big-endian words": (7, 9, 1, "1.2.840.10008.1.2.2"),
}


@pytest.mark.parametrize(("rows", "columns", "bits", "syntax"), ODD.values(), ids=ODD)
def test_frames_that_share_bytes(rows: int, columns: int, bits: int, syntax: str) -> None:
    noise = np.random.default_rng(3).integers(0, 2 if bits == 1 else 256, (5, rows, columns)).astype(np.uint8)
    data_set = Dataset()
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7.2", "1.2.3"
    data_set.set_pixels(noise.astype(bool) if bits == 1 else noise, new_instance=False)
    out = bytearray()
    transcode(data_set, out, syntax)
    source = dcmread(bytes(out))
    boxes = Boxes(rows, columns, 5)
    boxes.add(1, [Rectangle(2, 1, 4, 3)], "text")
    boxes.add(4, [Rectangle(0, 0, 9, 7)], "text")
    value = NativeValue(source.frames.source, boxes, (0,), source["PixelData"].VR)
    target = source.copy()
    target.add_new("PixelData", source["PixelData"].VR, value.whole())
    expected = source.frames.array().copy()
    expected[1, 1:4, 2:6] = 0
    expected[4] = 0
    assert np.array_equal(written(target).frames.array(), expected)


def test_chunks_of_large_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomcore.deid.pixels.native.CHUNK", 64)
    source = of(picture(samples=3))
    _, after = cleaned_of(source)
    before, new = source.frames.decode(0), after.frames.decode(0)
    blank = covered(before.shape)
    assert np.array_equal(new[~blank], before[~blank])
    assert not new[blank].any()


@pytest.mark.parametrize("boxes", [EVERYWHERE, Masks(())], ids=["boxes", "no boxes"])
@pytest.mark.parametrize("extra", [b"MUELLER^ANNA", b"X" * 4000, bytes(30)], ids=["few bytes", "many", "zeros"])
def test_bytes_behind_the_last_frame_are_cleared(extra: bytes, boxes: Masks) -> None:
    values = picture()
    source = dcmread(made(values, values.tobytes() + extra))
    done, after = cleaned_of(source, masks=boxes)
    assert b"MUELLER" not in after.PixelData
    assert not any(after.PixelData[values.nbytes :])
    assert bool(done.pixel_data) == (any(extra) or bool(len(boxes)))
    assert after.PixelData[:240] == values.tobytes()[:240]


def test_bytes_behind_big_endian_words_are_cleared() -> None:
    values = np.full((7, 9), 5, np.uint8)
    value = values.tobytes() + b"\0" + b"MUELLER!"
    source = dcmread(made(values, value))
    dcmwrite(out := io.BytesIO(), source, enforce_standard=False, transfer_syntax="1.2.840.10008.1.2.2")
    _, after = cleaned_of(dcmread(out.getvalue()), masks=Masks(()))
    assert (after.frames.decode(0) == 5).all()
    assert not any(after.PixelData[64:])


# -- fragments and offset tables


def cine(path: Path, *, table: str, syntax: str = "rle", frames: int = 6) -> Dataset:
    """A file of several frames, each unlike the others."""
    header = of(np.stack([picture()] * frames), NumberOfFrames=frames)
    with FrameWriter(path, header, transfer_syntax=syntax, offset_table=table) as writer:  # type: ignore[arg-type]
        for index in range(frames):
            writer.append(np.roll(picture(), index, axis=1))
    return dcmread(path)


@pytest.mark.parametrize("table", ["basic", "extended", "none"])
def test_untouched_frames_keep_their_bytes(table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = cine(tmp_path / "source.dcm", table=table)
    only = {2, 5}
    monkeypatch.setattr(Boxes, "touched", property(lambda self: sorted(only)))
    monkeypatch.setattr(Boxes, "of", lambda self, frame: list(BOXES) if frame in only else [])
    done, after = cleaned_of(source)
    assert ("ExtendedOffsetTable" in after) == (table == "extended")
    for index in range(6):
        same = bytes(after.frames.encoded(index)) == bytes(source.frames.encoded(index))
        assert same == (index not in only)
        values = source.frames.decode(index)
        if index in only:
            values[covered(values.shape)] = 0
        assert np.array_equal(after.frames.decode(index), values)
    assert not after.frames.notes
    assert done.frames_changed == (2, 5)


LOSSY = {  # transfer syntax: whether pixels outside of boxes stay, although it is a lossy one
    "1.2.840.10008.1.2.4.81": True,
    "1.2.840.10008.1.2.4.91": True,
    "1.2.840.10008.1.2.4.203": True,
    "1.2.840.10008.1.2.4.112": True,
    "1.2.840.10008.1.2.4.50": True,
}


@pytest.mark.parametrize(("syntax", "exact"), LOSSY.items(), ids=[UID(uid).keyword for uid in LOSSY])
def test_lossy_frames_are_not_lost_again(syntax: str, exact: bool) -> None:
    coded = bytearray()
    smooth = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)
    transcode(of(smooth), coded, syntax)
    source = dcmread(bytes(coded))
    done, after = cleaned_of(source)
    before, new = source.frames.decode(0), after.frames.decode(0)
    blank = covered(before.shape, unit=8 if syntax in JPEG else 1)
    assert done.lossless == exact
    assert np.array_equal(new[~blank], before[~blank])
    assert not new[covered(before.shape)].any()
    assert after.LossyImageCompression == "01"
    assert "LossyImageCompressionRatio" not in done.attributes


def test_colour_of_lossy_jpeg_2000_is_said_to_be_lost_again() -> None:
    source = dcmread(named("VL1_J2KI"))
    done, after = cleaned_of(source)
    assert not done.lossless
    assert any("with loss again" in note for note in done.notes)
    assert len(done.attributes["LossyImageCompressionRatio"]) == 2 or done.attributes["LossyImageCompressionRatio"]
    assert done.attributes["DerivationCodeSequence"][-1].CodeValue == "113040"
    assert after.PhotometricInterpretation == "YBR_ICT"
    difference = np.abs(after.frames.decode(0).astype(int) - source.frames.decode(0))
    assert difference[~covered(difference.shape)].max() <= 4


# -- what a blank pixel is

BACKGROUNDS: dict[str, tuple[dict[str, Any], int, int]] = {  # name: (attributes, bits, value)
    "0": ({}, 8, 0),
    "the greatest": ({"PhotometricInterpretation": "MONOCHROME1"}, 8, 255),
    "no padding": ({"PixelPaddingValue": 0}, 8, 1),
    "no padding of a range": ({"PixelPaddingValue": 0, "PixelPaddingRangeLimit": 7}, 8, 8),
    "no padding, inverted": ({"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 255}, 8, 254),
    "of Bits Stored": ({"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 10, "HighBit": 9}, 10, 1023),
}


@pytest.mark.parametrize(("attributes", "bits", "value"), BACKGROUNDS.values(), ids=BACKGROUNDS)
def test_background(attributes: dict[str, Any], bits: int, value: int) -> None:
    source = of(picture(bits=bits))
    for keyword, said in attributes.items():
        setattr(source, keyword, said)
    _, after = cleaned_of(source)
    assert (after.frames.decode(0)[covered((60, 80))] == value).all()


def test_background_of_signed_is_the_darkest_that_is_no_padding() -> None:
    values = picture(bits=12, signed=True).clip(-1000, 2000)
    values[0, :9] = -2000
    source = of(values, BitsStored=16)
    source.PixelPaddingValue = -2000
    _, after = cleaned_of(source)
    assert (after.frames.decode(0)[covered((60, 80))] == -1000).all()


COLOURS = {"RGB": (0, 0, 0), "YBR_FULL": (0, 128, 128), "HSV": (0, 0, 0)}


@pytest.mark.parametrize(("interpretation", "blank"), COLOURS.items(), ids=COLOURS)
def test_black_in_its_colour_space(interpretation: str, blank: tuple[int, ...]) -> None:
    source = of(picture(samples=3), PhotometricInterpretation=interpretation)
    _, after = cleaned_of(source)
    assert (after.frames.decode(0, raw=True)[covered((60, 80))] == blank).all()


def test_palette_gets_its_darkest_entry() -> None:
    source = dcmread(named("examples_palette.dcm"))
    _, after = cleaned_of(source)
    shown = after.frames.render(0)
    darkest = source.frames.render(0).reshape(-1, 3).astype(int).sum(axis=1).min()
    assert (shown[covered(shown.shape)].astype(int).sum(axis=1) <= darkest).all()


# -- bits beside the samples

OVERLAY = ((0x10, "US", 60), (0x11, "US", 80), (0x40, "CS", "G"), (0x100, "US", 16), (0x102, "US", 13))


@pytest.mark.parametrize("form", ["little endian", "big endian", "RLE"])
@pytest.mark.parametrize("signed", [False, True])
def test_overlay_in_unused_bits_is_cleared(form: str, signed: bool) -> None:
    values = picture(bits=12, signed=signed)
    plane = (np.random.default_rng(1).integers(0, 2, values.shape) << 13).astype(np.uint16)
    words = (values.view(np.uint16) & 0xDFFF) | plane
    if form == "RLE":
        data = made(words, [codecs.rle_encode(words)], "1.2.840.10008.1.2.5", BitsStored=12, PixelRepresentation=signed)
    else:
        data = made(words, BitsStored=12, PixelRepresentation=int(signed))
    source = dcmread(data)
    for element, vr, value in OVERLAY:
        source.add_new(0x60000000 | element, vr, value)
    if form == "big endian":
        dcmwrite(out := io.BytesIO(), source, enforce_standard=False, transfer_syntax="1.2.840.10008.1.2.2")
        source = dcmread(out.getvalue())
    done, after = cleaned_of(source, masks=Masks(()))
    assert np.array_equal(after.frames.decode(0), values)
    assert np.array_equal(after.frames.decode(0, raw=True), values)
    assert any("6000" in note for note in done.notes)
    assert done.frames_changed == (0,)


# -- refused


def test_truncation_is_refused_or_blanked(tmp_path: Path) -> None:
    cine(tmp_path / "source.dcm", table="basic", frames=3)
    data = (tmp_path / "source.dcm").read_bytes()
    for size in range(len(data) - 1, len(data) - 6000, -411):
        with pytest.raises((PixelDecodeError, EncodeError)):
            cleaned_of(dcmread(data[:size]))


def test_short_native_data_is_refused() -> None:
    data = made(picture())
    with pytest.raises(PixelDecodeError, match="damaged"):
        cleaned_of(dcmread(data[:-100]))


def test_limits() -> None:
    with pytest.raises(ValueError, match="limits"):
        clean(of(picture()), ["masks"], masks=EVERYWHERE, limits=Limits(frame_pixels=100))


def test_nothing_to_blank_leaves_the_value() -> None:
    done = clean(of(picture()), ["masks", "regions"], masks=Masks(()))
    assert done.pixel_data is None
    assert done.boxes == done.frames_changed == ()


def test_boxes_are_cut_to_the_frame() -> None:
    masks = Masks((Mask("wide", ("always", True), (Rectangle(70, 50, 500, 500), Rectangle(90, 0, 5, 5))),))
    done, after = cleaned_of(of(picture()), masks=masks)
    assert done.boxes == (Box(None, 70, 50, 10, 10, "mask: wide"),)
    assert not after.frames.decode(0)[50:, 70:].any()


def test_without_pixel_data() -> None:
    data_set = Dataset()
    data_set.PatientID = "1"
    assert clean(data_set, ["masks"]).pixel_data is None


def test_floats_get_the_least_value() -> None:
    values = np.random.default_rng(2).normal(size=(60, 80)).astype(np.float32)
    values[0, 0] = np.nan
    source = Dataset()
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.30"
    source.set_pixels(values)
    done, _ = clean(source, ["masks"], masks=EVERYWHERE), None
    target = source.copy()
    done.put(target)
    new = target.frames.decode(0)
    blank = covered(values.shape)
    assert done.keyword == "FloatPixelData"
    assert (new[blank] == np.nanmin(values)).all()
    assert np.array_equal(new[~blank], values[~blank], equal_nan=True)
