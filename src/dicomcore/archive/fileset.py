"""The files of a DICOMDIR: what its records refer to (PS3.3 F.3, PS3.10 8)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from dicomcore.archive.place import Fault
from dicomcore.lookup import items_of
from dicomcore.part10.reader import dcmread

__all__ = ["fileset_paths", "is_dicomdir"]


def is_dicomdir(path: str) -> bool:
    """Whether a path is named as a file-set's directory is, whatever a copy adds to the name."""
    return os.path.basename(path).upper().startswith("DICOMDIR")


def fileset_paths(path: str) -> Iterator[str]:
    """The file of each record that has one, in the order of the records, each file once.

    Names are looked for as the records have them, then whatever their case: discs are often mounted so. A file that
    isn't there is a path all the same, for its row says so; a name that leads out of the file-set comes as a Fault.
    Raises what `dcmread` does, ValueError where the file holds no directory.
    """
    directory = dcmread(path)
    if "DirectoryRecordSequence" not in directory:
        raise ValueError("no Directory Record Sequence: the file is no DICOMDIR")
    folder = _Folder(os.path.dirname(path))
    met: set[tuple[str, ...]] = set()
    for record in items_of(directory, "DirectoryRecordSequence"):
        found = record.get("ReferencedFileID")
        if not found:
            continue
        parts = tuple(str(part).strip() for part in (found if isinstance(found, list) else [found]))
        if parts in met:
            continue
        met.add(parts)
        if any(part in ("", ".", "..") or "/" in part or os.sep in part or "\0" in part for part in parts):
            yield Fault(os.path.join(folder.top, *parts), "ValueError: the name leads out of the file-set")
        else:
            yield folder.find(parts)


class _Folder:
    """Names below a folder, looked up without regard to case where they aren't there as they stand."""

    def __init__(self, top: str) -> None:
        self.top = top
        self._known: dict[str, dict[str, str]] = {}

    def find(self, parts: tuple[str, ...]) -> str:
        exact = os.path.join(self.top, *parts)
        if os.path.lexists(exact):
            return exact
        at = self.top
        for part in parts:
            name = self._names(at).get(part.lower())
            if name is None:
                return exact
            at = os.path.join(at, name)
        return at

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._known:
            try:
                self._known[folder] = {name.lower(): name for name in sorted(os.listdir(folder or "."))}
            except OSError:
                self._known[folder] = {}
        return self._known[folder]
