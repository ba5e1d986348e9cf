"""Entries of a program's own in the dictionaries, under pydicom's names.

They hold for the whole process, and for what is read from then on. What the standard or the private dictionary has
stays as it is there: files would be read in another way than everyone else reads them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dicomcore._native.base import dictionary as _dictionary
from dicomcore._native.base.taught import teach, teach_private
from dicomcore.tags import Tag
from dicomcore.vrs import NAMES

__all__ = ["add_dict_entries", "add_dict_entry", "add_private_dict_entries", "add_private_dict_entry"]


def add_dict_entry(tag: int, VR: str, keyword: str, description: str, VM: str = "1", is_retired: str = "") -> None:
    """Add an element to the dictionary: from then on it has this VR in implicit VR, and ``ds.keyword`` is it.

    Raises ValueError for a private tag, for a VR or keyword that is none, and where the dictionary of PS3.6 has the tag
    or the keyword otherwise.
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
    """Add elements by tag: (VR, VM, description, is_retired, keyword) each. Raises as `add_dict_entry`."""
    for tag, (vr, vm, description, is_retired, keyword) in new_entries_dict.items():
        add_dict_entry(tag, vr, keyword, description, vm, is_retired)


def add_private_dict_entry(private_creator: str, tag: int, VR: str, description: str, VM: str = "1") -> None:
    """Add an element of a private creator; which block `tag` is in doesn't matter.

    Raises ValueError for a tag that isn't private, for a VR that is none, and where the private dictionary has the
    element otherwise.
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
    if known is None or (private_creator, tag & 0xFFFF00FF) in _OWN:
        teach_private(private_creator, tag, entry)
        _OWN.add((private_creator, tag & 0xFFFF00FF))
    elif known != entry:
        raise ValueError(f"{tag} of {private_creator!r} is in the private dictionary already: {known}")


def add_private_dict_entries(private_creator: str, new_entries_dict: Mapping[int, tuple[str, str, str, str]]) -> None:
    """Add elements of a private creator by tag: (VR, VM, description, is_retired) each. Raises as the above."""
    for tag, (vr, vm, description, *_) in new_entries_dict.items():
        add_private_dict_entry(private_creator, tag, vr, description, vm)


_OWN: set[tuple[str, int]] = set()
"""What was added to private creators: it may be added again, otherwise."""
_ADDED: set[int] = set()


def _standard(tag: Tag) -> tuple[str, str, str, str, str] | None:
    """The entry of the standard's dictionary, None where it has none."""
    return None if tag in _ADDED else _dictionary.entry(tag)
