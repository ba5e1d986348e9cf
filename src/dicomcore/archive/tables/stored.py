"""Stored tables, read one group of rows at a time: an index that `index` wrote, or a part of an index."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Protocol

from dicomcore.archive.arrow_files import arrow_file
from dicomcore.archive.extra import needs_extra

with needs_extra("pyarrow"):
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["ARROW", "CSV", "PARQUET", "Stored", "format_of", "open_stored", "remote_file_system"]

PARQUET, ARROW, CSV = "Parquet", "Arrow IPC", "CSV"
FORMATS = {"": PARQUET, ".parquet": PARQUET, ".pq": PARQUET, ".arrow": ARROW, ".feather": ARROW, ".ipc": ARROW} | {
    ".csv": CSV
}


def format_of(path: str) -> str:
    """The format of a table at `path` by its suffix (without a suffix: Parquet). ValueError for an unknown suffix."""
    suffix = PurePath(path).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(name for name in FORMATS if name)
        raise ValueError(f"{os.path.basename(path)!r} names no format of a table: there are {known}")
    return FORMATS[suffix]


class Stored(Protocol):
    """A table in groups of rows. Only one thread at a time may call `read`."""

    schema: pa.Schema
    sizes: list[int]
    """The number of rows in each group."""

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of one group, with all columns or only these."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


def remote_file_system(place: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it; None and the path for a local file."""
    if "://" not in place:
        return None, place
    with needs_extra("fsspec"):
        from fsspec.core import url_to_fs
    system, path = url_to_fs(place)
    return (None, path) if "file" in system.protocol else (system, path)


def open_stored(path: str) -> Stored | None:
    """The table at `path`; None if it does not exist or is incomplete."""
    try:
        kind = format_of(path)
        if kind == PARQUET:
            return _ParquetStored(path)
        return _ArrowStored(path) if kind == ARROW else None
    except (OSError, ValueError, pa.ArrowException):
        return None


class _ParquetStored:
    def __init__(self, path: str) -> None:
        system, path = remote_file_system(path)
        # One request fetches the whole file: a file in a store is a part of some MB at most.
        self._source = arrow_file(path) if system is None else pa.BufferReader(system.cat_file(path))
        self._file = pq.ParquetFile(self._source)
        metadata = self._file.metadata
        self.schema = self._file.schema_arrow
        self.sizes = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        return self._file.read_row_group(group, None if columns is None else list(columns))

    def close(self) -> None:
        self._file.close()
        self._source.close()


class _ArrowStored:
    def __init__(self, path: str) -> None:
        self._source = arrow_file(path)
        self._file = pa.ipc.open_file(self._source)
        self.schema = self._file.schema
        self.sizes = [self._file.get_batch(i).num_rows for i in range(self._file.num_record_batches)]

    def read(self, group: int, columns: Sequence[str] | None = None) -> pa.Table:
        table = pa.Table.from_batches([self._file.get_batch(group)], self.schema)
        return table if columns is None else table.select(columns)

    def close(self) -> None:
        self._source.close()
