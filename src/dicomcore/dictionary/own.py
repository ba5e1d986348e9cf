"""Entries that a program adds to the dictionaries, under pydicom's names.

They apply to the whole process and to all files read afterwards. Entries of the standard and of the private dictionary
cannot be changed: files would then be read otherwise than by all other programs.
"""

from __future__ import annotations

from collections.abc import Mapping

from dicomcore._native.base import dictionary as _dictionary
from dicomcore._native.base.taught import teach, teach_private
from dicomcore.tags import Tag
from dicomcore.vrs import NAMES

__all__ = ["add_dict_entries", "add_dict_entry", "add_private_dict_entries", "add_private_dict_entry"]


def add_dict_entry(tag: int, VR: str, keyword: str, description: str, VM: str = "1", is_retired: str = "") -> None:
    """Add an element to the dictionary, which gives its VR in implicit VR and its keyword as an attribute of data sets.

    Parameters
    ----------
    tag : int
        A tag that is not private.
    VR : str
        The VR.
    keyword : str
        The attribute's name in data sets: a Python identifier that begins with a capital letter.
    description : str
        The element's name.
    VM : str
        The value multiplicity, such as ``"1-n"``.
    is_retired : str
        ``"Retired"`` or empty.

    Raises
    ------
    ValueError
        The tag is private, the VR or keyword is not valid, or the dictionary of PS3.6 has the tag or the keyword with
        another entry.
    """
    tag = Tag(tag)
    entry = (VR, VM, description, is_retired, keyword)
    if tag.is_private:
        raise ValueError(f"{tag} is private: see add_private_dict_entry()")
    if VR not in NAMES:
        raise ValueError(f"{VR!r} is not a VR")
    if not keyword.isidentifier() or not keyword[0].isupper():
        raise ValueError(f"{keyword!r} can't be a keyword")
    if _standard(tag) not in (None, entry):
        raise ValueError(f"{tag} is in the dictionary already: {_standard(tag)}")
    known = _dictionary.tag_for_keyword(keyword)
    if known not in (None, tag):
        raise ValueError(f"{keyword} is the keyword of {Tag(known)} already")
    if _dictionary.entry(tag) != entry:
        teach(tag, VR, entry)
        _ADDED.add(tag)


def add_dict_entries(new_entries_dict: Mapping[int, tuple[str, str, str, str, str]]) -> None:
    """Add elements, (VR, VM, description, is_retired, keyword) by tag. Raises as `add_dict_entry` does."""
    for tag, (vr, vm, description, is_retired, keyword) in new_entries_dict.items():
        add_dict_entry(tag, vr, keyword, description, vm, is_retired)


def add_private_dict_entry(private_creator: str, tag: int, VR: str, description: str, VM: str = "1") -> None:
    """Add an element of a private creator to the private dictionary.

    Parameters
    ----------
    private_creator : str
        The name of the creator.
    tag : int
        A private tag; the block of its element number does not matter.
    VR : str
        The VR.
    description : str
        The element's name.
    VM : str
        The value multiplicity, such as ``"1-n"``.

    Raises
    ------
    ValueError
        The tag is not private, the VR is not valid, the creator has no name, or the private dictionary has the element
        with another entry.
    """
    tag = Tag(tag)
    entry = (VR, VM, description, "")
    if not tag.is_private:
        raise ValueError(f"{tag} is not private: see add_dict_entry()")
    if VR not in NAMES:
        raise ValueError(f"{VR!r} is not a VR")
    if not private_creator:
        raise ValueError("a private creator must have a name")
    known = _dictionary.private_entry(tag, private_creator)
    if known is None or (private_creator, tag & 0xFFFF00FF) in _ADDED_PRIVATE:
        teach_private(private_creator, tag, entry)
        _ADDED_PRIVATE.add((private_creator, tag & 0xFFFF00FF))
    elif known != entry:
        raise ValueError(f"{tag} of {private_creator!r} is in the private dictionary already: {known}")


def add_private_dict_entries(private_creator: str, new_entries_dict: Mapping[int, tuple[str, str, str, str]]) -> None:
    """Add a creator's elements, (VR, VM, description, is_retired) by tag. Raises as `add_private_dict_entry` does."""
    for tag, (vr, vm, description, *_) in new_entries_dict.items():
        add_private_dict_entry(private_creator, tag, vr, description, vm)


_ADDED_PRIVATE: set[tuple[str, int]] = set()
"""(private creator, tag) of added elements: adding them again may change their entries."""
_ADDED: set[int] = set()
"""Tags of added elements that are not private."""


def _standard(tag: Tag) -> tuple[str, str, str, str, str] | None:
    """The entry of the standard's dictionary; None if the tag has none or was added."""
    return None if tag in _ADDED else _dictionary.entry(tag)
