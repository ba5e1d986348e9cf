"""`organize`: the files of an index, placed into folders that are named after their values."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TextIO

from dicomcore.archive.failure import NOT_DICOM
from dicomcore.archive.listing import IndexLike, is_away, open_index, stored
from dicomcore.archive.organizing.naming import Pattern, numbered
from dicomcore.archive.organizing.placing import How, digest_of, is_placed, place, same_entry
from dicomcore.archive.sources.place import local_name
from dicomcore.files import make_folder, synchronise

__all__ = ["LOG", "Organized", "Outcome", "organize"]

LOG = "organize.jsonl"
BATCH = 256  # files that are placed and logged before the sources of moved files are removed
NAME = "{SOPInstanceUID}.dcm"


class Outcome(NamedTuple):
    """The result for one file. `result` is

    - ``placed``: the file is at `target` now (``planned`` in a dry run),
    - ``there``: the file was at `target` already,
    - ``identical``: `target` is another file with the same bytes; the source was left where it is,
    - ``failed``: the source was left where it is, and `reason` says why,
    - ``unreadable``: the index has no values for the file, which was left where it is,
    - ``not DICOM``: the file is of another kind, and was left where it is.
    """

    source: str
    target: str
    result: str
    reason: str = ""


@dataclass
class Organized:
    """The counts of a run, and the first 100 failures."""

    counts: Counter[str] = field(default_factory=Counter)
    """The number of files by `Outcome.result`; ``renamed`` counts those of ``placed`` whose name got a number."""
    failures: list[Outcome] = field(default_factory=list)
    log: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every DICOM file of the index is at the place that the pattern gives."""
        return not self.counts["failed"] and not self.counts["unreadable"]


def organize(
    index: IndexLike,
    into: str | os.PathLike[str],
    *,
    pattern: str,
    name: str = NAME,
    how: How = "link",
    dry_run: bool = False,
    log: str | os.PathLike[str] | None = None,
    progress: Callable[[Outcome], object] | None = None,
) -> Organized:
    """Put each file that an index lists into a folder named after its values.

    No file is ever overwritten. If a name is taken by a file with the same bytes, the source is left where it is and
    counted as identical; if by another file, the name gets a number. A move first creates a second name, or across file
    systems a copy that is flushed to the disk and compared, and then removes the source: a run that is killed at any
    moment loses nothing, and the same call continues it. A file that changed since it was indexed is left where it is.

    Parameters
    ----------
    index : path or pyarrow.Table
        The index, as `archive.index` returns or writes it.
    into : path
        The folder to place files below.
    pattern : str
        The folders below `into`, with columns of the index in braces: ``{PatientID}/{StudyDate}/{SeriesNumber}``. A
        format may follow a colon, as in ``{StudyDate:%Y}``.
    name : str
        The file's name, with columns like `pattern`.
    how : {"link", "hardlink", "copy", "move"}
        How a file is placed; "link" creates symbolic links.
    dry_run : bool
        Only report what would be done; no file is written.
    log : path, optional
        File that gets a line of JSON for each file, with `how`, `source`, `target`, `result` and `reason`; by default
        ``organize.jsonl`` in `into`. The lines are on the disk before a source is removed.
    progress : callable, optional
        Called with each Outcome.

    Returns
    -------
    Organized
        The counts, and the first failures.

    Raises
    ------
    ValueError
        The pattern or the index can't be used.
    OSError
        `into` can't be written.
    """
    if how not in ("link", "hardlink", "copy", "move"):
        raise ValueError(f"{how!r} is not one of link, hardlink, copy, move")
    folders, file_name = Pattern(pattern), Pattern(name)
    if len(file_name.fill({})) != 1:
        raise ValueError(f"{name!r} names more than a file")
    opened = open_index(index)
    missing = [column for column in {*folders.columns, *file_name.columns} if column not in opened.schema.names]
    if missing:
        raise ValueError(f"the index has no column {', '.join(sorted(missing))}")
    rows = _rows(opened, {*folders.columns, *file_name.columns})
    organized = Organized()
    plan = _planned(rows, os.fsdecode(into), folders, file_name)
    work = _dry_run if dry_run else _run
    for outcome in work(plan, os.fsdecode(into), how, log, organized):
        organized.counts[outcome.result] += 1
        if outcome.result in ("failed", "unreadable") and len(organized.failures) < 100:
            organized.failures.append(outcome)
        if progress is not None:
            progress(outcome)
    return organized


def _rows(index: Any, columns: set[str]) -> Iterator[dict[str, Any]]:
    optional = {"size", "mtime", "error", "error_kind"} & set(index.schema.names)
    for batch in index.to_batches(columns=sorted(columns | {"path"} | optional), batch_size=4096):
        yield from batch.to_pylist()


class _Plan(NamedTuple):
    """A file and its target, or the result and reason if it can't be placed."""

    source: str
    target: str
    result: str = ""
    reason: str = ""


