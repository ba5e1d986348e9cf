"""The form of help."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress

__all__ = ["Formatter"]

UNKNOWN_WIDTH = 80


class Formatter(argparse.HelpFormatter):
    """Fills paragraphs, and leaves lines that begin with a blank as they are."""

    def __init__(
        self, prog: str, indent_increment: int = 2, max_help_position: int = 24, width: int | None = None
    ) -> None:
        # Without a width argparse asks shutil, which loads all compressors, for each argument that is added.
        super().__init__(prog, indent_increment, max_help_position, _columns() - 2 if width is None else width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts = [part for part in text.split("\n\n") if part.strip()]
        return "\n\n".join(part if part[0] == " " else super(Formatter, self)._fill_text(part, width, indent)
                           for part in parts)  # fmt: skip


def _columns() -> int:
    """The width of the terminal, as `shutil.get_terminal_size` finds it."""
    with suppress(ValueError):
        if (columns := int(os.environ.get("COLUMNS", ""))) > 0:
            return columns
    with suppress(AttributeError, ValueError, OSError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or UNKNOWN_WIDTH  # type: ignore[union-attr]
    return UNKNOWN_WIDTH
