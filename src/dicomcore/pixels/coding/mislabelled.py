"""Codestreams of another format than the transfer syntax says: writers label them wrongly, and the bytes are right."""

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
    """The codec for a frame's codestream, its header, and what was noted.

    It is the one of the `stated` transfer syntax, unless that names one format and the codestream is of another: by its
    first bytes or, where `data` is a whole frame of `desc`, as it inflates to just that. Raises as `codec_for` and the
    header's reader do.
    """
    codec = codec_for(stated)
    labelled = FORMAT_OF_SYNTAX.get(codec.uid)
    found, info = None, None
    if labelled is not None:
        found, info = _format_of(data, desc if labelled != "deflated" else None)
    notes: tuple[Note, ...] = ()
    if found is not None and found != labelled:
        codec = codec_for(SYNTAX_OF_FORMAT[found])
        notes = (_note(stated, found),)
    if info is None and codec.read_header is not None:
        info = codec.read_header(data)
    return codec, info, notes


def is_uncompressed(desc: FrameDescription, length: int) -> bool:
    """Whether a frame in fragments of this length is said to be uncompressed and can be, whatever it begins with."""
    size = (native_bits(desc) + 7) // 8
    return desc.transfer_syntax == EncapsulatedUncompressedExplicitVRLittleEndian and length in (size, size + size % 2)


def syntax_of_frame(desc: FrameDescription, data: memoryview) -> tuple[str, tuple[Note, ...]]:
    """The syntax of fragments whose stated one has none, or is a video's, told from the first frame's bytes.

    Raises PixelDecodeError where they can't be told: native pixel data has no fragments (PS3.5 8.2, A.4), so that they
    are anything but samples.
    """
    stated = desc.transfer_syntax
    found, _ = _format_of(data, desc)
    if found is not None:
        return SYNTAX_OF_FORMAT[found], (_note(stated, found),)
    if stated in NATIVE and stated != EncapsulatedUncompressedExplicitVRLittleEndian:
        name = UID(stated).name
        raise PixelDecodeError(f"fragments under {name}, which has none, and frame 0 is of no known format", frame=0)
    return stated, ()


def _format_of(data: memoryview, desc: FrameDescription | None) -> tuple[str | None, CodestreamInfo | None]:
    found = format_by_signature(bytes(data[:SIGNATURE_BYTES]))
    if found is None and desc is not None and is_deflated_frame(data, desc):
        return "deflated", None
    if found != "JPEG":
        return found, None
    info = read_jpeg(data)
    return "JPEG-LS" if info.format == "JPEG-LS" else "JPEG lossless" if info.lossless else "JPEG", info


def _note(stated: str, found: str) -> Note:
    return Note("pixel-transfer-syntax", f"transfer syntax is {UID(stated).name}, the codestream is {found}")
