"""Codestreams of another format than their transfer syntax: decoded by their own format, with an issue."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.archive import frames as archive_frames
from dicomcore.pixels import FrameDescription, codecs, decode_frame
from tests.support.corpus import ABSENT, ROOT
from tests.support.dicom_bytes import element
from tests.support.encapsulated import CODED, FRAMES, WIDE, Written, even, file_of
from tests.support.pixel_corpus import path_of, with_pixels

in_corpus = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)

WG04 = "files/dicom-test-files/WG04"
REAL = {  # format: a real file of it
    "JPEG": "files/pylibjpeg-data/ds/JPEGBaseline/JPEGBaseline_1s_1f_u_08_08.dcm",
    "JPEG lossless": "files/pylibjpeg-data/ds/JPEGLosslessSV1/JPEGLosslessP14SV1_1s_1f_u_16_16.dcm",
    "JPEG-LS": "files/pylibjpeg-data/ds/JPEGLS/CT1_JLSN.dcm",
    "JPEG 2000": f"{WG04}/J2KR/CT1_J2KR",
}
LABELS = {
    "JPEG baseline": "1.2.840.10008.1.2.4.50",
    "JPEG extended": "1.2.840.10008.1.2.4.51",
    "JPEG lossless": "1.2.840.10008.1.2.4.57",
    "JPEG lossless SV1": "1.2.840.10008.1.2.4.70",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "JPEG XL": "1.2.840.10008.1.2.4.110",
    "RLE": "1.2.840.10008.1.2.5",
    "implicit, so without fragments": "1.2.840.10008.1.2",
    "explicit, so without fragments": "1.2.840.10008.1.2.1",
}


@in_corpus
@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("path", REAL.values(), ids=REAL)
def test_the_codestream_is_believed(path: str, label: str):
    expected = dc.dcmread(ROOT / path)
    wrong = dc.dcmread(ROOT / path)
    wrong.file_meta.TransferSyntaxUID = label
    assert np.array_equal(wrong.pixel_array, expected.pixel_array)
    codes = [issue.code for issue in wrong.issues]
    same = kind(expected.transfer_syntax) == kind(label)
    assert ("PIXEL_TRANSFER_SYNTAX" in codes) != same
    assert "PIXEL_TRANSFER_SYNTAX" not in [issue.code for issue in expected.issues]


def kind(uid: str) -> str:
    """What a transfer syntax's codestreams are."""
    ends = {"50": "JPEG", "51": "JPEG", "57": "lossless", "70": "lossless", "80": "LS", "81": "LS", "91": "90"}
    end = uid.rpartition(".")[2]
    return ends.get(end, end)


