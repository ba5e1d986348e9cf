"""Ratios to the peers on input that is always available: ``python -m benches.ratios [--passes 5] OUT.json``.

For comparing one version with another (compare.py, history/): the input is the files of the pydicom package and objects
built here, so that it is the same wherever the `bench` extra is installed; a contestant's processor time counts, so
that other work on the machine hardly shows; and all works are measured several times, so that the file records the
spread of each ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from time import process_time, thread_time
from typing import Any

import imagecodecs
import libjpeg
import numpy as np
import pydicom
from pydicom.pixels.processing import convert_color_space
from rle import rle

import dicomcore as dc
from benches import bench_values, bench_walk, bench_write, inputs, peers
from benches.passes import race_over
from benches.peers import SEVEN_TAGS
from benches.race import race
from benches.table import OURS, Row, machine
from dicomcore import codecs
from dicomcore._native.pixels import colour
from dicomcore.archive import DEFAULT_COLUMNS, index

PACKAGES = (
    *("numpy", "pydicom", "fastdicom", "dicomsdl", "python-gdcm", "imagecodecs"),
    *("pylibjpeg-libjpeg", "pylibjpeg-rle"),
)
# pydicom's own files, which all contestants read and write alike; each release of it has them.
NAMES = (
    *("CT_small", "MR_small", "rtplan", "reportsi", "JPEG2000", "liver_1frame", "examples_ybr_color", "test-SR"),
    *("ExplVR_BigEnd", "waveform_ecg", "examples_overlay"),
)
FILES = [inputs.corpus.PYDICOM / "test_files" / f"{name}.dcm" for name in NAMES]
SIDE = 512
COPIES = 40


def picture() -> np.ndarray[Any, Any]:
    """A slope with a little noise: 12 bits in 16, as a scanner's."""
    noise = np.random.default_rng(1).integers(0, 16, (SIDE, SIDE))
    return (np.add.outer(np.arange(SIDE), np.arange(SIDE)) + noise).astype(np.uint16)


def over_files(work: str, sides: dict[str, Callable[[str], Any]], says: Callable[[Any], Any], rounds: int) -> Row:
    """All contestants over all files, after a check that they `say` the same."""
    for path in FILES:
        answers = [says(side(str(path))) for side in sides.values()]
        assert all(answer == answers[0] for answer in answers), f"{work}: {path.name}"
    return Row(work, race_over(FILES, sides, rounds, clock=thread_time), len(FILES), "file")


def seven_tags() -> Row:
    return over_files("open a file and read 7 values", SEVEN_TAGS, lambda values: list(map(peers.plain, values)), 15)


def every_value() -> Row:
    sides = {OURS: bench_values.values_ours, "pydicom": bench_values.values_pydicom}
    return over_files("every value of a file", sides, lambda values: list(map(bench_values.plain, values)), 5)


def changed() -> Row:
    """Change one element, and write to memory."""
    sides = {
        OURS: bench_write.memory_ours,
        "pydicom": bench_write.memory_pydicom,
        "dicomsdl": bench_write.memory_dicomsdl,
    }
    return over_files("change one element", sides, bench_write.says, 9)


def to_json() -> Row:
    data = inputs.segmentation(120)
    sides = {
        OURS: lambda data: dc.dcmread(data).to_json(),
        "pydicom": lambda data: pydicom.dcmread(BytesIO(data)).to_json(),
    }
    a, b = (json.loads(side(data))["52009230"]["Value"] for side in sides.values())
    assert len(a) == len(b) == 120
    return Row("a segmentation to DICOM JSON", race(data, sides, rounds=5, agree=False))


def rle_decoding() -> Row:
    image = picture()
    out = np.empty_like(image)
    told = {"rows": SIDE, "columns": SIDE, "samples_per_pixel": 1, "bits_allocated": 16}
    sides = {
        OURS: partial(codecs.rle_decode, out=out, **told),
        "pylibjpeg-rle": partial(rle.decode_frame, nr_pixels=SIDE * SIDE, bpp=16, byteorder="<"),
    }
    return Row("decode RLE", race(codecs.rle_encode(image), sides, rounds=60))


def rle_encoding() -> Row:
    image = picture()
    theirs = partial(rle.encode_frame, rows=SIDE, cols=SIDE, spp=1, bpp=16, byteorder="<")
    sides = {OURS: lambda _: codecs.rle_encode(image), "pylibjpeg-rle": theirs}
    return Row("encode RLE", race(image.tobytes(), sides, rounds=9, agree=False))


