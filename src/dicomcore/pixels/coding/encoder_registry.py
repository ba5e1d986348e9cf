"""Which encoder writes which transfer syntax, and what it holds; third parties add theirs with `register_encoder`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, NamedTuple

from numpy.typing import NDArray

from dicomcore.errors import EncodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels.coding.quality import ErrorLimit, coarse_limit
from dicomcore.pixels.coding.registry import Requirement
from dicomcore.pixels.description import FrameDescription
from dicomcore.uids import UID, syntax_named

__all__ = ["Capacity", "Encode", "FrameEncoder", "Writer", "encoder_for", "encoders", "holders", "register_encoder"]

Encode = Callable[["NDArray[Any]", FrameDescription, "float | None"], "bytes | bytearray | memoryview"]
"""``encode(samples, description, quality)``: one frame's codestream.

`samples` is (rows, columns) or (rows, columns, samples), contiguous, in native byte order, each word the value of its
sample; `description` says what they are; `quality` is the caller's, None where there was none. Called on many threads.
"""

Limit = Callable[[FrameDescription, "float | None"], ErrorLimit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What frames a transfer syntax, as one library writes it, can hold."""

    bits: tuple[int, int] = (1, 64)
    """Fewest and most Bits Stored."""
    pixel_bytes: int | None = None
    """Most bytes of a pixel, all its samples together, where that is limited."""
    allocated: tuple[int, ...] = (8, 16, 32, 64)
    samples: tuple[int, ...] = (1, 3, 4)
    signed: bool = True
    palette: bool = True
    ybr: bool = True
    """Takes YBR samples as they are; a lossy syntax that doesn't is given RGB."""
    colours: tuple[str, ...] | None = None
    """Photometric Interpretations of three samples that it takes; None for all."""

    def lacks(self, desc: FrameDescription) -> str | None:
        """Why frames so described can't be held; None where they can."""
        low, high = self.bits
        if desc.floating:
            return "no floating point"
        if desc.bits_allocated not in self.allocated:
            return f"no {desc.bits_allocated} bits allocated"
        if not low <= desc.stored <= high:
            return f"{low} to {high} bits stored, not {desc.stored}"
        if desc.samples_per_pixel not in self.samples:
            return f"{' or '.join(map(str, self.samples))} samples a pixel, not {desc.samples_per_pixel}"
        if self.pixel_bytes is not None and desc.samples_per_pixel * desc.dtype.itemsize > self.pixel_bytes:
            return f"pixels of up to {self.pixel_bytes} bytes, not {desc.samples_per_pixel * desc.dtype.itemsize}"
        if desc.pixel_representation and not self.signed:
            return "no signed samples"
        if desc.photometric_interpretation == "PALETTE COLOR" and not self.palette:
            return "no indices of a palette, which mean nothing once they are changed"
        if desc.photometric_interpretation.startswith("YBR") and not self.ybr:
            return f"no {desc.photometric_interpretation} samples"
        if desc.samples_per_pixel == 3 and self.colours and desc.photometric_interpretation not in self.colours:
            return f"colour as {' or '.join(self.colours)}, not as {desc.photometric_interpretation}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameEncoder:
    """One transfer syntax, and what encodes it."""

    uid: str
    name: str
    """The library, for tables and messages."""
    encode: Encode
    capacity: Capacity
    method: str | None = None
    """Lossy Image Compression Method's term (PS3.3 C.7.6.1.1.5.1); None for what is lossless."""
    colours: Mapping[str, str] = field(default_factory=dict)
    """Photometric Interpretation of what is encoded, by that of the samples; those not listed stay."""
    precision: Callable[[FrameDescription], int] | None = None
    """Bits Stored of what is encoded, where that isn't the samples'."""
    requires: Requirement | None = None
    limit: Limit | None = None
    """How far a lossy encoder's frames may be from the source, which `transcode(..., verify=True)` holds them to."""

    @property
    def available(self) -> bool:
        """Whether what it needs is installed."""
        return self.requires is None or find_spec(self.requires.module) is not None

    @property
    def lossless(self) -> bool:
        """Whether samples come back as they were."""
        return self.method is None

    def error_limit(self, desc: FrameDescription, quality: float | None) -> ErrorLimit:
        """How far a frame so described may be from the source: not at all where this is lossless."""
        if self.lossless:
            return ErrorLimit(largest=0)
        return (self.limit or coarse_limit)(desc, quality)


