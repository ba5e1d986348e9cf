"""Texts and pictures in the headers of codestreams, which are no pixels: blanked where they are, at the same length."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dicomcore._native.pixels.rle import behind_planes
from dicomcore.deid.pixels.values import Joined, NewValue, Spool, Stretch
from dicomcore.uids import RLELossless

__all__ = ["blanked_codestream", "without_comments"]

Span = tuple[int, int]
Read = Callable[[int, int], bytes]

BLANK = b" "
COMMENT, FIRST_APP, LAST_APP, SCAN, END = 0xFE, 0xE0, 0xEF, 0xDA, 0xD9  # COM, APP0, APP15, SOS, EOI (T.81 B.1)
NEEDED = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xE8: b"", 0xEE: b"Adobe"}
"""What readers of pixels may need of application segments: JFIF, ICC profiles, colour transforms of JPEG-LS, Adobe."""
COMMENT_2000, TILE_2000 = 0x64, 0x90  # COM, SOT (T.800 A.2)
DATA_2000 = 0x93  # SOD
BARE = frozenset([0x01, *range(0xD0, 0xD9)])  # markers without a length
MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
"""What ends the data of a scan: in it, 0 follows FF, in JPEG-LS what is below 80 (T.87 A.1), or a restart marker."""
BOXES = frozenset(
    [b"jP  ", b"ftyp", b"jp2h", b"jp2c", b"JXL ", b"jxlc", b"jxlp", b"jxll", b"jxli", b"jbrd", b"jpch", b"jplh"]
)
"""Boxes that readers of pixels may need (T.800 Annex I, ISO/IEC 18181-2)."""
TYPED_BOXES = {b"uuid": 16, b"brob": 4}
"""Bytes of the boxes whose contents begin with what they are."""
ITEM, ITEM_HEADER = b"\xfe\xff\x00\xe0", 8
_SOFTWARE = (
    rb"kakadu|openjpeg|openjph|ojph|grok|charls|lead|aware|jasper|gd-jpeg|ijg|intel|ffmpeg|lavc|dcmtk|offis|gdcm|pvrg"
    rb"|adobe|imagemagick|pegasus|handmade|jj2000|matrox|morgan|padding"
)
_WORDS = rb"v|ver|version|inc|llc|technologies|technology|corp|library|jpeg|ls|lossless|encoder|codec|by|using|quality"
ENCODERS = re.compile(
    rb"\s*(?:created by|creator:?|encoded by|compressed by|file written by)?\s*(?:%s)"
    rb"(?:[\s.,:;()/+=\0-]|(?<!\d)\d{1,4}(?!\d)|(?:%s|%s)(?![a-z]))*"
    rb"|Kdu-Layer-Info: log_2\{Delta-D\((?:MSE|squared-error)\)/\[2\^16\*Delta-L\(bytes\)\]\}, L\(bytes\)"
    rb"[\s\d.,e+-]*\0?" % (_SOFTWARE, _WORDS, _SOFTWARE),
    re.IGNORECASE,
)
"""Comments that only name the software that encoded the frame, or say how it did, or that they fill it up."""


def blanked_codestream(data: bytes) -> bytes:
    """A codestream with blanks for its comments."""
    spans = list(_hidden(data))
    if not spans:
        return data
    made = bytearray(data)
    for start, stop in spans:
        made[start:stop] = BLANK * (stop - start)
    return bytes(made)


def without_comments(source: Any, value: NewValue | None, vr: str) -> NewValue | None:
    """The value of encapsulated frames with blanks for the comments in those that stay as they are; None for none.

    `value` is the new value of the frames, if there is one: its codestreams that were made anew have no comments.
    Blanks, too, are what follows a frame's pixels in its fragments, and fragments that are of no frame.
    """
    spans: list[Span] = []
    ours: list[Span] = []
    with source.value.peeking() as peek:
        for index in range(len(source)):
            fragments = source.fragments(index)
            ours += [(one.offset, one.offset + one.length) for one in fragments]
            spans += _in_value(fragments, peek, source.stated)
        end = max((stop + stop % 2 for _, stop in ours), default=0)
        if value is None:  # else the fragments of no frame are gone
            strays = list(_strays(sorted(ours), end, source.value.size, peek))
            end = max([end, *(stop for _, stop in strays)])
            spans += strays
    if not spans:
        return None
    if isinstance(value, Joined):
        return Joined(source.value, list(_split(value.items, sorted(spans))), value.spool, vr)
    return Joined(source.value, list(_split([Stretch(0, end)], sorted(spans))), Spool(), vr)


def _in_value(fragments: Sequence[Any], peek: Read, stated: Any) -> Iterator[Span]:
    """Where the comments of a frame are in the Value Field; its codestream may be in several fragments."""
    starts, size = [], 0
    for fragment in fragments:
        starts.append(size)
        size += fragment.length
    is_rle = stated.transfer_syntax == RLELossless
    if not is_rle and not _is_codestream(bytes(peek(fragments[0].offset, 8)) if fragments else b""):
        return  # videos, which are no frames and may be long
    data = b"".join(bytes(peek(one.offset, one.length)) for one in fragments)
    for offset, stop in _behind_planes(data, stated) if is_rle else _hidden(data):
        for fragment, start in zip(fragments, starts, strict=True):
            low, high = max(offset, start), min(stop, start + fragment.length)
            if low < high:
                yield fragment.offset + low - start, fragment.offset + high - start


def _strays(ours: list[Span], end: int, size: int, peek: Read) -> Iterator[Span]:
    """Where the fragments are that no frame has, behind the Basic Offset Table, unless they are empty or zeros."""
    at = ITEM_HEADER + int.from_bytes(peek(4, 4), "little") if size >= ITEM_HEADER else size
    known = dict(ours)
    while at + ITEM_HEADER <= size:
        head = bytes(peek(at, ITEM_HEADER))
        start = at + ITEM_HEADER
        stop = start + int.from_bytes(head[4:], "little")
        if head[:4] != ITEM or stop > size:
            return
        if start not in known and bytes(peek(start, stop - start)).strip(b"\0"):
            yield start, stop
        at = stop


def _behind_planes(data: bytes, stated: Any) -> Iterator[Span]:
    """What follows the planes in the segments of a frame of RLE (PS3.5 G.3.1), unless it is padding."""
    samples, width = stated.samples_per_pixel, stated.bits_allocated // 8
    for start, stop in behind_planes(data, stated.rows * stated.columns, samples, width):
        if data[start:stop].strip(b"\0"):
            yield start, stop


def _is_codestream(head: bytes) -> bool:
    return head[:2] == b"\xff\xd8" or head[:4] == b"\xff\x4f\xff\x51" or head[4:8] in (b"jP  ", b"JXL ")


def _hidden(data: bytes) -> Iterator[Span]:
    """Where the comments of a codestream are, but those that only name an encoder, and what follows its end."""
    if data[4:8] in (b"jP  ", b"JXL "):
        yield from _boxed(data)
    elif data[:2] == b"\xff\xd8":
        yield from _of_jpeg(data)
    elif data[:4] == b"\xff\x4f\xff\x51":
        yield from _of_jpeg2000(data, 0, len(data))


def _of_jpeg(data: bytes) -> Iterator[Span]:
    """Of the segments in front of the scans and between them (T.81 B.1.1)."""
    at, scanned = 2, False
    while at + 2 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == END:
            yield from _tail(data, at + 2, len(data))
            return
        if marker == 0xFF or marker in BARE:  # a fill byte
            at += 1 if marker == 0xFF else 2
            continue
        start, stop = _segment(data, at)
        if scanned and data[stop : stop + 1] not in (b"", b"\xff"):
            stop = at + 2  # no segment, but samples of an encoder that leaves markers among them
        elif marker == COMMENT:
            if not ENCODERS.fullmatch(data[start:stop]):
                yield start, stop
        elif FIRST_APP <= marker <= LAST_APP:
            needed = NEEDED.get(marker)
            if needed is None or not data.startswith(needed, start, stop):
                yield start, stop
        at = stop
        if marker == SCAN or scanned:
            scanned = True
            found = MARKER.search(data, at)
            at = found.start() if found else len(data)


def _of_jpeg2000(data: bytes, begin: int, size: int) -> Iterator[Span]:
    """Of the main header, and of the headers of tile-parts (T.800 A.2)."""
    at, part_end = begin + 2, 0
    while at + 2 <= size and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == END:
            yield from _tail(data, at + 2, size)
            return
        if marker == DATA_2000:
            at = part_end or max(data.rfind(b"\xff\xd9", at, size), at + 2)
            continue
        start, stop = _segment(data, at)
        stop = min(stop, size)
        if marker == TILE_2000:
            length = int.from_bytes(data[start + 2 : start + 6], "big")
            part_end = at + length if length > stop - at else 0  # 0: the last one, up to the end (T.800 A.4.2)
        elif marker == COMMENT_2000 and not ENCODERS.fullmatch(data[start + 2 : stop]):
            yield min(start + 2, stop), stop
        at = stop


def _segment(data: bytes, at: int) -> Span:
    """Where the contents of the marker segment begin and end."""
    length = max(int.from_bytes(data[at + 2 : at + 4], "big"), 2)
    return min(at + 4, len(data)), min(at + 2 + length, len(data))


def _tail(data: bytes, start: int, stop: int) -> Iterator[Span]:
    """What follows the end of a codestream, unless it is padding."""
    if data[start:stop].strip(b"\0\xff "):
        yield start, stop


def _boxed(data: bytes) -> Iterator[Span]:
    """Of a file of JPEG 2000 or JPEG XL, which should not be in a frame: boxes that pixels do not need, and the
    comments of its codestream."""
    at = 0
    while at + 8 <= len(data):
        length, first = int.from_bytes(data[at : at + 4], "big"), at + 8
        kind = data[at + 4 : at + 8]
        if length == 1:
            length, first = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        stop = len(data) if length == 0 else min(at + length, len(data))
        if stop < first:
            break
        if kind == b"jp2c":
            yield from _of_jpeg2000(data, first, stop)
        elif kind not in BOXES:
            first = min(first + TYPED_BOXES.get(kind, 0), stop)
            if data[first:stop].strip(b"\0 "):
                yield first, stop
        at = stop
    yield from _tail(data, min(at, len(data)), len(data))


def _split(parts: Sequence[Any], spans: list[Span]) -> Iterator[Any]:
    """Parts of a value, with blanks in the spans of the stretches that stay."""
    for part in parts:
        if not isinstance(part, Stretch):
            yield part
            continue
        at, end = part.offset, part.offset + part.length
        for start, stop in spans:
            if at <= start and stop <= end:
                if start > at:
                    yield Stretch(at, start - at)
                yield BLANK * (stop - start)
                at = stop
        if at < end:
            yield Stretch(at, end - at)
