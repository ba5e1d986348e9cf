"""Truncated codestreams, or without their end marker: invented samples are reported, and refused when strict."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

import dicomcore as dc
from dicomcore._native.pixels.jpegdct import count_mcus
from dicomcore.archive import frames as archive_frames
from dicomcore.errors import PixelDecodeError
from tests.support.made_images import made
from tests.support.pixel_files import named

imagecodecs = pytest.importorskip("imagecodecs")
Image = pytest.importorskip("PIL.Image")

BASELINE, EXTENDED, PROGRESSIVE, J2K, HTJ2K = (f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "55", "90", "201"))
RNG = np.random.default_rng(6)
Y, X = np.mgrid[0:75, 0:100]
GREY = np.clip(120 + 60 * np.sin(X / 7) + 40 * np.cos(Y / 5) + RNG.normal(0, 6, Y.shape), 0, 255).astype("u1")
GREY[-16:, -16:] = 30
RGB = np.stack([GREY, GREY // 2, GREY[:, ::-1]], -1)


def jpeg(array: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", **options)
    return file.getvalue()


def begin_of_scan(codestream: bytes, which: int = 1) -> int:
    """The offset of a scan's entropy-coded segment."""
    at = -1
    for _ in range(which):
        at = codestream.index(b"\xff\xda", at + 1)
    return at + 2 + int.from_bytes(codestream[at + 2 : at + 4], "big")


def extended() -> bytes:
    """12 bits, of a real file."""
    return bytes(dc.dcmread(named("MR2_JPLY")).frames.encoded(0))


STREAMS = {  # name: (codestream, the array it stands for, transfer syntax, what is stated)
    "baseline": (lambda: jpeg(GREY), GREY, BASELINE, {}),
    "colour 4:2:0": (lambda: jpeg(RGB, quality=90), RGB, BASELINE, {"PhotometricInterpretation": "YBR_FULL_422"}),
    "colour 4:4:4": (lambda: jpeg(RGB, subsampling=0), RGB, BASELINE, {"PhotometricInterpretation": "YBR_FULL_422"}),
    "restart markers": (lambda: jpeg(GREY, restart_marker_blocks=7), GREY, BASELINE, {}),
    "progressive": (lambda: jpeg(GREY, progressive=True), GREY, PROGRESSIVE, {}),
    "12 bits": (extended, np.zeros((1024, 1024), "u2"), EXTENDED, {"BitsStored": 12}),
}


@pytest.fixture(params=STREAMS.values(), ids=STREAMS)
def stream(request):
    make, array, syntax, said = request.param
    try:
        return make(), array, syntax, said
    except StopIteration:
        pytest.skip("the corpus is absent")


CUTS = {  # the first scan's size: the bytes of it that are kept
    "half": lambda size: size // 2,
    "20 bytes": lambda size: 20,
    "nothing": lambda size: 0,
}


@pytest.mark.parametrize("end", [b"", b"\xff\xd9"], ids=["without EOI", "with EOI"])
@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_truncated_scan_is_reported(stream, cut, end):
    codestream, array, syntax, said = stream
    if array.size > 1 << 16 and cut(1000) < 500:
        pytest.skip("refused, as a few bytes can't encode this number of pixels")
    begin = begin_of_scan(codestream)
    scan = codestream.index(b"\xff\xc4", begin) if syntax == PROGRESSIVE else len(codestream) - 2
    left = codestream[: begin + cut(scan - begin)]
    data = made(array, [left.rstrip(b"\xff") + end], syntax, **said)
    ds = dc.dcmread(data)
    ds.pixel_array  # noqa: B018
    (issue,) = [issue for issue in ds.issues if issue.code == "PIXEL_INCOMPLETE"]
    assert "frame 0: the JPEG scan breaks off" in issue.message
    for isolate in (False, True):
        with pytest.raises(PixelDecodeError, match="breaks off") as caught:
            dc.dcmread(data, strict=True, limits=dc.Limits(isolate=isolate)).frames[0]
        assert caught.value.frame == 0


def test_a_complete_scan_is_not_reported(stream):
    codestream, array, syntax, said = stream
    ds = dc.dcmread(made(array, [codestream], syntax, **said), strict=True)
    ds.pixel_array  # noqa: B018
    assert not ds.issues


