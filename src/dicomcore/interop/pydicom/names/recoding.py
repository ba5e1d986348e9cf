"""Pixel data recoded in place, and overlays: methods of pydicom's data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomcore.dictionary import keyword_for_tag
from dicomcore.errors import EncodeError
from dicomcore.interop.pydicom.names.dataset import FileMetaDataset
from dicomcore.interop.pydicom.names.pixels.utils import (
    forget_pixels,
    get_expected_length,
    pixel_array,
    refuse_options,
    renew,
)
from dicomcore.part10.reader import dcmread
from dicomcore.pixels.colour import coded_colour
from dicomcore.pixels.frame_writer import OffsetTable
from dicomcore.transcoding import transcode
from dicomcore.uids import JPEG2000, UID, ExplicitVRLittleEndian, JPEGLSNearLossless, generate_uid

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_NOISE, COARSE, FINE = 120.0, 8.0, 0.5
"""The signal-to-noise ratio in dB from which a lower one is sought, and the steps."""
UIDS = ("SOPClassUID", "SOPInstanceUID")

__all__ = ["compress", "decompress", "overlay"]


def decompress(ds: Any, *, as_rgb: bool, generate_instance_uid: bool, **options: Any) -> None:
    """Replace encapsulated pixel data by native pixel data; `as_rgb` converts colours to RGB.

    Raises NotImplementedError for an option that would give other pixels, AttributeError without pixel data or transfer
    syntax, ValueError for native pixel data.
    """
    refuse_options(options)
    if "PixelData" not in ds:
        raise AttributeError("Unable to decompress as the dataset has no (7FE0,0010) 'Pixel Data' element")
    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        raise ValueError("The dataset is already uncompressed")
    if not as_rgb and _is_ybr(ds.frames):
        ds.set_pixels(
            pixel_array(ds, as_rgb=False),
            photometric_interpretation="YBR_FULL",
            bits_stored=ds.BitsStored,
            new_instance=False,
        )
        return _mark(ds, generate_instance_uid)
    _take(ds, ExplicitVRLittleEndian)
    if ds.SamplesPerPixel == 3 and str(ds.PhotometricInterpretation).startswith("YBR"):
        ds.set_pixels(
            ds.frames.array(), photometric_interpretation="RGB", bits_stored=ds.BitsStored, new_instance=False
        )
    _mark(ds, generate_instance_uid)


def _is_ybr(frames: Any) -> bool:
    decoded = frames.decoded(0)
    return coded_colour(decoded.description, decoded.info) == "YBR"


def compress(
    ds: Any,
    syntax: str,
    arr: Any,
    *,
    encapsulate_ext: bool,
    generate_instance_uid: bool,
    jls_error: int | None = None,
    j2k_cr: list[float] | None = None,
    j2k_psnr: list[float] | None = None,
    **options: Any,
) -> None:
    """Replace native pixel data by encapsulated pixel data; `arr` has the pixels to take in place of the data set's.

    Raises NotImplementedError for other options of pydicom's encoders; ValueError if the pixel data is encapsulated and
    there is no `arr`.
    """
    if options:
        raise NotImplementedError(
            f"compress() has no option {next(iter(options))!r}: dicomcore.transcode(ds, target, to=syntax, quality=…)"
            " has one for lossy transfer syntaxes (docs/from-pydicom.md)"
        )
    if arr is None and ds.file_meta.TransferSyntaxUID.is_encapsulated:
        raise ValueError("Only uncompressed datasets may be compressed")
    target = UID(syntax)
    if arr is not None:
        ds.set_pixels(
            arr,
            photometric_interpretation=ds.PhotometricInterpretation,
            bits_stored=ds.BitsStored,
            new_instance=False,
        )
    _take(ds, target, quality=_quality(ds, target, jls_error, j2k_cr, j2k_psnr), extended=encapsulate_ext)
    _mark(ds, generate_instance_uid)


def _quality(
    ds: Any, syntax: UID, error: int | None, ratios: list[float] | None, noise: list[float] | None
) -> float | None:
    """The quality that pydicom's options for lossy transfer syntaxes mean; None where they say nothing."""
    if syntax == JPEGLSNearLossless:
        return error
    if syntax != JPEG2000:
        return None
    if ratios and noise:
        raise ValueError("j2k_cr and j2k_psnr exclude each other")
    if ratios:
        return _noise_of_ratio(ds, ratios[-1])
    return noise[-1] if noise else None


def _noise_of_ratio(ds: Any, ratio: float) -> float:
    """The highest signal-to-noise ratio at which JPEG 2000 reaches a compression ratio, relative to Bits Stored.

    Raises EncodeError where none does. The search goes down from the highest, as encoding with too low a
    signal-to-noise ratio fails and gives longer codestreams.
    """
    most = get_expected_length(ds, unit="pixels") * ds.BitsStored / 8 / ratio

    def size(noise: float) -> int:
        return len(_transcoded(ds, JPEG2000, quality=noise).PixelData)

    last, high, low = size(MOST_NOISE), MOST_NOISE, MOST_NOISE
    while last > most:
        high, low = low, low - COARSE
        before, last = last, size(low) if low > 0 else last + 1
        if last > before:
            raise EncodeError(f"JPEG 2000 does not compress these pixels by {ratio:g}: set j2k_psnr")
    while high - low > FINE:
        middle = (low + high) / 2
        low, high = (middle, high) if size(middle) <= most else (low, middle)
    return low


def _transcoded(ds: Any, syntax: UID, *, quality: float | None = None, extended: bool = False) -> Any:
    """The data set in another transfer syntax; it need not have the UIDs that every file has."""
    absent = [keyword for keyword in UIDS if not ds.get(keyword)]
    complete = ds.copy()
    complete.update(dict.fromkeys(absent, generate_uid()))
    out = bytearray()
    table: OffsetTable | None = "extended" if extended else None
    transcode(complete, out, to=syntax, quality=quality, new_instance=False, offset_table=table)
    made = dcmread(bytes(out))
    for keyword in absent:
        del made[keyword]
    return made


def _take(ds: Any, syntax: UID, *, quality: float | None = None, extended: bool = False) -> None:
    """Transcode in memory, and take over what changed."""
    made = _transcoded(ds, syntax, quality=quality, extended=extended)
    for tag in ds.keys():  # noqa: SIM118
        if tag not in made and keyword_for_tag(tag) not in UIDS:
            del ds[tag]
    for element in made:
        before = ds.get(element.tag)
        if before is None or (before.VR, before.value) != (element.VR, element.value):
            ds[element.tag] = element
    if not hasattr(ds, "file_meta"):
        ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds["PixelData"].is_undefined_length = syntax.is_encapsulated


def _mark(ds: Any, new_instance: bool) -> None:
    forget_pixels(ds)
    if new_instance:
        renew(ds)


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
