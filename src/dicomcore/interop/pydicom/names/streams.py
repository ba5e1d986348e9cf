"""Streams that stand for a value."""

from __future__ import annotations

import io
from typing import Any

from dicomcore.dataset.state import is_changed


def is_buffered(element: Any) -> bool:
    """Whether an element's value is a stream; a value of a file is not decoded for the answer."""
    return is_changed(element) and isinstance(element.value, io.BufferedIOBase)


def check_stream(stream: Any, tag: Any, name: str) -> None:
    """Raise TypeError for what is no binary stream, ValueError for one that is closed or can't be read anywhere."""
    if not isinstance(stream, io.BufferedIOBase):
        raise TypeError(f"Invalid buffer for {tag} '{name}': the buffer must inherit from 'io.BufferedIOBase'")
    if stream.closed:
        raise ValueError(f"Invalid buffer for {tag} '{name}': the buffer has been closed")
    if not stream.readable() or not stream.seekable():
        raise ValueError(f"Invalid buffer for {tag} '{name}': the buffer must be readable and seekable")