def jpeg_lossless_decoding() -> Row:
    image = picture()
    out = np.empty_like(image)
    sides = {
        OURS: lambda data: codecs.jpeg_lossless_decode(data, out=out),
        "libjpeg-turbo": lambda data: imagecodecs.jpeg8_decode(data, out=out),
        "pylibjpeg": libjpeg.decode,
    }
    return Row("decode JPEG lossless", race(codecs.jpeg_lossless_encode(image), sides, rounds=25))


def jpeg_lossless_encoding() -> Row:
    sides = {
        OURS: lambda image: codecs.jpeg_lossless_encode(image, precision=16),
        "libjpeg-turbo": lambda image: imagecodecs.jpeg8_encode(image, lossless=True, predictor=1, bitspersample=16),
    }
    return Row("encode JPEG lossless", race(picture(), sides, rounds=15, agree=False))


def colours() -> Row:
    image = np.random.default_rng(1).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
    out = np.empty_like(image)

    def ours(work: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        colour.ybr_full_to_rgb(work.reshape(-1), out.reshape(-1))
        return out

    sides = {OURS: ours, "pydicom": lambda work: convert_color_space(work, "YBR_FULL", "RGB")}
    return Row("YBR_FULL to RGB", race(image, sides, rounds=9))


def with_pydicom(path: str) -> list[Any]:
    data_set = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(DEFAULT_COLUMNS))
    return [data_set.get(name) for name in DEFAULT_COLUMNS]


def archive() -> Row:
    """A folder of copies to Parquet on one thread; pydicom only reads the values, of every tenth file."""
    with tempfile.TemporaryDirectory(prefix="dicomcore-ratios-") as folder:
        place = Path(folder) / "archive"
        place.mkdir()
        for i in range(COPIES):
            for path in FILES:
                (place / f"{i:03}-{path.name}").write_bytes(path.read_bytes())
        paths = sorted(map(str, place.iterdir()))
        out = Path(folder) / "index.parquet"
        sides: dict[str, Callable[[Any], Any]] = {
            OURS: lambda _: index(place, out=out, workers=1, resume=False),
            "pydicom": lambda _: [with_pydicom(path) for path in paths[::10]],
        }
        best = race(None, sides, rounds=7, agree=False, clock=process_time)
    best["pydicom"] *= len(paths) / len(paths[::10])
    return Row("index a folder", best, len(paths), "file")


WORKS: tuple[Callable[[], Row], ...] = (
    *(seven_tags, every_value, changed, to_json),
    lambda: bench_walk.scans(True, 1200, 15),
    lambda: bench_walk.walks(300, 3),
    lambda: bench_values.structure_set_row(True, False),
    lambda: bench_values.structure_set_row(True, True),
    *(rle_decoding, rle_encoding, jpeg_lossless_decoding, jpeg_lossless_encoding, colours, archive),
)
SLOW_TO_START = "dcmdump"  # a process run once: its time says little about dicomcore


def one_pass(found: dict[str, dict[str, list[float]]]) -> None:
    """Measure all works once, and add to each peer's ratios."""
    for work in WORKS:
        row = work()
        for peer in row.seconds:
            if peer != SLOW_TO_START and not peer.startswith(OURS):
                found.setdefault(row.work, {}).setdefault(peer, []).append(row.ratio(peer))


def record(found: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    """The record of all passes: the median, the least and the largest of each ratio."""
    ratios = {
        work: {
            peer: {
                "median": round(statistics.median(each), 3),
                "least": round(min(each), 3),
                "most": round(max(each), 3),
            }
            for peer, each in peers.items()
        }
        for work, peers in found.items()
    }
    passes = max(len(each) for peers in found.values() for each in peers.values())
    return {"dicomcore": dc.__version__, "passes": passes, "machine": machine(PACKAGES), "ratios": ratios}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--passes", type=int, default=5)
    chosen = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(chosen.passes):
        one_pass(found)
        print(f"pass {number + 1} of {chosen.passes}", flush=True)
    told = record(found)
    for work, each in told["ratios"].items():
        print(work, *(f"  {one['median']:8.2f} × {peer}" for peer, one in each.items()), sep="\n")
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
