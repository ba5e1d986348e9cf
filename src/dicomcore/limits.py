"""Bounds on what one call may take from its input; given per call, never global."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_LIMITS", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one call accepts before it raises LimitError; no real file comes near the defaults.

    It also says how frames are decoded, since it goes wherever they are: `strict`, and in which process.
    """

    depth: int = 512
    """Levels of nesting: a sequence is one, each item in it another, so that 512 are 256 sequences in each other."""
    elements: int = 200_000_000
    """Rows of the index: elements, items and fragments."""
    inflated_bytes: int = 1 << 30
    """Size of a deflated data set once inflated."""
    inflated_ratio: int = 900
    """Inflated bytes for one deflated byte, heeded once 16 MiB are inflated; deflate can't pass 1032."""
    frame_pixels: int = 1 << 31
    """Rows × columns of one frame."""
    frames: int = 1 << 24
    """Frames of one data set."""
    strict: bool = False
    """Refuse what deviates from the standard, where otherwise it is read and kept in ``Dataset.issues``: the data set's
    structure when it is read, a frame when it is decoded."""
    isolate: bool = False
    """Decode frames in processes of their own, unless the codec is dicomcore's: what a hostile codestream does to a
    foreign library ends a worker, not this process, and is a PixelDecodeError. No sandbox: it contains accidents."""
    decode_seconds: float = 60.0
    """Time that an isolated codec may take for a frame."""
    decode_bytes: int = 4 << 30
    """Memory that an isolated codec may take, besides sixteen times the frame's own, where the system can see to it."""


DEFAULT_LIMITS = Limits()
