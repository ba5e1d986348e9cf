"""Structure sets, presentation states, encapsulated documents and new waveforms, compared with DCMTK and pydicom."""

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
from dicomcore.display.polygons import fill
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
from tests.support.corpus import real

DCIODVFY, DCMPSMK, DCMP2PGM, PDF2DCM, DCM2PDF = map(
    shutil.which, ("dciodvfy", "dcmpsmk", "dcmp2pgm", "pdf2dcm", "dcm2pdf")
)


def errors_by_dciodvfy(path: Path) -> list[str]:
    output = subprocess.run([DCIODVFY, str(path)], capture_output=True, text=True, timeout=60).stderr
    return [line for line in output.splitlines() if "Error" in line]


def run(*command: str | Path | None) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=60)


# -- structure sets


def test_contours_equal_those_of_pydicom():
    theirs = pydicom.dcmread(real("rtstruct.dcm"), force=True)
    ours = Structures(dc.dcmread(real("rtstruct.dcm"), force=True))
    assert ours.label == "sep30"
    assert [roi.name for roi in ours] == ["patient", "Isocenter 1", "Isocenter 2"]
    assert [roi.interpreted_type for roi in ours] == ["EXTERNAL", "ISOCENTER", "ISOCENTER"]
    for roi, item in zip(ours, theirs.ROIContourSequence, strict=True):
        assert list(roi.colour) == item.ROIDisplayColor
        for contour, their_contour in zip(roi.contours, item.ContourSequence, strict=True):
            assert contour.geometric_type == their_contour.ContourGeometricType
            assert contour.points.dtype == np.float64
            assert np.array_equal(contour.points.reshape(-1), np.array(their_contour.ContourData, float))
    assert ours["patient"] is ours[1]
    assert ours[1].points.shape == (17, 3)
    with pytest.raises(KeyError, match="liver"):
        _ = ours["liver"]


