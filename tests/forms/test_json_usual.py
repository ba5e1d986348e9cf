"""DICOM JSON in its usual form is read by native code: with the same results as the façade, which reads any form."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore.forms import json_reader
from tests.support.corpus import ABSENT, Real, dicom_files

EVERY = pytest.mark.parametrize("file", dicom_files(), ids=[file.name for file in dicom_files()])


def facts(data_set: Any) -> Any:
    """All that a data set holds, with the types of its values."""
    meta = data_set.file_meta
    return [
        None if meta is None else facts(meta),
        [
            (
                int(element.tag),
                element.VR,
                [facts(item) for item in element.value] if element.VR == "SQ" else typed(element.value),
            )
            for element in data_set
        ],
    ]


def typed(value: Any) -> Any:
    return [typed(each) for each in value] if isinstance(value, list) else (type(value), repr(value))


def read(text: Any, **options: Any) -> Any:
    """The facts and issues of a data set, or its exception."""
    try:
        found = dc.Dataset.from_json(text, **options)
    except (dc.DicomError, TypeError) as error:
        return type(error), str(error)
    return facts(found), sorted((issue.code, int(issue.tag), issue.message) for issue in found.issues)


def read_both_ways(text: Any, **options: Any) -> tuple[Any, Any]:
    usual = read(text, **options)
    with patch.object(json_reader, "read_usual", lambda *_: None):
        return usual, read(text, **options)


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@EVERY
def test_every_file(file: Real):
    ours = dc.dcmread(file.path, force=True)
    text = ours.to_json(file_meta=True)
    for form in (text, text.encode(), json.dumps(json.loads(text), indent=1)):
        usual, other = read_both_ways(form)
        assert usual == other


ATTRIBUTES = {  # name: (VR, what follows it in the attribute object)
    "text": ("LO", '"Value":["a","b ",null,""]'),
    "one null": ("LO", '"Value":[null]'),
    "several nulls": ("SH", '"Value":[null,null]'),
    "no values": ("DA", '"Value":[]'),
    "null for values": ("CS", '"Value":null'),
    "umlauts": ("LO", '"Value":["\xe4\u3042\U0001f600"]'),
    "escapes": ("LO", r'"Value":["\u00e4\"\n\/\ud83d\ude00"]'),
    "half a pair": ("LO", r'"Value":["\ud83d"]'),
    "backslash": ("LO", r'"Value":["a\\b"]'),
    "backslash in single text": ("LT", r'"Value":["a\\b"]'),
    "a tab": ("LO", '"Value":["a\tb"]'),
    "a number as text": ("LO", '"Value":[5]'),
    "UID": ("UI", '"Value":["1.2.3"]'),
    "UID with padding": ("UI", '"Value":[" 1.2.3 "]'),
    "empty UID": ("UI", '"Value":[""]'),
    "names": ("PN", '"Value":[{"Alphabetic":"A^B"},null,{"Alphabetic":"C"}]'),
    "name groups": ("PN", '"Value":[{"Alphabetic":"A","Ideographic":"\u5c71","Phonetic":"c"}]'),
    "ideographic alone": ("PN", '"Value":[{"Ideographic":"\u5c71"}]'),
    "empty name": ("PN", '"Value":[{}]'),
    "name as text": ("PN", '"Value":["A^B=="]'),
    "name with equals": ("PN", '"Value":[{"Alphabetic":"A=B"}]'),
    "name null": ("PN", '"Value":[{"Alphabetic":null}]'),
    "name twice": ("PN", '"Value":[{"Alphabetic":"A","Alphabetic":"B"}]'),
    "DS": ("DS", '"Value":[1,-0,-0.0,1.50,1e3,1E-3,"2.5",null,123456789012345678]'),
    "DS too large": ("DS", '"Value":[1e999]'),
    "DS long": ("DS", '"Value":[0.1000000000000000055511151231257827021181583404541015625]'),
    "DS of many digits": ("DS", '"Value":[1234567890123456789012]'),
    "DS text": ("DS", '"Value":["abc"]'),
    "DS empty text": ("DS", '"Value":[""]'),
    "DS special": ("DS", '"Value":["NaN"]'),
    "IS": ("IS", '"Value":[1,-5,"7","08",null]'),
    "IS decimal": ("IS", '"Value":[1.0]'),
    "IS fraction": ("IS", '"Value":["1.5"]'),
    "FL": ("FL", '"Value":[0.1,1,-2e10]'),
    "FL too large": ("FL", '"Value":[1e39]'),
    "FL just too large": ("FL", '"Value":[3.4028235677973366e38]'),
    "FL special": ("FL", '"Value":["NaN","Infinity"]'),
    "FD": ("FD", '"Value":[0.1,1,-2e300,4.9e-324,9007199254740993]'),
    "FD null": ("FD", '"Value":[null]'),
    "FD nulls": ("FD", '"Value":[null,1.0]'),
    "NaN": ("FD", '"Value":[NaN]'),
    "US": ("US", '"Value":[0,65535]'),
    "US too large": ("US", '"Value":[65536]'),
    "US negative": ("US", '"Value":[-1]'),
    "US decimal": ("US", '"Value":[1.0]'),
    "US text": ("US", '"Value":["17"]'),
    "US null": ("US", '"Value":[1,null]'),
    "SS": ("SS", '"Value":[-32768,32767]'),
    "SS too large": ("SS", '"Value":[32768]'),
    "UL": ("UL", '"Value":[4294967295]'),
    "UL too large": ("UL", '"Value":[4294967296]'),
    "SL": ("SL", '"Value":[-2147483648]'),
    "SL too small": ("SL", '"Value":[-2147483649]'),
    "UV": ("UV", '"Value":[18446744073709551615,999999999999999999,"5"]'),
    "SV": ("SV", '"Value":[-9223372036854775808,-999999999999999999]'),
    "true": ("US", '"Value":[true]'),
    "leading zero": ("US", '"Value":[01]'),
    "plus": ("US", '"Value":[+1]'),
    "minus alone": ("US", '"Value":[-]'),
    "point alone": ("FD", '"Value":[1.]'),
    "exponent alone": ("FD", '"Value":[1e]'),
    "trailing comma": ("US", '"Value":[1,]'),
    "leading comma": ("US", '"Value":[,1]'),
    "AT": ("AT", '"Value":["00100010","0028aBcD"]'),
    "AT short": ("AT", '"Value":["0010"]'),
    "bytes": ("OB", '"InlineBinary":"AAE="'),
    "no bytes": ("OW", '"Value":[]'),
    "bulk": ("OW", '"BulkDataURI":"http://example.org/1"'),
    "UN": ("UN", '"InlineBinary":"AAE="'),
    "UN with values": ("UN", '"Value":["a"]'),
    "unknown VR": ("QQ", '"Value":["a"]'),
    "long VR": ("LOL", '"Value":["a"]'),
    "unknown member": ("LO", '"Value":["a"],"Other":1'),
    "value twice": ("LO", '"Value":["a"],"Value":["b"]'),
    "VR twice": ("LO", '"vr":"SH"'),
    "items": ("SQ", '"Value":[{"00100020":{"vr":"LO","Value":["a"]}},null,{}]'),
    "no items": ("SQ", '"Value":[]'),
    "null for items": ("SQ", '"Value":null'),
    "text for an item": ("SQ", '"Value":["a"]'),
    "sequence with bytes": ("SQ", '"InlineBinary":"AAE="'),
    "member behind items": ("SQ", '"Value":[],"Other":1'),
    "UN in an item": ("SQ", '"Value":[{"00091001":{"vr":"UN","InlineBinary":"AAE="}},{"00100020":{"vr":"LO"}}]'),
    "meta in an item": ("SQ", '"Value":[{"00020010":{"vr":"UI","Value":["1.2"]}}]'),
    "trailing comma behind an item": ("SQ", '"Value":[{},]'),
}


@pytest.mark.parametrize(("vr", "rest"), ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_attributes(vr, rest):
    for tag in ("00081140", "00281101", "00091010"):
        before, behind = '"00080060":{"vr":"CS","Value":["MR"]}', '"FFFC0001":{"vr":"LO","Value":["end"]}'
        for text in (
            f'{{{before},"{tag}":{{"vr":"{vr}",{rest}}},{behind}}}',
            f' {{ {before} ,\n"{tag}"\t: {{ "vr" :\r"{vr}" , {rest} }} , {behind} }} ',
            f'{{"{tag}":{{{rest},"vr":"{vr}"}}}}',
            f'{{"00080005":{{"vr":"SQ","Value":[{{"{tag}":{{"vr":"{vr}",{rest}}}}}]}}}}',
        ):
            usual, other = read_both_ways(text)
            assert usual == other
            handled = read_both_ways(text, bulk_data_uri_handler=lambda uri: b"\1\2")
            assert handled[0] == handled[1]


DOCUMENTS = {
    "empty": "{}",
    "nothing": "",
    "an array": "[{}]",
    "text": '"a"',
    "behind the end": "{} x",
    "byte order mark": "\ufeff{}",
    "no end": '{"00100010":{"vr":"PN"}',
    "no end of a text": '{"00100010":{"vr":"PN","Value":["a',
    "no end of a key": '{"0010',
    "descending": '{"00100020":{"vr":"LO","Value":["a"]},"00100010":{"vr":"PN"}}',
    "twice": '{"00100020":{"vr":"LO"},"00100020":{"vr":"LO"}}',
    "twice in other letters": '{"0010002A":{"vr":"LO"},"0010002a":{"vr":"LO"}}',
    "tag 0": '{"00000000":{"vr":"UL","Value":[4]}}',
    "group length": '{"00080000":{"vr":"UL","Value":[4]},"00080060":{"vr":"CS"}}',
    "meta": '{"00020010":{"vr":"UI","Value":["1.2.840.10008.1.2.1"]},"00080060":{"vr":"CS","Value":["MR"]}}',
    "delimiter": '{"FFFEE000":{"vr":"LO"}}',
    "keyword": '{"PatientID":{"vr":"LO"}}',
    "no object": '{"00100020":"a"}',
    "no VR": '{"00100020":{}}',
    "bracket in text": '{"00091001":{"vr":"UN","Value":["}]\\"{"]},"00100020":{"vr":"LO","Value":["]}"]}}',
    "mismatched brackets": '{"00091001":{"vr":"UN","Value":[}],"x":{]}}',
    "creator behind its elements": (
        '{"00091001":{"vr":"UN","InlineBinary":"MTAg"},"00090010":{"vr":"LO","Value":["GEMS_IDEN_01"]}}'
    ),
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents(text):
    for form in (text, text.encode(), bytearray(text.encode())):
        usual, other = read_both_ways(form)
        assert usual == other


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_limits(limit):
    text = '{"00080060":{"vr":"CS"},"0040A730":{"vr":"SQ","Value":[{"0040A730":{"vr":"SQ","Value":[{},null]}}]}}'
    for limits in (dc.Limits(elements=limit), dc.Limits(depth=limit)):
        usual, other = read_both_ways(text, limits=limits)
        assert usual == other


def test_every_truncation():
    text = (
        '{"00080060":{"vr":"CS","Value":["\xe4",null]},"0040A730":{"vr":"SQ","Value":[{"00280010":{"vr":"US","Value":[1'
    )
    text += (
        ',2]}},{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A"}]}}]},"00420011":{"vr":"OB","InlineBinary":"AA=="}}'
    )
    for end in range(len(text)):
        usual, other = read_both_ways(text[:end])
        assert usual == other
        for mark in '{}[],:"\\0 n':
            usual, other = read_both_ways(text[:end] + mark + text[end + 1 :])
            assert usual == other


@given(st.data())
def test_damaged_text(data):
    text = '{"00080005":{"vr":"CS","Value":["ISO_IR 192"]},"00081140":{"vr":"SQ","Value":[{"00100010":{"vr":"PN",'
    text += '"Value":[{"Alphabetic":"A^B"}]},"00101030":{"vr":"DS","Value":[70.5,-1e2]}},null]},"00280010":{"vr":"US",'
    text += '"Value":[512]}}'
    damaged = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    usual, other = read_both_ways(bytes(damaged))
    assert usual == other


def test_a_subclass_and_an_element_are_those_of_any_data_set():
    class Own(dc.Dataset):
        pass

    text = (
        '{"00081140":{"vr":"SQ","Value":[{"00100020":{"vr":"LO","Value":["a"]}}]},"00100020":{"vr":"LO","Value":["b"]}}'
    )
    found = Own.from_json(text)
    assert type(found) is Own
    assert type(found[0x00081140].value) is dc.Sequence
    assert type(found[0x00081140].value[0]) is dc.Dataset
    found.ReferencedImageSequence[0].PatientID = "c"
    found.ReferencedImageSequence.append(dc.Dataset())
    found.PatientID = "d"
    assert dc.dcmread(found.to_bytes(enforce_standard=False), force=True).ReferencedImageSequence[0].PatientID == "c"
    assert found.copy() == found
