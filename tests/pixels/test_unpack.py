"""Bits and cells against NumPy and plain arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore._native.pixels import unpack


def cells_of(data: bytes, bits: int, start: int, count: int) -> list[int]:
    whole = int.from_bytes(data, "little")
    return [whole >> (start + i * bits) & ((1 << bits) - 1) for i in range(count)]


@given(st.binary(min_size=0, max_size=80), st.integers(0, 70), st.integers(0, 640))
def test_bits(data, start, count):
    dst = np.full(count, 9, np.uint8)
    if start + count > 8 * len(data):
        with pytest.raises(ValueError, match="do not hold"):
            unpack.unpack_bits(data, dst, start)
        return
    unpack.unpack_bits(data, dst, start)
    assert dst.tolist() == cells_of(data, 1, start, count)


@given(st.lists(st.sampled_from([0, 1, 2, 128, 255]), max_size=80))
def test_pack(values):
    packed = bytearray(-(-len(values) // 8))
    unpack.pack_bits(bytes(values), packed)
    assert bytes(packed) == np.packbits(np.array(values, bool), bitorder="little").tobytes()


@given(st.binary(max_size=60), st.integers(0, 10).map(lambda n: 4 * n), st.integers(0, 50))
def test_12_bits(data, start, count):
    dst = np.zeros(count, np.uint16)
    if start + 12 * count > 8 * len(data):
        with pytest.raises(ValueError, match="do not hold"):
            unpack.unpack_12(data, dst, start)
        return
    unpack.unpack_12(data, dst, start)
    assert dst.tolist() == cells_of(data, 12, start, count)


@given(st.binary(max_size=60), st.integers(1, 32), st.integers(0, 20), st.integers(0, 50))
def test_cells(data, bits, start, count):
    dst = np.zeros(count, np.uint32)
    if start + bits * count > 8 * len(data):
        with pytest.raises(ValueError, match="do not hold"):
            unpack.unpack_cells(data, dst, bits, start)
        return
    unpack.unpack_cells(data, dst, bits, start)
    assert dst.tolist() == cells_of(data, bits, start, count)


def test_24_bits():
    dst = np.zeros(3, np.uint32)
    unpack.unpack_24(bytes(range(9)), dst)
    assert dst.tolist() == [0x020100, 0x050403, 0x080706]


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("signed", [False, True])
def test_extend(width, signed):
    rng = np.random.default_rng(width)
    for low in (0, 1, 8 * width - 2):
        for stored in {1, 8 * width - low, max(8 * width - low - 3, 1)}:
            words = rng.integers(0, 256, 40 * width, dtype=np.uint8)
            before = [int(v) for v in words.view(f"u{width}")]
            unpack.extend_samples(words, width, low, stored, signed)
            cut = [v >> low & ((1 << stored) - 1) for v in before]
            wanted = [v - (1 << stored) if signed and v >> (stored - 1) else v for v in cut]
            assert words.view(f"{'i' if signed else 'u'}{width}").tolist() == wanted


@pytest.mark.parametrize("args", [(3, 0, 1), (4, 0, 1), (2, 16, 1), (2, 4, 13), (2, 0, 0), (2, -1, 4)])
def test_extend_refuses(args):
    with pytest.raises(ValueError, match="word"):
        unpack.extend_samples(bytearray(6), *args, False)


def test_overlay_bit():
    words = np.array([0x8001, 0x7FFF, 0x8000], "<u2")
    dst = np.zeros(3, np.uint8)
    unpack.extract_bit(words.view(np.uint8), dst, 2, 15)
    assert dst.tolist() == [1, 0, 1]
