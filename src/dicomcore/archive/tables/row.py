"""One file's row, read with `dcmread`: for files that the bulk loop hands back, and as the reference for its rows."""

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
from dicomcore.limits import Limits
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
    "read_file",
    "read_row",
]

EPOCH = date(1970, 1, 1).toordinal()
RANGES = {
    "int32": (-(1 << 31), (1 << 31) - 1),
    "int64": (-(1 << 63), (1 << 63) - 1),
    "uint64": (0, (1 << 64) - 1),
}
SHOWN = 64  # characters of a value that an issue quotes at most
QUOTED = 80  # bytes of a value that are decoded for the quotation, as in _native/bulk/extract.pyx
LONGEST = 256 * 1024  # bytes of the longest value that a column shows: a batch of texts has to stay below 2 GiB
MOST_ISSUES = 32


class Row(NamedTuple):
    """One file's row: size in bytes, mtime in ns, values by ascending tag, texts of issues, and the failure if any."""

    size: int | None
    mtime: int | None
    values: list[Any]
    issues: list[str]
    failure: Failure | None


def failed_row(failure: Failure, columns: Columns, size: int | None = None, mtime: int | None = None) -> Row:
    """The row of a file without values."""
    return Row(size, mtime, [None] * len(columns.by_tag), [], failure)


def read_row(path: str, columns: Columns) -> Row:
    """Read the row of one file. Errors of the file are reported in the row; none is raised."""
    size = mtime = None
    try:
        facts = os.stat(path)
        size, mtime = facts.st_size, facts.st_mtime_ns
        if not stat.S_ISREG(facts.st_mode):  # opening a FIFO would wait for its writer
            return failed_row(Failure(NOT_REGULAR, UNREACHABLE), columns, size, mtime)
        values, issues = _read_values(read_file(path, columns.tags), columns)
        return Row(size, mtime, values, issues, None)
    except Exception as error:  # a bad file gives one row, whatever it raised
        return failed_row(failure_of(error, path), columns, size, mtime)


def read_blob_row(blob: Blob, columns: Columns) -> Row:
    """As `read_row`, for a file without a local path: from the bytes that `blob` has, and those that it fetches."""
    try:
        values, issues = _read_values(read_file(blob, columns.tags), columns)
        return Row(blob.size, blob.mtime, values, issues, None)
    except Exception as error:
        return failed_row(failure_of(error, blob.name), columns, blob.size, blob.mtime)


def read_data_set(path: str) -> Dataset:
    """Read the whole data set of a row's file, local or not."""
    return read_file(path.open() if isinstance(path, Place) else path)


def read_file(file: str | Blob, tags: list[int] | None = None, limits: Limits | None = None) -> Dataset:
    """Read a data set, or only these elements of it; also one without file meta information."""
    try:
        return dcmread(file, specific_tags=tags, limits=limits)
    except InvalidDicomError:
        if not _begins_bare(_beginning(file)):
            raise
        return dcmread(file, specific_tags=tags, force=True, limits=limits)


def _beginning(file: str | Blob) -> bytes:
    if not isinstance(file, str):
        return file.read_at(0, min(8, file.size)) if file.size else b""
    with open(file, "rb") as stream:
        return stream.read(8)


def _begins_bare(head: bytes) -> bool:
    """Whether a file begins like a data set without file meta information: with one of the first elements of group 8.

    Hardly any other file begins so, and old archives have many of these data sets.
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
    # Text that is no valid number is among the misfits, which quote it.
    issues = [issue for issue in data_set.issues if issue.code != "BAD_VALUE"]
    return values, issue_texts(issues) + misfits


def issue_texts(issues: Iterable[Issue]) -> list[str]:
    """The texts of issues for the column `issues`, sorted by offset; at most MOST_ISSUES, then the number of others."""
    # The scanner and the data set may have noted the same issue.
    by_place = {(issue.offset, issue.code, issue.tag): issue for issue in issues}
    unique = sorted(by_place.values(), key=lambda issue: (issue.offset, issue.code, issue.message))
    texts = [f"{issue.code} {issue.message}" for issue in unique[:MOST_ISSUES]]
    if len(unique) > MOST_ISSUES:
        texts.append(f"MORE {len(unique) - MOST_ISSUES} further deviations")
    return texts


class _MisfitError(Exception):
    """A value that its column's type can't hold."""


def cell_of(column: Column, source: Dataset | list[DataElement]) -> tuple[Any, str | None]:
    """The column's value from a data set or from elements, and the text of an issue if it can't hold the value."""
    try:
        if isinstance(source, Dataset):
            parent = source.file_meta if column.first.tag >> 16 == 2 else source
            source = [] if parent is None else elements_of(parent, column)
        return _cell(column, source), None
    except (_MisfitError, NoSequenceError) as misfit:
        return None, misfit_text(column, str(misfit))


def _cell(column: Column, elements: list[DataElement]) -> Any:
    """The values of all these elements as the column's value."""
    if column.name == FRAMES:
        return len(elements[0].value) or None if elements and elements[0].VR == "SQ" else None
    values = [value for value in (_value(column, element) for element in elements) if value is not None]
    if len(values) <= 1:
        return values[0] if values else None
    return [component for value in values for component in value]


