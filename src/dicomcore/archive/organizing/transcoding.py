"""Transcoding a folder: its files, written to another folder in another transfer syntax, on several threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, NamedTuple

from dicomcore.archive.failure import NOT_DICOM, kind_of, reason_of
from dicomcore.archive.sources.place import NOT_REGULAR, Fault
from dicomcore.archive.sources.walk import walk_folder
from dicomcore.dataset import Dataset
from dicomcore.encoding.syntax import encoding_of
from dicomcore.errors import DicomError
from dicomcore.files import make_folder
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.writer import dcmwrite
from dicomcore.tags import PIXEL_TAGS
from dicomcore.threads import cpus, in_order
from dicomcore.transcoding import transcode
from dicomcore.transcoding.damage import CUT_SHORT, cut_elements
from dicomcore.uids import UID, MediaStorageDirectoryStorage, syntax_named

__all__ = ["Outcome", "Summary", "transcode_folder"]

Fate = Literal["transcoded", "copied", "skipped", "not DICOM", "failed"]
SPECIAL = "is a pipe, a socket or a device"


class Outcome(NamedTuple):
    """The result for one file."""

    path: str
    """Relative to the source's folder."""
    fate: Fate
    """"copied": the file has no pixel data, and the syntax is only for pixel data; "skipped": the output exists
    already, or the file is a DICOMDIR or not regular."""
    reason: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    damage: tuple[str, ...] = ()
    """Parts of the file that are missing although it was written, a sentence for each; see `transcode`."""


