"""multipart/related (RFC 2387), as DICOMweb sends it: a parser that is fed bytes and gives events, and a writer.

python-multipart looks for the delimiters. What `multipart/related` needs beside it is here: a preamble, types and
locations of parts, lengths that parts state, limits, and a message that ends too early.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError

from dicomcore.errors import LimitError, ParseError

__all__ = [
    "DEFAULT_PART_LIMITS",
    "Ended",
    "MediaType",
    "Part",
    "PartLimits",
    "PartParser",
    "PartWriter",
    "boundary_of",
    "media_type",
    "read_parts",
]

LONGEST_BOUNDARY = 200  # RFC 2046 5.1.1 allows 70; some writers exceed it
QUIET = logging.Logger("multipart", logging.CRITICAL + 1)  # the scan logs what it raises as well
IDENTITY = ("", "binary", "8bit", "7bit")  # transfer encodings that leave bytes as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLimits:
    """Bounds on what a multipart message may make its reader hold."""

    head: int = 8 << 10
    """Bytes of the header fields of a part."""
    fields: int = 64
    """Header fields of a part."""
    parts: int = 1_000_000
    """Parts of a message."""
    part_bytes: int = 64 << 30
    """Bytes of a part."""
    preamble: int = 64 << 10
    """Bytes before the first delimiter."""


DEFAULT_PART_LIMITS = PartLimits()


class MediaType(NamedTuple):
    """A media type: ``type/subtype`` in lower case, and its parameters by their names in lower case."""

    essence: str
    parameters: Mapping[str, str]


@lru_cache(maxsize=256)
def media_type(text: str) -> MediaType:
    """Read a Content-Type (RFC 9110 8.3.1); quotes and blanks may be missing or too many."""
    pieces = _split_quoted(text)
    parameters: dict[str, str] = {}
    for piece in pieces[1:]:
        name, equals, value = piece.partition("=")
        if equals:
            key, value = name.strip().lower(), _unquoted(value.strip())
            parameters.setdefault(key, value.strip("'") if key == "type" else value)
    return MediaType(pieces[0].strip().lower(), MappingProxyType(parameters))


def _split_quoted(text: str) -> list[str]:
    """The pieces between semicolons that are not inside quotes."""
    pieces, start, is_quoted, is_escaped = [], 0, False, False
    for i, one in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif is_quoted and one == "\\":
            is_escaped = True
        elif one == '"':
            is_quoted = not is_quoted
        elif one == ";" and not is_quoted:
            pieces.append(text[start:i])
            start = i + 1
    return [*pieces, text[start:]]


def _unquoted(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    kept, is_escaped = [], False
    for one in value[1:-1]:
        if one == "\\" and not is_escaped:
            is_escaped = True
            continue
        kept.append(one)
        is_escaped = False
    return "".join(kept)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type of a multipart message names. ParseError if there is none that can be."""
    read = media_type(content_type)
    if not read.essence.startswith("multipart/"):
        raise ParseError(f"the body is {content_type[:80]!r}, no multipart message")
    boundary = read.parameters.get("boundary", "")
    if not boundary:
        raise ParseError(f"the Content-Type {content_type[:80]!r} names no boundary (RFC 2046 5.1.1)")
    _check_boundary(boundary)
    return boundary.encode("ascii")


def _check_boundary(boundary: str) -> None:
    if not 1 <= len(boundary) <= LONGEST_BOUNDARY:
        raise ParseError(f"a boundary has 1 to {LONGEST_BOUNDARY} characters, not {len(boundary)}")
    if not boundary.isascii() or not boundary.isprintable() or boundary.endswith(" "):
        raise ParseError(f"the boundary {boundary!r} has characters that no boundary has (RFC 2046 5.1.1)")


