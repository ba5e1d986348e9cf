"""Structure sets, presentation states, encapsulated documents and waveforms made of samples, beside DCMTK."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

import dicomcore as dc
from dicomcore.cli import main
from dicomcore.objects import (
    Channel,
    Code,
    Contour,
    Presentation,
    Roi,
    Shutter,
    Stack,
    Structures,
    encapsulate,
    extract,
    multiplex_group,
)
from dicomcore.objects.polygons import fill
from tests.support.corpus import real

DCIODVFY, DCMPSMK, DCMP2PGM, PDF2DCM, DCM2PDF = map(
    shutil.which, ("dciodvfy", "dcmpsmk", "dcmp2pgm", "pdf2dcm", "dcm2pdf")
)


def errors_by_dciodvfy(path: Path) -> list[str]:
    said = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, timeout=60).stderr
    return [line for line in said.splitlines() if "Error" in line]


def run(*command: str | Path | None) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60)


# -- structure sets


def test_contours_as_pydicom_reads_them():
    theirs = pydicom.dcmread(real("rtstruct.dcm"), force=True)
    ours = Structures(dc.dcmread(real("rtstruct.dcm"), force=True))
    assert ours.label == "sep30"
    assert [roi.name for roi in ours] == ["patient", "Isocenter 1", "Isocenter 2"]
    assert [roi.interpreted_type for roi in ours] == ["EXTERNAL", "ISOCENTER", "ISOCENTER"]
    for roi, item in zip(ours, theirs.ROIContourSequence, strict=True):
        assert list(roi.colour) == item.ROIDisplayColor
        for contour, one in zip(roi.contours, item.ContourSequence, strict=True):
            assert contour.geometric_type == one.ContourGeometricType
            assert contour.points.dtype == np.float64
            assert np.array_equal(contour.points.reshape(-1), np.array(one.ContourData, float))
    assert ours["patient"] is ours[1]
    assert ours[1].points.shape == (17, 3)
    with pytest.raises(KeyError, match="liver"):
        _ = ours["liver"]


def test_contours_that_are_no_triples():
    ds = dc.dcmread(real("rtstruct.dcm"), force=True)
    ds.ROIContourSequence[0].ContourSequence[1].ContourData = [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(dc.ParseError, match="region 1 has 4 numbers"):
        Structures(ds)
    with pytest.raises(dc.ParseError, match="no Structure Set"):
        Structures(dc.dcmread(real("CT_small.dcm")))


def structure_set(*contours: str | None, kind: str = "CLOSED_PLANAR") -> dc.Dataset:
    """A structure set of one region, whose contours have these texts for their Contour Data."""

    def element(number: int, vr: str, value: bytes) -> bytes:
        length = len(value).to_bytes(4, "little").rjust(6, b"\0") if vr == "SQ" else len(value).to_bytes(2, "little")
        tag = 0x3006.to_bytes(2, "little") + number.to_bytes(2, "little")
        return tag + vr.encode() + length + value

    def text(number: int, vr: str, value: str) -> bytes:
        return element(number, vr, value.encode() + b" " * (len(value) % 2))

    def items(number: int, *held: bytes) -> bytes:
        return element(
            number, "SQ", b"".join(b"\xfe\xff\x00\xe0" + len(one).to_bytes(4, "little") + one for one in held)
        )

    each = [text(0x42, "CS", kind) + (b"" if data is None else text(0x50, "DS", data)) for data in contours]
    body = items(0x20, text(0x22, "IS", "1") + text(0x26, "LO", "liver"))
    body += items(0x39, items(0x40, *each) + text(0x84, "IS", "1"))
    meta = b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
    return dc.dcmread(bytes(128) + b"DICM" + meta + body)


TRIANGLE = "0\\0\\0\\9\\0\\0\\0\\9\\0"
ODD_CONTOURS = {  # name: (Contour Data, whether the contour is left out, what the issue says)
    "no Contour Data": (None, True, "contour 2 of region 1 has no Contour Data"),
    "empty": ("", True, "no Contour Data"),
    "a backslash behind": (TRIANGLE + "\\", False, "behind its points"),
    "two backslashes behind": (TRIANGLE + "\\\\", False, "behind its points"),
    "a gap": (TRIANGLE.replace("9", "", 1), True, "among its points"),
    "a text": (TRIANGLE.replace("9", "x", 1), True, "among its points"),
    "decimal commas": (TRIANGLE.replace("9", "9,5"), True, "among its points"),
    "beyond a double": (TRIANGLE.replace("9", "1e999"), True, "among its points"),
    "a point missing behind": (TRIANGLE + "\\\\\\", True, "among its points"),
    "a line": ("0\\0\\0\\9\\0\\0", False, "enclose nothing"),
}


@pytest.mark.parametrize(("data", "left_out", "said"), ODD_CONTOURS.values(), ids=ODD_CONTOURS)
def test_contours_that_cannot_be_read_leave_the_rest_usable(data, left_out, said):
    made = structure_set(TRIANGLE, data, TRIANGLE)
    found = Structures(made)
    triangle = [[0, 0, 0], [9, 0, 0], [0, 9, 0]]
    assert [contour.points.tolist() for contour in found["liver"].contours][:: 1 if left_out else 2] == [triangle] * 2
    assert all(np.isfinite(contour.points).all() for contour in found["liver"].contours)
    assert [issue.code for issue in found.issues] == ["CONTOUR_DATA"]
    assert said in found.issues[0].message
    with pytest.raises(dc.ParseError, match=said):
        Structures(made, strict=True)


def test_numbers_of_any_size_are_points():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Structures(structure_set("1e200\\0\\0\\-1e200\\0\\0\\0\\9\\0", "1e999\\-1e999\\0"))
    assert [contour.points[0, 0] for contour in found["liver"].contours] == [1e200]
    assert [issue.code for issue in found.issues] == ["CONTOUR_DATA"]


def test_regions_that_contradict_each_other():
    assert Structures(structure_set(TRIANGLE), strict=True).issues == ()
    made = structure_set(TRIANGLE, kind="CLOSED")
    assert [issue.code for issue in Structures(made).issues] == ["CONTOUR_TYPE"]
    made = structure_set(TRIANGLE)
    made.ROIContourSequence[0].ReferencedROINumber = 2
    found = Structures(made)
    assert [(roi.number, roi.name, len(roi.contours)) for roi in found] == [(1, "liver", 0), (2, "", 1)]
    assert [issue.code for issue in found.issues] == ["ROI_REFERENCE"]
    made = structure_set(TRIANGLE)
    made.StructureSetROISequence = [*made.StructureSetROISequence, made.StructureSetROISequence[0].copy()]
    made.StructureSetROISequence[1].ROIName = "spleen"
    found = Structures(made)
    assert [roi.name for roi in found] == ["spleen"]
    assert [issue.code for issue in found.issues] == ["ROI_NUMBER"]
    del made.StructureSetROISequence[0]["ROINumber"]
    assert [issue.code for issue in Structures(made).issues] == ["ROI_NUMBER"]


def square(low: float, high: float, height: float = 0) -> np.ndarray:
    return np.array([[low, low, height], [high, low, height], [high, high, height], [low, high, height]])


def axial(*heights: float, distance: float = 1.0) -> Stack:
    origins = np.array([[0, 0, height] for height in heights], float)
    return Stack(origins, np.array([1.0, 0, 0, 0, 1, 0]), (distance, 1.0, 1.0), np.arange(len(heights)))


def test_contours_closer_than_planes_add_up():
    tower = Roi(1, contours=[Contour("CLOSED_PLANAR", square(0, 10, height)) for height in (0, 1, 2, 3)])
    filled = tower.mask(axial(0, 2.5, distance=2.5), 20, 20)
    assert filled.sum(axis=(1, 2)).tolist() == [100, 100]
    ring = [Contour("CLOSED_PLANAR", square(low, high, height)) for height in (0, 1) for low, high in ((0, 10), (3, 6))]
    assert Roi(1, contours=ring).mask(axial(0, 2.5, distance=2.5), 20, 20).sum() == 100 - 9


def test_contours_lie_on_all_images_of_a_place():
    region = Roi(1, contours=[Contour("CLOSED_PLANAR", square(0, 10))])
    assert region.mask(axial(0, 0, 4, distance=np.nan), 20, 20).sum(axis=(1, 2)).tolist() == [100, 100, 0]


def test_contours_across_the_planes_are_refused():
    upright = Roi(1, contours=[Contour("CLOSED_PLANAR", square(0, 10)[:, [0, 2, 1]])])
    with pytest.raises(dc.ParseError, match="contour 0 of region 1 is not parallel"):
        upright.mask(axial(*range(12)), 20, 20)
    unknown = Stack(np.zeros((1, 3)), np.array([1.0, 0, 0, 0, 1, 0]), (1.0, np.nan, np.nan), np.zeros(1, int))
    with pytest.raises(ValueError, match="Pixel Spacing"):
        upright.mask(unknown, 20, 20)


def test_points_and_open_contours_enclose_nothing():
    kinds = ("POINT", "OPEN_PLANAR", "OPEN_NONPLANAR")
    assert not Roi(1, contours=[Contour(kind, square(0, 10)) for kind in kinds]).mask(axial(0), 20, 20).any()


def test_masks_of_contours():
    found = Structures(dc.dcmread(real("rtstruct.dcm"), force=True))["patient"]
    heights = sorted({contour.points[0, 2] for contour in found.contours})
    origins = np.array([[-250.0, -250.0, height] for height in heights])
    stack = Stack(origins, np.array([1.0, 0, 0, 0, 1, 0]), (heights[1] - heights[0], 5.0, 4.0), np.arange(3))
    filled = found.mask(stack, 101, 126)
    low = np.argwhere(filled[0])  # -200 to 200 across, -150 to 150 down, edges above and left inside
    assert low.min(axis=0).tolist() == [20, 13]
    assert low.max(axis=0).tolist() == [79, 112]
    assert filled[0].sum() == 60 * 100
    far = Stack(origins + np.array([0, 0, 1000]), stack.orientation, stack.spacing, stack.index)
    with pytest.raises(dc.ParseError, match="no plane"):
        found.mask(far, 10, 10)


def test_contours_in_each_other_make_a_hole():
    ring = Roi(1, contours=[Contour("CLOSED_PLANAR", square(0, 10)), Contour("CLOSED_PLANAR", square(3, 6))])
    assert ring.mask(axial(0), 20, 20).sum() == 100 - 9


def test_filled_polygons_beside_matplotlib():
    paths = pytest.importorskip("matplotlib.path")
    rng = np.random.default_rng(3)
    centres = np.stack(np.mgrid[:128, :128], axis=-1).reshape(-1, 2)
    for _ in range(20):
        angles, radius = np.sort(rng.uniform(0, 2 * np.pi, 9)), rng.uniform(10, 80, 9)
        corners = 64 + np.stack([radius * np.sin(angles), radius * np.cos(angles)], axis=1)
        theirs = paths.Path(corners).contains_points(centres).reshape(128, 128)
        assert np.array_equal(fill(corners[:, 0], corners[:, 1], 128, 128), theirs)


def test_polygons_that_stick_out():
    everything = fill(np.array([-9.0, -9, 99, 99]), np.array([-9.0, 99, 99, -9]), 8, 8)
    assert everything.all()
    assert not fill(np.array([-9.0, -9, -5]), np.array([0.0, 5, 5]), 8, 8).any()
    assert not fill(np.array([1.0, 1, 1]), np.array([0.0, 5, 3]), 8, 8).any()


# -- presentation states


def pgm(path: Path) -> np.ndarray:
    data = path.read_bytes()
    head = re.match(rb"P5\s+(?:#.*\n)?(\d+) (\d+) 255\n", data)
    return np.frombuffer(data[head.end() :], np.uint8).reshape(int(head[2]), int(head[1]))


def window(center: float, width: float) -> list[dc.Dataset]:
    item = dc.Dataset()
    item.WindowCenter, item.WindowWidth = center, width
    return [item]


SHOWN = {  # name: attributes set in the presentation state
    "no VOI": {},
    "window": {"SoftcopyVOILUTSequence": (600, 900)},
    "inverse": {"SoftcopyVOILUTSequence": (300, 600), "PresentationLUTShape": "INVERSE"},
    "another slope": {
        "RescaleSlope": 2.0,
        "RescaleIntercept": -500.0,
        "RescaleType": "US",
        "SoftcopyVOILUTSequence": (600, 900),
    },
    "turned": {"ImageRotation": 90, "ImageHorizontalFlip": "N"},
    "turned and flipped": {"ImageRotation": 270, "ImageHorizontalFlip": "Y", "SoftcopyVOILUTSequence": (600, 900)},
    "upside down": {"ImageRotation": 180, "ImageHorizontalFlip": "N", "SoftcopyVOILUTSequence": (600, 900)},
}


@pytest.mark.skipif(not (DCMPSMK and DCMP2PGM), reason="no dcmpsmk or no dcmp2pgm")
@pytest.mark.parametrize("attributes", SHOWN.values(), ids=SHOWN)
@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_pictures_as_dcmtk_renders_them(name, attributes, tmp_path):
    run(DCMPSMK, "-V", real(name), tmp_path / "made.dcm")
    state = dc.dcmread(tmp_path / "made.dcm")
    for keyword, value in attributes.items():
        setattr(state, keyword, window(*value) if keyword == "SoftcopyVOILUTSequence" else value)
    state.save_as(tmp_path / "state.dcm")
    run(DCMP2PGM, "-p", tmp_path / "state.dcm", real(name), tmp_path / "theirs.pgm")
    image = dc.dcmread(real(name))
    found = Presentation(dc.dcmread(tmp_path / "state.dcm"))
    assert found.applies_to(image)
    ours, theirs = found.render(image), pgm(tmp_path / "theirs.pgm")
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def state() -> dc.Dataset:
    """A presentation state with everything, put together by hand."""
    image = dc.dcmread(real("CT_small.dcm"))
    made, series, reference = dc.Dataset(), dc.Dataset(), dc.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedImageSequence = image.SeriesInstanceUID, [reference]
    made.ReferencedSeriesSequence = [series]
    made.PresentationLUTShape = "IDENTITY"
    area, layer, note, figure, text = (dc.Dataset() for _ in range(5))
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [11, 21], [60, 50]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    made.DisplayedAreaSelectionSequence = [area]
    layer.GraphicLayer, layer.GraphicLayerOrder, layer.GraphicLayerRecommendedDisplayGrayscaleValue = "A", 1, 65535
    made.GraphicLayerSequence = [layer]
    figure.GraphicAnnotationUnits, figure.GraphicType, figure.GraphicFilled = "PIXEL", "POLYLINE", "Y"
    figure.GraphicData = [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]
    text.UnformattedTextValue, text.AnchorPoint, text.AnchorPointVisibility = "here", [5.0, 6.0], "Y"
    text.BoundingBoxTopLeftHandCorner, text.BoundingBoxBottomRightHandCorner = [0.0, 0.0], [0.5, 0.25]
    note.GraphicLayer, note.ReferencedImageSequence = "A", [reference]
    note.GraphicObjectSequence, note.TextObjectSequence = [figure], [text]
    made.GraphicAnnotationSequence = [note]
    return made


def test_parts_of_a_presentation_state():
    image = dc.dcmread(real("CT_small.dcm"))
    found = Presentation(state())
    assert found.layers[0].colour == (255, 255, 255)
    (note,) = found.annotations
    assert note.images == {image.SOPInstanceUID: ()}
    assert np.array_equal(note.figures[0].points, [[1, 2], [3, 4], [1, 2]])
    assert note.figures[0].filled
    assert np.array_equal(note.texts[0].box, [[0, 0], [0.5, 0.25]])
    assert np.array_equal(note.texts[0].anchor, [5, 6])
    assert note.texts[0].anchor_visible
    assert found.displayed_area(image).bottom_right == (60, 50)
    whole, cut = found.render(image), found.render(image, crop=True)
    assert np.array_equal(cut, whole[20:50, 10:60])


def test_views_are_for_the_images_and_frames_they_name():
    image = dc.dcmread(real("CT_small.dcm"))
    made = state()
    first, second, elsewhere = window(10, 20)[0], window(600, 900)[0], window(1, 2)[0]
    reference, other = dc.Dataset(), dc.Dataset()
    reference.ReferencedSOPInstanceUID, reference.ReferencedFrameNumber = image.SOPInstanceUID, [2, 3]
    other.ReferencedSOPInstanceUID = "1.2.3"
    first.ReferencedImageSequence, elsewhere.ReferencedImageSequence = [reference], [other]
    made.SoftcopyVOILUTSequence = [elsewhere, first, second]
    found = Presentation(made)
    assert [found.display(image, frame).windows[0].center for frame in range(4)] == [600, 10, 10, 600]


def test_an_images_own_tables_do_not_count():
    image = dc.dcmread(real("CT_small.dcm"))
    image.WindowCenter, image.WindowWidth, image.RescaleSlope = 1.0, 2.0, 7.0
    display = Presentation(state()).display(image)
    assert (display.rescale_slope, display.rescale_intercept) == (1.0, 0.0)
    assert (display.windows[0].center, display.windows[0].width) == (-0.5, 65535.0)


def test_shutters():
    made = state()
    made.ShutterShape = ["RECTANGULAR", "CIRCULAR"]
    made.ShutterLeftVerticalEdge, made.ShutterRightVerticalEdge = 10, 55
    made.ShutterUpperHorizontalEdge, made.ShutterLowerHorizontalEdge = 5, 40
    made.CenterOfCircularShutter, made.RadiusOfCircularShutter, made.ShutterPresentationValue = [30, 30], 24, 0x8000
    found = Presentation(made)
    assert found.shutter == Shutter((10, 55, 5, 40), (30, 30, 24), (), 128)
    seen = found.shutter.opening(128, 128)
    down, across = np.mgrid[1:129, 1:129]
    inside = (down >= 5) & (down <= 40) & (across >= 10) & (across <= 55)
    assert np.array_equal(seen, inside & ((down - 30) ** 2 + (across - 30) ** 2 <= 24**2))
    image = dc.dcmread(real("CT_small.dcm"))
    picture = found.render(image)
    assert (picture[~seen] == 128).all()
    assert Shutter(polygon=((2, 2), (2, 6), (6, 6), (6, 2))).opening(8, 8).sum() == 16


UNREADABLE_SHUTTERS = {  # name: (shape, attributes)
    "no edges": ("RECTANGULAR", {"ShutterLeftVerticalEdge": 3}),
    "no radius": ("CIRCULAR", {"CenterOfCircularShutter": [5, 5]}),
    "half a centre": ("CIRCULAR", {"CenterOfCircularShutter": 5, "RadiusOfCircularShutter": 3}),
    "two corners": ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 5, 5]}),
    "half a corner": ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 5, 5, 9, 9, 9]}),
}


@pytest.mark.parametrize(("shape", "attributes"), UNREADABLE_SHUTTERS.values(), ids=UNREADABLE_SHUTTERS)
def test_shutters_that_cannot_be_read_are_not_left_open(shape, attributes):
    made = state()
    made.ShutterShape = shape
    for keyword in ("ShutterLeftVerticalEdge", "CenterOfCircularShutter", "RadiusOfCircularShutter"):
        made.pop(keyword, None)
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    with pytest.raises(dc.ParseError, match="what it covers"):
        Presentation(made)


def words(first: int, bits: int, entries: np.ndarray) -> tuple[list[int], bytes]:
    """A table's descriptor and its data."""
    return [len(entries) & 0xFFFF, first, bits], entries.astype("<u2").tobytes()


