"""A slow, plain JPEG lossless writer straight from T.81 Annexes B and H, for what our encoder can't write."""

from __future__ import annotations

import numpy as np

LENGTHS = [2, 3, 3, 3, 3, *range(4, 16)]  # of the codes of 17 symbols; not all codes are used up


def segment(marker: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def table(turn: int) -> tuple[bytes, dict[int, str]]:
    """A DHT body without its class byte, and the codes by SSSS; `turn` chooses the categories with short codes."""
    symbols = [(k + turn) % 17 for k in range(17)]
    counts = bytes(LENGTHS.count(length) for length in range(1, 17))
    codes, code, last = {}, 0, LENGTHS[0]
    for symbol, length in zip(symbols, LENGTHS, strict=True):
        code <<= length - last
        codes[symbol] = f"{code:0{length}b}"
        code, last = code + 1, length
    return counts + bytes(symbols), codes


def coded(difference: int, codes: dict[int, str]) -> str:
    """The bits of one difference (H.1.2.2)."""
    difference = (difference + 32767) % 65536 - 32767  # -32767 to 32768
    size = abs(difference).bit_length()
    if size in (0, 16):
        return codes[size]
    low = difference if difference > 0 else difference + (1 << size) - 1
    return codes[size] + f"{low:0{size}b}"


def predicted(plane: np.ndarray, y: int, x: int, top: int, predictor: int, start: int) -> int:
    """The prediction of a sample (H.1.2.1); `top` is the first row of its restart interval."""
    if y == top:
        return int(plane[y, x - 1]) if x else start
    if x == 0:
        return int(plane[y - 1, 0])
    a, b, c = int(plane[y, x - 1]), int(plane[y - 1, x]), int(plane[y - 1, x - 1])
    return [0, a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1][predictor]


def stuffed(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int(bits or "0", 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")


def entropy_coded(
    planes: dict[int, np.ndarray],
    blocks: dict[int, tuple[int, int]],
    codes: dict[int, dict[int, str]],
    size: tuple[int, int],
    restart: int,
    fill: bytes,
    predictor: int,
    start: int,
) -> bytes:
    """The MCUs of one scan, of `size` rows and columns, with a marker (RSTm) behind every `restart` rows."""
    out, bits = b"", ""
    for my in range(size[0]):
        if restart and my and my % restart == 0:
            out += stuffed(bits) + fill + bytes([0xFF, 0xD0 + (my // restart - 1) % 8])
            bits = ""
        top = my - my % restart if restart else 0
        for mx in range(size[1]):
            for k, (h, v) in blocks.items():
                for y in range(my * v, my * v + v):
                    for x in range(mx * h, mx * h + h):
                        guess = predicted(planes[k], y, x, top * v, predictor, start)
                        bits += coded(int(planes[k][y, x]) - guess, codes[k])
    return out + stuffed(bits)


def write(
    parts: list[np.ndarray],
    rows: int,
    columns: int,
    *,
    precision: int,
    predictor: int = 1,
    point_transform: int = 0,
    sampling: list[tuple[int, int]] | None = None,
    scans: list[list[int]] | None = None,
    tables: list[int] | None = None,
    restart: int = 0,
    lines_last: bool = False,
    fill: bytes = b"",
    end: bytes = b"\xff\xd9",
) -> bytes:
    """A codestream of components, each at its own size.

    `sampling` is (H, V) of each; `scans` lists the components of each scan; `tables` is the turn of each component's
    table; `restart` counts MCU rows; `lines_last` leaves Y to DNL; `fill` stands before each marker segment.
    """
    count = len(parts)
    sampling = sampling or [(1, 1)] * count
    scans = scans or [list(range(count))]
    tables = tables or [0] * count
    across, down = max(h for h, _ in sampling), max(v for _, v in sampling)
    header = bytes([precision]) + (0 if lines_last else rows).to_bytes(2, "big") + columns.to_bytes(2, "big")
    out = b"\xff\xd8" + fill + segment(0xFE, b"\xff\xd9 is no marker here")
    out += fill + segment(
        0xC3, header, bytes([count]), *(bytes([k + 7, h << 4 | v, 0]) for k, (h, v) in enumerate(sampling))
    )
    for number, scan in enumerate(scans):
        codes = {}
        for k in scan:
            body, codes[k] = table(tables[k] + number)
            out += fill + segment(0xC4, bytes([k]), body)
        blocks = {k: sampling[k] if len(scan) > 1 else (1, 1) for k in scan}
        wide = -(-columns // across) if len(scan) > 1 else parts[scan[0]].shape[1]
        high = -(-rows // down) if len(scan) > 1 else parts[scan[0]].shape[0]
        planes = {}
        for k in scan:  # A.2.4: whole MCUs; the added samples are arbitrary
            plane = parts[k] >> point_transform
            h, v = blocks[k]
            planes[k] = np.pad(plane, ((0, high * v - plane.shape[0]), (0, wide * h - plane.shape[1])), mode="edge")
        if restart:
            out += fill + segment(0xDD, (restart * wide).to_bytes(2, "big"))
        out += fill + segment(
            0xDA, bytes([len(scan)]), *(bytes([k + 7, k << 4]) for k in scan), bytes([predictor, 0, point_transform])
        )
        start = 1 << (precision - point_transform - 1)
        out += entropy_coded(planes, blocks, codes, (high, wide), restart, fill, predictor, start)
        if lines_last and number == 0:
            out += fill + segment(0xDC, rows.to_bytes(2, "big"))
    return out + fill + end
