"""Truncated, mutated and contradictory codestreams give samples, or our errors with an offset in range."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest

from dicomcore.codecs import (
    jpeg_lossless_decode,
    jpeg_lossless_decode_components,
    jpeg_lossless_info,
    rle_decode,
)
from dicomcore.errors import DicomError, PixelDecodeError
from tests.support import pixel_corpus as corpus

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
RLE_LOSSLESS = "1.2.840.10008.1.2.5"


@cache
def jpeg_streams() -> dict[str, bytes]:
    found = {
        line["path"][-6:]: corpus.path_of(line).read_bytes()
        for line in corpus.lines()
        if line["kind"] == "codestream" and line["path"].endswith(".JPG") and "/p14/" in line["path"]
    }
    for line in corpus.lines():
        if line.get("transfer_syntax") in JPEG_LOSSLESS and line.get("pixels", {}).get("consensus"):
            found[line["path"].rsplit("/")[-1]] = next(corpus.codestreams(line))[0]
    return found


@cache
def rle_frames() -> list[tuple[bytes, dict[str, int]]]:
    found = []
    for line in corpus.lines():
        if line.get("transfer_syntax") == RLE_LOSSLESS and line.get("pixels", {}).get("consensus"):
            pixels = line["pixels"]
            told = {key: pixels[key] for key in ("rows", "columns", "bits_allocated")}
            found.append((next(corpus.codestreams(line))[0], {**told, "samples_per_pixel": pixels["samples"]}))
    return found


needs_corpus = pytest.mark.skipif(not corpus.lines(), reason="the corpus is absent")


def outcome(decode, data: bytes, **told):
    """The samples, or None after one of our errors, whose offset must lie in the data."""
    try:
        return decode(data, **told)
    except PixelDecodeError as error:
        if error.offset is None or not 0 <= error.offset <= len(data):
            pytest.fail(f"offset {error.offset} in {len(data)} bytes")
    except DicomError:
        pass
    return None


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change, remove, repeat or move a few bytes or bits, more often near the start, where the headers are."""
    hurt = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(min(len(hurt), 400) if rng.random() < 0.5 else len(hurt))
        match rng.randrange(5):
            case 0:
                hurt[place] ^= 1 << rng.randrange(8)
            case 1:
                hurt[place] = rng.choice([0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.randrange(256)])
            case 2:
                del hurt[place : place + rng.randint(1, 5)]
            case 3:
                hurt[place:place] = rng.randbytes(rng.randint(1, 5))
            case 4:
                hurt[place : place + 2] = b"\xff" + bytes([rng.choice([0xC4, 0xD9, 0xDA, 0xD0, 0xDC, 0xC3, 0xDD])])
        if not hurt:
            hurt = bytearray(b"\xff")
    return bytes(hurt)


