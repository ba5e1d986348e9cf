"""JPEG lossless beside imagecodecs (libjpeg-turbo), GDCM and pylibjpeg on the corpus' images, one thread."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from race import geometric_mean, machine, race

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import pixel_corpus as corpus

from dicomcore.codecs import jpeg_lossless_decode, jpeg_lossless_info

JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")


def images():
    for parameter in corpus.with_pixels(*JPEG_LOSSLESS):
        line = parameter.values[0]
        yield Path(line["path"]).name, next(corpus.codestreams(line))[0]


def main() -> None:
    import imagecodecs
    from libjpeg import decode as libjpeg_decode

    ratios: dict[str, list[float]] = {}
    quick = "--quick" in sys.argv
    for name, codestream in images():
        info = jpeg_lossless_info(codestream)
        out = np.empty(info.shape, info.dtype)
        contestants = {
            "ours": lambda stream, out=out: jpeg_lossless_decode(stream, out=out),
            "libjpeg-turbo": lambda stream, out=out: imagecodecs.jpeg8_decode(stream, out=out),
        }
        if not quick:
            contestants["pylibjpeg"] = lambda stream: libjpeg_decode(stream)
        best = race(codestream, contestants, rounds=15 if quick else 7, agree=quick)
        mine = best["ours"]
        print(f"{name:45} {out.nbytes / mine / 1e6:6.0f} MB/s {mine / out.size * 1e9:5.2f} ns/sample", end="")
        for peer in list(best)[1:]:
            ratios.setdefault(peer, []).append(best[peer] / mine)
            print(f"  {best[peer] / mine:6.2f}x {peer}", end="")
        print()
    for peer, each in ratios.items():
        print(f"geometric mean {geometric_mean(each):.2f}x {peer}, least {min(each):.2f}x")
    print(machine("numpy", "imagecodecs", "pylibjpeg-libjpeg"))


if __name__ == "__main__":
    main()