class Part(NamedTuple):
    """A part begins: its number from 0, and its header fields by their names in lower case."""

    number: int
    fields: Mapping[str, str]

    @property
    def media_type(self) -> MediaType:
        """The part's Content-Type; with an empty `essence` if it has none."""
        return media_type(self.fields.get("content-type", ""))

    @property
    def location(self) -> str:
        """Content-Location, "" for none."""
        return self.fields.get("content-location", "")

    @property
    def length(self) -> int | None:
        """Content-Length as the part states it; None without one, or if it is no number."""
        text = self.fields.get("content-length", "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


class Ended(NamedTuple):
    """A part is complete: its number and its size. `fault` says why its bytes are not what was meant, "" if they are.

    A fault concerns this part only. The Content-Length differs, or a transfer encoding was applied, which HTTP has not.
    """

    number: int
    size: int
    fault: str


Event = Part | memoryview | Ended


class PartParser:
    """Reads a multipart message that arrives in pieces.

    `feed` gives events in the order of the message: a `Part`, then its bytes as memoryviews of what was fed (use or
    copy them before the buffer changes), then `Ended`. `close` says that nothing follows. Time grows with the bytes
    that are fed, whatever they are, and no more is held than a head or the beginning of a delimiter.

    Raises ParseError, whose `offset` counts from the first byte of the message, and LimitError for `limits`. After
    that, every call raises the same error. Events before the damage are given first; then the next call raises.

    Parameters
    ----------
    boundary : bytes or str
        The boundary, without the hyphens before it; see `boundary_of`.
    limits : PartLimits
        Bounds on parts and their heads.
    """

    def __init__(self, boundary: bytes | str, *, limits: PartLimits = DEFAULT_PART_LIMITS) -> None:
        text = boundary if isinstance(boundary, str) else boundary.decode("latin-1")
        _check_boundary(text)
        self._limits = limits
        self._delimiter = b"--" + text.encode("ascii")
        self._scan = MultipartParser(
            text.encode("ascii"),
            {
                "on_part_begin": self._begin,
                "on_header_field": self._name,
                "on_header_value": self._value,
                "on_header_end": self._end_field,
                "on_headers_finished": self._end_head,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._finish,
            },
            max_header_count=limits.fields,
            max_header_size=limits.head,
        )
        self._scan.logger = QUIET
        self._events: list[Event] = []
        self._preamble: bytearray | None = bytearray()
        self._searched = 0
        self._names: list[bytes] = []
        self._values: list[bytes] = []
        self._fields: dict[str, str] = {}
        self._head = 0
        self._part: Part | None = None
        self._number = -1
        self._size = 0
        self._fed = 0
        self._failure: ParseError | None = None
        self.is_complete = False

    def feed(self, data: bytes) -> list[Event]:
        """Take the next bytes of the message; return what they complete."""
        if self._failure is not None:
            raise self._failure
        events = self._events = []
        before = self._fed
        self._fed += len(data)
        if self.is_complete:  # what follows the last delimiter is no part
            return events
        try:
            if self._preamble is not None:
                before, data = self._after_preamble(data)
            if data:
                self._scan.write(data)
        except MultipartParseError as error:
            at = error.offset if error.offset is not None and error.offset >= 0 else 0
            failure = self._fail(ParseError(f"the multipart message is damaged: {error}", offset=before + at))
            if not events:
                raise failure from None
        except ParseError as error:
            self._fail(error)
            if not events:
                raise
        return events

    def close(self) -> None:
        """The message has ended. ParseError if its last delimiter did not come."""
        if self._failure is not None:
            raise self._failure
        if not self.is_complete:
            where = "before its first part" if self._number < 0 else f"in part {self._number}"
            fault = ParseError(f"the multipart message ends {where}, without its last delimiter", offset=self._fed)
            raise self._fail(fault)

    def _fail(self, error: ParseError) -> ParseError:
        if error.offset is None:
            error.offset = self._fed
        self._failure = error
        return error

    # -- before the first part

    def _after_preamble(self, data: bytes) -> tuple[int, bytes]:
        """Drop what stands before the first delimiter line; give the offset and the bytes of what is left.

        The line itself becomes one that the scan reads: it may end with blanks (RFC 2046 5.1.1).
        """
        held = self._preamble
        assert held is not None
        held += data
        while True:
            at = held.find(self._delimiter, self._searched)
            if at < 0:
                self._searched = max(self._searched, len(held) - len(self._delimiter) + 1)
                break
            if at and held[at - 1] != 0x0A:  # not at the beginning of a line
                self._searched = at + 1
                continue
            after = at + len(self._delimiter)
            line = held.find(b"\n", after)
            if held.startswith(b"--", after):
                self._preamble, self.is_complete = None, True
                return self._fed, b""
            if line < 0:
                self._searched = at
                break
            end = bytes(held[after:line])
            if end.strip(b" \t\r"):  # a longer word that begins like the delimiter
                self._searched = at + 1
                continue
            if not end.endswith(b"\r"):
                raise ParseError(
                    "the lines of the multipart message end with LF, not CR LF (RFC 2046 4.1.1)",
                    offset=self._fed - len(held) + line,
                )
            rest = bytes(held[line + 1 :])
            self._preamble = None
            self._scan.write(self._delimiter + b"\r\n")
            return self._fed - len(rest), rest
        if len(held) > self._limits.preamble:
            raise LimitError(f"no part begins within {self._limits.preamble} bytes of the multipart message")
        return self._fed, b""

    # -- what the scan finds

    def _begin(self) -> None:
        self._number += 1
        if self._number >= self._limits.parts:
            raise LimitError(f"the multipart message has more than {self._limits.parts} parts")
        self._head = self._size = 0
        self._fields = {}

    def _name(self, data: bytes, start: int, end: int) -> None:
        self._names.append(data[start:end])
        self._grow(end - start)

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._values.append(data[start:end])
        self._grow(end - start)

    def _grow(self, count: int) -> None:
        self._head += count
        if self._head > self._limits.head:
            raise LimitError(f"the head of part {self._number} has more than {self._limits.head} bytes")

    def _end_field(self) -> None:
        self._grow(4)
        name = b"".join(self._names).decode("latin-1").lower()
        self._fields.setdefault(name, b"".join(self._values).decode("latin-1").strip())
        self._names.clear()
        self._values.clear()

    def _end_head(self) -> None:
        self._part = Part(self._number, self._fields)
        self._events.append(self._part)

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size > self._limits.part_bytes:
            raise LimitError(f"part {self._number} has more than {self._limits.part_bytes} bytes")
        self._events.append(memoryview(data)[start:end])

    def _end(self) -> None:
        assert self._part is not None
        self._events.append(Ended(self._number, self._size, _fault(self._part, self._size)))
        self._part = None

    def _finish(self) -> None:
        self.is_complete = True


def _fault(part: Part, size: int) -> str:
    encoding = part.fields.get("content-transfer-encoding", "").lower()
    if encoding not in IDENTITY:
        return f"the part has the Content-Transfer-Encoding {encoding[:40]!r}, which HTTP does not use"
    stated = part.fields.get("content-length", "")
    if stated and part.length != size:
        return f"the part has {size} bytes, its Content-Length is {stated[:40]!r}"
    return ""


def read_parts(
    pieces: Iterable[bytes], content_type: str, *, limits: PartLimits = DEFAULT_PART_LIMITS
) -> Iterator[tuple[Part, bytes]]:
    """The parts of a message whose parts are small enough for memory. ParseError for a part with a fault, too."""
    parser = PartParser(boundary_of(content_type), limits=limits)
    part: Part | None = None
    held: list[memoryview] = []
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, memoryview):
                held.append(event)
            elif isinstance(event, Part):
                part, held = event, []
            else:
                if event.fault:
                    raise ParseError(f"part {event.number}: {event.fault}")
                assert part is not None
                yield part, b"".join(held)
    parser.close()


