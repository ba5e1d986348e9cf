"""Deviations from the standard by real writers: each is read as far as it makes sense, and reported in ds.issues.

Expected values are those that the writer meant. Each was tried with pydicom and DCMTK: dicomcore reads at least as
much as the more tolerant of the two.
"""

from __future__ import annotations

import logging
import struct
import warnings
from typing import Any

import pydicom
import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.corpus import real

NAME, MODALITY, ROWS, LAST = 0x00100010, 0x00080060, 0x00280010, 0xFFFAFFFA
SEQUENCE, CLASS_UID = 0x00081140, 0x00081150
BEFORE = raw.element(MODALITY, "CS", b"MR")
AFTER = raw.element(NAME, "PN", b"A^B ")
AFTER_IMPLICIT = raw.element(NAME, None, b"A^B ")
INSIDE = raw.element(CLASS_UID, "UI", b"1.2.3\0")
INSIDE_IMPLICIT = raw.element(CLASS_UID, None, b"1.2.3\0")
OPENED = raw.header(SEQUENCE, "SQ", raw.UNDEFINED)
ITEM_OPENED = raw.header(raw.ITEM, None, raw.UNDEFINED)
ITEM_CLOSED = raw.header(raw.ITEM_END, None, 0)
CLOSED = raw.header(raw.SEQUENCE_END, None, 0)


def stranger(tag: int, letters: bytes, value: bytes, *, long: bool = False) -> bytes:
    """An element with an unknown VR, in the short or the long form."""
    size = struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value))
    return raw.tag_bytes(tag) + letters + size + value


class Items(list):  # type: ignore[type-arg]
    """Expected items, each {tag: value}."""


