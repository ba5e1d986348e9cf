"""Look-ups in the dictionaries of PS3.6, PS3.7 and private elements, whose tables are generated."""

from dicomcore.dictionary.own import (
    add_dict_entries,
    add_dict_entry,
    add_private_dict_entries,
    add_private_dict_entry,
)
from dicomcore.dictionary.private import (
    get_private_entry,
    private_dictionary_description,
    private_dictionary_VM,
    private_dictionary_VR,
    private_vr,
)
from dicomcore.dictionary.public import (
    dictionary_description,
    dictionary_has_tag,
    dictionary_is_retired,
    dictionary_keyword,
    dictionary_VM,
    dictionary_VR,
    get_entry,
    keyword_for_tag,
    keywords,
    repeater_has_keyword,
    repeater_has_tag,
    tag_for_keyword,
)

__all__ = [
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
    "keywords",
    "private_dictionary_VM",
    "private_dictionary_VR",
    "private_dictionary_description",
    "private_vr",
    "repeater_has_keyword",
    "repeater_has_tag",
    "tag_for_keyword",
]
