"""One file's row by way of `dcmread`: for what the bulk loop hands back, and the measure of what it gives."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal, NamedTuple

from dicomcore.archive.failure import UNREACHABLE, Failure, failure_of
from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import NOT_REGULAR, Place
from dicomcore.archive.tables.columns import FRAMES, Column, Columns
from dicomcore.archive.tables.lookup import NoSequenceError, elements_of
from dicomcore.charset import charset_for
from dicomcore.dataset import DataElement, Dataset
from dicomcore.errors import InvalidDicomError
from dicomcore.issues import Issue
from dicomcore.part10.reader import dcmread
from dicomcore.tags import Tag
from dicomcore.values import parse_date, parse_integer
from dicomcore.vrs import TEXTS

__all__ = [
    "Row",
    "cell_of",
    "decode_text",
    "failed_row",
    "issue_texts",
    "misfit_text",
    "quoted",
    "read_blob_row",
    "read_data_set",
    "read_row",
]

EPOCH = date(1970, 1, 1).toordinal()
RANGES = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "uint64": (0, (1 << 64) - 1),
}
SHOWN = 64  # characters of a value that an issue quotes
QUOTED = 80  # bytes of it that are looked at, as in _native/bulk/extract.pyx
LONGEST = 256 * 1024  # bytes of a value that a column shows: a batch of texts has to stay below 2 GiB
MOST_ISSUES = 32


class Row(NamedTuple):
    """What the table shows of one file: size in bytes, mtime in ns, values by ascending tag, issues, failure."""

    size: int | None
    mtime: int | None
    values: list[Any]
    issues: list[str]
    failure: Failure | None


def failed_row(failure: Failure, columns: Columns, size: int | None = None, mtime: int | None = None) -> Row:
    """The row of a file that has no values."""
    return Row(size, mtime, [None] * len(columns.by_tag), [], failure)


def read_row(path: str, columns: Columns) -> Row:
    """The row of one file; whatever is wrong with the file is in it, nothing is raised."""
    size = mtime = None
    try:
        facts = os.stat(path)
        size, mtime = facts.st_size, facts.st_mtime_ns
        if not stat.S_ISREG(facts.st_mode):  # opening a FIFO would wait for its writer
            return failed_row(Failure(NOT_REGULAR, UNREACHABLE), columns, size, mtime)
        values, issues = _read_values(_read(path, columns.tags), columns)
        return Row(size, mtime, values, issues, None)
    except Exception as error:  # one bad file is one row, whatever it did
        return failed_row(failure_of(error, path), columns, size, mtime)


def read_blob_row(blob: Blob, columns: Columns) -> Row:
    """The same of a file that no path leads to, from what is at hand of it and what is fetched."""
    try:
        values, issues = _read_values(_read(blob, columns.tags), columns)
        return Row(blob.size, blob.mtime, values, issues, None)
    except Exception as error:
        return failed_row(failure_of(error, blob.name), columns, blob.size, blob.mtime)


def read_data_set(path: str) -> Dataset:
    """All of the data set that a row was made of, wherever it stands."""
    return _read(path.open() if isinstance(path, Place) else path)


def _read(file: str | Blob, tags: list[int] | None = None) -> Dataset:
    try:
        return dcmread(file, specific_tags=tags)
    except InvalidDicomError:
        if not _begins_bare(_beginning(file)):
            raise
        return dcmread(file, specific_tags=tags, force=True)


def _beginning(file: str | Blob) -> bytes:
    if not isinstance(file, str):
        return file.read_at(0, min(8, file.size)) if file.size else b""
    with open(file, "rb") as stream:
        return stream.read(8)


def _begins_bare(head: bytes) -> bool:
    """Whether a file begins as data sets without file meta information do: with one of the first elements of group 8.

    Hardly any other file does, and old archives are full of them.
    """
    if len(head) < 8:
        return False
    order: Literal["little", "big"] = "little" if head[:2] == b"\x08\0" else "big"
    group, element = (int.from_bytes(head[i : i + 2], order) for i in (0, 2))
    if group != 8 or element > 0x18:
        return False
    length = int.from_bytes(head[4:8], order)
    return head[4:6] in (b"UL", b"CS", b"UI", b"SH", b"DA", b"TM", b"LO") or length <= 64


def _read_values(data_set: Dataset, columns: Columns) -> tuple[list[Any], list[str]]:
    values: list[Any] = []
    misfits: list[str] = []
    for column in columns.by_tag:
        value, misfit = cell_of(column, data_set)
        values.append(value)
        misfits += [misfit] if misfit is not None else []
    # What number text isn't one is among the misfits, with the text.
    found = [issue for issue in data_set.issues if issue.code != "BAD_VALUE"]
    return values, issue_texts(found) + misfits


def issue_texts(issues: Iterable[Issue]) -> list[str]:
    """What the column `issues` says of deviations, by offset; of very many, the first and their number."""
    # The scanner and the data set may have seen the same.
    by_place = {(issue.offset, issue.code, issue.tag): issue for issue in issues}
    found = sorted(by_place.values(), key=lambda issue: (issue.offset, issue.code, issue.message))
    texts = [f"{issue.code} {issue.message}" for issue in found[:MOST_ISSUES]]
    if len(found) > MOST_ISSUES:
        texts.append(f"MORE {len(found) - MOST_ISSUES} further deviations")
    return texts


class _MisfitError(Exception):
    """A value that its column's type can't hold."""


def cell_of(column: Column, found: Dataset | list[DataElement]) -> tuple[Any, str | None]:
    """What the column shows of a data set, or of these elements, and what is to be said of a value it can't show."""
    try:
        if isinstance(found, Dataset):
            home = found.file_meta if column.first.tag >> 16 == 2 else found
            found = [] if home is None else elements_of(home, column)
        return _cell(column, found), None
    except (_MisfitError, NoSequenceError) as misfit:
        return None, misfit_text(column, str(misfit))


