"""Planes to pixels and back against NumPy."""

import numpy as np
import pytest

from dicomcore._native.pixels.planes import interleave, separate


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("samples", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("pixels", [0, 1, 31, 32, 33, 97, 2047, 2049, 5000])
def test_there_and_back(width, samples, pixels):
    by_plane = np.random.default_rng(pixels).integers(0, 256, (samples, pixels, width), dtype=np.uint8)
    wanted = np.ascontiguousarray(by_plane.transpose(1, 0, 2)).reshape(-1)
    by_pixel = np.zeros_like(wanted)
    interleave(by_plane.reshape(-1), by_pixel, samples, width)
    assert (by_pixel == wanted).all()
    back = np.zeros(by_plane.size, np.uint8)
    separate(by_pixel, back, samples, width)
    assert (back == by_plane.reshape(-1)).all()


@pytest.mark.parametrize(("size", "samples", "width"), [(10, 3, 1), (6, 0, 1), (6, 1, 3), (6, 2, 2)])
def test_refused(size, samples, width):
    for way in (interleave, separate):
        with pytest.raises(ValueError, match="not the same whole number of pixels"):
            way(bytes(size), bytearray(size), samples, width)
