"""Arrays of objects, as a DICOMweb service answers: where their objects begin and end, and what is read of them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore._native.forms.reader import object_spans
from dicomcore.errors import ParseError
from dicomcore.forms import read_json_lines

ARRAYS = {  # name: (text, objects; None for what is no array of objects)
    "two": (b'[{"a":1},{"b":2}]', [b'{"a":1}', b'{"b":2}']),
    "space everywhere": (b' [ {"a": 1} ,\r\n\t{ } ] \n', [b'{"a": 1}', b"{ }"]),
    "none": (b"[ ]", []),
    "brackets in text": (rb'[{"a":"}]{[\"}"},{"b":"\\"}]', [rb'{"a":"}]{[\"}"}', rb'{"b":"\\"}']),
    "nested": (b'[{"a":[{"b":{}},[]]}]', [b'{"a":[{"b":{}},[]]}']),
    "an object": (b'{"a":1}', None),
    "numbers": (b"[1,2]", None),
    "a number among objects": (b'[{"a":1},2]', None),
    "no comma": (b'[{"a":1}{"b":2}]', None),
    "a comma at the end": (b'[{"a":1},]', None),
    "a comma at the beginning": (b'[,{"a":1}]', None),
    "no end": (b'[{"a":1}', None),
    "an object without an end": (b'[{"a":1', None),
    "text without an end": (b'[{"a":"1}]', None),
    "an escape at the end": (b'[{"a":"\\', None),
    "something behind it": (b'[{"a":1}] x', None),
    "nothing": (b"", None),
    "a bracket": (b"[", None),
}


@pytest.mark.parametrize(("text", "objects"), ARRAYS.values(), ids=ARRAYS)
def test_spans(text, objects):
    for kind in (bytes, bytearray, memoryview):
        spans = object_spans(kind(text))
        assert objects == (None if spans is None else [text[start:stop] for start, stop in spans])


@pytest.mark.parametrize("text", [text for text, objects in ARRAYS.values() if objects], ids=str)
def test_truncations(text):
    for size in range(len(text.rstrip()) - 1):
        assert object_spans(text[:size]) is None


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9) | st.lists(st.text(max_size=3)), max_size=4)))
def test_what_is_written_is_found(models):
    text = json.dumps(models, ensure_ascii=False).encode("utf-8", "surrogatepass")
    spans = object_spans(text)
    assert spans is not None
    assert [json.loads(text[start:stop].decode("utf-8", "surrogatepass")) for start, stop in spans] == models


def test_objects_are_given_before_a_fault_in_a_later_one():
    found = read_json_lines([b'[{"00100020":{"vr":"LO","Value":["1"]}},{"00100020":7}]'])
    assert next(found).PatientID == "1"
    with pytest.raises(ParseError, match="an attribute is an object"):
        next(found)


@pytest.mark.parametrize("text", [b'[{"a"]', b"[{]", b'[{"00100020":{"vr":"LO"}},{]', b'[{"x":1}}]'])
def test_damaged_arrays_are_refused(text):
    with pytest.raises(ParseError):
        list(read_json_lines([text]))
