"""Read the main header of JPEG 2000 and HTJ2K, in a JP2 file or bare (ISO 15444-1 Annex A, 15444-15)."""

from __future__ import annotations

from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.coding.headers.boxes import find_box
from dicomcore.pixels.coding.headers.info import CodestreamInfo

__all__ = ["end_of_tile_parts", "read_j2k"]

SOC_SIZ = b"\xff\x4f\xff\x51"
JP2_SIGNATURE = b"\x0d\x0a\x87\x0a"
MAX_SEGMENTS = 4096
MAX_TILES = 65535
HIGH_THROUGHPUT = 0x4000
"""The bit of Rsiz that marks Part 15, HTJ2K."""


def read_j2k(data: memoryview) -> CodestreamInfo:
    """Read a JPEG 2000 codestream's header; raises PixelDecodeError with the offset of the fault."""
    start, stop = _bare(data)
    if len(data) - start < 49:
        raise PixelDecodeError(f"JPEG 2000 header ends early, at byte {len(data)}", offset=len(data))
    siz = data[start + 4 :]
    length = _u16(siz, 0)
    rsiz = _u16(siz, 2)
    x, y, x0, y0, tile_x, tile_y, tile_x0, tile_y0 = (_u32(siz, 4 + 4 * i) for i in range(8))
    components = _u16(siz, 36)
    if not components or length != 38 + 3 * components or length > len(siz):
        raise PixelDecodeError(f"JPEG 2000 SIZ names {components} components, at byte {start + 4}", offset=start + 4)
    if not (x > x0 and y > y0 and tile_x and tile_y and tile_x0 <= x0 and tile_y0 <= y0):
        raise PixelDecodeError(f"JPEG 2000 SIZ has an empty image or tile, at byte {start + 4}", offset=start + 4)
    if -(-(x - tile_x0) // tile_x) * -(-(y - tile_y0) // tile_y) > MAX_TILES:
        raise PixelDecodeError(f"JPEG 2000 SIZ has too many tiles, at byte {start + 4}", offset=start + 4)
    depth = {siz[38 + 3 * c] for c in range(components)}
    transform, reversible = _coding(siz, length)
    subsampling = tuple((siz[39 + 3 * c], siz[40 + 3 * c]) for c in range(components))
    colour = marked_by = None
    if components == 3 and len(set(subsampling)) > 1:  # no writer subsamples red, green or blue
        colour, marked_by = "YBR", "chroma subsampling"
    elif components == 3 and transform:  # decoding undoes RCT and ICT, whose input was RGB
        colour, marked_by = "RGB", "component transform"
    return CodestreamInfo(
        format="HTJ2K" if rsiz & HIGH_THROUGHPUT else "JPEG 2000",
        rows=y - y0,
        columns=x - x0,
        components=components,
        precision=max(d & 0x7F for d in depth) + 1,
        signed=bool(max(depth) & 0x80),
        lossless=reversible,
        colour=colour,
        marked_by=marked_by,
        subsampling=subsampling,
        offset=start,
        length=stop - start,
    )


def _bare(data: memoryview) -> tuple[int, int]:
    """Start and stop of the bare codestream, within the boxes of a JP2 file if it is one."""
    if data[:4] == SOC_SIZ:
        return 0, len(data)
    if data[4:12] == b"jP  " + JP2_SIGNATURE or data[:4] == JP2_SIGNATURE:
        start, stop = find_box(data, b"jp2c", 12 if data[4:8] == b"jP  " else 4)
        if data[start : start + 4] == SOC_SIZ:
            return start, stop
        raise PixelDecodeError(f"no JPEG 2000 codestream in the JP2 file's box, at byte {start}", offset=start)
    raise PixelDecodeError("not a JPEG 2000 codestream: it begins with neither SOC nor a JP2 signature", offset=0)


def _coding(siz: memoryview, at: int) -> tuple[bool, bool | None]:
    """Whether COD has a component transform, and whether its wavelet is reversible (None without a COD)."""
    for _ in range(MAX_SEGMENTS):
        if at + 4 > len(siz) or siz[at] != 0xFF or siz[at + 1] in (0x90, 0xD9):  # SOT, EOC
            break
        length = _u16(siz, at + 2)
        if siz[at + 1] == 0x52 and length >= 12 and at + 14 <= len(siz):
            return siz[at + 8] == 1, siz[at + 13] == 1
        if length < 2:
            break
        at += 2 + length
    return False, None


def end_of_tile_parts(data: memoryview) -> int | None:
    """The offset after the last tile-part of a bare codestream, where EOC belongs.

    None where the main header or a tile-part is incomplete or doesn't state its length.
    """
    at = 2
    for _ in range(MAX_SEGMENTS):  # the main header
        if at + 4 > len(data) or data[at] != 0xFF:
            return None
        if data[at + 1] == 0x90:  # SOT
            break
        at += 2 + _u16(data, at + 2)
    first = at
    while at + 12 <= len(data) and data[at] == 0xFF and data[at + 1] == 0x90:
        length = _u32(data, at + 6)  # Psot
        if length < 14 or length > len(data) - at:
            return None
        at += length
    return at if at > first else None


def _u16(data: memoryview, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _u32(data: memoryview, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
