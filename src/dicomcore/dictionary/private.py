"""Private elements by their creator (PS3.5 7.8.1). The functions and the dictionary are pydicom's."""

from __future__ import annotations

from dicomcore._native.base import dictionary as _dictionary
from dicomcore.tags import Tag, TagLike


def get_private_entry(tag: TagLike, private_creator: str) -> tuple[str, str, str, str]:
    """(VR, VM, name, ``""``) of a private element, whatever block its creator has reserved.

    `private_creator` is the value of the block's private creator element, without padding. Raises KeyError if the
    dictionary does not know the creator or its element.
    """
    tag = Tag(tag)
    entry = _dictionary.private_entry(tag, private_creator)
    if entry is None:
        if not _dictionary.has_creator(private_creator):
            raise KeyError(f"private creator {private_creator!r} is not in the private dictionary")
        raise KeyError(f"{tag} is not in the private dictionary of {private_creator!r}")
    return entry


def private_dictionary_VR(tag: TagLike, private_creator: str) -> str:
    """The private element's VR."""
    return get_private_entry(tag, private_creator)[0]


def private_dictionary_VM(tag: TagLike, private_creator: str) -> str:
    """The private element's value multiplicity."""
    return get_private_entry(tag, private_creator)[1]


def private_dictionary_description(tag: TagLike, private_creator: str) -> str:
    """The private element's name."""
    return get_private_entry(tag, private_creator)[2]


def private_vr(tag: int, creator: str) -> str | None:
    """The private element's VR; None if `private_dictionary_VR` raises KeyError."""
    return _dictionary.private_vr(tag, creator)
