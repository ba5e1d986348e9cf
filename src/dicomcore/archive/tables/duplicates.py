"""Which rows are of a SOP Instance that an earlier row is of already."""

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
    """The schema of batches as they are handed out: with the column `duplicate` where there is one to tell it by."""
    if INSTANCE not in schema.names:
        return schema
    return schema.insert(schema.get_field_index("issues"), pa.field(DUPLICATE, pa.bool_()))


class Duplicates:
    """Adds `duplicate` to batches that come in the order of the table: False for the first file of an instance, True
    for more of them, null where there is no SOP Instance UID. Holds some 16 bytes an instance."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = finished_schema(schema)
        self._met = Met()
        self._last = 0

    def mark(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with the column; as it is where it has no SOP Instance UIDs."""
        if INSTANCE not in batch.schema.names:
            return batch
        uids = batch.column(INSTANCE)
        flags = np.zeros(len(uids), np.uint8)
        if len(uids):
            frame = batch.column("frame") if "frame" in batch.schema.names else None
            self._met.mark(*text_parts(uids), flags)
            if frame is not None:  # the frames of one file are no duplicates of its first
                flags = self._by_file(flags, frame)
        marked = flag_array(flags, valid_rows(uids))
        columns = {**dict(zip(batch.schema.names, batch.columns, strict=True)), DUPLICATE: marked}
        return pa.RecordBatch.from_arrays([columns[name] for name in self._schema.names], schema=self._schema)

    def _by_file(self, flags: NDArray[np.uint8], frame: pa.Array) -> NDArray[np.uint8]:
        """What is said of a file's first frame, for all of them; the first ones may be of a file that came before."""
        begins = np.maximum.accumulate(np.where(int_values(frame, 0) == 0, np.arange(1, len(flags) + 1), 0))
        found = np.concatenate([[self._last], flags])[begins].astype(np.uint8)
        self._last = int(found[-1])
        return found
