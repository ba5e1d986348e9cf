"""Received instances as files: written as they arrive, complete or not there, at a place that no peer can choose."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.dataset.lookup import text_of
from dicomcore.dataset.state import file_index
from dicomcore.errors import DicomError, LimitError
from dicomcore.files import NEW_FILE
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.net.commands import Command, Field
from dicomcore.net.exchange import Context
from dicomcore.net.limits import DEFAULT_NET_LIMITS, NetLimits
from dicomcore.net.sinks import FileSink, no_space, write_whole
from dicomcore.net.statuses import Status
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

__all__ = ["DUPLICATES", "Folder", "Stored", "file_head", "safe_name"]

DUPLICATES = ("keep", "replace", "reject", "version")
INCOMING = ".incoming"
UID = re.compile(r"[0-9](?:[0-9.]{0,62}[0-9])?")
HEAD = 16 << 10  # bytes of a data set that are looked at for its identity
CHUNK = 1 << 20
MOST_MADE = 4096  # folders that are known to be there
SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
WANTED = {
    SOP_CLASS: "SOPClassUID",
    SOP_INSTANCE: "SOPInstanceUID",
    STUDY: "StudyInstanceUID",
    SERIES: "SeriesInstanceUID",
}
OUT_OF_RESOURCES, MISMATCH, DUPLICATE, COERCED, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0x0111, 0xB000, 0xC000


class Stored(NamedTuple):
    """What became of a received instance: `status` is the response, `path` the file, None if none was written.

    `is_new` is False for an instance that was there already with the same bytes. `comment` goes to the sender.
    """

    status: Status
    path: str | None
    sop_class: str
    sop_instance: str
    is_new: bool = False
    comment: str = ""


def safe_name(uid: str) -> str:
    """A name for a path: the UID itself if it is made like one, else a hash. What a peer sends never is a path."""
    if UID.fullmatch(uid) and ".." not in uid:
        return uid
    return "x-" + hashlib.sha256(uid.encode("utf-8", "surrogateescape")).hexdigest()[:40]


@lru_cache(maxsize=256)
def _element(number: int, vr: bytes, value: bytes) -> bytes:
    if len(value) & 1:
        value += b"\0" if vr == b"UI" else b" "
    if vr == b"OB":
        return struct.pack("<HH2sHI", 2, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value


def file_head(sop_class: str, sop_instance: str, syntax: str, sender: str = "", receiver: str = "") -> bytes:
    """Preamble, prefix and file meta information of a received instance (PS3.10 7.1)."""
    parts = [
        _element(1, b"OB", b"\0\1"),
        _element(2, b"UI", sop_class.encode("latin-1", "replace")[:64]),
        _element(3, b"UI", sop_instance.encode("latin-1", "replace")[:64]),
        _element(0x10, b"UI", syntax.encode("ascii")),
        _element(0x12, b"UI", IMPLEMENTATION_CLASS_UID.encode()),
        _element(0x13, b"SH", IMPLEMENTATION_VERSION_NAME.encode()),
    ]
    parts += [_element(0x17, b"AE", sender.encode("latin-1", "replace")[:16])] if sender else []
    parts += [_element(0x18, b"AE", receiver.encode("latin-1", "replace")[:16])] if receiver else []
    body = b"".join(parts)
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


class Folder:
    """A folder that instances are received into, as ``study/series/instance.dcm``.

    Parameters
    ----------
    root : path
        The folder; it is made.
    duplicates : {"keep", "replace", "reject", "version"}
        What is done with an instance whose UID is there with other bytes: keep the old one and warn (B000), replace it,
        refuse it (0111), or keep both. The same bytes are a success, and nothing is written.
    durable : bool
        Wait for the disk before an instance counts as stored.
    limits : NetLimits
        Bounds on the bytes of a file, and on those that stay free.
    reading : Limits
        Bounds on the head of a data set, which is read for its identity.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        duplicates: str = "keep",
        durable: bool = False,
        limits: NetLimits = DEFAULT_NET_LIMITS,
        reading: Limits = DEFAULT_LIMITS,
    ) -> None:
        if duplicates not in DUPLICATES:
            raise ValueError(f"duplicates is one of {', '.join(DUPLICATES)}, not {duplicates!r}")
        self.root = os.path.abspath(os.fsdecode(root))
        self.duplicates, self.durable, self.limits, self._reading = duplicates, durable, limits, reading
        self._incoming = os.path.join(self.root, INCOMING)
        os.makedirs(self._incoming, exist_ok=True)
        self._made: set[str] = set()
        self._count = 0
        self._lock = threading.Lock()
        self._mark = os.urandom(8).hex()

    def sink(
        self,
        context: Context,
        command: Command,
        *,
        sender: str = "",
        receiver: str = "",
        stored: Callable[[Stored], object] | None = None,
    ) -> FileSink:
        """Where the data set of a C-STORE request goes. The message's `data` is a `Stored`, which `stored` gets, too.

        Raises OSError or LimitError if no file can be begun.
        """
        if no_space(self._incoming, self.limits.free_bytes):
            raise LimitError(f"less than {self.limits.free_bytes} bytes are left on the disk")
        with self._lock:
            self._count += 1
            name = os.path.join(self._incoming, f"{self._mark}-{self._count}.part")
        arriving = _Arriving(self, name, context, command, file_head(
            command.get(Field.AFFECTED_SOP_CLASS) or "", command.get(Field.AFFECTED_SOP_INSTANCE) or "",
            context.transfer_syntax, sender, receiver,
        ), stored)  # fmt: skip
        return arriving.sink

    def clear(self) -> int:
        """Remove what earlier processes left in the middle; how many files."""
        count = 0
        for entry in os.scandir(self._incoming):
            if not entry.name.startswith(self._mark):
                with suppress(OSError):
                    os.unlink(entry.path)
                    count += 1
        return count

    def place(self, identity: dict[int, str]) -> str:
        """The path of an instance."""
        parts = [safe_name(identity.get(tag) or "") for tag in (STUDY, SERIES, SOP_INSTANCE)]
        folder = os.path.join(self.root, *parts[:2])
        if folder not in self._made:
            os.makedirs(folder, exist_ok=True)
            if len(self._made) >= MOST_MADE:
                self._made.clear()
            self._made.add(folder)
        return os.path.join(folder, parts[2] + ".dcm")

    def settle(self, beside: str, target: str, body: int) -> tuple[Status, str, bool, str]:
        """Move a complete file to its place, by the rule for duplicates: status, path, whether it is new, comment."""
        try:
            try:
                os.link(beside, target)
            except FileNotFoundError:  # the folder was removed meanwhile
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.link(beside, target)
        except FileExistsError:
            return self._double(beside, target, body)
        os.unlink(beside)
        return Status(0), target, True, ""

    def _double(self, beside: str, target: str, body: int) -> tuple[Status, str, bool, str]:
        if _same(beside, body, target, self._reading):
            os.unlink(beside)
            return Status(0), target, False, ""
        if self.duplicates == "replace":
            os.replace(beside, target)
            return Status(0), target, True, ""
        if self.duplicates == "version":
            stem = target.removesuffix(".dcm")
            for number in range(2, 1 << 16):
                with suppress(FileExistsError):
                    os.link(beside, f"{stem}.{number}.dcm")
                    os.unlink(beside)
                    return Status(0), f"{stem}.{number}.dcm", True, ""
        os.unlink(beside)
        if self.duplicates == "reject":
            return Status(DUPLICATE), target, False, "the instance is here with other data"
        return Status(COERCED), target, False, "the instance is here with other data, which was kept"


