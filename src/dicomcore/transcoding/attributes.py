"""Attributes for the origin of pixel data and for its frames (PS3.3 C.7.6.1.1.5, C.12.1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.building import build
from dicomcore.dataset.lookup import items_of
from dicomcore.encoding.syntax import encoding_of
from dicomcore.errors import DicomError, EncodeError, PixelDecodeError
from dicomcore.pixels.labels import describe_pixels, note_loss, put
from dicomcore.syntaxes import syntax_of
from dicomcore.transcoding.source import Prepared
from dicomcore.uids import UID, new_uid

__all__ = ["derive", "note_old_loss", "plain_icons", "without_pixels"]

# Attributes that describe the old encoding of the pixel data.
OF_ENCODING = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "EncapsulatedPixelDataValueTotalLength")
PER_FRAME = "PerFrameFunctionalGroupsSequence"
ENHANCED = (PER_FRAME, "SharedFunctionalGroupsSequence", "VolumetricProperties")
LONGEST_TEXT = 1024  # Derivation Description is ST
CODES = {
    "lossy": ("113040", "DCM", "Lossy Compression"),
    "uncompressed": ("121320", "DCM", "Uncompressed predecessor"),
    "source": ("121322", "DCM", "Source image for image processing operation"),
}


def without_pixels(data_set: Dataset) -> Dataset:
    """A copy of the data set without the attributes of the old encoding."""
    header = data_set.copy()
    for keyword in OF_ENCODING:
        if keyword in header:
            del header[keyword]
    return header


def plain_icons(header: Dataset, syntax: UID) -> None:
    """Uncompress encapsulated icons, whose codestreams would else be read in the new transfer syntax.

    Every syntax allows uncompressed icons. An icon that can't be decoded completely stays as it is, unless the transfer
    syntax has no place for fragments: then EncodeError is raised.
    """
    made, changed = [], False
    for number, icon in enumerate(items_of(header, "IconImageSequence")):
        item = icon
        try:
            item = _plain_icon(icon)
        except DicomError as error:
            if encoding_of(syntax).implicit:
                where = f"IconImageSequence[{number}]: the icon can't be decoded"
                raise EncodeError(f"{where}, and {syntax.name} has no place for its fragments: {error}") from error
        changed = changed or item is not icon
        made.append(item)
    if changed:
        header.IconImageSequence = Sequence(made)


def _plain_icon(icon: Dataset) -> Dataset:
    """The icon with uncompressed pixels; itself if it has these."""
    if "PixelData" not in icon:
        return icon
    frames = icon.frames
    if not frames.is_encapsulated:
        return icon
    if frames.missing(0):
        raise PixelDecodeError("the icon is cut short")
    prepared = Prepared(icon, frames, None, 0)
    samples = prepared.samples(0, 0)
    item = icon.copy()
    describe_pixels(item, prepared.description, None)
    data = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()
    item.add_new("PixelData", "OB" if samples.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
    return item


def derive(header: Dataset, description: str, *, lossy: bool, purpose: str) -> None:
    """Make `header` a new instance derived from its source: UID, Image Type, reference (PS3.3 C.12.4.1).

    The reference is left out if the source has no UIDs.
    """
    source_uids = header.get("SOPClassUID"), header.get("SOPInstanceUID")
    header.SOPInstanceUID = new_uid()
    kind = header.get("ImageType")
    # Enhanced objects repeat it for each frame, and the presence of attributes depends on it (PS3.3 C.8.13.1, C.8.16).
    if kind and not any(keyword in header for keyword in ENHANCED):
        values = [kind] if isinstance(kind, str) else list(kind)
        header.ImageType = ["DERIVED", *values[1:]] if len(values) > 1 else ["DERIVED", "PRIMARY"]
    description_before = str(header.get("DerivationDescription") or "").strip()
    header.DerivationDescription = (f"{description_before}; " * bool(description_before) + description)[:LONGEST_TEXT]
    if lossy:
        append(header, "DerivationCodeSequence", code("lossy"))
    if all(source_uids):
        append(
            header,
            "SourceImageSequence",
            {
                "ReferencedSOPClassUID": source_uids[0],
                "ReferencedSOPInstanceUID": source_uids[1],
                "PurposeOfReferenceCodeSequence": [code(purpose)],
            },
        )


def code(name: str) -> dict[str, Any]:
    """A coded entry of PS3.16."""
    value, scheme, meaning = CODES[name]
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def append(header: Dataset, keyword: str, item: dict[str, Any]) -> None:
    """Append an item to a sequence, which is created if missing."""
    items = header.get(keyword)
    setattr(header, keyword, Sequence([*(items if isinstance(items, list) else ()), build(item)]))


def note_old_loss(header: Dataset, syntax: UID, ratio: float) -> None:
    """Add the attributes of lossy compression that a source in a lossy syntax lacks; existing values stay."""
    known = syntax_of(syntax).method or None
    put(header, "LossyImageCompression", "01")
    if header.get("LossyImageCompressionRatio") in (None, ""):
        note_loss(header, ratio, None if header.get("LossyImageCompressionMethod") else known)
    elif header.get("LossyImageCompressionMethod") in (None, "") and known:
        note_loss(header, None, known)
