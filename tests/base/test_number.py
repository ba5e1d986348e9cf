"""Decimal and Integer Strings are parsed to exactly the numbers that float() and int() return."""

import importlib.util
import math
import struct
from decimal import Decimal, localcontext
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore._native.base.number import decimal, decimals, integer, integers
from dicomcore.errors import ParseError

NAN = math.nan
ROOT = Path(__file__).parents[2]


def bits(values):
    """Doubles by their bits, so that -0.0 and 0.0 differ and NaN equals itself."""
    return np.asarray(values, np.float64).view(np.uint64).tolist()


VALUES = {  # name: (text, values)
    "nothing": (b"", []),
    "spaces": (b"  ", []),
    "NULs": (b"\0\0", []),
    "contour": (b"12.34\\-56.789\\0.5 ", [12.34, -56.789, 0.5]),
    "padded on each side": (b" 1 \\ +2\\-3 \0", [1, 2, -3]),
    "no digit on one side": (b"5.\\.5\\-.25", [5, 0.5, -0.25]),
    "exponents": (b"1e2\\1E-2\\1.5e+03", [100, 0.01, 1500]),
    "empty among others": (b"1\\\\2\\ \\3", [1, NAN, 2, NAN, 3]),
    "empty at the end": (b"1\\", [1, NAN]),
    "a backslash alone": (b"\\", [NAN, NAN]),
    "negative zero": (b"-0\\-0.0e5\\0", [-0.0, -0.0, 0.0]),
    "out of range": (b"1e400\\-1e400\\1e-400\\0e999999999999999999999", [math.inf, -math.inf, 0, 0]),
    "exponent that makes up for digits": (b"0." + b"0" * 400 + b"1e401\\1" + b"0" * 400 + b"e-400", [1, 1]),
    "eight digits and more": (b"12345678\\123456789\\0.12345678\\0.123456789012345", None),
    "nineteen digits and more": (b"1234567890123456789\\12345678901234567890\\0.00000000000000000000123", None),
    "halves": (b"9007199254740993\\9007199254740995\\9007199254740993.00000000000000000001", None),
    "smallest": (b"5e-324\\4.9406564584124654e-324\\2.4703282292062327e-324\\2.4703282292062328e-324", None),
    "largest subnormal": (b"2.2250738585072011e-308\\2.2250738585072014e-308\\2.2250738585072009e-308", None),
    "largest": (b"1.7976931348623157e308\\1.7976931348623158e308\\1.7976931348623159e308", None),
}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(("text", "values"), VALUES.values(), ids=VALUES)
def test_decimals(kind, text, values):
    expected = [float(part) for part in text.split(b"\\")] if values is None else values
    assert bits(decimals(kind(text))) == bits(expected)


INTEGERS = {  # name: (text, values)
    "nothing": (b" ", []),
    "several": (b"1\\-2\\ +3 \\0", [1, -2, 3, 0]),
    "with a fraction of zeros": (b"1.0\\-2.\\15e1\\1.50e1\\0e99\\100e-2", [1, -2, 150, 15, 0, 1]),
    "bounds": (b"9223372036854775807\\-9223372036854775808", [2**63 - 1, -(2**63)]),
    "many zeros": (b"0" * 30 + b"7\\7." + b"0" * 30, [7, 7]),
}


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(("text", "values"), INTEGERS.values(), ids=INTEGERS)
def test_integers(kind, text, values):
    assert integers(kind(text)).tolist() == values


MALFORMED = [
    b"x",
    b".",
    b"-",
    b"+-1",
    b"1e",
    b"1e+",
    b"1.2.3",
    b"1_0",
    b"nan",
    b"inf",
    b"-Infinity",
    b"1 2",
    b"\0 1",
    b"0x1",
]


@pytest.mark.parametrize("parse", [decimals, integers])
@pytest.mark.parametrize("text", [*MALFORMED, b"1,5", b"\xb2", b"12345678x", b"1e5e5"])
def test_malformed_numbers_raise_an_error_with_the_offset(parse, text):
    for before, after in product((b"", b"1\\", b"10\\-2 \\"), (b"", b"\\3", b"\\3" * 10)):
        with pytest.raises(ParseError) as caught:
            parse(before + text + after)
        assert caught.value.offset == len(before)


@pytest.mark.parametrize("text", [b"1.5", b"15e-1", b"-0.1"])
def test_a_fraction_is_refused_as_an_integer(text):
    with pytest.raises(ParseError):
        integers(text)


@pytest.mark.parametrize(
    "text", [b"9223372036854775808", b"-9223372036854775809", b"9" * 40, b"1e19", b"1\\\\2", b"1\\"]
)
def test_values_that_int64_cannot_hold_overflow(text):
    with pytest.raises(OverflowError):
        integers(text)


def test_one_component():
    assert decimal(b" 1.5 \0") == 1.5
    assert math.isnan(decimal(b""))
    assert integer(b"-7 ") == -7
    for parse in (decimal, integer):
        with pytest.raises(ParseError):
            parse(b"1\\2")
    with pytest.raises(OverflowError):
        integer(b"")


