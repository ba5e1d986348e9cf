"""Instances (PS3.18 10.4.1.1.1): files as they lie, or transcoded when the client asks for that."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.transcoding import transcode
from dicomcore.web.bulk import bulk_of_instances
from dicomcore.web.choices import Choice, choose_instance, instance_choices, wants_dicom
from dicomcore.web.media import DICOM
from dicomcore.web.multipart import PartWriter
from dicomcore.web.problems import Problem, reason
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.sending import WHOLE, OpenFile, batched, open_file, read_spans, span_reply

__all__ = ["converted", "entries_of", "instances", "sent"]


async def instances(request: Request, target: Target) -> Reply:
    """Answer a request for a study, a series or an instance."""
    return await request.node.work(_instances, request, target)


def entries_of(request: Request, target: Target) -> Sequence[Any]:
    """The instances of a resource; Problem 404 if there is none."""
    entries: Sequence[Any] = request.node.catalogue.instances(**target.uids)
    if not entries:
        what = "instance" if target.instance else "series" if target.series else "study"
        raise Problem(404, f"there is no such {what}")
    return entries


def _instances(request: Request, target: Target) -> Reply:
    entries = entries_of(request, target)
    ranges = request.accepted
    return sent(request, entries) if wants_dicom(ranges) else bulk_of_instances(request, entries)


def sent(request: Request, entries: Sequence[Any]) -> Reply:
    """Instances as the client takes them: one alone, or parts."""
    ranges = request.accepted
    choices = {syntax: choose_instance(ranges, syntax) for syntax in {one.transfer_syntax for one in entries}}
    first = choices[entries[0].transfer_syntax]
    if len(entries) == 1 and not first.is_multipart:
        return _single(request, entries[0], first)
    writer = PartWriter(DICOM)
    parts = batched(_parts(request, entries, choices, writer))
    begun = next(parts)  # what is wrong with the first instances is said before the answer begins
    rest = next(parts, None)
    if rest is None:
        return Reply(200, writer.content_type, begun)
    return Reply(200, writer.content_type, stream=_joined(begun, rest, parts))


def _joined(first: Any, second: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield second
    yield from rest


def _single(request: Request, entry: Any, choice: Choice) -> Reply:
    file, syntax, choice = _opened(request, entry, choice)
    tag = f'"{file.tag}-{choice.transfer_syntax}"'
    if request.has_tag(tag):
        return Reply(304, headers=[("etag", tag)])
    return span_reply(request, file, [(0, file.size)], f"{DICOM};transfer-syntax={syntax}", tag)


def _parts(
    request: Request, entries: Sequence[Any], choices: dict[str, Choice], writer: PartWriter
) -> Iterator[bytes | memoryview]:
    for entry in entries:
        file, syntax, _ = _opened(request, entry, choices[entry.transfer_syntax])
        head = writer.head(f"{DICOM};transfer-syntax={syntax}")
        if file.size <= WHOLE:
            yield head + file.read(0, file.size)
        else:
            yield head
            yield from read_spans(file, [(0, file.size)])
    yield writer.tail()


def _opened(request: Request, entry: Any, first: Choice) -> tuple[OpenFile, str, Choice]:
    """The file to send, its transfer syntax, and the first way of sending it that works for this instance."""
    source = request.node.catalogue.source(entry)
    failure: Problem | None = None
    choices = instance_choices(request.accepted, entry.transfer_syntax)
    for choice in (one for one in choices if one.is_multipart == first.is_multipart):
        try:
            if not choice.transfer_syntax:
                return open_file(source), entry.transfer_syntax, choice
            return converted(source, choice.transfer_syntax, request.node.reading), choice.transfer_syntax, choice
        except FileNotFoundError:
            raise Problem(410, "the file of an instance is gone") from None
        except Problem as problem:
            failure = failure or problem
    assert failure is not None
    raise failure


def converted(source: Any, syntax: str, limits: Limits) -> OpenFile:
    """An instance in another transfer syntax, in a file without a name; Problem 406 if it cannot be made."""
    with tempfile.TemporaryDirectory(prefix="dicomcore-web-") as folder:
        path = os.path.join(folder, "made.dcm")
        try:
            transcode(source, path, syntax, workers=1, durable=False, force=True, limits=limits)
        except DicomError as error:
            raise Problem(406, f"an instance cannot be made {syntax}: {reason(error)}") from None
        return OpenFile(path)
