"""pydicom.datadict."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dicomcore import dictionary as _dictionary
from dicomcore.dictionary import (
    add_dict_entries,
    add_dict_entry,
    add_private_dict_entries,
    add_private_dict_entry,
    dictionary_description,
    dictionary_has_tag,
    dictionary_is_retired,
    dictionary_keyword,
    dictionary_VM,
    dictionary_VR,
    get_entry,
    get_private_entry,
    keyword_for_tag,
    private_dictionary_description,
    private_dictionary_VM,
    private_dictionary_VR,
    repeater_has_keyword,
    repeater_has_tag,
    tag_for_keyword,
)
from dicomcore.interop.pydicom.names.tag import BaseTag, Tag, TagType
from dicomcore.interop.pydicom.place import missing

__all__ = [
    "BaseTag",
    "Tag",
    "TagType",
    "add_dict_entries",
    "add_dict_entry",
    "add_private_dict_entries",
    "add_private_dict_entry",
    "dictionary_VM",
    "dictionary_VR",
    "dictionary_description",
    "dictionary_has_tag",
    "dictionary_is_retired",
    "dictionary_keyword",
    "get_entry",
    "get_private_entry",
    "keyword_for_tag",
    "mask_match",
    "private_dictionary_VM",
    "private_dictionary_VR",
    "private_dictionary_description",
    "repeater_has_keyword",
    "repeater_has_tag",
    "tag_for_keyword",
]

REPEATING_GROUPS = (0x50, 0x60, 0x7F)  # (50xx,eeee), (60xx,eeee), (7Fxx,eeee)


def mask_match(tag: int) -> str | None:
    """The mask of the repeating group that a tag belongs to, "60xx3000" for (6002,3000); None if there is none."""
    if not repeater_has_tag(tag):
        return None
    if tag >> 24 in REPEATING_GROUPS:
        return f"{tag >> 24:02X}xx{tag & 0xFFFF:04X}"
    found = _repeaters()
    masks = (mask for mask in found if all(m in ("x", d) for m, d in zip(mask, f"{tag:08X}", strict=True)))
    return next(masks, None)


def _repeaters() -> dict[str, tuple[str, str, str, str, str]]:
    """The entries of repeating groups by mask."""
    # The first tag of each mask whose "x" isn't 0 alone: tags with 0 there may be entries of their own.
    heads = [(f"{group:02X}xx%04X", group << 24, 0x10000) for group in REPEATING_GROUPS]
    heads += [("002031xx", 0x00203110, 1), ("1010xxxx", 0x10100010, 1)]
    heads += [(f"00280{digit}x%X", 0x00280010 | digit << 8, 16) for digit in (4, 8)]
    heads += [("1000xxx%X", 0x10000010, 16)]
    found = {}
    for mask, first, count in heads:
        for i in range(count):
            if repeater_has_tag(first + i):
                found[mask % i if "%" in mask else mask] = get_entry(first + i)
    return found


def _public() -> dict[int, tuple[str, str, str, str, str]]:
    """The entries of the dictionary by tag, of those that have a keyword."""
    tags = [tag for tag in map(tag_for_keyword, _dictionary.keywords()) if tag is not None]
    return {int(tag): get_entry(tag) for tag in sorted(tags)}


def __getattr__(name: str) -> Any:
    # Tables of the whole dictionary are made when they are asked for: look-ups need none of them.
    if name == "DicomDictionary":
        made: Any = _public()
    elif name == "RepeatersDictionary":
        made = _repeaters()
    elif name == "keyword_dict":
        made = {entry[4]: tag for tag, entry in _public().items()}
    elif name == "REPEATER_KEYWORDS":
        made = {entry[4]: mask for mask, entry in _repeaters().items()}
    elif name == "private_dictionaries":
        made = import_module("pydicom._private_dict").private_dictionaries
    else:
        return missing("pydicom.datadict")(name)
    globals()[name] = made
    return made
