"""DS and IS with text that is no number, as scanners write them (pydicom#1643, #1661): set, copied, written."""

from __future__ import annotations

import copy
import pickle
import warnings
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import dicomcore as dc
from dicomcore._native.write.encode import format_decimal
from tests.support.dicom_bytes import element, part10

TEXTS = {  # name: (tag, VR, bytes, value)
    "fraction in IS": (0x00181152, "IS", b"14.5", 14.5),
    "unit in IS": (0x00181152, "IS", b"14 mAs", "14 mAs"),
    "none in IS": (0x00181152, "IS", b"N/A ", "N/A"),
    "several in IS": (0x00082142, "IS", b"1\\x", [1, "x"]),
    "comma in DS": (0x00101030, "DS", b"70,5", "70,5"),
    "unit in DS": (0x00101030, "DS", b"70.5 kg ", "70.5 kg"),
    "none in DS": (0x00101030, "DS", b"N/A ", "N/A"),
    "underscore in DS": (0x00101030, "DS", b"1_000 ", "1_000"),
    "beyond a double": (0x00101030, "DS", b"1e400 ", "1e400"),
    "several in DS": (0x00280030, "DS", b"0.5\\x ", [0.5, "x"]),
    "empty among several": (0x00280030, "DS", b"\\x", ["", "x"]),
}


def read(tag: int, vr: str, content: bytes) -> dc.Dataset:
    return dc.dcmread(part10(element(tag, vr, content)))


def written(data_set: dc.Dataset) -> dc.Dataset:
    """The bytes of a file with this data set."""
    data_set.SOPClassUID, data_set.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    return dc.dcmread(data_set.to_bytes())


def by_keyword(new: dc.Dataset, old: dc.Dataset, tag: int) -> None:
    setattr(new, old[tag].keyword, old[tag].value)


def by_text(new: dc.Dataset, old: dc.Dataset, tag: int) -> None:
    setattr(new, old[tag].keyword, bytes(old[tag].raw).decode().strip())


WAYS = {
    "item": lambda new, old, tag: new.__setitem__(tag, old[tag]),
    "add": lambda new, old, tag: new.add(old[tag]),
    "update": lambda new, old, tag: new.update(old),
    "update by keyword": lambda new, old, tag: new.update({old[tag].keyword: old[tag].value}),
    "add_new": lambda new, old, tag: new.add_new(tag, old[tag].VR, old[tag].value),
    "element of text": lambda new, old, tag: new.add(dc.DataElement(tag, old[tag].VR, bytes(old[tag].raw).decode())),
    "deep copy of an element": lambda new, old, tag: new.add(copy.deepcopy(old[tag])),
    "pickled element": lambda new, old, tag: new.add(pickle.loads(pickle.dumps(old[tag]))),
    "attribute": by_keyword,
    "attribute from text": by_text,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("tag", "vr", "content", "value"), TEXTS.values(), ids=TEXTS)
def test_invalid_number_text_is_copied_between_data_sets(tag, vr, content, value, way):
    old, new = read(tag, vr, content), dc.Dataset()
    new.validation = "ignore"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        way(new, old, tag)
    assert new[tag].value == value
    assert type(new[tag].value) is type(value)
    assert bytes(written(new)[tag].raw).rstrip() == content.rstrip()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("tag", "vr", "content", "value"), TEXTS.values(), ids=TEXTS)
def test_validation_reports_invalid_number_text(tag, vr, content, value, way):
    if content == b"1e400 ":
        pytest.skip("a decimal number by PS3.5 6.2")
    old, new = read(tag, vr, content), dc.Dataset()
    shown = content.decode().split("\\")[-1].strip()
    with pytest.warns(UserWarning, match=rf"\({tag >> 16:04X},{tag & 0xFFFF:04X}\).*{shown}"):
        way(new, old, tag)
    strict = dc.Dataset()
    strict.validation = "raise"
    with pytest.raises(dc.EncodeError, match=shown) as caught:
        way(strict, old, tag)
    assert caught.value.tag == tag
    assert tag not in strict


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("tag", "vr", "content", "value"), TEXTS.values(), ids=TEXTS)
def test_a_data_set_of_such_elements(tag, vr, content, value):
    old = read(tag, vr, content)
    for made in (dc.Dataset(old), dc.Dataset({tag: old[tag]}), old.copy(), copy.deepcopy(old)):
        assert made[tag].value == value
        setattr(made, old[tag].keyword, getattr(made, old[tag].keyword))
        assert bytes(written(made)[tag].raw).rstrip() == content.rstrip()


