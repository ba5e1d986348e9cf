"""Write an Output to a file descriptor, a binary stream, or the end of a bytearray."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from mmap import mmap
from typing import Any

from dicomcore._native.scan.source import Source
from dicomcore._native.write.output import Output
from dicomcore.errors import TruncatedError
from dicomcore.files import write_all

__all__ = ["emit", "write_file"]

STEP = 1 << 30  # bytes per request to the system to copy
PAGE = 4096
AT_ONCE = 1 << 18  # bytes that are joined and written at once: less has no gain from copies by the system
BLOCK = 1 << 20  # bytes that are read and written at a time where the system can't copy


def emit(target: Any, out: Output) -> None:
    """Write all of `out` to the end of a bytearray, or to a binary stream or descriptor from its position."""
    if isinstance(target, bytearray):
        target += out.whole()
    elif isinstance(target, int):
        write_file(target, out)
    elif hasattr(target, "write"):
        for chunk in out.chunks():
            _write_stream(target, chunk)
    else:
        raise TypeError(f"a target is a bytearray, a binary stream or a descriptor, not {type(target).__name__}")


def _write_stream(stream: Any, data: Any) -> None:
    """Call stream.write() until all data is written: a raw stream may accept less at a time."""
    view = memoryview(data)
    while len(view):
        taken = stream.write(view)
        if taken is None or taken >= len(view):
            return
        view = view[taken:]


def write_file(file: int, out: Output) -> None:
    """Write all of `out` to a descriptor; the system copies from file to file if it can."""
    if len(out) <= AT_ONCE:
        write_all(file, out.whole())
        return
    for source, offset, length, width in out.stretches():
        if source is None:
            write_all(file, memoryview(out)[offset : offset + length])
        elif width == 1 and source.path is not None and hasattr(os, "preadv"):
            _copy(file, source, offset, length)
        else:
            for chunk in out.read_chunks(source, offset, length, width):
                write_all(file, chunk)


def _copy(file: int, source: Source, offset: int, length: int) -> None:
    """Copy from file to file: by the system if it can, else in page-aligned blocks."""
    handle = source.borrow()
    try:
        position = os.lseek(file, 0, os.SEEK_CUR) if stat.S_ISREG(os.fstat(file).st_mode) else 0
        done = _copied_by_system(file, handle, offset, length, (offset - position) % PAGE == 0)
        if done == length:
            return
        block = memoryview(mmap(-1, min(BLOCK, length)))  # at a page: see _native.deid.scratch
        size = PAGE - (position + done) % PAGE if len(block) > PAGE else len(block)
        while done < length:
            got = os.preadv(handle, [block[: min(size, length - done)]], offset + done)
            if not got:
                raise TruncatedError(f"{source.path!r} was cut short while it was copied", offset=offset + done)
            write_all(file, block[:got])
            done += got
            size = len(block)
    finally:
        source.give_back(handle)


def _copied_by_system(file: int, handle: int, offset: int, length: int, aligned: bool) -> int:
    """Have the system copy from file to file, which not all file systems support; the number of bytes copied.

    Files that are `aligned` alike to pages may share blocks; between others sendfile() copies each byte once.
    """
    done = 0
    if aligned and hasattr(os, "copy_file_range"):
        with suppress(OSError):
            while done < length:
                got = os.copy_file_range(handle, file, min(length - done, STEP), offset + done)
                if not got:
                    break
                done += got
    if hasattr(os, "sendfile"):
        with suppress(OSError):  # macOS sends to sockets alone; a full disk is reported by the write that follows
            while done < length:
                got = os.sendfile(file, handle, offset + done, min(length - done, STEP))
                if not got:
                    break
                done += got
    return done
