"""Media types (PS3.18 8.7): what Accept asks for, by RFC 9110 and by the spellings that clients really send."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from dicomcore import uids
from dicomcore.syntaxes import SYNTAXES, syntax_of

__all__ = [
    "ANY",
    "DICOM",
    "JSON",
    "OCTETS",
    "RENDERED",
    "UID_TEXT",
    "XML",
    "MediaRange",
    "default_syntax",
    "media_of",
    "parse_accept",
    "syntaxes_of",
]

DICOM, JSON, XML, OCTETS = (
    "application/dicom",
    "application/dicom+json",
    "application/dicom+xml",
    "application/octet-stream",
)
ANY = "*/*"
RENDERED = ("image/jpeg", "image/png", "image/gif", "image/jp2", "text/html", "text/plain", "application/pdf",
            "video/mp4", "video/mpeg")  # fmt: skip
MOST_RANGES = 64
MOST_TEXT = 8 << 10

BY_FORMAT = {
    "JPEG": "image/jpeg",
    "JPEG lossless": "image/jpeg",
    "RLE": "image/dicom-rle",
    "JPEG-LS": "image/jls",
    "JPEG XL": "image/jxl",
}
BY_VIDEO = {"mpeg2video": "video/mpeg2", "h264": "video/mp4", "hevc": "video/mp4"}
PART_2 = frozenset({uids.JPEG2000MCLossless, uids.JPEG2000MC})
THROUGHPUT = frozenset({uids.HTJ2KLossless, uids.HTJ2KLosslessRPCL, uids.HTJ2K})
DEFAULTS = {
    OCTETS: uids.ExplicitVRLittleEndian,
    "image/jpeg": uids.JPEGLosslessSV1,
    "image/dicom-rle": uids.RLELossless,
    "image/jls": uids.JPEGLSLossless,
    "image/jp2": uids.JPEG2000Lossless,
    "image/jpx": uids.JPEG2000MCLossless,
    "image/jphc": uids.HTJ2KLossless,
    "image/jxl": uids.JPEGXLLossless,
    "video/mpeg2": uids.MPEG2MPML,
    "video/mp4": uids.MPEG4HP41,
}
"""The transfer syntax of a media type that is asked for without one (PS3.18 Table 8.7.3-4 and later)."""
SPELLINGS = {
    "application/json": JSON,
    "application/json+dicom": JSON,
    "text/json": JSON,
    "application/xml": XML,
    "text/xml": XML,
    "application/xml+dicom": XML,
    "application/dicom-xml": XML,
    "application/dcm": DICOM,
    "application/octetstream": OCTETS,
    "application/octect-stream": OCTETS,
    "application/binary": OCTETS,
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-jpeg": "image/jpeg",
    "image/dicom+jpeg": "image/jpeg",
    "image/dicom+rle": "image/dicom-rle",
    "image/x-dicom-rle": "image/dicom-rle",
    "image/x-rle": "image/dicom-rle",
    "image/dicom+jp2": "image/jp2",
    "image/jpeg2000": "image/jp2",
    "image/j2k": "image/jp2",
    "image/x-jp2": "image/jp2",
    "image/dicom+jpx": "image/jpx",
    "image/x-jls": "image/jls",
    "image/dicom+jpeg-ls": "image/jls",
    "image/jpeg-ls": "image/jls",
    "image/htj2k": "image/jphc",
    "image/x-htj2k": "image/jphc",
    "image/jph": "image/jphc",
    "video/mpeg": "video/mpeg2",
    "multipart/mixed": "multipart/related",
    "multipart/form-data": "multipart/related",
    "multipart": "multipart/related",
    "*": ANY,
}
"""Media types as clients spell them, and what they mean. Another spelling is never a reason for 406."""
UID_TEXT = re.compile(r"[0-9][0-9.]{0,63}")
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~/ -]*")


class MediaRange(NamedTuple):
    """One thing that a client takes: a media type, and how."""

    media: str
    """As ``application/dicom`` or ``image/*``; ``*/*`` for anything."""
    transfer_syntax: str = ""
    """A UID, ``*`` for that of the stored instance, or empty for the default of the media type."""
    is_multipart: bool = False
    """Whether it comes as parts of ``multipart/related``."""
    quality: float = 1.0
    is_bare: bool = False
    """``multipart/related`` without a type: the server chooses."""

    def takes(self, media: str) -> bool:
        """Whether a media type is in the range."""
        if self.media == ANY or self.media == media:
            return True
        return self.media.endswith("/*") and media.startswith(self.media[:-1])


@lru_cache(maxsize=512)
def parse_accept(text: str) -> tuple[MediaRange, ...]:
    """What an Accept header asks for, the best first; ranges of quality 0 are left out.

    An empty text asks for anything. No text raises: what cannot be read is passed over, and if nothing can be read,
    anything is taken. ValueError only for a text of more than 8 KiB or 64 ranges.
    """
    if len(text) > MOST_TEXT:
        raise ValueError(f"an Accept of more than {MOST_TEXT} characters")
    pieces = _divided(text, ",")
    if len(pieces) > MOST_RANGES:
        raise ValueError(f"an Accept of more than {MOST_RANGES} media ranges")
    found: list[MediaRange] = []
    refused = False
    for piece in pieces:
        for one in _ranges(piece):
            refused = refused or one.quality <= 0
            if one.quality > 0 and one not in found:
                found.append(one)
    if not found and not refused:
        return (MediaRange(ANY),)
    found.sort(key=lambda one: (-one.quality, _breadth(one.media)))
    return tuple(found)


def _breadth(media: str) -> int:
    """How much a range takes: a type, any of a kind, anything (RFC 9110 12.5.1)."""
    return 2 if media == ANY else int(media.endswith("/*"))


def _divided(text: str, mark: str) -> list[str]:
    """The pieces of a text at a mark outside double quotes."""
    if '"' not in text:
        return [piece for piece in text.split(mark) if piece.strip()]
    pieces, start, quoted, at = [], 0, False, 0
    while at < len(text):
        one = text[at]
        if one == "\\" and quoted:
            at += 1
        elif one == '"':
            quoted = not quoted
        elif one == mark and not quoted:
            pieces.append(text[start:at])
            start = at + 1
        at += 1
    pieces.append(text[start:])
    return [piece for piece in pieces if piece.strip()]


def _plain(value: str) -> str:
    """A parameter's value without quotes, of either kind, and white space."""
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return value.strip().strip("\"'")


