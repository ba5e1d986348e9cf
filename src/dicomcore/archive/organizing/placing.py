"""One file put in a place of its own: nothing that is there is overwritten, nothing is gone before it is elsewhere."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from hashlib import blake2b
from typing import Literal

from dicomcore.archive.sources.walk import PART
from dicomcore.files import write_all

__all__ = ["How", "digest_of", "is_placed", "place", "same_entry"]

How = Literal["link", "hardlink", "copy", "move"]
CHUNK = 1 << 20
NO_LINKS = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV, errno.EMLINK, errno.ENOSYS))


def place(source: str, target: str, how: How) -> None:
    """Have the file `source` at `target` too; "move" leaves taking the source away to the caller.

    The target appears whole or not at all. FileExistsError where anything is there, OSError for what fails, also for
    a file that changes while it is copied.
    """
    if how == "link":
        os.symlink(os.path.abspath(source), target)
        return
    if how == "hardlink":
        os.link(os.path.realpath(source), target)
        return
    facts = os.lstat(source)
    if how == "move" and not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "is no regular file, and not moved", source)
    if how == "move":
        try:
            os.link(source, target)
            return
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
    _copy(source, target)


def is_placed(source: str, target: str, how: How) -> bool:
    """Whether `target` is the file `source` itself, as `place` would have put it there."""
    try:
        if how == "link":
            return os.path.islink(target) and os.readlink(target) == os.path.abspath(source)
        if how == "move" and (os.path.islink(target) or os.path.islink(source)):
            return False  # with the source gone a link would lead nowhere
        return os.path.samefile(source, target)
    except OSError:
        return False


def same_entry(a: str, b: str) -> bool:
    """Whether two paths of one file are one name in one folder: to take one away would take the file."""
    if os.path.basename(a).casefold() != os.path.basename(b).casefold():
        return False
    return os.path.samefile(os.path.dirname(a) or ".", os.path.dirname(b) or ".")


def digest_of(path: str) -> bytes | None:
    """What a file's bytes come to; None for what is no file."""
    try:
        with open(path, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            return _digest(file.fileno())
    except OSError:
        return None


def _digest(handle: int) -> bytes:
    digest = blake2b(digest_size=32)
    while chunk := os.read(handle, CHUNK):
        digest.update(chunk)
    return digest.digest()


def _copy(source: str, target: str) -> None:
    """Copied beside the target, on the disk, read again and compared, then put in place."""
    folder, name = os.path.split(target)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    part = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(4)}{PART}")
    try:
        with open(source, "rb", buffering=0) as file, open(part, "x+b", buffering=0) as copy:
            before = os.fstat(file.fileno())
            digest = blake2b(digest_size=32)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                write_all(copy.fileno(), chunk)
            shutil.copystat(source, part)
            os.fsync(copy.fileno())
            after = os.fstat(file.fileno())
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise OSError(errno.EBUSY, "changed while it was copied", source)
            if hasattr(os, "posix_fadvise"):  # so that what is compared comes from the disk
                os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            copy.seek(0)
            if _digest(copy.fileno()) != digest.digest():
                raise OSError(errno.EIO, "the copy does not equal it", source)
        _publish(part, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def _publish(part: str, target: str) -> None:
    if os.name == "nt":
        os.rename(part, target)  # which refuses to overwrite there
        return
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # takes the name, or fails
        os.replace(part, target)
