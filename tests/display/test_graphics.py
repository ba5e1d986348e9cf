"""Graphics, text, layers and overlays: probes of pixels where they must be, and where they must not."""

from __future__ import annotations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import display
from dicomcore.display.cielab import to_cielab
from dicomcore.display.clipping import clipped_line, clipped_polygon
from dicomcore.display.curves import circle, dashes, ellipse, interpolated
from dicomcore.notes import Note
from tests.display.states import area, compound, figure, item, layer, made, reference, state_of

pytest.importorskip("PIL")
BLACK = made(np.zeros((60, 80), np.uint8), WindowCenter=128, WindowWidth=256)
Box = tuple[int, int, int, int]


def drawn(*objects: dc.Dataset, notes: list[Note] | None = None, size: int | None = None, **attributes) -> np.ndarray:
    """A black image of 60 × 80 pixels with graphics over it, in a grey layer."""
    texts = [one for one in objects if "UnformattedTextValue" in one]
    figures = [one for one in objects if "GraphicType" in one]
    compounds = [one for one in objects if "CompoundGraphicType" in one]
    annotation = item(GraphicLayer="A")
    for keyword, members in (
        ("GraphicObjectSequence", figures),
        ("TextObjectSequence", texts),
        ("CompoundGraphicSequence", compounds),
    ):
        if members:
            setattr(annotation, keyword, members)
    given = {
        "GraphicLayerSequence": [layer("A", 1, GraphicLayerRecommendedDisplayGrayscaleValue=0xFFFF)],
        "GraphicAnnotationSequence": [annotation],
    }
    return display.render(BLACK, state_of(BLACK, **{**given, **attributes}), notes=notes, size=size)


def extent(picture: np.ndarray, least: int = 100) -> Box:
    """Left, top, right, bottom of what is bright."""
    rows, columns = np.nonzero(picture >= least)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


