"""The engine `dask`: the workers of a dask.distributed cluster, on this or other machines, read the batches.

Each worker writes the rows of a batch as a Parquet part into a folder that all machines see, or into an object store.
The part's name depends only on the batch: a batch that is read twice, after its worker was lost, is still one part.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.tables.batch import read_batch
from dicomcore.archive.tables.columns import Columns
from dicomcore.archive.tables.parts import unfinished_file
from dicomcore.archive.tables.stored import open_stored, remote_file_system
from dicomcore.threads import cpus

with needs_extra("pyarrow"):
    import pyarrow as pa
    import pyarrow.parquet as pq

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["ClusterReader", "cluster_reader"]

AHEAD = 3  # batches under way for each worker thread
STORES = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "oci", "oss"))  # writing an object is atomic


@contextmanager
def cluster_reader(
    columns: Columns, schema: pa.Schema, *, scheduler: Any = None, workers: int | None = None
) -> Iterator[ClusterReader]:
    """Connect a reader to a cluster. `scheduler` is its address or a Client; without it, a local cluster of `workers`
    processes is started for the run. Raises ModuleNotFoundError, which names the extra that installs dask."""
    with needs_extra("distributed", "dask"):
        from distributed import Client, LocalCluster
    with ExitStack() as stack:
        if isinstance(scheduler, Client):
            client = scheduler
        else:
            if scheduler is None:
                scheduler = stack.enter_context(
                    LocalCluster(
                        n_workers=workers or cpus(),
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address=None,
                    )
                )
            client = stack.enter_context(Client(scheduler, set_as_default=False))
        yield ClusterReader(client, columns, schema)


class ClusterReader:
    """Reads batches on a cluster. Each call waits for its batch, so call it from `threads` threads at once."""

    def __init__(self, client: Client, columns: Columns, schema: pa.Schema) -> None:
        self._client = client
        self._run = secrets.token_hex(8)
        self._columns = columns
        self._schema = schema

    @property
    def threads(self) -> int:
        """The number of batches that should be under way, each submitted by a thread of its own."""
        return AHEAD * max(sum(self._client.nthreads().values()), 1)

    def __call__(self, number: int, paths: list[str], place: str | None) -> pa.RecordBatch:
        """The rows of these paths. With `place` (a path that every worker sees, or a URL) a worker writes them as a
        part there, which is then read here."""
        # Columns and schema are sent with every batch, whose paths take more bytes: a worker that is lost would lose
        # any copy that it cached.
        key = f"dicomcore-index-{self._run}-{number}"
        future = self._client.submit(_read, paths, place, self._columns, self._schema, key=key, pure=False)
        result = future.result()
        if place is None:
            return result
        part = open_stored(place)
        if part is None:
            raise OSError(f"a worker has written {place}, but it can't be read here: do all machines share the folder?")
        try:
            batches = part.read(0).combine_chunks().to_batches()
        finally:
            part.close()
        return batches[0]


def _read(paths: list[str], place: str | None, columns: Columns, schema: pa.Schema) -> pa.RecordBatch | int:
    """A worker's task: read a batch, and return its rows, or the number of rows in the part that it wrote."""
    batch = read_batch(paths, columns, schema)
    if place is None:
        return batch
    write_part(batch, place)
    return batch.num_rows


def write_part(batch: pa.RecordBatch, place: str) -> None:
    """Write a Parquet file atomically, replacing an existing one."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_batches([batch])
    # A part is read once and then deleted: dictionaries and statistics would not pay.
    pq.write_table(table, sink, max(len(batch), 1), compression="lz4", use_dictionary=False, write_statistics=False)
    data = sink.getvalue()
    system, path = remote_file_system(place)
    if system is None:
        with unfinished_file(f"{path}.{secrets.token_hex(8)}.tmp") as unfinished:
            with open(unfinished, "wb") as file:
                file.write(data)
            os.replace(unfinished, path)
    elif place.partition(":")[0] in STORES:
        system.pipe_file(path, data.to_pybytes())
    else:
        unfinished = f"{path}.{secrets.token_hex(8)}.tmp"
        system.pipe_file(unfinished, data.to_pybytes())
        system.mv(unfinished, path)
