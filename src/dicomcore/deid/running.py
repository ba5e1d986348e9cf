"""folder: every file of some sources, de-identified into a folder; resumable, and with nothing written in part."""

from __future__ import annotations

import filecmp
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from dicomcore._native.deid.log import Log
from dicomcore.archive.failure import NOT_DICOM, kind_of
from dicomcore.archive.sources.place import Fault, Place
from dicomcore.archive.sources.remote import is_url
from dicomcore.archive.sources.sources import SourceLike, Sources, as_sources
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.deid.applying import Outcome, apply
from dicomcore.deid.crosswalk import Crosswalk, Identity, identity_of
from dicomcore.deid.journal import Journal
from dicomcore.deid.plan import Plan
from dicomcore.deid.reporting import ReportFile
from dicomcore.deid.sealed import Seal
from dicomcore.errors import DeidError, DicomError
from dicomcore.files import NEW_FILE, make_folder, write_all
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.part10.writer import dcmwrite
from dicomcore.tags import Tag
from dicomcore.threads import cpus, in_order

__all__ = ["Done", "Summary", "folder"]

PLACED = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
WANTED = [0x00080018, 0x0020000D, 0x0020000E, 0x00100020]
DIRECTORY = "DICOMDIR"
IN_MEMORY = 1 << 20  # a file up to this size is made in memory, and written in one go
PLAIN = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]{0,98}[0-9A-Za-z])?")
MOST_FAILURES = 10_000  # that a summary keeps; all are counted


class Done(NamedTuple):
    """What became of one input, the `number`-th of the run. `result` is

    - ``written``: `output` is the new file, relative to the folder,
    - ``there``: an earlier run has written it, or another input gave the same file,
    - ``failed``: nothing was written, and `reason` says why, without a value of the input,
    - ``not DICOM``: the file is of another kind, and was passed over,
    - ``directory``: a DICOMDIR, which names what is elsewhere, and was passed over.

    `source` is the input's path, which may tell who the patient is: it belongs into no log.
    """

    number: int
    result: str
    output: str
    reason: str
    outcome: Outcome | None
    source: str


@dataclass
class Summary:
    """The counts of a run by `Done.result`, what was done by rule, and the failures, first 10 000. True if none."""

    counts: Counter[str] = field(default_factory=Counter)
    log: Log = field(default_factory=Log, repr=False)
    notes: Counter[str] = field(default_factory=Counter)
    failures: list[Done] = field(default_factory=list)
    cleaned: int = 0
    """Files whose pixel data was cleaned, with a second look that found nothing."""

    def __bool__(self) -> bool:
        return not self.counts["failed"]

    @property
    def rows(self) -> tuple[tuple[Tag, str, str, int], ...]:
        """The tag, the action, the rule and the number of elements, as in `Outcome.rows`."""
        return Outcome(log=self.log).rows

    def add(self, done: Done) -> None:
        """Count one input."""
        self.counts[done.result] += 1
        if done.result == "failed" and len(self.failures) < MOST_FAILURES:
            self.failures.append(done)
        if done.outcome is not None:
            self.cleaned += done.outcome.pixels
            self.notes.update(done.outcome.notes)
            self.log.merge(done.outcome.log)


