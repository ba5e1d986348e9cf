"""index and iter_batches: the headers of many files as one table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, overload

from dicomcore.archive.columns import DEFAULT_COLUMNS, Columns
from dicomcore.archive.engine import default_workers, run_threads
from dicomcore.archive.extra import needs_extra
from dicomcore.archive.place import Place
from dicomcore.archive.sources import SourceLike, Sources
from dicomcore.archive.walk import Output
from dicomcore.tags import TagLike

with needs_extra("pyarrow"):
    import pyarrow as pa

from dicomcore.archive.batch import read_batch, renew_batch
from dicomcore.archive.parquet import ParquetFile
from dicomcore.archive.previous import Previous
from dicomcore.archive.table import schema_of

__all__ = ["index", "iter_batches"]

BATCH = 1000  # files of a batch
HELD = 8 << 20  # bytes that they bring along, at most
Progress = Callable[["pa.RecordBatch"], object]


def iter_batches(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = DEFAULT_COLUMNS,
    workers: int | None = None,
    engine: str = "threads",
    storage_options: Mapping[str, Any] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows that `index` makes, as record batches in a steady order, read while they are taken."""
    chosen = Columns(columns)
    check_engine(engine, workers)
    read = partial(read_batch, columns=chosen, schema=schema_of(chosen))
    files = Sources(sources, stop_tag=chosen.stop_tag, options=storage_options)
    return run_threads(read, cut(files), workers or default_workers())


def cut(paths: Iterable[str]) -> Iterator[list[str]]:
    """The paths in lists of BATCH, fewer where what they bring along would take much memory."""
    batch: list[str] = []
    held = 0
    for path in paths:
        batch.append(path)
        if type(path) is not str and isinstance(path, Place):
            held += path.held
        if len(batch) >= BATCH or held > HELD:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def check_engine(engine: str, workers: int | None) -> None:
    """ValueError for an engine that there is none of, or no workers."""
    if engine != "threads":
        raise ValueError(f"{engine!r} is no engine: there is 'threads'")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is a number of threads from 1 on, not {workers}")


@overload
def index(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = ...,
    out: None = None,
    workers: int | None = ...,
    engine: str = ...,
    resume: bool = ...,
    progress: Progress | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> pa.Table: ...
@overload
def index(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = ...,
    out: str | os.PathLike[str],
    workers: int | None = ...,
    engine: str = ...,
    resume: bool = ...,
    progress: Progress | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> Path: ...
def index(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = DEFAULT_COLUMNS,
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    engine: str = "threads",
    resume: bool = True,
    progress: Progress | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> pa.Table | Path:
    """Read the headers of all files of `sources` into one table, a row a file.

    Sources, one or several, mixed: files; folders, with all below; globs ("**" for any depth); zip and tar archives
    (.zip, .tar, .tar.gz, .tar.zst, .tar.bz2, .tar.xz), also those met in folders, whose members have a path such as
    ``a.zip!/b/c.dcm`` and the archive's mtime, and which such a path also names; DICOMDIR files, which stand for the
    files their records refer to; URLs that fsspec knows (s3://, gs://, az://, https://, memory://, …) of objects, of
    folders, of archives, or as globs; and PathList for a file that lists any of these. `storage_options` go to fsspec,
    as pandas has it, or by protocol: ``{"s3": {"anon": True}}``. What can't be reached is a row with an `error`.

    A row is `path`, `size` (bytes), `mtime`; `columns`, by keyword or tag, of the top level and the file meta
    information, typed by VR (DA date32, DS float64, IS int64, several values a list); `issues`, what deviated from
    the standard, null when nothing did; `error`, why a file or folder couldn't be read, null when it could. A value
    that its type can't hold is null, and its text is in `issues`. Rows are in the order of `sources`, folders sorted
    by name.

    Returns a pyarrow.Table, or with `out` the path of a Parquet file written while the rows come, which replaces one
    that was there whole or not at all. With `resume`, rows of that one whose file has kept path, size and mtime are
    taken over unread. `workers` is the number of threads, all processors by default. `progress` is called with each
    finished record batch. Raises ValueError for columns and engines that there are none of, OSError where `out` can't
    be written; nothing that a file holds raises.
    """
    chosen = Columns(columns)
    check_engine(engine, workers)
    schema = schema_of(chosen)
    target = None if out is None else os.fsdecode(out)
    output = Output.at(target) if target is not None else None
    batches = cut(Sources(sources, output=output, stop_tag=chosen.stop_tag, options=storage_options))
    workers = workers or default_workers()
    read = partial(read_batch, columns=chosen, schema=schema)
    if target is None:
        return pa.Table.from_batches(_reported(run_threads(read, batches, workers), progress), schema)
    previous = Previous.open(target, schema) if resume else None
    if previous is not None:
        read = partial(renew_batch, columns=chosen, schema=schema, previous=previous)
    with ParquetFile(target, schema) as file, closing(previous) if previous is not None else nullcontext():
        for batch in _reported(run_threads(read, batches, workers), progress):
            file.write(batch)
    return Path(target)


def _reported(batches: Iterator[pa.RecordBatch], progress: Progress | None) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        if progress is not None:
            progress(batch)
