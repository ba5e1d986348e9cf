"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dicomcore.archive.walk import PART

__all__ = ["unfinished_file", "whole_file"]


@contextmanager
def whole_file(target: str) -> Iterator[str]:
    """A path beside `target` to write to; what is there in the end takes its place, unless something was raised."""
    folder, name = os.path.split(target)
    with unfinished_file(os.path.join(folder, f".{name}.{secrets.token_hex(4)}{PART}")) as unfinished:
        yield unfinished
        os.replace(unfinished, target)


@contextmanager
def unfinished_file(path: str) -> Iterator[str]:
    """The path of a file that is to be moved to its place; where it is not, it is gone afterwards."""
    try:
        yield path
    finally:
        with suppress(OSError):
            os.unlink(path)
