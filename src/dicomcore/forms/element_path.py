"""ElementPath: the path of an element in a data set, for messages: ``00081140[0].00081150``."""

from __future__ import annotations

from typing import NamedTuple

from dicomcore.errors import LimitError, ParseError

__all__ = ["ElementPath"]


class ElementPath(NamedTuple):
    """The path of an element: that of its item as a prefix ("" at the top level, else ending in a dot), and its tag."""

    prefix: str
    tag: int

    def __str__(self) -> str:
        return f"{self.prefix}{self.tag:08X}"

    def item(self, number: int) -> str:
        """Return the prefix of the elements in the item with this number, counted from 0."""
        return f"{self}[{number}]."

    def fault(self, message: str) -> ParseError:
        """Return a ParseError about this element."""
        return ParseError(f"{self}: {message}", tag=self.tag)

    def limit(self, message: str) -> LimitError:
        """Return a LimitError about this element."""
        return LimitError(f"{self}: {message}", tag=self.tag)