class _Arriving:
    """One instance on its way into a folder."""

    def __init__(
        self,
        folder: Folder,
        name: str,
        context: Context,
        command: Command,
        head: bytes,
        stored: Callable[[Stored], object] | None,
    ) -> None:
        self._folder, self._name, self._context, self._stored = folder, name, context, stored
        self._class = command.get(Field.AFFECTED_SOP_CLASS) or ""
        self._instance = command.get(Field.AFFECTED_SOP_INSTANCE) or ""
        self._head = head
        self._file = os.open(name, NEW_FILE, 0o666)
        try:
            write_whole(self._file, memoryview(head))
        except OSError:
            self._drop()
            raise
        self.sink = _HeadSink(self._file, done=self._done, failed=self._failed, most=folder.limits.file_bytes)

    def _drop(self) -> None:
        if self._file != -1:
            os.close(self._file)
            self._file = -1
        with suppress(OSError):
            os.unlink(self._name)

    def _result(self, status: int, comment: str, path: str | None = None, is_new: bool = False) -> Stored:
        made = Stored(Status(status), path, self._class, self._instance, is_new, comment)
        if self._stored is not None:
            self._stored(made)
        return made

    def _failed(self, fault: Exception) -> Stored:
        self._drop()
        full = isinstance(fault, LimitError) or getattr(fault, "errno", 0) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return self._result(OUT_OF_RESOURCES, "no room for it" if full else "it could not be written")

    def _done(self, size: int) -> Stored:
        try:
            identity = self._identity(size)
        except (DicomError, OSError) as error:
            self._drop()
            return self._result(CANNOT_UNDERSTAND, f"the data set cannot be read: {error}"[:64])
        for tag, said in ((SOP_CLASS, self._class), (SOP_INSTANCE, self._instance)):
            if identity.get(tag, said) != said:
                self._drop()
                return self._result(MISMATCH, "the data set has another UID than the message")
        identity[SOP_INSTANCE] = self._instance
        try:
            if self._folder.durable:
                os.fsync(self._file)
            os.close(self._file)
            self._file = -1
            status, path, is_new, comment = self._folder.settle(
                self._name, self._folder.place(identity), len(self._head)
            )
        except OSError as error:
            return self._failed(error)
        return self._result(status, comment, path, is_new)

    def _identity(self, size: int) -> dict[int, str]:
        """The UIDs of the data set, from its first bytes if they are there."""
        head = bytes(self.sink.head)
        if size <= len(head):
            return _uids(self._head + head, self._folder._reading)
        found = _uids(self._head + head, self._folder._reading)
        return found if SERIES in found else _uids(self._name, self._folder._reading)