FIGURES = {  # name: (object, what is bright: (x, y) in pixels, what is black, extent)
    "point": (figure("POINT", [(20.5, 10.5)]), [(20, 10)], [(24, 10), (20, 14)], (18, 8, 23, 13)),
    "line": (
        figure("POLYLINE", [(10, 20.5), (70, 20.5)]),
        [(10, 20), (40, 20), (69, 20)],
        [(40, 22), (75, 20)],
        (10, 20, 70, 21),
    ),
    "open polygon": (figure("POLYLINE", [(10, 10), (30, 10), (30, 30)]), [(30, 20), (20, 10)], [(20, 20)], None),
    "filled polygon": (
        figure("POLYLINE", [(10, 10), (30, 10), (30, 30), (10, 30), (10, 10)], GraphicFilled="Y"),
        [(20, 20), (11, 11), (28, 28)],
        [(32, 20), (20, 32)],
        None,
    ),
    "unfilled polygon": (
        figure("POLYLINE", [(10, 10), (30, 10), (30, 30), (10, 30), (10, 10)], GraphicFilled="N"),
        [(30, 20)],
        [(20, 20)],
        None,
    ),
    "an open line is never filled": (
        figure("POLYLINE", [(10, 10), (30, 10), (30, 30), (10, 30)], GraphicFilled="Y"),
        [(30, 20)],
        [(20, 20)],
        None,
    ),
    "circle": (
        figure("CIRCLE", [(40, 30), (52, 30)]),
        [(40, 18), (51, 30), (40, 41), (28, 30)],
        [(40, 30)],
        (27, 17, 53, 43),
    ),
    "filled circle": (
        figure("CIRCLE", [(40, 30), (52, 30)], GraphicFilled="Y"),
        [(40, 30), (48, 38)],
        [(50, 40)],
        None,
    ),
    "ellipse": (
        figure("ELLIPSE", [(20, 30), (60, 30), (40, 20), (40, 40)]),
        [(20, 30), (40, 20), (40, 39)],
        [(40, 30)],
        (19, 19, 61, 41),
    ),
    "tilted ellipse": (
        figure("ELLIPSE", [(20, 10), (60, 50), (45, 25), (35, 35)], GraphicFilled="Y"),
        [(22, 12), (58, 48), (40, 30)],
        [(55, 15), (25, 45)],
        None,
    ),
    "curve": (figure("INTERPOLATED", [(10, 40), (30, 20), (50, 40), (70, 20)]), [(30, 20), (50, 40)], [(30, 40)], None),
    "closed curve": (
        figure("INTERPOLATED", [(30, 30), (40, 20), (50, 30), (40, 40), (30, 30)], GraphicFilled="Y"),
        [(40, 30), (32, 30)],
        [(32, 22)],
        None,
    ),
    "in units of the area": (
        figure("POLYLINE", [(0.25, 0.5), (0.75, 0.5)], "DISPLAY"),
        [(21, 30), (58, 30)],
        [(15, 30), (65, 30)],
        None,
    ),
    "a circle in units of the area": (
        figure("CIRCLE", [(0.5, 0.5), (0.5, 0.75)], "DISPLAY"),
        [(40, 15), (25, 30)],
        [(40, 30)],
        (24, 14, 56, 46),
    ),
    "far away": (figure("POLYLINE", [(-1e9, 20.5), (1e9, 20.5)]), [(0, 20), (79, 20)], [(40, 22)], None),
    "an area that surrounds the image": (
        figure("POLYLINE", [(-1e6, -1e6), (1e6, -1e6), (1e6, 1e6), (-1e6, 1e6), (-1e6, -1e6)], GraphicFilled="Y"),
        [(0, 0), (79, 59)],
        [],
        None,
    ),
    "arrow": (compound("ARROW", [(20, 30), (60, 30)]), [(22, 30), (58, 30)], [(62, 30), (17, 30)], None),
    "rectangle": (
        compound("RECTANGLE", [(20, 10), (60, 50)], GraphicFilled="Y"),
        [(40, 30), (21, 11)],
        [(15, 30)],
        None,
    ),
    "turned rectangle": (
        compound("RECTANGLE", [(30, 25), (50, 35)], RotationAngle=90.0, RotationPoint=[40.0, 30.0]),
        [(35, 30), (45, 30), (40, 20)],
        [(30, 30)],
        (34, 19, 46, 41),
    ),
    "lines": (compound("MULTILINE", [(10, 10), (10, 50), (30, 10), (30, 50)]), [(10, 30), (30, 30)], [(20, 30)], None),
    "infinite line": (compound("INFINITELINE", [(30, 30.5), (40, 30.5)]), [(0, 30), (79, 30)], [(40, 32)], None),
    "infinite line with a gap": (
        compound("INFINITELINE", [(30, 30.5), (40, 30.5)], GapLength=0.2, RotationPoint=[50.0, 30.5]),
        [(40, 30), (60, 30)],
        [(50, 30), (46, 30), (54, 30)],
        None,
    ),
    "range": (compound("RANGELINE", [(20, 30), (60, 30)]), [(40, 30), (20, 33), (60, 27)], [(40, 33)], None),
    "cross hair": (
        compound("CROSSHAIR", [(40, 30)], GapLength=0.2, DiameterOfVisibility=0.8),
        [(50, 30), (40, 40), (30, 30)],
        [(40, 30), (70, 30), (40, 57)],
        None,
    ),
    "ruler": (
        compound(
            "RULER",
            [(10, 30), (70, 30)],
            TickAlignment="BOTTOM",
            ShowTickLabel="N",
            MajorTicksSequence=[item(TickPosition=0.0, TickLabel="0"), item(TickPosition=1.0, TickLabel="5")],
        ),
        [(40, 30), (10, 34), (70, 34), (16, 32)],
        [(10, 26), (16, 35)],
        None,
    ),
}


