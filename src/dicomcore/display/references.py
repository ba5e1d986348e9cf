"""Which images and frames a part of a presentation state applies to (PS3.3 C.11.11, Table 10-3)."""

from __future__ import annotations

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import integers_of, items_of, text_of

__all__ = ["Images", "applies", "images_of", "series_images"]

Images = dict[str, tuple[int, ...]]
"""Frame numbers, from 1, by SOP Instance UID of the image; empty for all frames."""


def images_of(item: Dataset) -> Images:
    """The images that an item references in its Referenced Image Sequence."""
    images: Images = {}
    for reference in items_of(item, "ReferencedImageSequence"):
        uid = text_of(reference, "ReferencedSOPInstanceUID") or ""
        numbers = integers_of(reference, "ReferencedFrameNumber")
        images[uid] = images[uid] + numbers if numbers and images.get(uid) else numbers
    return images


def series_images(place: Dataset) -> Images:
    """The images that a place references, series by series."""
    images: Images = {}
    for series in items_of(place, "ReferencedSeriesSequence"):
        images |= images_of(series)
    return images


def applies(images: Images, uid: str, frame: int) -> bool:
    """Whether a part applies to a frame (from 0) of an image; one that names no images applies to all."""
    return not images or (uid in images and (not images[uid] or frame + 1 in images[uid]))
