"""pydicom.charset under install(), against pydicom itself."""

from __future__ import annotations

import pytest

from tests.interop.names.both import Both, answers

SETUP = """
from pydicom import charset
from pydicom.charset import *
from pydicom.dataelem import DataElement
def decoded(vr, value, terms):
    element = DataElement(0x00100010 if vr == "PN" else 0x00100020, vr, value)
    charset.decode_element(element, terms)
    return element.value
"""
SAME = {
    "codecs": 'convert_encodings(["", "ISO 2022 IR 87"]), convert_encodings("ISO_IR 100"), convert_encodings(None)',
    "codecs of a misspelt term": 'convert_encodings("ISO IR 100"), convert_encodings("ISO-2022-IR-100")',
    "codecs of an unknown term": 'convert_encodings("bogus")',
    "a codec of Python's": 'convert_encodings("utf8"), convert_encodings("cp1252")',
    "a term that stands alone": 'convert_encodings(["ISO_IR 192", "ISO 2022 IR 87"])',
    "a term that stands alone as an extension": 'convert_encodings(["ISO_IR 6", "GB18030"])',
    "python_encoding": "sorted(python_encoding.items()), default_encoding",
    "bytes decoded": r'decode_bytes(b"\xc4", ["latin_1"], set()), decode_bytes(b"\xc4\xc5", ["cp1252"], set())',
    "bytes decoded by escape sequences": r'decode_bytes(b"\x1b$B;3ED\x1b(B", ["iso8859", "iso2022_jp"], {94})',
    "bytes that are no UTF-8": r'decode_bytes(b"\xc4", ["utf8"], set())',
    "bytes in an unknown codec": r'decode_bytes(b"a", ["bogus"], set())',
    "text encoded": 'encode_string("Ä", ["latin_1"]), encode_string("Ä", ["utf8"]), encode_string("Ä", ["cp1252"])',
    "text that a codec lacks": 'encode_string("Ω", ["latin_1"])',
    "text encoded with escape sequences": 'encode_string("ΩЯ", ["iso8859", "iso_ir_126", "iso_ir_144"]),'
    ' encode_string("김희중", ["iso8859", "euc_kr"]), encode_string("山田", ["iso8859", "iso2022_jp"])',
    "an element decoded": r'decoded("LO", b"\xc4", "ISO_IR 100"), decoded("LO", b"\xc3\x84", "ISO_IR 192"),'
    r' decoded("LO", "", "")',
    "an element of several values decoded": r'decoded("LO", [b"\xc4", "a"], "ISO_IR 100")',
    "text stays": 'decoded("LO", "Ä", "ISO_IR 192")',
}
BOTH = Both(SETUP, SAME)


@pytest.mark.parametrize("name", SAME)
def test_as_in_pydicom(name):
    BOTH.check(name)


def test_a_name_that_is_text_is_not_encoded_again():
    """pydicom makes "??" of it with a warning, because it encodes the text with the default repertoire first."""
    theirs, ours = (
        answers(SETUP, {"name": 'decoded("PN", "山田", "ISO_IR 192")'}, ours=ours) for ours in (False, True)
    )
    assert theirs["name"] == ["value", "??", True]
    assert ours["name"] == ["value", "山田", False]
