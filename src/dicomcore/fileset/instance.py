"""One file of a file-set, as its records describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomcore.dataset import Dataset
from dicomcore.fileset.fileid import Medium, shown
from dicomcore.fileset.records import Record
from dicomcore.part10.reader import dcmread
from dicomcore.uids import UID

if TYPE_CHECKING:
    from dicomcore.fileset.fileset import FileSet

__all__ = ["FileInstance"]


class FileInstance:
    """An instance of a file-set: what its record and those above say is had by keyword, ``instance.PatientID``."""

    __slots__ = ("file_set", "record")

    def __init__(self, file_set: FileSet, record: Record) -> None:
        self.file_set = file_set
        self.record = record

    @property
    def _source(self) -> str | Dataset | None:
        return self.file_set._pending.get(id(self.record))

    @property
    def ReferencedFileID(self) -> tuple[str, ...]:
        """The File ID, component by component."""
        return self.record.file_id

    @property
    def SOPInstanceUID(self) -> UID | None:
        """What the record says of the file; None where it doesn't."""
        return self.record.sop_instance_uid

    @property
    def SOPClassUID(self) -> UID | None:
        """What the record says of the file; None where it doesn't."""
        return self.record.sop_class_uid

    @property
    def TransferSyntaxUID(self) -> UID | None:
        """What the record says of the file; None where it doesn't."""
        return self.record.transfer_syntax_uid

    @property
    def is_staged(self) -> bool:
        """Whether the file is to be put in its place by `FileSet.write`."""
        return self._source is not None

    @property
    def path(self) -> str | None:
        """Where the file is now, by its File ID or a name that differs from it a little; None for a data set in memory.

        Raises DicomError for a File ID that leads out of the file-set.
        """
        source = self._source
        if source is not None:
            return source if isinstance(source, str) else None
        if self.file_set.path is None:
            return None
        return Medium(self.file_set.path).find(self.record.file_id)

    def load(self) -> Dataset:
        """The instance itself. OSError and DicomError as `dcmread` raises them."""
        source = self._source
        if isinstance(source, Dataset):
            return source
        path = self.path
        if path is None:
            raise FileNotFoundError(2, "the file-set has no folder", shown(self.record.file_id))
        return dcmread(path)

    def get(self, keyword: str, default: Any = None) -> Any:
        """A value by keyword, of the record or the nearest above that has it."""
        own = getattr(type(self), keyword, None)
        if isinstance(own, property):
            return own.__get__(self)
        return self.record.get(keyword, default)

    def look_up(self, keyword: str, *, load: bool = False) -> Any:
        """The same; with `load` from the file, where no record says it. None where none does."""
        value = self.get(keyword)
        return self.load().get(keyword) if value is None and load else value

    def __getattr__(self, name: str) -> Any:
        missing = object()
        value = missing if name.startswith("_") else self.record.get(name, missing)
        if value is missing:
            raise AttributeError(f"neither the record nor those above it have {name!r}")
        return value

    def __contains__(self, keyword: str) -> bool:
        missing = object()
        return self.get(keyword, missing) is not missing

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileInstance) and self.record is other.record

    def __hash__(self) -> int:
        return id(self.record)

    def __repr__(self) -> str:
        return f"<FileInstance {self.record.type} {shown(self.record.file_id)}>"
