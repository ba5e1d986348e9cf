"""Notes on missing and invalid attributes that describe frames, and how they are interpreted (PS3.3 C.7.6.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dicomcore.dataset.lookup import interpretation_of, number_of
from dicomcore.notes import Note
from dicomcore.pixels.colour import coded_colour, colour_notes
from dicomcore.pixels.description import FrameDescription, samples_of

__all__ = ["stated_notes"]

FLAGS = {  # attribute: (keyword, note's code, how any value but 0 and 1 is interpreted)
    "Pixel Representation": ("PixelRepresentation", "pixel-sign", "samples are taken for unsigned"),
    "Planar Configuration": ("PlanarConfiguration", "pixel-colour", "samples are taken by pixel"),
}


def stated_notes(header: Any, stated: FrameDescription, *, coded: bool) -> Iterator[Note]:
    """Notes on the attributes of `header`, from which `stated` was read; `coded`: frames are codestreams."""
    frames = number_of(header, "NumberOfFrames", 1)
    if frames < 1:
        yield Note("frames", f"Number of Frames is {frames:g}: taken for 1")
    if not stated.floating:
        yield from _sample_notes(header, stated)
    yield from _colour_notes(header, stated, coded)


def _sample_notes(header: Any, stated: FrameDescription) -> Iterator[Note]:
    high, stored, allocated = stated.high_bit, stated.stored, stated.bits_allocated
    if high not in (None, stored - 1):
        if stated.low_bit:
            taken = f"samples begin at bit {stated.low_bit} of their words"
        else:
            taken = f"samples of {stored} bits are taken from the lowest of {allocated}"
        yield Note("pixel-high-bit", f"High Bit is {high} and Bits Stored {stored}: {taken}")
    for name, (keyword, code, taken) in FLAGS.items():
        value = number_of(header, keyword, 0)
        if value not in (0, 1):
            yield Note(code, f"{name} is {value:g}: {taken}")


def _colour_notes(header: Any, stated: FrameDescription, coded: bool) -> Iterator[Note]:
    interpretation, samples = stated.photometric_interpretation, stated.samples_per_pixel
    due = samples_of(interpretation)
    if not interpretation_of(header):
        yield Note("pixel-colour", f"Photometric Interpretation is missing: taken for {interpretation}")
    elif due is None and samples == 3:
        yield Note("pixel-colour", f"Photometric Interpretation is {interpretation}, no defined term: taken for RGB")
    elif due not in (None, samples):
        yield Note("pixel-samples", f"Photometric Interpretation is {interpretation}, and Samples per Pixel {samples}")
    elif stated.bits_allocated > 16 and coded_colour(stated) not in (None, "RGB"):
        yield Note("pixel-colour", f"{interpretation} of {stated.bits_allocated} bits allocated is left as it is")
    elif not coded:  # else noted when a frame is decoded, as its codestream may state the colour
        yield from colour_notes(stated, None)
