"""Native DICOM Model documents in their usual form are read by native code: with the same results as by expat."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore.forms import xml_reader
from dicomcore.forms.xml_writer import HEAD, TAIL
from tests.forms.test_json_usual import facts
from tests.support.corpus import ABSENT, Real, dicom_files

EVERY = pytest.mark.parametrize("file", dicom_files(), ids=[file.name for file in dicom_files()])


def read(text: Any, **options: Any) -> Any:
    """The facts and issues of a data set, or its exception."""
    try:
        found = dc.Dataset.from_xml(text, **options)
    except (dc.DicomError, TypeError) as error:
        return type(error), str(error)
    return facts(found), sorted((issue.code, int(issue.tag), issue.message) for issue in found.issues)


def read_both_ways(text: Any, **options: Any) -> tuple[Any, Any]:
    usual = read(text, **options)
    with patch.object(xml_reader, "read_usual_xml", lambda *_: None):
        return usual, read(text, **options)


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@EVERY
def test_every_file(file: Real):
    text = dc.dcmread(file.path, force=True).to_xml(file_meta=True)
    for form in (text, text.encode()):
        usual, other = read_both_ways(form)
        assert usual == other


def values(*texts: str) -> str:
    return "".join(f'<Value number="{i}">{text}</Value>' for i, text in enumerate(texts, 1))


def name(content: str) -> str:
    return f'<PersonName number="1">{content}</PersonName>'


VALUES = {  # name: (VR, contents)
    "text": ("LO", values("a", " b ", "")),
    "empty": ("LO", values("")),
    "several empty": ("LO", values("", "")),
    "none": ("LO", ""),
    "white space": ("LO", "\n  \t"),
    "line breaks": ("LT", values("a\nb\tc")),
    "carriage return": ("LT", values("a\r\nb")),
    "references": ("LO", values("a&#38;b &lt;&gt; &#x41;")),
    "umlauts": ("LO", values("\xe4\u3042\U0001f600")),
    "no character": ("LO", values("\ufffe")),
    "control": ("LO", values("a\x01")),
    "end of CDATA": ("LO", values("a]]>b")),
    "greater": ("LO", values("a>b")),
    "CDATA": ("LO", values("<![CDATA[a]]>")),
    "comment": ("LO", values("a<!-- b -->c")),
    "instruction": ("LO", values("a<?b?>c")),
    "backslash": ("LO", values("a\\b")),
    "backslash in single text": ("LT", values("a\\b")),
    "closed": ("LO", '<Value number="1"/>'),
    "without numbers": ("LO", "<Value>a</Value><Value>b</Value>"),
    "numbers skipped": ("LO", '<Value number="3">a</Value>'),
    "numbers swapped": ("LO", '<Value number="2">a</Value><Value number="1">b</Value>'),
    "number twice": ("LO", '<Value number="1">a</Value><Value number="1">b</Value>'),
    "number 0": ("LO", '<Value number="0">a</Value>'),
    "number with zeros": ("LO", '<Value number="01">a</Value>'),
    "attribute twice": ("LO", '<Value number="1" number="1">a</Value>'),
    "single quotes": ("LO", "<Value number='1'>a</Value>"),
    "another attribute": ("LO", '<Value number="1" other="2">a</Value>'),
    "white space in tags": ("LO", '<Value  number="1" >a</Value >'),
    "white space round equals": ("LO", '<Value number = "1">a</Value>'),
    "not closed": ("LO", "<Value>a"),
    "wrongly closed": ("LO", "<Value>a</Item>"),
    "text between": ("LO", f"x{values('a')}"),
    "another element": ("LO", "<Values>a</Values>"),
    "UIDs": ("UI", values("1.2", "1.3")),
    "UID with padding": ("UI", values(" 1.2 ")),
    "name": ("PN", name("<Alphabetic><FamilyName>A</FamilyName><GivenName>B</GivenName></Alphabetic>")),
    "name without family": ("PN", name("<Alphabetic><GivenName>B</GivenName><NameSuffix>C</NameSuffix></Alphabetic>")),
    "name in disorder": ("PN", name("<Alphabetic><GivenName>B</GivenName><FamilyName>A</FamilyName></Alphabetic>")),
    "empty name": ("PN", name("")),
    "empty group": ("PN", name("<Alphabetic></Alphabetic>")),
    "closed group": ("PN", name("<Alphabetic/>")),
    "empty family": ("PN", name("<Alphabetic><FamilyName></FamilyName></Alphabetic>")),
    "five components": (
        "PN",
        name(
            "<Alphabetic>\n<FamilyName>A</FamilyName>\n<GivenName>B</GivenName>\n<MiddleName>C</MiddleName>\n"
            "<NamePrefix>D</NamePrefix>\n<NameSuffix>E</NameSuffix>\n</Alphabetic>\n"
        ),
    ),
    "groups": (
        "PN",
        name("<Alphabetic><FamilyName>A</FamilyName></Alphabetic><Phonetic><FamilyName>B</FamilyName></Phonetic>"),
    ),
    "equals in a name": ("PN", name("<Alphabetic><FamilyName>A=B</FamilyName></Alphabetic>")),
    "backslash in a name": ("PN", name("<Alphabetic><FamilyName>A\\B</FamilyName></Alphabetic>")),
    "caret in a name": ("PN", name("<Alphabetic><FamilyName>A^B</FamilyName></Alphabetic>")),
    "value in a name": ("PN", values("A^B")),
    "DS": ("DS", values("1.5", "-0", "", "1e3", " 2 ")),
    "DS text": ("DS", values("abc")),
    "DS empty": ("DS", values("")),
    "IS": ("IS", values("5", "007", "+3")),
    "IS fraction": ("IS", values("1.5")),
    "US": ("US", values("0", "65535", " 7 ")),
    "US too large": ("US", values("65536")),
    "US empty": ("US", values("")),
    "US empties": ("US", values("1", "")),
    "SS of a look-up table": ("SS", values("40000", "0", "16")),
    "SL": ("SL", values("-2147483648")),
    "UV": ("UV", values("18446744073709551615", "1")),
    "FD": ("FD", values("0.1", "-0", "-0.0", "1e-400", "4.9e-324", "9007199254740993", "NaN")),
    "FD zero": ("FD", values("-0")),
    "FD point": ("FD", values(".5")),
    "FL": ("FL", values("0.1", "-0", "3")),
    "FL too large": ("FL", values("1e39")),
    "AT": ("AT", values("00100010", "0028abcd")),
    "OB": ("OB", "<InlineBinary>AAE=</InlineBinary>"),
    "OB value": ("OB", values("a")),
    "bulk": ("OW", '<BulkData uri="x"/>'),
    "fragments": ("OB", '<DataFragment number="1"><InlineBinary>AAE=</InlineBinary></DataFragment>'),
    "UN": ("UN", "<InlineBinary>AAE=</InlineBinary>"),
    "UN values": ("UN", values("a")),
    "unknown VR": ("QQ", values("a")),
    "items": (
        "SQ",
        '<Item number="1"><DicomAttribute tag="00100020" vr="LO"><Value>a</Value></DicomAttribute></Item><Item/>'
        '<Item number="3"></Item>',
    ),
    "item out of turn": ("SQ", '<Item number="2"></Item>'),
    "item in text": ("LO", "<Item></Item>"),
    "value in a sequence": ("SQ", values("a")),
    "private in an item": (
        "SQ",
        '<Item number="1"><DicomAttribute tag="00090001" vr="LO" privateCreator="ME"><Value>a</Value></DicomAttribute>'
        '<DicomAttribute tag="00100020" vr="LO"/></Item>',
    ),
}


@pytest.mark.parametrize(("vr", "content"), VALUES.values(), ids=VALUES)
def test_attributes(vr, content):
    for tag in ("00281101", "00081140", "00091001", "0008114a", "00080000", "00020010", "FFFEE000"):
        one = f'<DicomAttribute tag="{tag}" vr="{vr}" keyword="K">{content}</DicomAttribute>'
        before = f'<DicomAttribute tag="00080005" vr="CS">{values("ISO_IR 192")}</DicomAttribute>'
        behind = '<DicomAttribute tag="FFFC0001" vr="LO"/>'
        inside = f'<DicomAttribute tag="0040A730" vr="SQ"><Item number="1">{one}{behind}</Item></DicomAttribute>'
        for text in (HEAD + one + TAIL, HEAD + before + one + behind + TAIL, f"{HEAD}{inside}\n{TAIL}\n"):
            for form in (text, text.encode()):
                usual, other = read_both_ways(form)
                assert usual == other
            handled = read_both_ways(text, bulk_data_uri_handler=lambda uri: b"\1\2")
            assert handled[0] == handled[1]


LONE = '<DicomAttribute tag="00100020" vr="LO"><Value>a</Value></DicomAttribute>'
MINE = '<DicomAttribute tag="00090001" vr="LO" privateCreator="ME"><Value>a</Value></DicomAttribute>'
DOCUMENTS = {
    "empty": "",
    "no attributes": HEAD + TAIL,
    "no name space": f"<NativeDicomModel>{LONE}{TAIL}",
    "another name space": f'<NativeDicomModel xmlns="x">{LONE}{TAIL}',
    "prefixed": f'<d:NativeDicomModel xmlns:d="http://dicom.nema.org/PS3.19/models/NativeDICOM">{TAIL}',
    "another encoding": f'<?xml version="1.0" encoding="ISO-8859-1"?><NativeDicomModel>{LONE}{TAIL}',
    "XML 1.1": f'<?xml version="1.1" encoding="UTF-8"?><NativeDicomModel>{LONE}{TAIL}',
    "doctype": f"<!DOCTYPE x><NativeDicomModel>{LONE}{TAIL}",
    "byte order mark": f"\ufeff<NativeDicomModel>{LONE}{TAIL}",
    "behind the end": f"{HEAD}{LONE}{TAIL}x",
    "second root": f"{HEAD}{TAIL}{HEAD}{TAIL}",
    "twice": HEAD + LONE + LONE + TAIL,
    "descending": f'{HEAD}{LONE}<DicomAttribute tag="00080060" vr="CS"/>{TAIL}',
    "no VR": f'{HEAD}<DicomAttribute tag="00100020"><Value>a</Value></DicomAttribute>{TAIL}',
    "no tag": f'{HEAD}<DicomAttribute vr="LO"/>{TAIL}',
    "private": HEAD + MINE + LONE + TAIL,
    "private twice": HEAD + MINE + LONE + MINE.replace("ME", "YOU") + TAIL,
    "private of one block twice": HEAD + MINE + LONE + MINE + TAIL,
    "value in the root": f"{HEAD}<Value>a</Value>{TAIL}",
    "text in the root": f"{HEAD}a{LONE}{TAIL}",
    "half a pair": f"{HEAD}{LONE.replace('>a<', chr(0xD800))}{TAIL}",
}


@pytest.mark.parametrize("text", DOCUMENTS.values(), ids=DOCUMENTS)
def test_documents(text):
    for form in (text, text.encode("utf-8", "surrogatepass")):
        usual, other = read_both_ways(form)
        assert usual == other


ITEMS = (
    f'<DicomAttribute tag="00081140" vr="SQ"><Item number="1">{LONE}</Item>\n<Item number="2"/></DicomAttribute>'
    f'<DicomAttribute tag="00280010" vr="US" keyword="Rows"><Value number="1">512</Value></DicomAttribute>'
)


@pytest.mark.parametrize("limit", range(10))
def test_limits(limit):
    for limits in (dc.Limits(elements=limit), dc.Limits(depth=limit)):
        usual, other = read_both_ways(HEAD + ITEMS + MINE + TAIL, limits=limits)
        assert usual == other


def test_every_truncation():
    text = f"<NativeDicomModel>{ITEMS}{TAIL}"
    for end in range(len(text)):
        usual, other = read_both_ways(text[:end])
        assert usual == other
        for mark in '<>/"=& a':
            usual, other = read_both_ways(text[:end] + mark + text[end + 1 :])
            assert usual == other


@given(st.data())
def test_damaged_documents(data):
    damaged = bytearray((HEAD + ITEMS + MINE + TAIL).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    usual, other = read_both_ways(bytes(damaged))
    assert usual == other
