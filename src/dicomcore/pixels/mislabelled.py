"""Codestreams of another format than the transfer syntax says: writers label them wrongly, and the bytes are right."""

from __future__ import annotations

from dicomcore.pixels.headers import CodestreamInfo, read_jpeg
from dicomcore.pixels.note import Note
from dicomcore.pixels.registry import Codec, codec_for
from dicomcore.uids import UID

__all__ = ["codec_of_frame", "syntax_of_fragment"]

SYNTAX_OF_FORMAT = {
    "JPEG": "1.2.840.10008.1.2.4.50",
    "JPEG lossless": "1.2.840.10008.1.2.4.57",
    "JPEG-LS": "1.2.840.10008.1.2.4.80",
    "JPEG 2000": "1.2.840.10008.1.2.4.90",
    "JPEG XL": "1.2.840.10008.1.2.4.110",
}
"""One syntax of each format: its codec decodes all of them."""

FORMAT_OF_SYNTAX = {"1.2.840.10008.1.2.5": "RLE"} | {
    f"1.2.840.10008.1.2.4.{end}": kind
    for kind, ends in {
        "JPEG": (50, 51, 53, 55),
        "JPEG lossless": (57, 70),
        "JPEG-LS": (80, 81),
        "JPEG 2000": (90, 91, 92, 93, 201, 202, 203),
        "JPEG XL": (110, 111, 112),
    }.items()
    for end in ends
}
SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL ": "JPEG XL",
}


def codec_of_frame(stated: str, data: memoryview) -> tuple[Codec, CodestreamInfo | None, tuple[Note, ...]]:
    """The codec for a frame's codestream, its header, and what was noted.

    It is the one of the `stated` transfer syntax, unless that names one format and the codestream begins as one of
    another does. Raises as `codec_for` and the header's reader do.
    """
    codec = codec_for(stated)
    labelled = FORMAT_OF_SYNTAX.get(codec.uid)
    found, info = _format_of(data) if labelled is not None else (None, None)
    notes: tuple[Note, ...] = ()
    if found is not None and found != labelled:
        codec = codec_for(SYNTAX_OF_FORMAT[found])
        notes = (_note(stated, found),)
    if info is None and codec.read_header is not None:
        info = codec.read_header(data)
    return codec, info, notes


def syntax_of_fragment(stated: str, data: memoryview) -> tuple[str, tuple[Note, ...]]:
    """The syntax of encapsulated pixel data whose `stated` one has no fragments, told from the first of them."""
    found, _ = _format_of(data)
    return (stated, ()) if found is None else (SYNTAX_OF_FORMAT[found], (_note(stated, found),))


def _format_of(data: memoryview) -> tuple[str | None, CodestreamInfo | None]:
    head = bytes(data[:12])
    found = next((kind for signature, kind in SIGNATURES.items() if head.startswith(signature)), None)
    if found != "JPEG":
        return found, None
    info = read_jpeg(data)
    return "JPEG-LS" if info.format == "JPEG-LS" else "JPEG lossless" if info.lossless else "JPEG", info


def _note(stated: str, found: str) -> Note:
    return Note("pixel-transfer-syntax", f"transfer syntax is {UID(stated).name}, the codestream is {found}")
