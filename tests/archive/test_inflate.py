"""The bulk loop's own inflating, against zlib's: the same bytes, or a refusal."""

from __future__ import annotations

import random
import zlib

import pytest

from dicomcore._native.bulk.inflate import inflate_start
from dicomcore.errors import DicomError

STRATEGIES = [zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]


def packed(data: bytes, level: int, strategy: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 4, strategy)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH) + packer.compress(data) + packer.flush()


def samples(seed: int) -> list[bytes]:
    draw = random.Random(seed)
    return [bytes(draw.choices(range(kinds), k=size)) for kinds in (2, 20, 256) for size in (0, 1, 50, 3000)]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_any_length_of_a_stream(level, strategy):
    for data in samples(level):
        stream, whole = packed(data, level, strategy), data + data
        assert inflate_start(stream, len(whole) + 1) == (whole, True)
        assert inflate_start(stream + b"behind", len(whole) + 1) == (whole, True)
        for wanted in (0, 1, len(data), len(whole)):
            held, _ = inflate_start(stream, wanted)
            assert held == whole[:wanted]
        for end in range(0, len(stream), 97):
            with pytest.raises(DicomError):
                inflate_start(stream[:end], len(whole) + 1)


def test_a_damaged_stream_gives_no_bytes_that_zlib_would_not():
    draw = random.Random(7)
    refused = 0
    for turn in range(3000):
        data = draw.choice(samples(turn % 5))
        stream = bytearray(packed(data, turn % 10, STRATEGIES[turn % 5]))
        for _ in range(draw.randrange(1, 4)):
            stream[draw.randrange(min(len(stream), draw.choice([10, 100, 5000])))] ^= 1 << draw.randrange(8)
        wanted = 2 * len(data) + 10
        try:
            held, ended = inflate_start(stream, wanted)
        except DicomError:
            refused += 1
            continue
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        # zlib looks behind the last byte that it is asked for, and meets damage there.
        known = inflater.decompress(stream, wanted + 1 if ended else max(len(held) - 1, 1))
        assert known == held[: len(known)]
        assert not ended or (inflater.eof and known == held)
    assert 500 < refused < 2900


def test_a_negative_length_is_refused():
    with pytest.raises(ValueError, match="-1 bytes"):
        inflate_start(b"", -1)
