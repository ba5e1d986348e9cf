"""Bulk data and pixel data (PS3.18 10.4.1.1.5, 10.4.1.1.7): values as they lie in the files, little endian."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.paths import Below, unfolded
from dicomcore.dataset.state import is_in_big_endian
from dicomcore.errors import DicomError
from dicomcore.part10.reader import dcmread
from dicomcore.syntaxes import syntax_of
from dicomcore.vrs import BYTES
from dicomcore.web.choices import choose_frames, frame_choices
from dicomcore.web.frames import Stored, frame_parts
from dicomcore.web.media import ANY, OCTETS
from dicomcore.web.metadata import INLINE, bulk_uri
from dicomcore.web.multipart import PartWriter
from dicomcore.web.problems import Problem
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.sending import batched, open_file, span_reply

__all__ = ["bulk", "bulk_of_instances", "pixel_data"]

PIXELS = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})
HEX, OFFSET = re.compile("[0-9A-Fa-f]{8}"), re.compile("[0-9]{1,19}")
WORDS = {"OW": 2, "OL": 4, "OF": 4, "OD": 8, "OV": 8}


async def bulk(request: Request, target: Target) -> Reply:
    """Answer a request for bulk data: of one value, or all that a resource has."""
    return await request.node.work(_bulk, request, target)


async def pixel_data(request: Request, target: Target) -> Reply:
    """Answer a request for the pixel data of a resource."""
    return await request.node.work(_pixel_data, request, target)


def _entries(request: Request, target: Target) -> Sequence[Any]:
    entries: Sequence[Any] = request.node.catalogue.instances(**target.uids)
    if not entries:
        raise Problem(404, "there is no such resource")
    return entries


def _pixel_data(request: Request, target: Target) -> Reply:
    return _frames_of(request, _entries(request, target))


def _frames_of(request: Request, entries: Sequence[Any]) -> Reply:
    """The frames of instances, as parts; instances without pixel data have none."""
    _refuse_what_is_never_taken(request, entries)
    writer = PartWriter(OCTETS)
    return _reply(writer, _frame_parts(request, entries, writer))


def bulk_of_instances(request: Request, entries: Sequence[Any]) -> Reply:
    """All bulk data of instances, as parts: each frame, and each large value of binary data."""
    _refuse_what_is_never_taken(request, entries)
    writer = PartWriter(OCTETS)
    return _reply(writer, _all_parts(request, entries, writer))


def _refuse_what_is_never_taken(request: Request, entries: Sequence[Any]) -> None:
    """Problem 406, before the answer begins, if the client takes the frames of no instance."""
    syntaxes = [str(syntax) for syntax in dict.fromkeys(entry.transfer_syntax for entry in entries)]
    if not any(frame_choices(request.accepted, syntax) for syntax in syntaxes):
        choose_frames(request.accepted, syntaxes[0])


def _reply(writer: PartWriter, parts: Iterator[bytes | memoryview]) -> Reply:
    first = next(parts, None)  # what cannot be made is said before the answer begins
    if first is None:
        raise Problem(404, "the resource has no bulk data")
    return Reply(200, writer.content_type, stream=batched(_with_tail(first, parts, writer)))


def _with_tail(
    first: bytes | memoryview, rest: Iterator[bytes | memoryview], writer: PartWriter
) -> Iterator[bytes | memoryview]:
    yield first
    yield from rest
    yield writer.tail()


def _frame_parts(request: Request, entries: Sequence[Any], writer: PartWriter) -> Iterator[bytes | memoryview]:
    for entry in entries:
        try:
            stored = Stored(request.node, entry, 0)
        except DicomError:
            continue
        choice = choose_frames(request.accepted, stored.syntax)
        media = f"{choice.media};transfer-syntax={choice.transfer_syntax or stored.label}"
        place = _location(request, entry)
        yield from frame_parts(writer, media, stored, range(1, stored.count + 1), choice, place + "/frames/{}")


def _all_parts(request: Request, entries: Sequence[Any], writer: PartWriter) -> Iterator[bytes | memoryview]:
    for entry in entries:
        ds = dcmread(request.node.catalogue.source(entry), limits=request.node.reading, force=True)
        place = _location(request, entry)
        for element in unfolded(ds, _elements(ds)):
            is_large = (element.length or 0) > INLINE and element.VR in BYTES
            if is_large and int(element.tag) not in PIXELS and not element.is_undefined_length:
                uri = bulk_uri(f"{place}/", element)
                yield writer.head(OCTETS, location=uri) + _bytes_of(element)
        yield from _frame_parts(request, [entry], writer)


def _bulk(request: Request, target: Target) -> Reply:
    entries = _entries(request, target)
    if not target.rest:
        return bulk_of_instances(request, entries)
    tag, offset = _named(target.rest)
    entry = entries[0]
    try:
        ds = dcmread(request.node.catalogue.source(entry), limits=request.node.reading, force=True)
    except FileNotFoundError:
        raise Problem(410, "the file of the instance is gone") from None
    element = _found(ds, tag, offset)
    if element.VR not in BYTES:
        raise Problem(404, "there is no such bulk data")
    if tag in PIXELS and element.is_undefined_length:
        return _frames_of(request, [entry])
    return _value(request, entry, element, syntax_of(entry.transfer_syntax).deflated)


def _named(rest: Sequence[str]) -> tuple[int, int | None]:
    """The tag and the offset of a URI of bulk data."""
    is_known = len(rest) <= 2 and HEX.fullmatch(rest[0])
    if is_known and (len(rest) == 1 or OFFSET.fullmatch(rest[1])):
        return int(rest[0], 16), int(rest[1]) if len(rest) == 2 else None
    raise Problem(404, "there is no such bulk data")


def _found(ds: Dataset, tag: int, offset: int | None) -> DataElement:
    """The element of a tag whose value is at an offset; without one, that of the top level."""
    if tag in ds and (offset is None or ds[tag].offset == offset):
        return ds[tag]
    if offset is not None:
        for element in unfolded(ds, _elements(ds)):
            if element.offset == offset and int(element.tag) == tag:
                return element
    raise Problem(404, "there is no such bulk data")


def _elements(ds: Dataset) -> Iterator[DataElement | Below[DataElement]]:
    for element in ds:
        if element.VR == "SQ":
            for item in element.value or ():
                yield Below(item, _elements(item))
        else:
            yield element


def _form(request: Request) -> bool:
    """Whether bulk data is sent as parts; Problem 406 if the client does not take it."""
    for one in request.accepted:
        if one.takes(OCTETS) or one.media == ANY or one.transfer_syntax == "*":
            return one.is_multipart
    raise Problem(406, f"bulk data comes as {OCTETS}")


def _value(request: Request, entry: Any, element: DataElement, deflated: bool) -> Reply:
    is_multipart = _form(request)
    file = open_file(request.node.catalogue.source(entry))
    tag = f'"{file.tag}-{element.offset}"'
    if request.has_tag(tag):
        return Reply(304, headers=[("etag", tag)])
    plain = not deflated and not is_in_big_endian(element) and element.offset is not None
    if plain and not is_multipart:
        assert element.offset is not None
        length = min(element.length or 0, file.size - element.offset)
        return span_reply(request, file, [(element.offset, length)], OCTETS, tag)
    headers = [("etag", tag), ("cache-control", "private, no-cache")]
    data = _bytes_of(element)
    if not is_multipart:
        return Reply(200, OCTETS, data, headers)
    writer = PartWriter(OCTETS)
    head = writer.head(OCTETS)
    return Reply(200, writer.content_type, head + data + writer.tail(), headers)


def _bytes_of(element: DataElement) -> bytes:
    """The bytes of a value, little endian."""
    value = element.value
    if not isinstance(value, bytes | bytearray | memoryview):
        raise Problem(404, "there is no such bulk data")
    data = bytes(value)
    width = WORDS.get(element.VR, 1)
    if width > 1 and is_in_big_endian(element):
        whole = len(data) - len(data) % width
        return np.frombuffer(data, f">u{width}", whole // width).astype(f"<u{width}").tobytes() + data[whole:]
    return data


def _location(request: Request, entry: Any) -> str:
    """The URL of an instance."""
    study, series, instance = (quote(uid, safe="") for uid in (entry.study, entry.series, entry.sop_instance))
    return f"{request.base}/studies/{study}/series/{series}/instances/{instance}"
