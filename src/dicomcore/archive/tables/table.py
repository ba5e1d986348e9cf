"""The table in Arrow: its schema, and record batches over the bulk loop's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.tables.columns import FRAMES, Column, Columns

with needs_extra("pyarrow"):
    import pyarrow as pa

if TYPE_CHECKING:
    from dicomcore._native.bulk.extract import Extractor
    from dicomcore.archive.failure import Failure

__all__ = [
    "ERROR_KIND",
    "FORMAT",
    "MTIME",
    "buffer_array",
    "column_arrays",
    "flag_array",
    "int32_array",
    "int_array",
    "int_values",
    "list_array",
    "schema_of",
    "sparse_array",
    "text_array",
    "text_parts",
    "to_batch",
    "valid_rows",
]

FORMAT = {b"dicomcore.index": b"2"}
"""The schema's metadata: the number is raised when the rows of an unchanged file would look different."""

TYPES = {
    "text": pa.string(),
    "date": pa.date32(),
    "float64": pa.float64(),
    "float32": pa.float32(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "uint64": pa.uint64(),
    "map": pa.map_(pa.string(), pa.string()),
}
ERROR_KIND = pa.field("error_kind", pa.string())
"""Null where `error` is; tables of earlier versions lack it."""
MTIME = pa.timestamp("us", tz="UTC")
ISSUES = pa.list_(pa.string())


# pyarrow.array() of a NumPy array, and to_numpy(), import pandas if it is installed: half a second, and 50 MB.


def int_array(values: NDArray[np.int64]) -> pa.Array:
    """An Arrow array over the memory of an array."""
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def flag_array(values: NDArray[Any], valid: NDArray[Any]) -> pa.Array:
    """An Arrow array of booleans, null where `valid` is false."""
    bits = [pa.py_buffer(np.packbits(one, bitorder="little")) for one in (valid, values)]
    return pa.Array.from_buffers(pa.bool_(), len(values), bits)


def int32_array(values: NDArray[np.int64], valid: NDArray[np.bool_]) -> pa.Array:
    """An Arrow array of 32-bit numbers, null where `valid` is false."""
    bits = pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.int32(), len(values), [bits, pa.py_buffer(values.astype(np.int32))])


def int_values(array: pa.Array | pa.ChunkedArray, fill: int) -> NDArray[np.int64]:
    """The values of a column of whole numbers or times, `fill` where it is null."""
    whole = _combined(array)
    wide = whole.cast(pa.int64())
    values = np.frombuffer(wide.buffers()[1] or b"", np.int64)[wide.offset : wide.offset + len(wide)]
    return np.where(valid_rows(whole), values, fill)


