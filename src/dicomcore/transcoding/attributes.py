"""What a data set says of where its pixel data comes from, and what belongs to them (PS3.3 C.7.6.1.1.5, C.12.1)."""

from __future__ import annotations

from collections.abc import Sequence as Several
from contextlib import suppress
from typing import Any

import numpy as np

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.building import build
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.pixels.labels import note_loss, put
from dicomcore.syntaxes import syntax_of
from dicomcore.tags import Tag
from dicomcore.transcoding.damage import made_up
from dicomcore.uids import UID, new_uid

__all__ = ["derive", "note_old_loss", "plain_icons", "select_frames", "without_pixels"]

# Belongs to the pixel data as it was encoded.
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
    """A copy to be changed, without what belongs to the old encoding."""
    header = data_set.copy()
    for keyword in OF_ENCODING:
        if keyword in header:
            del header[keyword]
    return header


def plain_icons(header: Dataset) -> None:
    """Icons whose codestreams would be read as the new syntax's become uncompressed, which any syntax allows.

    One that can't be decoded, or not all of it, stays as it is.
    """
    made, changed = [], False
    for icon in items_of(header, "IconImageSequence"):
        item = icon
        with suppress(DicomError):
            frames = icon.frames
            if frames.is_encapsulated:
                decoded = frames.decoded(0)
                if frames.missing(0) or made_up(decoded):
                    raise PixelDecodeError("the icon is cut")
                samples = decoded.samples
                item, changed = icon.copy(), True
                data = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()
                item.add_new("PixelData", "OB" if samples.itemsize == 1 else "OW", data + b"\0" * (len(data) % 2))
        made.append(item)
    if changed:
        header.IconImageSequence = Sequence(made)


def derive(header: Dataset, description: str, *, lossy: bool, purpose: str) -> None:
    """Make `header` another instance, derived from the one it was: its UID, Image Type and reference (PS3.3 C.12.4.1).

    Where the source has no UIDs to refer to there is no reference.
    """
    before = header.get("SOPClassUID"), header.get("SOPInstanceUID")
    header.SOPInstanceUID = new_uid()
    kind = header.get("ImageType")
    # In enhanced objects each frame says the same, and what must be there hangs on it (PS3.3 C.8.13.1, C.8.16).
    if kind and not any(keyword in header for keyword in ENHANCED):
        values = [kind] if isinstance(kind, str) else list(kind)
        header.ImageType = ["DERIVED", *values[1:]] if len(values) > 1 else ["DERIVED", "PRIMARY"]
    told = str(header.get("DerivationDescription") or "").strip()
    header.DerivationDescription = (f"{told}; " * bool(told) + description)[:LONGEST_TEXT]
    if lossy:
        append(header, "DerivationCodeSequence", code("lossy"))
    if all(before):
        append(
            header,
            "SourceImageSequence",
            {
                "ReferencedSOPClassUID": before[0],
                "ReferencedSOPInstanceUID": before[1],
                "PurposeOfReferenceCodeSequence": [code(purpose)],
            },
        )


def code(name: str) -> dict[str, Any]:
    """A coded entry of PS3.16."""
    value, scheme, meaning = CODES[name]
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}


def append(header: Dataset, keyword: str, item: dict[str, Any]) -> None:
    """Add an item to a sequence, which may not be there yet."""
    held = header.get(keyword)
    setattr(header, keyword, Sequence([*(held if isinstance(held, list) else ()), build(item)]))


def note_old_loss(header: Dataset, syntax: UID, ratio: float) -> None:
    """Say of a source in a lossy syntax what it should have said itself; what it does say stays."""
    known = syntax_of(syntax).method or None
    put(header, "LossyImageCompression", "01")
    if header.get("LossyImageCompressionRatio") in (None, ""):
        note_loss(header, ratio, None if header.get("LossyImageCompressionMethod") else known)
    elif header.get("LossyImageCompressionMethod") in (None, "") and known:
        note_loss(header, None, known)


def select_frames(header: Dataset, indices: Several[int], of: int) -> None:
    """Keep what is said of the chosen frames: functional groups, and the vectors that frames are counted by."""
    groups = header.get(PER_FRAME)
    if isinstance(groups, list) and len(groups) == of:
        setattr(header, PER_FRAME, Sequence([groups[i] for i in indices]))
    pointers = header.get("FrameIncrementPointer")
    for tag in pointers if isinstance(pointers, list) else [pointers]:
        if tag is None or Tag(tag) not in header:
            continue
        element = header[Tag(tag)]
        if isinstance(element.value, list) and len(element.value) == of:
            header.add_new(element.tag, element.VR, [element.value[i] for i in indices])
    header.NumberOfFrames = len(indices)
