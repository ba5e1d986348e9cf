"""What to say where a library of the extra `archive` is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["needs_extra"]


@contextmanager
def needs_extra(library: str, extra: str = "archive") -> Iterator[None]:
    """Around an import of `library`: an ImportError that names the extra that brings it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != library:
            raise
        message = f'{library} is not installed; pip install "dicomcore[{extra}]" brings it'
        raise ModuleNotFoundError(message, name=library) from None