def test_a_picture_that_ends_in_middle_grey_is_not_reported():
    grey = np.full((40, 40), 128, "u1")
    for options in ({}, {"restart_marker_blocks": 2}, {"progressive": True}):
        ds = dc.dcmread(made(grey, [jpeg(grey, **options)], BASELINE), strict=True)
        assert (ds.pixel_array == 128).all()
        assert not ds.issues


def test_only_the_end_marker_is_missing():
    """All samples are there: the picture is the same."""
    whole = jpeg(GREY)
    ds = dc.dcmread(made(GREY, [whole[:-2]], BASELINE))
    assert (ds.pixel_array == dc.dcmread(made(GREY, [whole], BASELINE)).pixel_array).all()
    assert [issue.code for issue in ds.issues] == ["PIXEL_END"]
    padded = dc.dcmread(made(GREY, [whole + bytes(100)], BASELINE))
    padded.pixel_array  # noqa: B018
    assert not padded.issues


def test_a_gap_between_restart_markers():
    """libjpeg continues at the next restart marker, whatever is missing before it."""
    whole = jpeg(GREY, restart_marker_blocks=7)
    first, second = whole.index(b"\xff\xd0"), whole.index(b"\xff\xd1")
    for cut in (whole[:first] + whole[second:], whole[: first + 4] + whole[second:]):
        ds = dc.dcmread(made(GREY, [cut], BASELINE))
        ds.pixel_array  # noqa: B018
        assert "PIXEL_INCOMPLETE" in [issue.code for issue in ds.issues]


