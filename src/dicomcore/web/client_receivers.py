"""What takes the body of an answer while it comes: parts to files, to data sets, to bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Container
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import file_index
from dicomcore.errors import DicomError, LimitError, ParseError
from dicomcore.files import NEW_FILE, write_all
from dicomcore.limits import Limits
from dicomcore.net.storing import Folder
from dicomcore.part10.reader import dcmread
from dicomcore.web.client_answers import Answer
from dicomcore.web.multipart import DEFAULT_PART_LIMITS, Ended, Part, PartLimits, PartParser, boundary_of, media_type

__all__ = ["BytesReceiver", "DataSetReceiver", "FileReceiver", "Outcome", "Receiver", "Whole"]

SMALL = 1 << 20  # a part of up to these bytes is put together in memory before it is written
IDENTITY = {
    0x00080016: "SOPClassUID",
    0x00080018: "SOPInstanceUID",
    0x0020000D: "StudyInstanceUID",
    0x0020000E: "SeriesInstanceUID",
}
SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = IDENTITY


class Outcome(NamedTuple):
    """What became of one instance that was sent or received.

    `state` is "stored", "warning" or "failed"; `error` says why it is not "stored", and `code` is the Warning Reason or
    Failure Reason (PS3.18 I.2) if the server gave one, else 0. `path` is the file, None for a data set in memory.
    """

    state: str
    path: str | None
    sop_class: str
    sop_instance: str
    error: str = ""
    code: int = 0


class Receiver(Protocol):
    """Takes the body of a good answer. What its methods return goes to the caller of the operation, in order."""

    def begin(self, answer: Answer) -> None:
        """The head of the answer is there."""

    def feed(self, data: bytes) -> list[Any]:
        """The next bytes."""

    def close(self) -> list[Any]:
        """The body is complete."""

    def abort(self) -> None:
        """The body will not be complete."""


class _Parts:
    """Splits a body into parts; a body that is not multipart is one part."""

    def __init__(self, limits: PartLimits = DEFAULT_PART_LIMITS) -> None:
        self._limits = limits
        self._parser: PartParser | None = None
        self._single: Part | None = None
        self._size = 0

    def begin(self, answer: Answer) -> None:
        """Find out how the body is made."""
        if media_type(answer.content_type).essence.startswith("multipart/"):
            self._parser = PartParser(boundary_of(answer.content_type), limits=self._limits)
            return
        fields = {name: answer.headers[name] for name in ("content-type", "content-location") if name in answer.headers}
        self._single = Part(0, fields)

    def feed(self, data: bytes) -> list[Any]:
        """Events of the parser, or what they would be for one part."""
        if self._parser is not None:
            return list(self._parser.feed(data))
        first = [self._single] if not self._size else []
        self._size += len(data)
        if self._size > self._limits.part_bytes:
            raise LimitError(f"the body has more than {self._limits.part_bytes} bytes")
        return [*first, memoryview(data)]

    def close(self) -> list[Any]:
        """The last events."""
        if self._parser is not None:
            self._parser.close()
            return []
        return [Ended(0, self._size, "")] if self._size else []


class _PartReceiver:
    """Parts that go to `_open`, `_write` and `_shut` of a subclass; `_shut` returns what the caller gets."""

    def __init__(self, limits: PartLimits = DEFAULT_PART_LIMITS) -> None:
        self._parts = _Parts(limits)

    def begin(self, answer: Answer) -> None:
        """The head of the answer is there."""
        self._parts.begin(answer)

    def feed(self, data: bytes) -> list[Any]:
        """The next bytes."""
        return self._take(self._parts.feed(data))

    def close(self) -> list[Any]:
        """The body is complete."""
        return self._take(self._parts.close())

    def abort(self) -> None:
        """The body will not be complete."""

    def _take(self, events: list[Any]) -> list[Any]:
        results: list[Any] = []
        for event in events:
            if type(event) is memoryview:
                self._write(event)
            elif type(event) is Part:
                self._open(event)
            else:
                results += self._shut(event)
        return results

    def _open(self, part: Part) -> None:
        raise NotImplementedError

    def _write(self, data: memoryview) -> None:
        raise NotImplementedError

    def _shut(self, end: Ended) -> list[Any]:
        raise NotImplementedError


class Whole(NamedTuple):
    """A part in memory."""

    part: Part
    data: bytes


class BytesReceiver(_PartReceiver):
    """Parts as bytes, each a `Whole` of at most `most` bytes. A part with a fault is an error."""

    def __init__(self, most: int, limits: PartLimits = DEFAULT_PART_LIMITS) -> None:
        super().__init__(limits)
        self._most = most
        self._pieces: list[memoryview] = []
        self._size = 0
        self._part: Part | None = None

    def _open(self, part: Part) -> None:
        self._part, self._pieces, self._size = part, [], 0

    def _write(self, data: memoryview) -> None:
        self._size += len(data)
        if self._size > self._most:
            raise LimitError(f"a part has more than {self._most} bytes, which are not read into memory")
        self._pieces.append(data)

    def _shut(self, end: Ended) -> list[Any]:
        if end.fault:
            raise ParseError(f"part {end.number}: {end.fault}")
        assert self._part is not None
        whole = Whole(self._part, b"".join(self._pieces))
        self._pieces = []
        return [whole]


class DataSetReceiver(BytesReceiver):
    """Parts as data sets, but for those of instances in `seen`, which are passed over; new ones are told to `saw`."""

    def __init__(
        self,
        most: int,
        reading: Limits,
        seen: Container[str],
        saw: Callable[[str], object],
        limits: PartLimits = DEFAULT_PART_LIMITS,
    ) -> None:
        super().__init__(most, limits)
        self._reading, self._seen, self._saw = reading, seen, saw

    def _shut(self, end: Ended) -> list[Any]:
        (whole,) = super()._shut(end)
        ds = dcmread(whole.data, limits=self._reading)
        instance = text_of(ds, "SOPInstanceUID") or ""
        if instance and instance in self._seen:
            return []
        self._saw(instance)
        return [ds]


class FileReceiver(_PartReceiver):
    """Parts as files of a folder: written beside it, and moved to their places when they are whole."""

    def __init__(
        self,
        folder: Folder,
        reading: Limits,
        each: Callable[[Outcome, bool], object],
        limits: PartLimits = DEFAULT_PART_LIMITS,
    ) -> None:
        super().__init__(limits)
        self._folder, self._reading, self._each = folder, reading, each
        self._pieces: list[memoryview] = []
        self._held = 0
        self._file = -1
        self._path = ""

    def _open(self, part: Part) -> None:
        self._pieces, self._held = [], 0

    def _write(self, data: memoryview) -> None:
        self._pieces.append(data)
        self._held += len(data)
        if self._held > SMALL:
            self._spill()

    def _spill(self) -> None:
        if self._file < 0:
            self._path = self._folder.new_name()
            self._file = os.open(self._path, NEW_FILE, 0o666)
        few = self._pieces if len(self._pieces) < 3 else [b"".join(self._pieces)]
        for piece in few:
            write_all(self._file, piece)
        self._pieces, self._held = [], 0

    def _shut(self, end: Ended) -> list[Any]:
        outcome, is_new = Outcome("failed", None, "", "", end.fault), False
        try:
            if not end.fault:
                outcome, is_new = self._settled(end)
        except DicomError as error:
            outcome = outcome._replace(error=f"part {end.number} is no DICOM file: {error}")
        finally:
            self.abort()
        self._each(outcome, is_new)
        return [outcome]

    def _settled(self, end: Ended) -> tuple[Outcome, bool]:
        source: Any = self._path
        if self._file < 0:  # it is all in memory
            source = b"".join(self._pieces)
        else:
            self._spill()
        ds = dcmread(source, specific_tags=list(IDENTITY), limits=self._reading)
        identity = {tag: text_of(ds, keyword) or "" for tag, keyword in IDENTITY.items()}
        if not identity[SOP_INSTANCE]:
            raise ParseError("it has no SOP Instance UID")
        if self._file < 0:
            self._spill()
        if self._folder.durable:
            os.fsync(self._file)
        os.close(self._file)
        self._file = -1
        index = file_index(ds)
        assert index is not None
        body = int(index.packed_at if index.inflated else index.body)
        target = self._folder.place(identity[STUDY], identity[SERIES], identity[SOP_INSTANCE])
        status, path, is_new, comment = self._folder.settle(-1, self._path, target, body)
        state = {"success": "stored", "warning": "warning"}.get(status.category, "failed")
        return Outcome(state, path, identity[SOP_CLASS], identity[SOP_INSTANCE], comment, int(status)), is_new

    def abort(self) -> None:
        """Leave nothing half written."""
        self._pieces, self._held = [], 0
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)
            self._path = ""
