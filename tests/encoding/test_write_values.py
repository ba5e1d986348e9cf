"""Python objects encoded by each VR: bytes, or an EncodeError that gives the reason (PS3.5 6.2)."""

from __future__ import annotations

import array
import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from tests.support.dicom_bytes import EXPLICIT

TAG = 0x00990010

WRITTEN = {
    "DS Decimal, as it is spelt": ("DS", Decimal("1.50"), b"1.50"),
    "DS Decimal with an exponent": ("DS", Decimal("1E+3"), b"1E+3"),
    "DS Decimal of too many digits": ("DS", Decimal("1.23456789012345678901"), b"1.23456789012346"),
    "DS of several kinds": ("DS", [1, None, "2.5", Decimal(3)], b"1\\\\2.5\\3"),
    "DS float of NumPy": ("DS", np.float32(0.1), b".100000001490116"),
    "DS array": ("DS", np.array([1.5, 2]), b"1.5\\2 "),
    "DS integer past a double": ("DS", 2**53 + 1, b"9007199254740993"),
    "IS Decimal": ("IS", Decimal(4), b"4 "),
    "IS float that is whole": ("IS", 4.0, b"4 "),
    "IS of several kinds": ("IS", [1, None, "3"], b"1\\\\3"),
    "IS of NumPy": ("IS", np.int64(5), b"5 "),
    "IS array": ("IS", np.array([1, 2]), b"1\\2 "),
    "DA": ("DA", date(2024, 2, 29), b"20240229"),
    "DA of a datetime": ("DA", datetime(2024, 2, 29, 1, 2), b"20240229"),
    "TM": ("TM", time(1, 2, 3, 450000), b"010203.450000 "),
    "TM of several": ("TM", [time(1, 2, 3), "04"], b"010203\\04 "),
    "DT": ("DT", datetime(2024, 2, 29, 1, 2, 3, 4, UTC), b"20240229010203.000004+0000"),
    "LO with a backslash": ("LO", r"a\b", b"a\\b "),
    "LO, one of several with a backslash": ("LO", ["a", r"b\c"], b"a\\b\\c "),
    "LO with None": ("LO", ["a", None, "b"], b"a\\\\b"),
    "LO bytes": ("LO", b"raw", b"raw "),
    "LO array": ("LO", np.array(["a", "b"]), b"a\\b "),
    "LT with a backslash": ("LT", r"a\b", b"a\\b "),
    "PN array": ("PN", np.array(["a^b", "c"], object), b"a^b\\c "),
    "UI array": ("UI", np.array(["1.2", "1.3"]), b"1.2\\1.3\0"),
    "UR": ("UR", "http://x", b"http://x"),
    "AE None": ("AE", None, b""),
    "FL infinity": ("FL", float("inf"), struct.pack("<f", float("inf"))),
    "FL array of integers": ("FL", np.array([1, 2]), struct.pack("<2f", 1, 2)),
    "FD": ("FD", [1, 2.5], struct.pack("<2d", 1, 2.5)),
    "US empty text": ("US", "", b""),
    "US float that is whole": ("US", 1.0, b"\1\0"),
    "US array of floats that are whole": ("US", np.array([1.0, 2.0]), b"\1\0\2\0"),
    "US array of truth": ("US", np.array([True]), b"\1\0"),
    "SS": ("SS", [-1, 2], b"\xff\xff\2\0"),
    "UV, the largest": ("UV", 2**64 - 1, b"\xff" * 8),
    "SV, the smallest": ("SV", -(2**63), bytes(7) + b"\x80"),
    "AT": ("AT", [0x00100010, dc.Tag("PixelData")], b"\x10\0\x10\0\xe0\x7f\x10\0"),
    "AT array": ("AT", np.array([0x00100010, 0x7FE00010]), b"\x10\0\x10\0\xe0\x7f\x10\0"),
    "OB array of truth": ("OB", np.array([True, False]), b"\1\0"),
    "OB numbers": ("OB", [1, 2], b"\1\2"),
    "OB buffer": ("OB", array.array("H", [1, 2]), struct.pack("<2H", 1, 2)),
    "OB memory with gaps": ("OB", memoryview(b"abcdef")[::2], b"ace\0"),
    "OW array in big endian": ("OW", np.array([1, 2], ">u2"), b"\1\0\2\0"),
    "OW memory of words": ("OW", memoryview(np.array([1, 2], np.uint16)), b"\1\0\2\0"),
    "OF": ("OF", [1.5], struct.pack("<f", 1.5)),
    "OF array of doubles": ("OF", np.array([1.5, 2]), struct.pack("<2f", 1.5, 2)),
    "OF array with NaN": ("OF", np.array([np.inf, 2]), struct.pack("<2f", np.inf, 2)),
    "OD array of singles": ("OD", np.array([1.5, 2], "f4"), struct.pack("<2d", 1.5, 2)),
    "OL array of NumPy's integers": ("OL", np.array([1, 2]), struct.pack("<2I", 1, 2)),
    "OL array of signed words": ("OL", np.array([-1], "i4"), b"\xff" * 4),
    "OL array of small integers": ("OL", np.array([1, 2], "u1"), struct.pack("<2I", 1, 2)),
    "OV array": ("OV", np.array([1, 2], "u2"), struct.pack("<2Q", 1, 2)),
    "OW array of bytes": ("OW", np.array([1, 2], "u1"), b"\1\2"),
    "OW array of cells of 32 bits": ("OW", np.array([1], "u4"), b"\1\0\0\0"),
    "OD array": ("OD", np.arange(3.0), struct.pack("<3d", 0, 1, 2)),
}
REFUSED = {
    "DS not a number": ("DS", Decimal("NaN"), "can't hold nan"),
    "DS infinity": ("DS", float("inf"), "can't hold inf"),
    "DS an object": ("DS", object(), "takes numbers, not object"),
    "DS array": ("DS", np.array([np.nan]), "can't hold nan"),
    "IS not a number": ("IS", float("nan"), "takes whole numbers"),
    "IS of 13 digits": ("IS", 10**12, "12 characters"),
    "IS an object": ("IS", object(), "takes whole numbers"),
    "DA a time": ("DA", time(1), "takes text, not time"),
    "DT a date": ("DT", date(2024, 1, 2), "takes text, not date"),
    "LO a number": ("LO", 3, "takes text, not int"),
    "LO outside the character set": ("LO", "ä", "not in ISO_IR 6"),
    "CS outside the repertoire": ("CS", "ä", "default repertoire"),
    "CS with ESC": ("CS", "A\x1b", "default repertoire"),
    "FL too large": ("FL", 1e39, "can't hold"),
    "FD text": ("FD", "x", "takes numbers, not str"),
    "US negative": ("US", -1, "can't hold -1"),
    "US too large": ("US", 65536, "can't hold 65536"),
    "US a fraction": ("US", 1.5, "takes whole numbers"),
    "US text": ("US", "1", "takes whole numbers"),
    "US array too large": ("US", np.array([1, 70000]), "all of the array"),
    "US array of fractions": ("US", np.array([1.5]), "all of the array"),
    "US array of text": ("US", np.array(["a"]), "all of the array"),
    "SS too small": ("SS", -32769, "can't hold"),
    "UV too large": ("UV", 2**64, "can't hold"),
    "SV too small": ("SV", -(2**63) - 1, "can't hold"),
    "AT array, negative": ("AT", np.array([-1]), "takes tags"),
    "AT array of floats": ("AT", np.array([1.0]), "takes tags"),
    "OB too large": ("OB", [1, 300], "can't hold these values"),
    "OB a fraction": ("OB", 3.5, "takes whole numbers"),
    "OB fractions": ("OB", [1, 2.5], "takes whole numbers"),
    "OB texts": ("OB", ["a", "b"], "can't hold these values"),
    "OB text": ("OB", "text", "takes bytes, not text"),
    "OB an object": ("OB", object(), "takes bytes, not object"),
    "OF too large": ("OF", [1e40], "can't hold all"),
    "OF array too large": ("OF", np.array([1e40]), "can't hold all"),
    "FL array too large": ("FL", np.array([1e40]), "can't hold all"),
    "OL array too large": ("OL", np.array([2**32]), "can't hold all"),
    "OL array of fractions": ("OL", np.array([1.5]), "can't hold all"),
    "OW array of 64 bits": ("OW", np.array([1, 2], "i8"), "the type that it is to have"),
    "OW array of floats": ("OW", np.array([1.0]), "the type that it is to have"),
    "OB array of 64 bits": ("OB", np.array([1, 2], "i8"), "the type that it is to have"),
    "OB array of objects": ("OB", np.array([object()]), "not an array of objects"),
}


