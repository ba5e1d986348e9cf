"""Draw the pictures of docs/howto/display.md from made images: `python -m tools.make_display_pictures`.

A test draws them again and compares.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import dicomcore as dc
from dicomcore import display
from dicomcore.display.png import png
from tests.display.states import area, compound, figure, item, layer, made, palette, reference, state_of, window

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "display"
Picture = NDArray[np.uint8]
Y, X = np.mgrid[0:160, 0:160] / 80.0 - 1
GAP = 6


def disc(x: float, y: float, wide: float, high: float) -> NDArray[np.float64]:
    """1 inside an ellipse, 0 outside, smooth between."""
    return np.clip((1 - ((X - x) / wide) ** 2 - ((Y - y) / high) ** 2) * 12, 0, 1)


def chest() -> dc.Dataset:
    """A slice through a chest, more or less, in Hounsfield units plus 1024."""
    values = -1000 + 1040 * disc(0, 0, 0.92, 0.7)
    for side in (-0.42, 0.42):
        values -= 840 * disc(side, -0.02, 0.32, 0.5)
        values += 500 * disc(1.15 * side, 0.2, 0.04, 0.04)
    values += 700 * disc(0, 0.45, 0.12, 0.12) + 90 * disc(-0.06, -0.12, 0.2, 0.22)
    values += 750 * disc(0.45, -0.18, 0.07, 0.07)
    noise = np.random.default_rng(1).normal(0, 8, values.shape)
    return made(
        np.rint(values + noise + 1024).clip(0, 4095).astype(np.uint16),
        bits_stored=12,
        SOPInstanceUID="2.25.201",
        SeriesInstanceUID="2.25.301",
        WindowCenter=1064,
        WindowWidth=400,
    )


def uptake() -> dc.Dataset:
    """What a tracer does in the same slice."""
    values = 900 * disc(0.45, -0.18, 0.16, 0.16) + 250 * disc(-0.06, -0.12, 0.2, 0.22) + 60 * disc(0, 0, 0.92, 0.7)
    return made(values.astype(np.uint16), bits_stored=12, SOPInstanceUID="2.25.202", SeriesInstanceUID="2.25.302",
                PixelPaddingValue=0)  # fmt: skip


def strip(*pictures: Picture) -> Picture:
    """Pictures beside each other."""
    coloured = [one if one.ndim == 3 else np.repeat(one[..., None], 3, 2) for one in pictures]
    gap = np.full((coloured[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for one in coloured for part in (gap, one)][1:], 1)


def steps() -> Picture:
    """An image by itself; by a state's window; inverted behind a shutter; turned, and a part of it."""
    image = chest()
    lung = {"SoftcopyVOILUTSequence": [window(474, 1200)]}
    shutter = {
        "ShutterShape": "CIRCULAR",
        "CenterOfCircularShutter": [80, 80],
        "RadiusOfCircularShutter": 70,
        "ShutterPresentationValue": 0x4000,
    }
    corner = [area((60, 118), (137, 41), PresentationPixelAspectRatio=[1, 1])]
    return strip(
        display.render(image),
        display.render(image, state_of(image, **lung)),
        display.render(image, state_of(image, **lung, **shutter, PresentationLUTShape="INVERSE")),
        display.render(
            image, state_of(image, **lung, ImageRotation=90, DisplayedAreaSelectionSequence=corner), size=160
        ),
    )


