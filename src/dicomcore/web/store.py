"""Store (PS3.18 10.5): parts go straight to files beside the store, and into the catalogue one by one."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dicomcore.dataset.lookup import text_of
from dicomcore.errors import DicomError, LimitError, ParseError
from dicomcore.files import NEW_FILE, write_all
from dicomcore.part10.reader import dcmread
from dicomcore.web.bodies import body_pieces
from dicomcore.web.described import Described
from dicomcore.web.media import DICOM, JSON, OCTETS, SPELLINGS, XML
from dicomcore.web.multipart import Ended, Part, PartLimits, PartParser, boundary_of, media_type
from dicomcore.web.node import Node
from dicomcore.web.objects import CLASSES, resource_of
from dicomcore.web.outcomes import Failure, Outcomes
from dicomcore.web.problems import Problem, reason
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.search import chosen_form

if TYPE_CHECKING:
    from dicomcore.catalogue import Received

__all__ = ["store"]

IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
OUT_OF_RESOURCES, CANNOT_UNDERSTAND, ANOTHER_STUDY, DAMAGED = 0xA700, 0xC000, 0xC409, 0xC001
COERCED, UNKNOWN_CLASS = 0xB000, 0x0122
AHEAD = 1 << 20  # bytes that wait while others are written
ENOUGH = 512 << 10  # bytes that are worth a thread's turn, which costs as much as writing them
WAITING = 256  # instances that wait for the catalogue
AS_DICOM = frozenset({"", DICOM, OCTETS, "application/x-dicom", "multipart/related"})


async def store(request: Request, target: Target) -> Reply:
    """Answer a request to store instances."""
    node = request.node
    if not node.store:
        raise Problem(405, "this service does not store", [("allow", "GET, HEAD, OPTIONS")])
    form = chosen_form(request)
    receiver = _receiver(request, target)
    request.rest()
    try:
        await _receive(request, receiver)
        await _settled(receiver.pending)
        await node.work(receiver.finish)
        await _settled(receiver.pending)
    except (ParseError, LimitError) as error:
        receiver.fault = str(error)
        await _settled(receiver.pending)
    finally:
        await node.work(receiver.close)
    node.metrics.stored += len(receiver.outcomes.stored)
    request.outcomes = receiver.outcomes
    return _answer(request, receiver, target, form)


def _answer(request: Request, receiver: _Receiver, target: Target, form: str) -> Reply:
    outcomes = receiver.outcomes
    if receiver.fault:
        if not outcomes.stored:
            raise Problem(400, f"the request cannot be read: {receiver.fault}")
        outcomes.others.append(Failure(CANNOT_UNDERSTAND, receiver.fault))
    if outcomes.is_empty:
        raise Problem(400, "the request has no instance")
    return outcomes.reply(request.base, form, target.study)


async def _receive(request: Request, receiver: _Receiver) -> None:
    """Feed what arrives to the receiver, in a thread that writes while more comes."""
    node = request.node
    writing: asyncio.Future[None] | None = None
    held: list[bytes] = []
    size = 0
    try:
        async for piece in body_pieces(request):
            held.append(piece)
            size += len(piece)
            if size < ENOUGH:
                continue
            if writing is not None and (size >= AHEAD or writing.done()):
                await writing
                writing = None
            if writing is None:
                if sum(len(group.instances) for group in receiver.pending) > WAITING:
                    await _settled(receiver.pending)
                writing = node.begin(receiver.feed, held)
                held, size = [], 0
        if writing is not None:
            await writing
            writing = None
        await node.work(receiver.end, held)
    finally:
        if writing is not None:
            with suppress(Exception):
                await writing


async def _settled(pending: list[_Group]) -> None:
    """Wait until the catalogue has what was given to it: it takes one after the other."""
    while pending:
        given, pending[:] = pending[:], []
        await asyncio.wait([asyncio.wrap_future(given[-1].received)])
        for group in given:
            if not group.received.done():
                await asyncio.wait([asyncio.wrap_future(group.received)])
            for instance, received in zip(group.instances, group.received.result(), strict=True):
                instance.settle(received)


def _receiver(request: Request, target: Target) -> _Receiver:
    """What reads the body; Problem 415 for a body that cannot be stored."""
    content_type = request.headers.get("content-type", "")
    node = request.node
    try:
        kind = media_type(content_type)
    except ParseError:
        raise Problem(415, "the request has no Content-Type that can be read") from None
    if kind.essence == DICOM:
        return _Receiver(node, target, None, DICOM)
    if kind.essence != "multipart/related":
        raise Problem(415, f"what is stored comes as multipart/related, not as {kind.essence[:80]!r}")
    asked = kind.parameters.get("type", DICOM).split(";")[0].strip().lower()
    asked = SPELLINGS.get(asked, asked)
    if asked not in (DICOM, JSON, XML):
        raise Problem(415, f"parts of {asked[:80]!r} are not stored; {DICOM}, {JSON} and {XML} are")
    limits = PartLimits(head=node.limits.part_head_bytes, parts=node.limits.parts, part_bytes=node.limits.file_bytes)
    try:
        parser = PartParser(boundary_of(content_type), limits=limits)
    except ParseError as error:
        raise Problem(400, str(error)) from None
    return _Receiver(node, target, parser, asked)


@dataclass(slots=True)
class _Instance:
    """A part that is given to the catalogue."""

    outcomes: Outcomes
    path: str
    identity: dict[str, str] = field(default_factory=dict)

    def failure(self, reason: int, text: str) -> Failure:
        return Failure(reason, text, self.identity.get("SOPClassUID", ""), self.identity.get("SOPInstanceUID", ""))

    def settle(self, received: Received) -> None:
        """What the catalogue made of it."""
        status = int(received.status)
        if status and (status >> 12) != 0xB:
            self.outcomes.failed.append(self.failure(status, received.comment))
            return
        if received.study and received.study != self.identity["StudyInstanceUID"]:
            status = status or COERCED  # its series is that of another study here, where it is found
        self.outcomes.stored.append((self.identity, status))
        self.outcomes.actions[self.identity["SOPInstanceUID"]] = received.action


class _Group(NamedTuple):
    """Instances that were given to the catalogue together: one hand-over costs as much as one instance does."""

    instances: list[_Instance]
    received: Future[list[Received]]

    def told(self, received: list[Received]) -> None:
        """The catalogue has done with them."""
        if self.received.set_running_or_notify_cancel():  # else nobody waits any more
            self.received.set_result(received)


class _Receiver:
    """Takes the bytes of a body; works in threads, one call at a time."""

    def __init__(self, node: Node, target: Target, parser: PartParser | None, asked: str) -> None:
        self._node, self._target, self._parser, self._asked = node, target, parser, asked
        self.outcomes = Outcomes(resource=target.kind if target.kind in CLASSES else "")
        self.pending: list[_Group] = []
        self._complete: list[_Instance] = []
        self.fault = ""
        self._file, self._path, self._size = -1, "", 0
        self._refusal: Failure | None = None
        self._described = None if asked == DICOM else Described(node, asked)
        if parser is None:
            self._begin(None)

    def feed(self, pieces: Sequence[bytes]) -> None:
        """Take pieces. ParseError or LimitError if the message cannot be read further."""
        try:
            for piece in pieces:
                self._feed(piece)
        finally:
            self._hand_over()

    def _feed(self, data: bytes) -> None:
        if self._parser is None:
            self._write(memoryview(data))
            return
        for event in self._parser.feed(data):
            if isinstance(event, Part):
                self._begin(event)
            elif isinstance(event, Ended):
                self._end(event.fault)
            else:
                self._write(event)

    def end(self, pieces: Sequence[bytes]) -> None:
        """The body is whole; these are the last of it."""
        self.feed(pieces)
        if self._parser is None:
            self._end("")
            self._hand_over()
        else:
            self._parser.close()

    def _begin(self, part: Part | None) -> None:
        self._size, self._refusal = 0, None
        if self._described is not None:
            assert part is not None
            self._described.begin(part)
            return
        named = DICOM if part is None else part.media_type.essence
        if named not in AS_DICOM:
            self._refusal = Failure(CANNOT_UNDERSTAND, f"a part of {named[:80]!r} among those of {DICOM}")
            return
        try:
            folder = self._node.live.folder
            if shutil.disk_usage(folder).free < self._node.limits.free_bytes:
                raise OSError("no room is left on the disk")
            self._path = self._node.live.part()
            self._file = os.open(self._path, NEW_FILE, 0o666)
        except OSError as error:
            self._refusal = Failure(OUT_OF_RESOURCES, error.strerror or reason(error))

    def _write(self, data: memoryview) -> None:
        if self._described is not None:
            self._described.write(data)
            return
        if self._refusal is not None:
            return
        self._size += len(data)
        try:
            if self._size > self._node.limits.file_bytes:
                raise OSError(f"an instance of more than {self._node.limits.file_bytes} bytes")
            write_all(self._file, data)
        except OSError as error:
            self._refusal = Failure(OUT_OF_RESOURCES, error.strerror or reason(error))
            self._drop()

    def _end(self, fault: str) -> None:
        if self._described is not None:
            self._described.end(fault)
            return
        if self._refusal is None and fault:
            self._refusal = Failure(DAMAGED, fault)
        if self._refusal is not None:
            self._drop()
            self.outcomes.others.append(self._refusal)
            return
        os.close(self._file)
        self._file = -1
        self._offer(self._path)
        self._path = ""

    def _offer(self, path: str) -> None:
        """A file is complete: it goes to the catalogue with those that are complete with it."""
        instance = _Instance(self.outcomes, path)
        failure = self._looked_at(instance)
        if failure is not None:
            with suppress(OSError):
                os.unlink(path)
            (self.outcomes.failed if failure.sop_instance else self.outcomes.others).append(failure)
            return
        self._complete.append(instance)

    def _hand_over(self) -> None:
        """Give complete files to the catalogue."""
        if not self._complete:
            return
        group = _Group(self._complete, Future())
        self._complete = []
        self.pending.append(group)
        paths = [instance.path for instance in group.instances]
        self._node.live.receive_all(paths, duplicates=self._node.duplicates, done=group.told)

    def _looked_at(self, instance: _Instance) -> Failure | None:
        """Read what a file says it is; why it is not stored, if so."""
        try:
            ds = dcmread(instance.path, specific_tags=IDENTITY, limits=self._node.reading)
        except (DicomError, OSError) as error:
            return Failure(CANNOT_UNDERSTAND, f"it cannot be read: {reason(error)}")
        instance.identity = {name: text_of(ds, name) or "" for name in IDENTITY}
        resource = resource_of(instance.identity["SOPClassUID"])
        if resource != self.outcomes.resource:
            place = f"is stored at /{resource}" if resource else f"is not one of /{self.outcomes.resource}"
            return instance.failure(UNKNOWN_CLASS, f"its SOP class {place}")
        needed = IDENTITY[:2] if resource else IDENTITY
        missing = [name for name in needed if not instance.identity[name]]
        if missing:
            return instance.failure(CANNOT_UNDERSTAND, f"it has no {missing[0]}")
        return self._misplaced(instance)

    def _misplaced(self, instance: _Instance) -> Failure | None:
        """Why an instance is not what the request names, if so."""
        target, identity = self._target, instance.identity
        if target.study and identity["StudyInstanceUID"] != target.study:
            return instance.failure(ANOTHER_STUDY, "it is of another study than the one that the request names")
        if target.instance and identity["SOPInstanceUID"] != target.instance:
            return instance.failure(ANOTHER_STUDY, "it is another instance than the one that the request names")
        return None

    def finish(self) -> None:
        """All is there: make the instances that were described by metadata."""
        if self._described is None:
            return
        try:
            for made in self._described.instances():
                if isinstance(made, Failure):
                    (self.outcomes.failed if made.sop_instance else self.outcomes.others).append(made)
                else:
                    self._offer(made)
        finally:
            self._hand_over()

    def _drop(self) -> None:
        if self._file != -1:
            os.close(self._file)
            self._file = -1
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)
            self._path = ""

    def close(self) -> None:
        """Nothing half stored stays."""
        self._drop()
        if self._described is not None:
            self._described.close()