class PartWriter:
    """Writes a multipart message around parts: `head`, the bytes of the part, `head`, …, `tail`.

    Parameters
    ----------
    type : str
        The media type of the parts, which the message's own `content_type` repeats (RFC 2387 3.1).
    parameters : mapping, optional
        More parameters of the message's type, such as ``transfer-syntax``.
    boundary : str, optional
        The boundary; by default one of 128 random bits, which no part has.
    """

    def __init__(self, type: str, parameters: Mapping[str, str] | None = None, *, boundary: str | None = None) -> None:
        self.boundary = boundary or secrets.token_hex(16)
        _check_boundary(self.boundary)
        more = "".join(f"; {name}={value}" for name, value in (parameters or {}).items())
        self.content_type = f'multipart/related; type="{type}"{more}; boundary={self.boundary}'
        self._type = type
        self._is_first = True

    def head(
        self,
        content_type: str = "",
        *,
        location: str = "",
        length: int | None = None,
        more: Mapping[str, str] | None = None,
    ) -> bytes:
        """The delimiter and the head of the next part; its type is the message's unless `content_type` is another."""
        fields = {"Content-Type": content_type or self._type, "Content-Location": location}
        fields |= {"Content-Length": str(length)} if length is not None else {}
        fields |= more or {}
        lines = [f"--{self.boundary}"] + [f"{name}: {value}" for name, value in fields.items() if value]
        for line in lines:
            if not line.isprintable():
                raise ValueError(f"a header field of a part has a control character: {line!r}")
        lead, self._is_first = b"" if self._is_first else b"\r\n", False
        return lead + "\r\n".join([*lines, "", ""]).encode("latin-1")

    def tail(self) -> bytes:
        """The last delimiter."""
        return (b"" if self._is_first else b"\r\n") + f"--{self.boundary}--\r\n".encode("ascii")
