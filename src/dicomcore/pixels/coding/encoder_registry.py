"""The registry of encoders by transfer syntax, and their capacities; third parties add theirs by `register_encoder`."""

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
"""``encode(samples, description, quality)`` returns one frame's codestream.

`samples` is contiguous, (rows, columns) or (rows, columns, samples), in native byte order, and each word is the value
of its sample. `description` describes them; `quality` is the caller's, or None. Several threads call it at once.
"""

Limit = Callable[[FrameDescription, "float | None"], ErrorLimit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The frames that an encoder can encode in a transfer syntax."""

    bits: tuple[int, int] = (1, 64)
    """Fewest and most Bits Stored."""
    pixel_bytes: int | None = None
    """Most bytes of a pixel, all its samples together; None without a limit."""
    allocated: tuple[int, ...] = (8, 16, 32, 64)
    samples: tuple[int, ...] = (1, 3, 4)
    signed: bool = True
    palette: bool = True
    ybr: bool = True
    """Whether YBR samples are encoded as they are; otherwise a lossy syntax is given RGB."""
    colours: tuple[str, ...] | None = None
    """Photometric Interpretations of three samples that can be encoded; None for all."""

    def lacks(self, desc: FrameDescription) -> str | None:
        """Why frames of this description can't be encoded; None where they can."""
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
            return "no indices of a palette, which are meaningless once changed"
        if desc.photometric_interpretation.startswith("YBR") and not self.ybr:
            return f"no {desc.photometric_interpretation} samples"
        if desc.samples_per_pixel == 3 and self.colours and desc.photometric_interpretation not in self.colours:
            return f"colour as {' or '.join(self.colours)}, not as {desc.photometric_interpretation}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameEncoder:
    """A transfer syntax and its encoder."""

    uid: str
    name: str
    """The library's name, for tables and messages."""
    encode: Encode
    capacity: Capacity
    method: str | None = None
    """The term of Lossy Image Compression Method (PS3.3 C.7.6.1.1.5.1); None for a lossless encoder."""
    colours: Mapping[str, str] = field(default_factory=dict)
    """Photometric Interpretation of the codestream by that of the samples; one that isn't listed stays."""
    precision: Callable[[FrameDescription], int] | None = None
    """Bits Stored of the codestream, where they aren't the samples'."""
    requires: Requirement | None = None
    limit: Limit | None = None
    """The largest error of a lossy encoder's frames, which `transcode(..., verify=True)` checks."""

    @property
    def available(self) -> bool:
        """Whether the required library is installed."""
        return self.requires is None or find_spec(self.requires.module) is not None

    @property
    def lossless(self) -> bool:
        """Whether decoded samples equal the encoded ones."""
        return self.method is None

    def error_limit(self, desc: FrameDescription, quality: float | None) -> ErrorLimit:
        """The largest error of a frame of this description: 0 where the encoder is lossless."""
        if self.lossless:
            return ErrorLimit(largest=0)
        return (self.limit or coarse_limit)(desc, quality)


class Writer(NamedTuple):
    """An encoder, shared by every transfer syntax that names it (`dicomcore.syntaxes.Syntax.encoder`).

    Its fields are the arguments of `register_encoder` that are the same for all of these.
    """

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
    """Register `encode` for the transfer syntax `uid`; returns the encoder that it replaces, or None.

    Parameters
    ----------
    uid : str
        The transfer syntax.
    encode : Encode
        Turns a frame's samples, their description and the caller's quality into a codestream.
    name : str
        The library's name, for tables and messages.
    capacity : Capacity, optional
        The frames that it can encode; by default all but floating point and single bits.
    method : str, optional
        The term of Lossy Image Compression Method, which marks a lossy encoder.
    colours : mapping, optional
        Photometric Interpretation of the codestream by that of the samples.
    precision : callable, optional
        Gives Bits Stored of the codestream from the description, where they aren't the samples'.
    requires : str, optional
        A module that the encoder needs.
    limit : callable, optional
        For a lossy encoder: gives the `ErrorLimit` that `verify` checks, from the description and the quality. By
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
    """All registered encoders, in the order of their UIDs."""
    return tuple(sorted(_ENCODERS.values(), key=lambda encoder: [int(part) for part in encoder.uid.split(".")]))


def encoder_for(uid: str) -> FrameEncoder:
    """The encoder of a transfer syntax, given as a UID, a keyword or a short name (`dicomcore.uids.NAMES`).

    Raises UnsupportedTransferSyntaxError where there is none, or where the library that it requires isn't installed.
    """
    wanted = syntax_named(uid)
    encoder = _ENCODERS.get(wanted)
    if encoder is None:
        raise UnsupportedTransferSyntaxError(
            f"no encoder for transfer syntax {wanted.name}; dicomcore.pixels.register_encoder() takes one"
        )
    if encoder.requires is not None and not encoder.available:
        raise UnsupportedTransferSyntaxError(
            f"{wanted.name} is encoded by {encoder.name}, which is not installed: {encoder.requires.install}"
        )
    return encoder


def refuse_idle_quality(uid: str, quality: float | None) -> None:
    """Raise EncodeError for a `quality` that has no effect, as the transfer syntax `uid` is lossless."""
    encoder = _ENCODERS.get(str(uid))
    if quality is None or (UID(uid).is_encapsulated if encoder is None else not encoder.lossless):
        return  # a missing encoder is reported elsewhere
    lossy = ", ".join(f"{UID(one.uid).name} ({one.uid})" for one in encoders() if one.available and not one.lossless)
    raise EncodeError(f"{UID(uid).name} takes no quality, as it is lossless; these take one: {lossy}")


def holders(desc: FrameDescription, *, lossless: bool | None = None) -> tuple[UID, ...]:
    """The transfer syntaxes whose encoder is installed and can encode frames of this description."""
    return tuple(
        UID(each.uid)
        for each in encoders()
        if each.available and each.capacity.lacks(desc) is None and (lossless is None or each.lossless == lossless)
    )


def refuse_unless_held(encoder: FrameEncoder, desc: FrameDescription) -> None:
    """Raise EncodeError, with the syntaxes to use instead, where `encoder` can't encode frames of this description."""
    lacking = encoder.capacity.lacks(desc)
    if lacking is None:
        return
    able = ", ".join(f"{uid.name} ({uid})" for uid in holders(desc, lossless=True))
    raise EncodeError(
        f"{UID(encoder.uid).name} holds {lacking}; these can be in any uncompressed syntax"
        + (f", or {able}" * bool(able))
    )
