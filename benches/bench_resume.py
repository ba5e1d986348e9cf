"""A second run over 200 000 files beside a first one, in turns: nothing changed, and 200 files changed.

The files are 20 000 copies of real ones, linked ten times; default columns, warm cache, two threads. The second
run's table must equal that of a first run before a rate counts.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from time import process_time

import pyarrow.parquet as pq

from benches.bench_index import FILES, linked, make_archive, real_files, seconds
from benches.race import machine
from dicomcore.archive import index

CHANGED = 200


def changed(sources: list[str], turn: int) -> None:
    """Change the modification time of some files of the last source."""
    for path in sorted(Path(sources[-1]).rglob("*.dcm"))[: CHANGED * 20 : 20]:
        os.utime(path, ns=(1, (turn + 1) * 1_000_000_000))


def main() -> None:
    rounds = 2 if "--quick" in sys.argv else 5
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as folder:
        archive, out = Path(folder) / "archive", Path(folder) / "index.parquet"
        archive.mkdir()
        make_archive(archive, real_files())
        sources = linked(Path(folder) / "linked", archive)
        count, best, spent = 10 * FILES, dict[str, float](), dict[str, float]()

        def timed(name: str, resume: bool) -> None:
            before = process_time()
            took = seconds(lambda: index(sources, out=out, workers=2, resume=resume))
            spent[name] = min(spent.get(name, float("inf")), process_time() - before)
            best[name] = max(best.get(name, 0), count / took)

        for turn in range(rounds):
            timed("first run", resume=False)
            whole = pq.read_table(out)
            timed("second run, nothing changed", resume=True)
            assert pq.read_table(out).equals(whole)
            changed(sources, turn)
            timed(f"second run, {CHANGED} files changed", resume=True)
            assert pq.read_table(out).num_rows == count
        assert pq.read_table(out).equals(index(sources))
        print(f"{count} files, 2 threads, best of {rounds} rounds in turns")
        for name, rate in best.items():
            again = f"{rate / best['first run']:6.2f}x a first run"
            each = f"{spent[name] / count * 1e6:6.2f} µs of processor time a file"
            share = f"{spent['first run'] / spent[name]:6.2f}x less"
            print(f"{name:36} {rate:9,.0f} files/s {again} {each} {share}")
    print(machine("pyarrow"), f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "")


if __name__ == "__main__":
    main()
