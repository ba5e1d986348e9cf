"""Recognise the format of a codestream by its first bytes."""

from __future__ import annotations

import struct

__all__ = ["SIGNATURE_BYTES", "format_by_signature"]

SIGNATURE_BYTES = 64
"""First bytes of a codestream that tell its format; twelve are enough for all but RLE."""

SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
}
RLE_SEGMENTS = 15


def format_by_signature(head: bytes) -> str | None:
    """The format of a codestream that begins with `head`: "JPEG", "JPEG 2000", "JPEG XL", "RLE", or None.

    "JPEG" stands for all formats that begin with SOI and a marker: the DCT processes, JPEG lossless and JPEG-LS.
    """
    recognised = next((form for signature, form in SIGNATURES.items() if head.startswith(signature)), None)
    return "RLE" if recognised is None and _is_rle_header(head) else recognised


def _is_rle_header(head: bytes) -> bool:
    """Whether `head` is an RLE Header (PS3.5 G.5): ascending offsets, the first after the header, unused ones 0.

    RLE has no magic number, but 64 bytes of another format are very unlikely to match this.
    """
    if len(head) < SIGNATURE_BYTES:
        return False
    count, *offsets = struct.unpack_from("<16I", head)
    if not 1 <= count <= RLE_SEGMENTS or offsets[0] != SIGNATURE_BYTES or any(offsets[count:]):
        return False
    return all(offsets[i] < offsets[i + 1] for i in range(count - 1))