def presentation_lut(state: dc.Dataset) -> None:
    item = dc.Dataset()
    item.LUTDescriptor, item.LUTData = words(0, 16, 65535 * np.linspace(0, 1, 256) ** 2)
    del state.PresentationLUTShape
    state.PresentationLUTSequence = [item]


def bitmap_shutter(state: dc.Dataset) -> None:
    state.ShutterShape, state.ShutterOverlayGroup, state.ShutterPresentationValue = "BITMAP", 0x6000, 0x8000
    for element, vr, value in ((0x10, "US", 128), (0x11, "US", 128), (0x100, "US", 1), (0x102, "US", 0)):
        state.add_new(0x60000000 | element, vr, value)
    state.add_new(0x60000040, "CS", "G")
    state.add_new(0x60000050, "SS", [1, 1])
    state.add_new(0x60003000, "OW", b"\x0f\xf0" * 1024)


@pytest.mark.skipif(not (DCMPSMK and DCMP2PGM), reason="no dcmpsmk or no dcmp2pgm")
@pytest.mark.parametrize("change", [presentation_lut, bitmap_shutter])
@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
def test_parts_as_dcmtk_renders_them(interpretation, change, tmp_path):
    image = dc.dcmread(real("CT_small.dcm"))
    image.PhotometricInterpretation = interpretation
    image.save_as(tmp_path / "image.dcm")
    run(DCMPSMK, "-V", tmp_path / "image.dcm", tmp_path / "made.dcm")
    state = dc.dcmread(tmp_path / "made.dcm")
    state.SoftcopyVOILUTSequence = window(600, 900)
    change(state)
    state.save_as(tmp_path / "state.dcm")
    run(DCMP2PGM, "-p", tmp_path / "state.dcm", tmp_path / "image.dcm", tmp_path / "theirs.pgm")
    ours = Presentation(dc.dcmread(tmp_path / "state.dcm")).render(dc.dcmread(tmp_path / "image.dcm"))
    # DCMTK takes the entry below where we round: neighbouring ones are 2 apart in the brightest part
    assert np.abs(ours.astype(int) - pgm(tmp_path / "theirs.pgm")).max() <= 3


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("entries", [2, 256, 4096])
def test_pseudo_colour(entries, interpretation):
    """All of what the window gives goes over all of the palette, whatever the image's polarity (PS3.4 N.2)."""
    image = dc.dcmread(real("CT_small.dcm"))
    image.PhotometricInterpretation = interpretation
    made = state()
    del made.PresentationLUTShape
    made.SoftcopyVOILUTSequence = window(1000.5, 401)  # 0 at 800, 1 at 1200
    ramp = np.linspace(0, 65535, entries)
    for colour, channel in (("Red", ramp), ("Green", ramp[::-1]), ("Blue", 0 * ramp)):
        descriptor, data = words(0, 16, channel)
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        setattr(made, f"{colour}PaletteColorLookupTableData", data)
    picture = Presentation(made).render(image)
    assert picture.shape == (128, 128, 3)
    share = ((image.pixel_array - 800.0) / 400).clip(0, 1)
    assert (picture[share == 0] == (0, 255, 0)).all()
    assert (picture[share == 1] == (255, 0, 0)).all()
    red = 255 * np.rint(share * (entries - 1)) / (entries - 1)
    between = np.abs(share - 0.5) > 0.01  # the two entries meet there
    assert np.abs(picture[..., 0] - red)[between].max() < 2