@needs_corpus
@pytest.mark.parametrize("name", ["O1.JPG", "SC_rgb_jpeg_gdcm.dcm"])
def test_jpeg_cut_anywhere(name):
    stream = jpeg_streams()[name]
    whole = jpeg_lossless_decode(stream)
    places = [*range(700), *range(700, len(stream), max(len(stream) // 400, 1)), *range(len(stream) - 20, len(stream))]
    for cut in places:
        array = outcome(jpeg_lossless_decode, stream[:cut])
        if array is not None:  # only padding or the end marker is gone
            assert np.array_equal(array, whole)


@needs_corpus
def test_jpeg_cut_partial_gives_the_rows_before_the_cut():
    for stream in jpeg_streams().values():
        if jpeg_lossless_info(stream).interleaved and jpeg_lossless_info(stream).restart_interval:
            continue  # subsampled: MCU rows, not rows
        whole = jpeg_lossless_decode(stream)
        half = jpeg_lossless_decode(stream[: len(stream) // 2], partial=True)
        if jpeg_lossless_info(stream).interleaved or whole.ndim == 2:
            same = (half == whole).reshape(len(whole), -1).all(1)
            rows = int(same.argmin())
            assert 0.2 < rows / len(whole) < 0.8
            assert not half[rows + 1 :].any()


@needs_corpus
@pytest.mark.parametrize("seed", range(4))
def test_jpeg_mutated(seed):
    rng = random.Random(seed)
    for name, stream in jpeg_streams().items():
        for _ in range(60 if len(stream) < 10000 else 6):
            hurt = mutate(stream, rng)
            outcome(jpeg_lossless_decode, hurt)
            outcome(jpeg_lossless_decode, hurt, partial=True)
            if name.endswith(".JPG"):
                outcome(jpeg_lossless_decode_components, hurt)


@needs_corpus
@pytest.mark.parametrize("seed", range(4))
def test_rle_mutated(seed):
    rng = random.Random(seed)
    for frame, told in rle_frames():
        for _ in range(40 if len(frame) < 20000 else 8):
            hurt = mutate(frame, rng)
            for planar in (False, True):
                outcome(rle_decode, hurt, planar=planar, **told)
                outcome(rle_decode, hurt, planar=planar, partial=True, **told)


@needs_corpus
def test_rle_cut_anywhere():
    for frame, told in rle_frames():
        whole = rle_decode(frame, **told)
        step = 1 if len(frame) < 3000 else len(frame) // 200
        for cut in [*range(70), *range(70, len(frame), step), *range(len(frame) - 5, len(frame))]:
            array = outcome(rle_decode, frame[:cut], **told)
            if array is not None:
                assert np.array_equal(array, whole)


def header(rows: int, columns: int, *, precision: int = 8, count: int = 1) -> bytes:
    """SOI, a table of one code, SOF3 and SOS; what follows is entropy-coded data."""
    parts = b"".join(bytes([k + 1, 0x11, 0]) for k in range(count))
    scan = b"".join(bytes([k + 1, 0]) for k in range(count))
    return (
        b"\xff\xd8\xff\xc4\x00\x14\x00\x01" + bytes(15) + b"\x00"
        b"\xff\xc3"
        + (8 + 3 * count).to_bytes(2, "big")
        + bytes([precision])
        + rows.to_bytes(2, "big")
        + columns.to_bytes(2, "big")
        + bytes([count])
        + parts
        + b"\xff\xda"
        + (6 + 2 * count).to_bytes(2, "big")
        + bytes([count])
        + scan
        + b"\x01\x00\x00"
    )


def test_a_claim_that_the_input_cannot_hold_is_refused():
    stream = header(65535, 65535, precision=16, count=4) + bytes(1000)
    for partial in (False, True):
        with pytest.raises(PixelDecodeError, match="cannot hold"):
            jpeg_lossless_decode(stream, partial=partial)
    with pytest.raises(PixelDecodeError, match="cannot hold"):
        jpeg_lossless_decode_components(stream)


LIES = {  # name: (codestream, offset of the fault)
    "nothing": (b"", 0),
    "no SOI": (b"\xff\xd9\xff\xd9", 0),
    "SOI alone": (b"\xff\xd8", 2),
    "EOI at once": (b"\xff\xd8\xff\xd9", 2),
    "a segment longer than the rest": (b"\xff\xd8\xff\xc4\xff\xff", 4),
    "a segment shorter than its length": (b"\xff\xd8\xff\xc4\x00\x01", 4),
    "a table with more symbols than bytes": (b"\xff\xd8\xff\xc4\x00\x13\x00" + b"\xff" * 16, 6),
    "precision 17": (header(1, 1, precision=17) + b"\0", 28),
    "no columns": (header(1, 0) + b"\0", 28),
    "five components": (header(1, 1, count=5) + b"\0", None),
    "a scan before the frame": (b"\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x01\x00\x00", 6),
    "no lines and no DNL": (header(0, 1) + b"\0\0", None),
}


@pytest.mark.parametrize(("stream", "offset"), LIES.values(), ids=LIES)
def test_contradictory_headers_are_errors(stream, offset):
    with pytest.raises(DicomError) as caught:
        jpeg_lossless_decode(stream)
    if offset is not None:
        assert caught.value.offset == offset


def test_one_code_of_one_bit():
    assert jpeg_lossless_decode(header(4, 16) + bytes(8)).tolist() == [[128] * 16] * 4
    with pytest.raises(PixelDecodeError) as caught:  # a bit that is no code, in the second row
        jpeg_lossless_decode(header(4, 16) + b"\0\0\0\x01\0\0\0\0")
    assert caught.value.offset == len(header(4, 16)) + 3
