"""`index` and `iter_batches`, which read the headers of many files into one table."""

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
from dicomcore.archive.tables.columns import DEFAULT_COLUMNS, Columns
from dicomcore.tags import TagLike
from dicomcore.threads import cpus, in_order

with needs_extra("pyarrow"):
    import pyarrow as pa

from dicomcore.archive.tables.batch import read_batch
from dicomcore.archive.tables.duplicates import Duplicates, finished_schema
from dicomcore.archive.tables.parts import Parts
from dicomcore.archive.tables.renew import Read
from dicomcore.archive.tables.renewed import AHEAD, Gone, write_renewed
from dicomcore.archive.tables.slow import unless_slow
from dicomcore.archive.tables.table import schema_of
from dicomcore.archive.tables.writing import Progress

if TYPE_CHECKING:
    from dicomcore.archive.tables.cluster import ClusterReader

__all__ = ["BATCH", "check_engine", "check_order", "cut", "cut_to", "index", "iter_batches", "reported"]

BATCH = 1000  # files in a batch
BATCH_BYTES = 8 << 20  # heads that a batch's Places keep in memory, at most
CLUSTER_BATCHES = 8  # batches joined into one task on a cluster, where each task takes the scheduler's time


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
    """Yield the rows of `index` as record batches, in the same order, reading files while batches are taken.

    Parameters
    ----------
    sources, columns, level, content_hash, pixel_hash, workers, engine, scheduler, storage_options
        As for `index`.

    Returns
    -------
    Iterator[pyarrow.RecordBatch]
        Batches of about 1000 files, with the columns of `index`.

    Raises
    ------
    ValueError
        The columns, the engine or its options are unknown.
    """
    chosen = Columns(columns, level=level, content_hash=content_hash, pixel_hash=pixel_hash)
    check_engine(engine, workers, scheduler)
    schema = schema_of(chosen)
    files = Sources(sources, stop_tag=chosen.stop_tag, options=storage_options)
    if engine == "dask":
        return _on_cluster(files, chosen, schema, scheduler, workers)
    read = _read(chosen, schema, workers)
    batches = in_order(cut(files, chosen), read, workers or cpus(), ahead=AHEAD, overlapped=True)
    return map(Duplicates(schema).mark, batches)


def _on_cluster(
    files: Sources, columns: Columns, schema: pa.Schema, scheduler: Any, workers: int | None
) -> Iterator[pa.RecordBatch]:
    with _cluster(columns, schema, scheduler, workers) as reader:
        numbered = enumerate(cut(files, columns, CLUSTER_BATCHES))
        rows = in_order(numbered, lambda batch: reader(*batch, None), reader.threads, ahead=1, overlapped=True)
        with closing(rows) as batches:  # the threads end before the cluster that they wait for
            yield from map(Duplicates(schema).mark, batches)


def _cluster(
    columns: Columns, schema: pa.Schema, scheduler: Any, workers: int | None
) -> AbstractContextManager[ClusterReader]:
    from dicomcore.archive.tables.cluster import cluster_reader

    return cluster_reader(columns, schema, scheduler=scheduler, workers=workers)


