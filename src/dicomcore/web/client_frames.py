"""Frames that came one by one, as arrays and as pixel data: described by the instance's metadata."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from dicomcore import uids
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.state import Later, later_element, later_of, put
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.uids import UID, ExplicitVRLittleEndian
from dicomcore.web.multipart import MediaType

if TYPE_CHECKING:
    from dicomcore.web.client_receivers import Whole

__all__ = ["FrameDecoder", "put_pixels", "syntax_of"]

DESCRIBING = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
)
# The transfer syntax of a part that names none (PS3.18 8.7.3.3): a codestream's own header has the last word.
DEFAULTS = {
    "image/jpeg": uids.JPEGLosslessSV1,
    "image/dicom-rle": uids.RLELossless,
    "image/x-dicom-rle": uids.RLELossless,
    "image/jls": uids.JPEGLSLossless,
    "image/x-jls": uids.JPEGLSLossless,
    "image/jp2": uids.JPEG2000Lossless,
    "image/jpx": uids.JPEG2000MCLossless,
    "image/jphc": uids.HTJ2KLossless,
    "image/jxl": uids.JPEGXLLossless,
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
        value = _encapsulated([whole.data]) if syntax.is_compressed else whole.data
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


def _encapsulated(frames: list[bytes]) -> bytes:
    """Frames as encapsulated pixel data (PS3.5 A.4), a fragment each, without an offset table."""
    pieces = [ITEM, b"\0\0\0\0"]
    for frame in frames:
        padding = b"\0" if len(frame) & 1 else b""
        if len(frame) >= 0xFFFFFFFE:
            raise DicomError(f"a frame of {len(frame)} bytes fits no fragment")
        pieces += [ITEM, struct.pack("<I", len(frame) + len(padding)), frame, padding]
    return b"".join([*pieces, DELIMITER])


class _Pixels:
    """Pixel data that are on a server, which says their transfer syntax when it sends them."""

    def __init__(self, fetch: Callable[[], list[Whole]]) -> None:
        self._fetch: Callable[[], list[Whole]] | None = fetch
        self._lock = threading.Lock()
        self._syntax = UID(ExplicitVRLittleEndian)
        self._value = b""

    def _ask(self) -> None:
        with self._lock:
            if self._fetch is None:
                return
            parts = self._fetch()
            syntaxes = {syntax_of(part.part.media_type) for part in parts}
            if len(syntaxes) > 1:
                raise DicomError(f"the pixel data came in several transfer syntaxes: {', '.join(sorted(syntaxes))}")
            self._syntax = syntaxes.pop() if syntaxes else self._syntax
            data = [part.data for part in parts]
            self._value = _encapsulated(data) if self._syntax.is_compressed else b"".join(data)
            self._fetch = None

    def syntax(self) -> UID:
        """The transfer syntax."""
        self._ask()
        return self._syntax

    def value(self) -> bytes:
        """The value, which is then the caller's alone."""
        self._ask()
        value, self._value = self._value, b""
        return value


def put_pixels(ds: Dataset, fetch: Callable[[str], list[Whole]]) -> None:
    """Let pixel data that stay on the server come with their transfer syntax: whichever is asked for first."""
    later = later_of(ds["PixelData"]) if "PixelData" in ds else None
    ds.ensure_file_meta()
    meta = ds.file_meta
    assert meta is not None
    if later is None:
        meta.setdefault("TransferSyntaxUID", DataElement("TransferSyntaxUID", "UI", ExplicitVRLittleEndian))
        return
    uri = later.uri
    pixels = _Pixels(lambda: fetch(uri))
    put(ds, later_element(0x7FE00010, "OB or OW", Later(uri, pixels.value)))
    put(meta, later_element(0x00020010, "UI", Later(uri, pixels.syntax)))
