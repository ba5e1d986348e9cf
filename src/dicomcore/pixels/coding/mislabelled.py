"""Codestreams whose format contradicts the transfer syntax: writers label them wrongly, and their bytes are right."""

from __future__ import annotations

from dicomcore.errors import PixelDecodeError
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import SIGNATURE_BYTES, CodestreamInfo, format_by_signature, read_jpeg
from dicomcore.pixels.coding.registry import Codec, codec_for
from dicomcore.pixels.coding.uncompressed import is_deflated_frame, native_bits
from dicomcore.pixels.description import FrameDescription
from dicomcore.syntaxes import NATIVE, SYNTAXES
from dicomcore.uids import UID, EncapsulatedUncompressedExplicitVRLittleEndian

__all__ = ["codec_of_frame", "is_uncompressed", "syntax_of_frame"]

FORMAT_OF_SYNTAX = {syntax.uid: syntax.format for syntax in SYNTAXES if syntax.format and syntax.uid not in NATIVE}
SYNTAX_OF_FORMAT = {form: uid for uid, form in reversed(FORMAT_OF_SYNTAX.items())}
"""The first syntax of each format: its codec decodes all of them."""


def codec_of_frame(
    stated: str, data: memoryview, desc: FrameDescription | None = None
) -> tuple[Codec, CodestreamInfo | None, tuple[Note, ...]]:
    """The codec for a frame's codestream, the codestream's header, and notes.

    The codec is that of the `stated` transfer syntax, unless the codestream has another format. First bytes tell the
    format; where `data` is a whole frame of `desc`, it is also recognised as deflated if it inflates to exactly one
    frame. Raises the errors of `codec_for` and of the header's reader.
    """
    codec = codec_for(stated)
    labelled = FORMAT_OF_SYNTAX.get(codec.uid)
    coded, info = None, None
    if labelled is not None:
        coded, info = _format_of(data, desc if labelled != "deflated" else None)
    notes: tuple[Note, ...] = ()
    if coded is not None and coded != labelled:
        codec = codec_for(SYNTAX_OF_FORMAT[coded])
        notes = (_note(stated, coded),)
    if info is None and codec.read_header is not None:
        info = codec.read_header(data)
    return codec, info, notes


def is_uncompressed(desc: FrameDescription, length: int) -> bool:
    """Whether a frame of this length in fragments is labelled uncompressed and has the size of one."""
    size = (native_bits(desc) + 7) // 8
    return desc.transfer_syntax == EncapsulatedUncompressedExplicitVRLittleEndian and length in (size, size + size % 2)


def syntax_of_frame(desc: FrameDescription, data: memoryview) -> tuple[str, tuple[Note, ...]]:
    """The transfer syntax of the first frame's bytes, for fragments whose stated one has no fragments or is a video's.

    Raises PixelDecodeError where the format is unknown and the stated transfer syntax is native: native pixel data has
    no fragments (PS3.5 8.2, A.4), so the bytes are no samples.
    """
    stated = desc.transfer_syntax
    coded, _ = _format_of(data, desc)
    if coded is not None:
        return SYNTAX_OF_FORMAT[coded], (_note(stated, coded),)
    if stated in NATIVE and stated != EncapsulatedUncompressedExplicitVRLittleEndian:
        name = UID(stated).name
        raise PixelDecodeError(f"fragments under {name}, which has none, and frame 0 is of no known format", frame=0)
    return stated, ()


def _format_of(data: memoryview, desc: FrameDescription | None) -> tuple[str | None, CodestreamInfo | None]:
    recognised = format_by_signature(bytes(data[:SIGNATURE_BYTES]))
    if recognised is None and desc is not None and is_deflated_frame(data, desc):
        return "deflated", None
    if recognised != "JPEG":
        return recognised, None
    info = read_jpeg(data)
    return "JPEG-LS" if info.format == "JPEG-LS" else "JPEG lossless" if info.lossless else "JPEG", info


def _note(stated: str, coded: str) -> Note:
    return Note("pixel-transfer-syntax", f"transfer syntax is {UID(stated).name}, the codestream is {coded}")
