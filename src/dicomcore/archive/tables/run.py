"""index and iter_batches: the headers of many files as one table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.place import Place
from dicomcore.archive.sources.sources import SourceLike, Sources
from dicomcore.archive.sources.walk import Output
from dicomcore.archive.tables.columns import DEFAULT_COLUMNS, Columns
from dicomcore.archive.tables.engine import AHEAD, default_workers, run_threads
from dicomcore.tags import TagLike

with needs_extra("pyarrow"):
    import pyarrow as pa

from dicomcore.archive.tables.batch import read_batch
from dicomcore.archive.tables.duplicates import Duplicates, finished_schema
from dicomcore.archive.tables.output import OutputFile, table_place
from dicomcore.archive.tables.parts import Parts
from dicomcore.archive.tables.previous import Previous
from dicomcore.archive.tables.renew import Read, Renewal
from dicomcore.archive.tables.stored import format_of
from dicomcore.archive.tables.table import schema_of
from dicomcore.archive.tables.writing import Progress, write_table

if TYPE_CHECKING:
    from dicomcore.archive.tables.cluster import ClusterReader

__all__ = ["index", "iter_batches"]

BATCH = 1000  # files of a batch
HELD = 8 << 20  # bytes that they bring along, at most
CLUSTER_BATCHES = 8  # as many times that on a cluster, where each batch takes a scheduler's time
Gone = Callable[[str], object]


def iter_batches(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = DEFAULT_COLUMNS,
    level: str = "file",
    content_hash: str | None = None,
    pixel_hash: str | None = None,
    workers: int | None = None,
    engine: str = "threads",
    scheduler: Any = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Iterator[pa.RecordBatch]:
    """The rows that `index` makes, as record batches in a steady order, read while they are taken."""
    chosen = Columns(columns, level=level, content_hash=content_hash, pixel_hash=pixel_hash)
    check_engine(engine, workers, scheduler)
    schema = schema_of(chosen)
    files = Sources(sources, stop_tag=chosen.stop_tag, options=storage_options)
    if engine == "dask":
        return _on_cluster(files, chosen, schema, scheduler, workers)
    read = partial(read_batch, columns=chosen, schema=schema)
    batches = run_threads(read, cut(files, chosen), workers or default_workers())
    return map(Duplicates(schema).mark, batches)


def _on_cluster(
    files: Iterable[str], columns: Columns, schema: pa.Schema, scheduler: Any, workers: int | None
) -> Iterator[pa.RecordBatch]:
    with _cluster(columns, schema, scheduler, workers) as reader:
        numbered = enumerate(cut(files, columns, CLUSTER_BATCHES))
        # The threads end before the cluster that they wait for.
        with closing(run_threads(lambda one: reader(*one, None), numbered, reader.threads, ahead=1)) as batches:
            yield from map(Duplicates(schema).mark, batches)


def _cluster(
    columns: Columns, schema: pa.Schema, scheduler: Any, workers: int | None
) -> AbstractContextManager[ClusterReader]:
    from dicomcore.archive.tables.cluster import cluster_reader

    return cluster_reader(columns, schema, scheduler=scheduler, workers=workers)


def cut(paths: Iterable[str], columns: Columns, batches: int = 1) -> Iterator[list[str]]:
    """The paths in lists of BATCH, or `batches` times that; in shorter ones where a file may be thousands of rows, or
    where what the paths bring along would take much memory."""
    size = batches * (BATCH if columns.level == "file" else max(BATCH // 10, 1))
    batch: list[str] = []
    held = 0
    for path in paths:
        batch.append(path)
        if type(path) is not str and isinstance(path, Place):
            held += path.held
        if len(batch) >= size or held > HELD:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def check_engine(engine: str, workers: int | None, *others: Any) -> None:
    """ValueError for an engine that there is none of, no workers, or options that the engine hasn't."""
    if engine not in ("threads", "dask"):
        raise ValueError(f"{engine!r} is no engine: there are 'threads' and 'dask'")
    if engine == "threads" and any(other is not None for other in others):
        raise ValueError("scheduler and parts are for engine='dask'")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is a number of threads from 1 on, not {workers}")


