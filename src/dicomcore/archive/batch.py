"""One batch of files to one record batch: what every engine runs."""

from __future__ import annotations

import pyarrow as pa

from dicomcore._native.extract import Extractor
from dicomcore.archive.columns import Columns
from dicomcore.archive.deviations import noted_texts
from dicomcore.archive.extras import extra_arrays
from dicomcore.archive.frame_rows import by_frame
from dicomcore.archive.row import decode_text, failed_row, read_row
from dicomcore.archive.table import to_batch
from dicomcore.archive.walk import Fault, shown

__all__ = ["read_batch"]


def read_batch(paths: list[str], columns: Columns, schema: pa.Schema, *, bulk: bool = True) -> pa.RecordBatch:
    """A row for each path, in their order. The GIL is held for what the bulk loop hands back alone.

    Without `bulk` nothing is left to that loop; the rows are the same.
    """
    rows = Extractor(columns.native, columns.stop_tag, paths if bulk else [None] * len(paths))
    issues: dict[int, list[str]] = {}
    errors: dict[int, str] = {}
    while (at := rows.run()) < len(paths):
        if (asked := rows.asked()) is not None:
            text = decode_text(*asked, rows.asks_for_many)
            if text is not None:
                rows.answer(text)
                continue
        path = paths[at]
        row = failed_row(path.reason, columns) if isinstance(path, Fault) else read_row(path, columns)
        rows.put(shown(path), row.size, row.mtime, row.values)
        if row.issues:
            issues[at] = row.issues
        if row.error is not None:
            errors[at] = row.error
    issues.update(noted_texts(rows, columns))
    more = extra_arrays(paths, columns, errors) if columns.has_extras else None
    batch = to_batch(rows, paths, columns, schema, issues, errors, more)
    return by_frame(batch, paths, columns, schema) if columns.level == "frame" else batch
