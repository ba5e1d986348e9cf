"""The engine `dask`: batches are read by the workers of a dask.distributed cluster, here or on other machines.

Each worker writes the rows of a batch as a Parquet part into a folder that all machines see, or an object store, under
a name that depends on the batch alone: a batch that is read twice, after its worker was lost, is one part still.
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
from dicomcore.archive.tables.engine import default_workers
from dicomcore.archive.tables.parts import unfinished_file
from dicomcore.archive.tables.stored import open_stored, remote_file_system

with needs_extra("pyarrow"):
    import pyarrow as pa
    import pyarrow.parquet as pq

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["ClusterReader", "cluster_reader"]

AHEAD = 3  # batches a worker thread that are under way
STORES = frozenset(("s3", "s3a", "gs", "gcs", "az", "abfs", "adl", "oci", "oss"))  # whose objects appear whole


@contextmanager
def cluster_reader(
    columns: Columns, schema: pa.Schema, *, scheduler: Any = None, workers: int | None = None
) -> Iterator[ClusterReader]:
    """A reader on a cluster: `scheduler` is its address or a Client; without one a local cluster of `workers`
    processes is made for the run. ModuleNotFoundError names the extra that brings dask."""
    with needs_extra("distributed", "dask"):
        from distributed import Client, LocalCluster
    with ExitStack() as stack:
        if isinstance(scheduler, Client):
            client = scheduler
        else:
            if scheduler is None:
                scheduler = stack.enter_context(
                    LocalCluster(
                        n_workers=workers or default_workers(),
                        threads_per_worker=1,
                        processes=True,
                        dashboard_address=None,
                    )
                )
            client = stack.enter_context(Client(scheduler, set_as_default=False))
        yield ClusterReader(client, columns, schema)


class ClusterReader:
    """Reads batches on a cluster; to be called from as many threads as there are batches to be under way at a time."""

    def __init__(self, client: Client, columns: Columns, schema: pa.Schema) -> None:
        self._client = client
        self._run = secrets.token_hex(8)
        self._columns = columns
        self._schema = schema

    @property
    def threads(self) -> int:
        """How many batches to have under way."""
        return AHEAD * max(sum(self._client.nthreads().values()), 1)

    def __call__(self, number: int, paths: list[str], place: str | None) -> pa.RecordBatch:
        """The rows of these paths, by way of a part at `place` (a path that every worker sees, or a URL), if any."""
        # Columns and schema go along with every batch, whose paths are longer: what workers keep goes when they do.
        key = f"dicomcore-index-{self._run}-{number}"
        future = self._client.submit(_read, paths, place, self._columns, self._schema, key=key, pure=False)
        found = future.result()
        if place is None:
            return found
        part = open_stored(place)
        if part is None:
            raise OSError(f"a worker has written {place}, and it can't be read here: is it shared by all machines?")
        try:
            batches = part.read(0).combine_chunks().to_batches()
        finally:
            part.close()
        return batches[0]


def _read(paths: list[str], place: str | None, columns: Columns, schema: pa.Schema) -> pa.RecordBatch | int:
    """What a worker does with a batch: the rows, or how many of them are in the part at `place`."""
    batch = read_batch(paths, columns, schema)
    if place is None:
        return batch
    write_part(batch, place)
    return batch.num_rows


def write_part(batch: pa.RecordBatch, place: str) -> None:
    """Write a Parquet file that appears whole; over one that is there already."""
    sink = pa.BufferOutputStream()
    table = pa.Table.from_batches([batch])
    # Read once and then gone: no dictionaries, no statistics.
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