@pytest.mark.parametrize(("one", "bright", "black", "reach"), FIGURES.values(), ids=FIGURES)
def test_figures(one, bright, black, reach):
    notes: list[Note] = []
    picture = drawn(one, notes=notes)
    assert notes == []
    for x, y in bright:
        assert picture[max(y - 1, 0) : y + 1, max(x - 1, 0) : x + 1].max() > 100, (x, y)
    for x, y in black:
        assert picture[y, x] == 0, (x, y)
    if reach is not None:
        assert np.abs(np.subtract(extent(picture), reach)).max() <= 1


@pytest.mark.parametrize(("rotation", "flip"), [(0, "N"), (90, "N"), (180, "Y"), (270, "Y"), (270, "N"), (0, "Y")])
def test_graphics_of_the_image_turn_with_it(rotation, flip):
    """A filled square over a bright square, whatever the turn and the size: nothing sticks out."""
    samples = np.zeros((60, 80), np.uint8)
    samples[10:20, 50:70] = 255
    image = made(samples, WindowCenter=128, WindowWidth=256)
    square = figure("POLYLINE", [(50, 10), (70, 10), (70, 20), (50, 20), (50, 10)], GraphicFilled="Y")
    state = state_of(
        image,
        GraphicLayerSequence=[layer("A", 1, GraphicLayerRecommendedDisplayGrayscaleValue=0x8000)],
        GraphicAnnotationSequence=[item(GraphicLayer="A", GraphicObjectSequence=[square])],
        ImageRotation=rotation,
        ImageHorizontalFlip=flip,
        DisplayedAreaSelectionSequence=[area((1, 1), (80, 60))],
    )
    plain = display.render(image, state, size=320, graphics=False)
    picture = display.render(image, state, size=320)
    inner = plain == 255
    assert (picture[inner] == 128).mean() > 0.95
    assert not picture[plain < 60].any() or picture[plain == 0].max() <= 128
    assert abs(int((picture >= 64).sum()) - int((plain >= 64).sum())) < 0.1 * (plain >= 64).sum()


def text(words: str, **attributes: object) -> dc.Dataset:
    return item(UnformattedTextValue=words, **attributes)


def box(
    left: float, top: float, right: float, bottom: float, units: str = "PIXEL", justification: str = "LEFT"
) -> dict:
    return {
        "BoundingBoxAnnotationUnits": units,
        "BoundingBoxTopLeftHandCorner": [left, top],
        "BoundingBoxBottomRightHandCorner": [right, bottom],
        "BoundingBoxTextHorizontalJustification": justification,
    }


@pytest.mark.parametrize(("justification", "share"), [("LEFT", 0.0), ("CENTER", 0.5), ("RIGHT", 1.0)])
def test_text_lies_in_its_box(justification, share):
    picture = drawn(text("III", **box(10, 10, 70, 30, justification=justification)), size=800)
    left, top, right, bottom = extent(picture)
    assert left >= 95
    assert right <= 705
    assert top >= 95
    assert bottom <= 305
    middle = 100 + (right - left) / 2 + share * (600 - (right - left))
    assert abs((left + right) / 2 - middle) < 25


def test_lines_of_text_are_one_below_the_other():
    one, two = (extent(drawn(text(words, **box(10, 10, 70, 50)), size=800)) for words in ("HH", "HH\r\nHH"))
    assert two[3] - two[1] > 1.5 * (one[3] - one[1]) / 2
    assert drawn(text("", **box(10, 10, 70, 50))).max() == 0


def test_a_long_text_wraps_and_stays_readable():
    words = "a text that is far too long for its box " * 3
    picture = drawn(text(words, **box(10, 10, 40, 12)), size=160)
    assert extent(picture)[3] > 35


