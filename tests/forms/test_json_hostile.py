"""Wrong and hostile DICOM JSON gives a clear error that names the element, never a crash or an endless run."""

from __future__ import annotations

import json
import random

import pytest

import dicomcore as dc
from tests.support.corpus import real

WRONG = {  # name: (attribute object, the beginning of the message)
    "no VR": ({"Value": []}, 'the attribute has no "vr"'),
    "an unknown VR": ({"vr": "XX"}, "'XX' is not a VR"),
    "a VR in lower case": ({"vr": "cs"}, "'cs' is not a VR"),
    "a VR that is a number": ({"vr": 5}, 'the attribute has no "vr"'),
    "an attribute that is text": ("a", "an attribute is an object, not a str"),
    "text for numbers": ({"vr": "US", "Value": ["a"]}, "US takes integers, not 'a'"),
    "a fraction for an integer": ({"vr": "UL", "Value": [1.5]}, "UL takes integers, not 1.5"),
    "a boolean for a number": ({"vr": "US", "Value": [True]}, "US takes integers, not True"),
    "too large for US": ({"vr": "US", "Value": [65536]}, "65536 is out of range for US"),
    "too small for SV": ({"vr": "SV", "Value": [-(2**63) - 1]}, "-9223372036854775809 is out of range for SV"),
    "huge for UV": ({"vr": "UV", "Value": [10**400]}, "a number of 1329 bits is out of range"),
    "huge for DS": ({"vr": "DS", "Value": [10**400]}, "a number is out of range for a double"),
    "huge for FL": ({"vr": "FL", "Value": [1e300]}, "1e+300 is out of range for FL"),
    "text for FD": ({"vr": "FD", "Value": ["a"]}, "FD takes numbers, not 'a'"),
    "a boolean for DS": ({"vr": "DS", "Value": [True]}, "DS takes numbers, not True"),
    "a boolean for IS": ({"vr": "IS", "Value": [True]}, "IS takes integers, not True"),
    "half a surrogate pair for DS": ({"vr": "DS", "Value": ["\udfff"]}, "U+DFFF is half a surrogate pair"),
    "half a surrogate pair for UN": ({"vr": "UN", "Value": ["\udfff"]}, "U+DFFF is half a surrogate pair"),
    "numbers for UN": ({"vr": "UN", "Value": [1]}, "UI takes text, not 1"),
    "fragments of text": ({"vr": "LO", "DataFragment": []}, "DataFragment is an array of bytes, not a list of VR LO"),
    "fragments of numbers": ({"vr": "OB", "DataFragment": [1]}, "a DataFragment is an object"),
    "fragments of values": ({"vr": "OB", "DataFragment": [{"Value": []}]}, "a DataFragment is an object"),
    "a list for DS": ({"vr": "DS", "Value": [[1]]}, "DS takes numbers, not a list"),
    "a number for text": ({"vr": "LO", "Value": [5]}, "LO takes text, not 5"),
    "an object for text": ({"vr": "LO", "Value": [{}]}, "LO takes text, not a dict"),
    "half a surrogate pair": ({"vr": "LO", "Value": ["a\ud800"]}, "U+D800 is half a surrogate pair"),
    "half a pair in a name": ({"vr": "PN", "Value": [{"Phonetic": "\udfff"}]}, "U+DFFF is half a surrogate pair"),
    "a name's unknown group": ({"vr": "PN", "Value": [{"Latin": "A"}]}, "'Latin' is not a component group"),
    "a name's group with =": ({"vr": "PN", "Value": [{"Alphabetic": "A=B"}]}, "a component group of a PN contains ="),
    "a name that is a number": ({"vr": "PN", "Value": [5]}, "PN takes text, not 5"),
    "an invalid tag": ({"vr": "AT", "Value": ["0010001"]}, "AT takes eight hexadecimal digits"),
    "items that are text": ({"vr": "SQ", "Value": ["a"]}, "item 0 is an object of attributes, not a str"),
    "a sequence of bytes": ({"vr": "SQ", "InlineBinary": "AAAA"}, "SQ takes Value, not InlineBinary"),
    "values that are not an array": ({"vr": "LO", "Value": "a"}, "Value is an array, not a str"),
    "two kinds of values": ({"vr": "OB", "InlineBinary": "", "BulkDataURI": ""}, "has both InlineBinary and BulkData"),
    "values for bytes": ({"vr": "OB", "Value": [1]}, "OB takes InlineBinary or BulkDataURI, not Value"),
    "base64 of wrong letters": ({"vr": "OB", "InlineBinary": "A*=="}, "inline binary is not base64"),
    "base64 cut short": ({"vr": "OB", "InlineBinary": "AAA"}, "inline binary is not base64"),
    "base64 beyond ASCII": ({"vr": "OB", "InlineBinary": "ÄÄÄÄ"}, "inline binary is not base64"),
    "inline numbers": ({"vr": "OB", "InlineBinary": 5}, "inline binary is base64 text, not 5"),
    "several inline": ({"vr": "OB", "InlineBinary": ["AA==", "AA=="]}, "inline binary is base64 text, not a list"),
    "a URI that is a number": ({"vr": "OB", "BulkDataURI": 5}, "BulkDataURI is text, not a int"),
}  # fmt: skip


