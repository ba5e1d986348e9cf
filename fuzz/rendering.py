"""Targets of presentation states: any state over known images, and what is drawn over them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

import dicomcore as dc
from dicomcore import display
from dicomcore.display.curves import dashes, interpolated
from dicomcore.display.icc import profile_fault
from dicomcore.notes import Note
from fuzz.target import FuzzInput, Target, check_error
from tests.display import states

LIMITS = dc.Limits(inflated_bytes=4 << 20, frame_pixels=1 << 22, frames=4096, pixels=1 << 16)
ROWS, COLUMNS = 24, 32


@cache
def images() -> tuple[dc.Dataset, ...]:
    """A grey cine, a colour image, and two images that are blended, with the low limits."""
    noise = np.random.default_rng(1)
    plane = {"ImagePositionPatient": [0.0, 0.0, 0.0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
             "PixelSpacing": [1.0, 1.0], "FrameOfReferenceUID": "2.25.7"}  # fmt: skip
    cine = noise.integers(0, 4096, (4, ROWS, COLUMNS)).astype(np.uint16)
    made = (
        states.made(cine, bits_stored=12, NumberOfFrames=4, PixelPaddingValue=0),
        states.made(noise.integers(0, 256, (ROWS, COLUMNS, 3)).astype(np.uint8), SOPInstanceUID="2.25.10"),
        states.made(cine[0], bits_stored=12, SOPInstanceUID="2.25.11", SeriesInstanceUID="2.25.31", **plane),
        states.made(cine[1, :12, :16], SOPInstanceUID="2.25.12", SeriesInstanceUID="2.25.32", **plane),
    )
    return tuple(dc.dcmread(one.to_bytes(), limits=LIMITS) for one in made)


def presentation(data: bytes) -> None:
    """Any state: a picture of the known images, the same twice, or a refusal; notes have a text."""
    taken = FuzzInput(data)
    options = {
        "frame": taken.byte() % 5,
        "size": taken.one_of((None, 16, (9, 40), 100)),
        "only": taken.one_of((("grey", "spatial", "graphics"), ("graphics",), ("grey",), ("spatial",))),
        "padding": taken.one_of(("background", "through")),
        "profile": taken.one_of(("srgb", None)),
    }
    state = display.read_state(dc.dcmread(taken.left, force=True, limits=LIMITS))
    assert state.referenced is not None
    for chosen in (images(), images()[1:2]):
        notes: list[Note] = []
        try:
            picture = display.render(chosen, state, notes=notes, **options)
        except IndexError:  # of the frame alone
            assert options["frame"] > 0
            continue
        except dc.DicomError as error:
            check_error(error)
            continue
        assert picture.dtype == np.uint8
        assert picture.shape[0] * picture.shape[1] <= LIMITS.pixels
        assert all(note.message for note in notes)
        assert np.array_equal(picture, display.render(chosen, state, **options))


def profile(data: bytes) -> None:
    """Any profile: a picture, with a note where it is none."""
    notes: list[Note] = []
    image = states.made(np.zeros((2, 2, 3), np.uint8), ICCProfile=data)
    picture = display.render(image, notes=notes)
    assert picture.shape == (2, 2, 3)
    assert profile_fault(data) is None or not data or notes


def lines(data: bytes) -> None:
    """Any points: curves and dashes are finite in number, and stay near the points."""
    taken = FuzzInput(data)
    pattern, stretch = taken.word() | taken.word() << 16, (taken.byte() + 1) / 16
    points = np.frombuffer(taken.left[: len(taken.left) // 8 * 8], "<f4").reshape(-1, 2).astype(np.float64)
    if len(points) < 2 or not np.isfinite(points).all() or np.abs(points).max() > 1e6:
        return
    curve = interpolated(points)
    assert np.isfinite(curve).all()
    parts = dashes(curve, pattern, stretch) if len(curve) > 1 else None
    assert parts is None or sum(map(len, parts)) <= 1 << 18


def state_seeds() -> Iterator[bytes]:
    """States of every kind, each behind the bytes of five options."""
    grey, colour, under, over = images()
    for state in (annotated(grey), masked(grey), coloured(colour), tinted(grey), varied(grey), blended(under, over),
                  advanced(under, over)):  # fmt: skip
        yield bytes(5) + state.to_bytes()


def annotated(image: dc.Dataset) -> dc.Dataset:
    style = states.item(PatternOnColorCIELabValue=[30000, 40000, 20000], PatternOnOpacity=0.5, LineThickness=2.0,
                        LineDashingStyle="DASHED", LinePattern=0x0F0F0F0F, ShadowStyle="NORMAL", ShadowOffsetX=1.0,
                        ShadowOffsetY=1.0, ShadowColorCIELabValue=[0, 32896, 32896], ShadowOpacity=1.0)  # fmt: skip
    figures = [
        states.figure("POLYLINE", [(2, 2), (20, 9), (2, 9), (2, 2)], GraphicFilled="Y", LineStyleSequence=[style]),
        states.figure("INTERPOLATED", [(2, 2), (9, 9), (20, 2)]),
        states.figure("CIRCLE", [(10, 10), (14, 10)], "DISPLAY"),
        states.figure("ELLIPSE", [(2, 9), (20, 9), (11, 5), (11, 13)]),
    ]
    ticks = [states.item(TickPosition=share, TickLabel="5") for share in (0.0, 0.5, 1.0)]
    compounds = [
        states.compound(kind, [(3, 3), (25, 15)], RotationAngle=30.0, GapLength=0.1, MajorTicksSequence=ticks,
                        ShowTickLabel="Y", RotationPoint=[9.0, 9.0])
        for kind in ("RULER", "CUTLINE", "ARROW", "RECTANGLE")
    ]  # fmt: skip
    text = states.item(UnformattedTextValue="here", BoundingBoxAnnotationUnits="DISPLAY",
                       BoundingBoxTopLeftHandCorner=[0.1, 0.1], BoundingBoxBottomRightHandCorner=[0.9, 0.4],
                       AnchorPoint=[5.0, 5.0], AnchorPointAnnotationUnits="PIXEL",
                       AnchorPointVisibility="Y")  # fmt: skip
    note = states.item(GraphicLayer="A", GraphicObjectSequence=figures, CompoundGraphicSequence=compounds,
                       TextObjectSequence=[text])  # fmt: skip
    return states.state_of(
        image,
        GraphicLayerSequence=[states.layer("A", 1, (255, 200, 0))],
        GraphicAnnotationSequence=[note],
        ImageRotation=90,
        ImageHorizontalFlip="Y",
        DisplayedAreaSelectionSequence=[
            states.area((-3, 30), (28, 2), "MAGNIFY", PresentationPixelMagnificationRatio=2.0)
        ],
        ShutterShape=["CIRCULAR", "POLYGONAL"],
        CenterOfCircularShutter=[12, 12],
        RadiusOfCircularShutter=9,
        VerticesOfThePolygonalShutter=[1, 1, 1, 20, 20, 20],
        SoftcopyVOILUTSequence=[states.window(2000, 3000, VOILUTFunction="SIGMOID")],
    )


def masked(image: dc.Dataset) -> dc.Dataset:
    shift = states.item(MaskSubPixelShift=[0.5, -1.0], VerticesOfTheRegion=[2, 2, 2, 9, 9, 9])
    mask = states.item(MaskOperation="AVG_SUB", MaskFrameNumbers=[1, 2], ApplicableFrameRange=[1, 4],
                       PixelShiftSequence=[states.item(RegionPixelShiftSequence=[shift])])  # fmt: skip
    table = states.table_item(0, 12, 4095 - np.arange(4096))
    mask.PixelIntensityRelationshipLUTSequence = [table]
    table.LUTFrameRange, table.LUTFunction = [1, 4], "TO_LOG"
    return states.state_of(image, kind="xa-xrf", MaskSubtractionSequence=[mask])


def coloured(image: dc.Dataset) -> dc.Dataset:
    return states.state_of(image, kind="colour", ShutterShape="RECTANGULAR", ShutterLeftVerticalEdge=2,
                           ShutterRightVerticalEdge=9, ShutterUpperHorizontalEdge=2, ShutterLowerHorizontalEdge=9,
                           ShutterPresentationColorCIELabValue=[9000, 30000, 40000])  # fmt: skip


def tinted(image: dc.Dataset) -> dc.Dataset:
    return states.palette(states.state_of(image, kind="pseudo-colour"), RAMP)


RAMP = np.stack([np.arange(64) * 1024, np.arange(64)[::-1] * 1024, np.zeros(64)], -1)


def varied(image: dc.Dataset) -> dc.Dataset:
    table = states.table_item(0, 12, 4095 - np.arange(4096))
    first = states.item(ReferencedImageSequence=[states.reference(image, 1)], ModalityLUTSequence=[table])
    return states.state_of(image, kind="variable-modality", VariableModalityLUTSequence=[first],
                           PresentationLUTSequence=[states.table_item(0, 8, np.arange(256))])  # fmt: skip


def blended(under: dc.Dataset, over: dc.Dataset) -> dc.Dataset:
    items = [
        states.item(BlendingPosition=position, ReferencedSeriesSequence=[
            states.item(ReferencedImageSequence=[states.reference(image)])])
        for position, image in (("UNDERLYING", under), ("SUPERIMPOSED", over))
    ]  # fmt: skip
    return states.palette(states.state_of(kind="blending", BlendingSequence=items, RelativeOpacity=0.5), RAMP)


def advanced(under: dc.Dataset, over: dc.Dataset) -> dc.Dataset:
    threshold = states.item(ThresholdType="RANGE_INCL", ThresholdValueSequence=[
        states.item(ThresholdValue=5.0), states.item(ThresholdValue=900.0)])  # fmt: skip
    inputs = [
        states.item(BlendingInputNumber=1, SeriesInstanceUID=under.SeriesInstanceUID,
                    SoftcopyVOILUTSequence=[states.window(2000, 3000)]),
        states.item(BlendingInputNumber=2, ReferencedImageSequence=[states.reference(over)],
                    ThresholdSequence=[threshold],
                    PaletteColorLookupTableSequence=[states.palette(states.item(), RAMP)]),
    ]  # fmt: skip
    numbers = [states.item(BlendingInputNumber=number) for number in (1, 2)]
    steps = [
        states.item(BlendingDisplayInputSequence=numbers, BlendingMode="FOREGROUND", RelativeOpacity=0.25,
                    BlendingInputNumber=3),
        states.item(BlendingDisplayInputSequence=[states.item(BlendingInputNumber=3)], BlendingMode="EQUAL"),
    ]  # fmt: skip
    return states.state_of(kind="advanced-blending", AdvancedBlendingSequence=inputs, BlendingDisplaySequence=steps)


def profile_seeds() -> Iterator[bytes]:
    from dicomcore.display.icc import KNOWN, matrix_profile

    for name in KNOWN:
        yield matrix_profile(*KNOWN[name])


def line_seeds() -> Iterator[bytes]:
    yield b"\xf0\xf0\x0f\x0f\x10" + np.array([(0, 0), (9, 3), (3, 9), (0, 0)], "<f4").tobytes()


TARGETS = {
    "display": Target(presentation, state_seeds, 16384),
    "icc": Target(profile, profile_seeds, 4096),
    "lines": Target(lines, line_seeds, 2048),
}