def exactly(significand, exponent):
    """significand * 2^exponent in full decimal digits."""
    with localcontext() as context:
        context.prec = 1200
        return format(Decimal(significand) * Decimal(2) ** exponent, "e")


def nudged(text, tail):
    """Append digits to a text that lies exactly between two doubles, so that it no longer does."""
    digits, _, exponent = text.partition("e")
    return f"{digits if '.' in digits else digits + '.'}{tail}e{exponent or 0}"


DIGITS = st.text("0123456789", min_size=1, max_size=30)
PLAIN = st.builds("{}{}.{}".format, st.sampled_from(["", "-", "+"]), DIGITS, st.text("0123456789", max_size=30))
SCIENTIFIC = st.builds("{}e{}".format, PLAIN, st.integers(-400, 400))
DOUBLES = st.integers(0, 2**64 - 1).map(lambda word: struct.unpack("<d", word.to_bytes(8, "little"))[0])
SHORTEST = DOUBLES.filter(math.isfinite).map(repr)
HALVES = st.builds(exactly, st.integers(2**53, 2**54).map(lambda m: 2 * m + 1), st.integers(-1130, 960))
SUBNORMAL_HALVES = st.builds(exactly, st.integers(0, 2**52).map(lambda m: 2 * m + 1), st.just(-1075))
NUDGED = st.builds(nudged, HALVES | SUBNORMAL_HALVES, st.text("01", max_size=40))
CUT = st.builds(lambda text, keep: nudged(text[:keep].partition("e")[0], ""), HALVES, st.integers(3, 60))
SHORT = st.from_regex(r"-?(\d{1,5}\.?\d{0,4}|\.\d{1,8})", fullmatch=True, alphabet="0123456789.-")
FULL = st.from_regex(r"-?(\d{1,12}\.?\d{0,6}|\.\d{8,16})", fullmatch=True, alphabet="0123456789.-")
TEXTS = SHORT | FULL | PLAIN | SCIENTIFIC | SHORTEST | HALVES | SUBNORMAL_HALVES | NUDGED | CUT


@given(st.lists(TEXTS, max_size=20), st.sampled_from(["", " ", "\0", "  "]), st.sampled_from(["", " "]))
def test_decimals_equal_float(texts, after, before):
    value = "\\".join(before + text + after for text in texts).encode()
    assert bits(decimals(value)) == bits([float(text) for text in texts])


def as_float(part):
    """The number of a component, as float(); but empty text is NaN, NULs are padding and underscores are refused."""
    if b"_" in part:
        raise ValueError(part)
    kept = part.rstrip(b" \0")
    return float(kept) if kept.strip() else NAN


@given(st.lists(SHORT | FULL, min_size=5, max_size=40), st.integers(0, 39), st.characters(codec="latin-1"))
def test_one_wrong_character_never_passes(texts, at, wrong):
    """The forms that are parsed as one word or one vector are checked in every byte."""
    at %= len(texts)
    right = texts[at]
    for i in range(len(right) + 1):
        texts[at] = right[:i] + wrong + right[i + 1 :]
        value = "\\".join(texts).encode("latin-1")
        try:
            expected = [as_float(part) for part in value.split(b"\\")]
        except ValueError:
            with pytest.raises(ParseError):
                decimals(value)
        else:
            assert bits(decimals(value)) == bits(expected)


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("length", range(1, 19))
def test_every_place_of_the_point(length, sign):
    """Values in a row that have a point at each place, or none, with and without text behind them."""
    digits = "9876543210123456789"[:length]
    texts = [sign + digits] + [f"{sign}{digits[:at]}.{digits[at:]}" for at in range(length + 1)]
    for behind in ("", "\\", "\\" + "0" * 20, "\\1.5" * 8):
        for text in ("\\".join(texts) + behind, *(one + behind for one in texts)):
            assert bits(decimals(text.encode())) == bits([float(part) if part else NAN for part in text.split("\\")])


@given(TEXTS)
def test_every_truncation_parses_as_float_or_fails(text):
    for stop in range(min(len(text), 40)):
        part = text[:stop]
        try:
            expected = [float(part)] if part else []
        except ValueError:
            with pytest.raises(ParseError):
                decimals(part.encode())
        else:
            assert bits(decimals(part.encode())) == bits(expected)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_integers_equal_int(values):
    assert integers("\\".join(map(str, values)).encode()).tolist() == values


@given(st.binary())
def test_any_bytes_parse_or_fail_with_an_offset_inside(text):
    for parse in (decimals, integers):
        at = 0
        try:
            assert len(parse(text)) <= text.count(b"\\") + 1
        except ParseError as error:
            at = error.offset
        except OverflowError:
            at = 0 if parse is integers else -1
        assert 0 <= at <= len(text)


def test_table_of_powers_equals_the_generators_output():
    spec = importlib.util.spec_from_file_location("make_powers", ROOT / "tools" / "make_powers.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    table = ROOT / "src" / "dicomcore" / "_native" / "base" / "tables" / "powers.h"
    assert table.read_text() == made.render()
