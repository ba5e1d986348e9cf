"""The registry of decoders by transfer syntax; third parties add theirs with `register`."""

from __future__ import annotations

import sys
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
"""``decode(codestream, description, out)`` returns samples as coded, (rows, columns) or (rows, columns, samples).

`out`, if given, has the description's shape, and a dtype as wide as its container. A decoder may fill and return it, or
return its own array, with the codestream's own width and sign. A trusted decoder may return a pair of the array and
notes. Several threads call it at once."""

HeaderReader = Callable[[memoryview], CodestreamInfo]


@dataclass(frozen=True, slots=True)
class Requirement:
    """An optional library that a codec needs."""

    module: str
    """The module to import."""
    install: str
    """The command that installs it."""


class Format(NamedTuple):
    """The decoder of one format, in all transfer syntaxes that have this format (`dicomcore.syntaxes.Syntax`)."""

    decoder: Decoder
    name: str
    """The library's name, for tables and messages."""
    read_header: HeaderReader | None = None
    """Reads a codestream's header before it is decoded; None where codestreams have no header."""
    requires: Requirement | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """A transfer syntax and its decoder."""

    uid: str
    name: str
    """The library's name, for tables and messages."""
    decoder: Decoder
    requires: Requirement | None = None
    read_header: HeaderReader | None = None
    """Reads the codestream's header before it is decoded; None where codestreams have no header."""
    trusted: bool = False
    """Whether the decoder runs in the caller's process even with ``Limits(isolate=True)``."""

    @property
    def available(self) -> bool:
        """Whether the required library is installed."""
        if self.requires is None or sys.modules.get(self.requires.module) is not None:  # asked for every frame
            return True
        return find_spec(self.requires.module) is not None


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
    """Register `decoder` for the transfer syntax `uid`; returns the codec that it replaces, or None.

    Parameters
    ----------
    uid : str
        The transfer syntax: a UID, a keyword or a short name (`dicomcore.uids.NAMES`).
    decoder : Decoder
        Decodes a frame's codestream.
    name : str
        The library's name, for tables and messages.
    requires : Requirement or str, optional
        A module that `decoder` needs; a `Requirement` where it is installed under another name.
    read_header : callable, optional
        Reads a codestream's header, so that the size it claims is checked before `decoder` is called.
    trusted : bool
        Whether `decoder` runs in the caller's process even with ``Limits(isolate=True)``. Otherwise it then runs in
        another process, which has to find it by its module and name.
    """
    if isinstance(requires, str):
        requires = Requirement(requires, f"pip install {requires}")
    uid = str(syntax_named(uid))
    before = _CODECS.get(uid)
    _CODECS[uid] = Codec(uid, name, decoder, requires, read_header, trusted)
    return before


def codecs() -> tuple[Codec, ...]:
    """All registered codecs, in the order of their UIDs."""
    return tuple(sorted(_CODECS.values(), key=lambda codec: [int(part) for part in codec.uid.split(".")]))


def codec_for(uid: str) -> Codec:
    """The codec of a transfer syntax.

    Raises UnsupportedTransferSyntaxError where there is none, or where the library that it requires isn't installed;
    the message then says how to install it.
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
    """The decoder of a transfer syntax; raises the same errors as `codec_for`."""
    return codec_for(uid).decoder
