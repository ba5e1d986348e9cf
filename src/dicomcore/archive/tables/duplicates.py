"""The column `duplicate`: whether an earlier row has the same SOP Instance UID."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dicomcore._native.bulk.digest import Met
from dicomcore.archive.tables.table import flag_array, int_values, text_parts, valid_rows

__all__ = ["DUPLICATE", "Duplicates", "finished_schema"]

DUPLICATE = "duplicate"
INSTANCE = "SOPInstanceUID"


def finished_schema(schema: pa.Schema) -> pa.Schema:
    """The schema of finished batches: with the column `duplicate` if there is a column SOPInstanceUID."""
    if INSTANCE not in schema.names:
        return schema
    return schema.insert(schema.get_field_index("issues"), pa.field(DUPLICATE, pa.bool_()))


class Duplicates:
    """Adds `duplicate` to batches that come in the order of the table: False for the first file of an instance, True
    for further files, null without a SOP Instance UID. Takes some 16 bytes of memory for each instance."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = finished_schema(schema)
        self._met = Met()
        self._last = 0

    def mark(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the column `duplicate`; the same batch if it has no column SOPInstanceUID."""
        if INSTANCE not in batch.schema.names:
            return batch
        uids = batch.column(INSTANCE)
        flags = np.zeros(len(uids), np.uint8)
        if len(uids):
            frame = batch.column("frame") if "frame" in batch.schema.names else None
            self._met.mark(*text_parts(uids), flags)
            if frame is not None:  # the frames of one file are no duplicates of each other
                flags = self._by_file(flags, frame)
        marked = flag_array(flags, valid_rows(uids))
        columns = {**dict(zip(batch.schema.names, batch.columns, strict=True)), DUPLICATE: marked}
        return pa.RecordBatch.from_arrays([columns[name] for name in self._schema.names], schema=self._schema)

    def _by_file(self, flags: NDArray[np.uint8], frame: pa.Array) -> NDArray[np.uint8]:
        """The flag of a file's first frame, for all its frames; a batch may begin within the frames of a file."""
        begins = np.maximum.accumulate(np.where(int_values(frame, 0) == 0, np.arange(1, len(flags) + 1), 0))
        by_file = np.concatenate([[self._last], flags])[begins].astype(np.uint8)
        self._last = int(by_file[-1])
        return by_file
