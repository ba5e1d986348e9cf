"""The sRGB colour space as an ICC profile of input class, for objects that must have one (PS3.3 C.11.15)."""

from __future__ import annotations

import struct
from functools import cache

import numpy as np

__all__ = ["srgb_profile"]

PRIMARIES = {  # XYZ of red, green and blue relative to D50
    "r": (0.43607, 0.22249, 0.01392),
    "g": (0.38515, 0.71687, 0.09708),
    "b": (0.14307, 0.06061, 0.71410),
}
WHITE = (0.9642, 1.0, 0.82491)  # D50
STEPS = 1024  # of the curve
INPUT, VERSION = b"scnr", 0x02400000  # Input Device is the only class that images and presentation states may have


@cache
def srgb_profile() -> bytes:
    """Return the profile: three primaries and the curve of IEC 61966-2-1, in 2 616 bytes."""
    coded = np.linspace(0, 1, STEPS)
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    curve = b"curv" + struct.pack(">II", 0, STEPS) + np.rint(linear * 65535).astype(">u2").tobytes()
    name = b"sRGB\0"
    described = b"desc" + struct.pack(">II", 0, len(name)) + name + bytes(78)
    elements = {b"desc": described, b"cprt": b"text\0\0\0\0No copyright\0", b"wtpt": _xyz(WHITE)}
    elements |= {f"{letter}XYZ".encode(): _xyz(primary) for letter, primary in PRIMARIES.items()}
    start = 132 + 12 * (len(elements) + len(PRIMARIES))
    table, body = [], b""
    for signature, data in elements.items():
        table.append((signature, start + len(body), len(data)))
        body += data + bytes(-len(data) % 4)
    table += [(f"{letter}TRC".encode(), start + len(body), len(curve)) for letter in PRIMARIES]  # one curve for all
    body += curve
    head = struct.pack(">I4xI4s4s4s", start + len(body), VERSION, INPUT, b"RGB ", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(32, b"\0") + _xyz(WHITE)[8:]
    rows = b"".join(struct.pack(">4sII", *row) for row in table)
    return head.ljust(128, b"\0") + struct.pack(">I", len(table)) + rows + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))
