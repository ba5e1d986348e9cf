"""JPEG lossless beside libjpeg-turbo (imagecodecs), GDCM and pylibjpeg on the corpus' images.

All decoders get the same codestream on one thread, but for GDCM, which reads the file; libjpeg-turbo and ours write to
the same reused array. Encoders get the same array and predictor 1.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from benches.race import geometric_mean, machine, race
from dicomcore._native.jpegll.tail import Tail, decode_frame
from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_encode, jpeg_lossless_info
from tests.support import pixel_corpus as corpus

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


def images() -> Iterator[tuple[str, bytes, Path]]:
    """The name, the first frame's codestream and the file of each image."""
    for parameter in corpus.with_pixels(*JPEG_LOSSLESS):
        (line,) = parameter.values
        if line is not None:
            yield Path(line["path"]).name, next(corpus.codestreams(line))[0], corpus.path_of(line)


def gdcm_decoder(path: Path) -> Any:
    """GDCM's reading and decoding of a whole file, as it can't decode alone; None if it has more than one frame."""
    import gdcm

    def decode(_: bytes) -> bytes:
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        return reader.GetImage().GetBuffer()

    return decode


def decoding(quick: bool) -> None:
    import imagecodecs
    import libjpeg

    ratios = defaultdict(list)
    for name, codestream, path in images():
        info = jpeg_lossless_info(codestream)
        out = np.empty(info.shape, info.dtype)
        best = race(
            codestream,
            {
                "ours": lambda stream, out=out: jpeg_lossless_decode(stream, out=out),
                "libjpeg-turbo": lambda stream, out=out: imagecodecs.jpeg8_decode(stream, out=out),
            },
        )
        if not quick:
            others = {
                "ours": lambda stream, out=out: jpeg_lossless_decode(stream, out=out),
                "pylibjpeg": libjpeg.decode,
            }
            if "2f" not in name:
                others["GDCM"] = gdcm_decoder(path)
            again = race(codestream, others, rounds=5, agree=False)
            best |= {peer: best["ours"] * again[peer] / again["ours"] for peer in list(others)[1:]}
        cells = [f"{best['ours'] / out.size * 1e9:.2f}", f"{out.nbytes / best['ours'] / 1e6:.0f}"]
        for peer in list(best)[1:]:
            ratios[peer].append(best[peer] / best["ours"])
            cells.append(f"{ratios[peer][-1]:.2f}")
        print(f"| {name} | {' × '.join(map(str, info.shape))}, {info.precision} bits | {' | '.join(cells)} |")
    for peer, each in ratios.items():
        print(f"geometric mean {geometric_mean(each):.2f} × {peer}, least {min(each):.2f}")


def encoding() -> None:
    import imagecodecs

    ratios = []
    for name, codestream, _ in images():
        array, precision = jpeg_lossless_decode(codestream), jpeg_lossless_info(codestream).precision
        told = {"lossless": True, "predictor": 1, "bitspersample": precision}
        best = race(
            array,
            {
                "ours": lambda array, precision=precision: jpeg_lossless_encode(array, precision=precision),
                "libjpeg-turbo": lambda array, told=told: imagecodecs.jpeg8_encode(array, **told),
            },
            rounds=7,
            agree=False,
        )
        sizes = len(jpeg_lossless_encode(array, precision=precision)), len(imagecodecs.jpeg8_encode(array, **told))
        ratios.append(best["libjpeg-turbo"] / best["ours"])
        cells = f"{best['ours'] / array.size * 1e9:.2f} | {array.nbytes / best['ours'] / 1e6:.0f} | {ratios[-1]:.2f}"
        print(f"| {name} | {cells} | {sizes[0]} | {sizes[1]} |")
    print(f"geometric mean {geometric_mean(ratios):.2f} × libjpeg-turbo")


def longest_path(codestream: bytes, out: np.ndarray[Any, Any]) -> float:
    """Seconds of the longer half and the work after both, by thread clocks, as on an idle machine."""
    tail = Tail(codestream)
    marks = [thread_time()]
    tail.run()
    marks.append(thread_time())
    decode_frame(tail, out, out.itemsize, lambda: marks.append(thread_time()))
    marks.append(thread_time())
    ahead, head, rest = np.diff(marks)
    return max(ahead, head) + rest


def threads() -> None:
    for name, codestream, _ in images():
        if not Tail(codestream):
            continue
        out = np.empty(jpeg_lossless_info(codestream).shape, jpeg_lossless_info(codestream).dtype)
        contestants = {
            "one": lambda stream, out=out: jpeg_lossless_decode(stream, out=out),
            "two": lambda stream, out=out: jpeg_lossless_decode(stream, out=out, threads=2),
        }
        wall = race(codestream, contestants, clock=perf_counter, rounds=25)
        own = race(codestream, {"one": contestants["one"]}, rounds=25)["one"]
        path = min(longest_path(codestream, out) for _ in range(25))
        print(f"| {name} | {own * 1e3:.2f} | {path * 1e3:.2f} | {own / path:.2f} | {wall['one'] / wall['two']:.2f} |")


def main() -> None:
    print("| image | samples | ns a sample | MB/s | × libjpeg-turbo | × pylibjpeg | × GDCM |\n" + "|---" * 7 + "|")
    decoding("--quick" in sys.argv)
    print("\n| image | ns a sample | MB/s | × libjpeg-turbo | bytes | its bytes |\n|---|---|---|---|---|---|")
    encoding()
    print("\n| image | one thread, ms | longest path of two, ms | × | × by the wall clock |\n|---|---|---|---|---|")
    threads()
    print("\n" + machine("numpy", "imagecodecs", "pylibjpeg-libjpeg", "python-gdcm"))


if __name__ == "__main__":
    main()
