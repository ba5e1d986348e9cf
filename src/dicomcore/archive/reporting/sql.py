"""`query`: SQL over an index, by DuckDB, which can access the index and nothing else."""

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
"""The names of the index in SQL; both work."""
MEMORY = "1GB"  # memory of DuckDB; more goes to a temporary folder
BATCH_ROWS = 1 << 14


@contextmanager
def connected(index: IndexLike, *, memory: str = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with the index as a table, which can access no file, network or extension.

    Raises OSError or ValueError if the index can't be opened.
    """
    with needs_extra("duckdb"):
        import duckdb
    rows = open_index(index)
    with tempfile.TemporaryDirectory(prefix="dicomcore-query-") as folder:
        database = duckdb.connect(config={"memory_limit": memory, "temp_directory": folder})
        try:
            for name in NAMES:
                database.register(name, rows)
            for setting in (
                "TimeZone = 'UTC'",
                "enable_progress_bar = false",  # DuckDB would write it to standard output
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
    """The result of one SELECT or EXPLAIN statement, as record batches that are computed while they are read.

    Raises ValueError for invalid SQL, for more than one statement, and for a statement that would write.
    """
    import duckdb

    try:
        statements = duckdb.extract_statements(sql)
        if len(statements) != 1:
            raise ValueError(f"one statement is expected, not {len(statements)}")
        if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
            raise ValueError(f"{statements[0].type.name} is refused: an index is only read")
        relation = database.sql(statements[0].query)
        read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader  # before DuckDB 1.4
        return _checked(read(BATCH_ROWS))
    except duckdb.Error as error:
        raise ValueError(str(error)) from None


def _checked(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same reader, which raises ValueError for errors of a statement that is running."""
    import duckdb
    import pyarrow as pa

    def batches() -> Iterator[Any]:
        try:
            yield from reader
        except (duckdb.Error, pa.ArrowInvalid, OSError) as error:
            raise ValueError(str(error)) from None

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def query(index: IndexLike, sql: str) -> pa.Table:
    """Run SQL over an index, a Parquet or Arrow file or a pyarrow.Table, and return the result as a pyarrow.Table.

    The index is the table `files` (or `index`), with the columns of `archive.index`. The dialect is DuckDB's: use
    ``ImageType[3]`` or ``unnest`` for lists. `sql` is one statement that only reads, and it can access nothing but the
    index. Raises ValueError with DuckDB's message for any other SQL, and ModuleNotFoundError without DuckDB (the extra
    `archive`).
    """
    with connected(index) as database:
        return run_sql(database, sql).read_all()
