"""Command sets (PS3.7 6.3.1, 9.3, E.1), with bytes written by hand from the standard's tables."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.filereader import read_dataset

import dicomcore as dc
from dicomcore import encoding
from tests.support.mutate import touch_set


def element(number: int, value: bytes) -> bytes:
    """An element of group 0000, implicit VR little endian."""
    return struct.pack("<HHI", 0, number, len(value)) + value


def command(*elements: bytes, length: int | None = None) -> bytes:
    rest = b"".join(elements)
    return element(0, struct.pack("<I", len(rest) if length is None else length)) + rest


def us(value: int) -> bytes:
    return struct.pack("<H", value)


VERIFICATION = b"1.2.840.10008.1.1\0"
CT = b"1.2.840.10008.5.1.4.1.1.2\0"
COMMANDS = {
    # name: (bytes, values by keyword)
    "C-ECHO-RQ": (
        command(element(0x0002, VERIFICATION), element(0x0100, us(0x0030)), element(0x0110, us(0x0102)),
                element(0x0800, us(0x0101))),
        {"AffectedSOPClassUID": "1.2.840.10008.1.1", "CommandField": 0x0030, "MessageID": 0x0102,
         "CommandDataSetType": 0x0101},
    ),
    "C-STORE-RQ": (
        command(element(0x0002, CT), element(0x0100, us(1)), element(0x0110, us(7)), element(0x0700, us(0)),
                element(0x0800, us(1)), element(0x1000, b"1.2.3\0"), element(0x1030, b"MOVER "),
                element(0x1031, us(0x0203))),
        {"AffectedSOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "CommandField": 1, "MessageID": 7, "Priority": 0,
         "CommandDataSetType": 1, "AffectedSOPInstanceUID": "1.2.3", "MoveOriginatorApplicationEntityTitle": "MOVER",
         "MoveOriginatorMessageID": 0x0203},
    ),
    "C-MOVE-RSP": (
        command(element(0x0100, us(0x8021)), element(0x0120, us(9)), element(0x0800, us(0x0101)),
                element(0x0900, us(0xFF00)), element(0x1020, us(3)), element(0x1021, us(2))),
        {"CommandField": 0x8021, "MessageIDBeingRespondedTo": 9, "CommandDataSetType": 0x0101, "Status": 0xFF00,
         "NumberOfRemainingSuboperations": 3, "NumberOfCompletedSuboperations": 2},
    ),
    "N-GET-RQ": (
        command(element(0x0003, b"1.2\0"), element(0x0100, us(0x0110)), element(0x0110, us(1)),
                element(0x0800, us(0x0101)), element(0x1001, b"1.4\0"), element(0x1005, us(0x0010) + us(0x0020))),
        {"RequestedSOPClassUID": "1.2", "CommandField": 0x0110, "MessageID": 1, "CommandDataSetType": 0x0101,
         "RequestedSOPInstanceUID": "1.4", "AttributeIdentifierList": 0x00100020},
    ),
    "with an error's text": (
        command(element(0x0100, us(0x8001)), element(0x0120, us(9)), element(0x0800, us(0x0101)),
                element(0x0900, us(0xA700)), element(0x0901, us(0x7FE0) + us(0x0010)), element(0x0902, b"disk full ")),
        {"CommandField": 0x8001, "MessageIDBeingRespondedTo": 9, "CommandDataSetType": 0x0101, "Status": 0xA700,
         "OffendingElement": 0x7FE00010, "ErrorComment": "disk full"},
    ),
}  # fmt: skip
NAMED = pytest.mark.parametrize(("data", "values"), COMMANDS.values(), ids=COMMANDS)


@NAMED
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_decoded(data: bytes, values: dict[str, object], kind):
    ds = encoding.decode_command(kind(data))
    assert {keyword: getattr(ds, keyword) for keyword in values} == values
    assert ds.CommandGroupLength == len(data) - 12
    assert ds.issues == ()
    assert len(ds) == len(values) + 1


@NAMED
def test_encoded(data: bytes, values: dict[str, object]):
    ds = dc.Dataset()
    for keyword, value in reversed(values.items()):
        setattr(ds, keyword, value)
    assert encoding.encode_command(ds) == data
    assert encoding.encode_command(encoding.decode_command(data)) == data
    assert "CommandGroupLength" not in ds
    ds.CommandGroupLength = 3  # counted all the same
    assert encoding.encode_command(ds) == data


@NAMED
def test_pydicom_reads_the_same(data: bytes, values: dict[str, object]):
    theirs = read_dataset(io.BytesIO(data), True, True)
    assert {keyword: getattr(theirs, keyword) for keyword in values} == values


@NAMED
def test_every_truncation(data: bytes, values: dict[str, object]):
    for size in range(len(data)):
        ds = encoding.decode_command(data[:size])
        assert "COMMAND_LENGTH" in {issue.code for issue in ds.issues}
        touch_set(ds)
        with pytest.raises(dc.ParseError):
            encoding.decode_command(data[:size], limits=dc.Limits(strict=True))


DEVIATIONS = {
    "no length": (element(0x0100, us(1)), ["COMMAND_LENGTH"]),
    "a length that is too small": (command(element(0x0100, us(1)), length=2), ["COMMAND_LENGTH"]),
    "a length that is too large": (command(element(0x0100, us(1)), length=0xFFFFFFFF), ["COMMAND_LENGTH"]),
    "another group": (command(element(0x0100, us(1)), struct.pack("<HHI", 8, 0x60, 2) + b"CT"), ["STRAY_GROUP"]),
    "disorder": (command(element(0x0110, us(1)), element(0x0100, us(1))), ["OUT_OF_ORDER"]),
}


@pytest.mark.parametrize(("data", "codes"), DEVIATIONS.values(), ids=DEVIATIONS)
def test_deviations_of_command_sets_are_reported(data: bytes, codes: list[str]):
    ds = encoding.decode_command(data)
    assert [issue.code for issue in ds.issues] == codes
    assert ds.CommandField == 1
    with pytest.raises(dc.ParseError):
        encoding.decode_command(data, limits=dc.Limits(strict=True))


def test_other_groups_are_refused():
    ds = dc.Dataset()
    ds.CommandField, ds.PatientID = 1, "42"
    with pytest.raises(dc.EncodeError, match="group 0000") as caught:
        encoding.encode_command(ds)
    assert caught.value.tag == 0x00100020


def test_limits():
    with pytest.raises(dc.LimitError):
        encoding.decode_command(COMMANDS["C-STORE-RQ"][0], limits=dc.Limits(elements=3))


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes):
    ds = encoding.decode_command(data)
    touch_set(ds)
    if ds.issues or any(element.tag.group for element in ds):
        return
    assert encoding.decode_command(encoding.encode_command(ds)) == ds
