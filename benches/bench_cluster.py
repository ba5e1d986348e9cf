"""The engine `dask` on a local cluster of two processes beside two threads, in turns, on 200 000 files.

The files are 20 000 copies of real ones, linked ten times; default columns, warm cache. The cluster is started
before, like one that is used by its address. Both tables must be equal before a rate counts.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from distributed import Client, LocalCluster

from benches.bench_index import FILES, linked, make_archive, real_files, seconds
from benches.race import machine
from dicomcore.archive import index


def main() -> None:
    rounds = 2 if "--quick" in sys.argv else 4
    with (
        tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as folder,
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        archive = Path(folder) / "archive"
        archive.mkdir()
        make_archive(archive, real_files())
        sources = linked(Path(folder) / "linked", archive)
        count = 10 * FILES
        options = {
            "threads": {"workers": 2},
            "dask": {"engine": "dask", "scheduler": client},
        }
        best: dict[str, float] = {}
        for _ in range(rounds):
            tables = {}
            for name, chosen in options.items():
                out = Path(folder) / f"{name}.parquet"
                took = seconds(lambda out=out, chosen=chosen: index(sources, out=out, resume=False, **chosen))
                best[name] = max(best.get(name, 0), count / took)
                tables[name] = pq.read_table(out)
            assert tables["dask"].equals(tables["threads"])
        print(f"{count} files, 2 processes beside 2 threads, best of {rounds} rounds in turns")
        for name, rate in best.items():
            print(f"{name:10} {rate:9,.0f} files/s  {rate / best['threads']:5.2f}x the threads' rate")
    print(machine("pyarrow", "distributed"), f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")


if __name__ == "__main__":
    main()