@overload
def index(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = ...,
    level: str = ...,
    content_hash: str | None = ...,
    pixel_hash: str | None = ...,
    out: None = None,
    workers: int | None = ...,
    engine: str = ...,
    scheduler: Any = ...,
    parts: str | None = ...,
    resume: bool = ...,
    sort_by: Sequence[str] = ...,
    progress: Progress | None = ...,
    gone: Gone | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> pa.Table: ...
@overload
def index(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = ...,
    level: str = ...,
    content_hash: str | None = ...,
    pixel_hash: str | None = ...,
    out: str | os.PathLike[str],
    workers: int | None = ...,
    engine: str = ...,
    scheduler: Any = ...,
    parts: str | None = ...,
    resume: bool = ...,
    sort_by: Sequence[str] = ...,
    progress: Progress | None = ...,
    gone: Gone | None = ...,
    storage_options: Mapping[str, Any] | None = ...,
) -> Path: ...
def index(
    sources: SourceLike | Iterable[SourceLike],
    *,
    columns: Iterable[TagLike] = DEFAULT_COLUMNS,
    level: str = "file",
    content_hash: str | None = None,
    pixel_hash: str | None = None,
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    engine: str = "threads",
    scheduler: Any = None,
    parts: str | None = None,
    resume: bool = True,
    sort_by: Sequence[str] = (),
    progress: Progress | None = None,
    gone: Gone | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> pa.Table | Path:
    """Read the headers of all files of `sources` into one table, a row a file.

    Sources, one or several, mixed: files; folders, with all below; globs ("**" for any depth); zip and tar archives
    (.zip, .tar, .tar.gz, .tar.zst, .tar.bz2, .tar.xz), also those met in folders, whose members have a path such as
    ``a.zip!/b/c.dcm`` and the archive's mtime, and which such a path also names; DICOMDIR files, which stand for the
    files their records refer to; URLs that fsspec knows (s3://, gs://, az://, https://, memory://, …) of objects, of
    folders, of archives, or as globs; and PathList for a file that lists any of these. `storage_options` go to fsspec,
    as pandas has it, or by protocol: ``{"s3": {"anon": True}}``. What can't be reached is a row with an `error`.

    A row is `path`, `size` (bytes), `mtime`, `etag`; `columns`, typed by VR (DA date32, DS float64, IS int64, several
    values a list); `content_hash` of the file's bytes and `pixel_hash` of its encoded pixel data, by an algorithm of
    hashlib, where one is given; `duplicate`, whether an earlier row has the same SOP Instance UID, where that is a
    column; `issues`, what deviated from the standard, null when nothing did; `error`, why a file or folder couldn't be
    read, null when it could; `error_kind`, "not DICOM" for another kind of file, "damaged", "limit" or "unreachable". A
    value that its type can't hold is null, and its text is in `issues`. Rows are in the order of `sources`, folders
    sorted by name, or by the columns `sort_by`, for which all of them are held in memory.

    A column is a keyword, a tag, a private tag with its creator (``"0019xx08:GEMS_ACQU_01"``, whatever the block), or a
    nested element's path (``"SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"``; ``[*]`` takes
    all items, whose values make one list). ``"all"`` stands for the map `elements`: every top-level element as text.

    With ``level="frame"``, a file with per-frame functional groups (PS3.3 C.7.6.16) has a row a frame: `frame` counts
    from 0, as `Dataset.frames` does, DimensionIndexValues is among the columns, and a column that is in the frame's
    or the shared functional groups shows what stands there. Other files have one row, whose `frame` is null.

    Returns a pyarrow.Table, or with `out` the path of a file written while the rows come, which replaces one that was
    there whole or not at all: Parquet, Arrow IPC or CSV by its suffix. With `resume`, rows of that one whose file has
    kept path, size and mtime (or etag) are taken over unread, and so are those that a run left behind that was
    killed: until the table is whole, each finished batch is kept in a folder beside it. A CSV file keeps no types:
    none of its rows are taken over.

    `workers` is the number of threads, all processors by default. With ``engine="dask"`` the batches are read on a
    dask.distributed cluster: at the address `scheduler`, or of that Client; without one a local cluster of `workers`
    processes is made for the run. The sources are walked, and the table is written, here; the workers have to see the
    files by the same paths, and to write to the folder of finished batches, or to `parts`, another folder or a URL.

    `progress` is called with each finished record batch (of rows that stay in the file as they are, with path, size,
    mtime, issues, error and error_kind alone), `gone` with each path that the earlier table has and the sources
    haven't. Raises ValueError for columns, suffixes and engines that there are none of, OSError where `out` can't be
    written; nothing that a file holds raises.
    """
    chosen = Columns(columns, level=level, content_hash=content_hash, pixel_hash=pixel_hash)
    check_engine(engine, workers, scheduler, parts)
    schema = schema_of(chosen)
    _check_order(sort_by, finished_schema(schema))
    if out is None:
        batches = iter_batches(
            sources,
            columns=columns,
            level=level,
            content_hash=content_hash,
            pixel_hash=pixel_hash,
            workers=workers,
            engine=engine,
            scheduler=scheduler,
            storage_options=storage_options,
        )
        table = pa.Table.from_batches(_reported(batches, progress), finished_schema(schema))
        return table.sort_by([(name, "ascending") for name in sort_by]) if sort_by else table
    target = os.fsdecode(out)
    format_of(target)
    target = table_place(target)
    with ExitStack() as stack:
        kept = stack.enter_context(Parts(target, parts))
        if not resume:
            kept.clear()
        read, threads, batches_at_once = _reader(stack, kept, chosen, schema, engine, scheduler, workers)
        previous = stack.enter_context(closing(Previous(target if resume else None, kept.paths(), schema)))
        work = Renewal(read, previous, lazy=not sort_by)
        files = Sources(sources, output=Output.at(target), stop_tag=chosen.stop_tag, options=storage_options)
        numbered = enumerate(cut(files, chosen, batches_at_once))
        results = run_threads(work, numbered, threads, ahead=AHEAD if engine == "threads" else 1)
        stack.enter_context(closing(results))  # whatever happens, the threads end before what they work with is closed
        write_table(results, OutputFile(target, finished_schema(schema), kept, sort_by), previous, work, progress)
        if gone is not None:
            for path in previous.gone():
                gone(path)
        previous.close()
        kept.finish()
    return Path(os.fsdecode(out))


def _reader(
    stack: ExitStack,
    kept: Parts,
    columns: Columns,
    schema: pa.Schema,
    engine: str,
    scheduler: Any,
    workers: int | None,
) -> tuple[Read, int, int]:
    """What reads a batch and keeps its rows, on how many threads to call it, and how many batches' files to give it."""
    if engine == "dask":
        reader = stack.enter_context(_cluster(columns, schema, scheduler, workers))
        return lambda number, paths: reader(number, paths, kept.place(number)), reader.threads, CLUSTER_BATCHES

    def read(number: int, paths: list[str]) -> pa.RecordBatch:
        batch = read_batch(paths, columns=columns, schema=schema)
        kept.keep(number, batch)
        return batch

    return read, workers or default_workers(), 1


def _check_order(sort_by: Sequence[str], schema: pa.Schema) -> None:
    if isinstance(sort_by, str):
        raise TypeError("sort_by is a list of columns, not one text")
    for name in sort_by:
        if name not in schema.names or pa.types.is_nested(schema.field(name).type):
            raise ValueError(f"{name!r} is no column that rows can be sorted by")


def _reported(batches: Iterable[pa.RecordBatch], progress: Progress | None) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        if progress is not None:
            progress(batch)
