"""Index 20 000 copies of real files beside pydicom in two processes and fastdicom: default columns, warm cache.

Every contestant takes the same values from the same files. pydicom and fastdicom, which would take minutes, get every
tenth file. Memory is that of a process of its own, for 20 000 and for 500 000 files (the same ones, linked 25 times).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import pydicom.data

from benches.race import machine
from dicomcore.archive import DEFAULT_COLUMNS, index
from dicomcore.archive.tables.columns import Columns
from dicomcore.archive.tables.row import read_row

FILES, FOLDER, SMALLER_THAN = 20_000, 500, 60_000
SHARE = 10  # peers get one file in this number
RESULTS = Path(__file__).parent / "results" / "index.json"
MEASURE = """
import resource, sys
from dicomcore.archive import index
index(sys.argv[1:-1], out=sys.argv[-1], workers=2, resume=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def real_files() -> list[bytes]:
    """Files of pydicom that all contestants read: whole images, no damaged ones."""
    columns = Columns(["PatientID", "Rows", "SOPInstanceUID"])
    found = []
    for path in sorted((Path(pydicom.data.__file__).parent / "test_files").glob("*.dcm")):
        row = read_row(str(path), columns)
        if path.stat().st_size < SMALLER_THAN and row.failure is None and None not in row.values and not row.issues:
            try:
                with_pydicom(str(path))
                with_fastdicom(str(path))
            except Exception:  # a peer can't read it
                continue
            found.append(path.read_bytes())
    return found


def make_archive(folder: Path, files: list[bytes]) -> None:
    for i in range(FILES):
        inside = folder / f"{i // FOLDER:03}"
        inside.mkdir(exist_ok=True)
        (inside / f"IM{i % FOLDER:04}.dcm").write_bytes(files[i % len(files)])


def linked(folder: Path, archive: Path, times: int = 10) -> list[str]:
    """Sources that repeat the archive's files this number of times."""
    sources = []
    for i in range(times):
        for inside in sorted(archive.iterdir()):
            copy = folder / f"{i}" / inside.name
            copy.mkdir(parents=True)
            for path in inside.iterdir():
                os.link(path, copy / path.name)
        sources.append(str(folder / f"{i}"))
    return sources


def with_pydicom(path: str) -> list[object]:
    data_set = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(DEFAULT_COLUMNS))
    return [data_set.get(name) for name in DEFAULT_COLUMNS]


def with_fastdicom(path: str) -> list[object]:
    import fastdicom

    data_set = fastdicom.dcmread(path, stop_before_pixels=True)
    return [data_set.get(name) for name in DEFAULT_COLUMNS]


def seconds(work) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start


def rates(archive: Path, out: Path, rounds: int) -> dict[str, float]:
    """Files/s of each contestant, in turns, the best of all rounds."""
    paths = [str(path) for path in sorted(archive.rglob("*.dcm"))]
    some = paths[::SHARE]
    best: dict[str, float] = {}
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(with_pydicom, some[:100], chunksize=10))  # start the processes and import modules
        contestants = {
            "dicomcore, 2 threads, to Parquet": (FILES, lambda: index(archive, out=out, workers=2, resume=False)),
            "dicomcore, 1 thread, to Parquet": (FILES, lambda: index(archive, out=out, workers=1, resume=False)),
            "pydicom, 2 processes": (len(some), lambda: list(pool.map(with_pydicom, some, chunksize=100))),
            "fastdicom, 1 process": (len(some), lambda: [with_fastdicom(path) for path in some]),
            "open, read 16 KiB, close, 1 thread": (FILES, lambda: [touch(path) for path in paths]),
        }
        for _ in range(rounds):
            for name, (count, work) in contestants.items():
                best[name] = max(best.get(name, 0), count / seconds(work))
    return best


def touch(path: str) -> None:
    file = os.open(path, os.O_RDONLY)
    os.pread(file, 16384, 0)
    os.close(file)


def peak_memory(sources: list[str], out: Path) -> int:
    """MB at most resident in a process that indexes `sources`."""
    command = [sys.executable, "-c", MEASURE, *sources, str(out)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    quick = "--quick" in sys.argv
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as folder:
        archive, out = Path(folder) / "archive", Path(folder) / "index.parquet"
        archive.mkdir()
        files = real_files()
        make_archive(archive, files)
        print(f"{FILES} files, {len(files)} different ones, {sum(map(len, files)) // len(files)} bytes on average")
        best = rates(archive, out, 2 if quick else 5)
        ours = best["dicomcore, 2 threads, to Parquet"]
        for name, rate in best.items():
            print(f"{name:36} {rate:9,.0f} files/s  {ours / rate:7.2f}x slower than ours on 2 threads")
        memory = {FILES: peak_memory([str(archive)], out)}
        if not quick:
            memory[25 * FILES] = peak_memory(linked(Path(folder) / "linked", archive, 25), out)
        for count, size in memory.items():
            print(f"{count:9,} files: {size} MB resident at most")
    print(machine("pydicom", "fastdicom", "pyarrow"))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"files_per_second": best, "resident_mb": memory}, indent=1))


if __name__ == "__main__":
    main()
