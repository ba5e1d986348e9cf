"""Tag: its constructor's arguments, comparison and text; pydicom's BaseTag is the reference."""

import copy
import pickle

import numpy as np
import pytest

from dicomcore import tags
from dicomcore._native.base import dictionary
from dicomcore.tags import Tag

pydicom_tag = pytest.importorskip("pydicom.tag")

FORMS = {  # name: (arguments, tag)
    "int": ((0x00100020,), 0x00100020),
    "zero": ((0,), 0),
    "largest": ((0xFFFFFFFF,), 0xFFFFFFFF),
    "two ints": ((0x0010, 0x0020), 0x00100020),
    "tuple": (((0x0010, 0x0020),), 0x00100020),
    "list": (([0x0010, 0x0020],), 0x00100020),
    "two strings": (("0x0010", "0x0020"), 0x00100020),
    "tuple of strings": ((("0010", "0020"),), 0x00100020),
    "keyword": (("PatientID",), 0x00100020),
    "hexadecimal": (("00100020",), 0x00100020),
    "hexadecimal with prefix": (("0x00100020",), 0x00100020),
    "Tag": ((Tag(0x00100020),), 0x00100020),
    "True": ((True,), 1),
    "numpy": ((np.uint32(0x7FE00010),), 0x7FE00010),
    "numpy pair": ((np.uint16(0x7FE0), np.uint16(0x0010)), 0x7FE00010),
}

REFUSED = {  # name: (arguments, error)
    "negative": ((-1,), ValueError),
    "over 32 bits": ((0x100000000,), OverflowError),
    "string over 32 bits": (("0x100000000",), OverflowError),
    "group over 16 bits": ((0x10000, 0), OverflowError),
    "element over 16 bits": ((0, 0x10000), OverflowError),
    "negative element": ((0x10, -1), ValueError),
    "unknown keyword": (("PatientShoeSize",), ValueError),
    "empty string": (("",), ValueError),
    "three numbers": (((1, 2, 3),), ValueError),
    "one number in a tuple": (((1,),), ValueError),
    "int and string": ((0x10, "0020"), TypeError),
    "string and int": (("0010", 0x20), TypeError),
    "float": ((1.5,), TypeError),
    "pair of floats": (((1.0, 2.0),), TypeError),
    "None": ((None,), TypeError),
}


@pytest.mark.parametrize(("arguments", "number"), FORMS.values(), ids=FORMS)
def test_made_from(arguments, number):
    tag = Tag(*arguments)
    assert type(tag) is Tag
    assert int(tag) == number


@pytest.mark.parametrize(("arguments", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(arguments, error):
    with pytest.raises(error):
        Tag(*arguments)


@pytest.mark.parametrize(
    "number", [0, 0x00020010, 0x00090010, 0x000900FF, 0x00090100, 0x00091001, 0x60023000, 0xFFFEE00D]
)
def test_parts_are_pydicoms(number):
    ours, theirs = Tag(number), pydicom_tag.BaseTag(number)
    for part in ("group", "element", "elem", "is_private", "is_private_creator", "private_creator", "json_key"):
        assert getattr(ours, part) == getattr(theirs, part), part
    assert (str(ours), repr(ours), f"{ours}") == (str(theirs), repr(theirs), f"{theirs}")
    assert hash(ours) == hash(number)


def test_a_tag_compares_with_all_its_forms():
    tag = Tag(0x00100020)
    for same in (0x00100020, (0x10, 0x20), ["0010", "0020"], "PatientID", "00100020", pydicom_tag.BaseTag(0x00100020)):
        assert tag == same
        assert same == tag
        assert not tag != same  # noqa: SIM202
        assert tag <= same
        assert tag >= same
        assert not tag < same
    assert tag > (0x10, 0x10)
    assert tag < "Rows"
    assert tag != "no keyword"
    assert tag != None  # noqa: E711
    assert tag != (1, 2, 3)
    for compare in (tag.__lt__, tag.__le__, tag.__gt__, tag.__ge__):
        with pytest.raises(TypeError):
            compare("no keyword")


def test_is_the_int_in_a_dict():
    assert {0x00100020: "a"}[Tag("PatientID")] == "a"
    assert {Tag("PatientID"): "a"}[0x00100020] == "a"


def test_survives_copy_and_pickle():
    tag = Tag(0x00100020)
    for again in (copy.copy(tag), copy.deepcopy(tag), pickle.loads(pickle.dumps(tag)), dictionary.instance(Tag, tag)):
        assert type(again) is Tag
        assert again == tag
    assert not hasattr(tag, "__dict__")


def test_constants():
    names = {"ITEM": "Item", "ITEM_DELIMITER": "ItemDelimitationItem", "SEQUENCE_DELIMITER": "SequenceDelimitationItem"}
    for name in tags.__all__:
        if isinstance(value := getattr(tags, name), Tag):
            assert value == Tag(names.get(name) or name.title().replace("_", "")), name


def test_no_keyword_is_a_hexadecimal_number():
    # A keyword such as "FACADE" would be ambiguous.
    for keyword in dictionary.keywords():
        with pytest.raises(ValueError, match="invalid literal"):
            int(keyword, 16)
