"""Targets of a composed file: a path, the end of a bytearray, or a stream."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from dicomcore._native.write.output import Output
from dicomcore.encoding.emitting import emit, write_file
from dicomcore.files import write_path

__all__ = ["Target", "write_out"]

Target = str | os.PathLike[str] | bytearray | BinaryIO


def write_out(target: Any, out: Output, *, overwrite: bool = True, durable: bool = True) -> None:
    """Write all of `out` to a path, to the end of a bytearray, or to a binary stream from its position.

    Raises FileExistsError for an existing path unless `overwrite`, and OSError as open() and write() do. After an
    error, an old file at the path is unchanged.
    """
    if isinstance(target, (str, os.PathLike)):
        write_path(target, lambda file: write_file(file, out), overwrite=overwrite, durable=durable)
    elif isinstance(target, bytearray) or hasattr(target, "write"):
        emit(target, out)
    else:
        raise TypeError(f"a target is a path, a bytearray or a binary stream, not {type(target).__name__}")