ONE_ITEM = Items([{CLASS_UID: "1.2.3"}])
DEVIATIONS: dict[str, tuple[bytes, str, dict[int, Any], list[str]]] = {
    # name: (data set, transfer syntax, what is read, codes of the issues by offset)
    "unknown VR, short form": (
        stranger(MODALITY, b"ZZ", b"MR") + AFTER, raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"}, ["UNKNOWN_VR"],
    ),
    "unknown VR, long form": (
        stranger(MODALITY, b"ZZ", b"MR", long=True) + AFTER, raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"},
        ["UNKNOWN_VR"],
    ),
    "unknown VR at the end": (
        BEFORE + stranger(NAME, b"ZZ", b"abcd"), raw.EXPLICIT, {MODALITY: "MR", NAME: "abcd"}, ["UNKNOWN_VR"],
    ),
    "VR ??": (
        BEFORE + stranger(NAME, b"??", b"A^B ") + raw.element(ROWS, "US", b"\2\1"), raw.EXPLICIT,
        {MODALITY: "MR", ROWS: 0x0102}, ["UNKNOWN_VR"],
    ),
    "VR of two zeros, short form": (
        BEFORE + stranger(NAME, b"\0\0", b"A^B ") + raw.element(ROWS, "US", b"\2\1"), raw.EXPLICIT,
        {MODALITY: "MR", ROWS: 0x0102}, ["UNKNOWN_VR"],
    ),
    "VR of two blanks, first of all": (
        stranger(MODALITY, b"  ", b"MR") + AFTER, raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"}, ["UNKNOWN_VR"],
    ),
    "VRs of two zeros, one behind the other": (
        stranger(MODALITY, b"\0\0", b"MR") + stranger(NAME, b"\0\0", b"A^B ") + raw.element(ROWS, "US", b"\2\1"),
        raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B", ROWS: 0x0102}, ["UNKNOWN_VR", "UNKNOWN_VR"],
    ),
    "VRs in small letters": (
        stranger(MODALITY, b"cs", b"MR") + stranger(NAME, b"pn", b"A^B "), raw.EXPLICIT,
        {MODALITY: "MR", NAME: "A^B"}, ["UNKNOWN_VR", "UNKNOWN_VR"],
    ),
    "VR of two blanks, first of an item": (
        OPENED + raw.header(raw.ITEM, None, 14) + stranger(CLASS_UID, b"  ", b"1.2.3\0") + CLOSED + AFTER, raw.EXPLICIT,
        {SEQUENCE: ONE_ITEM, NAME: "A^B"}, ["UNKNOWN_VR"],
    ),
    "VR of two zeros, first of an item of undefined length": (
        OPENED + ITEM_OPENED + stranger(CLASS_UID, b"\0\0", b"1.2.3\0") + raw.element(0x00081155, "UI", b"1.4\0")
        + ITEM_CLOSED + CLOSED + AFTER, raw.EXPLICIT,
        {SEQUENCE: Items([{CLASS_UID: "1.2.3", 0x00081155: "1.4"}]), NAME: "A^B"}, ["UNKNOWN_VR"],
    ),
    "one implicit element among explicit ones": (
        BEFORE + AFTER_IMPLICIT + raw.element(ROWS, "US", b"\2\1"), raw.EXPLICIT,
        {MODALITY: "MR", NAME: "A^B", ROWS: 0x0102}, ["IMPLICIT_IN_EXPLICIT"],
    ),
    "implicit, labelled explicit": (
        raw.element(MODALITY, None, b"MR") + AFTER_IMPLICIT, raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"},
        ["IMPLICIT_IN_EXPLICIT"],
    ),
    "explicit, labelled implicit": (
        BEFORE + AFTER, raw.IMPLICIT, {MODALITY: "MR", NAME: "A^B"}, ["EXPLICIT_IN_IMPLICIT"],
    ),
    "big endian, labelled little": (
        raw.element(MODALITY, "CS", b"MR", big=True) + raw.element(ROWS, "US", b"\1\2", big=True), raw.EXPLICIT,
        {MODALITY: "MR", ROWS: 0x0102}, ["WRONG_BYTE_ORDER"],
    ),
    "little endian, labelled big": (
        BEFORE + raw.element(ROWS, "US", b"\2\1"), raw.BIG_ENDIAN, {MODALITY: "MR", ROWS: 0x0102}, ["WRONG_BYTE_ORDER"],
    ),
    "items in implicit VR": (
        raw.sequence(SEQUENCE, raw.item(INSIDE_IMPLICIT)) + AFTER, raw.EXPLICIT, {SEQUENCE: ONE_ITEM, NAME: "A^B"},
        ["IMPLICIT_IN_EXPLICIT"],
    ),
    "undefined items in implicit VR": (
        raw.sequence(SEQUENCE, raw.item(INSIDE_IMPLICIT, undefined=True), undefined=True) + AFTER, raw.EXPLICIT,
        {SEQUENCE: ONE_ITEM, NAME: "A^B"}, ["IMPLICIT_IN_EXPLICIT"],
    ),
    "out of order": (AFTER + BEFORE, raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"}, ["OUT_OF_ORDER"]),
    "out of order, implicit": (
        AFTER_IMPLICIT + raw.element(MODALITY, None, b"MR"), raw.IMPLICIT, {MODALITY: "MR", NAME: "A^B"},
        ["OUT_OF_ORDER"],
    ),
    "twice in a row": (
        AFTER + raw.element(NAME, "PN", b"C^D ") + raw.element(ROWS, "US", b"\2\1"), raw.EXPLICIT,
        {NAME: "C^D", ROWS: 0x0102}, ["DUPLICATE_TAG"],
    ),
    "odd length": (
        BEFORE + raw.element(NAME, "PN", b"A^B") + raw.element(ROWS, "US", b"\2\1"), raw.EXPLICIT,
        {MODALITY: "MR", NAME: "A^B", ROWS: 0x0102}, ["ODD_LENGTH"],
    ),
    "odd length in an item": (
        raw.sequence(SEQUENCE, raw.item(raw.element(CLASS_UID, "UI", b"1.2.3"))) + AFTER, raw.EXPLICIT,
        {SEQUENCE: ONE_ITEM, NAME: "A^B"}, ["ODD_LENGTH", "ODD_LENGTH"],
    ),
    "16-bit length where 32 bits were due": (
        raw.tag_bytes(0x00080005) + b"CS" + struct.pack("<H", 10) + b"ISO_IR 100"
        + raw.tag_bytes(0x00091001) + b"OB" + struct.pack("<H", 4) + b"abcd" + AFTER, raw.EXPLICIT,
        {0x00091001: b"abcd", NAME: "A^B"}, ["LENGTH_FIELD_16"],
    ),
    "16-bit length of a UT at the end": (
        BEFORE + raw.tag_bytes(0x0040A160) + b"UT" + struct.pack("<H", 4) + b"text", raw.EXPLICIT,
        {MODALITY: "MR", 0x0040A160: "text"}, ["LENGTH_FIELD_16"],
    ),
    "value past the end": (
        BEFORE + raw.element(NAME, "PN", b"A^B ", length=400), raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"},
        ["LENGTH_BEYOND_END"],
    ),
    "value past the item's end": (
        raw.sequence(SEQUENCE, raw.item(raw.element(CLASS_UID, "UI", b"1.2.3\0", length=60))) + AFTER, raw.EXPLICIT,
        {SEQUENCE: ONE_ITEM, NAME: "A^B"}, ["LENGTH_BEYOND_END"],
    ),
    "item past the sequence's end": (
        raw.sequence(SEQUENCE, raw.item(INSIDE, length=80)) + AFTER, raw.EXPLICIT, {SEQUENCE: ONE_ITEM, NAME: "A^B"},
        ["LENGTH_BEYOND_END"],
    ),
    "sequence past the end": (
        BEFORE + raw.element(SEQUENCE, "SQ", raw.item(INSIDE), length=800), raw.EXPLICIT,
        {MODALITY: "MR", SEQUENCE: ONE_ITEM}, ["LENGTH_BEYOND_END"],
    ),
    "header cut short": (BEFORE + AFTER[:5], raw.EXPLICIT, {MODALITY: "MR"}, ["TRAILING_BYTES"]),
    "long header cut short": (
        BEFORE + raw.header(0x7FE00010, "OW", 8)[:10], raw.EXPLICIT, {MODALITY: "MR", 0x7FE00010: None},
        ["LENGTH_BEYOND_END"],
    ),
    "zeros to the end": (BEFORE + AFTER + bytes(64), raw.EXPLICIT, {MODALITY: "MR", NAME: "A^B"}, ["TRAILING_ZEROS"]),
    "item delimiter missing": (
        OPENED + ITEM_OPENED + INSIDE + CLOSED + AFTER, raw.EXPLICIT, {SEQUENCE: ONE_ITEM, NAME: "A^B"},
        ["MISSING_ITEM_DELIMITER"],
    ),
    "sequence delimiter missing": (
        OPENED + ITEM_OPENED + INSIDE + ITEM_CLOSED + AFTER, raw.EXPLICIT, {SEQUENCE: ONE_ITEM, NAME: "A^B"},
        ["MISSING_SEQUENCE_DELIMITER"],
    ),
    "sequence delimiter missing at the end": (
        OPENED + ITEM_OPENED + INSIDE + ITEM_CLOSED, raw.EXPLICIT, {SEQUENCE: ONE_ITEM}, ["MISSING_SEQUENCE_DELIMITER"],
    ),
    "both delimiters missing at the end": (
        OPENED + ITEM_OPENED + INSIDE, raw.EXPLICIT, {SEQUENCE: ONE_ITEM},
        ["MISSING_SEQUENCE_DELIMITER", "MISSING_ITEM_DELIMITER"],
    ),
    "delimiter behind a defined sequence": (
        raw.sequence(SEQUENCE, raw.item(INSIDE)) + CLOSED + AFTER, raw.EXPLICIT, {SEQUENCE: ONE_ITEM, NAME: "A^B"},
        ["STRAY_DELIMITER"],
    ),
    "delimiter in a defined item": (
        raw.sequence(SEQUENCE, raw.item(INSIDE + ITEM_CLOSED)) + AFTER, raw.EXPLICIT, {SEQUENCE: ONE_ITEM, NAME: "A^B"},
        ["STRAY_DELIMITER"],
    ),
    "undefined length of a text": (
        raw.element(NAME, None, b"", length=raw.UNDEFINED) + ITEM_OPENED + INSIDE_IMPLICIT + ITEM_CLOSED + CLOSED
        + raw.element(ROWS, None, b"\2\1"), raw.IMPLICIT, {NAME: ONE_ITEM, ROWS: 0x0102}, [],
    ),
    "no items in a sequence": (
        raw.element(SEQUENCE, "SQ", b"no items at all!") + AFTER, raw.EXPLICIT, {NAME: "A^B"},
        ["NO_ITEMS", "NOT_AN_ITEM"],
    ),
    "something behind the items": (
        raw.element(SEQUENCE, "SQ", raw.item(INSIDE) + b"what is this") + AFTER, raw.EXPLICIT,
        {SEQUENCE: ONE_ITEM, NAME: "A^B"}, ["NOT_AN_ITEM"],
    ),
    "US of three bytes": (
        raw.element(ROWS, "US", b"\2\1\0"), raw.EXPLICIT, {ROWS: b"\2\1\0"}, ["ODD_LENGTH", "BAD_LENGTH"],
    ),
    "DS that is no number": (
        AFTER + raw.element(0x00101030, "DS", b"heavy "), raw.EXPLICIT, {0x00101030: "heavy"}, ["BAD_VALUE"],
    ),
    "IS among numbers": (
        AFTER + raw.element(0x00201206, "IS", b"1\\1A\\3"), raw.EXPLICIT, {0x00201206: [1, "1A", 3]}, ["BAD_VALUE"],
    ),
}  # fmt: skip


def check(data_set: dc.Dataset, expected: dict[int, Any]) -> None:
    for tag, value in expected.items():
        if isinstance(value, Items):
            assert len(data_set[tag].value) == len(value)
            for item, content in zip(data_set[tag].value, value, strict=True):
                check(item, content)
        else:
            assert data_set[tag].value == value, data_set[tag]


@pytest.mark.parametrize("name", DEVIATIONS)
def test_deviations_are_read_and_reported(name: str):
    content, syntax, expected, codes = DEVIATIONS[name]
    data = raw.part10(content, syntax)
    data_set = dc.dcmread(data)
    check(data_set, expected)
    _ = [element.value for element in data_set.iterall()]
    assert sorted(issue.code for issue in data_set.issues) == sorted(codes)
    assert [issue.offset for issue in data_set.issues] == sorted(issue.offset for issue in data_set.issues)
    for issue in data_set.issues:
        assert 0 < issue.offset < len(data)
        assert issue.message


@pytest.mark.parametrize("name", DEVIATIONS)
def test_strict_raises_for_it(name: str):
    content, syntax, _, codes = DEVIATIONS[name]
    seen = [code for code in codes if code not in ("BAD_LENGTH", "BAD_VALUE")]  # found in values only
    if not seen:
        dc.dcmread(raw.part10(content, syntax), strict=True)
        return
    with pytest.raises(dc.ParseError) as caught:
        dc.dcmread(raw.part10(content, syntax), strict=True)
    assert caught.value.offset > 0
    cut = {"LENGTH_BEYOND_END", "TRAILING_BYTES"}
    assert isinstance(caught.value, dc.TruncatedError) == (seen[0] in cut)


@pytest.mark.parametrize("name", DEVIATIONS)
def test_at_least_as_tolerant_as_pydicom(name: str):
    """dicomcore reads every expected top-level tag that pydicom reads."""
    content, syntax, expected, _ = DEVIATIONS[name]
    data = raw.part10(content, syntax)
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = pydicom.dcmread(pydicom.filebase.DicomBytesIO(data))
            tags = {int(element.tag) for element in theirs} & expected.keys()
        except Exception:
            return
    ours = dc.dcmread(data)
    assert tags <= {int(element.tag) for element in ours}


def test_stated_and_remaining_length_are_reported():
    (issue,) = dc.dcmread(raw.part10(BEFORE + raw.element(NAME, "PN", b"A^B ", length=400))).issues
    assert (issue.code, issue.tag) == ("LENGTH_BEYOND_END", NAME)
    assert "400" in issue.message
    assert "4 are left" in issue.message


def test_issues_in_a_late_sequence_are_reported_too():
    """A UN that is a sequence by the dictionary is indexed on access; its issues are found then."""
    odd = raw.element(CLASS_UID, None, b"1.2.3")
    data_set = dc.dcmread(raw.part10(raw.sequence(SEQUENCE, raw.item(odd), vr="UN", undefined=False) + AFTER))
    assert data_set[SEQUENCE].value[0][CLASS_UID].value == "1.2.3"
    _ = list(data_set.iterall())
    assert [(i.code, i.tag) for i in data_set.issues if i.tag == CLASS_UID] == [("ODD_LENGTH", CLASS_UID)]


def test_one_stray_byte_before_a_data_set():
    """no_meta.dcm: pydicom reads a single nonsense element; dicomcore does too, and reports what is missing."""
    data_set = dc.dcmread(real("no_meta.dcm"), force=True)
    assert {"MISSING_META", "MISSING_PREAMBLE"} <= {issue.code for issue in data_set.issues}


REAL = {  # file: codes that must be among its issues
    "SC_rgb_jpeg.dcm": {"IMPLICIT_IN_EXPLICIT"},
    "MR_truncated.dcm": {"LENGTH_BEYOND_END"},
    "rtplan_truncated.dcm": {"LENGTH_BEYOND_END"},
    "meta_missing_tsyntax.dcm": {"MISSING_TRANSFER_SYNTAX"},
    "no_meta_group_length.dcm": {"META_LENGTH"},
    "nested_priv_SQ.dcm": {"ODD_LENGTH"},
    "ExplVR_BigEndNoMeta.dcm": {"MISSING_PREAMBLE", "MISSING_META"},
    "emri_small_jpeg_2k_lossless_too_short.dcm": {"MISSING_SEQUENCE_DELIMITER"},
    "badVR.dcm": {"BAD_VALUE"},
    "JLSL_RGB_ILV0.dcm": {"MISSING_PREAMBLE"},
}


@pytest.mark.parametrize("name", REAL)
def test_real_deviations(name: str):
    data_set = dc.dcmread(real(name), force=True)
    _ = [element.value for element in data_set.iterall()]
    assert REAL[name] <= {issue.code for issue in data_set.issues}


GOOD = ["CT_small.dcm", "rtplan.dcm", "rtdose.dcm", "JPEG2000.dcm", "ExplVR_BigEnd.dcm", "image_dfl.dcm", "DICOMDIR"]


@pytest.mark.parametrize("name", GOOD)
def test_good_files_have_no_issues(name: str):
    data_set = dc.dcmread(real(name), strict=True)
    _ = [element.value for element in data_set.iterall()]
    assert data_set.issues == ()
