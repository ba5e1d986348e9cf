"""Checking one batch of files: the native loop, and `iod.check` for the files that it hands back."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dicomcore._native.bulk.checker import Checker
from dicomcore.archive.checking.rules import Rules
from dicomcore.archive.checking.table import FileColumns, to_batch
from dicomcore.archive.failure import UNREACHABLE, Failure, failure_of
from dicomcore.archive.sources.heads import Heads
from dicomcore.archive.sources.place import NOT_REGULAR, Fault, Place
from dicomcore.archive.tables.row import read_file
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.iod import Finding, Report
from dicomcore.iod.checking import finding_of

__all__ = ["check_batch"]

SEEN = np.dtype([("number", "<i4"), ("count", "<u4")])


class Checked(NamedTuple):
    """One file's size in bytes, mtime in ns, report and SOP Instance UID, or its failure."""

    size: int | None
    mtime: int | None
    report: Report = Report()
    instance: str | None = None
    failure: Failure | None = None


def check_batch(paths: list[str], rules: Rules, schema: pa.Schema, *, bulk: bool = True) -> pa.RecordBatch:
    """The rows of these files, in their order. The GIL is held only for files that the native loop hands back.

    Without `bulk` that loop checks none of the files; the rows are the same.
    """
    checker = rules.checker(paths if bulk else [Fault(path) for path in paths])
    failures: dict[int, Failure] = {}
    more: dict[Finding, int] = {}
    with Heads.of(paths) as heads:
        while (at := checker.run()) < len(paths):
            one = _checked(paths[at], rules, heads)
            _put(checker, one, more)
            if one.failure is not None:
                failures[at] = one.failure
    columns, counts, unknown, seen, shapes = checker.finish()
    found = np.frombuffer(seen, SEEN)
    return to_batch(
        FileColumns(paths, columns, failures, np.frombuffer(unknown, np.int64)),
        np.frombuffer(counts, np.uint32).astype(np.int64),
        _joined(found["number"].astype(np.int64), len(shapes)),
        found["count"].astype(np.int64),
        [*map(finding_of, shapes), *more],
        rules.iod,
        schema,
    )


def _put(checker: Checker, one: Checked, more: dict[Finding, int]) -> None:
    """Put a file's findings, whose numbers are -1, -2, … in the order of `more`."""
    found = [(more.setdefault(each._replace(count=1), -1 - len(more)), each.count) for each in one.report]
    checker.put(one.size, one.mtime, one.report.sop_class or None, one.instance, one.report.unknown, found)


def _joined(numbers: NDArray[np.int64], own: int) -> NDArray[np.int64]:
    """The numbers with those below 0 behind the checker's own."""
    return np.where(numbers < 0, own - 1 - numbers, numbers)


def _checked(path: str, rules: Rules, heads: Heads) -> Checked:
    """Check one file in Python. Errors of the file are in the answer; none is raised."""
    size = mtime = None
    try:
        if isinstance(path, Fault):
            return Checked(None, None, failure=path.failure)
        if isinstance(path, Place):
            size, mtime = path.size, None if path.mtime is None else path.mtime * 1000
            blob = heads.take(path)
            size, mtime = blob.size, blob.mtime
            return _report(read_file(blob, limits=rules.limits), rules, size, mtime)
        facts = os.stat(path)
        size, mtime = facts.st_size, facts.st_mtime_ns
        if not stat.S_ISREG(facts.st_mode):  # opening a FIFO would wait for its writer
            return Checked(size, mtime, failure=Failure(NOT_REGULAR, UNREACHABLE))
        return _report(read_file(path, limits=rules.limits), rules, size, mtime)
    except Exception as error:  # a bad file gives one row, whatever it raised
        return Checked(size, mtime, failure=failure_of(error, path))


def _report(ds: Dataset, rules: Rules, size: int | None, mtime: int | None) -> Checked:
    report = rules.check(ds)
    return Checked(size, mtime, report, text_of(ds, "SOPInstanceUID") or None)