LIKE_READ = {  # name: (keyword, what is set, what reading would give)
    "whole DS": ("PatientWeight", 3, 3.0),
    "DS of several": ("ImagePositionPatient", [3, 14.5, 10], [3.0, 14.5, 10.0]),
    "DS of NumPy": ("ImagePositionPatient", [np.int16(3), np.float32(14.5), np.float64(10)], [3.0, 14.5, 10.0]),
    "DS beyond a double": ("PatientWeight", 2**53 + 1, 2**53 + 1),
    "DS of a Decimal": ("PatientWeight", Decimal("1.50"), Decimal("1.50")),
    "IS of a quotient": ("InstanceNumber", 4 / 2, 2),
    "IS of NumPy": ("InstanceNumber", np.int64(2), 2),
    "IS of several": ("ReferencedFrameNumber", [1.0, np.float32(2)], [1, 2]),
}


@pytest.mark.parametrize(("keyword", "value", "wanted"), LIKE_READ.values(), ids=LIKE_READ)
def test_numbers_that_are_set_equal_those_that_are_read(keyword, value, wanted):
    """dicompyler-core keys planes by str(ImagePositionPatient[2]): "10" and "10.0" are two."""
    data_set = dc.Dataset()
    setattr(data_set, keyword, value)
    assert repr(getattr(data_set, keyword)) == repr(wanted)
    if not isinstance(wanted, Decimal) and wanted != 2**53 + 1:
        assert repr(getattr(written(data_set), keyword)) == repr(wanted)


def test_an_is_in_decimals_can_be_set():
    """Reading gives 1 for "1.0"; so does setting."""
    data_set = dc.Dataset()
    data_set.InstanceNumber = "1.0"
    assert data_set.InstanceNumber == 1
    assert type(data_set.InstanceNumber) is int


ARRAYS = {  # name: (keyword, value, array, dtype)
    "whole numbers": ("InstanceNumber", [1, 2], [1, 2], np.int64),
    "beyond 64 bits": ("InstanceNumber", [10**30, -1], [1e30, -1], np.float64),
    "beyond a double": ("InstanceNumber", [10**400, -(10**400)], [np.inf, -np.inf], np.float64),
    "fraction": ("InstanceNumber", [1, 14.5], [1, 14.5], np.float64),
    "text": ("InstanceNumber", [1, "x"], [1, np.nan], np.float64),
    "empty": ("InstanceNumber", [1, ""], [1, np.nan], np.float64),
    "DS": ("PixelSpacing", [0.5, "x", "1e400"], [0.5, np.nan, np.inf], np.float64),
    "an array": ("PixelSpacing", np.array([0.5, 1]), [0.5, 1], np.float64),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("keyword", "value", "array", "dtype"), ARRAYS.values(), ids=ARRAYS)
def test_arrays_of_values_that_were_set(keyword, value, array, dtype):
    data_set = dc.Dataset()
    setattr(data_set, keyword, value)
    found = data_set[keyword].array
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, array)


def test_an_array_of_an_is_read_keeps_fractions():
    array = read(0x00082142, "IS", b"1\\14.5")[0x00082142].array
    np.testing.assert_array_equal(array, [1, 14.5])


def test_an_array_of_text_for_words_names_its_element():
    made = dc.DataElement("Rows", "US", "x")
    with pytest.raises(dc.EncodeError, match=r"\(0028,0010\): VR US takes numbers"):
        made.array  # noqa: B018


def test_a_pair_is_one_tag():
    """A pair (group, element) is one tag, as everywhere else; a list holds several tags."""
    data_set = dc.Dataset()
    data_set.FrameIncrementPointer = (0x0018, 0x1063)
    assert data_set.FrameIncrementPointer == 0x00181063
    assert written(data_set).FrameIncrementPointer == 0x00181063
    data_set.FrameIncrementPointer = [0x00181063, (0x0018, 0x1065)]
    assert data_set.FrameIncrementPointer == [0x00181063, 0x00181065]
    data_set.FrameIncrementPointer = ""
    assert data_set.FrameIncrementPointer is None


