"""Command sets of DIMSE messages (PS3.7 6.3, 9.3, 10.3, Annex E): numbers of messages and elements, both ways.

Command sets are in implicit VR little endian on every association. They are small and each message has one, so that
they are a mapping of numbers to plain values here; `Command.dataset` gives the data set.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any

from dicomcore._native.net.commands import read, write
from dicomcore.dataset import Dataset
from dicomcore.dictionary import keyword_for_tag, tag_for_keyword
from dicomcore.encoding import decode_command
from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.net.limits import DEFAULT_NET_LIMITS, NetLimits

__all__ = ["Command", "Field", "Kind", "decode", "encode"]

NO_DATA_SET, DATA_SET = 0x0101, 0x0000
RESPONSE = 0x8000
LONGEST_COMMENT = 64


class Kind(IntEnum):
    """Kinds of messages: values of Command Field (PS3.7 E.1). A response has the number of its request | 0x8000."""

    C_STORE = 0x0001
    C_GET = 0x0010
    C_FIND = 0x0020
    C_MOVE = 0x0021
    C_ECHO = 0x0030
    N_EVENT_REPORT = 0x0100
    N_GET = 0x0110
    N_SET = 0x0120
    N_ACTION = 0x0130
    N_CREATE = 0x0140
    N_DELETE = 0x0150
    C_CANCEL = 0x0FFF


class Field(IntEnum):
    """Elements of group 0000 (PS3.7 E.1, E.2), by their element number."""

    GROUP_LENGTH = 0x0000
    AFFECTED_SOP_CLASS = 0x0002
    REQUESTED_SOP_CLASS = 0x0003
    COMMAND = 0x0100
    MESSAGE_ID = 0x0110
    RESPONDED_TO = 0x0120
    MOVE_DESTINATION = 0x0600
    PRIORITY = 0x0700
    DATA_SET_TYPE = 0x0800
    STATUS = 0x0900
    OFFENDING_ELEMENT = 0x0901
    ERROR_COMMENT = 0x0902
    ERROR_ID = 0x0903
    AFFECTED_SOP_INSTANCE = 0x1000
    REQUESTED_SOP_INSTANCE = 0x1001
    EVENT_TYPE = 0x1002
    ATTRIBUTES = 0x1005
    ACTION_TYPE = 0x1008
    REMAINING = 0x1020
    COMPLETED = 0x1021
    FAILED = 0x1022
    WARNING = 0x1023
    ORIGINATOR = 0x1030
    ORIGINATOR_MESSAGE_ID = 0x1031


TAGS = frozenset({Field.OFFENDING_ELEMENT, Field.ATTRIBUTES})
UIDS = frozenset(
    {Field.AFFECTED_SOP_CLASS, Field.REQUESTED_SOP_CLASS, Field.AFFECTED_SOP_INSTANCE, Field.REQUESTED_SOP_INSTANCE}
)
TEXTS = frozenset({Field.MOVE_DESTINATION, Field.ERROR_COMMENT, Field.ORIGINATOR})
NUMBERS = frozenset(set(Field) - TAGS - UIDS - TEXTS - {Field.GROUP_LENGTH})


class Command(dict[int, Any]):
    """A command set: values by element number. UIDs and texts are str, numbers int, tags a tuple of int."""

    __slots__ = ("issues",)

    def __init__(self, values: dict[int, Any] | None = None) -> None:
        super().__init__(values or {})
        self.issues: list[Issue] = []

    def __getattr__(self, keyword: str) -> Any:
        """The value of an element by its keyword, such as ``AffectedSOPInstanceUID``; None if it is not there."""
        tag = tag_for_keyword(keyword)
        if tag is None or tag >> 16:
            raise AttributeError(f"{keyword} is no element of a command set")
        return self.get(tag)

    def __repr__(self) -> str:
        shown = (f"{keyword_for_tag(number) or f'{number:04X}'}={value!r}" for number, value in self.items())
        return f"Command({', '.join(shown)})"

    @property
    def kind(self) -> int:
        """The kind of the message, without the bit that makes it a response; 0 if it is not said."""
        return self.get(Field.COMMAND, 0) & ~RESPONSE

    @property
    def is_response(self) -> bool:
        """Whether the message is a response."""
        return bool(self.get(Field.COMMAND, 0) & RESPONSE)

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows (PS3.7 E.1: any value but 0101)."""
        return bool(self.get(Field.DATA_SET_TYPE, NO_DATA_SET) != NO_DATA_SET)

    @property
    def dataset(self) -> Dataset:
        """The command set as a data set."""
        return decode_command(encode(self))


