"""RLE Lossless beside pylibjpeg-rle on the corpus' images, one thread, into a reused buffer.

Both give colour by plane, as pylibjpeg-rle offers only that; ours by pixel, the default, is measured as well.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from benches.race import geometric_mean, machine, race
from dicomcore.codecs import rle_decode, rle_encode
from tests.support import pixel_corpus as corpus

RLE_LOSSLESS = "1.2.840.10008.1.2.5"


def row(line: dict[str, Any]) -> tuple[list[float], str]:
    """The ratios of decoding, decoding by pixel and encoding; and the table's row."""
    from rle import rle

    pixels = line["pixels"]
    rows, columns, samples = pixels["rows"], pixels["columns"], pixels["samples"]
    bits, frame = pixels["bits_allocated"], next(corpus.codestreams(line))[0]
    told = {"rows": rows, "columns": columns, "bits_allocated": bits, "samples_per_pixel": samples}
    array = rle_decode(frame, **told)
    planes = rle_decode(frame, planar=True, **told)
    raw = array.tobytes()
    theirs = partial(rle.decode_frame, nr_pixels=rows * columns, bpp=bits, byteorder="<")
    encode = partial(rle.encode_frame, rows=rows, cols=columns, spp=samples, bpp=bits, byteorder="<")
    best = race(frame, {"ours": partial(rle_decode, planar=True, out=planes, **told), "theirs": theirs})
    mixed = race(frame, {"ours": partial(rle_decode, out=array, **told), "theirs": theirs}, agree=False)
    packed = race(raw, {"ours": lambda _: rle_encode(array), "theirs": encode}, agree=False, rounds=7)
    ratios = [times["theirs"] / times["ours"] for times in (best, mixed, packed)]
    speeds = [array.nbytes / times["ours"] / 1e6 for times in (best, mixed, packed)]
    cells = [f"{speed:.0f} | {ratio:.2f}" for speed, ratio in zip(speeds, ratios, strict=True)]
    sizes = f"{len(rle_encode(array))} | {len(encode(raw))}"
    return ratios, f"| {Path(line['path']).name} | {' | '.join(cells)} | {sizes} |"


def main() -> None:
    ratios = defaultdict(list)
    print("| image | decode, MB/s | × pylibjpeg-rle | by pixel, MB/s | × | encode, MB/s | × | bytes | its bytes |")
    print("|---" * 9 + "|")
    for parameter in corpus.with_pixels(RLE_LOSSLESS):
        (line,) = parameter.values
        if line is None or line["pixels"]["bits_allocated"] == 1:
            continue
        each, text = row(line)
        print(text)
        for group in ("WG04", "all") if "WG04" in line["path"] else ("all",):
            ratios[group].append(each)
    for group, rows in ratios.items():
        means = [f"{geometric_mean(list(column)):.2f}" for column in zip(*rows, strict=True)]
        print(f"geometric means, {group}: decode {means[0]}, by pixel {means[1]}, encode {means[2]}")
    print("\n" + machine("numpy", "pylibjpeg-rle"))


if __name__ == "__main__":
    main()
