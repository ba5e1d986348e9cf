"""Which codec decodes which transfer syntax; third parties add theirs with `register`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, NamedTuple

from numpy.typing import NDArray

from dicomcore.errors import UnsupportedTransferSyntaxError
from dicomcore.notes import Note
from dicomcore.pixels.coding.headers import CodestreamInfo
from dicomcore.pixels.description import FrameDescription
from dicomcore.uids import syntax_named

__all__ = ["Codec", "Decoder", "Format", "Requirement", "codec_for", "codecs", "decoder_for", "register"]

Decoder = Callable[
    [memoryview, FrameDescription, "NDArray[Any] | None"], "NDArray[Any] | tuple[NDArray[Any], tuple[Note, ...]]"
]
"""``decode(codestream, description, out)``: the frame's samples as coded, (rows, columns) or (rows, columns, samples).

`out`, where given, has the shape and a dtype of the size of the description's container; a decoder may fill and return
it, or return an array of its own, of the codestream's own width and sign. A trusted decoder may return notes with it.
Called on many threads at once."""

HeaderReader = Callable[[memoryview], CodestreamInfo]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A library that isn't always there."""

    module: str
    """What is imported."""
    install: str
    """What to type to have it."""


class Format(NamedTuple):
    """What decodes the frames of one format, in all transfer syntaxes that have it (`dicomcore.syntaxes.Syntax`)."""

    decoder: Decoder
    name: str
    """The library, for tables and messages."""
    read_header: HeaderReader | None = None
    """Reads a codestream's header before the decoder sees the codestream; None where it has none."""
    requires: Requirement | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """One transfer syntax, and what decodes it."""

    uid: str
    name: str
    """The library, for tables and messages."""
    decoder: Decoder
    requires: Requirement | None = None
    read_header: HeaderReader | None = None
    """Reads the codestream's header before the decoder sees the codestream; None where it has none."""
    trusted: bool = False
    """Whether the decoder runs in the caller's process even with ``Limits(isolate=True)``."""

    @property
    def available(self) -> bool:
        """Whether what it needs is installed."""
        return self.requires is None or find_spec(self.requires.module) is not None


# Written by `register` alone, one key at a time; a dict's own lock is enough for that.
_CODECS: dict[str, Codec] = {}


def register(
    uid: str,
    decoder: Decoder,
    *,
    name: str,
    requires: Requirement | str | None = None,
    read_header: HeaderReader | None = None,
    trusted: bool = False,
) -> Codec | None:
    """Let `decoder` decode the transfer syntax `uid` from now on; give back the codec that did so before, if any.

    `uid` is a UID, a keyword or a short name (`dicomcore.uids.NAMES`). `requires` names a module without which
    `decoder` can't run, as a `Requirement` where it isn't installed under its own name. `read_header` lets the frame's
    claimed size be checked before `decoder` is called. With ``Limits(isolate=True)`` a decoder that isn't `trusted`
    runs in another process, which has to find it by its module and name.
    """
    if isinstance(requires, str):
        requires = Requirement(requires, f"pip install {requires}")
    uid = str(syntax_named(uid))
    before = _CODECS.get(uid)
    _CODECS[uid] = Codec(uid, name, decoder, requires, read_header, trusted)
    return before


def codecs() -> tuple[Codec, ...]:
    """Every codec known, in the order of their UIDs."""
    return tuple(sorted(_CODECS.values(), key=lambda codec: [int(part) for part in codec.uid.split(".")]))


def codec_for(uid: str) -> Codec:
    """Give the codec of a transfer syntax.

    Raises UnsupportedTransferSyntaxError where there is none, or where what it needs isn't installed; the message says
    what to install.
    """
    codec = _CODECS.get(str(uid).rstrip("\0 "))
    if codec is None:
        raise UnsupportedTransferSyntaxError(
            f"no codec for transfer syntax {uid}; dicomcore.pixels.register() takes one"
        )
    if not codec.available:
        assert codec.requires is not None
        raise UnsupportedTransferSyntaxError(
            f"transfer syntax {uid} is decoded by {codec.name}, which is not installed: {codec.requires.install}"
        )
    return codec


def decoder_for(uid: str) -> Decoder:
    """Give the decoder of a transfer syntax; raises as `codec_for` does."""
    return codec_for(uid).decoder