def _value(column: Column, element: DataElement) -> Any:
    """The element's value in the column's type; None for an empty value."""
    if element.VR == "SQ":
        raise _MisfitError("a sequence stands where a value was due")
    if element.length is not None and element.length > LONGEST:
        raise _MisfitError(f"{element.length} bytes are more than a column takes")
    parts = _parts(element)
    if not parts:
        return None
    if column.kind == "text":
        texts = [_text(part) for part in parts]
        if texts == [""]:
            return None
        return texts if column.many else "\\".join(texts)
    if not column.many and len(parts) > 1:
        raise _misfit(element, parts)
    try:
        numbers = [_date(part) if column.kind == "date" else _number(part, column.kind) for part in parts]
        if element.VR == "DS" and any(number - number for number in numbers):  # infinite: beyond any double
            raise OverflowError
    except (ValueError, OverflowError):
        raise _misfit(element, parts) from None
    return numbers if column.many else numbers[0]


def misfit_text(column: Column, what: str) -> str:
    """The text for the column `issues` about a value that its column can't hold."""
    where = "" if column.creator else f"{column.tag} "
    return f"VALUE_MISFIT {where}{column.name}: {what}"


def quoted(text: bytes) -> str:
    """The text of an issue that quotes an invalid number or date as the file has it."""
    shown = text.decode("latin-1").rstrip(" \0")
    return f"{shown if len(shown) <= SHOWN else shown[:SHOWN] + '…'!r} does not fit"


def _misfit(element: DataElement, parts: list[Any]) -> _MisfitError:
    if element.VR in ("DA", "DS", "IS") and element.raw is not None:
        return _MisfitError(quoted(bytes(element.raw[:QUOTED])))
    return _MisfitError(quoted("\\".join(map(str, parts)).encode("latin-1", "backslashreplace")))


def decode_text(value: bytes, vr: str, terms: bytes, many: bool) -> list[str] | str | None:
    """Decode a text for the bulk loop by its character set (PS3.3 C.12.1.1.2); None if it has issues or is empty."""
    charset = charset_for(tuple(terms.decode("latin-1").rstrip(" \0").split("\\")) if terms else ())
    texts, good = charset.decode_values(value, vr)
    stripped = [text.rstrip(" \0") for text in texts]
    if not good or charset.problems or stripped == [""]:
        return None
    return stripped if many else "\\".join(stripped)


def _parts(element: DataElement) -> list[Any]:
    """The components of an element's value, texts without their padding; an empty list for an empty value."""
    value = element.value
    if value is None or (isinstance(value, (str, bytes)) and not value):
        return []
    if isinstance(value, bytes):
        text = value.decode("latin-1").rstrip(" \0")
        if not text.isprintable():
            raise _MisfitError(f"{len(value)} bytes of VR {element.VR} are not text")
        return text.split("\\")
    components = value if isinstance(value, list) else [value]
    if element.VR not in TEXTS:
        return components
    texts = [str(component).rstrip(" \0") for component in components]
    return [text.lstrip(" ") for text in texts] if element.VR == "AE" else texts


def _text(component: Any) -> str:
    return f"{int(component):08X}" if isinstance(component, Tag) else str(component)


def _date(component: Any) -> int:
    return parse_date(str(component)).toordinal() - EPOCH


def _number(component: Any, kind: str) -> int | float:
    if kind in ("float64", "float32"):
        number = float(component)
        if isinstance(component, str) and ("_" in component or number - number != 0):  # "inf" and "nan" are not DS
            raise ValueError(component)
        return number
    low, high = RANGES[kind]
    whole = parse_integer(component) if isinstance(component, str) else int(component)
    if whole != component and not isinstance(component, str):
        raise ValueError(component)
    if not low <= whole <= high:
        raise OverflowError(component)
    return whole
