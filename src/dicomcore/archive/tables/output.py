"""Writing a table's file, in the format of its suffix: the file appears complete or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol, Self

from dicomcore.archive.arrow_files import arrow_file
from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.walk import PART
from dicomcore.archive.tables.parts import Parts, unfinished_file
from dicomcore.archive.tables.stored import ARROW, PARQUET, format_of
from dicomcore.files import synchronise

with needs_extra("pyarrow"):
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["OutputFile", "table_place"]

GROUP_ROWS = 1 << 15  # rows in a row group, at most
FIRST_ROWS = 1 << 12  # rows in the first group; each has twice as many: the table of a short run is written during it
UNIQUE = frozenset(("path", "etag", "SOPInstanceUID", "content_hash", "pixel_hash"))
"""Columns whose values are all different: a dictionary of them would only cost."""


class Sink(Protocol):
    """A writer of one format."""

    def write_table(self, table: pa.Table, rows: int) -> None: ...
    def close(self) -> None: ...


def table_place(path: str) -> str:
    """The path of the file that a table named `path` is written to: the target of a link, else `path`.

    Raises OSError if the folder does not exist, and if `path` exists but is no regular file, since writing the table
    would delete it.
    """
    place = os.path.realpath(path) if os.path.islink(path) else path
    try:
        kind = os.stat(place).st_mode
    except FileNotFoundError:
        os.stat(os.path.dirname(place) or ".")
        return place
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(kind):
        raise OSError(errno.EINVAL, "is no regular file, and a table is written as a whole", path)
    return place


class OutputFile:
    """Writes batches to one file of a table.

    A thread writes an unfinished file among `parts`, or beside the target. `__exit__` moves it to the target, unless
    the context is left by an exception. With `sort_by`, ascending and nulls last, all rows are kept in memory until
    then. The format is `kind`, by default that of the suffix.
    """

    def __init__(
        self,
        target: str,
        schema: pa.Schema,
        parts: Parts | None = None,
        sort_by: Sequence[str] = (),
        *,
        kind: str | None = None,
    ) -> None:
        self._target = table_place(target)
        self._format = kind or format_of(target)
        self._schema = schema
        self._sort_by = sort_by
        self._pending: list[pa.RecordBatch] = []
        self._rows = 0
        self._full = FIRST_ROWS
        self._writing: Future[None] | None = None
        self._stack = contextlib.ExitStack()
        self._parts = parts

    def __enter__(self) -> Self:
        folder, name = os.path.split(self._target)
        beside = unfinished_file(os.path.join(folder, f".{name}.{secrets.token_hex(4)}{PART}"))
        self._unfinished = self._stack.enter_context(self._parts.unfinished() if self._parts is not None else beside)
        self._sink = _open_sink(self._unfinished, self._format, self._schema, self._sort_by)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dicomcore-write")
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Add a batch; waits while a row group is being written and the next one is full."""
        self._pending.append(batch)
        self._rows += batch.num_rows
        if self._rows >= self._full and not self._sort_by:
            self._hand_over()
            self._full = min(2 * self._full, GROUP_ROWS)

    def _hand_over(self) -> None:
        self._wait()
        table = pa.Table.from_batches(self._pending, self._schema)
        self._pending = []
        self._rows = 0
        if self._sort_by:
            table = table.sort_by([(name, "ascending") for name in self._sort_by])
        self._writing = self._pool.submit(self._sink.write_table, table, GROUP_ROWS)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            try:
                if kind is None:
                    self._hand_over()
                    self._wait()
                    self._sink.close()
                    synchronise(self._unfinished)
                    os.replace(self._unfinished, self._target)
                    synchronise(os.path.dirname(self._target) or ".")
            finally:
                self._pool.shutdown()
                with contextlib.suppress(Exception):
                    self._sink.close()


def _open_sink(path: str, kind: str, schema: pa.Schema, sort_by: Sequence[str]) -> Sink:
    if kind == PARQUET:
        return _ParquetSink(path, schema, sort_by)
    return _ArrowSink(path, schema) if kind == ARROW else _CsvSink(path, schema)


class _ParquetSink:
    def __init__(self, path: str, schema: pa.Schema, sort_by: Sequence[str]) -> None:
        self._file = arrow_file(path, "wb")
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[_leaf(field) for field in schema if field.name not in UNIQUE],
            sorting_columns=pq.SortingColumn.from_ordering(schema, [(name, "ascending") for name in sort_by])
            if sort_by
            else None,
        )

    def write_table(self, table: pa.Table, rows: int) -> None:
        self._writer.write_table(table, rows)

    def close(self) -> None:
        self._writer.close()
        self._file.close()


class _ArrowSink:
    """Arrow IPC, which is also the format of Feather files of version 2."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        self._file = arrow_file(path, "wb")
        compression = "lz4" if pa.Codec.is_available("lz4") else None
        self._writer = pa.ipc.new_file(self._file, schema, options=pa.ipc.IpcWriteOptions(compression=compression))

    def write_table(self, table: pa.Table, rows: int) -> None:
        # Small batches are joined: readers open a file of few large batches faster.
        for batch in table.combine_chunks().to_batches(max_chunksize=rows):
            self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()
        self._file.close()


class _CsvSink:
    """CSV in UTF-8: multiple values are separated by backslashes, as in DICOM, and issues by line breaks."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        import pyarrow.csv

        flat = pa.schema([pa.field(field.name, _flat_type(field.type)) for field in schema])
        self._file = arrow_file(path, "wb")
        self._writer = pyarrow.csv.CSVWriter(self._file, flat)
        self._schema = flat

    def write_table(self, table: pa.Table, rows: int) -> None:
        table = table.combine_chunks()
        columns = [_flat(table[name], "\n" if name == "issues" else "\\") for name in table.schema.names]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema), rows)

    def close(self) -> None:
        self._writer.close()
        self._file.close()


def _flat_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_nested(kind) else kind


def _flat(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    if pa.types.is_map(column.type):
        return pa.chunked_array([pa.array([_map_text(entries) for entries in column.to_pylist()], pa.string())])
    if not pa.types.is_list(column.type):
        return column
    if not pa.types.is_string(column.type.value_type):
        column = column.cast(pa.list_(pa.string()))
    import pyarrow.compute as pc  # takes longer than the tables of most folders

    return pc.binary_join(column, separator)


def _map_text(entries: list[tuple[str, Any]] | None) -> str | None:
    import json

    return None if entries is None else json.dumps(dict(entries), ensure_ascii=False)


def _leaf(field: pa.Field) -> str:
    """Parquet's name for the values of a column."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
