"""Placing one file at its target: no file is overwritten, and no source is removed before its target is complete."""

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
    """Link or copy the file `source` to `target`. For "move" the caller removes the source afterwards.

    The target appears complete or not at all. Raises FileExistsError if `target` exists, and OSError if placing fails
    or the file changes while it is copied.
    """
    if how == "link":
        os.symlink(os.path.abspath(source), target)
        return
    if how == "hardlink":
        os.link(os.path.realpath(source), target)
        return
    facts = os.lstat(source)
    if how == "move" and not stat.S_ISREG(facts.st_mode):
        raise OSError(errno.EINVAL, "is no regular file, so it is not moved", source)
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
    """Whether `target` is already the file `source` itself, as `place` would leave it."""
    try:
        if how == "link":
            return os.path.islink(target) and os.readlink(target) == os.path.abspath(source)
        if how == "move" and (os.path.islink(target) or os.path.islink(source)):
            return False  # the link would dangle once the source is removed
        return os.path.samefile(source, target)
    except OSError:
        return False


def same_entry(a: str, b: str) -> bool:
    """Whether two paths of one file are the same name in the same folder: removing either would remove the file."""
    if os.path.basename(a).casefold() != os.path.basename(b).casefold():
        return False
    return os.path.samefile(os.path.dirname(a) or ".", os.path.dirname(b) or ".")


def digest_of(path: str) -> bytes | None:
    """The digest of a file's bytes; None if the path is no readable regular file."""
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
    """Copy to a file beside the target, flush it to the disk, read it back and compare it, then rename it."""
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
            if hasattr(os, "posix_fadvise"):  # drop the cached pages, so that the comparison reads the disk
                os.posix_fadvise(copy.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            copy.seek(0)
            if _digest(copy.fileno()) != digest.digest():
                raise OSError(errno.EIO, "the copy differs from the file", source)
        _publish(part, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def _publish(part: str, target: str) -> None:
    if os.name == "nt":
        os.rename(part, target)  # does not overwrite on Windows
        return
    try:
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # reserves the name, or fails
        os.replace(part, target)