NOT_RENDERED = {  # name: (attributes set in the presentation state, the message)
    "mask subtraction": ({"MaskSubtractionSequence": {"MaskOperation": "AVG_SUB"}}, "subtracts a mask"),
    "blending": ({"BlendingSequence": {"BlendingPosition": "SUPERIMPOSED"}}, "blends images"),
    "advanced blending": ({"BlendingDisplaySequence": {"BlendingMode": "EQUAL"}}, "blends images"),
    "a volume": ({"VolumetricPresentationInputSetSequence": {}}, "shows a volume"),
}


@pytest.mark.parametrize(("attributes", "message"), NOT_RENDERED.values(), ids=NOT_RENDERED)
def test_what_is_not_rendered_is_refused(attributes, message):
    made = state()
    for keyword, values in attributes.items():
        item = dc.Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(made, keyword, [item])
    with pytest.raises(dc.DicomError, match=message):
        Presentation(made).render(dc.dcmread(real("CT_small.dcm")))


def test_a_mask_that_is_not_meant_to_be_seen():
    made, mask = state(), dc.Dataset()
    mask.MaskOperation = "AVG_SUB"
    made.MaskSubtractionSequence, made.RecommendedViewingMode = [mask], "NAT"
    image = dc.dcmread(real("CT_small.dcm"))
    assert np.array_equal(Presentation(made).render(image), Presentation(state()).render(image))


