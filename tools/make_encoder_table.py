"""Write docs/encoders.md, the capacity and error of each encoder: ``python tools/make_encoder_table.py``.

Every encoder is given every depth, sign, number of samples and shape that it claims, with flat images, ramps,
checkerboards and noise up to the ends of the values; the decoded samples are compared. Takes about a minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.data import get_testdata_file

import dicomcore as dc
from dicomcore.pixels import FrameDescription, FrameEncoder, decode_frame, encoders
from dicomcore.pixels.coding.quality import DISTANCE, JPEG, NEAR, PSNR, STEP
from dicomcore.pixels.colour import to_rgb
from dicomcore.pixels.unused_bits import settle_unused_bits
from dicomcore.transcoding.loss import Loss, coded_error, sample_error

TARGET = Path(__file__).resolve().parents[1] / "docs" / "encoders.md"
DEPTHS = ((8, (1, 2, 4, 6, 8)), (16, (1, 4, 8, 9, 10, 12, 14, 16)), (32, (8, 16, 22, 32)))
SHAPES = {"small": ((1, 1), (1, 7), (7, 1), (2, 2), (3, 5)), "larger": ((17, 23), (64, 64))}
QUALITIES = {"50": JPEG, "51": JPEG, "81": NEAR, "91": PSNR, "203": STEP, "112": DISTANCE}
HEAD = """# Encoders

The images that each encoder can hold, and the error of the decoded samples. `python tools/make_encoder_table.py` makes
the tables; don't edit them. Figures of lossy encoders change a little with their libraries. If an encoder can't hold an
image, `transcode` refuses it and names encoders that can.

`verify=True`, or `dicomcore transcode --verify`, compares each frame's error with its encoder's limit: 0 for lossless
encoders; NEAR for near-lossless JPEG-LS; the largest effect of quantisation for JPEG and HTJ2K; twice the error of the
signal-to-noise ratio for JPEG 2000; the measured error of noise for JPEG XL. `Transcoded.largest_error` and
`rms_error` are the measured errors, `largest_limit` and `rms_limit` the limits. For colour in JPEG, luminance is
compared, and chrominance with the neighbouring values, as half of its samples are left out; for colour in JPEG XL,
which is coded for the eye, the means of 8 × 8 pixels.

"""
CAPACITY = """## Capacity

| transfer syntax | library | bits stored | bits allocated | samples | signed | quality |
|---|---|---|---|---|---|---|
"""
LOSSLESS = """
## Without loss

The largest error of any sample, over all depths, signs, shapes and patterns that the encoder can hold: any other
figure than 0 is a fault.

| transfer syntax | images | largest error |
|---|---|---|
"""
LOSSY = """
## With loss

The largest error with the default quality, by bits stored of bits allocated, over flat images, ramps, checkerboards and
noise of all values: images that lossy encoders are not made for. Small frames have 1 to 15 pixels, larger ones
17 × 23 and 64 × 64. Colour in JPEG is measured as in verification, in JPEG XL by luminance. A dash: the encoder can't
hold it.

"""
DEFAULTS = """
## Default qualities

The defaults don't mean the same loss, as each library measures quality in its own way. The images are real: a CT of 12
bits, shifted to be unsigned, of 128 × 128 pixels; and a photograph in RGB.

| transfer syntax | quality | CT: bytes to one | largest error | rms | RGB: bytes to one | largest error | rms |
|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page's text."""
    lossless = "".join(f"| {name(one)} | {images} | {worst:g} |\n" for one, images, worst in map(kept, only(True)))
    lossy = "\n".join(lossy_table(one) for one in only(False))
    return HEAD + capacities() + LOSSLESS + lossless + LOSSY + lossy + DEFAULTS + "".join(map(default_row, only(False)))


def only(lossless: bool) -> list[FrameEncoder]:
    """The encoders without or with loss."""
    return [one for one in encoders() if one.lossless == lossless]


def name(encoder: FrameEncoder) -> str:
    """The transfer syntax's name."""
    return dc.UID(encoder.uid).name


def capacities() -> str:
    """The first table."""
    rows = []
    for one in encoders():
        held, quality = one.capacity, QUALITIES.get(one.uid.rpartition(".")[2])
        allocated, samples = (", ".join(map(str, several)) for several in (held.allocated, held.samples))
        if held.pixel_bytes is not None:
            samples += f"; a pixel of {held.pixel_bytes} bytes"
        meaning = f"{quality.meaning}, {quality.default:g} by default" if quality and not one.lossless else ""
        bits = f"{held.bits[0]} to {held.bits[1]}" if held.bits[0] < held.bits[1] else str(held.bits[0])
        signed = "yes" if held.signed else "no"
        rows.append(f"| {name(one)} | {one.name} | {bits} | {allocated} | {samples} | {signed} | {meaning} |\n")
    return CAPACITY + "".join(rows)


def described(shape: tuple[int, ...], allocated: int, stored: int, signed: int) -> FrameDescription:
    """A frame of that shape: grey, or RGB."""
    return FrameDescription(
        rows=shape[0],
        columns=shape[1],
        samples_per_pixel=(*shape, 1)[2],
        bits_allocated=allocated,
        bits_stored=stored,
        pixel_representation=signed,
        photometric_interpretation="RGB" if len(shape) == 3 else "MONOCHROME2",
    )


