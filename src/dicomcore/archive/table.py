"""The table's Arrow side: its schema, and record batches over the bulk loop's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dicomcore.archive.columns import Columns
from dicomcore.archive.extra import needs_extra

with needs_extra("pyarrow"):
    import pyarrow as pa

if TYPE_CHECKING:
    from dicomcore._native.extract import Extractor

__all__ = ["FORMAT", "schema_of", "to_batch"]

FORMAT = {b"dicomcore.index": b"2"}
"""The schema's metadata: raised when rows of an unchanged file would look different."""

TYPES = {
    "text": pa.string(),
    "date": pa.date32(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
}
MTIME = pa.timestamp("us", tz="UTC")
ISSUES = pa.list_(pa.string())


def schema_of(columns: Columns) -> pa.Schema:
    """path, size, mtime, etag; the columns as the caller ordered them; issues, error."""
    fields = [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("mtime", MTIME),
        pa.field("etag", pa.string()),
    ]
    for column in columns.shown:
        kind = TYPES[column.kind]
        fields.append(pa.field(column.name, pa.list_(kind) if column.many else kind))
    fields += [pa.field("issues", ISSUES), pa.field("error", pa.string())]
    return pa.schema(fields, FORMAT)


def to_batch(
    rows: Extractor,
    paths: Sequence[str],
    columns: Columns,
    schema: pa.Schema,
    issues: Mapping[int, list[str]],
    errors: Mapping[int, str],
) -> pa.RecordBatch:
    """The filled rows of these paths as a record batch; their buffers go over to it. `issues`, `errors` are by row."""
    count = len(paths)
    etags = {i: path.etag for i, path in enumerate(paths) if type(path) is not str and getattr(path, "etag", None)}
    taken = rows.finish()
    path, size, mtime = taken[:3]
    arrays = {
        "path": _array(path, pa.string(), count),
        "size": _array(size, pa.int64(), count),
        "mtime": _array(mtime, MTIME, count),
        "etag": _sparse(etags, pa.string(), count),
        "issues": _sparse(issues, ISSUES, count),
        "error": _sparse(errors, pa.string(), count),
    }
    for column, buffers in zip(columns.by_tag, taken[3:], strict=True):
        arrays[column.name] = _array(buffers, schema.field(column.name).type, count)
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _array(buffers: Sequence[Any], kind: pa.DataType, count: int) -> pa.Array:
    values, valid, offsets, starts, data = buffers
    inner = kind.value_type if offsets is not None else kind
    if offsets is None:
        return pa.Array.from_buffers(inner, count, _buffers(valid, starts, data))
    child = pa.Array.from_buffers(inner, values, _buffers(None, starts, data))
    return pa.Array.from_buffers(kind, count, _buffers(valid, offsets), children=[child])


def _buffers(valid: Any, *others: Any) -> list[pa.Buffer | None]:
    found = [pa.py_buffer(one) for one in others if one is not None]
    return [pa.py_buffer(valid) if valid is not None else None, *found]


def _sparse(found: Mapping[int, Any], kind: pa.DataType, count: int) -> pa.Array:
    """An array that is null but for a few rows."""
    if not found:
        return pa.nulls(count, kind)
    return pa.array([found.get(row) for row in range(count)], kind)
