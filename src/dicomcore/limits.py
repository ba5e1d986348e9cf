"""Limits: bounds on what one call accepts from its input. They are an argument, never global."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what one call accepts before it raises LimitError. No real file comes near the defaults.

    The same object says how frames are decoded (`strict`, `isolate` and the bounds of isolated codecs), because it
    stays with a data set until its frames are decoded.
    """

    depth: int = 512
    """Levels of nesting. A sequence is one level and an item in it another: 512 allow 256 nested sequences."""
    elements: int = 200_000_000
    """Rows of the index: elements, items and fragments."""
    inflated_bytes: int = 1 << 30
    """Bytes of a deflated data set after inflation."""
    inflated_ratio: int = 900
    """Inflated bytes for one deflated byte, checked beyond 16 MiB of inflated data. Deflate cannot exceed 1032."""
    frame_pixels: int = 1 << 31
    """Rows × columns of one frame."""
    frames: int = 1 << 24
    """Frames of one data set."""
    pixels: int = 1 << 28
    """Rows × columns of one rendered picture. Graphics drawn over it take at most 64 times as many pixels in all."""
    strict: bool = False
    """Raise for deviations that would otherwise become issues: those of the data set's structure when it is read, those
    of a frame when it is decoded."""
    isolate: bool = False
    """Decode frames in worker processes, unless the codec is dicomcore's own. If a hostile codestream crashes another
    library, a worker ends and PixelDecodeError is raised. This contains accidents; it is not a sandbox."""
    decode_seconds: float = 60.0
    """Seconds that an isolated codec may take for one frame."""
    decode_bytes: int = 4 << 30
    """Bytes of memory that an isolated codec may take besides 16 times the frame's size, if the system enforces it."""


DEFAULT_LIMITS = Limits()