def patterns(desc: FrameDescription) -> Iterator[NDArray[Any]]:
    """Flat images, a ramp, a checkerboard and noise, up to the ends of the values."""
    low = -1 << desc.stored - 1 if desc.pixel_representation else 0
    high = low + (1 << desc.stored) - 1
    y, x = np.mgrid[: desc.rows, : desc.columns]
    rng = np.random.default_rng(desc.stored)
    ramp = low + (x + y) * (high - low) // max(1, desc.rows + desc.columns - 2)
    for plane in (np.full(x.shape, low), np.full(x.shape, high), ramp, np.where((x + y) % 2, low, high)):
        image = plane if len(desc.shape) == 2 else np.stack([plane, low + high - plane, plane], -1)
        yield np.ascontiguousarray(image.astype(desc.dtype))
    yield rng.integers(low, high, desc.shape, endpoint=True).astype(desc.dtype)
    yield rng.choice([low, high], desc.shape).astype(desc.dtype)


def loss(encoder: FrameEncoder, samples: NDArray[Any], desc: FrameDescription) -> tuple[Loss, int]:
    """The error of one encoded frame, and the bytes of its codestream."""
    coded = encoder.encode(samples, desc, None)
    told = replace(
        desc,
        transfer_syntax=encoder.uid,
        bits_stored=encoder.precision(desc) if encoder.precision else desc.stored,
        photometric_interpretation=encoder.colours.get(
            desc.photometric_interpretation, desc.photometric_interpretation
        ),
    )
    decoded = decode_frame(coded, told)
    space = encoder.error_limit(desc, None).space
    if space == "coded":
        return coded_error(decoded.samples, samples, desc), len(coded)
    settle_unused_bits(decoded.samples, told, decoded.info)
    found = to_rgb(decoded.samples, decoded.description, decoded.info)
    if space == "means":
        weights = np.array([0.299, 0.587, 0.114])
        return sample_error(found @ weights, samples @ weights), len(coded)
    return sample_error(found, samples), len(coded)


def worst(encoder: FrameEncoder, size: str, allocated: int, stored: int, signed: int, samples: int) -> float | None:
    """The largest error over the shapes of that size; None if the encoder can't hold such images."""
    largest = 0.0
    for shape in SHAPES[size]:
        desc = described((*shape, samples) if samples > 1 else shape, allocated, stored, signed)
        if encoder.capacity.lacks(desc) is not None:
            return None
        for image in patterns(desc):
            largest = max(largest, loss(encoder, image, desc)[0].largest)
    return largest


def kept(encoder: FrameEncoder) -> tuple[FrameEncoder, int, float]:
    """A lossless encoder, the number of its images, and the largest error."""
    images, largest = 0, 0.0
    for allocated, depths in DEPTHS:
        for stored in depths:
            for signed, samples, size in ((s, n, size) for s in (0, 1) for n in (1, 3) for size in SHAPES):
                error = worst(encoder, size, allocated, stored, signed, samples)
                images += 0 if error is None else 6 * len(SHAPES[size])
                largest = max(largest, error or 0)
    return encoder, images, largest


def lossy_table(encoder: FrameEncoder) -> str:
    """The table of a lossy encoder's errors by depth."""
    depths = [(allocated, stored) for allocated, several in DEPTHS[:2] for stored in several if stored > 1]
    lines = [
        f"**{name(encoder)}**\n\n",
        f"| images | {' | '.join(f'{stored} of {allocated}' for allocated, stored in depths)} |\n",
        f"|---|{'---|' * len(depths)}\n",
    ]
    for signed, samples, size in ((s, n, size) for s in (0, 1) for n in (1, 3) for size in SHAPES):
        cells = [worst(encoder, size, allocated, stored, signed, samples) for allocated, stored in depths]
        if any(cell is not None for cell in cells):
            told = f"{'signed' if signed else 'unsigned'}, {'grey' if samples == 1 else 'RGB'}, {size}"
            lines.append(f"| {told} | {' | '.join('–' if cell is None else f'{cell:.0f}' for cell in cells)} |\n")
    return "".join(lines)


def default_row(encoder: FrameEncoder) -> str:
    """The row of an encoder's sizes and errors for two real images, with its default quality."""
    ct = np.clip(dc.dcmread(get_testdata_file("CT_small.dcm")).pixel_array.astype(int) + 1024, 0, 4095).astype("u2")
    photograph = np.ascontiguousarray(dc.dcmread(get_testdata_file("examples_rgb_color.dcm")).pixel_array)
    quality = QUALITIES[encoder.uid.rpartition(".")[2]].default
    cells = [name(encoder), f"{quality:g}"]
    for image, stored in ((ct, 12), (photograph, 8)):
        desc = described(image.shape, 8 * image.itemsize, stored, 0)
        if encoder.capacity.lacks(desc) is not None:
            cells += ["–"] * 3
            continue
        error, size = loss(encoder, image, desc)
        cells += [f"{image.nbytes / size:.1f}", f"{error.largest:.0f}", f"{error.rms:.2f}"]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