def _planned(rows: Iterator[dict[str, Any]], into: str, folders: Pattern, name: Pattern) -> Iterator[_Plan]:
    for row in rows:
        source = stored(row["path"])
        if row.get("error") is not None:
            other = row.get("error_kind") == NOT_DICOM
            yield _Plan(source, "", NOT_DICOM if other else "unreadable", row["error"])
            continue
        if is_away(source):
            yield _Plan(source, "", "failed", "is in an archive or behind a URL: files are organized on this machine")
            continue
        try:
            names = [*folders.fill(row), *_file_name(name, row, source)]
            yield _Plan(source, os.path.join(into, *map(local_name, names)), *_changed(source, row))
        except ValueError as error:
            yield _Plan(source, "", "failed", str(error))


def _file_name(name: Pattern, row: dict[str, Any], source: str) -> list[str]:
    """The file's name by the pattern; a file without values for all its columns keeps its own name."""
    if name.columns and all(row.get(column) in (None, "") for column in name.columns):
        return Pattern("{name}").fill({"name": os.path.basename(source)})
    return name.fill(row)


def _changed(source: str, row: dict[str, Any]) -> tuple[str, str]:
    """("failed", reason) for a file that has changed since it was indexed; else two empty texts."""
    if row.get("size") is None or row.get("mtime") is None:
        return "", ""
    try:
        facts = os.stat(source)
    except OSError:
        return "", ""  # placing it reports the error; an earlier run may have moved the file
    indexed = row["mtime"]
    newer = facts.st_mtime_ns // 1000 != round(indexed.timestamp() * 1_000_000)
    return ("failed", "changed since it was indexed") if newer or facts.st_size != row["size"] else ("", "")


def _dry_run(
    plan: Iterator[_Plan], into: str, how: How, log: str | os.PathLike[str] | None, organized: Organized
) -> Iterator[Outcome]:
    """The outcomes that `_run` would have, without writing anything."""
    placer = _DryPlacer(how, organized, os.path.abspath(into), _log_path(into, log))
    for planned in plan:
        outcome = placer.put(planned)
        if outcome.result == "placed":
            reason = "" if outcome.target == planned.target else "its name is taken"
            outcome = outcome._replace(result="planned", reason=reason)
        yield outcome


def _log_path(into: str, log: str | os.PathLike[str] | None) -> str:
    return os.path.join(into, LOG) if log is None else os.fsdecode(log)


def _run(
    plan: Iterator[_Plan], into: str, how: How, log: str | os.PathLike[str] | None, organized: Organized
) -> Iterator[Outcome]:
    make_folder(into)
    organized.log = _log_path(into, log)
    placer = _Placer(how, organized, os.path.abspath(into), organized.log)
    with _log(organized.log) as file:
        while batch := list(islice(plan, BATCH)):
            outcomes = []
            for planned in batch:
                outcomes.append(placer.put(planned))
                _write(file, how, outcomes[-1])
            os.fsync(file.fileno())
            for failed in placer.finish():
                _write(file, how, failed)
                outcomes[[outcome.source for outcome in outcomes].index(failed.source)] = failed
            yield from outcomes


def _log(path: str) -> TextIO:
    """Open the log for appending, and end a line that a killed run left incomplete."""
    file = open(path, "a+", encoding="ascii")  # noqa: SIM115  the caller closes it
    end = file.tell()
    if end:
        with open(path, "rb") as bytes_of:
            bytes_of.seek(end - 1)
            if bytes_of.read(1) != b"\n":
                file.write("\n")
    return file


def _write(file: TextIO, how: How, outcome: Outcome) -> None:
    """Write a line of the log; names that are not valid text become escapes, which json reads back."""
    file.write(json.dumps({"how": how, **outcome._asdict()}) + "\n")
    file.flush()


_Facts = tuple[int, int, int]


def _facts(path: str) -> _Facts:
    facts = os.lstat(path)
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


class _SharedName:
    """A name that several files should get: the paths with that name by the digest of their files, and the next
    number."""

    def __init__(self) -> None:
        self.by_digest: dict[bytes, str] = {}
        self.next = 1


