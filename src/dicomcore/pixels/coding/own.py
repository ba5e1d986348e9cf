"""The decoders of dicomcore's own codecs, RLE and JPEG lossless, for the registry."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from dicomcore import codecs
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import read_jpeg
from dicomcore.pixels.coding.registry import Format
from dicomcore.pixels.description import FrameDescription

__all__ = ["FORMATS", "decode_jpeg_lossless", "decode_rle"]


def decode_rle(
    data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None
) -> NDArray[Any] | tuple[NDArray[Any], tuple[Note, ...]]:
    """Decode RLE Lossless (PS3.5 Annex G)."""
    samples, beyond = codecs.rle_decode_noting(
        data,
        rows=desc.rows,
        columns=desc.columns,
        samples_per_pixel=desc.samples_per_pixel,
        bits_allocated=desc.bits_allocated,
        out=out,
    )
    decoded = samples.view(desc.dtype)
    if beyond is None:
        return decoded
    said = f"an RLE segment holds more than its {desc.rows} × {desc.columns} pixels, from byte {beyond} on: left out"
    return decoded, (Note("pixel-length", said),)


def decode_jpeg_lossless(data: memoryview, desc: FrameDescription, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode JPEG Lossless, process 14 (ITU-T T.81 Annex H)."""
    width = 1 if desc.stored <= 8 else 2
    if out is not None and out.dtype.itemsize == width:
        return codecs.jpeg_lossless_decode(data, out=out.view(f"u{width}"))
    return codecs.jpeg_lossless_decode(data)


FORMATS = {
    "RLE": Format(decode_rle, "dicomcore"),
    "JPEG lossless": Format(decode_jpeg_lossless, "dicomcore", read_jpeg),
}
