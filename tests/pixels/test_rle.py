"""RLE Lossless against the corpus, against hand-made segments, and encoded and decoded again."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore._native.pixels import rle as _rle
from dicomcore.codecs import rle_decode, rle_decode_noting, rle_encode
from dicomcore.errors import EncodeError, PixelDecodeError
from tests.support import pixel_corpus as corpus

RLE_LOSSLESS = "1.2.840.10008.1.2.5"


def frame_of(*segments: bytes) -> bytes:
    """An RLE frame: the header (PS3.5 G.5) and these segments as they are."""
    offsets, at = [], 64
    for segment in segments:
        offsets.append(at)
        at += len(segment)
    header = struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments)))
    return header + b"".join(segments)


@pytest.mark.parametrize("line", corpus.with_pixels(RLE_LOSSLESS))
def test_corpus_frames_are_as_other_decoders_read_them(line):
    pixels = line["pixels"]
    shape = {key: pixels[key] for key in ("rows", "columns", "bits_allocated")}
    for frame, expected in corpus.codestreams(line):
        array = rle_decode(frame, samples_per_pixel=pixels["samples"], **shape)
        assert corpus.sha256(array) == expected
        planes = rle_decode(frame, samples_per_pixel=pixels["samples"], planar=True, **shape)
        assert np.array_equal(planes if planes.ndim == 2 else np.moveaxis(planes, 0, -1), array)
        if pixels["bits_allocated"] > 1:
            assert np.array_equal(rle_decode(rle_encode(array), samples_per_pixel=pixels["samples"], **shape), array)


GOOD = {  # name: (segments, options of rle_decode, samples in C order)
    "a literal": ([b"\x02abc"], {"columns": 3, "bits_allocated": 8}, [97, 98, 99]),
    "a run": ([b"\xfez\x00"], {"columns": 3, "bits_allocated": 8}, [122, 122, 122]),
    "the reserved control byte": ([b"\x80\x00a\x80\x80\x00b"], {"columns": 2, "bits_allocated": 8}, [97, 98]),
    "padding after the last run": ([b"\x01ab\x00\x00\x00"], {"columns": 2, "bits_allocated": 8}, [97, 98]),
    "most significant byte first": (
        [b"\x01\x01\x03", b"\x01\x02\x04"],
        {"columns": 2, "bits_allocated": 16},
        [0x0102, 0x0304],
    ),
    "32 bits": (
        [b"\x00\x01", b"\x00\x02", b"\x00\x03", b"\x00\x04"],
        {"columns": 1, "bits_allocated": 32},
        [0x01020304],
    ),
    "two samples of 16 bits": (
        [b"\x01\x01\x05", b"\x01\x02\x06", b"\x01\x03\x07", b"\x01\x04\x08"],
        {"columns": 2, "bits_allocated": 16, "samples_per_pixel": 2},
        [0x0102, 0x0304, 0x0506, 0x0708],
    ),
    "one bit, packed from the lowest": (
        [b"\x01\x05\x01"],
        {"columns": 9, "bits_allocated": 1},
        [1, 0, 1, 0, 0, 0, 0, 0, 1],
    ),
    "one bit, a byte each": (
        [b"\x01\x01\x00\xf2\x01"],
        {"columns": 17, "bits_allocated": 1},
        [1, 0, *[1] * 15],
    ),
    "one bit, a byte each, of two samples": (
        [b"\x01\x01\x00\xf2\x01", b"\xf0\x01"],
        {"columns": 17, "bits_allocated": 1, "samples_per_pixel": 2},
        [1, 1, 0, 1, *[1] * 30],
    ),
}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)])
@pytest.mark.parametrize(("segments", "told", "samples"), GOOD.values(), ids=GOOD)
def test_segments_by_hand(kind, segments, told, samples):
    array = rle_decode(kind(frame_of(*segments)), rows=1, **told)
    assert array.ravel().tolist() == samples


@pytest.mark.parametrize(("segments", "told", "samples"), GOOD.values(), ids=GOOD)
def test_every_truncation_faults_in_range_or_decodes_alike(segments, told, samples):
    whole = frame_of(*segments)
    for cut in range(len(whole)):
        try:
            array = rle_decode(whole[:cut], rows=1, **told)
        except PixelDecodeError as error:
            if error.offset is None or not 0 <= error.offset <= cut:
                pytest.fail(f"offset {error.offset} in {cut} bytes")
        else:
            assert array.ravel().tolist() == samples


def test_fifteen_segments():
    array = np.arange(2 * 7 * 15, dtype=np.uint8).reshape(2, 7, 15)
    frame = rle_encode(array)
    assert frame[0] == 15
    assert np.array_equal(rle_decode(frame, rows=2, columns=7, samples_per_pixel=15, bits_allocated=8), array)
    with pytest.raises(EncodeError, match="15 segments"):
        rle_encode(np.zeros((2, 2, 16), np.uint8))


FAULTS = {  # name: (frame, offset of the field or control byte at fault)
    "nothing": (b"", 0),
    "no whole header": (bytes(63), 63),
    "no segment": (frame_of() + bytes(64), 0),
    "sixteen segments": (struct.pack("<I", 16) + bytes(100), 0),
    "a segment before the header's end": (struct.pack("<II", 1, 63) + bytes(100), 4),
    "a segment past the end": (struct.pack("<II", 1, 1000) + bytes(100), 4),
    "an empty segment": (frame_of(b""), 64),
    "a literal cut short": (frame_of(b"\x00a\x03bc"), 66),
    "a run cut short": (frame_of(b"\x00a\xfe"), 66),
    "a literal past the image and past the end": (frame_of(b"\x00a\x05bcd"), 66),
    "more segments than byte planes": (frame_of(b"\x04abcde", b"\x04fghij"), 0),
}


@pytest.mark.parametrize(("frame", "offset"), FAULTS.values(), ids=FAULTS)
def test_a_fault_has_its_offset(frame, offset):
    with pytest.raises(PixelDecodeError) as caught:
        rle_decode(frame, rows=1, columns=5, bits_allocated=8)
    assert caught.value.offset == offset


def test_descending_segment_offsets_are_refused():
    with pytest.raises(PixelDecodeError) as caught:
        rle_decode(struct.pack("<III", 2, 70, 69) + bytes(100), rows=1, columns=5, bits_allocated=16)
    assert caught.value.offset == 4


@pytest.mark.parametrize(("bits", "told"), [(8, 2), (16, 1), (24, 1), (24, 4)])
def test_segments_are_as_many_as_byte_planes(bits, told):
    """Two planes of 8 bits aren't one of 16, nor the first of them the picture (PS3.5 G.2)."""
    frame = frame_of(*[b"\x04abcde"] * told)
    with pytest.raises(PixelDecodeError, match=f"{told} segments where {bits // 8} are due"):
        rle_decode(frame, rows=1, columns=5, bits_allocated=8, samples_per_pixel=bits // 8)


FULL = {  # name: (bytes after "ab" in a segment of a plane of five, the plane)
    "a run past the image": (b"\xfaz", b"abzzz"),
    "a literal past the image": (b"\x05cdefgh", b"abcde"),
    "a literal of which all that counts is there": (b"\x05cde", b"abcde"),
    "another run behind a full plane": (b"\x02cde\xfez", b"abcde"),
    "other bytes behind a full plane": (b"\x02cde\x7f\x01\x02", b"abcde"),
}


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("bits", [1, 8, 16, 32, 64])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("more", "plane"), FULL.values(), ids=FULL)
def test_bytes_after_a_full_plane_are_ignored(more, plane, samples, bits, planar):
    """In each segment: a real ultrasound has a run that goes a byte too far (pydicom#1438; PS3.5 G.3)."""
    width = max(bits // 8, 1)
    if samples * width > 15:
        pytest.skip("more than 15 segments")
    told = {"rows": 1, "columns": 40 if bits == 1 else 5, "samples_per_pixel": samples, "bits_allocated": bits}
    whole = rle_decode(frame_of(*[b"\x04" + plane] * samples * width), planar=planar, **told)
    for long in [*range(samples * width), None]:
        segments = [b"\x01ab" + more if long in (i, None) else b"\x04" + plane for i in range(samples * width)]
        for partial in (False, True):
            array, beyond = rle_decode_noting(frame_of(*segments), planar=planar, partial=partial, **told)
            assert np.array_equal(array, whole)
            assert beyond == 64 + 6 * (long or 0) + (7 if more.startswith(b"\x02") else 3)


@pytest.mark.parametrize("padding", [b"", b"\0", b"\x7f", b"\0\0", bytes(400)])
def test_padding_is_no_excess(padding):
    """A segment is padded to an even length (PS3.5 G.3.1), and some writers pad by more."""
    told = {"rows": 1, "columns": 2, "samples_per_pixel": 1, "bits_allocated": 8}
    array, beyond = rle_decode_noting(frame_of(b"\x01ab" + padding), **told)
    assert (array.tolist(), beyond) == ([[97, 98]], None)


def test_partial_keeps_the_decoded_samples():
    told = {"rows": 1, "columns": 5, "bits_allocated": 8, "partial": True}
    assert rle_decode(frame_of(b"\x00a\x03bc"), **told).tolist() == [[97, 98, 99, 0, 0]]
    assert rle_decode(frame_of(b"\x00a\xfaz"), **told).tolist() == [[97, 122, 122, 122, 122]]
    told["bits_allocated"] = 16
    assert rle_decode(frame_of(b"\xfc\x01", b"\x00\x02"), **told).tolist() == [[0x102, 0x100, 0x100, 0x100, 0x100]]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("planar", [False, True])
def test_partial_of_a_broken_header_is_zeros(samples, planar):
    """The offsets are descending, or outside the frame: the result must not be uninitialised memory."""
    told = {"rows": 2, "columns": 3, "bits_allocated": 8, "samples_per_pixel": samples, "planar": planar}
    backwards = struct.pack("<16I", samples, 90 if samples > 1 else 9, 80, 70, *[0] * 12) + bytes(30)
    for frame in (backwards, struct.pack("<16I", samples, *[500] * 15), bytes(64), bytes(5)):
        out = bytearray(b"\xaa" * 6 * samples)
        rle_decode(frame, partial=True, out=out, **told)
        assert not any(out)


def test_a_claim_that_the_input_cannot_hold_is_refused_before_allocation():
    with pytest.raises(PixelDecodeError, match="cannot hold"):
        rle_decode(bytes(100), rows=1 << 20, columns=1 << 20, bits_allocated=8)


def test_out_takes_the_samples():
    out = bytearray(6)
    array = rle_decode(
        frame_of(b"\x02\x01\x03\x05", b"\x02\x02\x04\x06"), rows=1, columns=3, bits_allocated=16, out=out
    )
    assert out == struct.pack("=3H", 0x0102, 0x0304, 0x0506)
    assert array.base is not None
    for wrong in (bytearray(5), bytes(6), np.zeros((6, 2), np.uint8)[:, 0]):
        with pytest.raises((ValueError, TypeError)):
            rle_decode(frame_of(b"\x02abc", b"\x02abc"), rows=1, columns=3, bits_allocated=16, out=wrong)


def test_rows_are_encoded_each_on_its_own():
    # PS3.5 G.3.1: a run doesn't go on into the next row, though the next row begins with the same byte
    assert rle_encode(np.full((2, 4), 7, np.uint8))[64:] == b"\xfd\x07\xfd\x07"


SIZES = {  # name: (row, PackBits of it)
    "two equal bytes alone are a run": (b"aa", b"\xffa"),
    "two equal bytes in a literal stay there": (b"xaay", b"\x03xaay"),
    "three equal bytes end a literal": (b"xyaaa", b"\x01xy\xfea"),
    "a run of 129": (b"a" * 129, b"\x81a\x00a"),
    "a literal of 129": (bytes(range(129)), b"\x7f" + bytes(range(128)) + b"\x00\x80"),
    "zeros at the end of a row": (b"xy\0\0", b"\x03xy\0\0"),
}


@pytest.mark.parametrize(("row", "packed"), SIZES.values(), ids=SIZES)
def test_encoding_by_hand(row, packed):
    assert rle_encode(np.frombuffer(row, np.uint8)[None])[64:] == packed + bytes(len(packed) % 2)


arrays = st.builds(
    lambda dtype, shape, seed, spread: np.random.default_rng(seed).integers(0, spread, shape).astype(dtype),
    st.sampled_from(["u1", "i1", "u2", ">u2", "i2", "u4", "u8"]),
    st.tuples(st.integers(1, 20), st.integers(1, 400))
    | st.tuples(st.integers(1, 9), st.integers(1, 400), st.integers(1, 3)),
    st.integers(0, 2**32),
    st.sampled_from([1, 2, 3, 100, 30000]),  # fewer values make longer runs
)


@given(array=arrays)
@settings(max_examples=150, deadline=None)
def test_encoding_and_decoding_is_the_identity(array):
    if array.ndim == 3 and array.itemsize * array.shape[2] > 15:
        with pytest.raises(EncodeError):
            rle_encode(array)
        return
    samples = array.shape[2] if array.ndim == 3 else 1
    told = {"rows": array.shape[0], "columns": array.shape[1], "samples_per_pixel": samples}
    frame = rle_encode(array)
    assert len(frame) % 2 == 0
    back = rle_decode(frame, bits_allocated=8 * array.itemsize, **told)
    assert np.array_equal(back.view(array.dtype.newbyteorder("=")).reshape(array.shape), array)
    if array.ndim == 3:
        planes = np.moveaxis(array, -1, 0)
        assert rle_encode(planes, planar=True) == frame


@pytest.mark.parametrize("pixels", [1, 7, 8, 9, 4096, 4099, 9001])
@pytest.mark.parametrize("samples", [2, 3, 4, 5])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_planes_become_pixels(pixels, samples, width):
    """Colour of every width, in frames of less and more than a block, is what its planes are."""
    if samples * width > 15:
        pytest.skip("more than 15 segments")
    planes = np.random.default_rng(pixels).integers(0, 256, (samples, 1, pixels * width), "u1").view(f"<u{width}")
    told = {"rows": 1, "columns": pixels, "samples_per_pixel": samples, "bits_allocated": 8 * width}
    frame = rle_encode(planes, planar=True)
    assert (rle_decode(frame, planar=True, **told) == planes).all()
    assert (rle_decode(frame, **told) == np.moveaxis(planes, 0, -1)).all()


TARGETS = {
    "the array itself": (np.empty((3, 2), "u2"), True),
    "signed samples": (np.empty((3, 2), "i2"), False),
    "another shape of as many bytes": (np.empty((2, 3), "u2"), False),
    "one axis": (np.empty(6, "u2"), False),
    "columns first in memory": (np.empty((3, 2), "u2", order="F"), False),
    "the other byte order": (np.empty((3, 2), np.dtype("u2").newbyteorder()), False),
    "read-only": (np.frombuffer(bytes(12), "u2").reshape(3, 2), False),
    "bytes": (bytearray(12), False),
}


@pytest.mark.parametrize(("out", "fits"), TARGETS.values(), ids=TARGETS)
def test_an_array_that_does_not_fit_is_left_alone(out, fits):
    frame = frame_of(b"\x05" + bytes(range(6)), b"\xfb\x07")  # high bytes, then low bytes
    before = bytes(memoryview(out).tobytes())
    assert _rle.decode_into(frame, out, 3, 2, 1, 16, False) is fits
    if fits:
        assert out.tolist() == [[0x0007, 0x0107], [0x0207, 0x0307], [0x0407, 0x0507]]
    else:
        assert memoryview(out).tobytes() == before


SHORT_CODES = {  # each beside its plane of 40 bytes: runs and literals about as long as what is written at once
    "literals of 1": (b"".join(bytes((0, i)) for i in range(40)), bytes(range(40))),
    "runs of 16": (b"\xf1\x01\xf1\x02\xf9\x03", b"\1" * 16 + b"\2" * 16 + b"\3" * 8),
    "runs of 17": (b"\xf0\x01\xf0\x02\xfb\x03", b"\1" * 17 + b"\2" * 17 + b"\3" * 6),
    "literals of 15 and 16": (
        b"\x0e" + bytes(15) + b"\x0f" + b"x" * 16 + b"\x08" + b"y" * 9,
        bytes(15) + b"x" * 16 + b"y" * 9,
    ),
    "no code between runs": (b"\x80\xed\x05\x80\x80\xed\x06\x80", b"\5" * 20 + b"\6" * 20),
}


@pytest.mark.parametrize(("segment", "plane"), SHORT_CODES.values(), ids=SHORT_CODES)
def test_short_runs_and_literals(segment, plane):
    assert rle_decode(frame_of(segment), rows=4, columns=10, bits_allocated=8).tobytes() == plane
    both = rle_decode(frame_of(segment, segment), rows=4, columns=10, bits_allocated=16)
    assert both.tobytes() == bytes(one for value in plane for one in (value, value))


def expanded(segment: bytes, count: int) -> bytes:
    """The first `count` bytes of a segment (PS3.5 G.3.2); fewer if it ends before."""
    out, i = b"", 0
    while i < len(segment) and len(out) < count:
        control = segment[i]
        if control < 128:
            out += segment[i + 1 : i + 2 + control]
            i += control + 2
        else:
            out += segment[i + 1 : i + 2] * (257 - control) if control > 128 else b""
            i += 1 if control == 128 else 2
    return out[:count]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_small_frames_end_where_a_plain_reader_ends(samples, width):
    # Segments lie one behind the other: what one lacks must not come from the next.
    rng = np.random.default_rng(samples * width)
    told = {"rows": 5, "columns": 9, "samples_per_pixel": samples, "bits_allocated": 8 * width, "planar": True}
    for _ in range(150):
        segments = []
        for _ in range(samples * width):
            codes = b""
            while len(expanded(codes, 99)) < 45:
                size = int(rng.choice([1, 2, 3, 9, 15, 16, 17, 30]))
                literal = rng.integers(0, 256, size, np.uint8).tobytes()
                codes += bytes([size - 1]) + literal if rng.random() < 0.5 else bytes([(257 - size) & 0xFF]) + b"r"
            segments.append(codes[: -int(rng.integers(1, 8))] if rng.random() < 0.1 else codes)
        planes = [expanded(segment, 45) for segment in segments]
        frame, whole = frame_of(*segments), all(len(plane) == 45 for plane in planes)
        expected = np.zeros((samples, 45, width), np.uint8)
        for j, plane in enumerate(planes):
            expected[j // width, : len(plane), width - 1 - j % width] = np.frombuffer(plane, np.uint8)
        array = rle_decode(frame, partial=True, **told)
        assert array.astype(array.dtype.newbyteorder("<")).tobytes() == expected.tobytes()
        out = np.empty_like(array)
        if whole:
            assert np.array_equal(rle_decode(frame, out=out, **told), array)
        else:
            with pytest.raises(PixelDecodeError):
                rle_decode(frame, out=out, **told)
