"""FileInstance: one file of a file-set, as its directory records describe it."""

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
    """An instance of a file-set. The keys of its record and of those above are attributes: ``instance.PatientID``."""

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
        """Referenced SOP Instance UID in File, from the record; None if missing."""
        return self.record.sop_instance_uid

    @property
    def SOPClassUID(self) -> UID | None:
        """Referenced SOP Class UID in File, from the record; None if missing."""
        return self.record.sop_class_uid

    @property
    def TransferSyntaxUID(self) -> UID | None:
        """Referenced Transfer Syntax UID in File, from the record; None if missing."""
        return self.record.transfer_syntax_uid

    @property
    def is_staged(self) -> bool:
        """Whether `FileSet.write` has still to put the file in its place."""
        return self._source is not None

    @property
    def path(self) -> str | None:
        """The file's present path, which may differ slightly from its File ID; None for a data set in memory.

        Raises DicomError for a File ID that leads out of the file-set.
        """
        source = self._source
        if source is not None:
            return source if isinstance(source, str) else None
        if self.file_set.path is None:
            return None
        return Medium(self.file_set.path).find(self.record.file_id)

    def load(self) -> Dataset:
        """Read the instance. Raises OSError and DicomError as `dcmread` does."""
        source = self._source
        if isinstance(source, Dataset):
            return source
        path = self.path
        if path is None:
            raise FileNotFoundError(2, "the file-set has no folder", shown(self.record.file_id))
        return dcmread(path)

    def get(self, keyword: str, default: Any = None) -> Any:
        """A value by keyword, from the record or the nearest record above that has the key."""
        own = getattr(type(self), keyword, None)
        if isinstance(own, property):
            return own.__get__(self)
        return self.record.get(keyword, default)

    def look_up(self, keyword: str, *, load: bool = False) -> Any:
        """A value by keyword as `get` gives it; with `load`, from the file if no record has it. None if missing."""
        value = self.get(keyword)
        return self.load().get(keyword) if value is None and load else value

    def __getattr__(self, name: str) -> Any:
        missing = object()
        value = missing if name.startswith("_") else self.record.get(name, missing)
        if value is missing:
            raise AttributeError(f"neither the record nor a record above it has {name!r}")
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
