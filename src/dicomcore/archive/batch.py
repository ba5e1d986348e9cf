"""One batch of files to one record batch: what every engine runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa

from dicomcore._native.extract import Extractor
from dicomcore.archive.columns import Columns
from dicomcore.archive.row import Row, issue_texts, read_row
from dicomcore.archive.table import to_batch
from dicomcore.archive.walk import Entry
from dicomcore.issues import Issue, scanned_issue

__all__ = ["read_batch"]


def read_batch(entries: Sequence[Entry], columns: Columns, schema: pa.Schema, *, bulk: bool = True) -> pa.RecordBatch:
    """A row for each entry, in their order. The GIL is held for what the bulk loop hands back alone.

    Without `bulk` nothing is left to that loop; the rows are the same.
    """
    paths = [path if bulk and fault is None else None for path, fault in entries]
    rows = Extractor(columns.native, columns.stop_tag, paths)
    issues: dict[int, list[str]] = {}
    errors: dict[int, str] = {}
    while (at := rows.run()) < len(entries):
        path, fault = entries[at]
        row = read_row(path, columns) if fault is None else Row(None, None, [None] * len(columns.by_tag), [], fault)
        rows.put(_shown(path), row.size, row.mtime, row.values)
        if row.issues:
            issues[at] = row.issues
        if row.error is not None:
            errors[at] = row.error
    deviations: defaultdict[int, list[Issue]] = defaultdict(list)
    for at, *deviation in rows.issues():
        deviations[at].append(scanned_issue(*deviation))
    issues.update((at, issue_texts(found)) for at, found in deviations.items())
    return to_batch(rows, len(entries), columns, schema, issues, errors)


def _shown(path: str) -> str:
    """The path as text: bytes that are no UTF-8 as escapes."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