def _parameters(pieces: Iterable[str]) -> dict[str, str]:
    """Parameters by lower-case name; what stands inside another's value counts, too.

    A media type without ``type=`` before it is the type.
    """
    found: dict[str, str] = {}
    for piece in pieces:
        name, sign, value = piece.partition("=")
        name, value = name.strip().lower().strip("\"'"), _plain(value)
        if not sign:
            name, value = ("type", _plain(piece)) if "/" in piece else (name, "")
        if name == "type" and ";" in value:  # type="image/jpeg;transfer-syntax=…"
            value, *inner = value.split(";")
            for key, one in _parameters(inner).items():
                found.setdefault(key, one)
        found.setdefault(name.replace("_", "-"), value.strip())
    return found


def _ranges(piece: str) -> list[MediaRange]:
    """The ranges of one element of Accept: several if a parameter lists several transfer syntaxes or types."""
    head, *rest = _divided(piece, ";") or [""]
    media = _named(head)
    if media is None:
        return []
    parameters = _parameters(rest)
    quality = _quality(parameters.get("q", "1"))
    syntaxes = [_syntax(one) for one in re.split(r"[,\s]+", parameters.get("transfer-syntax", "")) if one] or [""]
    if media != "multipart/related":
        return [MediaRange(media, syntax, False, quality) for syntax in syntaxes]
    types = [_named(one) for one in re.split(r"[,\s]+", parameters.get("type", "")) if one]
    made = [MediaRange(one, syntax, True, quality) for one in types if one is not None for syntax in syntaxes]
    return made or [MediaRange(ANY, syntax, True, quality, True) for syntax in syntaxes]


def _named(text: str) -> str | None:
    """A media type in its usual spelling; None if it is none."""
    media = _plain(text).lower().replace(" ", "")
    media = SPELLINGS.get(media, media)
    kind, _, name = media.partition("/")
    return media if kind and name and TOKEN.fullmatch(media) else None


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0) if len(text) < 16 else 1.0
    except ValueError:
        return 1.0


def _syntax(text: str) -> str:
    """A transfer syntax: a UID, ``*``, or nothing for what is neither."""
    text = _plain(text)
    return text if text == "*" or UID_TEXT.fullmatch(text) else ""


def media_of(transfer_syntax: str) -> str:
    """The media type of the frames of a transfer syntax (PS3.18 Tables 8.7.3-2 to 8.7.3-5)."""
    row = syntax_of(transfer_syntax)
    if row.format == "JPEG 2000":
        return "image/jphc" if row.uid in THROUGHPUT else "image/jpx" if row.uid in PART_2 else "image/jp2"
    return BY_FORMAT.get(row.format) or BY_VIDEO.get(row.video, OCTETS)


def default_syntax(media: str) -> str:
    """The transfer syntax of a media type that is asked for without one; empty if it has none."""
    return str(DEFAULTS.get(media, ""))


def syntaxes_of(media: str) -> Sequence[str]:
    """The transfer syntaxes whose frames have a media type."""
    return [row.uid for row in SYNTAXES if media_of(row.uid) == media]