class _HeadSink(FileSink):
    """A file sink that keeps the first bytes in memory."""

    def __init__(self, file: int, **options: Any) -> None:
        super().__init__(file, **options)
        self.head = bytearray()

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Write fragments."""
        if len(self.head) < HEAD:
            for _, _, offset, length in fragments:
                self.head += data[offset : offset + min(length, HEAD - len(self.head))]
        super().write(data, fragments)


def _uids(source: bytes | str, limits: Limits) -> dict[int, str]:
    """The UIDs that tell where an instance belongs, as far as they are there. DicomError if it cannot be read."""
    ds = dcmread(source, specific_tags=list(WANTED), limits=limits)
    return {tag: text for tag, keyword in WANTED.items() if (text := text_of(ds, keyword))}


def _same(beside: str, body: int, target: str, limits: Limits) -> bool:
    """Whether two files have the same data set, byte for byte, in the same transfer syntax."""
    try:
        old = file_index(dcmread(target, stop_before_pixels=True, limits=limits))
        new = file_index(dcmread(beside, stop_before_pixels=True, limits=limits))
        if old is None or new is None or old.transfer_syntax != new.transfer_syntax:
            return False
        start = old.packed_at if old.inflated else old.body
        with open(target, "rb") as kept, open(beside, "rb") as came:
            kept.seek(start)
            came.seek(body)
            while True:
                one, other = kept.read(CHUNK), came.read(CHUNK)
                if one != other:
                    return False
                if not one:
                    return True
    except (DicomError, OSError):
        return False