@pytest.mark.parametrize(("attribute", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_attribute_is_refused(attribute, said):
    model = {"00081140": {"vr": "SQ", "Value": [{}, {"00081150": attribute}]}}
    for given in (model, json.dumps(model), json.dumps(model).encode()):
        with pytest.raises(dc.ParseError) as caught:
            dc.Dataset.from_json(given)
        assert str(caught.value).startswith(f"00081140[1].00081150: {said}")
        assert caught.value.tag == 0x00081150


KEYS = {
    "a word": "PatientName",
    "too short": "0010001",
    "a letter beyond F": "0010001G",
    "an item's": "FFFEE000",
    "of file meta information in an item": "00020010",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_wrong_key_is_refused(key):
    with pytest.raises(dc.ParseError, match=rf"^00081140\[0\]\.{key}: "):
        dc.Dataset.from_json({"00081140": {"vr": "SQ", "Value": [{key: {"vr": "LO"}}]}})


def test_a_key_that_is_not_text_is_refused():
    with pytest.raises(dc.ParseError, match=r"^5: "):
        dc.Dataset.from_json({5: {"vr": "LO"}})


def test_a_tag_in_upper_and_lower_case_occurs_twice():
    with pytest.raises(dc.ParseError, match=r"^0008001A: occurs twice"):
        dc.Dataset.from_json({"0008001a": {"vr": "UI"}, "0008001A": {"vr": "UI"}})


INSIDE = '{"00081140":{"vr":"SQ","Value":[{},{"00081150":%s}]}}'
TEXTS = {  # name: (text of the attribute object, part of the message)
    "a key twice": ('{"vr":"LO","vr":"SH"}', r"00081140\[1\]\.00081150: occurs twice"),
    "no colon": ('{"vr" "LO"}', r"00081140\[1\]\.00081150: expected a colon"),
    "no value": ('{"vr":}', r"00081140\[1\]\.00081150: expected a value"),
    "no comma": ('{"vr":"LO" "Value":[]}', r"00081140\[1\]\.00081150: expected a comma"),
    "a comma at the end": ('{"vr":"LO",}', r"00081140\[1\]\.00081150: expected a key in quotes"),
    "a number of many digits": ('{"vr":"DS","Value":[' + "1" * 5000 + "]}", "a number of 5000 digits"),
    "an invalid escape": ('{"vr":"\\x"}', r"00081140\[1\]\.00081150: Invalid .escape"),
    "a control character": ('{"vr":"\n"}', r"00081140\[1\]\.00081150: Invalid control"),
    "cut short": ('{"vr":"LO"', "comma"),
    "single quotes": ("{'vr':'LO'}", "a key in quotes"),
    "a number of zeros": ('{"vr":"DS","Value":[007]}', "a comma"),
    "a number beyond doubles": ('{"vr":"FD","Value":[1e999]}', "out of range for a double"),
}


@pytest.mark.parametrize(("found", "said"), TEXTS.values(), ids=TEXTS)
def test_an_error_in_the_text_names_the_element(found, said):
    with pytest.raises(dc.ParseError, match=said):
        dc.Dataset.from_json(INSIDE % found)


WHOLE = {
    "nothing": "",
    "white space": " \n",
    "a number": "5",
    "an array": "[]",
    "null": "null",
    "text after the value": "{} {}",
    "not JSON": "DICM",
    "not UTF-8": b'{"\xff":5}',
    "an unclosed string": '{"0008',
}


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_a_wrong_document_is_refused(text):
    with pytest.raises(dc.ParseError):
        dc.Dataset.from_json(text)


def nested(levels: int) -> str:
    return '{"00081140":{"vr":"SQ","Value":[' * levels + "{}" + "]}}" * levels


def test_nesting_is_read_up_to_the_limit():
    text = nested(256)
    ds = dc.Dataset.from_json(text)
    assert ds.to_json() == text
    assert json.loads(text) == ds.to_json_dict()
    assert ds.to_json(indent=2).count("\n") > 256
    with pytest.raises(dc.LimitError, match=r"^00081140\[0\]\.00081140"):
        dc.Dataset.from_json(nested(257))
    with pytest.raises(dc.LimitError, match="depth, 4"):
        dc.Dataset.from_json(nested(3), limits=dc.Limits(depth=4))


def test_nesting_too_deep_for_the_standard_library_is_read():
    text = nested(700)
    deep = dc.Dataset.from_json(text, limits=dc.Limits(depth=2000))
    assert deep.to_json() == text


BOMBS = {
    "arrays": "[" * 10_000_000,
    "objects": '{"00081140":' * 1_000_000,
    "sequences": '{"00081140":{"vr":"SQ","Value":[' * 500_000,
    "arrays in an attribute": '{"00081140":{"vr":"DS","Value":' + "[" * 10_000_000,
    "closed": "[" * 1_000_000 + "]" * 1_000_000,
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_depth_bombs_are_refused(text):
    with pytest.raises(dc.LimitError, match="deeper"):
        dc.Dataset.from_json(text)


def test_a_dict_nested_beyond_the_limit_is_refused():
    model: dict = {}
    for _ in range(100_000):
        model = {"00081140": {"vr": "SQ", "Value": [model]}}
    with pytest.raises(dc.LimitError):
        dc.Dataset.from_json(model)
    while model:  # freed level by level, because freeing it at once would recurse too deeply
        model = model["00081140"]["Value"].pop()


def test_more_elements_than_the_limit_are_refused():
    model = {f"0009{i:04X}": {"vr": "LO"} for i in range(0x1001, 0x1011)}
    with pytest.raises(dc.LimitError, match="elements, 10"):
        dc.Dataset.from_json(model, limits=dc.Limits(elements=10))
    with pytest.raises(dc.LimitError):
        dc.Dataset.from_json({"00081140": {"vr": "SQ", "Value": [{}] * 11}}, limits=dc.Limits(elements=10))


@pytest.mark.parametrize("name", ["CT_small.dcm", "rtplan.dcm", "chrH32.dcm"])
def test_damaged_text_raises_only_dicom_errors(name):
    """Any text gives a data set or a DicomError."""
    text = dc.dcmread(real(name)).to_json(bulk_data_element_handler=lambda _: "u", bulk_data_threshold=64)
    rng = random.Random(5)
    refused = 0
    for _ in range(300):
        characters = list(text)
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(characters))
            characters[at : at + rng.randint(0, 2)] = rng.choice(
                ['"', "{", "]", "0", "-", "\\", "null", "é", "1e999", ",", ""]
            )
        try:
            dc.Dataset.from_json("".join(characters))
        except dc.DicomError as error:
            assert str(error)
            refused += 1
    assert refused > 50


def test_every_truncation_is_refused():
    text = dc.dcmread(real("rtplan.dcm")).to_json()
    for cut in range(0, len(text), 37):
        with pytest.raises(dc.ParseError):
            dc.Dataset.from_json(text[:cut])
