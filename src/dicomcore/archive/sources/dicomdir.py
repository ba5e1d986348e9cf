"""The files of a DICOMDIR: those that its directory records refer to (PS3.3 F.3, PS3.10 8)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dicomcore.archive.failure import DAMAGED
from dicomcore.archive.sources.place import Fault
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import DicomError
from dicomcore.part10.reader import dcmread

__all__ = ["fileset_paths", "is_dicomdir"]


def is_dicomdir(path: str) -> bool:
    """Whether a path has the name of a file-set's directory; a copying program may have added a suffix to it."""
    return os.path.basename(path).upper().startswith("DICOMDIR")


def fileset_paths(path: str) -> Iterator[str]:
    """The files that the records refer to, in the order of the records, each file once.

    Names are looked up as the records spell them, then as `Medium` matches them. The path of a missing file is
    returned as well, since its row reports the error; a name that leads out of the file-set becomes a Fault.
    Raises the exceptions of `dcmread`, and ValueError if the file contains no directory.
    """
    from dicomcore.fileset.fileid import Medium  # few sources are a DICOMDIR

    directory = dcmread(path)
    if "DirectoryRecordSequence" not in directory:
        raise ValueError("no Directory Record Sequence: the file is no DICOMDIR")
    medium = Medium(os.path.dirname(path))
    seen: set[tuple[str, ...]] = set()
    for record in items_of(directory, "DirectoryRecordSequence"):
        file_id = record.get("ReferencedFileID")
        if not file_id:
            continue
        parts = tuple(str(part).strip() for part in (file_id if isinstance(file_id, list) else [file_id]))
        if parts in seen:
            continue
        seen.add(parts)
        try:
            yield medium.find(parts)
        except DicomError:
            path = os.path.join(medium.folder, *parts)
            yield Fault(path, "ValueError: the name leads out of the file-set", DAMAGED)
