"""pydicom with dicomcore as its plugin, and with other plugins, on one and two threads; and conversion of data sets.

The ratio on two threads is the time of one thread for all the work divided by that of two threads: 2 is the best.
"""

from __future__ import annotations

import copy
import gc
import io
import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from typing import Any

import pydicom
from pydicom.pixels import get_decoder

import dicomcore as dc
from benches.race import geometric_mean, machine, race
from dicomcore.interop.pydicom import PLUGIN, register
from tests.support.corpus import dicom_files

IMAGES = {  # a file for each kind of codestream; missing files are left out
    "JPEG lossless, 16 bits": "WG04/JPLL/RG3_JPLL",
    "JPEG lossless, MR": "WG04/JPLL/MR2_JPLL",
    "RLE, 16 bits": "WG04/RLE/RG3_RLE",
    "RLE, colour": "WG04/RLE/VL2_RLE",
    "JPEG 2000": "WG04/J2KR/MR1_J2KR",
    "JPEG-LS": "WG04/JLSL/MR2_JLSL",
    "JPEG, 12 bits": "WG04/JPLY/MR2_JPLY",
}
ROUNDS = 5


def decode(data_set: Any, plugin: str, times: int) -> None:
    decoder = get_decoder(data_set.file_meta.TransferSyntaxUID)
    for _ in range(times):
        decoder.as_array(data_set, decoding_plugin=plugin)


def scaling(data_set: Any, plugins: list[str], times: int) -> dict[str, tuple[float, float]]:
    """Seconds a frame on one thread, and how much faster two threads do the same work; taken in turns."""
    best = {plugin: [float("inf"), float("inf")] for plugin in plugins}
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            for plugin in plugins:
                start = perf_counter()
                decode(data_set, plugin, 2 * times)
                middle = perf_counter()
                for job in [pool.submit(decode, data_set, plugin, times) for _ in range(2)]:
                    job.result()
                stop = perf_counter()
                best[plugin][0] = min(best[plugin][0], middle - start)
                best[plugin][1] = min(best[plugin][1], stop - middle)
    return {plugin: (one / (2 * times), one / two) for plugin, (one, two) in best.items()}


def bench_plugins() -> None:
    print(f"{'image':26}{'plugin':12}{'ms a frame':>12}{'two threads':>13}")
    found: dict[str, list[float]] = {}
    for title, end in IMAGES.items():
        path = next((one.path for one in dicom_files() if one.name.endswith(end)), None)
        if path is None:
            print(f"{title:26}{end} is not there")
            continue
        data_set = pydicom.dcmread(path, force=True)
        plugins = []
        for plugin in get_decoder(data_set.file_meta.TransferSyntaxUID)._available:
            try:
                decode(data_set, plugin, 1)
                plugins.append(plugin)
            except Exception:
                continue  # a peer that can't decode it has no time
        start = perf_counter()
        decode(data_set, PLUGIN, 1)
        times = max(1, round(0.05 / (perf_counter() - start)))
        for plugin, (seconds, ratio) in scaling(data_set, plugins, times).items():
            found.setdefault(plugin, []).append(ratio)
            print(f"{title:26}{plugin:12}{1000 * seconds:12.2f}{ratio:12.2f}×")
    for plugin, ratios in found.items():
        print(f"{'geometric mean':26}{plugin:12}{'':12}{geometric_mean(ratios):12.2f}×")


def bench_conversion() -> None:
    paths = [one.path for one in dicom_files() if one.line["size"] < 300_000]
    files = [(dc.dcmread(path, force=True), pydicom.dcmread(path, force=True)) for path in paths]
    gc.freeze()  # what is held for all contestants is not to be walked for any of them
    best = race(
        files,
        {
            "pydicom.dcmread": lambda _: [pydicom.dcmread(path, force=True) for path in paths],
            "dcmread().to_pydicom()": lambda _: [dc.dcmread(path, force=True).to_pydicom() for path in paths],
            "to_pydicom()": lambda files: [ours.to_pydicom() for ours, _ in files],
            "from_pydicom()": lambda files: [dc.from_pydicom(theirs) for _, theirs in files],
        },
        rounds=ROUNDS,
        agree=False,
    )
    print(f"\n{'':26}{'µs a file':>12}{'to pydicom.dcmread':>22}")
    for name, seconds in best.items():
        print(f"{name:26}{1e6 * seconds / len(paths):12.0f}{best['pydicom.dcmread'] / seconds:21.1f}×")


def segmentation(frames: int = 200) -> bytes:
    """A segmentation of many frames: mostly nested items of functional groups."""
    source = pydicom.dcmread(pydicom.data.get_testdata_file("liver_1frame.dcm"))
    group = source.PerFrameFunctionalGroupsSequence[0]
    source.PerFrameFunctionalGroupsSequence = [copy.deepcopy(group) for _ in range(frames)]
    source.NumberOfFrames, source.PixelData = frames, source.PixelData * frames
    stream = io.BytesIO()
    source.save_as(stream)
    return stream.getvalue()


def bench_files() -> None:
    """The bridge beside pydicom's own reading, without and with a look at every element."""
    images = {
        "CT of 39 KB": Path(pydicom.data.get_testdata_file("CT_small.dcm")).read_bytes(),
        "SEG of 200 frames": segmentation(),
    }
    for title, data in images.items():
        theirs, ours = pydicom.dcmread(io.BytesIO(data)), dc.dcmread(data)
        best = race(
            (data, theirs, ours),
            {
                "pydicom.dcmread": lambda files: pydicom.dcmread(io.BytesIO(files[0])),
                "dcmread().to_pydicom()": lambda files: dc.dcmread(files[0]).to_pydicom(),
                "pydicom.dcmread, every element": lambda files: list(pydicom.dcmread(io.BytesIO(files[0])).iterall()),
                "to_pydicom(), every element": lambda files: list(dc.dcmread(files[0]).to_pydicom().iterall()),
                "to_pydicom()": lambda files: files[2].to_pydicom(),
                "from_pydicom()": lambda files: dc.from_pydicom(files[1]),
            },
            rounds=4 * ROUNDS,
            agree=False,
        )
        print(f"\n{title:32}{'µs':>10}{'to pydicom.dcmread':>22}")
        for name, seconds in best.items():
            print(f"{name:32}{1e6 * seconds:10.0f}{best['pydicom.dcmread'] / seconds:21.2f}×")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    register()
    print(machine("pydicom", "numpy"))
    bench_plugins()
    bench_conversion()
    bench_files()
