"""Reading one batch of files into one record batch: the task that every engine runs."""

from __future__ import annotations

import pyarrow as pa

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.failure import Failure, failure_of
from dicomcore.archive.sources.deflated import Deflated
from dicomcore.archive.sources.heads import Heads
from dicomcore.archive.sources.place import Fault, Place, shown
from dicomcore.archive.tables.columns import Columns
from dicomcore.archive.tables.deviations import noted_texts
from dicomcore.archive.tables.extras import extra_arrays
from dicomcore.archive.tables.frame_rows import by_frame
from dicomcore.archive.tables.row import Row, decode_text, failed_row, read_blob_row, read_row
from dicomcore.archive.tables.table import to_batch

__all__ = ["read_batch"]


def read_batch(paths: list[str], columns: Columns, schema: pa.Schema, *, bulk: bool = True) -> pa.RecordBatch:
    """Read a row for each path, in their order. The GIL is held only for files that the bulk loop hands back.

    Without `bulk` that loop reads none of the files; the rows are the same, but for damage behind the header of a
    deflated data set, which is only seen where all of it is inflated.
    """
    rows = Extractor(columns.native, columns.stop_tag, paths if bulk else [None] * len(paths))
    issues: dict[int, list[str]] = {}
    failures: dict[int, Failure] = {}
    with Heads.of(paths) as heads:
        _fill(rows, paths, columns, heads, issues, failures)
    issues.update(noted_texts(rows, columns))
    more = extra_arrays(paths, columns, failures, issues) if columns.has_extras else None
    batch = to_batch(rows, paths, columns, schema, issues, failures, more)
    return by_frame(batch, paths, columns, schema) if columns.level == "frame" else batch


def _fill(
    rows: Extractor,
    paths: list[str],
    columns: Columns,
    heads: Heads,
    issues: dict[int, list[str]],
    failures: dict[int, Failure],
) -> None:
    deflated = Deflated()
    while (at := rows.run()) < len(paths):
        if (question := rows.asked()) is not None:
            text = decode_text(*question, rows.asks_for_many)
            if text is not None:
                rows.answer(text)
                continue
        path = paths[at]
        row = _row(rows, at, path, columns, heads, deflated)
        if row is None:
            continue
        rows.put(shown(path), row.size, row.mtime, row.values)
        if row.issues:
            issues[at] = row.issues
        if row.failure is not None:
            failures[at] = row.failure


def _row(rows: Extractor, at: int, path: str, columns: Columns, heads: Heads, deflated: Deflated) -> Row | None:
    """The row of a file that the bulk loop can't read; None if the loop received the bytes that it needs to go on."""
    if not isinstance(path, Place):
        return None if deflated.feed(rows, at, path) else read_row(path, columns)
    if isinstance(path, Fault):
        return failed_row(path.failure, columns)
    try:
        blob = heads.feed(rows, at, path)
    except Exception as error:  # a bad file gives one row, whatever it raised
        mtime = None if path.mtime is None else path.mtime * 1000
        return failed_row(failure_of(error, path), columns, path.size, mtime)
    return None if blob is None else read_blob_row(blob, columns)
