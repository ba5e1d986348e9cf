"""The kernel that scales pictures, beside its formula: a triangle as wide as two pixels of the coarser grid."""

from __future__ import annotations

import numpy as np
import pytest

from dicomcore._native.pixels import resample as kernels

RNG = np.random.default_rng(6)
PICTURE = RNG.integers(0, 256, (13, 17)).astype(np.uint8)
WHOLE = (0.0, 0.0, 17.0, 13.0)


def scaled(picture: np.ndarray, shape: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    rows, columns = picture.shape[:2]
    samples = picture.shape[2] if picture.ndim == 3 else 1
    result = np.full((*shape, *picture.shape[2:]), 77, picture.dtype)
    flat = [array.reshape(-1).view(np.uint8) for array in (np.ascontiguousarray(picture), result)]
    kernels.resample(flat[0], rows, columns, samples, picture.itemsize, flat[1], *shape, *box)
    return result


def weights(size: int, results: int, low: float, high: float) -> np.ndarray:
    """(results, size): what each pixel of the source adds to each of the result."""
    step = (high - low) / results
    centre = low + (np.arange(results) + 0.5) * step
    share = np.maximum(1 - np.abs(np.arange(size) + 0.5 - centre[:, None]) / max(step, 1.0), 0)
    share[(centre < 0) | (centre >= size)] = 0
    total = share.sum(1, keepdims=True)
    return np.divide(share, total, out=np.zeros_like(share), where=total > 0)


def by_formula(picture: np.ndarray, shape: tuple[int, int], box: tuple[float, float, float, float]) -> np.ndarray:
    left, top, right, bottom = box
    down, across = weights(picture.shape[0], shape[0], top, bottom), weights(picture.shape[1], shape[1], left, right)
    return np.einsum("ry,yx...,cx->rc...", down, picture.astype(float), across)


BOXES = {  # name: (shape, box)
    "as it is": ((13, 17), WHOLE),
    "twice as large": ((26, 34), WHOLE),
    "a third": ((4, 6), WHOLE),
    "stretched": ((5, 60), WHOLE),
    "a part": ((20, 20), (3.25, 2.5, 9.75, 11.0)),
    "beyond the edges": ((20, 20), (-8.0, -3.0, 30.0, 20.0)),
    "half a pixel aside": ((13, 17), (0.5, 0.5, 17.5, 13.5)),
    "within a pixel": ((6, 6), (4.1, 4.1, 4.2, 4.2)),
    "one pixel of all": ((1, 1), WHOLE),
    "far outside": ((3, 3), (100.0, 100.0, 120.0, 120.0)),
    "vast": ((7, 7), (-1e9, -1e9, 1e9, 1e9)),
}


@pytest.mark.parametrize(("shape", "box"), BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("kind", ["grey", "grey of 16 bits", "colour", "colour with opacity"])
def test_formula(kind, shape, box):
    picture = {
        "grey": PICTURE,
        "grey of 16 bits": PICTURE.astype(np.uint16) * 257,
        "colour": RNG.integers(0, 256, (13, 17, 3)).astype(np.uint8),
        "colour with opacity": RNG.integers(0, 256, (13, 17, 4)).astype(np.uint8),
    }[kind]
    off = np.abs(scaled(picture, shape, box) - by_formula(picture, shape, box))
    assert off.max() <= (0.51 if picture.itemsize == 1 else 0.6)


def test_a_picture_of_its_own_size_is_itself():
    assert np.array_equal(scaled(PICTURE, (13, 17), WHOLE), PICTURE)


WRONG = {  # name: (bytes in, height, width, samples, size, bytes out, rows, columns, box)
    "no rows": (0, 0, 4, 1, 1, 4, 2, 2, WHOLE),
    "no columns in the result": (4, 2, 2, 1, 1, 0, 2, 0, WHOLE),
    "too few bytes": (3, 2, 2, 1, 1, 4, 2, 2, WHOLE),
    "too few bytes in the result": (4, 2, 2, 1, 1, 3, 2, 2, WHOLE),
    "samples of 3 bytes": (12, 2, 2, 1, 3, 12, 2, 2, WHOLE),
    "a box from right to left": (4, 2, 2, 1, 1, 4, 2, 2, (2.0, 0.0, 0.0, 2.0)),
    "a box of no height": (4, 2, 2, 1, 1, 4, 2, 2, (0.0, 1.0, 2.0, 1.0)),
    "no numbers": (4, 2, 2, 1, 1, 4, 2, 2, (float("nan"), 0.0, 2.0, 2.0)),
    "infinite": (4, 2, 2, 1, 1, 4, 2, 2, (0.0, 0.0, float("inf"), 2.0)),
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_wrong_sizes_are_refused(given):
    count, height, width, samples, size, results, rows, columns, box = given
    with pytest.raises(ValueError, match="picture"):
        kernels.resample(
            np.zeros(count, np.uint8), height, width, samples, size, np.zeros(results, np.uint8), rows, columns, *box
        )
