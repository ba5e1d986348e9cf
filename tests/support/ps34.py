"""Tables of PS3.4, where its text is at hand: a folder with ``chapter_F.rst`` and the like."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ABSENT", "table"]

FOLDER = os.environ.get("DICOMCORE_PS34", "")
ABSENT = "" if FOLDER and Path(FOLDER).is_dir() else "no text of PS3.4: set DICOMCORE_PS34 to its folder of .rst files"
"""Why the text cannot be read, "" if it can."""


def table(chapter: str, title: str) -> list[list[str]]:
    """The rows of the table whose title begins so: cells without any white space, as words are broken there."""
    text = Path(FOLDER, f"chapter_{chapter}.rst").read_text()
    found = re.search(r"^\.\. table:: " + r"\s+".join(map(re.escape, title.split())), text, re.MULTILINE)
    assert found is not None, f"chapter {chapter} has no table {title!r}"
    return list(_rows(iter(text[found.end() :].splitlines()[1:])))


def _rows(lines: Iterator[str]) -> Iterator[list[str]]:
    cells: list[str] = []
    is_inside = False
    for line in lines:
        if line.startswith("   +"):
            is_inside = True
            if cells:
                yield [re.sub(r"\s|\\\*", "", cell) for cell in cells]
            cells = []
        elif line.startswith("   |"):
            parts = line.strip().strip("|").split("|")
            cells = [held + part for held, part in zip(cells or [""] * len(parts), parts, strict=True)]
        elif is_inside:
            return
