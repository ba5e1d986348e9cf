"""Read the marker segments of JPEG and JPEG-LS up to the frame header (ITU-T T.81 Annex B, T.87 Annex C)."""

from __future__ import annotations

from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.coding.headers.info import CodestreamInfo

__all__ = ["read_jpeg"]

MAX_SEGMENTS = 4096
"""The most marker segments before the frame header; real streams have under a hundred."""

NOT_SOF = (0xC4, 0xC8, 0xCC)  # DHT, JPG and DAC, whose codes are among those of SOF
LOSSLESS_SOF = (3, 7, 11, 15)
ALONE = (0x01, 0xD8, *range(0xD0, 0xD8))  # TEM, SOI, RSTn: markers without a segment


def read_jpeg(data: memoryview) -> CodestreamInfo:
    """Read a JPEG or JPEG-LS codestream's header; raises PixelDecodeError with the offset of the fault."""
    at = _start(data)
    jfif, adobe = False, None
    for _ in range(MAX_SEGMENTS):
        marker, at = _next_marker(data, at)
        if marker in ALONE:
            continue
        if marker in (0xD9, 0xDA):  # EOI, SOS
            raise PixelDecodeError(f"JPEG scan or end before any frame header, at byte {at - 2}", offset=at - 2)
        if at + 2 > len(data):
            break
        length = data[at] << 8 | data[at + 1]
        if length < 2 or length > len(data) - at:
            raise PixelDecodeError(f"JPEG marker segment of {length} bytes can't be, at byte {at}", offset=at)
        body = data[at + 2 : at + length]
        if (0xC0 <= marker <= 0xCF and marker not in NOT_SOF) or marker == 0xF7:
            return _frame(body, marker, jfif, adobe, at, len(data))
        if marker == 0xE0 and body[:5] == b"JFIF\0":
            jfif = True
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        at += length
    raise PixelDecodeError(f"JPEG codestream ends before its frame header, at byte {at}", offset=at)


def _start(data: memoryview) -> int:
    if len(data) < 4 or data[0] != 0xFF or data[1] != 0xD8:
        raise PixelDecodeError("not a JPEG codestream: it does not begin with FFD8H", offset=0)
    return 2


def _next_marker(data: memoryview, at: int) -> tuple[int, int]:
    """The first marker from `at` on, and the offset after it; skips other bytes and fill bytes before it."""
    pair = bytes(data[at : at + 2])
    if len(pair) == 2 and pair[0] == 0xFF and 0 < pair[1] < 0xFF:
        return pair[1], at + 2
    end = min(len(data), at + 65536)
    window = bytes(data[at:end])
    i = window.find(b"\xff")
    while 0 <= i < len(window) - 1:
        if 0 < window[i + 1] < 0xFF:
            return window[i + 1], at + i + 2
        i = window.find(b"\xff", i + 1)
    raise PixelDecodeError(f"JPEG marker missing, at byte {at}", offset=at)


def _frame(body: memoryview, marker: int, jfif: bool, adobe: int | None, at: int, size: int) -> CodestreamInfo:
    if len(body) < 6 or len(body) < 6 + 3 * body[5] or not body[5]:
        raise PixelDecodeError(f"JPEG frame header too short for its components, at byte {at}", offset=at)
    precision, components = body[0], body[5]
    ids = tuple(body[6 + 3 * c] for c in range(components))
    factors = tuple((body[7 + 3 * c] >> 4, body[7 + 3 * c] & 15) for c in range(components))
    is_ls = marker == 0xF7
    colour, marked_by = _colour(ids, factors, jfif, adobe) if components == 3 else (None, None)
    return CodestreamInfo(
        format="JPEG-LS" if is_ls else "JPEG",
        rows=body[1] << 8 | body[2],
        columns=body[3] << 8 | body[4],
        components=components,
        precision=precision,
        lossless=None if is_ls else marker - 0xC0 in LOSSLESS_SOF,
        colour=colour,
        marked_by=marked_by,
        subsampling=factors,
        component_ids=ids,
        frame_type=55 if is_ls else marker - 0xC0,
        length=size,
    )


def _colour(
    ids: tuple[int, ...], factors: tuple[tuple[int, int], ...], jfif: bool, adobe: int | None
) -> tuple[str | None, str | None]:
    """The colour of three components, and its mark. Component ids come first, as in pydicom: R G B is deliberate."""
    if bytes(ids).lower() == b"rgb":
        return "RGB", "component ids"
    if adobe is not None:
        return ("YBR" if adobe else "RGB"), "Adobe"
    if jfif:
        return "YBR", "JFIF"
    luminance, *chrominance = (across * down for across, down in factors)
    if max(chrominance) < luminance:  # no writer subsamples green and blue
        return "YBR", "chroma subsampling"
    return None, None