def test_contours_that_are_not_triples_are_refused():
    ds = dc.dcmread(real("rtstruct.dcm"), force=True)
    ds.ROIContourSequence[0].ContourSequence[1].ContourData = [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(dc.ParseError, match="region 1 has 4 numbers"):
        Structures(ds)
    with pytest.raises(dc.ParseError, match="no Structure Set"):
        Structures(dc.dcmread(real("CT_small.dcm")))


def structure_set(*contours: str | None, kind: str = "CLOSED_PLANAR") -> dc.Dataset:
    """A structure set of one region whose contours have these texts as Contour Data."""

    def element(number: int, vr: str, value: bytes) -> bytes:
        length = len(value).to_bytes(4, "little").rjust(6, b"\0") if vr == "SQ" else len(value).to_bytes(2, "little")
        tag = 0x3006.to_bytes(2, "little") + number.to_bytes(2, "little")
        return tag + vr.encode() + length + value

    def text(number: int, vr: str, value: str) -> bytes:
        return element(number, vr, value.encode() + b" " * (len(value) % 2))

    def items(number: int, *contents: bytes) -> bytes:
        return element(
            number, "SQ", b"".join(b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item for item in contents)
        )

    each = [text(0x42, "CS", kind) + (b"" if data is None else text(0x50, "DS", data)) for data in contours]
    body = items(0x20, text(0x22, "IS", "1") + text(0x26, "LO", "liver"))
    body += items(0x39, items(0x40, *each) + text(0x84, "IS", "1"))
    meta = b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
    return dc.dcmread(bytes(128) + b"DICM" + meta + body)


TRIANGLE = "0\\0\\0\\9\\0\\0\\0\\9\\0"
ODD_CONTOURS = {  # name: (Contour Data, whether the contour is left out, part of the issue's message)
    "no Contour Data": (None, True, "contour 2 of region 1 has no Contour Data"),
    "empty": ("", True, "no Contour Data"),
    "a backslash at the end": (TRIANGLE + "\\", False, "after its points"),
    "two backslashes at the end": (TRIANGLE + "\\\\", False, "after its points"),
    "a gap": (TRIANGLE.replace("9", "", 1), True, "among its points"),
    "a text": (TRIANGLE.replace("9", "x", 1), True, "among its points"),
    "decimal commas": (TRIANGLE.replace("9", "9,5"), True, "among its points"),
    "beyond a double": (TRIANGLE.replace("9", "1e999"), True, "among its points"),
    "an empty point at the end": (TRIANGLE + "\\\\\\", True, "among its points"),
    "a line": ("0\\0\\0\\9\\0\\0", False, "enclose nothing"),
}


@pytest.mark.parametrize(("data", "left_out", "said"), ODD_CONTOURS.values(), ids=ODD_CONTOURS)
def test_unreadable_contours_are_reported_and_the_others_read(data, left_out, said):
    data_set = structure_set(TRIANGLE, data, TRIANGLE)
    rois = Structures(data_set)
    triangle = [[0, 0, 0], [9, 0, 0], [0, 9, 0]]
    assert [contour.points.tolist() for contour in rois["liver"].contours][:: 1 if left_out else 2] == [triangle] * 2
    assert all(np.isfinite(contour.points).all() for contour in rois["liver"].contours)
    assert [issue.code for issue in rois.issues] == ["CONTOUR_DATA"]
    assert said in rois.issues[0].message
    with pytest.raises(dc.ParseError, match=said):
        Structures(data_set, strict=True)


def test_very_large_coordinates_are_read_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        structures = Structures(structure_set("1e200\\0\\0\\-1e200\\0\\0\\0\\9\\0", "1e999\\-1e999\\0"))
    assert [contour.points[0, 0] for contour in structures["liver"].contours] == [1e200]
    assert [issue.code for issue in structures.issues] == ["CONTOUR_DATA"]


def test_contradictions_between_regions_are_reported():
    assert Structures(structure_set(TRIANGLE), strict=True).issues == ()
    data_set = structure_set(TRIANGLE, kind="CLOSED")
    assert [issue.code for issue in Structures(data_set).issues] == ["CONTOUR_TYPE"]
    data_set = structure_set(TRIANGLE)
    data_set.ROIContourSequence[0].ReferencedROINumber = 2
    structures = Structures(data_set)
    assert [(roi.number, roi.name, len(roi.contours)) for roi in structures] == [(1, "liver", 0), (2, "", 1)]
    assert [issue.code for issue in structures.issues] == ["ROI_REFERENCE"]
    data_set = structure_set(TRIANGLE)
    data_set.StructureSetROISequence = [*data_set.StructureSetROISequence, data_set.StructureSetROISequence[0].copy()]
    data_set.StructureSetROISequence[1].ROIName = "spleen"
    structures = Structures(data_set)
    assert [roi.name for roi in structures] == ["spleen"]
    assert [issue.code for issue in structures.issues] == ["ROI_NUMBER"]
    del data_set.StructureSetROISequence[0]["ROINumber"]
    assert [issue.code for issue in Structures(data_set).issues] == ["ROI_NUMBER"]


def square(low: float, high: float, height: float = 0) -> np.ndarray:
    return np.array([[low, low, height], [high, low, height], [high, high, height], [low, high, height]])


def axial(*heights: float, distance: float = 1.0) -> Stack:
    origins = np.array([[0, 0, height] for height in heights], float)
    return Stack(origins, np.array([1.0, 0, 0, 0, 1, 0]), (distance, 1.0, 1.0), np.arange(len(heights)))


def test_contours_between_planes_are_added_to_the_nearest_plane():
    tower = Roi(1, contours=[Contour("CLOSED_PLANAR", square(0, 10, height)) for height in (0, 1, 2, 3)])
    filled = tower.mask(axial(0, 2.5, distance=2.5), 20, 20)
    assert filled.sum(axis=(1, 2)).tolist() == [100, 100]
    ring = [Contour("CLOSED_PLANAR", square(low, high, height)) for height in (0, 1) for low, high in ((0, 10), (3, 6))]
    assert Roi(1, contours=ring).mask(axial(0, 2.5, distance=2.5), 20, 20).sum() == 100 - 9


def test_contours_fill_all_planes_at_their_position():
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


def test_the_mask_of_a_region_fills_its_contours():
    region = Structures(dc.dcmread(real("rtstruct.dcm"), force=True))["patient"]
    heights = sorted({contour.points[0, 2] for contour in region.contours})
    origins = np.array([[-250.0, -250.0, height] for height in heights])
    stack = Stack(origins, np.array([1.0, 0, 0, 0, 1, 0]), (heights[1] - heights[0], 5.0, 4.0), np.arange(3))
    filled = region.mask(stack, 101, 126)
    low = np.argwhere(filled[0])  # -200 to 200 across, -150 to 150 down, edges above and left inside
    assert low.min(axis=0).tolist() == [20, 13]
    assert low.max(axis=0).tolist() == [79, 112]
    assert filled[0].sum() == 60 * 100
    far = Stack(origins + np.array([0, 0, 1000]), stack.orientation, stack.spacing, stack.index)
    with pytest.raises(dc.ParseError, match="no plane"):
        region.mask(far, 10, 10)


def test_a_contour_inside_another_makes_a_hole():
    ring = Roi(1, contours=[Contour("CLOSED_PLANAR", square(0, 10)), Contour("CLOSED_PLANAR", square(3, 6))])
    assert ring.mask(axial(0), 20, 20).sum() == 100 - 9


TWICE = {  # name: (first contour's type, second contour, its type, pixels inside)
    "the same": ("CLOSED_PLANAR", square(0, 10), "CLOSED_PLANAR", 100),
    "from another corner": ("CLOSED_PLANAR", np.roll(square(0, 10), 1, axis=0), "CLOSED_PLANAR", 100),
    "the other way round": ("CLOSED_PLANAR", square(0, 10)[::-1], "CLOSED_PLANAR", 100),
    "one digit less": ("CLOSED_PLANAR", square(0, 10) + 1e-4, "CLOSED_PLANAR", 100),
    "closed by its first point": ("CLOSED_PLANAR", square(0, 10)[[0, 1, 2, 3, 0]], "CLOSED_PLANAR", 100),
    "exclusive, which says so": ("CLOSEDPLANAR_XOR", square(0, 10), "CLOSEDPLANAR_XOR", 0),
    "another one": ("CLOSED_PLANAR", square(0, 9), "CLOSED_PLANAR", 100 - 81),
}


@pytest.mark.parametrize(("kind", "points", "second", "inside"), TWICE.values(), ids=TWICE)
def test_a_contour_that_is_there_twice_counts_once(kind, points, second, inside):
    region = Roi(1, contours=[Contour(kind, square(0, 10)), Contour(second, points)])
    assert region.mask(axial(0), 20, 20).sum() == inside


def test_the_type_of_a_contour_is_read_in_small_letters():
    structures = Structures(structure_set(TRIANGLE, kind="Closed_Planar"))
    assert structures[1].contours[0].geometric_type == "CLOSED_PLANAR"


def test_filled_polygons_equal_those_of_matplotlib():
    paths = pytest.importorskip("matplotlib.path")
    rng = np.random.default_rng(3)
    centres = np.stack(np.mgrid[:128, :128], axis=-1).reshape(-1, 2)
    for _ in range(20):
        angles, radius = np.sort(rng.uniform(0, 2 * np.pi, 9)), rng.uniform(10, 80, 9)
        corners = 64 + np.stack([radius * np.sin(angles), radius * np.cos(angles)], axis=1)
        theirs = paths.Path(corners).contains_points(centres).reshape(128, 128)
        assert np.array_equal(fill(corners[:, 0], corners[:, 1], 128, 128), theirs)


def test_polygons_beyond_the_grid_are_clipped():
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


SHOWN = {  # name: attributes to set in the presentation state
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
def test_pictures_equal_those_of_dcmtk(name, attributes, tmp_path):
    run(DCMPSMK, "-V", real(name), tmp_path / "made.dcm")
    state = dc.dcmread(tmp_path / "made.dcm")
    for keyword, value in attributes.items():
        setattr(state, keyword, window(*value) if keyword == "SoftcopyVOILUTSequence" else value)
    state.save_as(tmp_path / "state.dcm")
    run(DCMP2PGM, "-p", tmp_path / "state.dcm", real(name), tmp_path / "theirs.pgm")
    image = dc.dcmread(real(name))
    presentation = Presentation(dc.dcmread(tmp_path / "state.dcm"))
    assert presentation.applies_to(image)
    ours, theirs = presentation.render(image), pgm(tmp_path / "theirs.pgm")
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def state() -> dc.Dataset:
    """A presentation state with every part, built by hand."""
    image = dc.dcmread(real("CT_small.dcm"))
    data_set, series, reference = dc.Dataset(), dc.Dataset(), dc.Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    series.SeriesInstanceUID, series.ReferencedImageSequence = image.SeriesInstanceUID, [reference]
    data_set.ReferencedSeriesSequence = [series]
    data_set.PresentationLUTShape = "IDENTITY"
    area, layer, note, figure, text = (dc.Dataset() for _ in range(5))
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [11, 21], [60, 50]
    area.PresentationSizeMode, area.PresentationPixelAspectRatio = "SCALE TO FIT", [1, 1]
    data_set.DisplayedAreaSelectionSequence = [area]
    layer.GraphicLayer, layer.GraphicLayerOrder, layer.GraphicLayerRecommendedDisplayGrayscaleValue = "A", 1, 65535
    data_set.GraphicLayerSequence = [layer]
    figure.GraphicAnnotationUnits, figure.GraphicType, figure.GraphicFilled = "PIXEL", "POLYLINE", "Y"
    figure.GraphicData = [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]
    text.UnformattedTextValue, text.AnchorPoint, text.AnchorPointVisibility = "here", [5.0, 6.0], "Y"
    text.BoundingBoxTopLeftHandCorner, text.BoundingBoxBottomRightHandCorner = [0.0, 0.0], [0.5, 0.25]
    note.GraphicLayer, note.ReferencedImageSequence = "A", [reference]
    note.GraphicObjectSequence, note.TextObjectSequence = [figure], [text]
    data_set.GraphicAnnotationSequence = [note]
    return data_set


def test_every_part_of_a_presentation_state_is_read():
    image = dc.dcmread(real("CT_small.dcm"))
    presentation = Presentation(state())
    assert presentation.layers[0].colour == (255, 255, 255)
    (note,) = presentation.annotations
    assert note.images == {image.SOPInstanceUID: ()}
    assert np.array_equal(note.figures[0].points, [[1, 2], [3, 4], [1, 2]])
    assert note.figures[0].filled
    assert np.array_equal(note.texts[0].box, [[0, 0], [0.5, 0.25]])
    assert np.array_equal(note.texts[0].anchor, [5, 6])
    assert note.texts[0].anchor_visible
    assert presentation.displayed_area(image).bottom_right == (60, 50)
    whole, cut = presentation.render(image), presentation.render(image, crop=True)
    assert np.array_equal(cut, whole[20:50, 10:60])


def test_voi_tables_apply_to_the_images_and_frames_they_name():
    image = dc.dcmread(real("CT_small.dcm"))
    ds = state()
    first, second, elsewhere = window(10, 20)[0], window(600, 900)[0], window(1, 2)[0]
    reference, other = dc.Dataset(), dc.Dataset()
    reference.ReferencedSOPInstanceUID, reference.ReferencedFrameNumber = image.SOPInstanceUID, [2, 3]
    other.ReferencedSOPInstanceUID = "1.2.3"
    first.ReferencedImageSequence, elsewhere.ReferencedImageSequence = [reference], [other]
    ds.SoftcopyVOILUTSequence = [elsewhere, first, second]
    presentation = Presentation(ds)
    assert [presentation.display(image, frame).windows[0].center for frame in range(4)] == [600, 10, 10, 600]


def test_tables_of_the_image_are_ignored():
    image = dc.dcmread(real("CT_small.dcm"))
    image.WindowCenter, image.WindowWidth, image.RescaleSlope = 1.0, 2.0, 7.0
    display = Presentation(state()).display(image)
    assert (display.rescale_slope, display.rescale_intercept) == (1.0, 0.0)
    assert (display.windows[0].center, display.windows[0].width) == (-0.5, 65535.0)


def test_a_shutter_covers_all_but_its_openings():
    ds = state()
    ds.ShutterShape = ["RECTANGULAR", "CIRCULAR"]
    ds.ShutterLeftVerticalEdge, ds.ShutterRightVerticalEdge = 10, 55
    ds.ShutterUpperHorizontalEdge, ds.ShutterLowerHorizontalEdge = 5, 40
    ds.CenterOfCircularShutter, ds.RadiusOfCircularShutter, ds.ShutterPresentationValue = [30, 30], 24, 0x8000
    presentation = Presentation(ds)
    assert presentation.shutter == Shutter((10, 55, 5, 40), (30, 30, 24), (), 128)
    visible = presentation.shutter.opening(128, 128)
    down, across = np.mgrid[1:129, 1:129]
    inside = (down >= 5) & (down <= 40) & (across >= 10) & (across <= 55)
    assert np.array_equal(visible, inside & ((down - 30) ** 2 + (across - 30) ** 2 <= 24**2))
    image = dc.dcmread(real("CT_small.dcm"))
    picture = presentation.render(image)
    assert (picture[~visible] == 128).all()
    assert Shutter(polygon=((2, 2), (2, 6), (6, 6), (6, 2))).opening(8, 8).sum() == 16


UNREADABLE_SHUTTERS = {  # name: (shape, attributes)
    "no edges": ("RECTANGULAR", {"ShutterLeftVerticalEdge": 3}),
    "no radius": ("CIRCULAR", {"CenterOfCircularShutter": [5, 5]}),
    "half a centre": ("CIRCULAR", {"CenterOfCircularShutter": 5, "RadiusOfCircularShutter": 3}),
    "two corners": ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 5, 5]}),
    "half a corner": ("POLYGONAL", {"VerticesOfThePolygonalShutter": [1, 1, 5, 5, 9, 9, 9]}),
}


