"""Byte order against NumPy's byteswap."""

import numpy as np
import pytest

from dicomcore._native.base.swap import swap_words

COUNTS = (0, 1, 2, 7, 8, 31, 32, 33, 1000)


@pytest.mark.parametrize("width", [2, 4, 8])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("shift", [0, 1])
def test_words_are_reversed_wherever_they_stand(width, count, shift):
    src = np.arange(count * width + shift, dtype=np.uint8)[shift:]
    dst = np.zeros(count * width + 1, np.uint8)[1:]
    swap_words(src, dst, width)
    assert np.frombuffer(dst.tobytes(), f"<u{width}").tolist() == [
        int.from_bytes(src[i : i + width].tobytes(), "big") for i in range(0, len(src), width)
    ]


def test_words_are_reversed_in_place():
    words = np.arange(100, dtype=">u2")
    data = words.view(np.uint8)
    swap_words(data, data, 2)
    assert data.view("<u2").tolist() == list(range(100))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer(kind):
    dst = bytearray(4)
    swap_words(kind(b"\x01\x02\x03\x04"), dst, 4)
    assert dst == b"\x04\x03\x02\x01"


REFUSED = {
    "half a word": (bytes(3), bytearray(3), 2),
    "another size": (bytes(4), bytearray(6), 2),
    "no such width": (bytes(6), bytearray(6), 3),
}


@pytest.mark.parametrize(("src", "dst", "width"), REFUSED.values(), ids=REFUSED)
def test_refused(src, dst, width):
    with pytest.raises(ValueError, match="words"):
        swap_words(src, dst, width)


def test_overlap_is_refused():
    data = bytearray(8)
    with pytest.raises(ValueError, match="overlap"):
        swap_words(memoryview(data)[:6], memoryview(data)[2:], 2)
