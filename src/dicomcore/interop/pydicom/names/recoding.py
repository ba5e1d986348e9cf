"""Pixel data recoded in place, and overlays: methods of pydicom's data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomcore.interop.pydicom.names.pixels.utils import refuse_options
from dicomcore.part10.reader import dcmread
from dicomcore.transcoding import transcode
from dicomcore.uids import UID, ExplicitVRLittleEndian, generate_uid

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["compress", "decompress", "overlay"]


def decompress(ds: Any, *, as_rgb: bool, generate_instance_uid: bool, **options: Any) -> None:
    """Replace encapsulated pixel data by native pixel data, colours as RGB.

    Raises NotImplementedError for an option that would give other pixels, AttributeError without pixel data or transfer
    syntax, ValueError for native pixel data.
    """
    refuse_options({"as_rgb": as_rgb, **options})
    if "PixelData" not in ds:
        raise AttributeError("Unable to decompress as the dataset has no (7FE0,0010) 'Pixel Data' element")
    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        raise ValueError("The dataset is already uncompressed")
    _take(ds, ExplicitVRLittleEndian)
    if ds.SamplesPerPixel == 3 and str(ds.PhotometricInterpretation).startswith("YBR"):
        ds.set_pixels(
            ds.frames.array(), photometric_interpretation="RGB", bits_stored=ds.BitsStored, new_instance=False
        )
    _new_instance(ds, generate_instance_uid)


def compress(
    ds: Any, syntax: str, arr: Any, *, encapsulate_ext: bool, generate_instance_uid: bool, **options: Any
) -> None:
    """Replace native pixel data by encapsulated pixel data; `arr` has the pixels to take in place of the data set's.

    Raises NotImplementedError for the options of pydicom's encoders, and for an Extended Offset Table; ValueError if
    the pixel data is encapsulated and there is no `arr`.
    """
    if encapsulate_ext:
        raise NotImplementedError("compress() writes no Extended Offset Table (docs/from-pydicom.md)")
    if options:
        raise NotImplementedError(
            f"compress() has no option {next(iter(options))!r}: dicomcore.transcode(ds, target, to=syntax, quality=…)"
            " has one for lossy transfer syntaxes (docs/from-pydicom.md)"
        )
    if arr is None and ds.file_meta.TransferSyntaxUID.is_encapsulated:
        raise ValueError("Only uncompressed datasets may be compressed")
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
        before = ds.get(element.tag)
        if before is None or (before.VR, before.value) != (element.VR, element.value):
            ds[element.tag] = element
    ds.file_meta.TransferSyntaxUID = syntax
    ds["PixelData"].is_undefined_length = syntax.is_encapsulated


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
    return found.array()