def test_an_anchor_point():
    anchor = {"AnchorPoint": [70.0, 50.0], "AnchorPointAnnotationUnits": "PIXEL"}
    lined = drawn(text("A", **box(10, 10, 20, 20), **anchor, AnchorPointVisibility="Y"))
    unlined = drawn(text("A", **box(10, 10, 20, 20), **anchor, AnchorPointVisibility="N"))
    assert lined[45:53, 60:73].max() > 200
    assert unlined[25:, 25:].max() == 0
    alone = drawn(text("A", AnchorPoint=[30.0, 30.0], AnchorPointAnnotationUnits="PIXEL", AnchorPointVisibility="Y"))
    assert extent(alone)[0] >= 27
    assert alone[28:32, 28:32].max() > 200
    display_units = drawn(
        text("A", AnchorPoint=[0.5, 0.5], AnchorPointAnnotationUnits="DISPLAY", AnchorPointVisibility="Y")
    )
    assert display_units[28:32, 38:42].max() > 200


def coloured(rgb: tuple[int, int, int], **attributes: object) -> dc.Dataset:
    return item(
        TextColorCIELabValue=to_cielab(rgb),
        CSSFontName="sans-serif",
        Underlined="N",
        Bold="N",
        Italic="N",
        ShadowStyle="OFF",
        **attributes,
    )


def test_styles_of_text():
    style = coloured((0, 255, 0), HorizontalAlignment="RIGHT", VerticalAlignment="BOTTOM")
    picture = drawn(text("I", **box(10, 10, 70, 50), TextStyleSequence=[style]), size=800)
    assert picture.shape == (600, 800, 3)
    left, top, *_ = extent(picture[..., 1])
    assert picture[..., 0].max() < 40
    assert left > 500
    assert top > 200
    shadowed = coloured((255, 0, 0))
    shadowed.ShadowStyle, shadowed.ShadowOffsetX, shadowed.ShadowOffsetY = "NORMAL", 30.0, 0.0
    shadowed.ShadowColorCIELabValue, shadowed.ShadowOpacity = to_cielab((0, 0, 255)), 1.0
    picture = drawn(text("I", **box(10, 10, 70, 50), TextStyleSequence=[shadowed]), size=800)
    assert extent(picture[..., 2])[0] - extent(picture[..., 0])[0] == pytest.approx(30, abs=2)


def lined(rgb: tuple[int, int, int], **attributes: object) -> dict:
    style = item(
        PatternOnColorCIELabValue=to_cielab(rgb),
        PatternOnOpacity=1.0,
        LineThickness=2.0,
        LineDashingStyle="SOLID",
        ShadowStyle="OFF",
    )
    for keyword, value in attributes.items():
        setattr(style, keyword, value)
    return {"LineStyleSequence": [style]}


def test_styles_of_lines():
    thick = drawn(figure("POLYLINE", [(10, 30), (70, 30)], **lined((255, 0, 0), LineThickness=6.0)))
    assert (thick[28:32, 20, 0] > 250).all()
    assert thick[..., 1].max() < 30
    dashed = drawn(
        figure(
            "POLYLINE", [(8, 30), (72, 30)], **lined((255, 255, 255), LineDashingStyle="DASHED", LinePattern=0x0000FFFF)
        )
    )
    row = dashed[29:31].max(axis=(0,))
    row = row if row.ndim == 1 else row.max(-1)
    assert row[10:38].min() > 200
    assert row[44:70].max() == 0
    half = drawn(figure("POLYLINE", [(10, 30), (70, 30)], **lined((255, 255, 255), PatternOnOpacity=0.5)))
    assert np.abs(half[29:31, 20:60].astype(int) - 128).max() <= 2


def test_styles_of_areas():
    corners = [(10, 10), (42, 10), (42, 42), (10, 42), (10, 10)]
    fill = item(
        PatternOnColorCIELabValue=to_cielab((255, 0, 0)), PatternOnOpacity=0.5, PatternOffOpacity=0.0, FillMode="SOLID"
    )
    picture = drawn(figure("POLYLINE", corners, GraphicFilled="Y", FillStyleSequence=[fill]))
    assert np.abs(picture[20, 20].astype(int) - (128, 0, 0)).max() <= 2
    stipple = item(
        PatternOnColorCIELabValue=to_cielab((0, 255, 0)),
        PatternOnOpacity=1.0,
        PatternOffOpacity=1.0,
        PatternOffColorCIELabValue=to_cielab((0, 0, 255)),
        FillMode="STIPPELED",
        FillPattern=b"\xff\xff\x00\x00" * 32,
    )
    picture = drawn(figure("POLYLINE", corners, GraphicFilled="Y", FillStyleSequence=[stipple]))
    assert picture[20, 12, 1] > 200 > picture[20, 12, 2]  # columns 0 to 15 of each 32
    assert picture[20, 20, 2] > 200 > picture[20, 20, 1]


