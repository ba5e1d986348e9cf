"""`check`, which checks many files and writes what it finds to one table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, overload

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.sources import SourceLike, Sources
from dicomcore.archive.sources.walk import Output
from dicomcore.iod.codes import GROUPS
from dicomcore.limits import Limits
from dicomcore.threads import cpus, in_order

with needs_extra("pyarrow"):
    import pyarrow as pa

from dicomcore.archive.checking.batch import check_batch
from dicomcore.archive.checking.rules import Rules
from dicomcore.archive.checking.table import findings_schema
from dicomcore.archive.tables.parts import Parts
from dicomcore.archive.tables.renew import Read
from dicomcore.archive.tables.renewed import AHEAD, Gone, write_renewed
from dicomcore.archive.tables.run import check_engine, cut_to, reported
from dicomcore.archive.tables.writing import Progress

__all__ = ["check", "check_batches"]

BATCH = 500  # files in a batch
SHOWN = ("file", "sop_class", "iod", "finding", "code", "severity", "count", "error", "error_kind")
"""The columns that `progress` receives for rows that stay where they are in the table."""


@overload
def check(
    sources: SourceLike | Iterable[SourceLike],
    *,
    out: None = None,
    iod: str | None = ...,
    rules: Iterable[str] = ...,
    at_least: str = ...,
    workers: int | None = ...,
    resume: bool = ...,
    progress: Progress | None = ...,
    gone: Gone | None = ...,
    limits: Limits | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> pa.Table: ...
@overload
def check(
    sources: SourceLike | Iterable[SourceLike],
    *,
    out: str | os.PathLike[str],
    iod: str | None = ...,
    rules: Iterable[str] = ...,
    at_least: str = ...,
    workers: int | None = ...,
    resume: bool = ...,
    progress: Progress | None = ...,
    gone: Gone | None = ...,
    limits: Limits | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> Path: ...
def check(
    sources: SourceLike | Iterable[SourceLike],
    *,
    out: str | os.PathLike[str] | None = None,
    iod: str | None = None,
    rules: Iterable[str] = GROUPS,
    at_least: str = "warning",
    workers: int | None = None,
    resume: bool = True,
    progress: Progress | None = None,
    gone: Gone | None = None,
    limits: Limits | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> pa.Table | Path:
    """Check all files of `sources` against the definitions of their SOP classes (PS3.3), as `iod.check` does.

    The table has a row for each finding. A file without findings has one row, whose `code` is null, and so does a file
    that can't be read, whose `error` says why. A row has these columns:

    - `file`, `size` (bytes), `mtime` and `etag`;
    - `sop_class` and `sop_instance`, the UIDs that the file states, and `iod`, the name of the IOD;
    - `unknown`, how many conditions no data set could decide;
    - `finding`, which counts the file's findings from 0; `code`, `severity`, `path` and `tag` (of the attribute),
      `module`, `clause`, `message` and `count`, as a `Finding` has them;
    - `error` and `error_kind`, as in `index`.

    Rows are in the order of `sources`, folders sorted by name.

    Parameters
    ----------
    sources : path, URL, PathList, or an iterable of these
        As for `index`. Of a member of a compressed tar only what is in front of its pixel data is kept: if that is
        encapsulated, the member's row has an `error` of the kind "limit".
    out : path, optional
        File to write while files are checked: Parquet, Arrow IPC or CSV by its suffix. It replaces an existing file
        completely or not at all.
    iod : str, optional
        The UID, name or keyword of a SOP class, in place of the files' own.
    rules : iterable of str
        Groups of rules and codes, as for `iod.check`.
    at_least : {"note", "warning", "error"}
        The least severity that is reported.
    workers : int, optional
        Number of threads; by default as many as there are processors.
    resume : bool
        Reuse rows of an existing `out` whose file has the same path, size and mtime (or etag), without reading it,
        if they were found by the same rules and the same version of dicomcore; and the batches of a run that was
        killed, which are kept in a folder beside `out` until the table is complete. A CSV file stores no types, so
        none of its rows are reused.
    progress : callable, optional
        Called with each finished record batch. Rows that stay in the file as they are have only file, sop_class, iod,
        finding, code, severity, count, error and error_kind.
    gone : callable, optional
        Called with each path that the earlier table has and the sources have no more.
    limits : Limits, optional
        Bounds on what is accepted from each file.
    storage_options : mapping, optional
        Options for fsspec, as for `index`.

    Returns
    -------
    pyarrow.Table or Path
        The table, or with `out` the path of its file. `check_summary` counts what it has.

    Raises
    ------
    ValueError
        A rule, a severity or the suffix of `out` is unknown.
    KeyError
        `iod` names no storage SOP class.
    OSError
        `out` can't be written. The content of a file never raises.
    """
    chosen = Rules(rules, iod=iod, at_least=at_least, limits=limits)
    schema = findings_schema(chosen)
    if out is None:
        batches = check_batches(sources, chosen, workers=workers, storage_options=storage_options)
        return pa.Table.from_batches(reported(batches, progress), schema)
    check_engine("threads", workers)

    def reader(_: ExitStack, parts: Parts) -> tuple[Read, int]:
        return parts.keeping(partial(check_batch, rules=chosen, schema=schema)), workers or cpus()

    def batched(output: Output | None) -> Iterator[list[str]]:
        return cut_to(Sources(sources, output=output, options=storage_options), BATCH)

    return write_renewed(
        out,
        schema,
        batched,
        reader,
        finished=schema,
        resume=resume,
        progress=progress,
        shown=SHOWN,
        gone=gone,
    )


def check_batches(
    sources: SourceLike | Iterable[SourceLike],
    rules: Rules,
    *,
    batch: int = BATCH,
    workers: int | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `check` as record batches of `batch` files, in the same order, checking files while batches are
    taken."""
    check_engine("threads", workers)
    work = partial(check_batch, rules=rules, schema=findings_schema(rules))
    batches = cut_to(Sources(sources, options=storage_options), batch)
    return in_order(batches, work, workers or cpus(), ahead=AHEAD, overlapped=True)