def written(vr: str, value: Any) -> bytes:
    ds = dc.Dataset()
    ds.validation = "ignore"
    ds[TAG] = dc.DataElement(TAG, vr, value)
    data = ds.to_bytes(enforce_standard=False, transfer_syntax=EXPLICIT)
    return bytes(dc.dcmread(data, force=True)[TAG].raw)


@pytest.mark.parametrize(("vr", "value", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_written(vr, value, expected):
    assert written(vr, value) == expected


@pytest.mark.parametrize(("vr", "value", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(vr, value, message):
    with pytest.raises(dc.EncodeError, match=message):
        written(vr, value)


ARRAYS = {  # name: (VR, the array that is set, the expected `element.array`)
    "OF of doubles": ("OF", np.array([1.5, 2]), np.array([1.5, 2], "f4")),
    "OL of NumPy's integers": ("OL", np.array([1, 2]), np.array([1, 2], "u4")),
    "OW": ("OW", np.array([1, 2], ">u2"), np.array([1, 2], "u2")),
    "OB, an odd length": ("OB", np.array([1, 2, 3], "u1"), np.array([1, 2, 3], "u1")),
}


@pytest.mark.parametrize(("vr", "value", "expected"), ARRAYS.values(), ids=ARRAYS)
def test_array_of_a_value_that_was_set(vr, value, expected):
    found = dc.DataElement(TAG, vr, value).array
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
