"""Paths from a data set's values: a pattern filled in with names that are safe on every file system."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from hashlib import blake2b
from string import Formatter
from typing import Any

__all__ = ["Pattern", "numbered", "safe_name"]

RESERVED = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)")
"""Names that Windows reserves for devices, with any suffix."""
FORBIDDEN = frozenset('<>:"/\\|?*')
LONGEST = 180  # bytes of a name in UTF-8 at most, which leaves room for a suffix below the usual limit of 255
SPEC = re.compile(r"[-.\w%]{0,16}")
WIDE = re.compile(r"\d{3}")


def safe_name(text: str, ending: str = "") -> str:
    """A name for a file or folder that every file system accepts: `text` with unsafe parts replaced, then `ending`.

    Control characters, separators and characters that Windows forbids become ``_``; spaces at both ends and dots at
    the end are removed, reserved names get a ``_``, and long names are cut. If anything was changed, a few digits of a
    hash of the whole text are added, so that different texts keep different names.
    """
    wanted = unicodedata.normalize("NFC", text).strip(" ")
    name = "".join(letter if letter.isprintable() and letter not in FORBIDDEN else "_" for letter in wanted)
    name = name.rstrip(". ")
    if name.startswith(".") or RESERVED.match(name + ending):
        name = f"_{name[1:] if name.startswith('.') else name}"
    limit = LONGEST - len(ending.encode())
    if len(name.encode()) > limit:
        name = name.encode()[:limit].decode("utf-8", "ignore").rstrip(". ")
    if name != wanted or not name:
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        name = f"{name or '_'}~{digest}"
    return name + ending


def numbered(path: str, number: int) -> str:
    """The path with a number before its ending, for a name that is taken: ``a-2.dcm``."""
    stem, ending = os.path.splitext(path)
    return f"{stem}-{number}{ending}"


class Pattern:
    """A path with columns in braces, ``{PatientID}/{StudyDate:%Y}/{SeriesNumber:04}``; ``/`` separates folders.

    A date is written as YYYYMMDD, multiple values are joined by ``-``, and a missing value is ``no-`` and the column's
    name. Raises ValueError for a pattern that leads out of its folder or contains anything but columns in braces.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = [self._parsed(part) for part in text.split("/")]
        self.columns = sorted({field for part in self._parts for _, field, _ in part if field})

    def _parsed(self, part: str) -> list[tuple[str, str, str]]:
        """The pieces of a name: literal text, and the column that follows it with its format."""
        pieces = []
        try:
            fields = list(Formatter().parse(part))
        except ValueError as error:
            raise ValueError(f"pattern {self.text!r}: {error}") from None
        for literal, field, spec, conversion in fields:
            if field is not None and not field.isidentifier():
                raise ValueError(f"pattern {self.text!r}: {{{field}}} is no column's name")
            if conversion or not SPEC.fullmatch(spec or "") or WIDE.search(spec or ""):
                raise ValueError(f"pattern {self.text!r}: {{{field}}} has a format that is not for names")
            pieces.append((literal, field or "", spec or ""))
        if not part.strip() or (part.strip(" .") == ""):
            raise ValueError(f"pattern {self.text!r}: {part!r} is no name of a file or folder")
        return pieces

    def fill(self, row: Mapping[str, Any]) -> list[str]:
        """The names of a row's folders, and of its file at the end if the pattern has one; each is a safe name."""
        return [self._filled(part, row) for part in self._parts]

    def _filled(self, part: list[tuple[str, str, str]], row: Mapping[str, Any]) -> str:
        literal, field, _ = part[-1]
        ending = os.path.splitext(literal)[1] if not field else ""
        text = "".join(
            literal + (_shown(row.get(field), field, spec) if field else "") for literal, field, spec in part
        )
        return safe_name(text[: len(text) - len(ending)], ending)


def _shown(value: Any, field: str, spec: str) -> str:
    if isinstance(value, (list, tuple)):
        value = "-".join(str(component) for component in value if component is not None)
    if value is None or value == "":
        return f"no-{field}"
    try:
        return format(value, spec or ("%Y%m%d" if isinstance(value, date) else ""))
    except ValueError:
        raise ValueError(f"{value!r} of {field} can't be written as {spec!r}") from None
