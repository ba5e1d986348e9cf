"""File IDs, the names of files in a file-set (PS3.10 8.2, 8.5): made, checked and turned into paths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

from dicomcore.errors import DicomError
from dicomcore.fileset.records import Record

__all__ = ["DICOMDIR", "FileNames", "Medium", "file_id_faults", "path_of", "shown", "to_file_id"]

DICOMDIR = "DICOMDIR"
MOST_COMPONENTS = 8
COMPONENT = re.compile(r"[A-Z0-9_]{1,8}", re.ASCII)
# Names that must not reach a file system, as they would lead out of the folder.
UNSAFE = re.compile(r"[/\\:\0]|^\.{0,2}$")
ADDED = re.compile(r"(\.dcm)?\.?(;[0-9]+)?$")  # suffixes that are added to file names; `.` and `;1` come from ISO 9660
PREFIXES = {
    "PATIENT": "PT",
    "STUDY": "ST",
    "SERIES": "SE",
    "IMAGE": "IM",
    "RT DOSE": "RD",
    "RT STRUCTURE SET": "RS",
    "RT PLAN": "RP",
    "RT TREAT RECORD": "RX",
    "PRESENTATION": "PR",
    "WAVEFORM": "WV",
    "SR DOCUMENT": "SR",
    "KEY OBJECT DOC": "KY",
    "SPECTROSCOPY": "SP",
    "RAW DATA": "RW",
    "REGISTRATION": "RE",
    "FIDUCIAL": "FD",
    "HANGING PROTOCOL": "HG",
    "ENCAP DOC": "ED",
    "VALUE MAP": "VM",
    "STEREOMETRIC": "SX",
    "PALETTE": "PA",
    "IMPLANT": "IP",
    "IMPLANT ASSY": "IA",
    "IMPLANT GROUP": "IG",
    "PLAN": "PL",
    "MEASUREMENT": "MX",
    "SURFACE": "SU",
    "SURFACE SCAN": "SS",
    "TRACT": "TR",
    "ASSESSMENT": "AS",
    "RADIOTHERAPY": "RT",
    "ANNOTATION": "AN",
    "INVENTORY": "IN",
}
MOST = 10**6  # numbers of six digits after a prefix of two letters


def shown(file_id: tuple[str, ...]) -> str:
    r"""A File ID as text, with the separator of PS3.10 8.2: ``SERIES1\IM000001``."""
    return "\\".join(file_id)


def file_id_faults(file_id: tuple[str, ...]) -> list[str]:
    """The faults of a File ID by PS3.10 8.2 and 8.5; empty for a valid one."""
    faults = []
    if not 1 <= len(file_id) <= MOST_COMPONENTS:
        faults.append(f"has {len(file_id)} components, 1 to {MOST_COMPONENTS} are allowed")
    for part in file_id:
        if not COMPONENT.fullmatch(part):
            faults.append(f"component {part!r} is not 1 to 8 of the characters A to Z, 0 to 9 and _")
    if file_id == (DICOMDIR,):
        faults.append("is that of the directory itself")
    return faults


def to_file_id(value: str | os.PathLike[str] | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    r"""A File ID from its components, or from text separated by ``\`` or ``/``. Raises DicomError if invalid."""
    parts = tuple(value) if isinstance(value, (tuple, list)) else tuple(re.split(r"[\\/]", os.fspath(value)))
    faults = file_id_faults(parts)
    if faults:
        raise DicomError(f"File ID {shown(parts)!r} {faults[0]} (PS3.10 8.2)")
    return parts


def path_of(folder: str, file_id: tuple[str, ...]) -> str:
    """The path below `folder` of a file with this File ID. Raises DicomError for one that leads out of the folder.

    `Medium` finds existing files whose names differ slightly from their File IDs.
    """
    if not file_id or any(UNSAFE.search(part) for part in file_id):
        raise DicomError(f"File ID {shown(file_id)!r} leads out of the file-set")
    return os.path.join(folder, *file_id)


class Medium:
    """The files of a folder, found by their File IDs although the names on disk may differ slightly.

    Discs are mounted in lower case, burning software adds ``.dcm``, file systems show versions (``IM1.;1``), and some
    writers put whole paths into one component, or begin a path with a point or a separator. No name leads out of the
    folder. The names in a folder are read once: make a new Medium after files were created or removed.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._known: dict[str, dict[str, str]] = {}

    def find(self, file_id: Sequence[str]) -> str:
        """The path of the file; if no file matches, the path that the File ID gives.

        Raises DicomError for a File ID that would lead out of the folder.
        """
        parts = [part for one in file_id for part in re.split(r"[/\\]", one.strip(" \0")) if part not in ("", ".")]
        if not parts or any(UNSAFE.search(part) for part in parts):
            raise DicomError(f"File ID {shown(tuple(file_id))!r} leads out of the file-set")
        exact = os.path.join(self.folder, *parts)
        lower = os.path.join(self.folder, *(part.lower() for part in parts))
        for path in (exact, lower, exact + ".dcm", lower + ".dcm"):  # the usual names, tried without reading a folder
            if os.path.lexists(path):
                return path
        at = self.folder
        for part in parts:
            name = self._names(at).get(_plain(part))
            if name is None:
                return exact
            at = os.path.join(at, name)
        return at

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._known:
            try:
                names = sorted(os.listdir(folder or "."), reverse=True)
            except OSError:
                names = []
            # Of several names that differ in suffixes only, the one without a suffix wins.
            names.sort(key=lambda name: name.lower() != _plain(name), reverse=True)
            self._known[folder] = {_plain(name): name for name in names}
        return self._known[folder]


def _plain(name: str) -> str:
    """A name in lower case, without the suffixes that file systems and burning software add."""
    return ADDED.sub("", name.lower()) or name.lower()


class FileNames:
    """Makes new File IDs: a folder for each patient, study and series, and in it files numbered by record type."""

    def __init__(self, taken: Callable[[tuple[str, ...]], bool]) -> None:
        self._taken = taken  # whether a file or folder has this ID already
        self._folders: dict[int, tuple[str, ...]] = {}  # by id() of the record
        self._next: dict[tuple[tuple[str, ...], str], int] = {}

    def new(self, record: Record) -> tuple[str, ...]:
        """A File ID for the file of a leaf record whose parents are set."""
        above: tuple[str, ...] = ()
        for level in record.chain()[:-1]:
            folder = self._folders.get(id(level))
            if folder is None:
                folder = self._folders[id(level)] = self._numbered(above, level.type)
            above = folder
        return self._numbered(above, record.type)

    def _numbered(self, above: tuple[str, ...], kind: str) -> tuple[str, ...]:
        prefix = PREFIXES.get(kind, "XX")
        for number in range(self._next.get((above, prefix), 0), MOST):
            file_id = (*above, f"{prefix}{number:06}")
            if not self._taken(file_id):
                self._next[above, prefix] = number + 1
                return file_id
        raise DicomError(f"a folder of a file-set holds at most {MOST} files of one record type")