def test_float_pixels_without_a_window_take_their_own_range():
    image = dc.Dataset()
    image.set_pixels(np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3))
    assert Presentation(state()).render(image).tolist() == [[0, 51, 102], [153, 204, 255]]


def test_a_tiny_slope_without_a_window_takes_the_whole_range():
    image, made = dc.Dataset(), state()
    image.set_pixels(np.array([[0, 51, 255]], np.uint8))
    made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 0.00001, 0.0, "US"
    assert Presentation(made).render(image).tolist() == [[0, 51, 255]]


def test_a_bitmap_shutter_without_its_overlay():
    made = state()
    made.ShutterShape, made.ShutterOverlayGroup = "BITMAP", 0x6000
    with pytest.raises(dc.ParseError, match="overlay group is 6000"):
        Presentation(made)


def test_no_presentation_state():
    with pytest.raises(dc.ParseError, match="no presentation state"):
        Presentation(dc.dcmread(real("CT_small.dcm")))


def test_areas_and_turns_that_cannot_be_read():
    made = state()
    made.ImageRotation = 45
    with pytest.raises(dc.ParseError, match="is 45, not a multiple of 90"):
        Presentation(made)
    made = state()
    made.DisplayedAreaSelectionSequence[0].DisplayedAreaTopLeftHandCorner = [3]
    with pytest.raises(dc.ParseError, match="TopLeftHandCorner"):
        Presentation(made)