def test_layers_are_drawn_in_their_order_and_colours():
    square = figure("POLYLINE", [(10, 10), (50, 10), (50, 50), (10, 50), (10, 10)], GraphicFilled="Y")
    layers = [layer("TOP", 2, (255, 0, 0)), layer("BOTTOM", 1, (0, 255, 0))]
    notes = [item(GraphicLayer=name, GraphicObjectSequence=[square]) for name in ("TOP", "BOTTOM")]
    state = state_of(BLACK, GraphicLayerSequence=layers, GraphicAnnotationSequence=notes)
    assert np.abs(display.render(BLACK, state)[30, 30].astype(int) - (255, 0, 0)).max() <= 2
    assert np.abs(display.render(BLACK, state, layers=["BOTTOM"])[30, 30].astype(int) - (0, 255, 0)).max() <= 2
    assert display.render(BLACK, state, layers=[]).max() == 0
    assert display.render(BLACK, state, graphics=False).max() == 0
    assert display.render(BLACK, state, only=("grey", "spatial")).max() == 0


def test_a_layer_that_is_not_defined_is_noted():
    notes: list[Note] = []
    picture = drawn(figure("POINT", [(20, 20)]), notes=notes, GraphicLayerSequence=[])
    assert picture.max() == 255
    assert [note.code for note in notes] == ["graphic-layer"]


def test_graphics_alone_leave_the_images_own_window():
    """Weasis#746: the graphics of a state over the picture that the user sees."""
    samples = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80)
    image = made(samples, WindowCenter=2000, WindowWidth=500)
    state = state_of(
        image,
        ImageRotation=180,
        SoftcopyVOILUTSequence=[item(WindowCenter=10, WindowWidth=5)],
        GraphicLayerSequence=[layer("A", 1)],
        GraphicAnnotationSequence=[item(GraphicLayer="A", GraphicObjectSequence=[figure("POINT", [(20, 20)])])],
    )
    picture = display.render(image, state, only=("graphics",))
    off = np.argwhere(picture != image.frames.render(0))
    assert len(off)
    assert (np.abs(off - 20) < 4).all()


def test_compounds_replace_their_simple_objects():
    simple = figure("POLYLINE", [(5, 5.5), (15, 5.5)], CompoundGraphicInstanceID=1)
    other = figure("POLYLINE", [(5, 50.5), (15, 50.5)], CompoundGraphicInstanceID=2)
    picture = drawn(compound("ARROW", [(40, 30), (60, 30)]), simple, other)
    assert picture[4:7, 5:15].max() == 0
    assert picture[49:52, 5:15].max() > 200
    notes: list[Note] = []
    picture = drawn(compound("SPIRAL", [(40, 30), (60, 30)]), simple, notes=notes)
    assert picture[4:7, 5:15].max() > 200
    assert [note.code for note in notes] == ["compound-graphic"]


def test_annotations_of_other_images_are_not_drawn():
    other = made(np.zeros((4, 4), np.uint8), SOPInstanceUID="2.25.99")
    for images, seen in (([BLACK], True), ([other], False)):
        note = item(
            GraphicLayer="A",
            GraphicObjectSequence=[figure("POINT", [(20, 20)])],
            ReferencedImageSequence=[reference(image) for image in images],
        )
        state = state_of(BLACK, GraphicLayerSequence=[layer("A", 1)], GraphicAnnotationSequence=[note])
        assert bool(display.render(BLACK, state).any()) is seen


