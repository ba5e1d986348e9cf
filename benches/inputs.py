"""Input of the engine's benches: the real files, and two large objects built here."""

from __future__ import annotations

import random
import struct
import sys
from functools import cache
from pathlib import Path

from tests.support import corpus

LONG_FORM = frozenset(["OB", "OW", "SQ", "UN", "UT"])
UNDEFINED = 0xFFFFFFFF
ROWS_A_FRAME = 18
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def real_files() -> list[Path]:
    """Every available real DICOM file, each content once: the corpus, and the files of the pydicom package."""
    every = corpus.small_files(1 << 40)
    if not every:
        sys.exit(corpus.ABSENT)
    return [one.path for one in every]


# ---- explicit VR little endian by hand, as a peer's writer would take minutes


def element(tag: int, vr: str, value: bytes | str) -> bytes:
    """One element, its value padded to even length (PS3.5 7.1.2)."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) % 2:
        data += b"\0" if vr == "UI" else b" "
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    return head + (struct.pack("<HI", 0, len(data)) if vr in LONG_FORM else struct.pack("<H", len(data))) + data


def item(content: bytes, defined: bool) -> bytes:
    """One item of a sequence (PS3.5 7.5.2)."""
    if defined:
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
    return struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED) + content + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)


def sequence(tag: int, items: list[bytes], defined: bool) -> bytes:
    """A sequence of items, and its delimiter where its length is undefined."""
    content = b"".join(item(each, defined) for each in items)
    if defined:
        return element(tag, "SQ", content)
    head = struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, b"SQ", 0, UNDEFINED)
    return head + content + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def part10(sop_class: str, data_set: bytes) -> bytes:
    """A file: preamble, prefix, file meta information, data set (PS3.10 7.1)."""
    meta = b"".join(
        [
            element(0x00020001, "OB", b"\0\1"),
            element(0x00020002, "UI", sop_class),
            element(0x00020003, "UI", "1.2.826.0.1.3680043.10.1.1"),
            element(0x00020010, "UI", "1.2.840.10008.1.2.1"),
            element(0x00020012, "UI", "1.2.826.0.1.3680043.10.1"),
        ]
    )
    return bytes(128) + b"DICM" + element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta + data_set


def frame_groups(number: int, defined: bool) -> bytes:
    """The functional groups of one frame of a segmentation: 18 rows with the enclosing item (PS3.3 A.51.5.1)."""
    source = element(0x00081150, "UI", CT_IMAGE) + element(
        0x00081155, "UI", f"1.2.826.0.1.3680043.10.1.2.{number % 300}"
    )
    content = (
        element(0x00209056, "SH", "1")
        + element(0x00209057, "UL", struct.pack("<I", number + 1))
        + element(0x00209157, "UL", struct.pack("<II", 1 + number // 300, 1 + number % 300))
    )
    return b"".join(
        [
            sequence(0x00089124, [sequence(0x00082112, [source], defined)], defined),
            sequence(0x00209111, [content], defined),
            sequence(0x00209113, [element(0x00200032, "DS", f"-125.5\\-98.25\\{1.25 * (number % 300):.2f}")], defined),
            sequence(0x0062000A, [element(0x0062000B, "US", struct.pack("<H", 1 + number // 300))], defined),
        ]
    )


@cache
def segmentation(frames: int = 12_000, *, defined: bool = True) -> bytes:
    """A segmentation of `frames` 8 by 8 frames, lengths of its sequences and items defined or not."""
    groups = [frame_groups(number, defined) for number in range(frames)]
    return part10(
        SEGMENTATION,
        b"".join(
            [
                element(0x00080016, "UI", SEGMENTATION),
                element(0x00080018, "UI", "1.2.826.0.1.3680043.10.1.1"),
                element(0x00080060, "CS", "SEG"),
                element(0x00100010, "PN", "Bench^Segmentation"),
                element(0x00100020, "LO", "B1"),
                element(0x00280002, "US", b"\1\0"),
                element(0x00280008, "IS", str(frames)),
                element(0x00280010, "US", b"\x08\0"),
                element(0x00280011, "US", b"\x08\0"),
                element(0x00280100, "US", b"\1\0"),
                sequence(0x52009230, groups, defined),
                element(0x7FE00010, "OW", bytes(8 * frames)),
            ]
        ),
    )


CONTOURS, POINTS = 3500, 200  # 2.1 million values


def short_decimal(draw: random.Random) -> str:
    """A decimal as planning systems write millimetres: two or three decimal places."""
    return f"{draw.uniform(-300, 300):.{draw.choice((2, 3))}f}"


def long_decimal(draw: random.Random) -> str:
    """A decimal of 16 characters, the most that DS allows."""
    return f"{draw.uniform(-300, 300):.14f}"[:16]


@cache
def structure_set(*, long: bool = False, contours: int = CONTOURS) -> bytes:
    """A structure set of `contours` contours in 50 regions of interest, 200 points each, in DS values."""
    draw = random.Random(2112)
    decimal = long_decimal if long else short_decimal
    every = [
        element(0x30060042, "CS", "CLOSED_PLANAR")
        + element(0x30060046, "IS", str(POINTS))
        + element(0x30060050, "DS", "\\".join([decimal(draw) for _ in range(3 * POINTS)]))
        for _ in range(contours)
    ]
    each = -(-contours // 50)
    regions = [
        sequence(0x30060040, every[i : i + each], False) + element(0x30060084, "IS", str(1 + i // each))
        for i in range(0, contours, each)
    ]
    return part10(
        STRUCTURE_SET,
        element(0x00080016, "UI", STRUCTURE_SET)
        + element(0x00080018, "UI", "1.2.826.0.1.3680043.10.1.1")
        + element(0x00080060, "CS", "RTSTRUCT")
        + sequence(0x30060039, regions, False),
    )
