"""Content negotiation (PS3.18 8.7): what of what is stored, or could be made of it, a client takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from dicomcore import uids
from dicomcore.errors import DicomError
from dicomcore.pixels import encoder_for
from dicomcore.syntaxes import NATIVE, syntax_of
from dicomcore.web.media import ANY, DICOM, OCTETS, MediaRange, default_syntax, media_of
from dicomcore.web.problems import Problem

__all__ = [
    "Choice", "choose_frames", "choose_instance", "frame_choices", "instance_choices", "plain_syntax", "wants_dicom",
]  # fmt: skip

EXPLICIT = str(uids.ExplicitVRLittleEndian)


class Choice(NamedTuple):
    """How something is sent: in which transfer syntax, as which media type, and whether as parts."""

    transfer_syntax: str
    """Empty for that which it is stored in."""
    media: str
    is_multipart: bool


def plain_syntax(stored: str) -> str:
    """The transfer syntax that frames are labelled with: samples are sent alike, in little endian."""
    return EXPLICIT if stored in NATIVE else stored


@lru_cache(maxsize=256)
def can_make(syntax: str) -> bool:
    """Whether pixel data can be encoded in a transfer syntax."""
    if syntax == EXPLICIT:
        return True
    try:
        return bool(syntax_of(syntax).encoder) and encoder_for(syntax) is not None
    except DicomError:
        return False


def wants_dicom(ranges: Iterable[MediaRange]) -> bool:
    """Whether the best range is of DICOM instances rather than of their bulk data."""
    return any(one.takes(DICOM) for one in ranges)


def choose_instance(ranges: Sequence[MediaRange], stored: str) -> Choice:
    """How an instance is sent; Problem 406 if the client takes nothing that can be made.

    Without a transfer syntax, what is compressed is sent as it is stored, and the rest in Explicit VR Little Endian:
    Implicit VR and big endian are not for the web (PS3.18 8.7.3). ``*`` is the file as it lies.
    """
    for choice in instance_choices(ranges, stored):
        return choice
    raise Problem(406, f"the instance is stored in {stored}, and none of the transfer syntaxes that are asked for "
                       "can be made of it")  # fmt: skip


def instance_choices(ranges: Iterable[MediaRange], stored: str) -> Iterator[Choice]:
    """The ways in which a client takes an instance, the best first; not all can be made of every instance."""
    for one in ranges:
        if not one.takes(DICOM):
            continue
        is_multipart = one.is_multipart or one.media != DICOM
        asked = one.transfer_syntax
        if not asked:
            row = syntax_of(stored)
            asked = EXPLICIT if stored in NATIVE and not row.encapsulated and not row.deflated else "*"
        if asked in ("*", stored):
            yield Choice("", DICOM, is_multipart)
        elif can_make(asked) or asked == EXPLICIT:
            yield Choice(asked, DICOM, is_multipart)


def choose_frames(ranges: tuple[MediaRange, ...], stored: str) -> Choice:
    """How frames are sent: as they lie if the client takes that; Problem 406 if it takes nothing that can be made."""
    for choice in frame_choices(ranges, stored):
        return choice
    lies_as = plain_syntax(stored)
    raise Problem(406, f"the frames are {media_of(lies_as)} in {stored}, and none of the media types and transfer "
                       "syntaxes that are asked for can be made of them")  # fmt: skip


@lru_cache(maxsize=256)
def frame_choices(ranges: tuple[MediaRange, ...], stored: str) -> tuple[Choice, ...]:
    """The ways in which a client takes frames, the best first; not all can be made of every image."""
    return tuple(dict.fromkeys(_frame_choices(ranges, stored)))


def _frame_choices(ranges: tuple[MediaRange, ...], stored: str) -> Iterator[Choice]:
    lies_as = plain_syntax(stored)
    media, plain = media_of(lies_as), lies_as == EXPLICIT
    for one in ranges:
        asked = one.transfer_syntax
        if one.media == ANY:
            if asked in ("", "*", stored, lies_as):
                yield Choice("", media, True)
        elif one.takes(media) and asked in ("", "*", stored, lies_as) and (media != OCTETS or asked or plain):
            yield Choice("", media, one.is_multipart)
        if one.media == OCTETS and asked == "*":
            yield Choice("", media, one.is_multipart)
        target = _target(one, asked)
        if target and can_make(target):
            yield Choice(target, media_of(target), one.is_multipart or one.media == ANY)


def _target(one: MediaRange, asked: str) -> str:
    """The transfer syntax that a range asks for; empty if it names none that fits."""
    if asked in ("", "*"):
        return default_syntax(one.media)
    fits = one.media in (ANY, OCTETS, media_of(asked)) or one.takes(media_of(asked))
    return asked if fits else ""