@in_corpus
@pytest.mark.parametrize("label", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", LABELS["JPEG baseline"]])
@pytest.mark.parametrize("line", with_pixels("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8.1"))
def test_real_files_without_a_magic_number(line: dict[str, Any], label: str):
    """RLE and deflated frames of colour, of 1, 8, 16 and 32 bits, of one frame and of several."""
    expected = dc.dcmread(path_of(line))
    wrong = dc.dcmread(path_of(line))
    wrong.file_meta.TransferSyntaxUID = label
    assert np.array_equal(wrong.pixel_array, expected.pixel_array)
    assert "PIXEL_TRANSFER_SYNTAX" in [issue.code for issue in wrong.issues]


@in_corpus
def test_all_frames_at_once():
    """The frames of a file are decoded in parallel, each by its own format."""
    path = ROOT / "files/pylibjpeg-data/ds/JPEGLosslessSV1/JPEGLosslessP14SV1_3s_2f_u_08_08.dcm"
    wrong = dc.dcmread(path)
    wrong.file_meta.TransferSyntaxUID = LABELS["RLE"]
    assert np.array_equal(wrong.pixel_array, dc.dcmread(path).pixel_array)


ALL_LABELS = [
    *(codec.uid for codec in codecs()),
    "1.2.840.10008.1.2.4.102",
    "1.2.840.10008.1.2.4.94",
    "1.2.3",
    "",
    None,
]
"""Every transfer syntax that is decoded, one of video, two that nobody decodes, an empty one and none."""
UNDECODED = ("1.2.840.10008.1.2.4.94", "1.2.3")
VIDEO = "1.2.840.10008.1.2.4.102"
KIND_OF = (
    {uid: coded for coded, (uid, _) in CODED.items()}
    | {
        f"1.2.840.10008.1.2.4.{end}": coded
        for coded, ends in {"jpeg-lossless": (57,), "jpeg-ls": (81,), "jpeg-2000": (91, 92, 93, 201, 202, 203)}.items()
        for end in ends
    }
    | {f"1.2.840.10008.1.2.4.{end}": "jpeg-xl" for end in (111, 112)}
)


def is_recognised(coded: str, label: str | None) -> bool:
    """Whether frames of this format are recognised under this label."""
    if label in UNDECODED:
        return False
    if coded == "uncompressed":  # has no signature
        return label == CODED[coded][0]
    return coded != "deflated" or label != VIDEO


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("label", ALL_LABELS, ids=str)
@pytest.mark.parametrize("coded", CODED)
def test_frames_have_right_pixels_or_are_refused(coded: str, label: str | None, bits: int, tmp_path: Any):
    """Fragments of every format under every label, by every function: never other pixels (PS3.5 8.2, A.4)."""
    wanted = FRAMES if bits == 8 else WIDE
    fragments = [even(bytes(CODED[coded][1](frame))) for frame in wanted]
    path, out = tmp_path / "in.dcm", tmp_path / "out.dcm"
    path.write_bytes(file_of(label, Written(fragments), bits=bits, vr="OB" if bits == 8 else "OW"))
    ways = {
        "pixel_array": lambda: dc.dcmread(path).pixel_array,
        "the last alone": lambda: [*wanted[:2], dc.dcmread(path).frames[2]],
        "in memory": lambda: list(dc.dcmread(path.read_bytes()).frames),
        "archive.frames": lambda: [record.array for record in archive_frames([path])],
        "transcode": lambda: (dc.transcode(path, out, "explicit"), dc.dcmread(out).pixel_array)[1],
    }
    if label == "":
        del ways["transcode"]  # needs the source's transfer syntax
    for way, take in ways.items():
        if is_recognised(coded, label):
            assert np.array_equal(take(), wanted), way
        else:
            with pytest.raises(dc.DicomError):
                take()
    if is_recognised(coded, label):
        ds = dc.dcmread(path)
        _ = ds.pixel_array
        said = "PIXEL_TRANSFER_SYNTAX" in [issue.code for issue in ds.issues]
        assert said != (KIND_OF.get(label or "") == coded)


@pytest.mark.parametrize("label", [uid for uid, kind in KIND_OF.items() if kind not in ("jpeg-xl", "deflated")])
@pytest.mark.parametrize("coded", CODED)
def test_the_plugin_gives_right_pixels_or_refuses(coded: str, label: str):
    """As pydicom calls it, which knows neither JPEG XL nor deflated frames."""
    decoders = pytest.importorskip("pydicom.pixels.decoders.base")
    from dicomcore.interop.pydicom import plugin

    runner = decoders.DecodeRunner(decoders.UID(label))
    runner.set_options(
        rows=24,
        columns=20,
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )
    try:
        found = plugin.decode(even(bytes(CODED[coded][1](WIDE[1]))), runner)
    except dc.DicomError:
        assert KIND_OF.get(label) != coded
    else:
        assert bytes(found) == WIDE[1].astype("<u2").tobytes()


@pytest.mark.parametrize("coded", CODED)
def test_a_frame_of_another_format_than_the_first(coded: str):
    """Each frame is decoded by its own format."""
    first = "jpeg-ls" if coded == "rle" else "rle"
    fragments = [even(bytes(CODED[one][1](frame))) for one, frame in zip([first, coded, first], WIDE, strict=True)]
    for label in (CODED[first][0], "1.2.840.10008.1.2.1"):
        ds = dc.dcmread(file_of(label, Written(fragments), bits=16))
        assert np.array_equal(ds.frames[2], WIDE[2])
        if coded == "uncompressed":
            with pytest.raises(dc.PixelDecodeError) as caught:
                _ = ds.frames[1]
            assert caught.value.frame == 1
        else:
            assert np.array_equal(ds.pixel_array, WIDE)


def test_uncompressed_frames_may_look_like_codestreams():
    """Samples in fragments that begin with a signature are samples, where their length is the frame's."""
    for head in (b"\xff\x0a", b"\xff\xd8\xff\xe0", b"\xff\x4f\xff\x51", CODED["rle"][1](FRAMES[0])[:64]):
        frame = FRAMES[0].copy()
        frame.reshape(-1)[: len(head)] = np.frombuffer(head, "u1")
        ds = dc.dcmread(file_of("1.2.840.10008.1.2.1.98", Written([frame.tobytes()], frames=1)))
        assert np.array_equal(ds.pixel_array, frame)
        assert not ds.issues


@pytest.mark.parametrize("label", ["1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.1"])
def test_fragments_longer_than_the_frame_are_no_samples(label: str):
    data = np.random.default_rng(1).integers(1, 255, 24 * 20 + 32, "u1").tobytes()
    with pytest.raises(dc.PixelDecodeError):
        _ = dc.dcmread(file_of(label, Written([data], frames=1))).pixel_array


@pytest.mark.parametrize("label", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2", None], ids=str)
@pytest.mark.parametrize("coded", ["rle", "jpeg-2000"])
def test_fragments_in_a_value_of_defined_length(coded: str, label: str | None):
    """Native pixel data is as long as its frames; fragments of another length are recognised by their items."""
    data = file_of(label, Written([even(bytes(CODED[coded][1](frame))) for frame in WIDE]), bits=16)
    at = data.index(b"\xff\xff\xff\xff", data.index(b"\xe0\x7f\x10\x00"))
    defined = data[:at] + (len(data) - at - 4).to_bytes(4, "little") + data[at + 4 :]
    ds = dc.dcmread(defined)
    assert np.array_equal(ds.pixel_array, WIDE)
    assert "PIXEL_TRANSFER_SYNTAX" in [issue.code for issue in ds.issues]


@pytest.mark.parametrize("label", [uid for coded, (uid, _) in CODED.items() if coded != "uncompressed"])
def test_samples_without_fragments_under_a_compressed_label(label: str):
    """Bytes as long as the frames are samples, with an issue; a bare codestream is refused."""
    samples = np.stack(WIDE).astype("<u2").tobytes()
    data = file_of(label, Written([]), bits=16, vr="OW")
    data = data[: data.index(b"\xe0\x7f\x10\x00")] + element(0x7FE00010, "OW", samples)
    ds = dc.dcmread(data)
    assert ds.transfer_syntax == label
    assert np.array_equal(ds.pixel_array, WIDE)
    assert "PIXEL_TRANSFER_SYNTAX" in [issue.code for issue in ds.issues]
    ds.PixelData = even(bytes(CODED["jpeg-ls"][1](WIDE[0])))
    with pytest.raises(dc.PixelDecodeError, match="not the size of 3 uncompressed frames"):
        _ = ds.pixel_array


def test_decode_frame_alone():
    """A codestream without a data set, of a frame that its label doesn't describe."""
    desc = FrameDescription(rows=24, columns=20, bits_allocated=16, transfer_syntax=CODED["jpeg-2000"][0])
    for coded, (_, encode) in CODED.items():
        if coded != "uncompressed":
            assert np.array_equal(decode_frame(bytes(encode(WIDE[0])), desc).samples, WIDE[0])
