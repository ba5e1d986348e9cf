"""Targets of the web client: multipart messages, however they are divided, and arrays of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dicomcore._native.forms.reader import object_spans
from dicomcore.errors import ParseError
from dicomcore.web.multipart import Ended, Part, PartLimits, PartParser, PartWriter, media_type
from fuzz.network import portions
from fuzz.target import FuzzInput, Target

BOUNDS = PartLimits(head=256, fields=8, parts=16, part_bytes=4096, preamble=512)
BOUNDARY = "B"


def read(data: bytes, size: int) -> tuple[list[tuple[dict[str, str], bytes, str]], str]:
    """The parts of a message that comes in portions of a size, and the kind of the error that ends it."""
    parser = PartParser(BOUNDARY, limits=BOUNDS)
    parts: list[tuple[dict[str, str], bytes, str]] = []
    fields: dict[str, str] = {}
    body = bytearray()
    try:
        for portion in portions(data, size):
            for event in parser.feed(portion):
                if isinstance(event, Part):
                    fields, body = dict(event.fields), bytearray()
                    assert event.number == len(parts) < BOUNDS.parts
                    media_type(event.fields.get("content-type", ""))
                elif isinstance(event, Ended):
                    assert event.size == len(body) <= BOUNDS.part_bytes
                    parts.append((fields, bytes(body), event.fault))
                else:
                    body += event
        parser.close()
    except ParseError as error:
        assert error.offset is not None
        assert 0 <= error.offset <= len(data)
        return parts, type(error).__name__
    return parts, ""


def multipart(data: bytes) -> None:
    """Any division of a message gives the same parts; they are written and read again."""
    options = FuzzInput(data)
    size = options.byte()
    whole, failure = read(options.left, 0)
    cut, other = read(options.left, size)
    if not failure or not other:
        assert (whole, failure) == (cut, other)
    if failure:
        return
    writer = PartWriter("application/dicom", boundary="unlike-the-other")
    bodies = [body for _, body, _ in whole if b"unlike-the-other" not in body]
    again = b"".join([writer.head() + body for body in bodies] + [writer.tail()])
    parser = PartParser("unlike-the-other")
    events = parser.feed(again)
    parser.close()
    assert sum(isinstance(event, Ended) for event in events) == len(bodies)
    assert b"".join(event for event in events if isinstance(event, memoryview)) == b"".join(bodies)


def arrays(data: bytes) -> None:
    """What the standard library reads as an array of objects is divided into the same objects."""
    spans = object_spans(data)
    try:
        model: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        return
    is_array = isinstance(model, list) and all(isinstance(one, dict) for one in model)
    assert (spans is not None) == is_array
    if spans is not None:
        assert [json.loads(data[start:stop]) for start, stop in spans] == model


def messages() -> Iterator[bytes]:
    """Messages, with the size of portions before them."""
    head = b"Content-Type: application/dicom\r\nContent-Length: 3\r\n\r\n"
    yield b"\0--B\r\n" + head + b"abc\r\n--B \t\r\n\r\n\r\n--Bee\r\n--B-\r\n--B--\r\nepilogue"
    yield (
        b"\3preamble\r\n--B\r\nX: y\r\nContent-Transfer-Encoding: base64\r\n\r\nabc\r\n--B\r\n"
        + head
        + b"abcd\r\n--B--"
    )


def texts() -> Iterator[bytes]:
    """Arrays of objects."""
    yield b'[{"00100010":{"vr":"PN","Value":[{"Alphabetic":"A\\"}{"}]}},\r\n{ "x" : [[{}],"\\\\"] }]'
    yield b" [ ] "


TARGETS = {"web-multipart": Target(multipart, messages, 4096), "web-array": Target(arrays, texts, 4096)}
