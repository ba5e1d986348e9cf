"""Which format a codestream is of, by its first bytes."""

from __future__ import annotations

import struct

__all__ = ["SIGNATURE_BYTES", "format_by_signature"]

SIGNATURE_BYTES = 64
"""First bytes of a codestream that tell its format; of all but RLE twelve are enough."""

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

    "JPEG" is all that begins with SOI and a marker: the DCT processes, JPEG lossless and JPEG-LS.
    """
    found = next((kind for signature, kind in SIGNATURES.items() if head.startswith(signature)), None)
    return "RLE" if found is None and _is_rle_header(head) else found


def _is_rle_header(head: bytes) -> bool:
    """Whether an RLE Header stands here (PS3.5 G.5): ascending offsets, the first behind the header, the unused ones 0.

    RLE has no magic number; but 64 bytes of anything else hardly look like this.
    """
    if len(head) < SIGNATURE_BYTES:
        return False
    count, *offsets = struct.unpack_from("<16I", head)
    if not 1 <= count <= RLE_SEGMENTS or offsets[0] != SIGNATURE_BYTES or any(offsets[count:]):
        return False
    return all(offsets[i] < offsets[i + 1] for i in range(count - 1))
