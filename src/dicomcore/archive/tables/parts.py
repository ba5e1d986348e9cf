"""The parts of a table: finished batches, kept beside it until it is complete, from which a killed run resumes."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, Any, Self

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.walk import PART
from dicomcore.archive.tables.stored import remote_file_system

with needs_extra("pyarrow"):
    import pyarrow as pa

__all__ = ["Parts", "parts_of", "unfinished_file"]

LOCK = "lock"
SUFFIXES = (".arrow", ".parquet")
UNFINISHED = ".tmp"


class Parts:
    """The folder `.<name>.part` beside a table: one file for each batch, and the lock of the run that writes them.

    A part gets its name when it is complete, so that no reader sees half a part. The run that finishes the table
    deletes the folder; a run that ends otherwise leaves it for the next. The parts may be `elsewhere`, in a folder or
    at a URL that other machines write to; the lock is beside the table even then.
    """

    def __init__(self, target: str, elsewhere: str | None = None) -> None:
        self.folder = parts_of(target)
        self._elsewhere = elsewhere
        self._target = target
        self._lock: int | None = None
        self._first = 0

    def __enter__(self) -> Self:
        """Lock the folder for this run. BlockingIOError if another run has locked it."""
        while self._lock is None:
            with contextlib.suppress(FileExistsError):
                _make(self.folder, self._target)
            place = os.path.join(self.folder, LOCK)
            try:
                lock = os.open(place, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:  # the previous run has just finished and deleted the folder
                continue
            if not _lock(lock):
                os.close(lock)
                raise BlockingIOError(errno.EAGAIN, f"another run is writing {os.path.basename(self._target)}")
            if _is_at(lock, place):
                self._lock = lock
            else:
                os.close(lock)
        for name in os.listdir(self.folder):
            if name.endswith(UNFINISHED):
                os.unlink(os.path.join(self.folder, name))
        if self._elsewhere is not None:
            system, path = remote_file_system(self._elsewhere)
            os.makedirs(path, exist_ok=True) if system is None else system.makedirs(path, exist_ok=True)
        self._first = max((int(_stem(path)) + 1 for path in self.paths()), default=0)
        return self

    def paths(self) -> list[str]:
        """The paths of the existing parts, oldest first."""
        paths = [os.path.join(self.folder, name) for name in os.listdir(self.folder)]
        if self._elsewhere is not None:
            system, path = remote_file_system(self._elsewhere)
            names = os.listdir(path) if system is None else _listed(system, path)
            paths += [f"{self._elsewhere.rstrip('/')}/{name.rpartition('/')[2]}" for name in names]
        paths = [path for path in paths if path.endswith(SUFFIXES) and _stem(path).isdecimal()]
        return sorted(paths, key=lambda path: int(_stem(path)))

    def clear(self) -> None:
        """Delete the parts of earlier runs."""
        for path in self.paths():
            system, inside = remote_file_system(path)
            os.unlink(inside) if system is None else system.rm_file(inside)

    def place(self, number: int) -> str:
        """The path or URL at which another process writes the rows of this run's batch `number`, as a Parquet file."""
        folder = self.folder if self._elsewhere is None else self._elsewhere.rstrip("/")
        return f"{os.path.abspath(folder) if '://' not in folder else folder}/{self._first + number:08d}.parquet"

    def keep(self, number: int, batch: pa.RecordBatch) -> None:
        """Write the rows of this run's batch `number`; may be called from several threads."""
        place = os.path.join(self.folder, f"{self._first + number:08d}.arrow")
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        with self.unfinished() as unfinished:
            with open(unfinished, "wb", buffering=0) as file:  # in one write: a batch has some hundred buffers
                write_all(file, sink.getvalue())
            os.replace(unfinished, place)

    def keeping(self, read: Callable[[list[str]], pa.RecordBatch]) -> Callable[[int, list[str]], pa.RecordBatch]:
        """`read` with the number of the batch in front, for which it also keeps the rows."""

        def kept(number: int, paths: list[str]) -> pa.RecordBatch:
            batch = read(paths)
            self.keep(number, batch)
            return batch

        return kept

    def unfinished(self) -> contextlib.AbstractContextManager[str]:
        """A path in the folder for a file to write and move away; if it is not moved, it is deleted at the end."""
        return unfinished_file(os.path.join(self.folder, secrets.token_hex(8) + UNFINISHED))

    def finish(self) -> None:
        """Delete the folder: the table is complete and needs the parts no more."""
        self.clear()
        shutil.rmtree(self.folder, ignore_errors=os.name == "nt")  # Windows does not delete open files

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            if os.path.isdir(self.folder) and not self.paths():
                self.finish()
            os.close(self._lock)
            self._lock = None


def _make(folder: str, target: str) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:
        raise
    except OSError as error:  # name the table: the caller does not know the folder of parts
        raise type(error)(error.errno, error.strerror, target) from None


def _listed(system: Any, path: str) -> list[str]:
    system.invalidate_cache()
    try:
        names: list[str] = system.ls(path, detail=False)
    except FileNotFoundError:  # an object store has no empty folders
        names = []
    system.invalidate_cache()  # other machines write there: the listing may be out of date a moment later
    return names


def write_all(file: IO[bytes], data: pa.Buffer) -> None:
    """Write all of `data` to an unbuffered file, which may accept fewer bytes at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


@contextlib.contextmanager
def unfinished_file(path: str) -> Iterator[str]:
    """The path of a file to write and move away; if it is not moved, it is deleted at the end of the context."""
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def parts_of(target: str) -> str:
    """The folder of a table's parts."""
    folder, name = os.path.split(target)
    return os.path.join(folder, f".{name}{PART}")


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _is_at(handle: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False


def _lock(handle: int) -> bool:
    """Lock an open file until the process ends or closes it; False if another process has the lock."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
