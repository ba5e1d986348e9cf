"""The table of findings in Arrow: its schema, and record batches of what was found in a batch of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dicomcore.archive.checking.rules import Rules
from dicomcore.archive.failure import Failure
from dicomcore.archive.sources.place import shown
from dicomcore.archive.tables.table import (
    ERROR_KIND,
    MTIME,
    buffer_array,
    int32_array,
    int_array,
    sparse_array,
    text_array,
)
from dicomcore.iod import Finding
from dicomcore.iod.checking import iod_name_of

__all__ = ["FORMAT", "FileColumns", "findings_schema", "to_batch"]

FORMAT = b"dicomcore.check"
"""The key of the schema's metadata that says what the findings depend on."""
TEXTS = ("code", "severity", "path", "module", "clause", "message")
FILE = (
    pa.field("file", pa.string(), nullable=False),
    pa.field("size", pa.int64()),
    pa.field("mtime", MTIME),
    pa.field("etag", pa.string()),
    pa.field("sop_class", pa.string()),
    pa.field("iod", pa.string()),
    pa.field("sop_instance", pa.string()),
    pa.field("unknown", pa.int64()),
)
FINDING = (
    pa.field("finding", pa.int32()),
    pa.field("code", pa.string()),
    pa.field("severity", pa.string()),
    pa.field("path", pa.string()),
    pa.field("tag", pa.uint32()),
    pa.field("module", pa.string()),
    pa.field("clause", pa.string()),
    pa.field("message", pa.string()),
    pa.field("count", pa.int64()),
)
ERROR = (pa.field("error", pa.string()), ERROR_KIND)


def findings_schema(rules: Rules) -> pa.Schema:
    """The schema of a run with these rules."""
    return pa.schema([*FILE, *FINDING, *ERROR], {FORMAT: rules.key})


class FileColumns(NamedTuple):
    """What is known of each file of a batch: paths, the checker's columns, failures by row, undecided conditions."""

    paths: Sequence[str]
    columns: Sequence[Any]
    failures: Mapping[int, Failure]
    unknown: NDArray[np.int64]

    def arrays(self, iod: str) -> dict[str, pa.Array]:
        """The columns of FILE and ERROR, a value for each file; `iod` is the name for all, if it is not empty."""
        count = len(self.paths)
        kinds = (pa.int64(), MTIME, pa.string(), pa.string())
        size, mtime, sop_class, instance = (
            buffer_array(column, kind, count) for column, kind in zip(self.columns, kinds, strict=True)
        )
        etags = {row: tag for row, path in enumerate(self.paths) if (tag := getattr(path, "etag", None))}
        return {
            "file": text_array([shown(path) for path in self.paths]),
            "size": size,
            "mtime": mtime,
            "etag": sparse_array(etags, pa.string(), count),
            "sop_class": sop_class,
            "iod": _iods(sop_class, iod, self.failures),
            "sop_instance": instance,
            "unknown": int_array(self.unknown),
            "error": sparse_array({row: one.reason for row, one in self.failures.items()}, pa.string(), count),
            ERROR_KIND.name: sparse_array({row: one.kind for row, one in self.failures.items()}, pa.string(), count),
        }


def _iods(sop_class: pa.Array, iod: str, failures: Mapping[int, Failure]) -> pa.Array:
    if iod:
        return text_array([None if row in failures else iod for row in range(len(sop_class))])
    coded = sop_class.dictionary_encode()
    names = [iod_name_of(uid) or None for uid in coded.dictionary.to_pylist()]
    return text_array(names).take(coded.indices)


def to_batch(
    files: FileColumns,
    counts: NDArray[np.int64],
    numbers: NDArray[np.int64],
    times: NDArray[np.int64],
    found: Sequence[Finding],
    iod: str,
    schema: pa.Schema,
) -> pa.RecordBatch:
    """A row for each finding, and one for each file without any.

    `counts` are the findings of each file; `numbers` say which of `found` each of them is, `times` how often it is
    there.
    """
    rows = np.maximum(counts, 1)
    at = np.repeat(np.arange(len(rows)), rows)
    is_finding = np.repeat(counts > 0, rows)
    first = np.repeat(np.cumsum(rows) - rows, rows)
    which = np.zeros(len(at), np.int64)
    which[is_finding] = numbers
    count = np.zeros(len(at), np.int64)
    count[is_finding] = times
    places = int_array(at)
    choice = int32_array(which, is_finding)
    columns = {name: values.take(places) for name, values in files.arrays(iod).items()}
    columns |= {name: text_array([getattr(one, name) for one in found]).take(choice) for name in TEXTS}
    tags = np.array([int(one.tag) for one in found], np.uint32)
    columns["tag"] = pa.Array.from_buffers(pa.uint32(), len(tags), [None, pa.py_buffer(tags)]).take(choice)
    columns["finding"] = int32_array(np.arange(len(at)) - first, is_finding)
    columns["count"] = _nullable(count, is_finding)
    return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)


def _nullable(values: NDArray[np.int64], valid: NDArray[np.bool_]) -> pa.Array:
    bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.int64(), len(values), [bits, pa.py_buffer(values)])