@pytest.mark.parametrize("way", [
    lambda ds: setattr(dc.Dataset(), "FrameIncrementPointer", "x1"),
    lambda ds: dc.DataElement("FrameIncrementPointer", "AT", ["00181063", "x1"]),
    lambda ds: setattr(ds["FrameIncrementPointer"], "value", "x1"),
], ids=["attribute", "element", "value"])  # fmt: skip
def test_an_invalid_tag_value_raises_an_error_that_names_its_element(way):
    data_set = dc.Dataset()
    data_set.FrameIncrementPointer = 0x00181063
    with pytest.raises(dc.EncodeError, match=r"\(0028,0009\) FrameIncrementPointer: VR AT: 'x1' is no.* tag") as caught:
        way(data_set)
    assert caught.value.tag == 0x00280009


def test_bytes_that_are_no_items_are_carried_as_bytes():
    """An SQ that holds text (fo-dicom#1982): a copy of the element keeps it."""
    old = dc.dcmread(part10(element(0x00101002, "SQ", b"Roe,Maria 123 ")))
    assert old[0x00101002].value == []
    new = dc.Dataset()
    new.add(old[0x00101002])
    for made in (new[0x00101002], copy.deepcopy(old[0x00101002]), pickle.loads(pickle.dumps(old[0x00101002]))):
        assert (made.VR, made.value) == ("UN", b"Roe,Maria 123 ")
    assert b"Roe,Maria 123 " in new.to_bytes(enforce_standard=False)


# ---- the text of a DS --------------------------------------------------------------------------------------------


def rivals(number: float) -> list[str]:
    """Texts of at most 16 characters for a number, rounded to each count of digits, in every form of a DS."""
    sign, digits, exponent = Decimal(number).normalize().as_tuple()
    made = []
    for count in range(1, 18):
        whole = Decimal((0, digits, exponent))
        step = Decimal(1).scaleb(whole.adjusted() - count + 1)
        rounded = whole.quantize(step, ROUND_HALF_EVEN) if whole.adjusted() - count + 1 < 300 else whole
        plain = f"{rounded:f}"
        mantissa, _, power = f"{rounded:.{count - 1}e}".partition("e")
        short = plain.removeprefix("0") if "." in plain else plain
        shifted = int(power) - (len(mantissa) - 2 if "." in mantissa else 0)
        made += [plain, short, f"{mantissa}e{int(power)}", f"{mantissa.replace('.', '')}e{shifted}"]
    return [text for one in made if len(text := "-" * sign + one) <= 16]


@given(st.floats(allow_nan=False, allow_infinity=False) | st.floats(1e12, 1e17) | st.floats(-1e17, -1e12))
@example(-12345678901234.1)
@example(12345678901234.56)
@example(-1234567890123456.7)
@example(1234567890123456.7)
@example(999999999999999.96)
@example(-9999999999999999.0)
def test_decimals_of_floats_are_the_best_that_16_characters_hold(number):
    """fo-dicom#1454, #1797: no text of 16 characters is nearer."""
    made = format_decimal(number)
    assert len(made) <= 16
    best = min(abs(Decimal(rival) - Decimal(number)) for rival in rivals(number) if abs(float(rival)) < float("inf"))
    assert abs(Decimal(made) - Decimal(number)) <= best or float(made) == number


LARGE = {
    -12345678901234.1: "-12345678901234",
    12345678901234.56: "12345678901234.6",
    123456789012345.67: "123456789012346",
    -123456789012345.67: "-123456789012346",
    1234567890123456.7: "1234567890123457",
    -1234567890123456.7: "-1234567890123e3",
}


@pytest.mark.parametrize(("number", "text"), LARGE.items())
def test_decimals_of_large_floats(number, text):
    data_set = dc.Dataset()
    data_set.PatientWeight = number
    assert bytes(written(data_set)["PatientWeight"].raw).decode().strip() == text


def test_undecodable_text_is_reported_when_it_is_copied():
    """The element's copy is text, in which U+FFFD stands for what was lost."""
    old = dc.dcmread(part10(element(0x00080005, "CS", b"ISO_IR 192") + element(0x00100010, "PN", b"a\xff\xfeb")))
    new = dc.Dataset()
    with pytest.warns(UserWarning, match=r"\(0010,0010\): PN holds U\+FFFD"):
        new.add(old["PatientName"])
    new.validation = "raise"
    with pytest.raises(dc.EncodeError, match="FFFD"):
        new.update(old)
