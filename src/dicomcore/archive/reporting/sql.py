"""query: SQL over an index, by DuckDB, which sees the index and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.listing import IndexLike, open_index

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["NAMES", "connected", "query", "run_sql"]

NAMES = ("files", "index")
"""What the index is called in SQL, either way."""
MEMORY = "1GB"  # more is kept in a temporary folder
BATCH_ROWS = 1 << 14


@contextmanager
def connected(index: IndexLike, *, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that has the index as a table, and can reach no file, no network and no extension.

    Raises OSError and ValueError where the index can't be opened.
    """
    with needs_extra("duckdb"):
        import duckdb
    found = open_index(index)
    with tempfile.TemporaryDirectory(prefix="dicomcore-query-") as folder:
        database = duckdb.connect(config={"memory_limit": memory, "temp_directory": folder})
        try:
            for name in NAMES:
                database.register(name, found)
            for setting in (
                "TimeZone = 'UTC'",
                "enable_progress_bar = false",  # which it would write to standard output
                "autoinstall_known_extensions = false",
                "autoload_known_extensions = false",
                "python_enable_replacements = false",
                "enable_external_access = false",
                "lock_configuration = true",
            ):
                database.execute(f"SET {setting}")
            yield database
        finally:
            database.close()


def run_sql(database: duckdb.DuckDBPyConnection, sql: str) -> pa.RecordBatchReader:
    """The answer to one statement that reads, as record batches that are made while they are taken.

    Raises ValueError for what is no SQL, more than one statement, or one that would write.
    """
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1:
            raise ValueError(f"one statement is wanted, not {len(statements)}")
        if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
            raise ValueError(f"{statements[0].type.name} is refused: an index is only read")
        relation = database.sql(statements[0].query)
        read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader  # before DuckDB 1.4
        return _checked(read(BATCH_ROWS))
    except duckdb.Error as error:
        raise ValueError(str(error)) from None


def _checked(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same, with what goes wrong in the middle of it as ValueError."""
    import duckdb
    import pyarrow as pa

    def batches() -> Iterator[Any]:
        try:
            yield from reader
        except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
            raise ValueError(str(error)) from None

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def query(index: IndexLike, sql: str) -> pa.Table:
    """Run SQL over an index, a Parquet or Arrow file or a pyarrow.Table; the answer is a pyarrow.Table.

    The index is the table `files` (or `index`); its columns are those of `archive.index`. DuckDB's dialect: lists are
    taken apart by ``ImageType[3]`` or ``unnest``. One statement that reads is run, and it can reach nothing but the
    index. Raises ValueError with DuckDB's message for anything else, ModuleNotFoundError without DuckDB (the extra
    `archive`).
    """
    with connected(index) as database:
        return run_sql(database, sql).read_all()
