"""RLE Lossless beside pylibjpeg-rle on the corpus' images, one thread, into a reused buffer."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from race import geometric_mean, machine, race

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

import pixel_corpus as corpus  # noqa: E402

from dicomcore.codecs import rle_decode, rle_encode  # noqa: E402

RLE_LOSSLESS = "1.2.840.10008.1.2.5"


def main() -> None:
    from rle.rle import decode_frame, encode_frame

    decoding, encoding = {}, {}
    for parameter in corpus.with_pixels(RLE_LOSSLESS):
        line = parameter.values[0]
        name, pixels = Path(line["path"]).name, line["pixels"]
        if pixels["bits_allocated"] == 1:
            continue
        frame = next(corpus.codestreams(line))[0]
        told = {key: pixels[key] for key in ("rows", "columns", "bits_allocated")}
        samples, bits = pixels["samples"], pixels["bits_allocated"]
        planar = samples > 1
        out = rle_decode(frame, samples_per_pixel=samples, planar=planar, **told).copy()
        size = pixels["rows"] * pixels["columns"]
        best = race(
            frame,
            {
                "ours": lambda frame: rle_decode(frame, samples_per_pixel=samples, planar=planar, out=out, **told),
                "pylibjpeg-rle": lambda frame: decode_frame(frame, size, bits, "<"),
            },
        )
        array = rle_decode(frame, samples_per_pixel=samples, **told)
        raw = array.tobytes()
        again = race(
            array,
            {
                "ours": rle_encode,
                "pylibjpeg-rle": lambda array: encode_frame(
                    raw, pixels["rows"], pixels["columns"], samples, bits, "<"
                ),
            },
            agree=False,
        )
        larger = len(rle_encode(array)) - len(encode_frame(raw, pixels["rows"], pixels["columns"], samples, bits, "<"))
        decoding[name] = best["pylibjpeg-rle"] / best["ours"]
        encoding[name] = again["pylibjpeg-rle"] / again["ours"]
        print(
            f"{name:28} decode {out.nbytes / best['ours'] / 1e6:6.0f} MB/s {decoding[name]:5.2f}x"
            f"   encode {out.nbytes / again['ours'] / 1e6:6.0f} MB/s {encoding[name]:5.2f}x, {larger:+d} bytes"
        )
    for title, ratios in ("decode", decoding), ("encode", encoding):
        wg04 = [ratio for name, ratio in ratios.items() if name.endswith("_RLE")]
        print(f"{title}: geometric mean {geometric_mean(wg04):.2f}x over WG04, {geometric_mean([*ratios.values()]):.2f}x all")
    print(machine("numpy", "pylibjpeg-rle"))


if __name__ == "__main__":
    main()
