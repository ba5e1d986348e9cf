"""The colour of decoded samples, decided by a single rule, and the conversions that follow from it.

A codestream's own marks outrank the data set, in this order:

1. JPEG, JPEG-LS: component ids that spell R, G, B mean RGB.
2. JPEG, JPEG-LS: an Adobe marker segment means RGB (transform 0) or YBR (1); transform 0 does not count against a YBR
   Photometric Interpretation and components of fewer samples, as some encoders write it for "unknown".
3. JPEG, JPEG-LS: a JFIF marker segment means YBR. Without any marker segment, a second and a third component that both
   have fewer samples than the first mean YBR too.
4. JPEG 2000, HTJ2K: decoding undoes a component transform, so the samples are RGB. A second and a third component with
   fewer samples than the first mean YBR, whatever Photometric Interpretation is. JPEG XL's samples are RGB.
5. Without any of these, Photometric Interpretation decides: YBR_FULL, YBR_FULL_422 and the retired YBR_PARTIAL_422 and
   _420 are converted; so is YBR_ICT, as its equations are YBR_FULL's and no component transform was undone (PS3.5
   8.2.4). YBR_RCT is taken for RGB.

YBR becomes RGB by PS3.3 C.7.6.3.1.2; all other samples, and pixels without exactly three samples, stay as they are.
pydicom 3 does the same, except that it ignores Adobe's marker segment and components of fewer samples, and takes
YBR_ICT in JPEG 2000 for RGB.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dicomcore._native.pixels import colour as kernels
from dicomcore.arrays import as_bytes
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.description import FrameDescription

__all__ = ["coded_colour", "colour_notes", "rgb_to_ybr_full", "to_rgb"]

YBR = ("YBR_FULL", "YBR_FULL_422", "YBR_ICT")
PARTIAL = ("YBR_PARTIAL_422", "YBR_PARTIAL_420")
JPEG_2000 = ("JPEG 2000", "HTJ2K")
SUBSAMPLED = "chroma subsampling"
OF_JPEG_2000 = ("YBR_ICT", "YBR_RCT")


def coded_colour(desc: FrameDescription, info: CodestreamInfo | None = None) -> str | None:
    """The colour of decoded samples: "RGB", "YBR" or "YBR_PARTIAL"; None for any other."""
    if desc.samples_per_pixel != 3:
        return None
    stated = desc.photometric_interpretation
    if info is not None and info.colour is not None and not _outvoted(stated, info):
        halved = info.format == "JPEG" and info.marked_by == SUBSAMPLED
        return "YBR_PARTIAL" if halved and stated in PARTIAL else info.colour
    if info is not None and info.format in JPEG_2000 and stated == "YBR_RCT":
        return "RGB"
    return "YBR" if stated in YBR else "YBR_PARTIAL" if stated in PARTIAL else "RGB" if stated == "RGB" else None


def _outvoted(stated: str, info: CodestreamInfo) -> bool:
    """Whether an Adobe marker says RGB of components with halved chrominance that the data set calls YBR."""
    says_rgb = info.format == "JPEG" and (info.colour, info.marked_by) == ("RGB", "Adobe")
    return says_rgb and info.subsampled and stated in (*YBR, *PARTIAL)


def colour_notes(desc: FrameDescription, info: CodestreamInfo | None) -> tuple[Note, ...]:
    """Notes where the codestream and Photometric Interpretation disagree about colour."""
    if desc.samples_per_pixel != 3 or (info is not None and info.format == "JPEG XL"):
        return ()
    stated = desc.photometric_interpretation
    if info is None or info.colour is None:
        return _foreign_colour(stated, info)
    if _outvoted(stated, info):
        text = f"the Adobe marker says RGB, but Photometric Interpretation is {stated}, and chrominance is subsampled"
        return (Note("pixel-colour", f"{text}: samples are taken for YBR"),)
    if info.format in JPEG_2000:
        expected = "RGB" if stated in ("RGB", *OF_JPEG_2000) else "YBR"
    else:
        expected = "YBR" if stated.startswith("YBR") else "RGB"
    if info.colour == expected:
        return ()
    mark = f"{info.marked_by} marker" if info.marked_by in ("Adobe", "JFIF") else info.marked_by
    return (
        Note("pixel-colour", f"Photometric Interpretation is {stated}, the codestream is {info.colour} by its {mark}"),
    )


def _foreign_colour(stated: str, info: CodestreamInfo | None) -> tuple[Note, ...]:
    """Note a colour that only another format has; writers forget to change it when they decode codestreams."""
    if stated == "XYB":
        owner, taken = "JPEG XL", "left as they are"
    elif stated in OF_JPEG_2000 and (info is None or info.format not in JPEG_2000):
        owner, taken = "JPEG 2000", "taken for YBR_FULL" if stated in YBR else "left as they are"
    elif stated in OF_JPEG_2000:
        taken = "taken for YBR_FULL" if stated in YBR else "left as they are"
        text = f"Photometric Interpretation is {stated}, and the codestream has no component transform"
        return (Note("pixel-colour", f"{text}: samples are {taken}"),)
    else:
        return ()
    return (
        Note("pixel-colour", f"Photometric Interpretation is {stated}, which is {owner}'s alone: samples are {taken}"),
    )


def to_rgb(
    samples: NDArray[Any],
    desc: FrameDescription,
    info: CodestreamInfo | None = None,
    *,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Convert a frame's samples to RGB where they are YBR by the module's rule; else return them unchanged.

    `samples` is contiguous, (…, 3), with 8 bits each, or 16 of which `desc.stored` are used. `out` is an array of the
    same shape and dtype, and may be `samples` itself; without it a new array is made.
    """
    space = coded_colour(desc, info)
    if space in (None, "RGB") or samples.dtype.itemsize > 2:
        if out is None or out is samples:
            return samples
        np.copyto(out, samples)
        return out
    if out is None:
        out = np.empty_like(samples)
    if samples.dtype.itemsize == 2:
        kernels.ybr_full_to_rgb_deep(samples.reshape(-1).view("u2"), out.reshape(-1).view("u2"), max(desc.stored, 2))
    elif space == "YBR_PARTIAL":
        kernels.ybr_partial_to_rgb(as_bytes(samples), as_bytes(out))
    else:
        kernels.ybr_full_to_rgb(as_bytes(samples), as_bytes(out))
    return out


def rgb_to_ybr_full(samples: NDArray[Any], *, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Convert 8-bit RGB samples, (…, 3), to YBR_FULL."""
    if out is None:
        out = np.empty_like(samples)
    kernels.rgb_to_ybr_full(as_bytes(samples), as_bytes(out))
    return out
