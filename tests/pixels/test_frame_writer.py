"""FrameWriter: the arrays and codestreams that may be appended, by syntax, and the file's description of them."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.pixels import get_decoder

import dicomcore as dc
from dicomcore.uids import NAMES, UID
from tests.support.dicom_bytes import element, part10
from tests.transcoding.test_peers import by_command
from tests.transcoding.test_transcode import LOSSLESS, LOSSY, ramp

ENCAPSULATED = [name for name in LOSSLESS if UID(NAMES[name]).is_encapsulated]
LAID_OUT = ("rle", "encapsulated", "deflated-frames")  # where Planar Configuration matters, or both values are allowed
RGB = ramp((16, 22, 3), 0, 255, "u1")


def described(array, **values) -> dc.Dataset:
    ds = dc.Dataset()
    ds.update({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SOPInstanceUID": "1.2.3.4", "PatientID": "P"})
    ds.set_pixels(array, new_instance=False)
    ds.update(values)
    return ds


def written(path, ds, given, **options) -> dc.Dataset:
    with dc.FrameWriter(path, ds, **options) as writer:
        for frame in given:
            writer.append(frame)
    return dc.dcmread(path)


def by_pydicom(path):
    """What pydicom decodes, as stored; None where it has no decoder."""
    ds = pydicom.dcmread(path)
    if not ds.file_meta.TransferSyntaxUID.is_transfer_syntax:
        return None
    if ds.file_meta.TransferSyntaxUID.is_compressed:
        try:
            if not get_decoder(ds.file_meta.TransferSyntaxUID).is_available:
                return None
        except NotImplementedError:
            return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ds.pixel_array


# -- names, and the encoders that transcode has


@pytest.mark.parametrize("name", [*LOSSLESS[:3], *ENCAPSULATED])
@pytest.mark.parametrize("form", ["name", "keyword", "UID"])
def test_syntaxes_by_name(name, form, tmp_path):
    array = np.stack([ramp((9, 11), 0, 4000 + i, "u2") for i in range(2)])
    uid = UID(NAMES[name])
    text = {"name": name, "keyword": uid.keyword, "UID": str(uid)}[form]
    got = written(tmp_path / "a.dcm", described(array, BitsStored=12, HighBit=11), array, transfer_syntax=text)
    assert got.transfer_syntax == uid
    assert np.array_equal(got.pixel_array, array)
    peer = by_pydicom(tmp_path / "a.dcm")
    assert peer is None or np.array_equal(peer, array)


def test_no_syntax_of_that_name(tmp_path):
    with pytest.raises(ValueError, match="'gif' is no transfer syntax"):
        dc.FrameWriter(tmp_path / "a.dcm", described(RGB), transfer_syntax="gif")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [*ENCAPSULATED, *LOSSY])
def test_labels_are_those_of_transcode(name, tmp_path):
    """FrameWriter describes the pixels as transcode does."""
    quality = LOSSY.get(name, (None,))[0]
    out = bytearray()
    dc.transcode(described(RGB), out, name, quality=quality, new_instance=False)
    by_transcode = dc.dcmread(bytes(out))
    got = written(tmp_path / "a.dcm", described(RGB), [RGB], transfer_syntax=name, quality=quality, frames=1)
    assert np.array_equal(got.frames[0], by_transcode.frames[0])
    for keyword in (
        *("PhotometricInterpretation", "PlanarConfiguration", "SamplesPerPixel", "BitsAllocated", "BitsStored"),
        *("HighBit", "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod"),
    ):
        assert got.get(keyword) == by_transcode.get(keyword), keyword
    assert got.SOPInstanceUID == "1.2.3.4"
    assert not got.issues


def test_samples_that_an_encoder_cannot_hold_name_encoders_that_can(tmp_path):
    wide = np.arange(12, dtype="u4").reshape(3, 4)
    with (
        pytest.raises(dc.EncodeError, match=r"no 32 bits allocated.*RLE Lossless"),
        dc.FrameWriter(tmp_path / "a.dcm", described(wide), transfer_syntax="jpeg-ls") as writer,
    ):
        writer.append(wide)
    with (
        pytest.raises(dc.EncodeError, match=r"no encoder .*appended as bytes, or give `encode`"),
        dc.FrameWriter(tmp_path / "a.dcm", described(RGB), transfer_syntax="MPEG2MPML") as writer,
    ):
        writer.append(RGB)
    assert not list(tmp_path.iterdir())


def test_quality(tmp_path):
    sizes = []
    for quality in (20, 95):
        got = written(tmp_path / "a.dcm", described(RGB), [RGB], transfer_syntax="jpeg", quality=quality)
        sizes.append(len(got.frames.encoded(0)))
    assert sizes[0] < sizes[1]
    with (
        pytest.raises(ValueError, match="quality"),
        dc.FrameWriter(tmp_path / "b.dcm", described(RGB), transfer_syntax="jpeg", quality=200) as writer,
    ):
        writer.append(RGB)


# -- Planar Configuration (PS3.5 8.2)


@pytest.mark.parametrize("name", [*ENCAPSULATED, "jpeg", "jpeg-2000-lossy", "htj2k-lossy", "jpeg-xl-lossy"])
def test_planar_configuration_of_arrays(name, tmp_path):
    ds = described(RGB, PlanarConfiguration=1)
    got = written(tmp_path / "a.dcm", ds, [RGB, RGB[::-1]], transfer_syntax=name)
    assert got.PlanarConfiguration == (1 if name in LAID_OUT else 0)
    assert ds.PlanarConfiguration == 1
    if name not in LOSSY:
        assert np.array_equal(got.pixel_array, [RGB, RGB[::-1]])
        peer = by_pydicom(tmp_path / "a.dcm")
        assert peer is None or np.array_equal(peer, [RGB, RGB[::-1]])


PEERS = {  # name: commands that write it uncompressed
    "jpeg-lossless": (("dcmdjpeg", "+cn"), ("gdcmconv", "--raw")),
    "jpeg-lossless-14": (("dcmdjpeg", "+cn"), ("gdcmconv", "--raw")),
    "jpeg-ls": (("dcmdjpls",), ("gdcmconv", "--raw")),
    "jpeg-2000": (("gdcmconv", "--raw"),),
    "rle": (("dcmdrle",), ("gdcmconv", "--raw")),
}


@pytest.mark.parametrize(("name", "command"), [(name, one) for name, several in PEERS.items() for one in several])
def test_peers_see_the_colours(name, command, tmp_path):
    """DCMTK and GDCM read the file of a data set whose samples were stored by plane."""
    path = tmp_path / "a.dcm"
    written(path, described(RGB, PlanarConfiguration=1), [RGB], transfer_syntax=name, frames=1)
    theirs = by_command(command, path, tmp_path / "b.dcm")
    if theirs is None:
        pytest.skip(f"{command[0]} is not here, or refuses")
    assert np.array_equal(theirs, RGB)


@pytest.mark.parametrize("name", [name for name in ENCAPSULATED if name not in LAID_OUT])
@pytest.mark.parametrize("how", ["bytes", "encode"])
def test_planar_configuration_of_codestreams(name, how, tmp_path):
    out = bytearray()
    dc.transcode(described(RGB), out, name)
    coded = dc.dcmread(bytes(out))
    codestream = bytes(coded.frames.encoded(0))
    header = described(RGB, PlanarConfiguration=1, PhotometricInterpretation=coded.PhotometricInterpretation)
    if how == "bytes":
        got = written(tmp_path / "a.dcm", header, [codestream], transfer_syntax=name)
    else:
        got = written(tmp_path / "a.dcm", header, [RGB], transfer_syntax=name, encode=lambda _: codestream)
    assert got.PlanarConfiguration == 0
    assert got.PhotometricInterpretation == coded.PhotometricInterpretation
    assert np.array_equal(got.frames[0], RGB)


@pytest.mark.parametrize("name", ["explicit", "implicit", "big-endian", "encapsulated", "deflated-frames", "rle"])
def test_planar_configuration_1_stays_where_the_syntax_allows_it(name, tmp_path):
    wide = ramp((7, 5, 3), 0, 65535, "u2")
    got = written(tmp_path / "a.dcm", described(wide, PlanarConfiguration=1), [wide], transfer_syntax=name)
    assert got.PlanarConfiguration == 1
    assert np.array_equal(got.frames[0], wide)
    if name == "explicit":
        assert bytes(got.PixelData) == np.moveaxis(wide, -1, 0).tobytes()
    peer = by_pydicom(tmp_path / "a.dcm") if name != "deflated-frames" else None
    assert peer is None or np.array_equal(np.squeeze(peer), wide)


# -- samples within Bits Stored


BEYOND = {  # name: (array's dtype, Bits Stored, value that it can't hold, what it holds)
    "12 of 16": ("u2", 12, 4096, "0 to 4095"),
    "signed, above": ("i2", 12, 2048, "-2048 to 2047"),
    "signed, below": ("i2", 12, -2049, "-2048 to 2047"),
    "7 of 8": ("u1", 7, 128, "0 to 127"),
    "signed 8": ("i1", 7, -65, "-64 to 63"),
    "20 of 32": ("u4", 20, 1 << 20, "0 to 1048575"),
}


@pytest.mark.parametrize("name", ["explicit", "implicit", "big-endian", *ENCAPSULATED, "jpeg-2000-lossy", "encode"])
@pytest.mark.parametrize(("dtype", "stored", "value", "held"), BEYOND.values(), ids=BEYOND)
def test_samples_beyond_bits_stored(name, dtype, stored, value, held, tmp_path):
    good = np.zeros((4, 5), dtype)
    bad = good.copy()
    bad[3, 4] = value
    ds = described(good, BitsStored=stored, HighBit=stored - 1)
    own = name == "encode"
    writer = dc.FrameWriter(
        tmp_path / "a.dcm", ds, transfer_syntax="rle" if own else name, encode=dc.codecs.rle_encode if own else None
    )
    try:
        writer.append(good)
    except dc.EncodeError as error:
        assert " holds " in str(error)  # no such samples in this syntax
    else:
        with pytest.raises(dc.EncodeError, match=f"frame 1: {stored} Bits Stored hold {held}, the array holds"):
            writer.append(bad)
    writer.abort()
    assert not list(tmp_path.iterdir())


def test_bits_are_zero_or_one(tmp_path):
    bits = ramp((3, 5), 0, 100, "u1") % 2
    for name in ("explicit", "encapsulated", "deflated-frames"):
        ds = described(bits.astype(bool))
        got = written(tmp_path / f"{name}.dcm", ds, [bits, bits.astype(bool), 1 - bits], transfer_syntax=name)
        assert np.array_equal(got.pixel_array, [bits, bits, 1 - bits])
        with (
            pytest.raises(dc.EncodeError, match="frame 0: 1 Bits Stored hold 0 to 1, the array holds 0 to 255"),
            dc.FrameWriter(tmp_path / "b.dcm", ds, transfer_syntax=name) as writer,
        ):
            writer.append(bits * 255)


# -- arrays that contradict the description


@pytest.mark.parametrize("interpretation", ["YBR_FULL_422", "YBR_PARTIAL_422", "YBR_ICT", "YBR_RCT", "XYB"])
@pytest.mark.parametrize("name", ["explicit", "rle", "jpeg-2000", "jpeg"])
def test_colour_that_only_codestreams_have(name, interpretation, tmp_path):
    ds = described(RGB, PhotometricInterpretation=interpretation)
    with (
        pytest.raises(dc.EncodeError, match=f"frame 0 is an array, and Photometric Interpretation {interpretation}"),
        dc.FrameWriter(tmp_path / "a.dcm", ds, transfer_syntax=name) as writer,
    ):
        writer.append(RGB)


def test_native_pairs_are_appended_as_bytes(tmp_path):
    ds = described(RGB, PhotometricInterpretation="YBR_FULL_422")
    pairs = bytes(range(256)) * 2 + bytes(16 * 22 * 2 - 512)
    got = written(tmp_path / "a.dcm", ds, [pairs, pairs[::-1]], transfer_syntax="explicit")
    assert bytes(got.PixelData) == pairs + pairs[::-1]
    assert np.array_equal(got.frames.decode(1, raw=True), pydicom_422(tmp_path / "a.dcm")[1])
    with (
        pytest.raises(dc.EncodeError, match="has 1056 bytes where 704 were due"),
        dc.FrameWriter(tmp_path / "b.dcm", ds, transfer_syntax="explicit") as writer,
    ):
        writer.append(RGB.tobytes())


def pydicom_422(path):
    from pydicom.pixels import pixel_array

    return pixel_array(io.BytesIO(path.read_bytes()), raw=True)


@pytest.mark.parametrize("name", ["explicit", "rle", "jpeg-ls"])
def test_high_bit_elsewhere(name, tmp_path):
    array = ramp((4, 5), 0, 4095, "u2")
    ds = described(array, BitsStored=12, HighBit=15)
    with (
        pytest.raises(dc.EncodeError, match="High Bit is 15: make it 11"),
        dc.FrameWriter(tmp_path / "a.dcm", ds, transfer_syntax=name) as writer,
    ):
        writer.append(array)
    got = written(tmp_path / "b.dcm", ds, [(array << 4).tobytes()], transfer_syntax="explicit")
    assert bytes(got.PixelData) == (array << 4).tobytes()


def test_no_frames_in_ge_s_private_syntax(tmp_path):
    with pytest.raises(dc.EncodeError, match="big-endian pixels behind a little-endian header"):
        dc.FrameWriter(tmp_path / "a.dcm", described(RGB), transfer_syntax="1.2.840.113619.5.2")
    assert not list(tmp_path.iterdir())


# -- files that break with the order of tags (PS3.5 7.1)

NUMBER = element(0x00280008, "IS", b"1 ")
SHAPE = element(0x00280010, "US", b"\1\0") + element(0x00280011, "US", b"\4\0")
DEPTH = element(0x00280100, "US", b"\10\0") + element(0x00280101, "US", b"\10\0") + element(0x00280102, "US", b"\7\0")
PIXELS = element(0x7FE00010, "OB", b"\1\2\3\4")
PLACES = {  # name: the elements from Number of Frames on
    "in order": NUMBER + SHAPE + DEPTH + PIXELS,
    "behind higher tags": SHAPE + DEPTH + NUMBER + PIXELS,
    "behind pixel data": SHAPE + DEPTH + PIXELS + NUMBER,
    "twice": NUMBER + SHAPE + NUMBER + DEPTH + PIXELS,
    "again behind pixel data": NUMBER + SHAPE + DEPTH + PIXELS + NUMBER,
}


@pytest.mark.parametrize("syntax", ["explicit", "encapsulated"])
@pytest.mark.parametrize("elements", PLACES.values(), ids=PLACES)
def test_number_of_frames_is_corrected_wherever_it_is(elements, syntax, tmp_path):
    head = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0") + element(0x00080018, "UI", b"1.2.3\0")
    kind = element(0x00280002, "US", b"\1\0") + element(0x00280004, "CS", b"MONOCHROME2 ")
    frames = np.arange(12, dtype="u1").reshape(3, 1, 4)
    made = written(tmp_path / "a.dcm", dc.dcmread(part10(head + kind + elements)), frames, transfer_syntax=syntax)
    assert np.array_equal(made.pixel_array, frames)
    peer = pydicom.dcmread(tmp_path / "a.dcm")
    assert (peer.NumberOfFrames, peer.Rows, peer.Columns, peer.BitsAllocated, peer.HighBit) == (3, 1, 4, 8, 7)
    assert len(made) == len(peer)
