"""All 34 VRs, from explicit and implicit VR, either byte order: value, raw, array, VM, as docs/design.md has them."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw


class Kind(NamedTuple):
    """One VR: a tag with it in PS3.6, bytes of several values (a struct format for numbers), and the values."""

    tag: int
    content: bytes | str
    values: list[Any]
    dtype: str  # of el.array
    packed: tuple[Any, ...] = ()  # what struct packs where that isn't `values`


TEXT = "O"
NO_BACKSLASH = ("LT", "ST", "UR", "UT")
BULK = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")
KINDS = {
    "AE": Kind(0x00080054, b" ONE \\TWO", ["ONE", "TWO"], TEXT),
    "AS": Kind(0x00101010, b"047Y", ["047Y"], TEXT),
    "AT": Kind(0x00280009, "4H", [dc.Tag(0x00181063), dc.Tag(0x3004000C)], "u4", (0x0018, 0x1063, 0x3004, 0x000C)),
    "CS": Kind(0x00080008, b"ORIGINAL\\PRIMARY ", ["ORIGINAL", "PRIMARY"], TEXT),
    "DA": Kind(0x00080022, b"20240102\\20240103", ["20240102", "20240103"], TEXT),
    "DS": Kind(0x00200032, b"-1.5\\+2e1\\ 3 ", [-1.5, 20.0, 3.0], "f8"),
    "DT": Kind(0x0008002A, b"20240102030405.5+0100 ", ["20240102030405.5+0100"], TEXT),
    "FD": Kind(0x00189073, "2d", [1.5, -2.25], "f8"),
    "FL": Kind(0x00089459, "2f", [1.5, -2.25], "f4"),
    "IS": Kind(0x00200013, b"12\\-3\\+4", [12, -3, 4], "i8"),
    "LO": Kind(0x00081030, b"one \\ two", ["one", " two"], TEXT),
    "LT": Kind(0x00104000, b"one\\two ", ["one\\two"], TEXT),
    "OB": Kind(0x00420011, b"\1\2\3\4", [b"\1\2\3\4"], "u1"),
    "OD": Kind(0x00701A07, "2d", [], "f8", (1.5, -2.25)),
    "OF": Kind(0x00640009, "2f", [], "f4", (1.5, -2.25)),
    "OL": Kind(0x00660129, "2I", [], "u4", (0x01020304, 0x05060708)),
    "OV": Kind(0x7FE00001, "2Q", [], "u8", (0x0102030405060708, 1)),
    "OW": Kind(0x7FE00010, "2H", [], "u2", (0x0102, 0x0304)),
    "PN": Kind(0x00100010, b"A^B\\C^D ", ["A^B", "C^D"], TEXT),
    "SH": Kind(0x00200010, b"one\\two ", ["one", "two"], TEXT),
    "SL": Kind(0x00186020, "2i", [-0x01020304, 5], "i4"),
    "SS": Kind(0x00189219, "2h", [-0x0102, 5], "i2"),
    "ST": Kind(0x00080081, b"one\\two ", ["one\\two"], TEXT),
    "SV": Kind(0x00720082, "2q", [-0x0102030405060708, 5], "i8"),
    "TM": Kind(0x00080030, b"010203.5\\04", ["010203.5", "04"], TEXT),
    "UC": Kind(0x00080119, b"one\\two ", ["one", "two"], TEXT),
    "UI": Kind(0x00080018, b"1.2.3\\1.2.4\0", [dc.UID("1.2.3"), dc.UID("1.2.4")], TEXT),
    "UL": Kind(0x00080000, "2I", [0x01020304, 5], "u4"),
    "UN": Kind(0x00091099, b"\1\2\3\4", [b"\1\2\3\4"], "u1"),
    "UR": Kind(0x00081190, b"http://x.org/a\\b ", ["http://x.org/a\\b"], TEXT),
    "US": Kind(0x00280010, "2H", [0x0102, 0xF304], "u2"),
    "UT": Kind(0x0040A160, b"one\\two ", ["one\\two"], TEXT),
    "UV": Kind(0x00720083, "2Q", [0x0102030405060708, 5], "u8"),
}
ENCODINGS = {"implicit": raw.IMPLICIT, "explicit": raw.EXPLICIT, "big endian": raw.BIG_ENDIAN}


def content_of(kind: Kind, big: bool) -> bytes:
    if isinstance(kind.content, bytes):
        return kind.content
    return struct.pack((">" if big else "<") + kind.content, *(kind.packed or kind.values))


def made(vr: str, encoding: str, content: bytes) -> dc.DataElement:
    """The element as read from a file that holds this content and another element behind it."""
    syntax, tag = ENCODINGS[encoding], KINDS[vr].tag
    explicit, big = encoding != "implicit", encoding == "big endian"
    one = raw.element(tag, vr if explicit else None, content, big=big)
    after = raw.element(0xFFFCFFFC, "OB" if explicit else None, b"\0\0", big=big)
    return dc.dcmread(raw.part10(one + after, syntax))[tag]


def test_every_vr_is_here():
    assert len(KINDS) + len(["SQ"]) == 34


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("vr", KINDS)
def test_several_values(vr: str, encoding: str):
    kind = KINDS[vr]
    content = content_of(kind, encoding == "big endian")
    element = made(vr, encoding, content)
    values = [content] if vr in BULK else kind.values
    assert vr == element.VR
    assert element.value == (values if len(values) > 1 else values[0])
    assert type(element.value) is (list if len(values) > 1 else type(values[0]))
    assert len(values) == element.VM
    assert element.raw == content
    assert element.raw.readonly
    assert element.length == len(content)
    array = element.array
    assert array.dtype.newbyteorder("=") == np.dtype(kind.dtype)
    expected = kind.packed if vr in BULK and kind.packed else list(content) if vr in BULK else values
    assert array.tolist() == list(expected)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("vr", [vr for vr in KINDS if vr not in BULK and vr not in NO_BACKSLASH])
def test_one_value(vr: str, encoding: str):
    kind, big = KINDS[vr], encoding == "big endian"
    if isinstance(kind.content, bytes):
        content = kind.content.split(b"\\")[0]
    else:
        content = content_of(kind, big)
        content = content[: len(content) // 2]
    element = made(vr, encoding, content)
    assert element.value == kind.values[0]
    assert type(element.value) in (type(kind.values[0]), dc.PersonName)
    assert element.VM == 1
    assert element.array.tolist() == [kind.values[0]]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("vr", NO_BACKSLASH)
def test_other_characters_divide_no_text(vr: str, encoding: str):
    """Bytes that the character set, or the default repertoire of UR, lacks."""
    assert made(vr, encoding, b"a\\\xe9 ").VM == 1


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("vr", KINDS)
def test_empty(vr: str, encoding: str):
    element = made(vr, encoding, b"")
    text = KINDS[vr].dtype == TEXT
    assert element.value == ("" if text else None)
    assert element.VM == 0
    assert element.is_empty
    assert len(element.array) == 0
    assert element.raw == b""


@pytest.mark.parametrize("vr", ["US", "SL", "FL", "FD", "UV", "OW", "OF", "OD"])
def test_arrays_view_the_bytes_of_the_source(vr: str):
    element = made(vr, "explicit", content_of(KINDS[vr], False))
    array = element.array
    assert not array.flags.owndata
    assert not array.flags.writeable


@pytest.mark.parametrize("vr", ["US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"])
def test_numbers_come_in_native_order(vr: str):
    assert made(vr, "big endian", content_of(KINDS[vr], True)).array.dtype.isnative


def read_one(tag: int, vr: str | None, content: bytes, *before: bytes, syntax: str = raw.EXPLICIT) -> dc.DataElement:
    return dc.dcmread(raw.part10(b"".join(before) + raw.element(tag, vr, content), syntax))[tag]


# ---- DS and IS ---------------------------------------------------------------------------------------------------

DECIMALS = {  # bytes of a DS: value
    b"1": 1.0,
    b" 1.50 ": 1.5,
    b"+1.5": 1.5,
    b"-.5 ": -0.5,
    b"5. ": 5.0,
    b"1e3 ": 1000.0,
    b"1E-3": 0.001,
    b"0.1 ": 0.1,
    b"123456789.1234567890123 ": 123456789.1234567890123,
    b"9007199254740993": 9007199254740993.0,
    b"4.9e-324": 5e-324,
    b"1.7976931348623157e308": 1.7976931348623157e308,
    b"1\0": 1.0,
    b"1\\2\\": [1.0, 2.0, ""],
    b"\\1 ": ["", 1.0],
    b"1,5 ": "1,5",
    b"nan ": "nan",
    b"inf ": "inf",
    b"1_000 ": "1_000",
    b"1e400 ": "1e400",
    b"0x10": "0x10",
    b"abc ": "abc",
    b"    ": None,
}
INTEGERS = {
    b"12": 12,
    b"-12 ": -12,
    b"+12 ": 12,
    b" 12 ": 12,
    b"012 ": 12,
    b"2147483648": 2147483648,
    b"99999999999999999999": 99999999999999999999,
    b"1\\2 ": [1, 2],
    b"1A": "1A",
    b"1.5 ": 1.5,
    b"1,5 ": "1,5",
    b"1_0 ": "1_0",
    b"\xff\xfe": "\xff\xfe",
    b"    ": None,
}


def texts(value: Any) -> list[str]:
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str) and v]


@pytest.mark.parametrize(("vr", "tag", "content", "value"),
                         [("DS", 0x00101030, *case) for case in DECIMALS.items()]
                         + [("IS", 0x00200013, *case) for case in INTEGERS.items()])  # fmt: skip
def test_number_strings(vr: str, tag: int, content: bytes, value: Any):
    data_set = dc.dcmread(raw.part10(raw.element(tag, vr, content)))
    element = data_set[tag]
    assert element.value == value
    assert type(element.value) is type(value)
    fraction = vr == "IS" and isinstance(value, float)
    assert ("BAD_VALUE" in {issue.code for issue in data_set.issues}) == (bool(texts(value)) or fraction)
    array = element.array
    numbers = [v for v in (value if isinstance(value, list) else [value]) if v is not None]
    if all(isinstance(v, (int, float)) for v in numbers):
        assert array.tolist() == [pytest.approx(v, rel=1e-15) for v in numbers]  # float64 beyond int64
    else:
        assert array.dtype == np.float64 or vr == "IS"
        assert len(array) == len(numbers)


def test_integer_strings_written_as_decimals():
    """pydicom accepts "1.0" as an IS; a whole value is an integer."""
    assert read_one(0x00200013, "IS", b"1.0 ").value == 1


def test_integer_strings_past_a_double_are_infinite_in_arrays():
    element = dc.dcmread(raw.part10(raw.element(0x00200013, "IS", b"1e400\\-1e400\\x\\1 ")))[0x00200013]
    assert element.value == [10**400, -(10**400), "x", 1]
    np.testing.assert_array_equal(element.array, [np.inf, -np.inf, np.nan, 1])


# ---- VRs that depend on what stands around them ------------------------------------------------------------------

SIGNED = raw.element(0x00280103, None, b"\1\0")
UNSIGNED = raw.element(0x00280103, None, b"\0\0")


@pytest.mark.parametrize(("before", "vr", "value"), [(SIGNED, "SS", -2), (UNSIGNED, "US", 65534), (b"", "US", 65534)])
def test_us_or_ss_by_pixel_representation(before: bytes, vr: str, value: int):
    element = read_one(0x00280106, None, b"\xfe\xff", before, syntax=raw.IMPLICIT)
    assert (element.VR, element.value) == (vr, value)


def test_us_or_ss_in_an_item_by_the_nearest_data_set():
    inside = raw.element(0x00280106, None, b"\xfe\xff")
    made = SIGNED + raw.sequence(0x00283010, raw.item(inside), raw.item(UNSIGNED + inside), vr=None)
    items = dc.dcmread(raw.part10(made, raw.IMPLICIT))[0x00283010].value
    assert [item[0x00280106].value for item in items] == [-2, 65534]


def test_pixel_data_is_ow_in_implicit_vr_and_as_stated_elsewhere():
    assert read_one(0x7FE00010, None, b"\1\2", syntax=raw.IMPLICIT).VR == "OW"
    assert read_one(0x7FE00010, "OB", b"\1\2").VR == "OB"


@pytest.mark.parametrize(("entries", "vr"), [(1, "US"), (256, "OW")])
def test_lut_data_by_its_descriptor(entries: int, vr: str):
    descriptor = raw.element(0x00283002, None, struct.pack("<3H", entries, 0, 16))
    item = raw.item(descriptor + raw.element(0x00283006, None, b"\1\2"))
    found = dc.dcmread(raw.part10(raw.sequence(0x00283000, item, vr=None), raw.IMPLICIT))
    assert vr == found[0x00283000].value[0][0x00283006].VR


def test_un_is_read_by_the_vr_of_the_dictionary():
    assert read_one(0x00100010, "UN", b"A^B ").value == "A^B"
    assert read_one(0x00280010, "UN", b"\2\1").value == 0x0102
    long = read_one(0x00420011, "UN", bytes(70_000))  # as what is longer than 65534 bytes is written (PS3.5 6.2.2)
    assert long.VR == "OB"


def test_private_elements_by_their_creator():
    creator = raw.element(0x00190010, None, b"SIEMENS MR HEADER ")
    element = read_one(0x0019100C, None, b"1000", creator, syntax=raw.IMPLICIT)
    assert (element.VR, element.value, element.private_creator) == ("IS", 1000, "SIEMENS MR HEADER")
    assert element.name == "[B_value]"
    moved = raw.element(0x00190042, None, b"SIEMENS MR HEADER ")
    assert read_one(0x0019420C, None, b"1000", moved, syntax=raw.IMPLICIT).VR == "IS"
    assert read_one(0x0019100C, None, b"1000", syntax=raw.IMPLICIT).VR == "UN"


# ---- text --------------------------------------------------------------------------------------------------------


def test_character_sets_reach_into_items():
    latin, utf8 = raw.element(0x00080005, "CS", b"ISO_IR 100"), raw.element(0x00080005, "CS", b"ISO_IR 192")
    inherited = raw.item(raw.element(0x00081030, "LO", "Ä".encode("latin-1") + b" "))
    own = raw.item(utf8 + raw.element(0x00081030, "LO", "Ä".encode()))
    found = dc.dcmread(raw.part10(latin + raw.sequence(0x00081140, inherited, own)))
    assert [item.StudyDescription for item in found[0x00081140].value] == ["Ä", "Ä"]
    assert found.issues == ()


def test_character_sets_reach_into_late_sequences():
    latin = raw.element(0x00080005, "CS", b"ISO_IR 100")
    inside = raw.item(raw.element(0x00081030, None, "Ä".encode("latin-1") + b" "))
    found = dc.dcmread(raw.part10(latin + raw.sequence(0x00081140, inside, vr="UN")))
    assert found[0x00081140].value[0].StudyDescription == "Ä"


def test_a_wrong_character_set_is_reported_and_text_stays_readable():
    utf8 = raw.element(0x00080005, "CS", b"ISO_IR 192")
    found = dc.dcmread(raw.part10(utf8 + raw.element(0x00081030, "LO", b"\xc4 ")))
    assert isinstance(found.StudyDescription, str)
    assert found[0x00081030].raw == b"\xc4 "
    assert "CHARACTER_SET" in {issue.code for issue in found.issues}


def test_person_names_have_parts():
    name = read_one(0x00100010, "PN", b"Yamada^Tarou=ideo=phon")
    assert isinstance(name.value, dc.PersonName)
    assert (name.value.family_name, name.value.ideographic, name.value.phonetic) == ("Yamada", "ideo", "phon")
