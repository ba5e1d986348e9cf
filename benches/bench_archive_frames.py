"""2 000 JPEG-lossless files decoded by `archive.frames` on two threads, beside pydicom + pylibjpeg in two processes.

The files are 2 000 names of the real single-frame JPEG-lossless images of the corpus, warm cache. Every contestant
hands each frame to the same loop, which takes its sum; sums must agree with ours before a time counts. The slower
peers get every twentieth file. Two figures of pydicom are taken: results summed in its processes (nothing
comes back but the sum), and arrays sent back to the loop, which is what a training loop needs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from time import perf_counter

import pydicom

import dicomcore as dc
from benches import inputs
from benches.race import machine
from dicomcore.archive import MemoryCache, frames

FILES, SHARE = 2_000, 20
SYNTAXES = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
MOST_BYTES = 1 << 20  # of a frame: slices, not radiographs
HERE = Path(__file__).parent
HEAD = """# Frames of many files beside pydicom

Made by `python -m benches.bench_archive_frames`: {files} names of {different} real JPEG-lossless images ({pixels:.2f}
million pixels a frame on average), warm cache, all in turns in one run, best of {rounds}; sums of all frames agree.
{machine}; 2 cores of a shared machine.

"""


def real_images() -> list[bytes]:
    """Single-frame grey JPEG-lossless images that pydicom with pylibjpeg reads too."""
    found = []
    for path in inputs.real_files():
        try:
            data_set = dc.dcmread(path)
            if str(data_set.transfer_syntax) not in SYNTAXES or len(data_set.frames) != 1:
                continue
            if data_set.frames[0].ndim == 2 and data_set.frames[0].nbytes <= 2 * MOST_BYTES and by_pydicom(str(path)):
                found.append(path.read_bytes())
        except Exception:  # skip files that a peer can't read
            continue
    return found


def array_by_pydicom(path: str):
    data_set = pydicom.dcmread(path)
    data_set.pixel_array_options(decoding_plugin="pylibjpeg")
    return data_set.pixel_array


def by_pydicom(path: str) -> int:
    return int(array_by_pydicom(path).sum(dtype="i8"))


def ours(paths: list[str], **options) -> int:
    return sum(int(one.array.sum(dtype="i8")) for one in frames(paths, **options))


def main() -> None:
    rounds = 1 if "--quick" in sys.argv else 3
    files = real_images()
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as folder:
        paths = []
        for i in range(FILES):
            path = Path(folder) / f"{i:04}.dcm"
            if i < len(files):
                path.write_bytes(files[i])
            else:
                os.link(paths[i % len(files)], path)
            paths.append(str(path))
        some = paths[: FILES // SHARE]
        wanted = {len(chosen): ours(chosen, workers=2) for chosen in (paths, some)}
        cache = MemoryCache(8 << 30)
        held = paths[: FILES // 4]
        wanted[len(held)] = ours(held, workers=2, cache=cache)
        with ProcessPoolExecutor(2) as pool:
            contestants = {
                "dicomcore, frames(), 2 threads": (paths, lambda: ours(paths, workers=2)),
                'dicomcore, frames(order="any"), 2 threads': (paths, lambda: ours(paths, workers=2, order="any")),
                "dicomcore, frames(), 1 thread": (paths, lambda: ours(paths, workers=1)),
                "dicomcore, one file after the other": (
                    paths,
                    lambda: sum(int(dc.dcmread(path).pixel_array.sum(dtype="i8")) for path in paths),
                ),
                "dicomcore, frames() from a memory cache": (held, lambda: ours(held, workers=2, cache=cache)),
                "pydicom + pylibjpeg, 2 processes, sums back": (
                    some,
                    lambda: sum(pool.map(by_pydicom, some, chunksize=10)),
                ),
                "pydicom + pylibjpeg, 2 processes, arrays back": (
                    some,
                    lambda: sum(int(one.sum(dtype="i8")) for one in pool.map(array_by_pydicom, some, chunksize=10)),
                ),
            }
            list(pool.map(by_pydicom, some[:20]))  # start the processes and import modules
            best: dict[str, float] = {}
            for _ in range(rounds):
                for name, (chosen, work) in contestants.items():
                    start = perf_counter()
                    answer = work()
                    seconds = perf_counter() - start
                    assert answer == wanted[len(chosen)], f"{name} gives other pixels"
                    best[name] = max(best.get(name, 0.0), len(chosen) / seconds)
    write(best, files, rounds)


def write(best: dict[str, float], files: list[bytes], rounds: int) -> None:
    first, peer = next(iter(best)), "pydicom + pylibjpeg, 2 processes, sums back"
    pixels = sum(dc.dcmread(data).frames[0].size for data in files) / len(files) / 1e6
    versions = machine("numpy", "pydicom", "pylibjpeg", "pylibjpeg-libjpeg")
    table = HEAD.format(files=FILES, different=len(files), pixels=pixels, rounds=rounds, machine=versions)
    table += "| contestant | frames/s | ours on 2 threads against it |\n|---|---|---|\n"
    for name, rate in best.items():
        table += f"| {name} | {rate:,.0f} | {'' if name == first else f'{best[first] / rate:.2f}×'} |\n"
    ratio = best[first] / best[peer]
    table += f"\n| reach | measured | |\n|---|---|---|\n| ≥ 6× pydicom + pylibjpeg in 2 processes | {ratio:.1f}× | "
    table += f"{'met' if ratio >= 6 else '**short**'} |\n"
    print(table)
    if "--quick" not in sys.argv:
        (HERE / "archive-frames.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