def encode(values: dict[int, Any]) -> bytes:
    """The bytes of a command set; Command Group Length is counted. Elements whose value is None are left out."""
    whole = write(values if type(values) is dict else dict(values))
    return _encode(values) if whole is None else whole


def _encode(values: dict[int, Any]) -> bytes:
    """The bytes of any command set."""
    parts = []
    for number in sorted(values):
        value = values[number]
        if value is None or number == Field.GROUP_LENGTH:
            continue
        if number in TAGS:
            data = b"".join(struct.pack("<HH", tag >> 16, tag & 0xFFFF) for tag in value)
        elif isinstance(value, int):
            data = struct.pack("<H", value)
        elif isinstance(value, str):
            data = (_comment(value) if number == Field.ERROR_COMMENT else value).encode("ascii", "replace")
            data += (b"\0" if number in UIDS else b" ") * (len(data) & 1)
        else:
            data = bytes(value)
        parts.append(struct.pack("<HHI", 0, number, len(data)) + data)
    body = b"".join(parts)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _comment(text: str) -> str:
    """A comment as an LO can hold it: 64 characters, no backslash, no control characters (PS3.7 E.2, PS3.5 6.2)."""
    return "".join(one if one.isprintable() and one != "\\" else "?" for one in text)[:LONGEST_COMMENT]


def decode(data: bytes, limits: NetLimits = DEFAULT_NET_LIMITS) -> Command:
    """A command set from its bytes; what deviates is in its `issues`. ParseError for what cannot be read."""
    values = read(data, limits.command_elements)
    return _decode(data, limits) if values is None else Command(values)


def _decode(data: bytes, limits: NetLimits) -> Command:
    """A command set of any kind, and what is wrong with it."""
    command = Command()
    at, last = 0, -1
    while at < len(data):
        if len(data) - at < 8:
            raise ParseError(f"{len(data) - at} bytes are left where the header of an element takes 8", offset=at)
        group, number, length = struct.unpack_from("<HHI", data, at)
        if length > len(data) - at - 8:
            raise ParseError(
                f"({group:04X},{number:04X}) says {length} bytes where {len(data) - at - 8} are left", offset=at
            )
        if group:
            raise ParseError(f"({group:04X},{number:04X}) stands in a command set, which is group 0000", offset=at)
        if len(command) >= limits.command_elements:
            raise ParseError(f"a command set of more than {limits.command_elements} elements", offset=at)
        if number <= last:
            _note(command, "DUPLICATE_TAG" if number in command else "OUT_OF_ORDER", at, number, "is out of order")
        last = number
        if number != Field.GROUP_LENGTH:
            _put(command, number, data[at + 8 : at + 8 + length], at)
        at += 8 + length
    return command


def _put(command: Command, number: int, value: bytes, at: int) -> None:
    if number in NUMBERS:
        if len(value) < 2:
            _note(command, "BAD_VALUE", at, number, f"has {len(value)} bytes where a number takes 2")
            return
        command[number] = int.from_bytes(value[:2], "little")
        if len(value) != 2:
            _note(command, "BAD_VALUE", at, number, f"has {len(value)} bytes where a number takes 2")
    elif number in TAGS:
        count = len(value) // 4
        if len(value) % 4:
            _note(command, "BAD_VALUE", at, number, f"has {len(value)} bytes where tags take 4 each")
        words = struct.unpack_from(f"<{2 * count}H", value)
        command[number] = tuple(high << 16 | low for high, low in zip(words[::2], words[1::2], strict=True))
    elif number in UIDS:
        text = value.decode("latin-1").strip(" \0")
        command[number] = text
        if not text or len(text) > 64 or not text.replace(".", "").isdigit():
            _note(command, "BAD_UID", at, number, "is no UID")
    elif number in TEXTS:
        command[number] = value.decode("utf-8", "replace").strip(" \0")
    else:
        command[number] = value
        _note(command, "UNKNOWN_ELEMENT", at, number, "is no element of a command set")


def _note(command: Command, code: str, at: int, number: int, text: str) -> None:
    from dicomcore.tags import Tag

    command.issues.append(Issue(code, Tag(number), at, f"(0000,{number:04X}) {text}"))
