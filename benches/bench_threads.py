"""How far two threads are faster than one: headers, RLE, JPEG Lossless, the bulk index; on two idle cores.

    python -X gil=0 -m benches.bench_threads     # a free-threaded Python; with the GIL the headers stay at 1

Beside the wall clock stands the processor time of two threads as a multiple of one's, which is what they pay for
sharing: locks and counters that go from core to core. On a machine that does other work only this one means something.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pydicom.data

import dicomcore as dc
from benches.race import machine
from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_encode, rle_decode, rle_encode

TAGS = ("PatientID", "Modality", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Rows", "Columns")
ROUNDS = 7
WANTED = 1.7


@dataclass
class Spent:
    wall: float
    processor: float


def image() -> np.ndarray:
    """A smooth picture of 12 bits with some noise, as detectors give it."""
    rows, columns = np.mgrid[:512, :512]
    noise = np.random.default_rng(1).integers(0, 8, (512, 512))
    return (2000 + 900 * np.sin(rows / 40) * np.cos(columns / 30) + noise).astype(np.uint16)


def headers() -> Callable[[], None]:
    files = sorted((Path(pydicom.data.__file__).parent / "test_files").glob("*.dcm"))
    data = [path.read_bytes() for path in files[:40]]

    def work() -> None:
        for each in data * 4:
            ds = dc.dcmread(each, force=True)
            for name in TAGS:
                ds.get(name)

    return work


def rle() -> Callable[[], None]:
    frame, told = rle_encode(image()), {"rows": 512, "columns": 512, "bits_allocated": 16}
    return lambda: [rle_decode(frame, **told) for _ in range(100)] and None


def jpeg_lossless() -> Callable[[], None]:
    frame = jpeg_lossless_encode(image())
    return lambda: [jpeg_lossless_decode(frame) for _ in range(20)] and None


def race(one: Callable[[], object], two: Callable[[], object]) -> tuple[Spent, Spent]:
    """The best turn of each, by wall clock and by processor time; both do the same work."""
    best = [Spent(float("inf"), float("inf")) for _ in range(2)]
    for _ in range(ROUNDS):
        for spent, work in zip(best, (one, two), strict=True):
            wall, processor = perf_counter(), process_time()
            work()
            spent.wall = min(spent.wall, perf_counter() - wall)
            spent.processor = min(spent.processor, process_time() - processor)
    return best[0], best[1]


def row(name: str, one: Spent, two: Spent) -> str:
    scale = one.wall / two.wall
    return (
        f"| {name} | {one.wall * 1e3:.1f} | {two.wall * 1e3:.1f} | {scale:.2f} | {two.processor / one.processor:.2f} "
        f"| {'met' if scale >= WANTED else '**short**'} |"
    )


def rows() -> Iterator[str]:
    with ThreadPoolExecutor(2) as pool:
        for name, make in (("headers and 7 tags", headers), ("RLE", rle), ("JPEG Lossless", jpeg_lossless)):
            work = make()

            def twice(work: Callable[[], None] = work) -> None:
                work()
                work()

            def both(work: Callable[[], None] = work) -> None:
                list(pool.map(lambda _: work(), range(2)))

            yield row(name, *race(twice, both))
    yield row("bulk index of 4000 files", *index())


def index() -> tuple[Spent, Spent]:
    from dicomcore import archive

    data = (Path(pydicom.data.__file__).parent / "test_files/CT_small.dcm").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(4000):
            (Path(folder) / f"{number:04}.dcm").write_bytes(data)
        out = Path(folder) / "index.parquet"
        return race(*(lambda n=n: archive.index(folder, out=out, resume=False, workers=n) for n in (1, 2)))


def main() -> None:
    is_free = not getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"| work, GIL {'off' if is_free else 'on'} | 1 thread, ms | 2, ms | × | processor time, × | ≥ {WANTED} |")
    print("|---" * 6 + "|")
    for line in rows():
        print(line, flush=True)
    print("\n" + machine("numpy"))


if __name__ == "__main__":
    main()