def folder(
    src: SourceLike | Iterable[SourceLike],
    out: str | os.PathLike[str],
    plan: Plan,
    *,
    workers: int | None = None,
    report: str | os.PathLike[str] | None = None,
    crosswalk: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    seal: Seal | None = None,
    verify: bool = False,
    durable: bool = False,
    limits: Limits | None = None,
    progress: Callable[[Done], object] | None = None,
) -> Summary:
    """De-identify every DICOM file of some sources into a folder, as ``patient/study/series/instance.dcm``.

    Names are made of the new values. A file appears when it is complete; one that cannot be read whole is not written,
    is listed, and the run goes on. The same call again writes only what is missing or whose source or plan has changed.

    Parameters
    ----------
    src : path, URL, or iterable of them
        Sources as `archive.index` takes them: folders, files, archives, DICOMDIR files, object stores, lists.
    out : path
        The folder. It may neither lie in a source nor hold one.
    plan : Plan
        What to do.
    workers : int, optional
        How many threads. By default one, which is faster for headers than several under the GIL; with
        ``clean_pixel_data`` one for each processor.
    report : path, optional
        A file that gets a line of JSON for each input, with its number, its new name and what was done. It has no value
        and no name of the input.
    crosswalk : path, optional
        A CSV file of old and new names, IDs and UIDs, which only its owner can read. Keep it as safe as the input.
    dry_run : bool
        Write nothing but the report.
    seal : Seal, optional
        Encrypt what was changed into each new file, for those who have a key to it; `reveal` puts it back.
    verify : bool
        Search each new file for identifiers of its patient before it appears; one in which any is left has failed.
    durable : bool
        Wait until the disk holds each file.
    limits : Limits, optional
        Bounds on what is accepted from a file.
    progress : callable, optional
        Called with each Done.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        `out` lies in a source, or a source in `out`.
    OSError
        `out`, the report or the crosswalk cannot be written.
    """
    top = os.path.abspath(os.fsdecode(out))
    sources = [os.fsdecode(one) if isinstance(one, os.PathLike) else one for one in as_sources(src)]
    _refuse_overlap(sources, top)
    job = _Job(top, plan, dry_run, seal, verify, durable, limits, bool(crosswalk))
    summary = Summary()
    if not dry_run:
        make_folder(top)
    with Journal(top, plan, enabled=not dry_run) as journal, ReportFile(report, plan) as lines, Crosswalk(
        crosswalk
    ) as walked:  # fmt: skip
        job.journal = journal
        for done, identities in in_order(
            enumerate(Sources(sources), 1), job.work, _threads(plan) if workers is None else workers, ahead=16
        ):
            summary.add(done)
            lines.write(done)
            walked.write(done, identities)
            journal.add(done)
            if progress is not None:
                progress(done)
        lines.finish(summary)
    return summary


def _threads(plan: Plan) -> int:
    """Threads that are worth it: headers are done in Python for the greater part, pixels in native code."""
    return cpus() if "clean_pixel_data" in plan.options else 1


def _refuse_overlap(sources: Iterable[Any], top: str) -> None:
    """ValueError if the output would be an input of the next run, or the reverse; links are followed."""
    real = os.path.realpath(top)
    for source in sources:
        if not isinstance(source, str) or is_url(source):
            continue
        place = os.path.realpath(source if os.path.isdir(source) else os.path.dirname(source) or ".")
        if os.path.isdir(source) and os.path.commonpath([real, place]) in (real, place):
            raise ValueError("the output folder and a source lie in each other: choose another folder")
        if not os.path.isdir(source) and os.path.commonpath([real, place]) == real:
            raise ValueError("a source lies in the output folder: choose another folder")


Identities = tuple[Identity, Identity] | None


