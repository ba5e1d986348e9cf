"""The error that names the extra to install when an optional library is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needs_extra"]


@contextmanager
def needs_extra(library: str, extra: str = "archive") -> Iterator[None]:
    """A context for an import of `library`: when it is missing, raise ModuleNotFoundError that names the extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != library:
            raise
        message = f'{library} is not installed; pip install "dicomcore[{extra}]" brings it'
        raise ModuleNotFoundError(message, name=library) from None
