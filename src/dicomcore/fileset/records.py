"""Directory records: the tree of a DICOMDIR as plain objects (PS3.3 F.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.uids import UID

__all__ = ["Record", "active", "walk"]


class Record:
    """One directory record: its keys, and the records of the lower-level directory entity that it refers to.

    `keys` are the record's elements: Directory Record Type, the references to a file, and the record selection keys
    (offsets that were read with them have no meaning: writing computes them anew). `in_use` is False for a record that
    was marked inactive, as earlier editions allowed. `offset` is the byte offset of the item in the DICOMDIR; None for
    a record that was not read from one.
    """

    __slots__ = ("children", "in_use", "keys", "offset", "parent", "type")

    def __init__(
        self,
        keys: Dataset,
        *,
        parent: Record | None = None,
        in_use: bool = True,
        offset: int | None = None,
    ) -> None:
        self.keys = keys
        self.type = _text(keys.get("DirectoryRecordType"))
        """Directory Record Type, such as ``"PATIENT"``; empty if missing."""
        self.parent = parent
        self.children: list[Record] = []
        self.in_use = in_use
        self.offset = offset

    @property
    def file_id(self) -> tuple[str, ...]:
        """Referenced File ID, component by component; empty if the record refers to no file."""
        value = self.keys.get("ReferencedFileID")
        if not value:
            return ()
        parts = value if isinstance(value, list) else [value]
        return tuple([part.strip(" \0") if isinstance(part, str) else _text(part) for part in parts])

    @property
    def sop_instance_uid(self) -> UID | None:
        """Referenced SOP Instance UID in File."""
        return self._uid("ReferencedSOPInstanceUIDInFile")

    @property
    def sop_class_uid(self) -> UID | None:
        """Referenced SOP Class UID in File."""
        return self._uid("ReferencedSOPClassUIDInFile")

    @property
    def transfer_syntax_uid(self) -> UID | None:
        """Referenced Transfer Syntax UID in File."""
        return self._uid("ReferencedTransferSyntaxUIDInFile")

    def _uid(self, keyword: str) -> UID | None:
        value = self.keys.get(keyword)
        return UID(value) if isinstance(value, str) and value else None

    def chain(self) -> list[Record]:
        """The records above this one and the record itself, the topmost first."""
        records: list[Record] = []
        record: Record | None = self
        while record is not None:
            records.append(record)
            record = record.parent
        return records[::-1]

    def get(self, keyword: str, default: Any = None) -> Any:
        """A value by keyword from this record, or from the nearest record above that has the key."""
        record: Record | None = self
        while record is not None:
            if keyword in record.keys:
                return record.keys.get(keyword)
            record = record.parent
        return default

    def adopt(self, child: Record) -> None:
        """Append `child` to the lower-level entity."""
        child.parent = self
        self.children.append(child)

    def __repr__(self) -> str:
        named = "\\".join(self.file_id)
        return f"<Record {self.type or '(no type)'}{' ' + named if named else ''}, {len(self.children)} below>"


def walk(roots: Iterable[Record]) -> Iterator[Record]:
    """All records, each before those below it, in the order of their entities."""
    pending = [iter(list(roots))]
    while pending:
        record = next(pending[-1], None)
        if record is None:
            pending.pop()
            continue
        yield record
        pending.append(iter(record.children))


def active(roots: Iterable[Record]) -> Iterator[Record]:
    """All records in the order of `walk`, without those that are not in use and the records below them."""
    pending = [iter(list(roots))]
    while pending:
        record = next(pending[-1], None)
        if record is None:
            pending.pop()
        elif record.in_use:
            yield record
            pending.append(iter(record.children))


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return str(value).strip(" \0") if value is not None else ""
