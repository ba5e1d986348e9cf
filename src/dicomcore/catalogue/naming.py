"""Names of attributes in queries and rows: keywords, and for what PS3.6 does not have, tags with their creator."""

from __future__ import annotations

import re

from dicomcore.dataset import DataElement, Dataset
from dicomcore.dictionary import (
    dictionary_has_tag,
    dictionary_VR,
    keyword_for_tag,
    private_dictionary_VR,
    tag_for_keyword,
)
from dicomcore.tags import Tag

__all__ = ["element_named", "name_of", "tag_of", "vr_of"]

HEX = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?")
PRIVATE = re.compile(r"([0-9A-Fa-f]{4})xx([0-9A-Fa-f]{2}):(.+)")


def name_of(ds: Dataset, element: DataElement) -> str:
    """The name of an element of a data set: its keyword, ``0019xx08:CREATOR``, or eight hexadecimal digits."""
    tag = element.tag
    keyword = keyword_for_tag(tag)
    if keyword or not tag.is_private or tag.is_private_creator:
        return keyword or f"{tag:08x}"
    owner = tag.private_creator
    creator = str(ds[owner].value or "").strip() if owner in ds else ""
    return f"{tag.group:04x}xx{tag.element & 0xFF:02x}:{creator}" if creator else f"{tag:08x}"


def tag_of(text: str) -> tuple[Tag, str]:
    """The tag that a text names, and its creator, "" for none. ValueError for what is no attribute.

    A text is a keyword, ``00100010``, ``0010,0010``, or ``0019xx08:CREATOR``.
    """
    private = PRIVATE.fullmatch(text)
    if private is not None:
        group = int(private[1], 16)
        if not group & 1:
            raise ValueError(f"{text!r} is no attribute: the group of a private one is odd")
        return Tag(group, 0x1000 | int(private[2], 16)), private[3].strip()
    digits = HEX.fullmatch(text)
    if digits is not None:
        return Tag(int(digits[1], 16), int(digits[2], 16)), ""
    tag = tag_for_keyword(text)
    if tag is None:
        raise ValueError(f"{text[:64]!r} is neither a keyword of PS3.6 nor a tag")
    return Tag(tag), ""


def vr_of(tag: int, creator: str = "") -> str:
    """The VR of an attribute by its dictionary; UN for what none has."""
    if creator:
        try:
            return private_dictionary_VR(tag, creator)
        except KeyError:
            return "UN"
    return dictionary_VR(tag).split(" or ")[0] if dictionary_has_tag(tag) else "UN"


def element_named(ds: Dataset, name: str) -> DataElement | None:
    """The element of a data set that has a name."""
    try:
        tag, creator = tag_of(name)
        return ds.get_private_item(tag.group, tag.element & 0xFF, creator) if creator else ds[tag]
    except (KeyError, ValueError):
        return None