def test_units_of_the_total_matrix():
    tiles = made(
        np.zeros((2, 30, 40), np.uint8),
        NumberOfFrames=2,
        TotalPixelMatrixColumns=80,
        TotalPixelMatrixRows=30,
        WindowCenter=128,
        WindowWidth=256,
    )
    note = item(GraphicLayer="A", GraphicObjectSequence=[figure("POINT", [(60.0, 20.0)], "MATRIX")])
    state = state_of(tiles, GraphicLayerSequence=[layer("A", 1)], GraphicAnnotationSequence=[note])
    assert not display.render(tiles, state, frame=0).any()
    assert np.abs(np.argwhere(display.render(tiles, state, frame=1) > 100).mean(0) - (19.5, 19.5)).max() < 1


# -- overlays


def with_overlay(place: dc.Dataset, kind: str = "G", group: int = 0x6000, layer_name: str | None = None) -> dc.Dataset:
    """An overlay of 60 × 80 bits, set in rows 20 to 39 and columns 16 to 47."""
    bits = np.zeros((60, 80), np.uint8)
    bits[20:40, 16:48] = 1
    for element, vr, value in (
        (0x10, "US", 60),
        (0x11, "US", 80),
        (0x40, "CS", kind),
        (0x50, "SS", [1, 1]),
        (0x100, "US", 1),
        (0x102, "US", 0),
        (0x3000, "OW", np.packbits(bits, bitorder="little").tobytes()),
    ):
        place.add_new(group << 16 | element, vr, value)
    if layer_name is not None:
        place.add_new(group << 16 | 0x1001, "CS", layer_name)
    return place


def overlaid(kind: str = "G") -> dc.Dataset:
    return with_overlay(made(np.zeros((60, 80), np.uint8), WindowCenter=128, WindowWidth=256), kind)


def test_overlays_of_an_image():
    picture = display.render(overlaid())
    assert (picture[20:40, 16:48] == 255).all()
    assert int((picture != 0).sum()) == 20 * 32
    assert not display.render(overlaid(), graphics=False).any()
    large = display.render(overlaid(), size=160)
    assert (large[41:79, 33:95] == 255).all()


def test_a_region_of_interest_is_outlined():
    picture = display.render(overlaid("R"))
    assert int((picture != 0).sum()) == 2 * 32 + 2 * 18
    assert picture[20, 30] == picture[30, 16] == 255
    assert picture[30, 30] == 0


def test_a_state_activates_overlays():
    image = overlaid()
    assert not display.render(image, state_of(image)).any()
    state = state_of(image, GraphicLayerSequence=[layer("O", 1, (255, 255, 0))])
    state.add_new(0x60001001, "CS", "O")
    picture = display.render(image, state)
    assert np.abs(picture[30, 30].astype(int) - (255, 255, 0)).max() <= 2
    assert not picture[0, 0].any()
    assert not display.render(image, state, layers=["P"]).any()


def test_overlays_of_a_state_turn():
    state = with_overlay(state_of(BLACK, GraphicLayerSequence=[layer("O", 1)], ImageRotation=90), layer_name="O")
    picture = display.render(BLACK, state)
    assert extent(picture) == (20, 16, 40, 48)


# -- what cannot be drawn


LYING = {  # name: (object, code of the note, whether something is drawn)
    "a number of points that is wrong": (
        figure("POLYLINE", [(5, 5), (50, 50)], NumberOfGraphicPoints=7),
        "graphic-points",
        True,
    ),
    "half a circle": (figure("CIRCLE", [(5, 5)]), "graphic-points", False),
    "three points of an ellipse": (figure("ELLIPSE", [(5, 5)] * 3), "graphic-points", False),
    "no points": (figure("POLYLINE", []), "graphic-points", False),
    "not a number": (figure("POLYLINE", [(5, 5), (float("nan"), 9)]), "graphic-points", False),
    "infinite": (figure("CIRCLE", [(5, 5), (float("inf"), 9)]), "graphic-points", False),
    "an unknown type": (figure("BLOB", [(5, 5)]), "graphic-type", False),
    "unknown units": (figure("POINT", [(5, 5)], "MM"), "graphic-units", False),
    "text without a place": (text("here"), "text-place", False),
    "an arrow of one point": (compound("ARROW", [(5, 5)]), "compound-graphic", False),
}


