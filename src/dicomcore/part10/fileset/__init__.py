"""File-sets and their DICOMDIR (PS3.3 Annex F, PS3.10 8, PS3.11, PS3.12)."""

from dicomcore.part10.fileset.fileset import FileSet
from dicomcore.part10.fileset.instance import FileInstance
from dicomcore.part10.fileset.records import Record

__all__ = ["FileInstance", "FileSet", "Record"]
