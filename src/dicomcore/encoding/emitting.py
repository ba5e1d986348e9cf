"""An Output written out: to a file's descriptor, a binary stream, or the end of a bytearray."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Any

from dicomcore._native.scan.source import Source
from dicomcore._native.write.output import Output
from dicomcore.errors import TruncatedError
from dicomcore.files import write_all

__all__ = ["emit", "write_file"]

STEP = 1 << 30  # bytes that the system is asked to copy at a time
PAGE = 4096
AT_ONCE = 1 << 20  # bytes written in one go, put together before


def emit(target: Any, out: Output) -> None:
    """Write all of `out` at the end of a bytearray, or to a binary stream or descriptor from where it stands."""
    if isinstance(target, bytearray):
        target += out.whole()
    elif isinstance(target, int):
        write_file(target, out)
    elif hasattr(target, "write"):
        for chunk in out.chunks():
            _write_stream(target, chunk)
    else:
        raise TypeError(f"no bytearray, binary stream or descriptor to write to: {type(target).__name__}")


def _write_stream(stream: Any, data: Any) -> None:
    """stream.write() until all of it is written: a raw stream may take less at a time."""
    view = memoryview(data)
    while len(view):
        taken = stream.write(view)
        if taken is None or taken >= len(view):
            return
        view = view[taken:]


def write_file(file: int, out: Output) -> None:
    """Write all of `out` to a descriptor, from file to file by the system where it can."""
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
    """Copy from file to file: by the system where pages go over as they are, else in blocks that begin with a page."""
    handle = source.borrow()
    try:
        position = os.lseek(file, 0, os.SEEK_CUR) if stat.S_ISREG(os.fstat(file).st_mode) else 0
        done = 0
        if (offset - position) % PAGE == 0 and hasattr(os, "copy_file_range"):
            done = _copied_by_system(file, handle, offset, length)
        block = memoryview(bytearray(min(AT_ONCE, length)))
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


def _copied_by_system(file: int, handle: int, offset: int, length: int) -> int:
    """How many bytes the system copied from file to file; it can't between all of them."""
    done = 0
    with suppress(OSError):
        while done < length:
            got = os.copy_file_range(handle, file, min(length - done, STEP), offset + done)
            if not got:
                break
            done += got
    return done
