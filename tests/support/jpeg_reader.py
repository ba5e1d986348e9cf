"""A slow, plain reader of JPEG lossless straight from T.81 Annexes C, F and H, for streams that are damaged.

It reads what our encoder writes: one scan of all components at the frame's size, one table, no restart intervals.
"""

from __future__ import annotations

import numpy as np


def segments(stream: bytes) -> tuple[dict[int, bytes], int]:
    """The marker segments before the entropy-coded data by marker, and the offset of that data."""
    found, i = {}, 2
    while stream[i + 1] != 0xDA:
        size = int.from_bytes(stream[i + 2 : i + 4], "big")
        found[stream[i + 1]] = stream[i + 4 : i + 2 + size]
        i += 2 + size
    size = int.from_bytes(stream[i + 2 : i + 4], "big")
    found[0xDA] = stream[i + 4 : i + 2 + size]
    return found, i + 2 + size


def windows(table: bytes) -> list[tuple[int, int]]:
    """The length and the category (SSSS) of the code that each 16 bits begin with; length 0: none."""
    out, symbols = [(0, 0)] * 65536, iter(table[17:])
    code = 0
    for length, count in enumerate(table[1:17], 1):
        for _ in range(count):
            step = 1 << (16 - length)
            out[code * step : (code + 1) * step] = [(length, next(symbols))] * step
            code += 1
        code <<= 1
    return out


def unstuffed(data: bytes) -> bytes:
    """The data up to a marker, without stuffed zeros."""
    i = data.find(b"\xff")
    while i >= 0 and data[i + 1 : i + 2] == b"\0":
        i = data.find(b"\xff", i + 2)
    return data[: i if i >= 0 else None].replace(b"\xff\0", b"\xff")


def differences(data: bytes, codes: list[tuple[int, int]], most: int) -> list[int]:
    """At most `most` differences; fewer if the bits end or are not a code."""
    bits = unstuffed(data)
    end, padded, at, out = 8 * len(bits), bits + bytes(8), 0, []
    while len(out) < most:
        word = int.from_bytes(padded[at >> 3 : (at >> 3) + 6], "big") >> (16 - (at & 7)) & 0xFFFFFFFF
        length, size = codes[word >> 16]
        took = length + (size if size < 16 else 0)
        if not length or size > 16 or at + took > end:
            break
        value = 1 << 15 if size == 16 else word >> (32 - took) & ((1 << size) - 1)
        if 0 < size < 16 and not value >> (size - 1):
            value -= (1 << size) - 1
        out.append(value)
        at += took
    return out


def read(stream: bytes) -> tuple[np.ndarray, bool]:
    """The samples, rows × columns × components, zero behind the last whole row; and whether all could be read."""
    found, start = segments(stream)
    frame, predictor = found[0xC3], found[0xDA][-3]
    rows, columns, count = int.from_bytes(frame[1:3], "big"), int.from_bytes(frame[3:5], "big"), frame[5]
    got = differences(stream[start:], windows(found[0xC4]), rows * columns * count)
    whole = len(got) // (columns * count)
    planes = np.zeros((rows, columns, count), int)
    steps = np.array(got[: whole * columns * count], int).reshape(whole, columns, count)
    for y in range(whole):
        above = planes[y - 1] if y else None
        left = np.full(count, 1 << (frame[0] - 1)) if above is None else above[0]
        planes[y, 0] = (steps[y, 0] + left) & 0xFFFF
        if above is None or predictor == 1:
            planes[y] = (planes[y, 0] + np.cumsum(steps[y], axis=0) - steps[y, 0]) & 0xFFFF
            continue
        for x in range(1, columns):
            a, b, c = planes[y, x - 1], above[x], above[x - 1]
            guess = [a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][predictor - 1]
            planes[y, x] = (steps[y, x] + guess) & 0xFFFF
    return planes, len(got) == rows * columns * count