def test_graphics_that_are_no_pairs():
    made = state()
    made.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData = [1.0, 2.0, 3.0]
    with pytest.raises(dc.ParseError, match="no pairs"):
        Presentation(made)


# -- documents

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
CDA = (
    b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><id extension="7&amp;8" root="1.2.3"/>'
    b"<title>Report</title></ClinicalDocument>"
)
STL = b"a cube".ljust(80) + struct.pack("<I", 1) + bytes(range(50))
DOCUMENTS = {"pdf": PDF, "cda": CDA, "stl": STL, "obj": b"v 0 0 0\n", "mtl": b"newmtl a\n"}


@pytest.mark.parametrize("with_source", [False, True])
@pytest.mark.parametrize("kind", DOCUMENTS)
def test_documents_come_back(kind, with_source, tmp_path):
    source = dc.dcmread(real("CT_small.dcm")) if with_source else None
    data = DOCUMENTS[kind]
    made = encapsulate(data, kind=kind, title="Größe", source=source, concept=Code("18782-3", "LN", "Study report"),
                       attributes={"SpecificCharacterSet": "ISO_IR 192"})  # fmt: skip
    made.save_as(tmp_path / "made.dcm")
    found = extract(dc.dcmread(tmp_path / "made.dcm"))
    assert (found.data, found.title) == (data, "Größe")
    assert found.suffix == (".xml" if kind == "cda" else f".{kind}")
    assert found.concept == Code("18782-3", "LN")
    theirs = pydicom.dcmread(tmp_path / "made.dcm")
    assert theirs.EncapsulatedDocument[: theirs.EncapsulatedDocumentLength] == data
    if with_source:
        assert theirs.PatientID == source.PatientID
        assert theirs.StudyInstanceUID == source.StudyInstanceUID
        assert theirs.SourceInstanceSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    if DCIODVFY and kind in ("pdf", "cda", "stl"):  # it doesn't know the others
        assert errors_by_dciodvfy(tmp_path / "made.dcm") == []


