"""folder: every file of some sources, de-identified into a folder; resumable, and with nothing written in part."""

from __future__ import annotations

import filecmp
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from dicomcore._native.deid.log import Log
from dicomcore.archive.sources.remote import is_url
from dicomcore.archive.sources.sources import SourceLike, Sources, as_sources
from dicomcore.deid.applying import Outcome
from dicomcore.deid.crew import crew_for
from dicomcore.deid.crosswalk import Crosswalk
from dicomcore.deid.directory import write_directory
from dicomcore.deid.journal import Journal
from dicomcore.deid.names import file_id, path_of_uids
from dicomcore.deid.newfile import rename_new, sweep
from dicomcore.deid.plan import Plan
from dicomcore.deid.reporting import ReportFile
from dicomcore.deid.sealed import Seal
from dicomcore.deid.stamps import Stamps
from dicomcore.deid.working import CONFLICT, Done, Result, Task
from dicomcore.files import make_folder
from dicomcore.limits import Limits
from dicomcore.tags import Tag
from dicomcore.threads import cpus, in_order

__all__ = ["Done", "Summary", "folder"]

MOST_FAILURES = 10_000  # that a summary keeps; all are counted
MANY, MANY_WITH_PIXELS = 256, 8  # inputs from which other processes are worth their start
MOST_NAMES = 1 << 20  # of outputs with one identity
CHUNK = 32  # inputs that a process is given at a time


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
    dicomdir: bool = False,
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
        How many processes, by default one for each processor. Few inputs are done in this process alone, and so are
        all where a function of the plan cannot be sent to another one; then pixels are cleaned by as many threads.
    report : path, optional
        A file that gets a line of JSON for each input, with its number, its new name and what was done. It has no value
        and no name of the input.
    crosswalk : path, optional
        A CSV file of old and new names, IDs and UIDs, which only its owner can read. Keep it as safe as the input.
    dry_run : bool
        Write nothing but the report.
    dicomdir : bool
        Make the folder a file-set: names are File IDs, and a DICOMDIR names all files. A DICOMDIR of a source is
        passed over in any case, as it names what is elsewhere.
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
    stamps = Stamps(plan, f"{'file-set' if dicomdir else 'uids'}, {'sealed' if seal else 'not sealed'}")
    naming = file_id if dicomdir else path_of_uids
    task = Task(top, plan, naming, stamps, dry_run, seal, verify, durable, limits, crosswalk is not None)
    summary = Summary()
    outputs: list[str] = []
    if not dry_run:
        make_folder(top)
        sweep(top)
    with Journal(top, stamps, enabled=not dry_run) as journal, ReportFile(report, plan) as lines, Crosswalk(
        crosswalk
    ) as walked:  # fmt: skip
        for result in _results(Sources(sources), task, journal, workers):
            done = _settled(result, task, journal)
            summary.add(done)
            lines.write(done)
            walked.write(done, result.old, result.new)
            if done.result == "written":
                journal.add(result.stamp, done.output)
            if dicomdir and done.result in ("written", "there"):
                outputs.append(done.output)
            if progress is not None:
                progress(done)
        if outputs and not dry_run:
            summary.notes.update(write_directory(top, outputs, plan))
        lines.finish(summary)
    return summary


def _results(sources: Iterable[str], task: Task, journal: Journal, workers: int | None) -> Iterator[Result]:
    """What became of each input, in the order of the inputs; by other processes if there are many."""
    with_pixels = "clean_pixel_data" in task.plan.options
    wanted = cpus() if workers is None else workers
    inputs = enumerate(sources, 1)
    first = list(islice(inputs, MANY_WITH_PIXELS if with_pixels else MANY))

    def work(numbered: tuple[int, str]) -> Result:
        return journal.known(numbered) or task.work(numbered)

    crew = None
    if wanted > 1 and len(first) == (MANY_WITH_PIXELS if with_pixels else MANY):
        crew = crew_for(task, wanted)
    if crew is None:
        # headers are done in Python for the greater part, so that threads would wait for each other
        yield from in_order(chain(first, inputs), work, wanted if with_pixels else 1, ahead=16)
        return
    with crew:
        chunks = _batched(chain(first, inputs), 1 if with_pixels else CHUNK)
        yield from chain.from_iterable(crew.results(chunks, journal))


def _batched(items: Iterator[tuple[int, str]], size: int) -> Iterator[list[tuple[int, str]]]:
    while batch := list(islice(items, size)):
        yield batch


def _settled(result: Result, task: Task, journal: Journal) -> Done:
    """What became of an input whose new file has the name of another: that of an older plan goes, any other stays."""
    done = result.done
    if done.result != CONFLICT or result.new is None:
        return done
    beside = done.output
    try:
        for number in range(1, MOST_NAMES):
            name = task.naming(result.new, number)
            target = os.path.join(task.top, name)
            if journal.is_older(name):
                os.replace(beside, target)
                return done._replace(result="written", output=name)
            try:
                rename_new(beside, target)
            except FileExistsError:
                if filecmp.cmp(beside, target, shallow=False):
                    return done._replace(result="there", output=name)
                continue
            return done._replace(result="written", output=name)
        return done._replace(result="failed", output="", reason="no name is left for the output", outcome=None)
    except OSError as error:
        return done._replace(result="failed", output="", reason=error.strerror or type(error).__name__, outcome=None)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(beside)


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
