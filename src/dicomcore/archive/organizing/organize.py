"""organize: the files of an index into folders named after what they hold."""

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
BATCH = 256  # files that are placed and logged before the sources of those that are moved are taken away
NAME = "{SOPInstanceUID}.dcm"


class Outcome(NamedTuple):
    """What became of one file: `result` is

    - ``placed``: it is at `target` now (``planned`` in a dry run),
    - ``there``: it was already,
    - ``identical``: `target` is another file with the same bytes; this one was left where it is,
    - ``failed``: `reason` says why, it was left where it is,
    - ``unreadable``: the index has no values for it; it was left where it is,
    - ``not DICOM``: it is another kind of file; it was left where it is.
    """

    source: str
    target: str
    result: str
    reason: str = ""


@dataclass
class Organized:
    """The sums of a run, and the first failures."""

    counts: Counter[str] = field(default_factory=Counter)
    """By `Outcome.result`, and ``renamed``, those among ``placed`` that got a number behind their name."""
    failures: list[Outcome] = field(default_factory=list)
    log: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every DICOM file of the index is where the pattern has it."""
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

    `pattern` names the folders below `into`, ``{PatientID}/{StudyDate}/{SeriesNumber}``, and `name` the file; both take
    columns of the index (see `Pattern`). `how` is "link" (symbolic), "hardlink", "copy" or "move".

    Nothing is ever overwritten: where a name is taken by the same bytes the file is left and counted as identical, by
    others it gets a number. A file is moved by a second name, or across file systems by a copy that is on the disk and
    was compared, before the first name goes; killed at any moment, a run loses nothing, and the same call goes on. A
    file that changed since it was indexed is left. `log` (in `into` by default) gets a JSON object a line and file
    with `how`, `source`, `target`, `result` and `reason`, on the disk before a source is taken away. `progress` is
    called with each Outcome.

    Raises ValueError for patterns and indexes that can't be used, OSError where `into` can't be written.
    """
    if how not in ("link", "hardlink", "copy", "move"):
        raise ValueError(f"{how!r} is not one of link, hardlink, copy, move")
    folders, file_name = Pattern(pattern), Pattern(name)
    if len(file_name.fill({})) != 1:
        raise ValueError(f"{name!r} names more than a file")
    found = open_index(index)
    missing = [one for one in {*folders.columns, *file_name.columns} if one not in found.schema.names]
    if missing:
        raise ValueError(f"the index has no column {', '.join(sorted(missing))}")
    rows = _rows(found, {*folders.columns, *file_name.columns})
    done = Organized()
    plan = _planned(rows, os.fsdecode(into), folders, file_name)
    work = _outlook if dry_run else _run
    for outcome in work(plan, os.fsdecode(into), how, log, done):
        done.counts[outcome.result] += 1
        if outcome.result in ("failed", "unreadable") and len(done.failures) < 100:
            done.failures.append(outcome)
        if progress is not None:
            progress(outcome)
    return done


def _rows(index: Any, columns: set[str]) -> Iterator[dict[str, Any]]:
    asked = columns | {"path", *(one for one in ("size", "mtime", "error", "error_kind") if one in index.schema.names)}
    for batch in index.to_batches(columns=sorted(asked), batch_size=4096):
        yield from batch.to_pylist()


class _Plan(NamedTuple):
    """A file and the place it should go to, or the reason why it has none."""

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
    """By the pattern; a file without any of the values that it asks for keeps its own name."""
    if name.columns and all(row.get(column) in (None, "") for column in name.columns):
        return Pattern("{name}").fill({"name": os.path.basename(source)})
    return name.fill(row)


def _changed(source: str, row: dict[str, Any]) -> tuple[str, str]:
    """("failed", reason) for a file that is not the one that was indexed."""
    if row.get("size") is None or row.get("mtime") is None:
        return "", ""
    try:
        facts = os.stat(source)
    except OSError:
        return "", ""  # said when it is placed; one that was moved before is there
    indexed = row["mtime"]
    since = facts.st_mtime_ns // 1000 != round(indexed.timestamp() * 1_000_000)
    return ("failed", "changed since it was indexed") if since or facts.st_size != row["size"] else ("", "")


