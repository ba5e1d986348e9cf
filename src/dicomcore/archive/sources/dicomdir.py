"""The files of a DICOMDIR: what its records refer to (PS3.3 F.3, PS3.10 8)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dicomcore.archive.failure import DAMAGED
from dicomcore.archive.sources.place import Fault
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import DicomError
from dicomcore.fileset.fileid import Medium
from dicomcore.part10.reader import dcmread

__all__ = ["fileset_paths", "is_dicomdir"]


def is_dicomdir(path: str) -> bool:
    """Whether a path is named as a file-set's directory is, whatever a copy adds to the name."""
    return os.path.basename(path).upper().startswith("DICOMDIR")


def fileset_paths(path: str) -> Iterator[str]:
    """The file of each record that has one, in the order of the records, each file once.

    Names are looked for as the records have them, then as `Medium` finds them. A file that isn't there is a path all
    the same, for its row says so; a name that leads out of the file-set comes as a Fault.
    Raises what `dcmread` does, ValueError where the file holds no directory.
    """
    directory = dcmread(path)
    if "DirectoryRecordSequence" not in directory:
        raise ValueError("no Directory Record Sequence: the file is no DICOMDIR")
    medium = Medium(os.path.dirname(path))
    met: set[tuple[str, ...]] = set()
    for record in items_of(directory, "DirectoryRecordSequence"):
        found = record.get("ReferencedFileID")
        if not found:
            continue
        parts = tuple(str(part).strip() for part in (found if isinstance(found, list) else [found]))
        if parts in met:
            continue
        met.add(parts)
        try:
            yield medium.find(parts)
        except DicomError:
            path = os.path.join(medium.folder, *parts)
            yield Fault(path, "ValueError: the name leads out of the file-set", DAMAGED)
