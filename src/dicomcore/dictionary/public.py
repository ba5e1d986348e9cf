"""Elements of PS3.6 and PS3.7 by tag or keyword, repeating groups included. The functions and results are pydicom's."""

from __future__ import annotations

from dicomcore._native.base import dictionary as _dictionary
from dicomcore.tags import Tag, TagLike


def get_entry(tag: TagLike) -> tuple[str, str, str, str, str]:
    """(VR, VM, name, ``"Retired"`` or ``""``, keyword) of an element.

    If PS3.6 allows several VRs, VR lists them: ``"US or SS"``. Raises KeyError for an element that PS3.6 does not have,
    such as a private element or most group lengths.
    """
    tag = Tag(tag)
    entry = _dictionary.entry(tag)
    if entry is None:
        raise KeyError(f"{tag} is not in the DICOM dictionary")
    return entry


def dictionary_VR(tag: TagLike) -> str:
    """The element's VR, as `get_entry` returns it."""
    return get_entry(tag)[0]


def dictionary_VM(tag: TagLike) -> str:
    """The element's value multiplicity, such as ``"1-n"``."""
    return get_entry(tag)[1]


def dictionary_description(tag: TagLike) -> str:
    """The element's name."""
    return get_entry(tag)[2]


def dictionary_is_retired(tag: TagLike) -> bool:
    """Whether PS3.6 has retired the element."""
    return get_entry(tag)[3] != ""


def dictionary_keyword(tag: TagLike) -> str:
    """The element's keyword."""
    return get_entry(tag)[4]


def keyword_for_tag(tag: TagLike) -> str:
    """The element's keyword; empty if `dictionary_keyword` raises KeyError."""
    entry = _dictionary.entry(Tag(tag))
    return entry[4] if entry else ""


def tag_for_keyword(keyword: str) -> int | None:
    """The tag of the element with a keyword; None for unknown keywords and those of repeating groups."""
    return _dictionary.tag_for_keyword(keyword)


def dictionary_has_tag(tag: TagLike) -> bool:
    """Whether the dictionary has this tag itself; for repeating groups see `repeater_has_tag`."""
    try:
        return _dictionary.has_tag(Tag(tag))
    except (TypeError, ValueError, OverflowError):
        return False


def repeater_has_tag(tag: int) -> bool:
    """Whether the tag belongs to an element of a repeating group, such as (60xx,3000); False for private groups."""
    return _dictionary.repeater_has_tag(tag)


def repeater_has_keyword(keyword: str) -> bool:
    """Whether the keyword belongs to an element of a repeating group, so that it stands for several tags."""
    return _dictionary.repeater_has_keyword(keyword)


def keywords() -> list[str]:
    """All keywords that belong to a single tag, in the order of the tags."""
    return _dictionary.keywords()