def _outlook(
    plan: Iterator[_Plan], into: str, how: How, log: str | os.PathLike[str] | None, done: Organized
) -> Iterator[Outcome]:
    """What `_run` would give, with nothing written."""
    foreseen = _Foreseen(how, done, os.path.abspath(into), _log_path(into, log))
    for one in plan:
        outcome = foreseen.put(one)
        if outcome.result == "placed":
            reason = "" if outcome.target == one.target else "its name is taken"
            outcome = outcome._replace(result="planned", reason=reason)
        yield outcome


def _log_path(into: str, log: str | os.PathLike[str] | None) -> str:
    return os.path.join(into, LOG) if log is None else os.fsdecode(log)


def _run(
    plan: Iterator[_Plan], into: str, how: How, log: str | os.PathLike[str] | None, done: Organized
) -> Iterator[Outcome]:
    make_folder(into)
    done.log = _log_path(into, log)
    placer = _Placer(how, done, os.path.abspath(into), done.log)
    with _log(done.log) as file:
        while batch := list(islice(plan, BATCH)):
            outcomes = []
            for one in batch:
                outcomes.append(placer.put(one))
                _write(file, how, outcomes[-1])
            os.fsync(file.fileno())
            for failed in placer.finish():
                _write(file, how, failed)
                outcomes[[one.source for one in outcomes].index(failed.source)] = failed
            yield from outcomes


def _log(path: str) -> TextIO:
    """The log, to be added to; a line that a killed run broke off is ended."""
    file = open(path, "a+", encoding="ascii")  # noqa: SIM115  the caller closes it
    end = file.tell()
    if end:
        with open(path, "rb") as bytes_of:
            bytes_of.seek(end - 1)
            if bytes_of.read(1) != b"\n":
                file.write("\n")
    return file


def _write(file: TextIO, how: How, one: Outcome) -> None:
    """A line; names that are no text as escapes that json reads back."""
    file.write(json.dumps({"how": how, **one._asdict()}) + "\n")
    file.flush()


_Facts = tuple[int, int, int]


def _facts(path: str) -> _Facts:
    found = os.lstat(path)
    return found.st_size, found.st_mtime_ns, found.st_ino


class _Taken:
    """A name that several files want: who has it by their bytes, and the next number."""

    def __init__(self) -> None:
        self.by_digest: dict[bytes, str] = {}
        self.next = 1


