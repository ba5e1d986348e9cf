"""Cost against size: is twice the work twice the time? Writes results/growth.json, which tools/make_growth.py draws.

Processor time a unit (the best of some turns), each size in a process of its own; the memory at most is noted too.

python -m benches.bench_growth [--million] [--work NAME]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import pydicom.data

import dicomcore as dc
from benches import inputs
from benches.race import processor
from dicomcore.archive import index, series_volume

RESULTS = Path(__file__).parent / "results" / "growth.json"
TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"
IN_A_FOLDER = 500
LEAST_SECONDS = 0.02  # a turn repeats shorter work until it takes as long
MOST_LINKS = 30_000  # of one file; file systems allow no more than 32 000 or 65 000


class Work(NamedTuple):
    """What is measured: a unit's name, the sizes, and what makes the input of a size and works on it."""

    unit: str
    sizes: tuple[int, ...]
    make: Callable[[int, Path], Any]
    run: Callable[[Any], object]


def folders_of_files(count: int, folder: Path) -> Path:
    """Hard links to copies of a few real files, 500 in a folder."""
    originals = [path for path in sorted(TEST_FILES.glob("*.dcm")) if path.stat().st_size < 20_000]
    place = folder / "archive"
    for i in range(count):
        inside = place / f"{i // IN_A_FOLDER:05}"
        if i % IN_A_FOLDER == 0:
            inside.mkdir(parents=True)
        copy, turn = i % len(originals), i // len(originals) // MOST_LINKS
        original = folder / f"{turn}-{copy}.dcm"
        if not original.exists():
            original.write_bytes(originals[copy].read_bytes())
        os.link(original, inside / f"{i % IN_A_FOLDER:03}.dcm")
    return place


def slices(count: int, folder: Path) -> list[str]:
    """A series of CT images, a millimetre apart."""
    image = dc.dcmread(TEST_FILES / "CT_small.dcm")
    paths = []
    for i in range(count):
        image.InstanceNumber, image.SOPInstanceUID = i + 1, f"1.2.826.0.1.3680043.10.1.{i + 1}"
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        image.ImagePositionPatient = [-158.135803, -179.035797, -75.699997 + i]
        paths.append(str(folder / f"{i:04}.dcm"))
        image.save_as(paths[-1], durable=False)
    return paths


def many_elements(count: int, folder: Path) -> bytes:
    """A file of this many private elements, 4 bytes each."""
    block = 0xEF00
    made = [
        inputs.element(((0x0011 + 2 * (i // block)) << 16) + 0x1000 + i % block, "SL", i.to_bytes(4, "little"))
        for i in range(count)
    ]
    return inputs.part10(inputs.CT_IMAGE, b"".join(made))


def all_values(data: bytes) -> int:
    return sum(element.value for element in dc.dcmread(data))


WORKS = {
    "index": Work("file", (1000, 3000, 10_000, 30_000, 100_000), folders_of_files,
                  lambda place: index(place, out=place.parent / "x.parquet", workers=1, resume=False)),
    "segmentation": Work("frame", (10, 100, 1000, 10_000, 100_000), lambda count, _: inputs.segmentation(count),
                         dc.scan),
    "volume": Work("slice", (10, 30, 100, 300, 1000, 2000), slices, lambda paths: series_volume(paths, workers=1)),
    "data set": Work("element", (10, 100, 1000, 10_000, 100_000, 1_000_000), many_elements, all_values),
}  # fmt: skip


def measure(name: str, size: int) -> dict[str, float]:
    """Seconds of one size, and the memory that this process had at most."""
    import resource

    work = WORKS[name]
    with _place() as folder:
        given = work.make(size, Path(folder))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work.run(given)  # code and files come into the caches
        best, turns = float("inf"), 0
        while turns < 9 and not (turns > 2 and best > 1):
            times, begun = 0, process_time()
            while times == 0 or process_time() - begun < LEAST_SECONDS:
                work.run(given)
                times += 1
            best, turns = min(best, (process_time() - begun) / times), turns + 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"size": size, "seconds": best, "resident": peak / 1024, "resident before": before / 1024}


def _place() -> AbstractContextManager[str]:
    memory = "/dev/shm"
    return tempfile.TemporaryDirectory(prefix="dicomcore-bench-", dir=memory if os.path.isdir(memory) else None)


def growth(points: list[dict[str, float]]) -> float:
    """The time of a unit at the largest size, as a multiple of the least at any size."""
    each = [point["seconds"] / point["size"] for point in points]
    return each[-1] / min(each)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--million", action="store_true", help="also an index of a million files")
    parser.add_argument("--work", action="append", choices=list(WORKS))
    parser.add_argument("--one", nargs=2, metavar=("WORK", "SIZE"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        print(json.dumps(measure(chosen.one[0], int(chosen.one[1]))))
        return
    kept = json.loads(RESULTS.read_text())["works"] if RESULTS.exists() else {}
    for name in chosen.work or WORKS:
        work, points = WORKS[name], []
        for size in (*work.sizes, *((1_000_000,) if chosen.million and name == "index" else ())):
            command = [sys.executable, "-m", "benches.bench_growth", "--one", name, str(size)]
            points.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
            point = points[-1]
            each = point["seconds"] / size * 1e6
            print(f"{name:13} {size:9,} {work.unit}s {each:9.3f} µs each, {point['resident']:.0f} MB", flush=True)
        print(f"{name:13} the largest against the best: {growth(points):.2f}×")
        kept[name] = {"unit": work.unit, "points": points}
    RESULTS.write_text(json.dumps({"processor": processor(), "works": kept}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
