"""Presentation states that highdicom makes: rendered as they say."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore import display
from tests.support.corpus import real

hd = pytest.importorskip("highdicom")
ImageCms = pytest.importorskip("PIL.ImageCms")

CT = real("CT_small.dcm")
VALUES = dc.dcmread(CT).pixel_array * 1.0
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SCANNER = SRGB[:12] + b"scnr" + SRGB[16:]
ENTRIES = np.linspace(0, 65535, 256).astype(np.uint16)


def ids(**more: Any) -> dict[str, Any]:
    return {
        "series_instance_uid": hd.UID(),
        "series_number": 9,
        "sop_instance_uid": hd.UID(),
        "instance_number": 1,
        "manufacturer": "Maker",
        "manufacturer_model_name": "Model",
        "software_versions": "1",
        "device_serial_number": "1",
        "content_label": "LABEL",
        **more,
    }


def read(made: Any) -> dc.Dataset:
    stream = io.BytesIO()
    made.save_as(stream)
    return dc.dcmread(stream.getvalue())


def window(center: float, width: float) -> Any:
    return hd.pr.SoftcopyVOILUTTransformation(window_center=center, window_width=width)


def rescale() -> Any:
    return hd.ModalityLUTTransformation(rescale_intercept=-1024.0, rescale_slope=1.0, rescale_type="HU")


def ramp() -> Any:
    """Red rises, green falls, blue is nothing."""
    luts = [hd.PaletteColorLUT(0, entries, name) for entries, name in (
        (ENTRIES, "red"), (ENTRIES[::-1].copy(), "green"), (0 * ENTRIES, "blue"))]  # fmt: skip
    return hd.PaletteColorLUTTransformation(*luts)


def grey_ramp() -> Any:
    luts = [hd.PaletteColorLUT(0, ENTRIES, name) for name in ("red", "green", "blue")]
    return hd.PaletteColorLUTTransformation(*luts)


def windowed(values: np.ndarray, center: float, width: float) -> np.ndarray:
    return ((values - (center - 0.5)) / (width - 1) + 0.5).clip(0, 1)


def test_grayscale_with_graphics():
    source = pydicom.dcmread(CT)
    shown = hd.pr.GraphicLayer("LAYER", order=1, display_color=hd.color.CIELabColor(53.2, 80.1, 67.2))  # red
    circle = hd.pr.GraphicObject("CIRCLE", np.array([[64.0, 64.0], [64.0, 34.0]]), units="PIXEL")
    note = hd.pr.GraphicAnnotation([source], shown, graphic_objects=[circle])
    made = hd.pr.GrayscaleSoftcopyPresentationState(
        [source],
        modality_lut_transformation=rescale(),
        voi_lut_transformations=[window(40, 400)],
        graphic_annotations=[note],
        graphic_layers=[shown],
        **ids(),
    )
    state = display.read_state(read(made))
    assert (state.kind, state.label) == ("grayscale", "LABEL")
    wanted = 255 * windowed(VALUES - 1024, 40, 400)
    assert np.abs(display.render(CT, state, graphics=False) - wanted).max() <= 0.51
    picture = display.render(CT, state).astype(int)
    red = picture[..., 0] - picture[..., 2]
    rows, columns = np.nonzero(red > 20)
    assert len(rows) > 150
    assert np.abs(np.hypot(rows - 63.5, columns - 63.5) - 30).max() < 1.5


def test_pseudo_colour():
    """Without a VOI LUT (highdicom 0.28 refuses any) the palette spans all values that the image could have."""
    image = pydicom.dcmread(CT)
    made = hd.pr.PseudoColorSoftcopyPresentationState(
        [image],
        palette_color_lut_transformation=ramp(),
        modality_lut_transformation=rescale(),
        icc_profile=SCANNER,
        **ids(),
    )
    picture = display.render(CT, read(made), profile=None)
    place = np.rint(255 * (VALUES + 32768) / 65535).astype(int)
    assert np.abs(picture[..., 0].astype(int) - (ENTRIES[place] >> 8)).max() <= 1
    assert np.abs(picture[..., 1].astype(int) - (ENTRIES[::-1][place] >> 8)).max() <= 1
    assert not picture[..., 2].any()


@pytest.mark.parametrize("mode", ["EQUAL", "FOREGROUND"])
def test_advanced_blending(mode):
    first, second = pydicom.dcmread(CT), pydicom.dcmread(CT)
    second.SOPInstanceUID, second.SeriesInstanceUID = hd.UID(), hd.UID()
    for image in (first, second):
        del image.PixelPaddingValue
    inputs = [
        hd.pr.AdvancedBlending([image], number, rescale(), [view], colours)
        for number, image, view, colours in (
            (1, first, window(40, 400), grey_ramp()),
            (2, second, window(0, 1000), ramp()),
        )
    ]
    steps = [hd.pr.BlendingDisplay(
        mode, [hd.pr.BlendingDisplayInput(number) for number in (1, 2)],
        relative_opacity=0.3 if mode == "FOREGROUND" else None)]  # fmt: skip
    made = hd.pr.AdvancedBlendingPresentationState([first, second], inputs, steps, icc_profile=SCANNER, **ids())
    images = [dc.from_pydicom(image) for image in (first, second)]
    picture = display.render(images, read(made), profile=None)
    place = np.rint(255 * windowed(VALUES - 1024, 0, 1000)).astype(int)
    tint = np.stack([ENTRIES[place] >> 8, ENTRIES[::-1][place] >> 8, 0 * place], -1)
    grey = 255 * windowed(VALUES - 1024, 40, 400)[..., None]
    share = 0.5 if mode == "EQUAL" else 0.3
    assert np.abs(picture - (share * grey + (1 - share) * tint)).max() <= 1.5


def test_colour_with_its_profile():
    """An sRGB profile in the state: the colours stay, and nothing is assumed."""
    source = pydicom.dcmread(real("SC_rgb.dcm"))
    source.StudyID = source.get("StudyID", "")
    made = hd.pr.ColorSoftcopyPresentationState([source], icc_profile=SCANNER, **ids())
    notes: list[Any] = []
    picture = display.render(dc.from_pydicom(source), read(made), notes=notes)
    assert np.abs(picture.astype(int) - dc.from_pydicom(source).pixel_array).max() <= 2
    assert notes == []
