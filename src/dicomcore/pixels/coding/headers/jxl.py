"""Read size and bit depth from the first bits of a JPEG XL codestream (ISO 18181-1, 6.2 and 9.2)."""

from __future__ import annotations

from dicomcore.errors import PixelDecodeError
from dicomcore.pixels.coding.headers.boxes import find_box
from dicomcore.pixels.coding.headers.info import CodestreamInfo

__all__ = ["read_jxl"]

CONTAINER = b"\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a"
RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
SIZE = ((1, 9), (1, 13), (1, 18), (1, 30))
INTEGER_BITS = ((8, 0), (10, 0), (12, 0), (1, 6))
FLOAT_BITS = ((32, 0), (16, 0), (24, 0), (1, 6))
EXTRA_CHANNELS = ((0, 0), (1, 0), (2, 4), (1, 12))
ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
GREY = 1
HEADER_BYTES = 64


class Bits:
    """Reads the bits of a codestream, the lowest first."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.word = int.from_bytes(data, "little")
        self.left = 8 * len(data)
        self.offset = offset

    def take(self, count: int) -> int:
        if count > self.left:
            raise PixelDecodeError("JPEG XL codestream ends inside its header", offset=self.offset)
        value = self.word & ((1 << count) - 1)
        self.word >>= count
        self.left -= count
        return value

    def choose(self, choices: tuple[tuple[int, int], ...]) -> int:
        base, bits = choices[self.take(2)]
        return base + self.take(bits)


def read_jxl(data: memoryview) -> CodestreamInfo:
    """Read a JPEG XL codestream's header; raises PixelDecodeError with the offset of the fault."""
    start = _bare(data)
    bits = Bits(bytes(data[start + 2 : start + HEADER_BYTES]), start)
    rows, columns = _size(bits)
    components, precision = _samples(bits)
    return CodestreamInfo(
        format="JPEG XL",
        rows=rows,
        columns=columns,
        components=components,
        precision=precision,
        colour="RGB" if components == 3 else None,  # libjxl always returns RGB
        length=len(data),
    )


def _bare(data: memoryview) -> int:
    if data[:2] == b"\xff\x0a":
        return 0
    if data[:12] != CONTAINER:
        raise PixelDecodeError("not a JPEG XL codestream: it begins with neither FF0AH nor a container", offset=0)
    try:
        start, _ = find_box(data, b"jxlc", 12)
    except PixelDecodeError:
        start, _ = find_box(data, b"jxlp", 12)
        start += 4  # the part's number
    if data[start : start + 2] != b"\xff\x0a":
        start = min(start, len(data))
        raise PixelDecodeError(f"no JPEG XL codestream in its box, at byte {start}", offset=start)
    return start


def _size(bits: Bits) -> tuple[int, int]:
    small = bits.take(1)
    rows = 8 * (bits.take(5) + 1) if small else bits.choose(SIZE)
    ratio = bits.take(3)
    if ratio:
        across, down = RATIOS[ratio - 1]
        return rows, rows * across // down
    return rows, 8 * (bits.take(5) + 1) if small else bits.choose(SIZE)


def _samples(bits: Bits) -> tuple[int | None, int | None]:
    """Components and precision; (None, None) where rarely used fields precede them."""
    if bits.take(1):  # all fields have their defaults
        return 3, 8
    if bits.take(1):  # orientation, preview, animation
        bits.take(3)
        if bits.take(3):
            return None, None
    precision = bits.choose(FLOAT_BITS if (floating := bits.take(1)) else INTEGER_BITS)
    if floating:
        bits.take(4)
    bits.take(1)  # whether 16-bit arithmetic is enough
    if bits.choose(EXTRA_CHANNELS):
        return None, precision
    bits.take(1)  # XYB
    if bits.take(1):  # the default colour encoding, sRGB
        return 3, precision
    bits.take(1)  # an ICC profile follows
    return (1 if bits.choose(ENUM) == GREY else 3), precision