LENGTHS = {  # name: (bytes in the file more than the document has, whether it is said)
    "as stated": (0, False),
    "padded": (1, False),
    "cut": (-7, True),
    "more behind": (9, True),
}


@pytest.mark.parametrize(("more", "is_said"), LENGTHS.values(), ids=LENGTHS)
def test_documents_of_another_length_than_stated(more, is_said, tmp_path, capsys):
    made = encapsulate(PDF, kind="pdf")
    made.EncapsulatedDocument = (PDF + bytes(9))[: len(PDF) + more]  # even, as PDF is odd, but for the first
    path = tmp_path / "made.dcm"
    made.save_as(path, enforce_standard=False)
    found = extract(dc.dcmread(path))
    assert [issue.code for issue in found.issues] == ["DOCUMENT_LENGTH"] * is_said
    assert found.data == (PDF + bytes(9))[: len(PDF) + more if is_said else len(PDF)]
    assert main(["extract", str(path), "-o", str(tmp_path)]) == 0
    assert (f"Encapsulated Document Length (0042,0015) says {len(PDF)}" in capsys.readouterr().err) is is_said
    if is_said:
        with pytest.raises(dc.ParseError, match=f"says {len(PDF)}"):
            extract(dc.dcmread(path), strict=True)


def test_the_kind_is_told_by_the_content_or_the_name(tmp_path):
    for kind in ("pdf", "cda", "stl"):
        assert extract(encapsulate(DOCUMENTS[kind])).suffix == (".xml" if kind == "cda" else f".{kind}")
    (tmp_path / "a.obj").write_bytes(b"v 0 0 0\n")
    made = encapsulate(tmp_path / "a.obj")
    assert made.SOPClassUID.keyword == "EncapsulatedOBJStorage"
    assert made.DocumentTitle == "a.obj"
    assert encapsulate(CDA).HL7InstanceIdentifier == "1.2.3^7&8"