@dataclass(slots=True)
class Summary:
    """The results for all files."""

    transfer_syntax: UID
    counts: dict[Fate, int] = field(default_factory=dict)
    failures: list[Outcome] = field(default_factory=list)
    passed_over: list[Outcome] = field(default_factory=list)
    """Pipes, sockets and devices, which are never opened."""
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0
    damaged: list[Outcome] = field(default_factory=list)
    """Files that were written although parts of them are missing."""

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of one file."""
        if outcome.damage:
            self.damaged.append(outcome)
        self.counts[outcome.fate] = self.counts.get(outcome.fate, 0) + 1
        self.bytes_in += outcome.bytes_in
        self.bytes_out += outcome.bytes_out
        if outcome.fate == "failed":
            self.failures.append(outcome)
        elif outcome.reason == SPECIAL:
            self.passed_over.append(outcome)

    def record(self) -> dict[str, Any]:
        """The summary as a dictionary for JSON."""
        return {
            "transfer_syntax": str(self.transfer_syntax),
            "files": sum(self.counts.values()),
            **{fate.replace(" ", "_"): self.counts.get(fate, 0) for fate in FATES},
            "damaged": [{"path": outcome.path, "damage": list(outcome.damage)} for outcome in self.damaged],
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "seconds": round(self.seconds, 3),
            "failures": [{"path": outcome.path, "reason": outcome.reason} for outcome in self.failures],
            "passed_over": [outcome.path for outcome in self.passed_over],
        }


FATES: tuple[Fate, ...] = ("transcoded", "copied", "skipped", "not DICOM", "failed")


def transcode_folder(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    to: str,
    *,
    workers: int | None = None,
    resume: bool = True,
    durable: bool = False,
    limits: Limits | None = None,
    progress: Callable[[Outcome], object] | None = None,
    **options: Any,
) -> Summary:
    """Transcode every DICOM file below `source` to the same relative path below `output`, and create its folders.

    Files without pixel data are copied if the transfer syntax is only for pixel data. A DICOMDIR is left out, as it
    would not describe the new files. A file that fails is in the summary's `failures`, and the other files are
    transcoded nevertheless; a file that was written although parts of it are missing (``damaged="keep"``) is in its
    `damaged`.

    Parameters
    ----------
    source, output : path
        The folder of the files, and the folder for the new files.
    to : str
        The transfer syntax: a UID, a keyword or a short name such as "jpeg-ls".
    workers : int, optional
        Number of files that are transcoded at a time; by default as many as there are processors.
    resume : bool
        Skip files whose output exists, is complete, has the requested transfer syntax and is not older than the file.
    durable : bool
        Flush each file to the disk, as in `transcode`.
    limits : Limits, optional
        Limits for each file, as in `dcmread`.
    progress : callable, optional
        Called with each Outcome, in order.
    **options
        Options of `transcode`.

    Returns
    -------
    Summary
        The counts of files and bytes, the failures, and the damaged files.

    Raises
    ------
    ValueError
        `to` is unknown, or `output` is `source`.
    NotADirectoryError
        `source` is no folder.
    OSError
        `output` can't be created.
    """
    syntax = syntax_named(to)
    top, out = os.path.abspath(source), os.path.abspath(output)
    if not os.path.isdir(top):
        raise NotADirectoryError(20, "is no folder", top)
    if top == out:
        raise ValueError("the output folder is the source's")
    make_folder(out)
    summary, begin = Summary(syntax), perf_counter()
    worker = _Worker(top, out, syntax, resume, durable, limits, options)
    threads = max(workers or cpus(), 1)
    for outcome in in_order(_files(top, out), worker.outcome, threads):
        summary.add(outcome)
        if progress is not None:
            progress(outcome)
    summary.seconds = perf_counter() - begin
    return summary


def _files(top: str, out: str) -> Iterator[str]:
    """The files below the source's folder, without those below the output's."""
    inside = os.path.join(out, "")
    for path in walk_folder(top, set()):
        if not path.startswith(inside):
            yield path


class _Worker(NamedTuple):
    top: str
    out: str
    syntax: UID
    resume: bool
    durable: bool
    limits: Limits | None
    options: dict[str, Any]

    def outcome(self, path: str) -> Outcome:
        name = os.path.relpath(path, self.top)
        if isinstance(path, Fault):
            if path.reason == NOT_REGULAR:
                return Outcome(name, "skipped", SPECIAL)
            return Outcome(name, "failed", path.reason)
        target = os.path.join(self.out, name)
        try:
            size = os.stat(path).st_size
            if self.resume and self._is_done(path, target):
                return Outcome(name, "skipped", "is there")
            data_set = dcmread(path, limits=self.limits, force=self.options.get("force", False))
            if _is_directory(data_set):
                return Outcome(name, "skipped", "is a DICOMDIR")
            os.makedirs(os.path.dirname(target), exist_ok=True)
            written, damage = self._write(data_set, target)
            return Outcome(name, written, bytes_in=size, bytes_out=os.stat(target).st_size, damage=damage)
        except (DicomError, OSError, ValueError, IndexError, MemoryError) as error:
            fate: Fate = "not DICOM" if kind_of(error) == NOT_DICOM else "failed"
            return Outcome(name, fate, reason_of(error, path).replace(f"{path}, ", "", 1))

    def _write(self, data_set: Dataset, target: str) -> tuple[Fate, tuple[str, ...]]:
        """Write one file; returns its fate, and sentences about its missing parts."""
        if encoding_of(self.syntax).encapsulated and not any(tag in data_set for tag in PIXEL_TAGS):
            dcmwrite(target, data_set, durable=self.durable)
            return "copied", cut_elements(data_set.issues)
        # Each thread transcodes one file, so by default a file's frames get no further threads.
        done = transcode(data_set, target, self.syntax, durable=self.durable, **{"workers": 1, **self.options})
        return "transcoded", done.damage

    def _is_done(self, path: str, target: str) -> bool:
        """Whether an earlier run wrote `target` completely."""
        try:
            if os.stat(target).st_mtime_ns < os.stat(path).st_mtime_ns:
                return False
            written = dcmread(target, limits=self.limits)
            if any(issue.code in CUT_SHORT for issue in written.issues):
                return False
            return written.transfer_syntax == self.syntax or not any(tag in written for tag in PIXEL_TAGS)
        except (DicomError, OSError):
            return False


def _is_directory(data_set: Dataset) -> bool:
    meta = data_set.file_meta
    return meta is not None and meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage
