"""Paths made of a data set's values: a pattern filled in, safe on every file system."""

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
"""Names that Windows keeps for devices, whatever follows the dot."""
FORBIDDEN = frozenset('<>:"/\\|?*')
LONGEST = 180  # bytes of a name in UTF-8, so that a suffix has room below the usual 255
SPEC = re.compile(r"[-.\w%]{0,16}")
WIDE = re.compile(r"\d{3}")


def safe_name(text: str, ending: str = "") -> str:
    """A name for a file or folder: `text` without what some file system does not take, then `ending`.

    Control characters, separators and what Windows forbids become ``_``; dots and spaces at the ends go, reserved
    names get a ``_``, long ones are cut. Where anything was lost a few digits made of the whole text are added,
    so that different texts keep different names.
    """
    wanted = unicodedata.normalize("NFC", text).strip(" ")
    name = "".join(one if one.isprintable() and one not in FORBIDDEN else "_" for one in wanted)
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
    """The path with a number before its ending, for what comes second: ``a-2.dcm``."""
    stem, ending = os.path.splitext(path)
    return f"{stem}-{number}{ending}"


class Pattern:
    """A path with columns in braces, ``{PatientID}/{StudyDate:%Y}/{SeriesNumber:04}``; folders are divided by ``/``.

    A date is written as YYYYMMDD, several values with ``-`` between them, a missing one as ``no-`` and the column's
    name. ValueError for a pattern that leads out of its folder or asks for more than columns.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = [self._parsed(part) for part in text.split("/")]
        self.columns = sorted({field for part in self._parts for _, field, _ in part if field})

    def _parsed(self, part: str) -> list[tuple[str, str, str]]:
        """A name's pieces: what stands there, and the column with its format behind it."""
        found = []
        try:
            pieces = list(Formatter().parse(part))
        except ValueError as error:
            raise ValueError(f"pattern {self.text!r}: {error}") from None
        for literal, field, spec, conversion in pieces:
            if field is not None and not field.isidentifier():
                raise ValueError(f"pattern {self.text!r}: {{{field}}} is no column's name")
            if conversion or not SPEC.fullmatch(spec or "") or WIDE.search(spec or ""):
                raise ValueError(f"pattern {self.text!r}: {{{field}}} has a format that is not for names")
            found.append((literal, field or "", spec or ""))
        if not part.strip() or (part.strip(" .") == ""):
            raise ValueError(f"pattern {self.text!r}: {part!r} is no name of a file or folder")
        return found

    def fill(self, row: Mapping[str, Any]) -> list[str]:
        """The names of a row's folders (and file, the last), each safe by itself."""
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
        value = "-".join(str(one) for one in value if one is not None)
    if value is None or value == "":
        return f"no-{field}"
    try:
        return format(value, spec or ("%Y%m%d" if isinstance(value, date) else ""))
    except ValueError:
        raise ValueError(f"{value!r} of {field} can't be written as {spec!r}") from None
