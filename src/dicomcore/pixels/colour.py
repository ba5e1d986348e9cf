"""The one rule for the colour of decoded samples, and the conversions it asks for.

A codestream's own marks outrank the data set; among them, in this order:

1. JPEG, JPEG-LS: component ids that spell R, G, B say RGB.
2. JPEG, JPEG-LS: an Adobe marker says RGB (transform 0) or YBR (1).
3. JPEG, JPEG-LS: a JFIF marker says YBR. So do, without any marker, second and third components of which each has fewer
   samples than the first.
4. JPEG 2000, HTJ2K: a component transform is undone in decoding, so the samples are RGB; components of which the second
   and third have fewer samples than the first are YBR, whatever they are called. JPEG XL's samples are RGB.
5. With none of these, Photometric Interpretation: YBR_FULL, YBR_FULL_422 and the retired YBR_PARTIAL_422 and _420 are
   converted; so is YBR_ICT outside JPEG 2000, whose equations are YBR_FULL's. YBR_ICT and YBR_RCT in JPEG 2000 are RGB.

Whatever is YBR becomes RGB by PS3.3 C.7.6.3.1.2; all else is left alone. For three samples a pixel only. pydicom 3 does
the same but for Adobe's marker and for components of fewer samples, which it passes over.
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
    """Give "RGB", "YBR" or "YBR_PARTIAL" for samples as decoded; None for what has no such colour."""
    if desc.samples_per_pixel != 3:
        return None
    stated = desc.photometric_interpretation
    if info is not None and info.colour is not None:
        halved = info.format == "JPEG" and info.marked_by == SUBSAMPLED
        return "YBR_PARTIAL" if halved and stated in PARTIAL else info.colour
    if info is not None and info.format in JPEG_2000 and stated in OF_JPEG_2000:
        return "RGB"
    return "YBR" if stated in YBR else "YBR_PARTIAL" if stated in PARTIAL else "RGB" if stated == "RGB" else None


def colour_notes(desc: FrameDescription, info: CodestreamInfo | None) -> tuple[Note, ...]:
    """What the codestream and Photometric Interpretation disagree about."""
    if desc.samples_per_pixel != 3 or (info is not None and info.format == "JPEG XL"):
        return ()
    stated = desc.photometric_interpretation
    if info is None or info.colour is None:
        return _foreign_colour(stated, info)
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
    """A colour that only codestreams of another format have; writers leave it when they decode such."""
    if stated == "XYB":
        owner, taken = "JPEG XL", "left as they are"
    elif stated in OF_JPEG_2000 and (info is None or info.format not in JPEG_2000):
        owner, taken = "JPEG 2000", "taken for YBR_FULL" if stated in YBR else "left as they are"
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
    """Convert a frame's samples to RGB where the rule above says that they are YBR; else give them back as they are.

    `samples` is (…, 3), contiguous, of 8 bits, or of 16 with `desc.stored` of them used. `out` is an array of the same
    shape and dtype, which may be `samples` itself; without it a new array is made.
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