class _Job:
    """What the threads share."""

    def __init__(
        self,
        top: str,
        plan: Plan,
        dry_run: bool,
        seal: Seal | None,
        verify: bool,
        durable: bool,
        limits: Limits | None,
        wants_identity: bool,
    ) -> None:
        self._top, self._plan, self._dry_run, self._verify = top, plan, dry_run, verify
        self._durable, self._limits, self._wants_identity = durable, limits, wants_identity
        self._seal = seal
        self._made: set[str] = set()
        self.journal: Journal

    def work(self, numbered: tuple[int, str]) -> tuple[Done, Identities]:
        """One input."""
        number, place = numbered

        def done(result: str, output: str = "", reason: str = "", outcome: Outcome | None = None) -> Done:
            return Done(number, result, output, reason, outcome, str(place))

        if isinstance(place, Fault):
            return done("failed", reason=place.reason), None
        if os.path.basename(place).upper() == DIRECTORY:
            return done("directory"), None
        known = self.journal.find(place)
        if known is not None:
            return done("there", known), None
        try:
            return self._written(place, done)
        except (DicomError, OSError) as error:
            return self._failed(place, error, done), None

    def _failed(self, place: str, error: Exception, done: Callable[..., Done]) -> Done:
        cause = error.__cause__ or error.__context__ or error
        if kind_of(cause if isinstance(cause, Exception) else error) == NOT_DICOM:
            return done("not DICOM")
        if isinstance(error, DeidError):
            return done("directory") if DIRECTORY in str(error) else done("failed", reason=str(error))
        if isinstance(error, OSError):
            return done("failed", reason=error.strerror or type(error).__name__)
        return done("failed", reason=type(error).__name__)

    def _written(self, place: str, done: Callable[..., Done]) -> tuple[Done, Identities]:
        source: Any = place.open() if isinstance(place, Place) else place
        beside = os.path.join(self._top, f".dicomcore-{os.urandom(8).hex()}.part")
        made: str | bytearray = beside
        if self._dry_run or (not self._durable and _size(place) <= IN_MEMORY):
            made = bytearray()
        try:
            outcome = apply(source, made, self._plan, durable=self._durable, limits=self._limits)
            if self._verify:
                self._search(source, made)
            if self._seal is not None:
                made = self._sealed(self._seal, source, made, beside)
            output, identities = self._place(source, made)
            if self._dry_run:
                return done("written", output, outcome=outcome), identities
            if isinstance(made, bytearray):
                file = os.open(beside, NEW_FILE, 0o666)
                try:
                    write_all(file, made)
                finally:
                    os.close(file)
            return self._settle(beside, output, outcome, done), identities
        finally:
            with suppress(FileNotFoundError):
                os.unlink(beside)

    def _search(self, source: Any, made: str | bytearray) -> None:
        from dicomcore.deid.verifying import kinds_for, verify

        kinds = kinds_for(self._plan.options)
        out = made if isinstance(made, str) else bytes(made)
        found = verify(out, dcmread(source, limits=self._limits), kinds=kinds, limits=self._limits)
        if len(found):
            raise DeidError(f"{len(found)} places of the output still identify the patient")

    def _sealed(self, seal: Seal, source: Any, made: str | bytearray, beside: str) -> str | bytearray:
        """The new file with what was changed in it, encrypted."""
        ds = dcmread(made, limits=self._limits)
        element = seal.element(dcmread(source, limits=self._limits, force=True), ds)
        if element is None:
            return made
        ds[element.tag] = element
        target: Any = beside if isinstance(made, str) else bytearray()
        dcmwrite(target, ds, enforce_standard=False, durable=self._durable)
        return cast("str | bytearray", target)

    def _place(self, source: Any, made: str | bytearray) -> tuple[str, Identities]:
        """The new file's path below the folder, and the old and new identity."""
        ds = dcmread(made, specific_tags=WANTED, limits=self._limits)
        if self._wants_identity:
            old = identity_of(dcmread(source, specific_tags=WANTED, limits=self._limits, force=True))
            return _path_of(ds), (old, identity_of(ds))
        return _path_of(ds), None

    def _settle(self, beside: str, output: str, outcome: Outcome, done: Callable[..., Done]) -> Done:
        """Give the complete file its name. Another file with this name stays, and the new one gets a number."""
        target = os.path.join(self._top, output)
        parent = os.path.dirname(target)
        if parent not in self._made:
            make_folder(parent)
            self._made.add(parent)
        stem, suffix = os.path.splitext(output)
        for number in range(1, 1 << 20):
            name = output if number == 1 else f"{stem}-{number}{suffix}"
            target = os.path.join(self._top, name)
            try:
                os.link(beside, target)
            except FileExistsError:
                if filecmp.cmp(beside, target, shallow=False):
                    return done("there", name, outcome=outcome)
                if self.journal.is_older(name):
                    os.replace(beside, target)
                    return done("written", name, outcome=outcome)
                continue
            return done("written", name, outcome=outcome)
        raise DeidError("no name is left for the output")


def _size(place: str) -> int:
    """The bytes of an input, as far as that is known."""
    if isinstance(place, Place):
        return IN_MEMORY + 1 if place.size is None else place.size
    return os.stat(place).st_size


def _path_of(ds: Dataset) -> str:
    patient = _name(text_of(ds, "PatientID") or "unknown")
    instance, study, series = (_name(text_of(ds, keyword) or "unknown") for keyword in PLACED)
    return os.path.join(patient, study, series, f"{instance}.dcm")


def _name(text: str) -> str:
    """A name for a path; PS3.5 allows much in an ID."""
    if PLAIN.fullmatch(text):
        return text
    made = "".join(one if one.isalnum() or one in "._-" else "_" for one in text).strip(".")[:100]
    return made or "unknown"
