"""The rows of `check` as reports, a file at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.failure import Failure
from dicomcore.iod import Finding, Report
from dicomcore.tags import Tag

with needs_extra("pyarrow"):
    import pyarrow as pa

__all__ = ["reports_of"]

COLUMNS = ("file", "sop_class", "iod", "unknown", "finding", *Finding._fields, "error", "error_kind")


def reports_of(batch: pa.RecordBatch) -> Iterator[tuple[str, Report | Failure]]:
    """Each file of a batch with its report, or with why it could not be read."""
    began = 0

    def number(row: dict[str, Any]) -> int:
        nonlocal began
        began += not row["finding"]
        return began

    for _, rows in groupby(batch.select(list(COLUMNS)).to_pylist(), number):
        first, *others = rows
        if first["error"] is not None:
            yield first["file"], Failure(first["error"], first["error_kind"])
            continue
        found = [_finding(row) for row in (first, *others)] if first["code"] is not None else []
        yield (
            first["file"],
            Report(found, sop_class=first["sop_class"] or "", iod=first["iod"] or "", unknown=first["unknown"]),
        )


def _finding(row: dict[str, Any]) -> Finding:
    return Finding._make(Tag(row[name]) if name == "tag" else row[name] for name in Finding._fields)