def text_parts(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The UTF-8 bytes of an array's texts, and the offsets at which each begins and the last ends."""
    _, starts, text = texts.buffers()
    if not len(texts):
        return np.empty(0, np.uint8), np.zeros(1, np.int32)
    begins = np.frombuffer(starts, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    # The buffer of an array from a message may have any alignment.
    return np.frombuffer(text or b"", np.uint8), np.require(begins, requirements="A")


def valid_rows(array: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """A mask of the rows in which a column is not null."""
    whole = _combined(array)
    bits = whole.buffers()[0]
    if whole.null_count == 0 or bits is None:
        return np.full(len(whole), whole.null_count == 0)
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    return flags[whole.offset : whole.offset + len(whole)].astype(bool)


def _combined(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def schema_of(columns: Columns) -> pa.Schema:
    """The schema of batches: path, size, mtime, etag; frame with level="frame"; the columns in the caller's order; the
    hashes that are requested; issues, error, error_kind."""
    fields = [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("mtime", MTIME),
        pa.field("etag", pa.string()),
    ]
    if columns.level == "frame":
        fields.append(pa.field("frame", pa.int32()))
    fields += [pa.field(column.name, _type_of(column)) for column in columns.shown]
    hashes = {"content_hash": columns.content_hash, "pixel_hash": columns.pixel_hash}
    fields += [
        pa.field(name, pa.string(), metadata={"algorithm": algorithm})
        for name, algorithm in hashes.items()
        if algorithm
    ]
    fields += [pa.field("issues", ISSUES), pa.field("error", pa.string()), ERROR_KIND]
    return pa.schema(fields, FORMAT)


def _type_of(column: Column) -> pa.DataType:
    kind = TYPES[column.kind]
    return pa.list_(kind) if column.many else kind


def to_batch(
    rows: Extractor,
    paths: Sequence[str],
    columns: Columns,
    schema: pa.Schema,
    issues: Mapping[int, list[str]],
    failures: Mapping[int, Failure],
    more: Mapping[str, pa.Array] | None = None,
) -> pa.RecordBatch:
    """The filled rows of these paths as a record batch, which takes over their buffers.

    `issues` and `failures` are by row; `more` are the arrays of columns that the bulk loop does not fill. With
    level="frame" the batch has the column FRAMES in place of `frame`, for `by_frame` to replace.
    """
    count = len(paths)
    plain = set(map(type, paths)) <= {str}
    etags = {} if plain else {i: tag for i, path in enumerate(paths) if (tag := getattr(path, "etag", None))}
    taken = rows.finish()
    path, size, mtime = taken[:3]
    arrays = {
        "path": buffer_array(path, pa.string(), count),
        "size": buffer_array(size, pa.int64(), count),
        "mtime": buffer_array(mtime, MTIME, count),
        "etag": sparse_array(etags, pa.string(), count),
        "issues": sparse_array(issues, ISSUES, count),
        "error": sparse_array({row: failure.reason for row, failure in failures.items()}, pa.string(), count),
        ERROR_KIND.name: sparse_array({row: failure.kind for row, failure in failures.items()}, pa.string(), count),
    }
    arrays |= more or {}
    for column, buffers in zip(columns.by_tag, taken[3:], strict=True):
        arrays[column.name] = buffer_array(buffers, _type_of(column), count)
    if columns.level == "frame":
        at = schema.get_field_index("frame")
        schema = schema.remove(at).insert(at, pa.field(FRAMES, pa.int32()))
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def column_arrays(rows: Extractor, columns: Columns, count: int) -> dict[str, pa.Array]:
    """Only the columns of filled rows, by name; the arrays take over the buffers."""
    pairs = zip(columns.by_tag, rows.finish()[3:], strict=True)
    return {column.name: buffer_array(buffers, _type_of(column), count) for column, buffers in pairs}


def buffer_array(buffers: Sequence[Any], kind: pa.DataType, count: int) -> pa.Array:
    """An Arrow array over the buffers of a filled column of the bulk loop."""
    values, valid, offsets, starts, data = buffers
    inner = kind.value_type if offsets is not None else kind
    if offsets is None:
        return pa.Array.from_buffers(inner, count, _buffers(valid, starts, data))
    child = pa.Array.from_buffers(inner, values, _buffers(None, starts, data))
    return pa.Array.from_buffers(kind, count, _buffers(valid, offsets), children=[child])


def _buffers(valid: Any, *others: Any) -> list[pa.Buffer | None]:
    data = [pa.py_buffer(memory) for memory in others if memory is not None]
    return [pa.py_buffer(valid) if valid is not None else None, *data]


def sparse_array(values: Mapping[int, Any], kind: pa.DataType, count: int) -> pa.Array:
    """An array of texts, or of lists of texts, that is null except for a few rows."""
    if not values:
        return pa.nulls(count, kind)
    rows = [values.get(row) for row in range(count)]
    return list_array(rows) if pa.types.is_list(kind) else text_array(rows)


def list_array(rows: Sequence[Sequence[str] | None]) -> pa.Array:
    """An array of lists of texts."""
    valid, starts = _layout([0 if row is None else len(row) for row in rows], rows)
    child = text_array([text for row in rows if row is not None for text in row])
    return pa.Array.from_buffers(ISSUES, len(rows), [valid, starts], children=[child])


def text_array(texts: Sequence[str | None]) -> pa.Array:
    """An array of texts."""
    encoded = [b"" if text is None else text.encode("utf-8", "backslashreplace") for text in texts]
    valid, starts = _layout([len(text) for text in encoded], texts)
    # The number of nulls is passed: PyArrow 24 aborts if it has to count them in a map's keys.
    nulls = sum(text is None for text in texts)
    return pa.Array.from_buffers(pa.string(), len(texts), [valid, starts, pa.py_buffer(b"".join(encoded))], nulls)


def _layout(lengths: Sequence[int], values: Sequence[Any]) -> tuple[pa.Buffer, pa.Buffer]:
    """The validity bits of values, and the offsets at which each begins and the last ends."""
    valid = np.packbits(np.array([value is not None for value in values], bool), bitorder="little")
    starts = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=starts[1:])
    return pa.py_buffer(valid), pa.py_buffer(starts)
