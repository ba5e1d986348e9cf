"""Where in a data set something stands, for messages: ``00081140[0].00081150``."""

from __future__ import annotations

from typing import NamedTuple

from dicomcore.errors import LimitError, ParseError

__all__ = ["Place"]


class Place(NamedTuple):
    """An element: the path of the item it is in ("" for the top level, else ending in a dot), and its tag."""

    prefix: str
    tag: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.tag:08X}"

    def item(self, number: int) -> str:
        """The prefix of what stands in the item with this number, counted from 0."""
        return f"{self}[{number}]."

    def fault(self, said: str) -> ParseError:
        """The error that says what is wrong here."""
        return ParseError(f"{self}: {said}", tag=self.tag)

    def limit(self, said: str) -> LimitError:
        """The error for a crossed limit."""
        return LimitError(f"{self}: {said}", tag=self.tag)