def test_truncated_frames_in_bulk(tmp_path):
    whole = jpeg(GREY)
    codestreams = [whole, whole[: len(whole) // 2], whole, whole[: len(whole) // 3]]
    path = tmp_path / "several.dcm"
    path.write_bytes(made(np.stack([GREY] * 4), codestreams, BASELINE, NumberOfFrames=4))
    ds = dc.dcmread(path)
    assert ds.pixel_array.shape == (4, 75, 100)
    assert [issue.message.partition("frame ")[2][0] for issue in ds.issues] == ["1", "3"]
    records = list(archive_frames(path))
    assert [[issue.code for issue in record.issues] for record in records] == [
        [], ["PIXEL_INCOMPLETE"], [], ["PIXEL_INCOMPLETE"]
    ]  # fmt: skip
    strict = list(archive_frames(path, limits=dc.Limits(strict=True), errors="yield"))
    assert [record.error is None for record in strict] == [True, False, True, False]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("options", [{}, {"subsampling": 2}, {"restart_marker_blocks": 3}, {"optimize": True}])
@pytest.mark.parametrize("array", [GREY, RGB, GREY[:8, :8], RGB[:17, :9]], ids=["grey", "rgb", "8 x 8", "17 x 9"])
def test_codestreams_of_other_encoders_are_complete(array, options, progressive):
    codestream = jpeg(np.ascontiguousarray(array), progressive=progressive, quality=95, **options)
    done, due, ended = count_mcus(codestream)
    assert done == due > 0
    assert ended
    begin = begin_of_scan(codestream)
    if not progressive:
        for stop in range(begin, len(codestream) - 3, max(1, (len(codestream) - begin) // 40)):
            done, due, ended = count_mcus(codestream[:stop])
            assert done < due
            assert not ended


@pytest.mark.parametrize("array", [GREY, RGB], ids=["grey", "rgb"])
def test_each_progressive_scan_is_walked_through(array):
    """First scans of coefficients and those that add a bit, a component at a time and all of them."""
    codestream = jpeg(array, progressive=True, quality=95)
    scans = codestream.count(b"\xff\xda")
    assert scans > 5
    for which in range(1, scans + 1):
        begin = begin_of_scan(codestream, which)
        stop = re.compile(b"\xff[^\0]").search(codestream, begin).start()
        for part in (0.1, 0.5, 0.9):
            left = codestream[: begin + int((stop - begin) * part)].rstrip(b"\xff")
            done, due, ended = count_mcus(left + b"\xff\xd9")
            assert done < due, which
            assert not ended


@pytest.mark.parametrize("progressive", [False, True])
def test_damage_is_walked_through(progressive):
    """Any bytes give three numbers, without a read beyond the end (which a run with sanitizers would find)."""
    codestream = jpeg(RGB, progressive=progressive, restart_marker_blocks=5)
    for _ in range(600):
        damaged = bytearray(codestream[: int(RNG.integers(1, len(codestream)))])
        for place in RNG.integers(0, len(damaged), 3):
            damaged[place] = int(RNG.integers(256))
        done, due, _ = count_mcus(damaged)
        assert 0 <= done <= due


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize("odd", [False, True])
@pytest.mark.parametrize("reversible", [False, True])
def test_jpeg_2000_without_end_marker(odd, reversible, isolate):
    """Whether a byte of padding follows or not: all of the tile-part is there."""
    for columns in range(40, 60):
        array = np.ascontiguousarray(GREY[:40, :columns])
        level = 0 if reversible else 50
        whole = imagecodecs.jpeg2k_encode(array, level=level, reversible=reversible, codecformat="j2k")
        if (len(whole) % 2 == 1) == odd:
            break
    assert whole.endswith(b"\xff\xd9")
    wanted = imagecodecs.jpeg2k_decode(whole)
    ds = dc.dcmread(made(array, [whole[:-2]], J2K), limits=dc.Limits(isolate=isolate))
    assert (ds.frames[:][0] == wanted).all()
    assert [issue.code for issue in ds.issues] == ["PIXEL_END"]
    with pytest.raises(PixelDecodeError, match="EOC"):
        dc.dcmread(made(array, [whole[:-2]], J2K), strict=True).frames[0]


WAVELETS = {
    "JPEG 2000": (J2K, lambda array: imagecodecs.jpeg2k_encode(array, level=0, reversible=True, codecformat="j2k")),
    "HTJ2K": (HTJ2K, lambda array: imagecodecs.htj2k_encode(array)),
}


@pytest.mark.parametrize("padding", [b"", b"\0", bytes(3)])
@pytest.mark.parametrize("array", [GREY, GREY.astype("u2") * 16, RGB], ids=["8 bits", "16 bits", "colour"])
@pytest.mark.parametrize(("syntax", "encode"), WAVELETS.values(), ids=WAVELETS)
def test_wavelets_without_end_marker(syntax, encode, array, padding):
    ds = dc.dcmread(made(array, [encode(array)[:-2] + padding], syntax))
    assert (ds.pixel_array == array).all()
    assert "PIXEL_END" in [issue.code for issue in ds.issues]


@pytest.mark.parametrize(("syntax", "encode"), WAVELETS.values(), ids=WAVELETS)
def test_truncated_wavelet_codestreams_are_refused(syntax, encode):
    whole = encode(GREY)
    for stop in range(len(whole) // 2 * 2 - 4, 100, -len(whole) // 60 * 2):  # even: padding would be taken for data
        for end in (b"", b"\xff\xd9"):
            with pytest.raises(PixelDecodeError):
                dc.dcmread(made(GREY, [whole[:stop] + end], syntax)).frames[0]


def scan_by_scan(array: np.ndarray) -> bytes:
    """A baseline JPEG of three components, each in a scan of its own (T.81 B.2.3), put together of grey ones."""
    grey = [jpeg(np.ascontiguousarray(array[..., i]), quality=90) for i in range(3)]
    head = grey[0][: grey[0].index(b"\xff\xda")]
    frame = head.index(b"\xff\xc0")
    size = head[frame + 5 : frame + 9]
    components = b"".join(bytes((i, 0x11, 0)) for i in (1, 2, 3))
    head = head[:frame] + b"\xff\xc0\x00\x11\x08" + size + b"\x03" + components + head[frame + 13 :]
    scans = (
        b"\xff\xda\x00\x08\x01" + bytes((i, 0, 0, 63, 0)) + one[begin_of_scan(one) : -2]
        for i, one in enumerate(grey, 1)
    )
    return head + b"".join(scans) + b"\xff\xd9"


def test_a_component_with_a_truncated_scan_is_reported():
    whole = scan_by_scan(RGB)
    said = {"PhotometricInterpretation": "RGB"}
    head = whole.index(b"\xff\xe0")  # JFIF's marker says YBR
    whole = whole[:head] + whole[head + 2 + int.from_bytes(whole[head + 2 : head + 4], "big") :]
    ds = dc.dcmread(made(RGB, [whole], BASELINE, **said))
    assert np.abs(ds.pixel_array.astype(int) - RGB).mean() < 5
    assert ds.issues == ()
    third = begin_of_scan(whole, 3)
    for cut in (third, (third + len(whole)) // 2):
        ds = dc.dcmread(made(RGB, [whole[:cut] + b"\xff\xd9"], BASELINE, **said))
        assert ds.pixel_array.shape == RGB.shape
        assert [issue.code for issue in ds.issues] == ["PIXEL_INCOMPLETE"]
