"""The Parquet file: it appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from dicomcore.archive.walk import PART

__all__ = ["ParquetFile"]

GROUP_ROWS = 1 << 15  # of a row group
UNIQUE = frozenset(("path", "SOPInstanceUID"))  # a dictionary of values that stand once each only costs


class ParquetFile:
    """Batches in, one file out: written beside `target` by a thread of its own, and put in its place by `__exit__`
    unless that is left by an exception."""

    def __init__(self, target: str, schema: pa.Schema) -> None:
        folder, name = os.path.split(target)
        self._target = target
        self._part = os.path.join(folder, f".{name}.{secrets.token_hex(4)}{PART}")
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        self._writing: Future[None] | None = None

    def __enter__(self) -> Self:
        self._writer = pq.ParquetWriter(
            self._part,
            self._schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=[_leaf(field) for field in self._schema if field.name not in UNIQUE],
        )
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="dicomcore-write")
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Take a batch; waits while a row group is being written and the next one is full."""
        self._held.append(batch)
        self._rows += batch.num_rows
        if self._rows >= GROUP_ROWS:
            self._hand_over()

    def _hand_over(self) -> None:
        self._wait()
        table = pa.Table.from_batches(self._held, self._schema)
        self._held = []
        self._rows = 0
        self._writing = self._pool.submit(self._writer.write_table, table, GROUP_ROWS)

    def _wait(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._hand_over()
                self._wait()
                self._writer.close()
                _sync(self._part)
                os.replace(self._part, self._target)
                _sync(os.path.dirname(self._target) or ".")
        finally:
            self._pool.shutdown()
            if os.path.exists(self._part):
                with contextlib.suppress(Exception):
                    self._writer.close()
                with contextlib.suppress(OSError):
                    os.unlink(self._part)


def _leaf(field: pa.Field) -> str:
    """What Parquet calls the values of a column."""
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name


def _sync(path: str) -> None:
    """Have a file's bytes, or a folder's names, on the disk."""
    if os.path.isdir(path):
        if os.name == "nt":  # which can't, and needs not
            return
        handle = os.open(path, os.O_RDONLY)
    else:
        handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