def cut(files: Sources, columns: Columns, batches: int = 1) -> Iterator[list[str]]:
    """Cut the files into lists of ``BATCH * batches``; shorter lists if a file may have thousands of rows."""
    return cut_to(files, batches * (BATCH if columns.level == "file" else max(BATCH // 10, 1)))


def cut_to(files: Sources, size: int) -> Iterator[list[str]]:
    """Cut the files into lists of `size`; shorter lists if the heads that Places keep exceed BATCH_BYTES."""
    batch: list[str] = []
    kept_bytes = 0
    for run in files.runs():
        batch += run
        if type(run[0]) is not str and isinstance(run[0], Place):
            kept_bytes += run[0].kept_bytes
        while len(batch) >= size or kept_bytes > BATCH_BYTES:
            yield batch[:size]
            batch, kept_bytes = batch[size:], 0
    if batch:
        yield batch


def check_engine(engine: str, workers: int | None, *others: Any) -> None:
    """Raise ValueError for an unknown engine, fewer than one worker, or options that the engine does not have."""
    if engine not in ("threads", "dask"):
        raise ValueError(f"{engine!r} is no engine: there are 'threads' and 'dask'")
    if engine == "threads" and any(other is not None for other in others):
        raise ValueError("scheduler and parts are for engine='dask'")
    if workers is not None and workers < 1:
        raise ValueError(f"workers has to be a number of threads from 1 on, not {workers}")


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
    """Read the headers of all files of `sources` into one table, with a row for each file.

    A row has these columns:

    - `path`, `size` (bytes), `mtime` and `etag`;
    - `columns`, typed by VR (DA as date32, DS as float64, IS as int64, multiple values as a list). A value that its
      type can't hold is null, and its text is in `issues`;
    - `content_hash` and `pixel_hash`, if they are requested;
    - `duplicate`, if SOPInstanceUID is a column: whether an earlier row has the same SOP Instance UID;
    - `issues`, the deviations from the standard; null if there are none;
    - `error`, the reason why a file or folder can't be read; null if it was read;
    - `error_kind`: "not DICOM" for another kind of file, "damaged", "limit" or "unreachable".

    Rows are in the order of `sources`, folders sorted by name.

    Parameters
    ----------
    sources : path, URL, PathList, or an iterable of these
        Files; folders, with all files below; globs ("**" matches any depth); DICOMDIR files, which stand for the files
        that their records refer to; a PathList, which is a file that lists sources; zip and tar archives (.zip, .tar,
        .tar.gz, .tar.zst, .tar.bz2, .tar.xz), also inside folders. An archive's member has a path such as
        ``a.zip!/b/c.dcm``, which may also be a source, and the archive's mtime. A URL that fsspec supports (s3://,
        gs://, az://, https://, memory://, …) may name an object, a folder or an archive, or be a glob. A source that
        can't be reached gives a row with an `error`.
    columns : iterable of str or tag
        Each column is a keyword; a tag; a private tag with its creator (``"0019xx08:GEMS_ACQU_01"``, whatever the
        block); or the path of a nested element
        (``"SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"``; ``[*]`` takes all items, whose
        values form one list). ``"all"`` requests the map `elements`: every top-level element as text.
    level : {"file", "frame"}
        With "frame", a file with per-frame functional groups (PS3.3 C.7.6.16) has a row for each frame. `frame` counts
        from 0, as `Dataset.frames` does; DimensionIndexValues is added to the columns; and an element of the frame's
        functional groups, or of the shared ones, takes precedence. Other files have one row, whose `frame` is null.
    content_hash, pixel_hash : str, optional
        Algorithm of hashlib for a hash of the file's bytes, and of its encoded pixel data.
    out : path, optional
        File to write while rows are read: Parquet, Arrow IPC or CSV by its suffix. It replaces an existing file
        completely or not at all.
    workers : int, optional
        Number of threads, or of processes of a local cluster; by default as many as there are processors, and more
        threads for files on storage that answers slowly, such as a network's.
    engine : {"threads", "dask"}
        With "dask", a dask.distributed cluster reads the batches. The sources are walked, and the table is written, in
        this process. The workers must see the files by the same paths.
    scheduler : str or distributed.Client, optional
        Address or Client of the cluster; by default a local cluster is started for the run.
    parts : str, optional
        Folder or URL to which the cluster's workers write finished batches, instead of the folder beside `out`.
    resume : bool
        Reuse rows of an existing `out` whose file has the same path, size and mtime (or etag), without reading it,
        and the batches of a run that was killed: until the table is complete, finished batches are kept in a folder
        beside it. A CSV file stores no types, so none of its rows are reused.
    sort_by : sequence of str
        Columns to sort the rows by; all rows are then kept in memory.
    progress : callable, optional
        Called with each finished record batch. Rows that stay in the file as they are have only path, size, mtime,
        issues, error and error_kind.
    gone : callable, optional
        Called with each path that the earlier table has and the sources have no more.
    storage_options : mapping, optional
        Options for fsspec, as in pandas, or by protocol: ``{"s3": {"anon": True}}``.

    Returns
    -------
    pyarrow.Table or Path
        The table, or with `out` the path of its file.

    Raises
    ------
    ValueError
        A column, the suffix of `out`, the engine or one of its options is unknown.
    OSError
        `out` can't be written. The content of a file never raises.
    """
    chosen = Columns(columns, level=level, content_hash=content_hash, pixel_hash=pixel_hash)
    check_engine(engine, workers, scheduler, parts)
    schema = schema_of(chosen)
    check_order(sort_by, finished_schema(schema))
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
        table = pa.Table.from_batches(reported(batches, progress), finished_schema(schema))
        return table.sort_by([(name, "ascending") for name in sort_by]) if sort_by else table
    return write_renewed(
        out,
        schema,
        lambda output: cut(
            Sources(sources, output=output, stop_tag=chosen.stop_tag, options=storage_options),
            chosen,
            CLUSTER_BATCHES if engine == "dask" else 1,
        ),
        lambda stack, finished: _reader(stack, finished, chosen, schema, engine, scheduler, workers),
        finished=finished_schema(schema),
        parts=parts,
        resume=resume,
        sort_by=sort_by,
        ahead=AHEAD if engine == "threads" else 1,
        progress=progress,
        gone=gone,
    )


def _reader(
    stack: ExitStack,
    parts: Parts,
    columns: Columns,
    schema: pa.Schema,
    engine: str,
    scheduler: Any,
    workers: int | None,
) -> tuple[Read, int]:
    """The function that reads a batch and stores its part, and the number of threads to call it on."""
    if engine == "dask":
        reader = stack.enter_context(_cluster(columns, schema, scheduler, workers))
        return lambda number, paths: reader(number, paths, parts.place(number)), reader.threads
    return parts.keeping(_read(columns, schema, workers)), workers or cpus()


def _read(columns: Columns, schema: pa.Schema, workers: int | None) -> Callable[[list[str]], pa.RecordBatch]:
    """The function that reads a batch; with more threads where it waits, unless the caller chose their number."""
    read = partial(read_batch, columns=columns, schema=schema)
    return unless_slow(read) if workers is None else read


def check_order(sort_by: Sequence[str], schema: pa.Schema) -> None:
    """Raise TypeError or ValueError for columns that rows can't be sorted by."""
    if isinstance(sort_by, str):
        raise TypeError("sort_by is a list of columns, not one text")
    for name in sort_by:
        if name not in schema.names or pa.types.is_nested(schema.field(name).type):
            raise ValueError(f"{name!r} is no column that rows can be sorted by")


def reported(batches: Iterable[pa.RecordBatch], progress: Progress | None) -> Iterator[pa.RecordBatch]:
    """The batches; each is passed to `progress` once it was taken."""
    for batch in batches:
        yield batch
        if progress is not None:
            progress(batch)