def _cell(column: Column, elements: list[DataElement]) -> Any:
    """Of several elements, the values of all."""
    if column.name == FRAMES:
        return len(elements[0].value) or None if elements and elements[0].VR == "SQ" else None
    values = [value for value in (_value(column, element) for element in elements) if value is not None]
    if len(values) <= 1:
        return values[0] if values else None
    return [one for value in values for one in value]


def _value(column: Column, element: DataElement) -> Any:
    """The element's value as the column holds it, None where there is none."""
    if element.VR == "SQ":
        raise _MisfitError("a sequence stands where a value was due")
    if element.length is not None and element.length > LONGEST:
        raise _MisfitError(f"{element.length} bytes are more than a column takes")
    parts = _parts(element)
    if not parts:
        return None
    if column.kind == "text":
        texts = [_text(one) for one in parts]
        if texts == [""]:
            return None
        return texts if column.many else "\\".join(texts)
    if not column.many and len(parts) > 1:
        raise _misfit(element, parts)
    try:
        found = [_date(one) if column.kind == "date" else _number(one, column.kind) for one in parts]
        if element.VR == "DS" and any(one - one for one in found):  # infinite: no double holds it
            raise OverflowError
    except (ValueError, OverflowError):
        raise _misfit(element, parts) from None
    return found if column.many else found[0]


def misfit_text(column: Column, what: str) -> str:
    """What the column `issues` says of a value that its column can't hold."""
    where = "" if column.creator else f"{column.tag} "
    return f"VALUE_MISFIT {where}{column.name}: {what}"


def quoted(text: bytes) -> str:
    """Number or date text that is none, as it stands in the file."""
    shown = text.decode("latin-1").rstrip(" \0")
    return f"{shown if len(shown) <= SHOWN else shown[:SHOWN] + '…'!r} does not fit"


def _misfit(element: DataElement, parts: list[Any]) -> _MisfitError:
    if element.VR in ("DA", "DS", "IS") and element.raw is not None:
        return _MisfitError(quoted(bytes(element.raw[:QUOTED])))
    return _MisfitError(quoted("\\".join(map(str, parts)).encode("latin-1", "backslashreplace")))


def decode_text(value: bytes, vr: str, terms: bytes, many: bool) -> list[str] | str | None:
    """A text for the bulk loop by its character set (PS3.3 C.12.1.1.2); None where that is not all there is to it."""
    charset = charset_for(tuple(terms.decode("latin-1").rstrip(" \0").split("\\")) if terms else ())
    texts, good = charset.decode_values(value, vr)
    stripped = [text.rstrip(" \0") for text in texts]
    if not good or charset.problems or stripped == [""]:
        return None
    return stripped if many else "\\".join(stripped)


def _parts(element: DataElement) -> list[Any]:
    """The components, texts without their padding; none for an empty value."""
    value = element.value
    if value is None or (isinstance(value, (str, bytes)) and not value):
        return []
    if isinstance(value, bytes):
        text = value.decode("latin-1").rstrip(" \0")
        if not text.isprintable():
            raise _MisfitError(f"{len(value)} bytes of VR {element.VR} are not text")
        return text.split("\\")
    several = value if isinstance(value, list) else [value]
    if element.VR not in TEXTS:
        return several
    texts = [str(one).rstrip(" \0") for one in several]
    return [text.lstrip(" ") for text in texts] if element.VR == "AE" else texts


def _text(one: Any) -> str:
    return f"{int(one):08X}" if isinstance(one, Tag) else str(one)


def _date(one: Any) -> int:
    return parse_date(str(one)).toordinal() - EPOCH


def _number(one: Any, kind: str) -> int | float:
    if kind in ("float64", "float32"):
        number = float(one)
        if isinstance(one, str) and ("_" in one or number - number != 0):  # nor are "inf" and "nan" DS values
            raise ValueError(one)
        return number
    low, high = RANGES[kind]
    whole = parse_integer(one) if isinstance(one, str) else int(one)
    if whole != one and not isinstance(one, str):
        raise ValueError(one)
    if not low <= whole <= high:
        raise OverflowError(one)
    return whole
