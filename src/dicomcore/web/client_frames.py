"""Frames that came one by one, as arrays: described by the instance's metadata, decoded as those of a file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.uids import UID, ExplicitVRLittleEndian
from dicomcore.web.multipart import MediaType

if TYPE_CHECKING:
    from dicomcore.web.client_receivers import Whole

__all__ = ["FrameDecoder", "syntax_of"]

DESCRIBING = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
)
# The transfer syntax of a part that names none (PS3.18 8.7.3.3): a codestream's own header has the last word.
DEFAULTS = {
    "image/jpeg": "1.2.840.10008.1.2.4.70",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/x-dicom-rle": "1.2.840.10008.1.2.5",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/x-jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jpx": "1.2.840.10008.1.2.4.92",
    "image/jphc": "1.2.840.10008.1.2.4.201",
    "image/jxl": "1.2.840.10008.1.2.4.110",
}
ITEM, DELIMITER = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"


def syntax_of(read: MediaType) -> UID:
    """The transfer syntax of a part of this type. DicomError for a type that no frame has."""
    stated = read.parameters.get("transfer-syntax", "")
    if stated and stated != "*":
        return UID(stated)
    if read.essence in ("application/octet-stream", ""):
        return UID(ExplicitVRLittleEndian)
    if read.essence in DEFAULTS:
        return UID(DEFAULTS[read.essence])
    raise DicomError(f"a frame came as {read.essence!r}, which says no transfer syntax")


class FrameDecoder:
    """Decodes frames of one instance. DicomError if its metadata does not describe any."""

    def __init__(self, header: Any, limits: Limits) -> None:
        self._described = [header[keyword] for keyword in DESCRIBING if keyword in header]
        names = [name for name in ("FloatPixelData", "DoubleFloatPixelData") if name in header]
        self._keyword = names[0] if names else "PixelData"
        self._limits = limits

    def decoded(self, whole: Whole, number: int) -> NDArray[Any]:
        """The array of a frame, as `Dataset.frames` gives it. PixelDecodeError with its number, from 1."""
        syntax = syntax_of(whole.part.media_type)
        one = Dataset()
        for element in self._described:
            one.add(element)
        one.ensure_file_meta()
        assert one.file_meta is not None
        one.file_meta.TransferSyntaxUID = syntax
        value = whole.data if not syntax.is_compressed else _encapsulated(whole.data)
        one.add_new(self._keyword, "OB" if syntax.is_compressed else self._vr(), value)
        try:
            missing = one.frames.missing(0)
            if missing:
                raise PixelDecodeError(f"{missing} bytes of the frame did not come")
            return one.frames[0]
        except PixelDecodeError as error:
            error.frame = number
            raise

    def _vr(self) -> str:
        return {"PixelData": "OW", "FloatPixelData": "OF"}.get(self._keyword, "OD")


def _encapsulated(frame: bytes) -> bytes:
    """One frame as encapsulated pixel data (PS3.5 A.4), without an offset table."""
    padding = b"\0" if len(frame) & 1 else b""
    if len(frame) >= 0xFFFFFFFE:
        raise DicomError(f"a frame of {len(frame)} bytes fits no fragment")
    size = struct.pack("<I", len(frame) + len(padding))
    return b"".join((ITEM, b"\0\0\0\0", ITEM, size, frame, padding, DELIMITER))
