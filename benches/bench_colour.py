"""Pixel kernels beside pydicom, NumPy and memcpy, on fresh copies of the same samples, one thread."""

from __future__ import annotations

import sys

import numpy as np

from benches.race import machine, race
from dicomcore._native.base import swap
from dicomcore._native.pixels import colour, lut, planes, unpack

FRAMES, ROWS, COLUMNS = 100, 512, 512
RNG = np.random.default_rng(1)


def copied(samples: np.ndarray) -> object:
    """memcpy into an existing array."""
    out = np.ones_like(samples)

    def run(work: np.ndarray) -> np.ndarray:
        np.copyto(out, work)
        return out

    return run


def filled(kernel: object, out: np.ndarray) -> object:
    """A kernel into an existing array."""
    out[...] = 1

    def run(work: np.ndarray) -> np.ndarray:
        kernel(work, out.reshape(-1).view(np.uint8))
        return out

    return run


def tell(name: str, out: np.ndarray, best: dict[str, float], copy: float) -> None:
    mine = best["ours"]
    peers = "".join(f"  {best[peer] / mine:7.1f}x {peer}" for peer in best if peer != "ours")
    print(f"{name:28} {1e3 * mine:8.2f} ms {out.nbytes / mine / 1e9:6.2f} GB/s {copy / mine:6.0%} of memcpy{peers}")


def contest(
    name: str, work: np.ndarray, out: np.ndarray, kernel: object, peers: dict[str, object], rounds: int
) -> None:
    """Race a kernel that fills `out` against its peers, and against copying as many bytes as it writes."""
    best = race(work, {"ours": filled(kernel, out), **peers}, rounds=rounds)
    copy = race(out.copy(), {"memcpy": copied(out)}, rounds=rounds)["memcpy"]
    tell(name, out, best, copy)


def main() -> None:
    from pydicom.pixels.processing import convert_color_space

    rounds = 3 if "--quick" in sys.argv else 7
    rgb = RNG.integers(0, 256, (FRAMES, ROWS, COLUMNS, 3), dtype=np.uint8)
    grey = RNG.integers(0, 4096, (FRAMES, ROWS, COLUMNS)).astype(np.uint16)
    flat = np.ascontiguousarray(rgb).reshape(-1)

    contest(
        "YBR_FULL to RGB", flat, np.empty_like(rgb), colour.ybr_full_to_rgb,
        {"pydicom": lambda work: convert_color_space(work.reshape(rgb.shape), "YBR_FULL", "RGB")}, rounds,
    )  # fmt: skip
    contest(
        "RGB to YBR_FULL", flat, np.empty_like(rgb), colour.rgb_to_ybr_full,
        {"pydicom": lambda work: convert_color_space(work.reshape(rgb.shape), "RGB", "YBR_FULL")}, rounds,
    )  # fmt: skip
    contest(
        "planes to pixels, 3 x 8", flat, np.empty_like(rgb), lambda work, out: planes.interleave(work, out, 3, 1),
        {"NumPy": lambda work: np.ascontiguousarray(work.reshape(3, -1).T)}, rounds,
    )  # fmt: skip
    words = grey.reshape(-1).view(np.uint8)
    for width in (2, 4, 8):
        contest(
            f"byte swap, {width} bytes", words, np.empty_like(words),
            lambda work, out, width=width: swap.swap_words(work, out, width),
            {"NumPy": lambda work, width=width: work.view(f"u{width}").byteswap()}, rounds,
        )  # fmt: skip
    bits = RNG.integers(0, 256, grey.size // 8, dtype=np.uint8)
    contest(
        "single bits to bytes", bits, np.empty(grey.size, np.uint8), lambda work, out: unpack.unpack_bits(work, out),
        {"NumPy": lambda work: np.unpackbits(work, bitorder="little")}, rounds,
    )  # fmt: skip
    table = RNG.integers(0, 256, (4096, 4), dtype=np.uint8)
    contest(
        "palette, 16 bits to RGB", words, np.empty_like(rgb),
        lambda work, out: lut.lookup(work, 2, False, table.reshape(-1), 0, out, 3),
        {"NumPy": lambda work: table[np.clip(work.view("u2"), 0, 4095), :3]}, rounds,
    )  # fmt: skip
    few = (grey >> 4).astype(np.uint8).reshape(-1)
    contest(
        "palette, 8 bits to RGB", few, np.empty_like(rgb),
        lambda work, out: lut.lookup(work, 1, False, table[:256].reshape(-1), 0, out, 3),
        {"NumPy": lambda work: table[:256][work, :3]}, rounds,
    )  # fmt: skip
    print(machine("numpy", "pydicom"))


if __name__ == "__main__":
    main()
