"""Small DICOM byte strings, built by hand so that a test never relies on the code it tests (PS3.5 7, PS3.10 7)."""

from __future__ import annotations

import struct

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPIP_DEFLATE = "1.2.840.10008.1.2.4.95"
JPIP_HTJ2K_DEFLATE = "1.2.840.10008.1.2.4.205"
GE = "1.2.840.113619.5.2"

UNDEFINED = 0xFFFFFFFF
LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PREAMBLE = bytes(128) + b"DICM"


def tag_bytes(tag: int, big: bool = False) -> bytes:
    return struct.pack(">HH" if big else "<HH", tag >> 16, tag & 0xFFFF)


def header(tag: int, vr: str | None, length: int, big: bool = False) -> bytes:
    """The header of an element: explicit with a `vr`, implicit without."""
    order = ">" if big else "<"
    if vr is None:
        return tag_bytes(tag, big) + struct.pack(order + "I", length)
    if vr in LONG:
        return tag_bytes(tag, big) + vr.encode() + struct.pack(order + "HI", 0, length)
    return tag_bytes(tag, big) + vr.encode() + struct.pack(order + "H", length)


def element(tag: int, vr: str | None, value: bytes = b"", *, length: int | None = None, big: bool = False) -> bytes:
    """An element with this value, unpadded; `length` overrides the length field."""
    return header(tag, vr, len(value) if length is None else length, big) + value


def item(content: bytes = b"", *, undefined: bool = False, length: int | None = None, big: bool = False) -> bytes:
    """An item (or fragment) with this content."""
    if undefined:
        return header(ITEM, None, UNDEFINED, big) + content + header(ITEM_END, None, 0, big)
    return element(ITEM, None, content, length=length, big=big)


def sequence(
    tag: int,
    *items: bytes,
    vr: str | None = "SQ",
    undefined: bool = False,
    big: bool = False,
    item_big: bool | None = None,
) -> bytes:
    """A sequence (or, with another VR, encapsulated pixel data) of these items."""
    content = b"".join(items)
    if not undefined:
        return element(tag, vr, content, big=big)
    inner = big if item_big is None else item_big
    return header(tag, vr, UNDEFINED, big) + content + header(SEQUENCE_END, None, 0, inner)


def meta(syntax: str | None = EXPLICIT, *extra: bytes, length: int | None = None, with_length: bool = True) -> bytes:
    """File meta information for a transfer syntax; `length` overrides its group length."""
    group = element(0x00020001, "OB", b"\0\1")
    if syntax is not None:
        group += element(0x00020010, "UI", syntax.encode() + b"\0" * (len(syntax) % 2))
    group += b"".join(extra)
    if not with_length:
        return group
    return element(0x00020000, "UL", struct.pack("<I", len(group) if length is None else length)) + group


def part10(data_set: bytes, syntax: str | None = EXPLICIT) -> bytes:
    """A whole file (PS3.10 7.1)."""
    return PREAMBLE + meta(syntax) + data_set
