"""Pixel data recoded in place, and overlays: methods of pydicom's data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomcore.part10.reader import dcmread
from dicomcore.transcoding import transcode
from dicomcore.uids import UID, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["compress", "decompress", "overlay"]


def decompress(ds: Any, *, as_rgb: bool, generate_instance_uid: bool) -> None:
    """Replace encapsulated pixel data by native pixel data; nothing happens to native pixel data."""
    syntax = ds.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        return
    _take(ds, ExplicitVRLittleEndian)
    _new_instance(ds, generate_instance_uid)


def compress(
    ds: Any, syntax: str, arr: Any, *, encapsulate_ext: bool, generate_instance_uid: bool, **options: Any
) -> None:
    """Replace native pixel data by encapsulated pixel data; `arr` has the pixels to take in place of the data set's."""
    if arr is not None:
        ds.set_pixels(arr, photometric_interpretation=ds.PhotometricInterpretation, bits_stored=ds.BitsStored)
    _take(ds, UID(syntax))
    _new_instance(ds, generate_instance_uid)


def _take(ds: Any, syntax: UID) -> None:
    """Transcode in memory, and take over what changed."""
    out = bytearray()
    transcode(ds, out, to=syntax)
    made = dcmread(bytes(out))
    for tag in ds.keys():  # noqa: SIM118
        if tag not in made:
            del ds[tag]
    for element in made:
        if element.tag not in ds or ds[element.tag].value != element.value:
            ds[element.tag] = element
    ds.file_meta.TransferSyntaxUID = syntax


def _new_instance(ds: Any, wanted: bool) -> None:
    if wanted:
        ds.SOPInstanceUID = generate_uid()
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID


def overlay(ds: Any, group: int) -> NDArray[Any]:
    """The overlay of a group as an array of 0 and 1."""
    if not 0x6000 <= group <= 0x60FF:
        raise ValueError(
            "The group part of the 'Overlay Data' element tag must be between 0x6000 and 0x60FF (inclusive)"
        )
    found = next((one for one in ds.frames.overlays if one.group == group), None)
    if found is None:
        raise AttributeError(f"The dataset has no overlay in group {group:04X}")
    return found.array