def annotated() -> tuple[dc.Dataset, dc.Dataset]:
    """The slice and a state with graphics, compound graphics and text."""
    image = chest()
    fill = item(PatternOnColorCIELabValue=[40000, 50000, 30000], PatternOnOpacity=0.35, PatternOffOpacity=0.0,
                FillMode="SOLID")  # fmt: skip
    outline = [(22, 96), (34, 62), (52, 50), (60, 78), (52, 108), (34, 112), (22, 96)]
    ticks = [item(TickPosition=share / 4, TickLabel=str(share * 2)) for share in range(5)]
    text = item(
        UnformattedTextValue="nodule\r\n11 mm",
        BoundingBoxAnnotationUnits="PIXEL",
        BoundingBoxTopLeftHandCorner=[134.0, 20.0],
        BoundingBoxBottomRightHandCorner=[158.0, 36.0],
        BoundingBoxTextHorizontalJustification="LEFT",
        AnchorPoint=[118.0, 63.0],
        AnchorPointAnnotationUnits="PIXEL",
        AnchorPointVisibility="Y",
    )
    label = item(
        UnformattedTextValue="R",
        BoundingBoxAnnotationUnits="DISPLAY",
        BoundingBoxTopLeftHandCorner=[0.02, 0.45],
        BoundingBoxBottomRightHandCorner=[0.08, 0.55],
        BoundingBoxTextHorizontalJustification="CENTER",
    )
    notes = [
        item(GraphicLayer="LUNG", GraphicObjectSequence=[
            figure("INTERPOLATED", outline, GraphicFilled="Y", FillStyleSequence=[fill])]),
        item(GraphicLayer="NODULE", TextObjectSequence=[text], GraphicObjectSequence=[
            figure("ELLIPSE", [(108, 66), (124, 66), (116, 58), (116, 74)])],
            CompoundGraphicSequence=[compound("ARROW", [(108, 76), (92, 96)])]),
        item(GraphicLayer="SCALE", TextObjectSequence=[label], CompoundGraphicSequence=[
            compound("RULER", [(0.3, 0.92), (0.7, 0.92)], "DISPLAY", MajorTicksSequence=ticks,
                     TickAlignment="BOTTOM", TickLabelAlignment="BOTTOM", ShowTickLabel="Y")]),
    ]  # fmt: skip
    state = state_of(
        image,
        SoftcopyVOILUTSequence=[window(600, 1600)],
        GraphicLayerSequence=[
            layer("LUNG", 1, (80, 200, 255)),
            layer("NODULE", 2, (255, 210, 0)),
            layer("SCALE", 3, GraphicLayerRecommendedDisplayGrayscaleValue=0xFFFF),
        ],
        GraphicAnnotationSequence=notes,
    )
    return image, state


def graphics() -> Picture:
    """Graphics and text at three times the size."""
    return display.render(*annotated(), size=480)


def hot() -> NDArray[np.float64]:
    """Black, red, yellow, white in 16 bits."""
    share = np.linspace(0, 3, 256)[:, None] - np.arange(3)
    return np.rint(65535 * share.clip(0, 1))


def blended() -> Picture:
    """A slice, a tracer in colour, and the two blended in the foreground and equally."""
    below, above = chest(), uptake()
    inputs = [
        item(BlendingInputNumber=1, ReferencedImageSequence=[reference(below)],
             SoftcopyVOILUTSequence=[window(1064, 500)]),
        item(BlendingInputNumber=2, ReferencedImageSequence=[reference(above)],
             SoftcopyVOILUTSequence=[window(450, 900)],
             PaletteColorLookupTableSequence=[palette(item(), hot())]),
    ]  # fmt: skip

    def state(numbers: tuple[int, ...], mode: str = "EQUAL") -> dc.Dataset:
        step = item(BlendingMode=mode, RelativeOpacity=0.65,
                    BlendingDisplayInputSequence=[item(BlendingInputNumber=number) for number in numbers])  # fmt: skip
        return state_of(kind="advanced-blending", AdvancedBlendingSequence=inputs, BlendingDisplaySequence=[step])

    cases = ((1,), "EQUAL"), ((2,), "EQUAL"), ((2, 1), "FOREGROUND"), ((2, 1), "EQUAL")
    return strip(*(display.render([below, above], state(*case)) for case in cases))


def subtracted() -> Picture:
    """A frame with contrast in a vessel, the mask, and their difference."""
    base = 2600 - 900 * disc(0, 0, 0.9, 0.9) - 500 * disc(0.3, 0.2, 0.2, 0.6) + 300 * disc(-0.4, 0, 0.3, 0.5)
    vessel = np.exp(-(((X - 0.25 * np.sin(4 * Y)) / 0.05) ** 2)) * 160 + np.exp(-(((X + Y - 0.3) / 0.05) ** 2)) * 90
    cine = made(np.stack([base, base - vessel]).astype(np.uint16), bits_stored=12, NumberOfFrames=2,
                SOPInstanceUID="2.25.203")  # fmt: skip
    native = state_of(cine, SoftcopyVOILUTSequence=[window(1900, 2400)])
    mask = item(MaskOperation="AVG_SUB", MaskFrameNumbers=[1])
    state = state_of(cine, SoftcopyVOILUTSequence=[window(-60, 260)], MaskSubtractionSequence=[mask],
                     RecommendedViewingMode="SUB")  # fmt: skip
    return strip(*(display.render(cine, native, frame=frame) for frame in (1, 0)), display.render(cine, state, frame=1))


PICTURES = {"steps": steps, "graphics": graphics, "blending": blended, "mask": subtracted}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, draw in PICTURES.items():
        data = png(draw(), level=9)
        (FOLDER / f"{name}.png").write_bytes(data)
        print(f"{name}.png: {len(data)} bytes")


if __name__ == "__main__":
    main()