@pytest.mark.parametrize(("one", "code", "seen"), LYING.values(), ids=LYING)
def test_objects_that_lie_are_noted(one, code, seen):
    notes: list[Note] = []
    picture = drawn(one, notes=notes)
    assert [note.code for note in notes] == [code]
    assert bool(picture.any()) is seen


def test_points_that_are_no_pairs_are_refused():
    odd = figure("POLYLINE", [(5, 5)])
    odd.GraphicData = [1.0, 2.0, 3.0]
    with pytest.raises(dc.ParseError, match=r"\(0070,0022\) are not pairs") as caught:
        drawn(odd)
    assert caught.value.tag == 0x00700022


def test_points_in_three_dimensions_are_refused():
    with pytest.raises(dc.ParseError, match=r"3 dimensions \(0070,0020\)"):
        drawn(figure("POLYLINE", [(5, 5)] * 3, GraphicDimensions=3))


def test_graphics_cross_the_limit():
    """Alternating inks cannot be drawn together: each takes the whole picture."""
    BLACK.save_as(buffer := bytearray())
    small = dc.dcmread(bytes(buffer), limits=dc.Limits(pixels=6000))
    circles = [figure("CIRCLE", [(40, 30), (40, 2)], **lined((255, 0, number % 256))) for number in range(200)]
    state = state_of(
        small,
        GraphicLayerSequence=[layer("A", 1)],
        GraphicAnnotationSequence=[item(GraphicLayer="A", GraphicObjectSequence=circles)],
    )
    with pytest.raises(dc.LimitError, match="graphics take more"):
        display.render(small, state)
    with pytest.raises(dc.LimitError, match="crosses the limit of 6000"):
        display.render(small, size=400)


# -- geometry


def test_curves_pass_through_their_points():
    points = np.array([(0, 0), (10, 5), (12, 20), (40, 20.0)])
    curve = interpolated(points, 4.0)
    for point in points:
        assert np.hypot(*(curve - point).T).min() < 1e-9
    round_one = circle(np.array((3.0, 4.0)), np.array((6.0, 8.0)))
    assert np.allclose(np.hypot(*(round_one - (3, 4)).T), 5)
    flat = ellipse(np.array([(0, 0), (10, 0), (5, -2), (5, 2.0)]))
    assert np.allclose(((flat - (5, 0)) / (5, 2)) ** 2 @ (1, 1), 1)


def test_dashes_cover_the_line_once():
    line = np.array([(0, 0), (10, 0), (10, 30.0)])
    on, off = dashes(line, 0b1100, 2.0)
    length = [sum(np.hypot(*np.diff(part, axis=0).T).sum() for part in parts) for parts in (on, off)]
    assert sum(length) == pytest.approx(40)
    assert length[0] == pytest.approx(4)
    assert dashes(line, 1, 1e-9) is None


def test_lines_are_clipped():
    line = np.array([(-10, 5), (30, 5), (30, 500), (5, 500), (5, -5.0)])
    parts = clipped_line(line, (20, 10), 1.0)
    assert [part.tolist() for part in parts] == [[[-1, 5], [21, 5]], [[5, 11], [5, -1]]]
    square = np.array([(-10, -10), (5, -10), (5, 5), (-10, 5.0)])
    assert sorted(clipped_polygon(square, (20, 10), 0.0).tolist()) == [[0, 0], [0, 5], [5, 0], [5, 5]]
    assert len(clipped_polygon(square + 100, (20, 10), 0.0)) == 0
