"""Received instances as files: written as they arrive, complete or not there, at a place that no peer can choose."""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from dicomcore._native.net.heads import read_set
from dicomcore._native.net.keep import keep
from dicomcore._native.net.plain import Plain
from dicomcore.dataset.lookup import text_of
from dicomcore.errors import DicomError, LimitError
from dicomcore.files import NEW_FILE
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.net.commands import Command, Field
from dicomcore.net.exchange import Context
from dicomcore.net.limits import DEFAULT_NET_LIMITS, NetLimits
from dicomcore.net.sinks import FileSink, no_space
from dicomcore.net.statuses import Status
from dicomcore.part10.keeping import safe_name, same_data_set
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment

__all__ = ["DUPLICATES", "Folder", "Stored", "Told", "file_head"]

Told = Callable[[list[tuple[int, str]]], None]
"""Takes a status and a comment of each instance."""

DUPLICATES = ("keep", "replace", "reject", "version")
INCOMING = ".incoming"
BEGINNING = bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 0, b"UL", 4)
UNNAMED = getattr(os, "O_TMPFILE", 0) | os.O_RDWR | getattr(os, "O_CLOEXEC", 0)  # Linux
HEAD = 16 << 10  # bytes of a data set that are looked at for its identity
CHUNK = 1 << 20
CHECKS, CHECK_EACH = 4, 0.05  # the room on the disk: after this part of what stays free, and after seconds
MOST_MADE = 4096  # folders that are known to be there
SOP_CLASS, SOP_INSTANCE, STUDY, SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
WANTED = {
    SOP_CLASS: "SOPClassUID",
    SOP_INSTANCE: "SOPInstanceUID",
    STUDY: "StudyInstanceUID",
    SERIES: "SeriesInstanceUID",
}
OUT_OF_RESOURCES, MISMATCH, DUPLICATE, COERCED, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0x0111, 0xB000, 0xC000
SUCCESS = Status(0)
AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE = int(Field.AFFECTED_SOP_CLASS), int(Field.AFFECTED_SOP_INSTANCE)


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


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    if len(value) & 1:
        value += b"\0" if vr == b"UI" else b" "
    if vr == b"OB":
        return struct.pack("<HH2sHI", 2, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value


@lru_cache(maxsize=256)
def _around(sop_class: str, syntax: str, sender: str, receiver: str) -> tuple[bytes, bytes]:
    """What stands before and behind the instance's UID in file meta information."""
    before = _element(1, b"OB", b"\0\1") + _element(2, b"UI", sop_class.encode("latin-1", "replace")[:64])
    parts = [
        _element(0x10, b"UI", syntax.encode("ascii")),
        _element(0x12, b"UI", IMPLEMENTATION_CLASS_UID.encode()),
        _element(0x13, b"SH", IMPLEMENTATION_VERSION_NAME.encode()),
    ]
    parts += [_element(0x17, b"AE", sender.encode("latin-1", "replace")[:16])] if sender else []
    parts += [_element(0x18, b"AE", receiver.encode("latin-1", "replace")[:16])] if receiver else []
    return before, b"".join(parts)


def file_head(sop_class: str, sop_instance: str, syntax: str, sender: str = "", receiver: str = "") -> bytes:
    """Preamble, prefix and file meta information of a received instance (PS3.10 7.1)."""
    before, behind = _around(sop_class, syntax, sender, receiver)
    instance = _element(3, b"UI", sop_instance.encode("latin-1", "replace")[:64])
    size = len(before) + len(instance) + len(behind)
    return b"".join((BEGINNING, struct.pack("<I", size), before, instance, behind))


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
        self._incoming_name = os.fsencode(self._incoming)
        self._has_unnamed = _links_unnamed(self._incoming)
        self._places: dict[tuple[str, str], str] = {}
        self._unchecked, self._check_at = -1, 0.0
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
        self._check_room()
        head = file_head(
            command.get(AFFECTED_SOP_CLASS) or "",
            command.get(AFFECTED_SOP_INSTANCE) or "",
            context.transfer_syntax,
            sender,
            receiver,
        )
        return _Arriving(self, context, command, head, stored)

    def keep(
        self,
        context: Context,
        command: Command,
        data: memoryview,
        fragments: list[Fragment],
        *,
        sender: str = "",
        receiver: str = "",
    ) -> Stored | None:
        """Put an instance whose data set is here as a whole into its place, in one go.

        None if that is not possible for any reason, such as one that is there already; then a `sink` says why.
        """
        if not self._has_unnamed:
            return None
        size = sum([one[3] for one in fragments])
        _, _, offset, length = fragments[0]
        found = read_set(data[offset : offset + length], size, context.transfer_syntax.encode())
        if found is None or size > self.limits.file_bytes:
            return None
        sop_class, instance, study, series = found
        if sop_class != command.get(AFFECTED_SOP_CLASS) or instance != command.get(AFFECTED_SOP_INSTANCE):
            return None
        try:
            self._check_room()
            target = self.place(study, series, instance)
        except (OSError, LimitError):
            return None
        head = file_head(sop_class, instance, context.transfer_syntax, sender, receiver)
        if keep(self._incoming_name, os.fsencode(target), head, data, fragments, self.durable):
            return None
        self.wrote(size)
        return Stored(SUCCESS, target, sop_class, instance, True)

    def plain(
        self,
        contexts: Iterable[Context],
        *,
        sender: str,
        receiver: str,
        longest: int,
        fragment: int,
        command_bytes: int,
        hand: Callable[[list[str], Told], None] | None = None,
        most: int = 1,
    ) -> Plain | None:
        """What serves the plain requests of an association without the GIL; None if this folder needs more.

        `longest`, `fragment` and `command_bytes` bound a PDU, a fragment that is sent, and a command set. With `hand`,
        instances stay beside the store; it gets their paths, and is to call the function that it gets with a status and
        a comment for each. `most` requests may wait for that.
        """
        if not self._has_unnamed or (hand is None and type(self) is not Folder):
            return None
        agreed = []
        for one in contexts:
            if one.as_scp:
                before, behind = _around(one.abstract_syntax, one.transfer_syntax, sender, receiver)
                agreed.append((one.number, one.abstract_syntax.encode(), one.transfer_syntax.encode(), before, behind))
        return Plain(
            agreed,
            beginning=BEGINNING,
            incoming=self._incoming_name,
            home=lambda study, series: os.fsencode(self.home(study.decode(), series.decode()) + os.sep),
            longest=longest,
            fragment=fragment,
            command_bytes=command_bytes,
            file_bytes=self.limits.file_bytes,
            free_bytes=self.limits.free_bytes,
            durable=self.durable,
            hand=hand,
            part=os.fsencode(self.new_name().removesuffix(".part") + "-"),
            most=most,
        )

    def _check_room(self) -> None:
        """LimitError if the disk has too little room; looked at every now and then, and after so many bytes."""
        now = monotonic()
        if self._unchecked < 0 or now >= self._check_at:
            if no_space(self._incoming, self.limits.free_bytes):
                raise LimitError(f"less than {self.limits.free_bytes} bytes are left on the disk")
            self._unchecked, self._check_at = self.limits.free_bytes // CHECKS, now + CHECK_EACH

    def wrote(self, count: int) -> None:
        """So many bytes were written."""
        self._unchecked -= count

    def begin(self) -> tuple[int, str]:
        """A file that is not to be seen before it is complete: its descriptor, and its name if it has one already."""
        if self._has_unnamed:
            return os.open(self._incoming, UNNAMED, 0o666), ""
        name = self.new_name()
        return os.open(name, NEW_FILE, 0o666), name

    def beside(self, file: int, name: str) -> str:
        """Give a complete file another name beside the incoming ones."""
        made = self.new_name()
        give_name(file, name, made)
        return made

    def clear(self) -> int:
        """Remove what earlier processes left in the middle; how many files."""
        count = 0
        for entry in os.scandir(self._incoming):
            if not entry.name.startswith(self._mark):
                with suppress(OSError):
                    os.unlink(entry.path)
                    count += 1
        return count

    def home(self, study: str, series: str) -> str:
        """The folder of a series, which is there."""
        place = self._places.get((study, series))
        if place is None:
            place = os.path.join(self.root, safe_name(study), safe_name(series))
            os.makedirs(place, exist_ok=True)
            if len(self._places) >= MOST_MADE:
                self._places.clear()
            self._places[study, series] = place
        return place

    def place(self, study: str, series: str, instance: str) -> str:
        """The path of an instance."""
        return f"{self.home(study, series)}{os.sep}{safe_name(instance)}.dcm"

    def new_name(self) -> str:
        """The path of a file that is not yet in its place, beside which no other has that name."""
        with self._lock:
            self._count += 1
            return os.path.join(self._incoming, f"{self._mark}-{self._count}.part")

    def settle(self, file: int, name: str, target: str, body: int) -> tuple[Status, str, bool, str]:
        """Move a complete file to its place, by the rule for duplicates: status, path, whether it is new, comment.

        The data set begins at `body`.
        """
        try:
            give_name(file, name, target)
        except FileExistsError:
            return self._double(file, name, target, body)
        return SUCCESS, target, True, ""

    def _double(self, file: int, name: str, target: str, body: int) -> tuple[Status, str, bool, str]:
        if same_data_set(target, name or _path_of(file), self._reading, body=body):
            return SUCCESS, target, False, ""
        if self.duplicates == "replace":
            beside = self.new_name()
            give_name(file, name, beside)
            os.replace(beside, target)
            return SUCCESS, target, True, ""
        if self.duplicates == "version":
            stem = target.removesuffix(".dcm")
            for number in range(2, 1 << 16):
                with suppress(FileExistsError):
                    give_name(file, name, f"{stem}.{number}.dcm")
                    return SUCCESS, f"{stem}.{number}.dcm", True, ""
        if self.duplicates == "reject":
            return Status(DUPLICATE), target, False, "the instance is here with other data"
        return Status(COERCED), target, False, "the instance is here with other data, which was kept"


def _path_of(file: int) -> str:
    """A path that leads to an open file without a name."""
    return f"/proc/self/fd/{file}"


def give_name(file: int, name: str, target: str) -> None:
    """Give a file another name, or its first one."""
    try:
        _link_once(file, name, target)
    except FileNotFoundError:  # the folder was removed meanwhile
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _link_once(file, name, target)


def _link_once(file: int, name: str, target: str) -> None:
    if name:
        os.link(name, target)
    else:  # a folder, which an absolute path does without, has linkat() follow the link
        os.link(_path_of(file), target, src_dir_fd=0, follow_symlinks=True)


def _links_unnamed(folder: str) -> bool:
    """Whether files can be made without a name, and get one when they are complete."""
    if not hasattr(os, "O_TMPFILE") or os.link not in os.supports_dir_fd:
        return False
    try:
        file = os.open(folder, UNNAMED, 0o600)
        try:
            probe = os.path.join(folder, f"{os.urandom(8).hex()}.part")
            _link_once(file, "", probe)
            os.unlink(probe)
        finally:
            os.close(file)
    except OSError:
        return False
    return True


class _Arriving(FileSink):
    """One instance on its way into a folder; its first bytes are kept in memory."""

    def __init__(
        self,
        folder: Folder,
        context: Context,
        command: Command,
        head: bytes,
        stored: Callable[[Stored], object] | None,
    ) -> None:
        file, self._name = folder.begin()
        super().__init__(file, head, folder.limits.file_bytes)
        self._folder, self._syntax, self._stored, self._body = folder, context.transfer_syntax, stored, len(head)
        self._class = command.get(AFFECTED_SOP_CLASS) or ""
        self._instance = command.get(AFFECTED_SOP_INSTANCE) or ""
        self._whole_head = head
        self._beginning = b""

    def write(self, data: memoryview, fragments: list[Fragment]) -> None:
        """Write fragments."""
        missing = HEAD - self.size
        super().write(data, fragments)
        if missing > 0:
            parts = [data[offset : offset + length] for _, _, offset, length in fragments]
            self._beginning += (parts[0] if len(parts) == 1 else b"".join(parts))[:missing]

    def _close(self) -> None:
        file, self.file = self.file, -1
        if file != -1:
            os.close(file)

    def _drop(self) -> None:
        with suppress(OSError):
            self._close()
        if self._name:
            with suppress(OSError):
                os.unlink(self._name)

    def _result(self, status: int, comment: str, path: str | None = None, is_new: bool = False) -> Stored:
        made = Stored(Status(status), path, self._class, self._instance, is_new, comment)
        if self._stored is not None:
            self._stored(made)
        return made

    def failed(self, fault: Exception) -> Stored:
        """Nothing of it stays."""
        self._drop()
        full = isinstance(fault, LimitError) or getattr(fault, "errno", 0) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        return self._result(OUT_OF_RESOURCES, "no room for it" if full else "it could not be written")

    def done(self) -> Stored:
        """All is there: into its place, if it is what the message says."""
        try:
            sop_class, instance, study, series = self._identity()
        except (DicomError, OSError) as error:
            self._drop()
            return self._result(CANNOT_UNDERSTAND, f"the data set cannot be read: {error}"[:64])
        if (sop_class and sop_class != self._class) or (instance and instance != self._instance):
            self._drop()
            return self._result(MISMATCH, "the data set has another UID than the message")
        folder = self._folder
        folder.wrote(self.size)
        try:
            if folder.durable:
                os.fsync(self.file)
            if self._name:
                self._close()
            found = folder.settle(self.file, self._name, folder.place(study, series, self._instance), self._body)
            if not self._name:
                self._close()
        except OSError as error:
            return self.failed(error)
        if self._name:
            os.unlink(self._name)
        status, path, is_new, comment = found
        return self._result(status, comment, path, is_new)

    def _identity(self) -> tuple[str, str, str, str]:
        """SOP class and instance, study and series of the data set, "" for what it has not."""
        beginning, size = self._beginning, self.size
        found = read_set(beginning, size, self._syntax.encode())
        if found is not None:
            return found
        reading = self._folder._reading
        uids = _uids(self._whole_head + beginning, reading)
        if size > len(beginning) and SERIES not in uids:
            uids = _uids(self._name or _path_of(self.file), reading)
        return tuple(uids.get(tag, "") for tag in WANTED)  # type: ignore[return-value]


def _uids(source: bytes | str, limits: Limits) -> dict[int, str]:
    """The UIDs that tell where an instance belongs, as far as they are there. DicomError if it cannot be read."""
    ds = dcmread(source, specific_tags=list(WANTED), limits=limits)
    return {tag: text for tag, keyword in WANTED.items() if (text := text_of(ds, keyword))}