WRONG = {  # name: (bytes, kind, what the message says)
    "nothing": (b"", "pdf", "empty"),
    "no PDF": (b"hello", "pdf", "no PDF"),
    "no CDA": (b"<a/>", "cda", "no CDA"),
    "no id": (b"<ClinicalDocument/>", "cda", "has no id"),
    "text STL": (b"solid a\nendsolid a\n", "stl", "no binary STL"),
    "STL cut short": (STL[:-1], "stl", "no binary STL"),
    "unknown": (b"hello", None, "can't be told"),
    "unknown kind": (b"hello", "doc", "kind is one of"),
}


@pytest.mark.parametrize(("data", "kind", "said"), WRONG.values(), ids=WRONG)
def test_what_is_no_document(data, kind, said):
    with pytest.raises(ValueError, match=said):
        encapsulate(data, kind=kind)


def test_no_document_inside():
    with pytest.raises(dc.ParseError, match="no Encapsulated Document"):
        extract(dc.dcmread(real("CT_small.dcm")))


@pytest.mark.skipif(not (PDF2DCM and DCM2PDF), reason="no pdf2dcm or no dcm2pdf")
@pytest.mark.parametrize("data", [PDF, PDF + b"\n"], ids=["odd", "even"])
def test_documents_of_dcmtk_and_for_it(data, tmp_path):
    (tmp_path / "a.pdf").write_bytes(data)
    run(PDF2DCM, tmp_path / "a.pdf", tmp_path / "theirs.dcm")
    assert extract(dc.dcmread(tmp_path / "theirs.dcm")).data == data
    encapsulate(tmp_path / "a.pdf").save_as(tmp_path / "ours.dcm")
    run(DCM2PDF, tmp_path / "ours.dcm", tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == data


def test_documents_on_the_command_line(tmp_path, capsys):
    (tmp_path / "a.pdf").write_bytes(PDF)
    made, out = tmp_path / "a.dcm", tmp_path / "out"
    assert main(["encapsulate", str(tmp_path / "a.pdf"), "-o", str(made), "--source", str(real("CT_small.dcm"))]) == 0
    assert dc.dcmread(made).PatientID == "1CT1"
    assert main(["extract", str(made), "-o", str(out), "--json"]) == 0
    assert (out / "a.pdf").read_bytes() == PDF
    assert "application/pdf" in capsys.readouterr().out
    assert main(["extract", str(made), "-o", str(out)]) == 1
    assert "exists" in capsys.readouterr().err
    assert main(["extract", str(real("CT_small.dcm")), "-o", str(out)]) == 1
    assert main(["encapsulate", str(made), "-o", str(tmp_path / "b.dcm")]) == 1
    assert not (tmp_path / "b.dcm").exists()


# -- waveforms


def test_waveforms_of_samples(tmp_path):
    lead = Code("2:1", "MDC", "Lead I")
    volts = Code("uV", "UCUM", "microvolt")
    for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"):
        samples = np.arange(15, dtype=dtype).reshape(5, 3)
        channels = [Channel(lead, "I", 2.5, volts, baseline=1.0), Channel(lead), Channel(lead, "III", 1.0, volts)]
        made = dc.Dataset()
        made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.3"
        made.WaveformSequence = [multiplex_group(samples, frequency=500, channels=channels)]
        made.save_as(tmp_path / "ecg.dcm")
        found = dc.dcmread(tmp_path / "ecg.dcm").waveforms
        assert found[0].dtype == samples.dtype
        assert np.array_equal(found[0], samples)
        assert np.array_equal(found.decode(0, scaled=True)[:, 0], samples[:, 0] * 2.5 + 1)
        if dtype[1] in "124":
            theirs = pydicom.waveforms.multiplex_array(pydicom.dcmread(tmp_path / "ecg.dcm"), 0, as_raw=True)
            assert np.array_equal(theirs, samples)


@pytest.mark.parametrize(
    "samples", [np.zeros((3, 2)), np.zeros(3, "i2"), np.zeros((0, 1), "i2"), np.zeros((3, 2), "i2")]
)
def test_samples_that_make_no_waveform(samples):
    with pytest.raises(ValueError, match=r"samples are|are described"):
        multiplex_group(samples, frequency=1, channels=[Channel(Code("1", "A"))])
