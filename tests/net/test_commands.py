"""Command sets: what is read and written natively is what the careful readers and writers give."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore._native.net.commands import read, write
from dicomcore.errors import ParseError
from dicomcore.net.commands import NUMBERS, TAGS, TEXTS, UIDS, Field, _decode, _encode, decode, encode
from dicomcore.net.limits import DEFAULT_NET_LIMITS, NetLimits

NUMBER = st.integers(-1, 0x10001)
VALUE = st.one_of(
    st.none(),
    NUMBER,
    st.text(max_size=70),
    st.from_regex(r"[0-9.]{0,66}", fullmatch=True),
    st.lists(st.integers(0, 0xFFFFFFFF), max_size=3).map(tuple),
    st.binary(max_size=4),
)
VALUES = st.dictionaries(st.one_of(st.sampled_from(sorted(Field)), NUMBER), VALUE, max_size=12)


def element(number: int, value: bytes, group: int = 0) -> bytes:
    return struct.pack("<HHI", group, number, len(value)) + value


ELEMENT = st.builds(
    element,
    st.one_of(st.sampled_from(sorted(Field)), st.integers(0, 0xFFFF)),
    st.one_of(
        st.binary(max_size=5), st.integers(0, 0xFFFF).map(lambda number: number.to_bytes(2, "little")),
        st.from_regex(rb"[ \0]?[0-9.]{0,66}[ \0]{0,2}", fullmatch=True),
    ),
    st.sampled_from([0] * 20 + [2]),
)  # fmt: skip


def outcome(function: object, *arguments: object) -> object:
    try:
        made = function(*arguments)  # type: ignore[operator]
    except Exception as error:
        return type(error), str(error), getattr(error, "offset", None)
    return (made, made.issues) if isinstance(made, dict) else made


@settings(deadline=None)
@given(VALUES)
def test_writing(values: dict[int, object]) -> None:
    assert outcome(encode, values) == outcome(_encode, values)


@settings(deadline=None)
@given(st.lists(ELEMENT, max_size=8), st.booleans(), st.binary(max_size=9))
def test_reading(elements: list[bytes], is_sorted: bool, more: bytes) -> None:
    if is_sorted:
        elements = sorted(elements, key=lambda one: int.from_bytes(one[2:4], "little"))
    data = b"".join(elements) + more
    for limits in (DEFAULT_NET_LIMITS, NetLimits(command_elements=3)):
        assert outcome(decode, data, limits) == outcome(_decode, data, limits)


REGULAR = {
    Field.AFFECTED_SOP_CLASS: "1.2.840.10008.5.1.4.1.1.4",
    Field.COMMAND: 0x8001,
    Field.RESPONDED_TO: 65535,
    Field.DATA_SET_TYPE: 0x0101,
    Field.STATUS: 0xB000,
    Field.ERROR_COMMENT: "it is here",
    Field.AFFECTED_SOP_INSTANCE: "1.2.3",
}


def test_every_field_is_known_natively() -> None:
    for number in sorted(set(Field) - {Field.GROUP_LENGTH} - TAGS):
        value = 7 if number in NUMBERS else "1.2"
        assert number in NUMBERS | UIDS | TEXTS
        data = write({number: value})
        assert data == _encode({number: value})
        assert read(data, 8) == {number: value}


def test_what_is_read_was_written() -> None:
    data = encode(dict(REGULAR))
    assert read(data, 64) == REGULAR
    assert decode(data) == REGULAR
    assert not decode(data).issues


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_every_truncation_is_a_fault(kind: type) -> None:
    data = encode(dict(REGULAR))
    edges = {0, 12}  # between elements
    at = 12
    while at < len(data):
        at += 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        edges.add(at)
    for stop in range(len(data)):
        assert (read(kind(data[:stop]), 64) is None) == (stop not in edges)
        if stop not in edges:
            with pytest.raises(ParseError):
                decode(data[:stop])


def test_a_long_command_set_is_written_the_general_way() -> None:
    for size in (*range(440, 520), 5000):
        values = {Field.AFFECTED_SOP_CLASS: "1.2", Field.ERROR_COMMENT: "x" * size}
        assert encode(values) == _encode(values)