@pytest.mark.parametrize(("shape", "attributes"), UNREADABLE_SHUTTERS.values(), ids=UNREADABLE_SHUTTERS)
def test_an_unreadable_shutter_is_refused(shape, attributes):
    ds = state()
    ds.ShutterShape = shape
    for keyword in ("ShutterLeftVerticalEdge", "CenterOfCircularShutter", "RadiusOfCircularShutter"):
        ds.pop(keyword, None)
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    with pytest.raises(dc.ParseError, match="the area it covers"):
        Presentation(ds)


def words(first: int, bits: int, entries: np.ndarray) -> tuple[list[int], bytes]:
    """The descriptor and the data of a table."""
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
def test_luts_and_bitmap_shutters_render_as_in_dcmtk(interpretation, change, tmp_path):
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
    # DCMTK rounds down to an entry, we round to the nearest: neighbouring entries differ by 2 in the brightest part
    assert np.abs(ours.astype(int) - pgm(tmp_path / "theirs.pgm")).max() <= 3


@pytest.mark.parametrize("interpretation", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("entries", [2, 256, 4096])
def test_a_palette_is_applied_to_the_whole_window(entries, interpretation):
    """The whole output of the window maps to the whole palette, for either polarity of the image (PS3.4 N.2)."""
    image = dc.dcmread(real("CT_small.dcm"))
    image.PhotometricInterpretation = interpretation
    data_set = state()
    del data_set.PresentationLUTShape
    data_set.SoftcopyVOILUTSequence = window(1000.5, 401)  # 0 at 800, 1 at 1200
    ramp = np.linspace(0, 65535, entries)
    for colour, channel in (("Red", ramp), ("Green", ramp[::-1]), ("Blue", 0 * ramp)):
        descriptor, data = words(0, 16, channel)
        setattr(data_set, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        setattr(data_set, f"{colour}PaletteColorLookupTableData", data)
    picture = Presentation(data_set).render(image)
    assert picture.shape == (128, 128, 3)
    share = ((image.pixel_array - 800.0) / 400).clip(0, 1)
    assert (picture[share == 0] == (0, 255, 0)).all()
    assert (picture[share == 1] == (255, 0, 0)).all()
    red = 255 * np.rint(share * (entries - 1)) / (entries - 1)
    between = np.abs(share - 0.5) > 0.01  # two entries meet at 0.5
    assert np.abs(picture[..., 0] - red)[between].max() < 2


NOT_RENDERED = {  # name: (attributes to set in the presentation state, part of the message)
    "a mask without frames": ({"MaskSubtractionSequence": {"MaskOperation": "AVG_SUB"}}, "Mask Frame Numbers"),
    "blending": ({"BlendingSequence": {"BlendingPosition": "SUPERIMPOSED"}}, "blends images"),
    "advanced blending": ({"BlendingDisplaySequence": {"BlendingMode": "EQUAL"}}, "blends images"),
    "a volume": ({"VolumetricPresentationInputSetSequence": {}}, "shows a volume"),
}


@pytest.mark.parametrize(("attributes", "message"), NOT_RENDERED.values(), ids=NOT_RENDERED)
def test_presentation_states_of_several_images_are_refused(attributes, message):
    ds = state()
    for keyword, values in attributes.items():
        item = dc.Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(ds, keyword, [item])
    with pytest.raises(dc.DicomError, match=message):
        Presentation(ds).render(dc.dcmread(real("CT_small.dcm")))


def test_a_mask_is_ignored_in_the_native_viewing_mode():
    made, mask = state(), dc.Dataset()
    mask.MaskOperation = "AVG_SUB"
    made.MaskSubtractionSequence, made.RecommendedViewingMode = [mask], "NAT"
    image = dc.dcmread(real("CT_small.dcm"))
    assert np.array_equal(Presentation(made).render(image), Presentation(state()).render(image))


def test_float_pixels_without_a_window_are_shown_over_their_range():
    image = dc.Dataset()
    image.set_pixels(np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3))
    assert Presentation(state()).render(image).tolist() == [[0, 51, 102], [153, 204, 255]]


def test_a_tiny_slope_without_a_window_shows_the_whole_range():
    image, made = dc.Dataset(), state()
    image.set_pixels(np.array([[0, 51, 255]], np.uint8))
    made.RescaleSlope, made.RescaleIntercept, made.RescaleType = 0.00001, 0.0, "US"
    assert Presentation(made).render(image).tolist() == [[0, 51, 255]]


def test_a_bitmap_shutter_without_its_overlay_is_refused():
    made = state()
    made.ShutterShape, made.ShutterOverlayGroup = "BITMAP", 0x6000
    with pytest.raises(dc.ParseError, match="overlay group is 6000"):
        Presentation(made)


def test_another_data_set_is_refused_as_presentation_state():
    with pytest.raises(dc.ParseError, match="not a presentation state"):
        Presentation(dc.dcmread(real("CT_small.dcm")))


def test_unreadable_areas_and_rotations_are_refused():
    ds = state()
    ds.ImageRotation = 45
    with pytest.raises(dc.ParseError, match="is 45, not a multiple of 90"):
        Presentation(ds)
    ds = state()
    ds.DisplayedAreaSelectionSequence[0].DisplayedAreaTopLeftHandCorner = [3]
    with pytest.raises(dc.ParseError, match="TopLeftHandCorner"):
        Presentation(ds)


def test_graphics_that_are_not_pairs_are_refused():
    made = state()
    made.GraphicAnnotationSequence[0].GraphicObjectSequence[0].GraphicData = [1.0, 2.0, 3.0]
    with pytest.raises(dc.ParseError, match="not pairs"):
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
def test_documents_are_extracted_as_they_were_encapsulated(kind, with_source, tmp_path):
    source = dc.dcmread(real("CT_small.dcm")) if with_source else None
    data = DOCUMENTS[kind]
    data_set = encapsulate(data, kind=kind, title="Größe", source=source, concept=Code("18782-3", "LN", "Study report"),
                       attributes={"SpecificCharacterSet": "ISO_IR 192"})  # fmt: skip
    data_set.save_as(tmp_path / "made.dcm")
    document = extract(dc.dcmread(tmp_path / "made.dcm"))
    assert (document.data, document.title) == (data, "Größe")
    assert document.suffix == (".xml" if kind == "cda" else f".{kind}")
    assert document.concept == Code("18782-3", "LN")
    theirs = pydicom.dcmread(tmp_path / "made.dcm")
    assert theirs.EncapsulatedDocument[: theirs.EncapsulatedDocumentLength] == data
    if with_source:
        assert theirs.PatientID == source.PatientID
        assert theirs.StudyInstanceUID == source.StudyInstanceUID
        assert theirs.SourceInstanceSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    if DCIODVFY and kind in ("pdf", "cda", "stl"):  # dciodvfy does not know the others
        assert errors_by_dciodvfy(tmp_path / "made.dcm") == []


LENGTHS = {  # name: (bytes of the value beyond the document, whether an issue is reported)
    "as stated": (0, False),
    "padded": (1, False),
    "cut": (-7, True),
    "too long": (9, True),
}


@pytest.mark.parametrize(("more", "is_reported"), LENGTHS.values(), ids=LENGTHS)
def test_another_length_than_stated_is_reported(more, is_reported, tmp_path, capsys):
    ds = encapsulate(PDF, kind="pdf")
    ds.EncapsulatedDocument = (PDF + bytes(9))[: len(PDF) + more]  # of even length, except the first case
    path = tmp_path / "made.dcm"
    ds.save_as(path, enforce_standard=False)
    document = extract(dc.dcmread(path))
    assert [issue.code for issue in document.issues] == ["DOCUMENT_LENGTH"] * is_reported
    assert document.data == (PDF + bytes(9))[: len(PDF) + more if is_reported else len(PDF)]
    assert main(["extract", str(path), "-o", str(tmp_path)]) == 0
    assert (f"Encapsulated Document Length (0042,0015) says {len(PDF)}" in capsys.readouterr().err) is is_reported
    if is_reported:
        with pytest.raises(dc.ParseError, match=f"says {len(PDF)}"):
            extract(dc.dcmread(path), strict=True)


def test_the_kind_is_recognised_by_content_or_name(tmp_path):
    for kind in ("pdf", "cda", "stl"):
        assert extract(encapsulate(DOCUMENTS[kind])).suffix == (".xml" if kind == "cda" else f".{kind}")
    (tmp_path / "a.obj").write_bytes(b"v 0 0 0\n")
    ds = encapsulate(tmp_path / "a.obj")
    assert ds.SOPClassUID.keyword == "EncapsulatedOBJStorage"
    assert ds.DocumentTitle == "a.obj"
    assert encapsulate(CDA).HL7InstanceIdentifier == "1.2.3^7&8"


WRONG = {  # name: (bytes, kind, part of the message)
    "nothing": (b"", "pdf", "empty"),
    "not a PDF": (b"hello", "pdf", "not a PDF"),
    "not a CDA document": (b"<a/>", "cda", "not a CDA"),
    "no id": (b"<ClinicalDocument/>", "cda", "has no id"),
    "text STL": (b"solid a\nendsolid a\n", "stl", "not binary STL"),
    "STL cut short": (STL[:-1], "stl", "not binary STL"),
    "unknown": (b"hello", None, "cannot be recognised"),
    "unknown kind": (b"hello", "doc", "kind is one of"),
}


@pytest.mark.parametrize(("data", "kind", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_document_is_refused(data, kind, said):
    with pytest.raises(ValueError, match=said):
        encapsulate(data, kind=kind)


def test_a_data_set_without_a_document_is_refused():
    with pytest.raises(dc.ParseError, match="no Encapsulated Document"):
        extract(dc.dcmread(real("CT_small.dcm")))


@pytest.mark.skipif(not (PDF2DCM and DCM2PDF), reason="no pdf2dcm or no dcm2pdf")
@pytest.mark.parametrize("data", [PDF, PDF + b"\n"], ids=["odd", "even"])
def test_dcmtk_and_dicomcore_extract_each_others_documents(data, tmp_path):
    (tmp_path / "a.pdf").write_bytes(data)
    run(PDF2DCM, tmp_path / "a.pdf", tmp_path / "theirs.dcm")
    assert extract(dc.dcmread(tmp_path / "theirs.dcm")).data == data
    encapsulate(tmp_path / "a.pdf").save_as(tmp_path / "ours.dcm")
    run(DCM2PDF, tmp_path / "ours.dcm", tmp_path / "b.pdf")
    assert (tmp_path / "b.pdf").read_bytes() == data


def test_documents_are_encapsulated_and_extracted_on_the_command_line(tmp_path, capsys):
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


def test_samples_of_a_new_waveform_are_read_back(tmp_path):
    lead = Code("2:1", "MDC", "Lead I")
    volts = Code("uV", "UCUM", "microvolt")
    for dtype in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"):
        samples = np.arange(15, dtype=dtype).reshape(5, 3)
        channels = [Channel(lead, "I", 2.5, volts, baseline=1.0), Channel(lead), Channel(lead, "III", 1.0, volts)]
        ds = dc.Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.3"
        ds.WaveformSequence = [multiplex_group(samples, frequency=500, channels=channels)]
        ds.save_as(tmp_path / "ecg.dcm")
        waveforms = dc.dcmread(tmp_path / "ecg.dcm").waveforms
        assert waveforms[0].dtype == samples.dtype
        assert np.array_equal(waveforms[0], samples)
        assert np.array_equal(waveforms.decode(0, scaled=True)[:, 0], samples[:, 0] * 2.5 + 1)
        if dtype[1] in "124":
            theirs = pydicom.waveforms.multiplex_array(pydicom.dcmread(tmp_path / "ecg.dcm"), 0, as_raw=True)
            assert np.array_equal(theirs, samples)


@pytest.mark.parametrize(
    "samples", [np.zeros((3, 2)), np.zeros(3, "i2"), np.zeros((0, 1), "i2"), np.zeros((3, 2), "i2")]
)
def test_samples_that_do_not_fit_a_waveform_are_refused(samples):
    with pytest.raises(ValueError, match=r"samples are|are described"):
        multiplex_group(samples, frequency=1, channels=[Channel(Code("1", "A"))])