class _Placer:
    """Places files at their targets; `finish` removes the sources of moved files."""

    def __init__(self, how: How, organized: Organized, into: str, log: str) -> None:
        self._how, self._organized, self._into, self._log = how, organized, into, log
        self._shared: dict[str, _SharedName] = {}
        self._folders: set[str] = set()
        self._to_remove: list[tuple[str, str, _Facts]] = []
        self._earlier: set[int] | None = None

    def put(self, plan: _Plan) -> Outcome:
        """Place one file; an OSError becomes a failed outcome."""
        if plan.result:
            return Outcome(plan.source, plan.target, plan.result, plan.reason)
        try:
            return self._put(plan.source, plan.target)
        except FileNotFoundError as error:
            if self._how == "move" and self._was_placed(plan.source) and os.path.lexists(plan.target):
                return Outcome(plan.source, plan.target, "there")
            return Outcome(plan.source, plan.target, "failed", error.strerror or str(error))
        except OSError as error:
            return Outcome(plan.source, plan.target, "failed", error.strerror or str(error))

    def finish(self) -> list[Outcome]:
        """Flush the new names to the disk, then remove the sources of moved files; returns the failures."""
        if self._how in ("copy", "move"):
            for folder in self._folders:
                synchronise(folder)
        self._folders.clear()
        failed = []
        for source, target, facts in self._to_remove:
            try:
                self._remove(source, target, facts)
            except OSError as error:
                reason = f"still at its old place too: {error.strerror or error}"
                failed.append(Outcome(source, target, "failed", reason))
        self._to_remove.clear()
        return failed

    def _remove(self, source: str, target: str, facts: _Facts) -> None:
        if not os.path.lexists(source):
            return
        if _facts(source) != facts:
            raise OSError(errno.EBUSY, "changed since it was placed", source)
        if os.stat(target).st_size != facts[0] or same_entry(source, target):
            raise OSError(errno.EBUSY, "the file at the new place has changed", source)
        os.unlink(source)

    def _put(self, source: str, target: str) -> Outcome:
        if not stat.S_ISREG(os.stat(source).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", source)
        facts = _facts(source)
        shared = self._shared.get(target)
        digest = digest_of(source) if shared is not None else None
        if shared is not None and digest in shared.by_digest:
            return self._identical(source, shared.by_digest[digest], facts)
        number = shared.next if shared is not None else 1
        while True:
            candidate = target if number == 1 else numbered(target, number)
            try:
                self._place(source, candidate)
            except FileExistsError:
                if self._is_placed(source, candidate):
                    return self._there(source, candidate, facts)
                digest = digest or digest_of(source)
                if shared is None:
                    shared = self._shared.setdefault(target, _SharedName())
                existing = self._digest_at(candidate)
                if existing is not None:
                    shared.by_digest.setdefault(existing, candidate)
                    if existing == digest:
                        return self._identical(source, candidate, facts)
                number += 1
                shared.next = number
                continue
            if shared is not None and digest is not None:
                shared.by_digest[digest] = candidate
                shared.next = number + 1
            self._organized.counts["renamed"] += number > 1
            self._moved(source, candidate, facts)
            return Outcome(source, candidate, "placed")

    def _place(self, source: str, target: str) -> None:
        make_folder(os.path.dirname(target))  # never FileExistsError, which means that the target's name is taken
        place(source, target, self._how)

    def _is_placed(self, source: str, target: str) -> bool:
        return is_placed(source, target, self._how)

    def _digest_at(self, target: str) -> bytes | None:
        return digest_of(target)

    def _moved(self, source: str, target: str, facts: _Facts) -> None:
        folder = os.path.dirname(os.path.abspath(target))
        while folder not in self._folders:  # and its parents, which may be new as well
            self._folders.add(folder)
            if len(folder) <= len(self._into):
                break
            folder = os.path.dirname(folder)
        if self._how == "move":
            self._to_remove.append((source, target, facts))

    def _there(self, source: str, target: str, facts: _Facts) -> Outcome:
        """The outcome of a file that is in its place already; a move that was interrupted is completed."""
        if self._how == "move" and not same_entry(source, target):
            self._moved(source, target, facts)
        return Outcome(source, target, "there")

    def _identical(self, source: str, target: str, facts: _Facts) -> Outcome:
        """The outcome if `target` has the same bytes: it may be the file itself, another file, or the copy of a run
        that was killed before it removed the source."""
        if self._is_placed(source, target) or self._was_placed(source, target):
            return self._there(source, target, facts)
        return Outcome(source, target, "identical")

    def _was_placed(self, source: str, target: str | None = None) -> bool:
        """Whether the log has the file as placed, at `target` or anywhere. A move that a later run completed has the
        result "there"."""
        if self._earlier is None:
            self._earlier = set()
            with suppress(FileNotFoundError), open(self._log, encoding="ascii") as lines:
                for line in lines:
                    self._remember(line)
        return hash(source if target is None else (source, target)) in self._earlier

    def _remember(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:  # a line that a killed run left incomplete
            return
        if isinstance(entry, dict) and entry.get("how") == self._how and entry.get("result") in ("placed", "there"):
            assert self._earlier is not None
            self._earlier |= {hash(entry.get("source")), hash((entry.get("source"), entry.get("target")))}


class _DryPlacer(_Placer):
    """A placer for a dry run: it remembers where files would go, and writes nothing."""

    def __init__(self, how: How, organized: Organized, into: str, log: str) -> None:
        super().__init__(how, organized, into, log)
        self._sources: dict[str, str] = {}  # by target, the source that would be placed there

    def _place(self, source: str, target: str) -> None:
        folder = os.path.dirname(os.path.abspath(target))
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        if not os.path.isdir(folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder)
        if target in self._sources or os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        self._sources[target] = source

    def _is_placed(self, source: str, target: str) -> bool:
        other = self._sources.get(target)
        return super()._is_placed(source, target) if other is None else os.path.samefile(source, other)

    def _digest_at(self, target: str) -> bytes | None:
        return super()._digest_at(self._sources.get(target, target))

    def _moved(self, source: str, target: str, facts: _Facts) -> None:
        return
