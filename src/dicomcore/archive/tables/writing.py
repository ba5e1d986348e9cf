"""Writing the workers' results to the finished table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import pyarrow as pa

from dicomcore.archive.tables.duplicates import Duplicates
from dicomcore.archive.tables.output import GROUP_ROWS, OutputFile
from dicomcore.archive.tables.previous import Previous
from dicomcore.archive.tables.renew import Kept, Renewal

__all__ = ["Progress", "write_table"]

PROGRESS_COLUMNS = ("path", "size", "mtime", "issues", "error", "error_kind")
"""The columns of an index that `progress` receives for rows that stay where they are in the table."""
Progress = Callable[[pa.RecordBatch], object]


def write_table(
    results: Iterator[Kept | pa.RecordBatch],
    output: OutputFile,
    previous: Previous,
    work: Renewal,
    progress: Progress | None,
    columns: tuple[str, ...] = PROGRESS_COLUMNS,
) -> None:
    """Write the results of all batches, in their order, to `output`. Of rows that stay where they are in the table
    `progress` gets these columns.

    If the results are exactly the rows of the earlier table, that table stays as it is, and no file is written.
    """
    same, first = _rows_in_place(results, previous, progress, columns)
    if first is None and same == previous.first_rows and same:
        return
    work.lazy = False
    marks = Duplicates(previous.schema)
    with output:
        for begin in range(0, same, GROUP_ROWS):
            for batch in previous.rows(begin, min(GROUP_ROWS, same - begin)).to_batches():
                output.write(marks.mark(batch))
        for result in chain([first] if first is not None else [], results):
            batches = previous.rows(*result).to_batches() if isinstance(result, Kept) else [result]
            for batch in map(marks.mark, batches):
                output.write(batch)
                if progress is not None:
                    progress(batch)


def _rows_in_place(
    results: Iterator[Kept | pa.RecordBatch],
    previous: Previous,
    progress: Progress | None,
    columns: tuple[str, ...],
) -> tuple[int, Kept | pa.RecordBatch | None]:
    """The number of the earlier table's first rows that are unchanged, and the first result that differs."""
    same = 0
    for result in results:
        if not isinstance(result, Kept) or result.first != same:
            return same, result
        same += result.rows
        if progress is not None:
            for batch in previous.rows(*result, columns).to_batches():
                progress(batch)
    return same, None
