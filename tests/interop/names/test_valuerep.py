"""pydicom.valuerep under install(): DS, IS, DA, DT, TM, PersonName, VR and checks of values, against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both

SETUP = """
import copy, datetime, decimal, pickle
from pydicom import config
from pydicom.valuerep import *
def again(value):
    pickled = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6)]
    return [value, *pickled, copy.copy(value), copy.deepcopy(value)]
"""
SAME = {
    "DS of text": 'DS("1.50"), repr(DS("1.50")), DS("1.50") + 1, DS("1.50") == "1.50", DS("1.50") == 1.5',
    "DS of nothing": 'DS(""), DS(None), DS("  ")',
    "DS of numbers": 'DS(1.5), DS(3), DSfloat(decimal.Decimal("1.50"))',
    "DS of text that is none": 'DS("x")',
    "DS in mode RAISE": 'DS("1.2345678901234567", validation_mode=config.RAISE)',
    "DS of infinity in mode RAISE": 'DS(float("inf"), validation_mode=config.RAISE)',
    "DS that fits itself": "DS(1 / 3, auto_format=True), DSfloat(1 / 3, True).auto_format, DSfloat(DS(1 / 3, True))",
    "DSfloat keeps its text": 'DSfloat("1.50 ").original_string, again(DSfloat("1.50"))',
    "DSdecimal": 'DSdecimal("1.50"), DSdecimal("1.50") == "1.50", DSdecimal(1), repr(DSdecimal("1.5"))',
    "DSdecimal of a float": "DSdecimal(1.5)",
    "DSdecimal that is too long": 'DSdecimal("1.23456789012345678")',
    "DSdecimal that is too long in mode RAISE": 'DSdecimal("1.23456789012345678", validation_mode=config.RAISE)',
    "DSdecimal that fits itself": 'DSdecimal(decimal.Decimal(1) / 3, auto_format=True), DSdecimal("1.2e-1", True)',
    "IS of text": 'IS("01"), IS("1") + 1, IS("01") == "01", IS("1") == 1, IS(""), IS(None), IS(3.0)',
    "IS of a fraction": 'IS("1.5"), type(IS(1.5)).__name__',
    "IS of a fraction in mode RAISE": "IS(1.5, config.RAISE)",
    "IS of text that is none": 'IS("x")',
    "IS of more than 32 bits in mode RAISE": "IS(2**31, config.RAISE)",
    "IS again": 'again(IS("01"))',
    "format_number_as_ds": "[format_number_as_ds(sign * digits * 10.0**power) for sign in (1, -1)"
    " for digits in (1 / 3, 2 / 3, 1.5) for power in range(-18, 19)]",
    "format_number_as_ds of zero and a Decimal": 'format_number_as_ds(0.0), format_number_as_ds(decimal.Decimal("1"))',
    "format_number_as_ds of infinity": 'format_number_as_ds(float("inf"))',
    "format_number_as_ds of an int": "format_number_as_ds(1)",
    "is_valid_ds": '[is_valid_ds(text) for text in ("1.5", "", "1.5 ", "x", "1" * 17, "-1e-5", ".5", "5.", "  ")]',
    "DA": 'DA("20200102"), DA("2020.01.02"), DA(""), DA(None), DA(datetime.date(2020, 1, 2)), DA("20200102").year',
    "DA of numbers prints as Python's": 'DA(2020, 1, 2), DA("20200102") + datetime.timedelta(1)',
    "DA of other text": 'DA("x")',
    "DA again": 'again(DA("20200102")), DA("20200102") == datetime.date(2020, 1, 2)',
    "DT": 'DT("20200102030405.123456+0100"), DT("2020").month, DT(""), DT("20200102030405-0500").utcoffset()',
    "DT of a datetime": "DT(datetime.datetime(2020, 1, 2, 3, 4, 5, 6)), DT(2020, 1, 2), repr(DT(2020, 1, 2))",
    "DT of other text": 'DT("x")',
    "DT with a leap second": 'DT("20161231235960").second',
    "DT again": 'again(DT("20200102"))',
    "TM": 'TM("030405.123"), TM("03"), TM(""), TM(datetime.time(3, 4, 5)), TM(3, 4), TM("0304").minute',
    "TM of other text": 'TM("x")',
    "TM with a leap second": 'TM("235960").second',
    "TM again": 'again(TM("0304"))',
    "PersonName": 'PersonName("A^B=c^d=e").components, PersonName("A^B=="), PersonName(None),'
    ' PersonName("A^B") == "A^B"',
    "parts of a PersonName": '[getattr(PersonName("a^b^c^d^e=f=g"), part) for part in ("family_name", "given_name",'
    ' "middle_name", "name_prefix", "name_suffix", "alphabetic", "ideographic", "phonetic")]',
    "PersonName of bytes": r'PersonName(b"\xc4^B", ["latin_1"]), PersonName(b"\xc4^B"),'
    r' PersonName(b"A").original_string',
    "PersonName of bytes in several sets": r'PersonName(b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=",'
    ' ["iso8859", "iso2022_jp"]), PersonName(b"\\xd4\\xcf\\xc0\\xde^\\xc0\\xdb\\xb3", ["shift_jis"])',
    "PersonName as bytes": 'PersonName("A^B").encode(), PersonName("Ä^B").encode(["utf8"]), PersonName("Ä",'
    ' "utf8").encode()',
    "PersonName in other codecs": 'PersonName(b"\\xc3\\x84", ["latin_1"]).decode(["utf8"]),'
    ' PersonName("A").decode().encodings',
    "PersonName from parts": 'PersonName.from_named_components("a", "b", family_name_ideographic="c"),'
    ' PersonName.from_named_components(b"\\xc3\\x84", encodings=["utf8"]),'
    ' PersonName.from_named_components_veterinary("a", "b")',
    "PersonName from a part with a delimiter": 'PersonName.from_named_components("a^b")',
    "PersonName again": 'again(PersonName("A^B", ["utf8"])), copy.deepcopy(PersonName("A", ["utf8"])).encodings',
    "PersonName as text": 'bool(PersonName("")), len(PersonName("ab")), list(PersonName("ab")),'
    ' "a" in PersonName("ab")',
    "PersonName that is too long in mode RAISE": 'PersonName("a" * 65, validation_mode=config.RAISE)',
    "VR": 'VR.CS, VR("CS"), VR.CS == "CS", VR.US_SS, f"{VR.CS}", VR.CS.name, repr(VR.CS), isinstance(VR.CS,'
    " str), len(VR)",
    "sets of VRs": "[STANDARD_VR, AMBIGUOUS_VR, STR_VR, BYTES_VR, FLOAT_VR, INT_VR, LIST_VR, DEFAULT_CHARSET_VR,"
    " CUSTOMIZABLE_CHARSET_VR, EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32, ALLOW_BACKSLASH, LONG_VALUE_VR,"
    " BUFFERABLE_VRS]",
    "constants": "MAX_VALUE_LEN, TEXT_VR_DELIMS, PN_DELIMS, default_encoding",
    "validate_value warns": '[validate_value(*case, config.WARN) for case in (("CS", "a"), ("US", 70000),'
    ' ("OB", "a"))]',
    "validate_value of what is right": '[validate_value(*case, config.RAISE) for case in (("CS", "A"), ("US", 7),'
    ' ("US", b"ab"), ("OB", b"a"), ("DA", "20200102"), ("PN", "A^B"), ("LO", None), ("UI", "1.2"))]',
    "validate_value raises": 'validate_value("DA", "x", config.RAISE)',
    "validate_value of bytes": 'validate_value("US", b"abc", config.RAISE)',
    "validate_value ignores": 'validate_value("DA", "x", config.IGNORE)',
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)
