"""Tables with a row for each frame, from the functional groups of multi-frame files (PS3.3 C.7.6.16)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.spread import spread
from dicomcore.archive.tables.columns import FRAME_GROUPS, FRAMES, SHARED_GROUPS, Column, Columns
from dicomcore.archive.tables.row import cell_of, read_data_set
from dicomcore.archive.tables.table import column_arrays, int32_array, int_array, int_values, list_array
from dicomcore.dataset import DataElement, Dataset

__all__ = ["by_frame"]


def by_frame(batch: pa.RecordBatch, paths: Sequence[str], columns: Columns, schema: pa.Schema) -> pa.RecordBatch:
    """Turn a batch with a row for each file into one with a row for each frame.

    The column FRAMES of `batch` counts the frames that have per-frame functional groups. The elements of a frame's
    groups take precedence over those of the data set.
    """
    counts = int_values(batch.column(FRAMES), 0)
    cells: dict[int, list[tuple[list[Any], list[str]]]] = {}
    for at in np.flatnonzero(counts).tolist():
        try:
            cells[at] = list(_frames(read_data_set(paths[at]), columns, int(counts[at])))
        except Exception:  # the file has changed since its row was read: the row stays as it is
            counts[at] = 0
    rows = np.maximum(counts, 1)
    files = np.repeat(np.arange(len(rows)), rows)  # the file of each row
    numbers = np.arange(len(files)) - np.repeat(np.cumsum(rows) - rows, rows)
    numbers[counts[files] == 0] = -1
    arrays = {name: batch.column(name).take(int_array(files)) for name in schema.names if name in batch.schema.names}
    arrays["frame"] = int32_array(numbers, numbers >= 0)
    if cells:
        _put_cells(arrays, batch, cells, columns, counts)
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def _put_cells(
    arrays: dict[str, pa.Array],
    batch: pa.RecordBatch,
    cells: dict[int, list[tuple[list[Any], list[str]]]],
    columns: Columns,
    counts: np.ndarray[Any, np.dtype[np.int64]],
) -> None:
    """Fill the columns: of files with cells, from the `cells` of their frames; of the others, from their rows."""
    total = sum(map(len, cells.values()))
    frame_rows = Extractor(columns.native, columns.stop_tag, [None] * total)
    for frames in cells.values():
        for values, _ in frames:
            frame_rows.put("", None, None, values)
    of_frames = column_arrays(frame_rows, columns, total)
    begins = np.arange(len(counts))
    begins[counts > 0] = len(batch) + np.cumsum(counts[counts > 0]) - counts[counts > 0]
    order = int_array(spread(begins, np.maximum(counts, 1)))
    for column in columns.by_tag:
        if column.name != FRAMES:
            both = pa.concat_arrays([batch.column(column.name), of_frames[column.name]])
            arrays[column.name] = both.take(order)
    with_issues = {at: frames for at, frames in cells.items() if any(issues for _, issues in frames)}
    if with_issues:
        of_files = batch.column("issues").to_pylist()
        texts = []
        for at, count in enumerate(np.maximum(counts, 1).tolist()):
            own_issues = [issues for _, issues in with_issues[at]] if at in with_issues else [[]] * count
            texts += [(of_files[at] or []) + issues or None for issues in own_issues]
        arrays["issues"] = list_array(texts)


def _frames(data_set: Dataset, columns: Columns, count: int) -> Iterator[tuple[list[Any], list[str]]]:
    """The values of each frame, and the issues of values that their column can't hold."""
    shared = _in_groups(data_set[SHARED_GROUPS].value[0]) if _has_items(data_set, SHARED_GROUPS) else {}
    frames = data_set[FRAME_GROUPS].value
    whole: dict[str, Any] = {}
    for column in columns.by_tag:
        whole[column.name], _ = cell_of(column, data_set)
    plain = [column for column in columns.by_tag if not column.steps and not column.creator and column.name != FRAMES]
    stated = data_set.get("NumberOfFrames")
    differs = isinstance(stated, int) and stated != count
    text = f"FRAME_GROUPS Number of Frames is {stated}, and functional groups are there for {count}"
    of_file = [text] if differs else []
    for i in range(count):
        groups = shared | _in_groups(frames[i])
        values = dict(whole)
        misfits = list(of_file)
        for column in plain:
            if (element := groups.get(int(column.tag))) is not None:
                values[column.name], misfit = _cell(column, element)
                misfits += [misfit] if misfit else []
        yield list(values.values()), misfits


def _cell(column: Column, element: DataElement) -> tuple[Any, str | None]:
    return cell_of(column, [element])


def _has_items(data_set: Dataset, tag: int) -> bool:
    return tag in data_set and data_set[tag].VR == "SQ" and len(data_set[tag].value) > 0


def _in_groups(item: Dataset) -> dict[int, DataElement]:
    """The elements in the functional groups of an item, either a frame's or the shared one, by tag."""
    elements: dict[int, DataElement] = {}
    for group in item:
        if group.VR == "SQ" and group.value:
            elements.update((int(element.tag), element) for element in group.value[0])
    return elements
