"""pydicom.datadict and pydicom.tag under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both

SETUP = """
from pydicom.datadict import *
from pydicom import datadict
from pydicom.tag import *
"""
SAME = {
    "an entry": "get_entry(0x00100010), get_entry(0x60023000)",
    "no entry": "get_entry(0x00110010)",
    "parts of an entry": 'dictionary_VR("PatientName"), dictionary_VM(0x00100010),'
    " dictionary_description((0x10, 0x10)),"
    " dictionary_keyword(0x00100010), dictionary_is_retired(0x00080001), dictionary_has_tag(0x00110010)",
    "VR of no entry": "dictionary_VR(0x99990010)",
    "keywords": 'keyword_for_tag(0x99990010), keyword_for_tag(0x60023000), tag_for_keyword("X"),'
    ' tag_for_keyword("Rows")',
    "keyword_dict": 'datadict.keyword_dict["PatientName"], "X" in datadict.keyword_dict',
    "RepeatersDictionary": "sorted(datadict.RepeatersDictionary.items())",
    "repeating groups": 'repeater_has_keyword("OverlayData"), repeater_has_tag(0x60023000), mask_match(0x60023000),'
    " mask_match(0x00100010), mask_match(0x00203112), mask_match(0x00280410), mask_match(0x10000012)",
    "private entries": '[f(0x00091001, "GEMS_IDEN_01") for f in (private_dictionary_VR, private_dictionary_VM,'
    " private_dictionary_description, get_private_entry)]",
    "no private entry": 'private_dictionary_VR(0x00091001, "x")',
    "entries that are added": 'add_dict_entry(0x99990001, "CS", "Own", "Own name"), dictionary_VR(0x99990001),'
    ' add_private_dict_entry("ME", 0x00110001, "LO", "Mine"), private_dictionary_VR(0x00110001, "ME")',
    "a tag": 'Tag(0x10, 0x10), Tag((0x10, 0x10)), Tag([0x10, 0x10]), Tag("0x100010"), Tag("PatientName"),'
    ' Tag("0x10", "0x10")',
    "parts of a tag": "[getattr(Tag(0x00110010), name) for name in"
    ' ("group", "element", "elem", "is_private", "is_private_creator", "json_key")]',
    "a tag as text": 'repr(Tag(0x7FE00010)), f"{Tag(0x7FE00010)}", "%08x" % Tag(0x7FE00010)',
    "equal tags": "Tag(0x00100010) == (0x10, 0x10), Tag(0x00100010) == 0x00100010, Tag(0x00100010) < (0x10, 0x20)",
    "not a tag": 'Tag("xx")',
    "a negative tag": "Tag(-1)",
    "a tag of 33 bits": "Tag(0x100000000)",
    "tags compared with text": 'Tag(0x00100010) < "x"',
    "classes": "isinstance(Tag(1), BaseTag), isinstance(1, BaseTag), BaseTag(0x00100010), TupleTag((1, 2))",
    "tags of items": "ItemTag, ItemDelimiterTag, SequenceDelimiterTag",
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
