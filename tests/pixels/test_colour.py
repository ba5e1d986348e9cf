"""Colour conversion against pydicom for all 2^24 colours, and the rule that decides a frame's colour."""

from dataclasses import replace

import numpy as np
import pytest
from pydicom.pixels.processing import convert_color_space

from dicomcore._native.pixels import colour as kernels
from dicomcore.pixels import CodestreamInfo, FrameDescription
from dicomcore.pixels.colour import coded_colour, colour_notes, rgb_to_ybr_full, to_rgb

STEP = 16  # of 256 values of the first sample at a time: all 2^24 colours in parts that fit the cache


def colours(first: int) -> np.ndarray:
    axes = np.meshgrid(np.arange(first, first + STEP), np.arange(256), np.arange(256), indexing="ij")
    return np.stack(axes, -1).astype(np.uint8)


def fused(a, b, c):
    """A fused multiply-add in single precision, computed in an exact double."""
    return (np.float64(a) * np.asarray(b, np.float64) + c).astype(np.float32)


def ybr_to_rgb_reference(ybr: np.ndarray) -> np.ndarray:
    """PS3.3 C.7.6.3.1.2 as pydicom evaluates it where multiplication and addition are fused."""
    y, b, r = (ybr[..., i].astype(np.float32) - np.float32(128 if i else 0) for i in range(3))
    f = np.float32
    green = fused(f(-0.299 * 1.402 / 0.587), r, fused(f(-0.114 * 1.772 / 0.587), b, y))
    rgb = np.stack([fused(f(1.402), r, y), green, fused(f(1.772), b, y)], -1)
    return np.clip(np.floor(rgb + f(0.5)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("first", range(0, 256, STEP))
def test_every_colour_by_the_equations(first):
    ybr = colours(first)
    wanted = ybr_to_rgb_reference(ybr)
    planes = np.ascontiguousarray(np.moveaxis(ybr, -1, 0)).reshape(-1)
    for plain in (False, True):
        rgb = np.zeros_like(ybr)
        kernels.ybr_full_to_rgb(ybr.reshape(-1), rgb.reshape(-1), plain=plain)
        assert (rgb == wanted).all()
        rgb[:] = 0
        kernels.ybr_full_to_rgb(planes, rgb.reshape(-1), planar=True, plain=plain)
        assert (rgb == wanted).all()


def test_as_pydicom():
    """The last bit of pydicom's result depends on the machine's BLAS; except for ties it is the same everywhere."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (100, 101, 3), dtype=np.uint8)
    desc = FrameDescription(
        rows=100, columns=101, samples_per_pixel=3, bits_allocated=8, photometric_interpretation="YBR_FULL"
    )
    assert (to_rgb(pixels, desc) == convert_color_space(pixels, "YBR_FULL", "RGB")).all()
    theirs = convert_color_space(pixels, "RGB", "YBR_FULL").astype(int)
    assert abs(rgb_to_ybr_full(pixels) - theirs).max() <= 1
    assert (rgb_to_ybr_full(pixels) == theirs).mean() > 0.999


@pytest.mark.parametrize("pixels", [0, 1, 31, 32, 33, 64, 95])
def test_in_place_and_odd_sizes(pixels):
    ybr = np.random.default_rng(pixels).integers(0, 256, 3 * pixels, dtype=np.uint8)
    wanted = ybr_to_rgb_reference(ybr.reshape(-1, 3)).reshape(-1)
    kernels.ybr_full_to_rgb(ybr, ybr)
    assert (ybr == wanted).all()


def test_overlap_is_refused():
    data = bytearray(12)
    with pytest.raises(ValueError, match="overlap"):
        kernels.ybr_full_to_rgb(memoryview(data)[:9], memoryview(data)[3:])


def test_422_is_expanded():
    dst = bytearray(12)
    kernels.spread_422(b"\x01\x02\x03\x04\x11\x12\x13\x14", dst)
    assert dst == b"\x01\x03\x04\x02\x03\x04\x11\x13\x14\x12\x13\x14"
    with pytest.raises(ValueError, match="4:2:2"):
        kernels.spread_422(b"\x01\x02\x03", bytearray(6))


PARTIAL = {  # studio range, ITU-R BT.601: black, white, grey, clipped above and below
    (16, 128, 128): (0, 0, 0),
    (235, 128, 128): (255, 255, 255),
    (126, 128, 128): (128, 128, 128),
    (255, 255, 255): (255, 125, 255),
    (0, 0, 0): (0, 136, 0),
}


@pytest.mark.parametrize(("ybr", "rgb"), PARTIAL.items())
def test_partial(ybr, rgb):
    dst = bytearray(3)
    kernels.ybr_partial_to_rgb(bytes(ybr), dst)
    assert tuple(dst) == rgb


def test_rct_undoes_its_forward_transform():
    rgb = np.random.default_rng(1).integers(0, 4096, (500, 3)).astype(np.int32)
    r, g, b = rgb.T
    ybr = np.stack([(r + 2 * g + b) >> 2, b - g, r - g], -1).astype(np.int32)
    kernels.ybr_rct_to_rgb(ybr.reshape(-1), ybr.reshape(-1))
    assert (ybr == rgb).all()


def test_deep_equals_shallow_where_they_meet():
    ybr = np.random.default_rng(1).integers(0, 256, (500, 3))
    deep = ybr.astype(np.uint16)
    kernels.ybr_full_to_rgb_deep(deep.reshape(-1), deep.reshape(-1), 8)
    assert abs(deep.astype(int) - ybr_to_rgb_reference(ybr.astype(np.uint8))).max() <= 1


def info(format="JPEG", colour=None, by=None, subsampling=()):
    return CodestreamInfo(
        format=format,
        rows=1,
        columns=1,
        components=3,
        precision=8,
        colour=colour,
        marked_by=by,
        subsampling=subsampling,
    )


HALVED = ((2, 2), (1, 1), (1, 1))


RULE = {  # (photometric interpretation, colour of the codestream's markers): colour
    ("RGB", None): "RGB",
    ("YBR_FULL", None): "YBR",
    ("YBR_FULL_422", None): "YBR",
    ("YBR_PARTIAL_422", None): "YBR_PARTIAL",
    ("YBR_ICT", None): "YBR",
    ("RGB", info()): "RGB",
    ("YBR_FULL_422", info()): "YBR",
    ("RGB", info(colour="YBR", by="JFIF")): "YBR",
    ("YBR_FULL", info(colour="RGB", by="Adobe")): "RGB",
    ("YBR_FULL_422", info(colour="RGB", by="Adobe", subsampling=HALVED)): "YBR",
    ("YBR_PARTIAL_420", info(colour="RGB", by="Adobe", subsampling=HALVED)): "YBR_PARTIAL",
    ("RGB", info(colour="RGB", by="Adobe", subsampling=HALVED)): "RGB",
    ("YBR_FULL", info(colour="RGB", by="component ids")): "RGB",
    ("YBR_FULL", info(colour="RGB", by="component ids", subsampling=HALVED)): "RGB",
    ("YBR_RCT", info("JPEG 2000", "RGB", "component transform")): "RGB",
    ("YBR_ICT", info("JPEG 2000")): "YBR",
    ("YBR_FULL", info("JPEG 2000")): "YBR",
    ("YBR_FULL", info("JPEG 2000", "RGB", "component transform")): "RGB",
    ("YBR_FULL_422", info("JPEG XL", "RGB")): "RGB",
}


@pytest.mark.parametrize(("stated", "marks"), RULE)
def test_which_colour_a_frame_has(stated, marks):
    desc = FrameDescription(rows=1, columns=1, samples_per_pixel=3, bits_allocated=8, photometric_interpretation=stated)
    assert coded_colour(desc, marks) == RULE[stated, marks]


def test_contradictions_are_noted():
    desc = FrameDescription(rows=1, columns=1, samples_per_pixel=3, bits_allocated=8, photometric_interpretation="RGB")
    (note,) = colour_notes(desc, info(colour="YBR", by="JFIF"))
    assert note.code == "pixel-colour"
    assert not colour_notes(desc, info(colour="RGB", by="Adobe"))
    desc = replace(desc, photometric_interpretation="YBR_FULL_422")
    (note,) = colour_notes(desc, info(colour="RGB", by="Adobe", subsampling=HALVED))
    assert "taken for YBR" in note.message


def test_an_area_is_converted_into_an_area():
    ybr = np.random.default_rng(3).integers(0, 256, (40, 50, 3), np.uint8)
    rgb = np.empty_like(ybr)
    kernels.ybr_full_to_rgb(ybr.reshape(-1), rgb.reshape(-1))
    for rows, columns in [(40, 50), (1, 1), (7, 33), (0, 5), (5, 0)]:
        out = np.full((60, 70, 3), 9, np.uint8)
        kernels.ybr_full_area_to_rgb(ybr[:rows, 3 : 3 + columns], out[11 : 11 + rows, 2 : 2 + columns][:, : 50 - 3])
        part = rgb[:rows, 3 : 3 + columns]
        np.testing.assert_array_equal(out[11 : 11 + rows, 2 : 2 + part.shape[1]], part)
        out[11 : 11 + rows, 2 : 2 + part.shape[1]] = 9
        assert (out == 9).all()


AREAS = {  # name: (source, target, message)
    "another size": (np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4, 3), np.uint8), "same rows and columns"),
    "four samples": (np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5, 4), np.uint8), "3 samples"),
    "every second pixel": (np.zeros((4, 10, 3), np.uint8)[:, ::2], np.zeros((4, 5, 3), np.uint8), "follow each other"),
    "upside down": (np.zeros((4, 5, 3), np.uint8)[::-1], np.zeros((4, 5, 3), np.uint8), "not to overlap"),
}


@pytest.mark.parametrize(("source", "target", "message"), AREAS.values(), ids=AREAS)
def test_areas_that_do_not_fit_are_refused(source, target, message):
    with pytest.raises(ValueError, match=message):
        kernels.ybr_full_area_to_rgb(source, target)


def test_an_area_is_not_converted_in_place():
    pixels = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="overlap"):
        kernels.ybr_full_area_to_rgb(pixels[:4], pixels[2:6])
