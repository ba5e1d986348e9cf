"""A table that is written while files are read, and renewed by the next run: unchanged files keep their rows."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import pyarrow as pa

from dicomcore.archive.sources.walk import Output
from dicomcore.archive.tables.output import OutputFile, table_place
from dicomcore.archive.tables.parts import Parts
from dicomcore.archive.tables.previous import Previous
from dicomcore.archive.tables.renew import Read, Renewal
from dicomcore.archive.tables.stored import format_of
from dicomcore.archive.tables.writing import PROGRESS_COLUMNS, Progress, write_table
from dicomcore.threads import in_order

__all__ = ["AHEAD", "Gone", "write_renewed"]

AHEAD = 3  # batches for each worker that are begun or done, and not yet taken
Gone = Callable[[str], object]


def write_renewed(
    out: str | os.PathLike[str],
    schema: pa.Schema,
    batches: Callable[[Output | None], Iterator[list[str]]],
    reader: Callable[[ExitStack, Parts], tuple[Read, int]],
    *,
    finished: pa.Schema,
    parts: str | None = None,
    resume: bool = True,
    sort_by: Sequence[str] = (),
    ahead: int = AHEAD,
    progress: Progress | None = None,
    shown: tuple[str, ...] = PROGRESS_COLUMNS,
    gone: Gone | None = None,
) -> Path:
    """Write the table at `out`.

    Parameters
    ----------
    out
        The file of the table; its suffix names the format.
    schema, finished
        The columns of batches, and of the finished table. The first column is the file's path.
    batches
        Gives the files in batches, without the table that is being written.
    reader
        Gives the function that reads a batch and keeps its part, and the number of threads to call it on.
    parts
        The folder or URL of the parts, if they are not beside `out`.
    resume
        Whether rows of an earlier table, and parts of a run that was killed, are reused.
    sort_by
        Columns to sort the rows by.
    ahead
        Batches for each thread that are begun or done, and not yet written.
    progress
        Called with each finished batch; of rows that stay in the file as they are it gets the columns `shown`.
    gone
        Called with each path that the earlier table has and the files have no more.
    """
    target = os.fsdecode(out)
    format_of(target)
    target = table_place(target)
    with ExitStack() as stack:
        kept = stack.enter_context(Parts(target, parts))
        if not resume:
            kept.clear()
        read, threads = reader(stack, kept)
        previous = stack.enter_context(closing(Previous(target if resume else None, kept.paths(), schema)))
        work = Renewal(read, previous, lazy=not sort_by)
        numbered = enumerate(batches(Output.at(target)))
        results = in_order(numbered, work, threads, ahead=ahead, overlapped=True)
        stack.enter_context(closing(results))  # even after an error, the threads end before the objects they use close
        write_table(results, OutputFile(target, finished, kept, sort_by), previous, work, progress, shown)
        if gone is not None:
            for path in previous.gone():
                gone(path)
        previous.close()
        kept.finish()
    return Path(os.fsdecode(out))