class _Placer:
    """Puts files in their places; takes the sources of those that were moved away when told to."""

    def __init__(self, how: How, done: Organized, into: str, log: str) -> None:
        self._how, self._done, self._into, self._log = how, done, into, log
        self._taken: dict[str, _Taken] = {}
        self._folders: set[str] = set()
        self._to_remove: list[tuple[str, str, _Facts]] = []
        self._earlier: set[int] | None = None

    def put(self, one: _Plan) -> Outcome:
        """Place one; nothing that goes wrong with it is raised."""
        if one.result:
            return Outcome(one.source, one.target, one.result, one.reason)
        try:
            return self._put(one.source, one.target)
        except FileNotFoundError as error:
            if self._how == "move" and self._was_placed(one.source) and os.path.lexists(one.target):
                return Outcome(one.source, one.target, "there")
            return Outcome(one.source, one.target, "failed", error.strerror or str(error))
        except OSError as error:
            return Outcome(one.source, one.target, "failed", error.strerror or str(error))

    def finish(self) -> list[Outcome]:
        """Have the new names on the disk, then take away what was moved; those that can't be."""
        if self._how in ("copy", "move"):
            for folder in self._folders:
                synchronise(folder)
        self._folders.clear()
        failed = []
        for source, target, facts in self._to_remove:
            try:
                self._remove(source, target, facts)
            except OSError as error:
                failed.append(Outcome(source, target, "failed", f"also at its old place: {error.strerror or error}"))
        self._to_remove.clear()
        return failed

    def _remove(self, source: str, target: str, facts: _Facts) -> None:
        if not os.path.lexists(source):
            return
        if _facts(source) != facts:
            raise OSError(errno.EBUSY, "changed since it was placed", source)
        if os.stat(target).st_size != facts[0] or same_entry(source, target):
            raise OSError(errno.EBUSY, "the new place is not what it was", source)
        os.unlink(source)

    def _put(self, source: str, target: str) -> Outcome:
        if not stat.S_ISREG(os.stat(source).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", source)
        facts = _facts(source)
        taken = self._taken.get(target)
        digest = digest_of(source) if taken is not None else None
        if taken is not None and digest in taken.by_digest:
            return self._identical(source, taken.by_digest[digest], facts)
        number = taken.next if taken is not None else 1
        while True:
            candidate = target if number == 1 else numbered(target, number)
            try:
                self._place(source, candidate)
            except FileExistsError:
                if self._is_placed(source, candidate):
                    return self._there(source, candidate, facts)
                digest = digest or digest_of(source)
                if taken is None:
                    taken = self._taken.setdefault(target, _Taken())
                there = self._digest_at(candidate)
                if there is not None:
                    taken.by_digest.setdefault(there, candidate)
                    if there == digest:
                        return self._identical(source, candidate, facts)
                number += 1
                taken.next = number
                continue
            if taken is not None and digest is not None:
                taken.by_digest[digest] = candidate
                taken.next = number + 1
            self._done.counts["renamed"] += number > 1
            self._moved(source, candidate, facts)
            return Outcome(source, candidate, "placed")

    def _place(self, source: str, target: str) -> None:
        make_folder(os.path.dirname(target))  # FileExistsError is for the target alone: it gets another name
        place(source, target, self._how)

    def _is_placed(self, source: str, target: str) -> bool:
        return is_placed(source, target, self._how)

    def _digest_at(self, target: str) -> bytes | None:
        return digest_of(target)

    def _moved(self, source: str, target: str, facts: _Facts) -> None:
        folder = os.path.dirname(os.path.abspath(target))
        while folder not in self._folders:  # and those that may have been made for it
            self._folders.add(folder)
            if len(folder) <= len(self._into):
                break
            folder = os.path.dirname(folder)
        if self._how == "move":
            self._to_remove.append((source, target, facts))

    def _there(self, source: str, target: str, facts: _Facts) -> Outcome:
        """The file itself is in its place; a move that was cut short is brought to its end."""
        if self._how == "move" and not same_entry(source, target):
            self._moved(source, target, facts)
        return Outcome(source, target, "there")

    def _identical(self, source: str, target: str, facts: _Facts) -> Outcome:
        """The file itself, another with its bytes, or the copy of a run that was killed before it took the source."""
        if self._is_placed(source, target) or self._was_placed(source, target):
            return self._there(source, target, facts)
        return Outcome(source, target, "identical")

    def _was_placed(self, source: str, target: str | None = None) -> bool:
        """Whether the log has this file as placed, there or anywhere; a move that another run ended is there in it."""
        if self._earlier is None:
            self._earlier = set()
            with suppress(FileNotFoundError), open(self._log, encoding="ascii") as lines:
                for line in lines:
                    self._remember(line)
        return hash(source if target is None else (source, target)) in self._earlier

    def _remember(self, line: str) -> None:
        try:
            found = json.loads(line)
        except ValueError:  # a line that a killed run broke off
            return
        if isinstance(found, dict) and found.get("how") == self._how and found.get("result") in ("placed", "there"):
            assert self._earlier is not None
            self._earlier |= {hash(found.get("source")), hash((found.get("source"), found.get("target")))}


class _Foreseen(_Placer):
    """A placer that keeps in mind where files would go, and writes nothing."""

    def __init__(self, how: How, done: Organized, into: str, log: str) -> None:
        super().__init__(how, done, into, log)
        self._there_then: dict[str, str] = {}  # which source would be at a target

    def _place(self, source: str, target: str) -> None:
        folder = os.path.dirname(os.path.abspath(target))
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        if not os.path.isdir(folder):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), folder)
        if target in self._there_then or os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
        self._there_then[target] = source

    def _is_placed(self, source: str, target: str) -> bool:
        then = self._there_then.get(target)
        return super()._is_placed(source, target) if then is None else os.path.samefile(source, then)

    def _digest_at(self, target: str) -> bytes | None:
        return super()._digest_at(self._there_then.get(target, target))

    def _moved(self, source: str, target: str, facts: _Facts) -> None:
        return