class Writer(NamedTuple):
    """What encodes frames for every transfer syntax that names it (`dicomcore.syntaxes.Syntax.encoder`): the arguments
    of `register_encoder` that are the same for all of these."""

    encode: Encode
    name: str
    capacity: Capacity
    colours: Mapping[str, str] | None = None
    precision: Callable[[FrameDescription], int] | None = None
    requires: Requirement | None = None
    limit: Limit | None = None


# Written by `register_encoder` alone, one key at a time; a dict's own lock is enough for that.
_ENCODERS: dict[str, FrameEncoder] = {}


def register_encoder(
    uid: str,
    encode: Encode,
    *,
    name: str,
    capacity: Capacity | None = None,
    method: str | None = None,
    colours: Mapping[str, str] | None = None,
    precision: Callable[[FrameDescription], int] | None = None,
    requires: Requirement | str | None = None,
    limit: Limit | None = None,
) -> FrameEncoder | None:
    """Let `encode` write the transfer syntax `uid` from now on; give back the encoder that did so before, if any.

    Parameters
    ----------
    uid : str
        The transfer syntax.
    encode : Encode
        A frame's samples, their description and the caller's quality to a codestream.
    name : str
        The library, for tables and messages.
    capacity : Capacity, optional
        What it can hold; by default all but floating point and single bits.
    method : str, optional
        The term of Lossy Image Compression Method, which makes it a lossy encoder.
    colours : mapping, optional
        Photometric Interpretation of what is encoded, by that of the samples.
    precision : callable, optional
        Bits Stored of what is encoded, from the description, where that isn't the samples'.
    requires : str, optional
        A module without which it can't run.
    limit : callable, optional
        Of a lossy one: the `ErrorLimit` that `verify` holds its frames to, from the description and the quality. By
        default a root mean square error of a quarter of the range.
    """
    if isinstance(requires, str):
        requires = Requirement(requires, f"pip install {requires}")
    uid = str(syntax_named(uid))
    before = _ENCODERS.get(uid)
    _ENCODERS[uid] = FrameEncoder(
        uid=uid,
        name=name,
        encode=encode,
        capacity=capacity or Capacity(),
        method=method,
        colours=dict(colours or {}),
        precision=precision,
        requires=requires,
        limit=limit,
    )
    return before


def encoders() -> tuple[FrameEncoder, ...]:
    """Every encoder known, in the order of their UIDs."""
    return tuple(sorted(_ENCODERS.values(), key=lambda one: [int(part) for part in one.uid.split(".")]))


def encoder_for(uid: str) -> FrameEncoder:
    """The encoder of a transfer syntax: a UID, a keyword or a short name (`dicomcore.uids.NAMES`).

    Raises UnsupportedTransferSyntaxError where there is none, or where what it needs isn't installed.
    """
    wanted = syntax_named(uid)
    found = _ENCODERS.get(wanted)
    if found is None:
        raise UnsupportedTransferSyntaxError(
            f"no encoder for transfer syntax {wanted.name}; dicomcore.pixels.register_encoder() takes one"
        )
    if found.requires is not None and not found.available:
        raise UnsupportedTransferSyntaxError(
            f"{wanted.name} is encoded by {found.name}, which is not installed: {found.requires.install}"
        )
    return found


def refuse_idle_quality(uid: str, quality: float | None) -> None:
    """Raise EncodeError for a `quality` that changes nothing, as the transfer syntax `uid` loses nothing."""
    encoder = _ENCODERS.get(str(uid))
    if quality is None or (UID(uid).is_encapsulated if encoder is None else not encoder.lossless):
        return  # of what nobody encodes more is to be said
    lossy = ", ".join(f"{UID(one.uid).name} ({one.uid})" for one in encoders() if one.available and not one.lossless)
    raise EncodeError(f"{UID(uid).name} takes no quality, as nothing is lost in it; these take one: {lossy}")


def holders(desc: FrameDescription, *, lossless: bool | None = None) -> tuple[UID, ...]:
    """The transfer syntaxes with an encoder, installed, that can hold frames so described."""
    return tuple(
        UID(one.uid)
        for one in encoders()
        if one.available and one.capacity.lacks(desc) is None and (lossless is None or one.lossless == lossless)
    )


def refuse_unless_held(encoder: FrameEncoder, desc: FrameDescription) -> None:
    """Raise EncodeError, which names the syntaxes that can, where `encoder` can't hold frames so described."""
    lacking = encoder.capacity.lacks(desc)
    if lacking is None:
        return
    able = ", ".join(f"{uid.name} ({uid})" for uid in holders(desc, lossless=True))
    raise EncodeError(
        f"{UID(encoder.uid).name} holds {lacking}; these can be in any uncompressed syntax"
        + (f", or {able}" * bool(able))
    )
