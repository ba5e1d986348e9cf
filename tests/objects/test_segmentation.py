"""Segmentations read as arrays and made from masks, compared with highdicom and dciodvfy."""

from __future__ import annotations

import shutil
import subprocess
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dicomcore as dc
from dicomcore.display.cielab import from_cielab, to_cielab
from dicomcore.objects import Code, Segment, Segmentation, make_segmentation
from dicomcore.objects.planes import frame_planes
from tests.support.corpus import real

DCIODVFY = shutil.which("dciodvfy")
FILES = {  # name: shape of all segments
    "24x38x3/seg/label.seg": (1, 3, 38, 24),
    "23x38x3/seg/label.seg": (1, 3, 38, 23),
    "segmentations/partial_overlaps.dcm": (5, 3, 512, 512),
    "sr-example/seg.dcm": (1, 13, 128, 128),
    "liver.dcm": (1, 3, 512, 512),
    "liver_nonbyte_aligned.dcm": (1, 3, 510, 510),
    "liver_j2k.dcm": (1, 3, 512, 512),
}
ALIKE = ("liver_deflate.dcm", "liver_expb.dcm", "liver_j2k.dcm", "liver_rle.dcm")


def sources() -> list[dc.Dataset]:
    """Three CT slices of 38 × 24 pixels, from head to foot."""
    names = (f"24x38x3/image/IMG000{i}.dcm" for i in (1, 2, 3))
    found = [dc.dcmread(real(name)) for name in names]
    return sorted(found, key=lambda ds: -ds.ImagePositionPatient[2])


def mask() -> np.ndarray:
    made = np.zeros((3, 38, 24), np.uint8)
    made[:, 3:9, 4:20] = 1
    made[1:, 10:20, 20:24] = 2
    return made


def by_highdicom(path) -> tuple[np.ndarray, np.ndarray]:
    """(segments, planes, rows, columns) and the affine, as highdicom reads them."""
    seg = pytest.importorskip("highdicom").seg
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        volume = seg.segread(path).get_volume(combine_segments=False, rescale_fractional=True)
    return np.moveaxis(volume.array, -1, 0), volume.affine


def assert_same_volume(ours: Segmentation, path) -> None:
    """Check each pixel and its position against highdicom, which may order the planes in the opposite direction."""
    theirs, affine = by_highdicom(path)
    arrays = ours.arrays([s.number for s in ours.segments if s.number])
    own = ours.stack.affine
    first = affine @ [0, 0, 0, 1]
    if not np.allclose(first, own @ [0, 0, 0, 1], atol=1e-4):
        theirs = theirs[:, ::-1]
        affine = affine @ np.array([[-1, 0, 0, theirs.shape[1] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    assert np.allclose(affine, own, atol=1e-4)
    assert arrays.shape == theirs.shape
    assert np.allclose(arrays, theirs, atol=1e-6)


# -- reading


@pytest.mark.parametrize("name", FILES)
def test_real_files_equal_those_of_highdicom(name):
    found = Segmentation(dc.dcmread(real(name)))
    assert found.kind == "binary"
    assert (len(found.segments), *found.shape) == FILES[name]
    assert_same_volume(found, real(name))


@pytest.mark.parametrize("name", ALIKE)
def test_every_encoding_gives_the_same_array(name):
    expected, found = (Segmentation(dc.dcmread(real(file))) for file in ("liver.dcm", name))
    assert np.array_equal(found.array(1), expected.array(1))
    assert np.array_equal(found.stack.affine, expected.stack.affine)


def test_segments_are_described_and_combined_to_labels():
    seg = Segmentation(dc.dcmread(real("segmentations/partial_overlaps.dcm")))
    assert [segment.label for segment in seg.segments][:3] == ["GREEN", "ORANGE", "PURPLE"]
    assert seg.segment(1).category == Code("85756007", "SCT")
    assert seg.segment(1).colour is not None
    with pytest.raises(KeyError, match="no segment 9"):
        seg.array(9)
    with pytest.raises(dc.ParseError, match="overlap"):
        seg.labels()
    last = seg.labels(overlap="last")
    assert np.array_equal(last == 5, seg.array(5) == 1)


def test_another_data_set_is_refused():
    with pytest.raises(dc.ParseError, match="not a segmentation"):
        Segmentation(dc.dcmread(real("CT_small.dcm")))


def moved(*positions: list[float], spacing: float | None = None) -> Segmentation:
    """A segmentation whose frames lie at these positions."""
    ds = make_segmentation(mask() == 1, sources(), segments=["one"])
    groups = ds.PerFrameFunctionalGroupsSequence
    for group, position in zip(groups, positions, strict=True):
        group.PlanePositionSequence[0].ImagePositionPatient = position
    measures = ds.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    if spacing is None:
        del measures["SpacingBetweenSlices"]
    else:
        measures.SpacingBetweenSlices = spacing
    return Segmentation(ds)


PLACES = {  # name: (heights of three frames, stated spacing, planes, distance)
    "as they are": ((0, 2.5, 5), 2.5, 3, 2.5),
    "from the top": ((5, 2.5, 0), 2.5, 3, 2.5),
    "with a gap": ((0, 2.5, 10), 2.5, 5, 2.5),
    "with a gap and no spacing": ((0, 2.5, 10), None, 5, 2.5),
    "finer than the frames": ((0, 5, 10), 2.5, 5, 2.5),
    "wrongly stated": ((0, 3, 6), 2.5, 3, 3.0),
    "rounded": ((0, 3.3333, 6.6667), None, 3, 3.33335),
    "uneven": ((0, 1, 2.61), None, 3, np.nan),
    "two images at one position": ((0, 0, 2.5), 2.5, 3, np.nan),
}


@pytest.mark.parametrize(("heights", "spacing", "planes", "distance"), PLACES.values(), ids=PLACES)
def test_frames_lie_on_planes_by_position(heights, spacing, planes, distance):
    seg = moved(*([1.0, 2.0, float(height)] for height in heights), spacing=spacing)
    assert seg.shape == (planes, 38, 24)
    assert np.isclose(seg.stack.spacing[0], distance, equal_nan=True)
    assert np.allclose(seg.stack.origins[seg.stack.index], [[1, 2, height] for height in heights], atol=0.01)
    shown = seg.array(1).any(axis=(1, 2))
    assert list(np.flatnonzero(shown)) == sorted(set(seg.stack.index.tolist()))
    if np.isnan(distance):
        with pytest.raises(ValueError, match="evenly"):
            _ = seg.stack.affine


def test_planes_that_do_not_form_a_stack_are_refused():
    with pytest.raises(dc.ParseError, match="shifted"):
        _ = moved([0, 0, 0], [5, 0, 2.5], [0, 0, 5]).stack
    with pytest.raises(dc.LimitError, match="planes"):
        _ = moved([0, 0, 0], [0, 0, 0.1], [0, 0, 9000]).stack


def test_frames_without_a_position_keep_their_order():
    ds = make_segmentation(mask() == 1, sources(), segments=["one"])
    for group in ds.PerFrameFunctionalGroupsSequence:
        del group["PlanePositionSequence"]
    seg = Segmentation(ds)
    assert seg.stack is None
    assert np.array_equal(seg.array(1), (mask() == 1)[::-1])


def plane(number: int, height: float | None, **attributes: object) -> dc.Dataset:
    """A CT image of 8 × 8 pixels at a height, or without a position."""
    image = dc.Dataset()
    image.SOPClassUID, image.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"1.2.9.{number}"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.8", "1.2.7"
    if height is not None:
        image.FrameOfReferenceUID, image.ImageOrientationPatient = "1.2.6", [1, 0, 0, 0, 1, 0]
        image.ImagePositionPatient, image.PixelSpacing, image.SliceThickness = [0, 0, height], [1, 1], 2
    for keyword, value in attributes.items():
        setattr(image, keyword, value)
    image.set_pixels(np.zeros((8, 8), np.int16), new_instance=False)
    return image


def dotted(*planes: int) -> np.ndarray:
    """(planes, 8, 8, segments): a pixel for each segment on its plane, at the segment's number along the diagonal."""
    mask = np.zeros((max(planes) + 1, 8, 8, len(planes)), bool)
    for segment, plane_number in enumerate(planes):
        mask[plane_number, segment + 1, segment + 1, segment] = True
    return mask


def on_planes(found: Segmentation) -> list[list[int]]:
    """The planes on which each segment has pixels."""
    return [np.flatnonzero(found.array(segment.number).any(axis=(1, 2))).tolist() for segment in found.segments]


def codes(found: Segmentation) -> list[str]:
    return [issue.code for issue in found.issues]


MISSING_GROUPS = {  # name: (groups deleted from the shared functional groups, planes of three segments, issues)
    "nothing": ((), [[0], [2], [3]], []),
    "measures": (("PixelMeasuresSequence",), [[0], [2], [3]], ["PIXEL_SPACING"]),
    "orientation": (("PlaneOrientationSequence",), [[0], [1], [2]], ["PLANE_ORIENTATION"]),
    "both": (("PixelMeasuresSequence", "PlaneOrientationSequence"), [[0], [1], [2]], ["PLANE_ORIENTATION"]),
}


@pytest.mark.parametrize(("lost", "planes", "issues"), MISSING_GROUPS.values(), ids=MISSING_GROUPS)
def test_planes_are_distinguished_by_position_alone(lost, planes, issues):
    images = [plane(number, 2.0 * number) for number in range(4)]
    ds = make_segmentation(dotted(0, 2, 3), images, segments=["a", "b", "c"])
    for keyword in lost:
        del ds.SharedFunctionalGroupsSequence[0][keyword]
    seg = Segmentation(dc.dcmread(ds.to_bytes()))
    assert on_planes(seg) == planes
    assert sorted(np.unique(seg.labels())) == [0, 1, 2, 3]
    assert codes(seg) == issues
    if "PlaneOrientationSequence" in lost:
        assert seg.stack is None
    elif lost:
        assert np.array_equal(seg.stack.origins[:, 2], [0, 2, 4, 6])
        with pytest.raises(ValueError, match="Pixel Spacing"):
            _ = seg.stack.affine
    if issues:
        with pytest.raises(dc.ParseError, match=seg.issues[0].message.split(" (")[0]):
            Segmentation(ds, strict=True)


def test_the_assumed_distance_of_a_single_plane_is_reported():
    image = plane(1, 3.0)
    del image["SliceThickness"]
    seg = Segmentation(make_segmentation(dotted(0), image, segments=["a"]))
    assert codes(seg) == ["SLICE_SPACING"]
    measures = seg.data_set.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    assert "SliceThickness" not in measures  # not known
    assert "SpacingBetweenSlices" not in measures


def test_a_frame_without_a_position_among_others_is_refused():
    ds = make_segmentation(mask() == 1, sources(), segments=["one"])
    del ds.PerFrameFunctionalGroupsSequence[1]["PlanePositionSequence"]
    with pytest.raises(dc.ParseError, match="frame 2 has no Image Position"):
        Segmentation(ds).array(1)
    ds = make_segmentation(mask() == 1, sources(), segments=["one"])
    ds.PerFrameFunctionalGroupsSequence = list(ds.PerFrameFunctionalGroupsSequence)[:2]
    with pytest.raises(dc.ParseError, match="frame 3 has no Image Position"):
        Segmentation(ds).array(1)


def in_frames(count: int, *, groups: bool) -> dc.Dataset:
    """An image of several frames at one position: a classic one, or an enhanced one with functional groups."""
    image = plane(1, 3.0)
    image.set_pixels(np.zeros((count, 8, 8), np.int16), new_instance=False)
    if not groups:
        return image
    shared = dc.Dataset()
    for keyword, attributes in {
        "PlanePositionSequence": ("ImagePositionPatient",),
        "PlaneOrientationSequence": ("ImageOrientationPatient",),
        "PixelMeasuresSequence": ("PixelSpacing", "SliceThickness"),
    }.items():
        item = dc.Dataset()
        for attribute in attributes:
            item[attribute] = image[attribute]
            del image[attribute]
        setattr(shared, keyword, [item])
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = [dc.Dataset() for _ in range(count)]
    return image


AT_ONE_POSITION = {  # name: (sources, their order in the arrays: by height, then by image)
    "cine": (lambda: [plane(number, 3.0) for number in range(4)], [0, 1, 2, 3]),
    "two positions, two echoes": (
        lambda: [plane(number, height) for number, height in enumerate((0, 2, 0, 2))],
        [0, 2, 1, 3],
    ),
    "one position of several": (
        lambda: [plane(number, height) for number, height in enumerate((4, 2, 2, 0))],
        [3, 1, 2, 0],
    ),
    "no position": (lambda: [plane(number, None) for number in range(4)], [0, 1, 2, 3]),
    "classic frames": (lambda: in_frames(4, groups=False), [0, 1, 2, 3]),
    "enhanced frames": (lambda: in_frames(4, groups=True), [0, 1, 2, 3]),
}


@pytest.mark.parametrize("kind", ["binary", "fractional", "labelmap"])
@pytest.mark.parametrize(("images", "order"), AT_ONE_POSITION.values(), ids=AT_ONE_POSITION)
def test_images_at_one_position_have_a_plane_each(images, order, kind):
    images = images()
    given_mask = dotted(0, 1, 2, 3)
    given_mask[3, 0, 0, 0] = True  # the first segment is on the first and the last
    shown = given_mask.astype(float) if kind == "fractional" else given_mask
    ds = make_segmentation(shown, images, segments=list("abcd"), kind=kind)
    groups = dc.dcmread(ds.to_bytes()).to_pydicom().PerFrameFunctionalGroupsSequence
    indices = [tuple(np.atleast_1d(group.FrameContentSequence[0].DimensionIndexValues)) for group in groups]
    assert len(set(indices)) == len(indices)
    for group in groups:
        source = group.DerivationImageSequence[0].SourceImageSequence[0]
        if isinstance(images, list):
            assert source.ReferencedSOPInstanceUID in {image.SOPInstanceUID for image in images}
        else:
            assert 1 <= source.ReferencedFrameNumber <= 4
    seg = Segmentation(dc.dcmread(ds.to_bytes()))
    assert np.array_equal(seg.arrays([1, 2, 3, 4]), np.moveaxis(given_mask, -1, 0)[:, order])
    if seg.stack is not None:
        assert len(seg.stack.origins) == 4
        assert not seg.stack.is_even


@pytest.mark.parametrize("height", [3.0, None], ids=["one position", "no position"])
def test_highdicom_and_dciodvfy_read_images_at_one_position(height, tmp_path):
    images = [plane(number, height, PatientOrientation=["L", "P"]) for number in range(3)]
    expected = dotted(0, 1, 2).any(axis=-1)
    ds = make_segmentation(expected, images, segments=["a"])
    ds.save_as(tmp_path / "seg.dcm")
    if DCIODVFY is not None:
        log = subprocess.run([DCIODVFY, str(tmp_path / "seg.dcm")], capture_output=True, text=True, timeout=60).stderr
        assert "Segmentation" in log
        assert "Error" not in log
    seg = pytest.importorskip("highdicom").seg
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = seg.segread(tmp_path / "seg.dcm").get_pixels_by_source_instance(
            source_sop_instance_uids=[image.SOPInstanceUID for image in images], combine_segments=True
        )
    assert np.array_equal(theirs, expected)


DOSES = {  # name: (Grid Frame Offset Vector, heights of the planes; None if they are not known)
    "up": ([0, 2, 4], [3, 5, 7]),
    "down": ([0, -2, -4], [-1, 1, 3]),
    "z of each plane": ([3, 5, 7], [3, 5, 7]),
    "from elsewhere": ([1, 3, 5], None),
    "too few": ([0, 2], None),
}


@pytest.mark.parametrize(("offsets", "heights"), DOSES.values(), ids=DOSES)
def test_frames_of_a_dose_lie_at_their_offsets(offsets, heights):
    dose = in_frames(3, groups=False)
    dose.GridFrameOffsetVector = offsets
    given_mask = dotted(0, 1, 2).any(axis=-1)
    if heights is None:
        with pytest.raises(dc.ParseError, match="Grid Frame Offset Vector"):
            make_segmentation(given_mask, dose, segments=["a"])
        return
    seg = Segmentation(dc.dcmread(make_segmentation(given_mask, dose, segments=["a"]).to_bytes()))
    assert np.array_equal(seg.stack.origins[:, 2], heights)
    assert np.array_equal(seg.array(1), given_mask[:: 1 if offsets[1] > 0 else -1])


@pytest.mark.parametrize("orientation", [[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, -1, 0], [-1, 0, 0, 0, -1, 0]])
@pytest.mark.parametrize("heights", [[3.0004, 5.0004, 7.0004], [3, 1, -1]])
def test_heights_of_a_dose_are_z_whatever_its_normal_is(orientation, heights):
    dose = in_frames(3, groups=False)
    dose.GridFrameOffsetVector, dose.ImageOrientationPatient = heights, orientation
    planes = frame_planes(dose, 3)
    assert planes is not None
    assert np.allclose(planes.positions[:, 2], heights, atol=1e-3)


SOURCES_REFUSED = {  # name: (sources, part of the message)
    "another patient": (lambda: [plane(1, 0.0, PatientID="A"), plane(2, 2.0, PatientID="B")], "different patients"),
    "one without a position": (
        lambda: [plane(1, 0.0), plane(2, None, FrameOfReferenceUID="1.2.6")],
        "some of the sources",
    ),
    "another orientation": (
        lambda: [plane(1, 0.0), with_attributes(plane(2, 2.0), ImageOrientationPatient=[0, 1, 0, 1, 0, 0])],
        "differ in orientation",
    ),
    "another spacing": (
        lambda: [plane(1, 0.0), with_attributes(plane(2, 2.0), PixelSpacing=[2, 2])],
        "differ in pixel spacing",
    ),
}


@pytest.mark.parametrize(("images", "said"), SOURCES_REFUSED.values(), ids=SOURCES_REFUSED)
def test_sources_that_do_not_fit_each_other_are_refused(images, said):
    with pytest.raises(ValueError, match=said):
        make_segmentation(np.ones((2, 8, 8), bool), images(), segments=["a"])


def without(ds: dc.Dataset, *keywords: str) -> dc.Dataset:
    """Delete functional groups of each frame of the segmentation, and return it."""
    for group in ds.PerFrameFunctionalGroupsSequence:
        for keyword in keywords:
            del group[keyword]
    return ds


def test_images_at_one_position_are_distinguished_by_source_or_dimension():
    images = [plane(number, 3.0) for number in range(3)]
    expected = dotted(0, 1, 2).any(axis=-1)
    by_source = without(make_segmentation(expected, images, segments=["a"]), "FrameContentSequence")
    assert np.array_equal(Segmentation(by_source).array(1), expected)
    by_dimension = without(make_segmentation(expected, images, segments=["a"]), "DerivationImageSequence")
    assert np.array_equal(Segmentation(by_dimension).array(1), expected)
    by_nothing = without(by_source, "DerivationImageSequence")
    with pytest.raises(dc.ParseError, match="frame 1 lies on one plane with another of its segment"):
        Segmentation(by_nothing).array(1)


@pytest.mark.parametrize("one", [1, 255])
def test_binary_segments_in_bytes_are_0_and_1(one):
    made = make_segmentation(mask(), sources(), segments=["a", "b"])
    pixels = made.pixel_array * np.uint8(one)
    made.BitsAllocated, made.BitsStored, made.HighBit = 8, 8, 7
    made.PixelData = pixels.tobytes()
    found = Segmentation(dc.dcmread(made.to_bytes()))
    wanted = np.stack([mask()[::-1] == number for number in (1, 2)])
    assert np.array_equal(found.arrays(), wanted)
    assert np.array_equal(found.array(2), wanted[1])
    assert np.array_equal(found.labels(), mask()[::-1])


def test_copies_of_a_frame_share_a_plane():
    images = [plane(number, 3.0) for number in range(2)]
    ds = make_segmentation(np.ones((2, 8, 8), bool), images, segments=["a"])
    seg = Segmentation(without(ds, "FrameContentSequence", "DerivationImageSequence"))
    assert seg.array(1).shape == (1, 8, 8)
    assert seg.array(1).all()


def two_segments() -> dc.Dataset:
    """Segment 1 on planes 0 and 1, segment 2 on plane 2."""
    given_mask = np.zeros((3, 8, 8), np.uint8)
    given_mask[:2], given_mask[2] = 1, 2
    return make_segmentation(given_mask, [plane(number, 2.0 * number) for number in range(3)], segments=["a", "b"])


def renumbered(frame: int, number: int | None) -> dc.Dataset:
    ds = two_segments()
    if number is None:
        del ds.PerFrameFunctionalGroupsSequence[frame]["SegmentIdentificationSequence"]
    else:
        ds.PerFrameFunctionalGroupsSequence[frame].SegmentIdentificationSequence[0].ReferencedSegmentNumber = number
    return ds


def with_attributes(made: dc.Dataset, **attributes: object) -> dc.Dataset:
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def of_one_segment_unnamed() -> dc.Dataset:
    images = [plane(number, 2.0 * number) for number in range(2)]
    return without(make_segmentation(np.ones((2, 8, 8), bool), images, segments=["a"]), "SegmentIdentificationSequence")


def with_groups_behind() -> dc.Dataset:
    made = two_segments()
    groups = list(made.PerFrameFunctionalGroupsSequence)
    return with_attributes(made, PerFrameFunctionalGroupsSequence=[*groups, groups[0].copy()])


def numbered_alike() -> dc.Dataset:
    made = two_segments()
    made.SegmentSequence[1].SegmentNumber = 1
    return made


def fractional_without_a_maximum() -> dc.Dataset:
    made = make_segmentation(np.ones((1, 8, 8)), plane(1, 0.0), segments=["a"], kind="fractional")
    del made["MaximumFractionalValue"]
    return made


CONTRADICTIONS = {  # name: (segmentation, issues, planes of each segment)
    "nothing": (two_segments, [], [[0, 1], [2]]),
    "a segment that does not exist": (lambda: renumbered(1, 7), ["SEGMENT_REFERENCE"], [[0], [2]]),
    "a frame of no segment": (lambda: renumbered(1, None), ["SEGMENT_REFERENCE"], [[0], [2]]),
    "no frame states the only segment": (of_one_segment_unnamed, ["SEGMENT_REFERENCE"], [[0, 1]]),
    "more groups than frames": (with_groups_behind, ["FRAME_GROUPS"], [[0, 1], [2]]),
    "two segments of one number": (numbered_alike, ["SEGMENT_NUMBER", "SEGMENT_REFERENCE"], [[0, 1], [0, 1]]),
    "part of a concatenation": (
        lambda: with_attributes(two_segments(), ConcatenationUID="1.2.3", InConcatenationNumber=1),
        ["CONCATENATION"],
        [[0, 1], [2]],
    ),
    "no maximum": (fractional_without_a_maximum, ["MAXIMUM_FRACTIONAL_VALUE"], [[0]]),
}


@pytest.mark.parametrize(("make", "issues", "planes"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_contradictions_are_reported(make, issues, planes):
    data = make().to_bytes()
    seg = Segmentation(dc.dcmread(data))
    assert codes(seg) == issues
    assert on_planes(seg) == planes
    if issues:
        with pytest.raises(dc.ParseError):
            Segmentation(dc.dcmread(data), strict=True)
    else:
        assert Segmentation(dc.dcmread(data), strict=True).issues == ()


def test_values_above_the_maximum_are_refused():
    ds = make_segmentation(np.full((1, 8, 8), 0.5), plane(1, 0.0), segments=["a"], kind="fractional", maximum=200)
    assert np.allclose(Segmentation(ds).array(1), 0.5)
    ds.MaximumFractionalValue = 99
    with pytest.raises(dc.ParseError, match="segment 1 has the value 100, but Maximum Fractional Value is 99"):
        Segmentation(ds).array(1)


def test_segments_without_positions_get_planes_by_dimension_source_or_order():
    ds = without(two_segments(), "PlanePositionSequence")
    by_dimension = Segmentation(ds)
    assert (on_planes(by_dimension), codes(by_dimension)) == ([[0, 1], [2]], [])
    by_source = Segmentation(without(ds, "FrameContentSequence"))
    assert (on_planes(by_source), codes(by_source)) == ([[0, 1], [2]], [])
    by_order = Segmentation(without(ds, "DerivationImageSequence"))
    assert (on_planes(by_order), codes(by_order)) == ([[0, 1], [0]], ["PLANE_POSITION"])


def tiled(full: bool) -> Segmentation:
    """A segmentation of two segments on a matrix of 50 × 30 pixels, in tiles of 38 × 24."""
    ds = make_segmentation(np.ones((4, 38, 24, 2), bool), [*sources(), sources()[0]], segments=["one", "two"])
    ds.TotalPixelMatrixRows, ds.TotalPixelMatrixColumns = 50, 30
    cells = np.zeros((2, 4, 38, 24), bool)
    for segment in range(2):
        for tile in range(4):
            cells[segment, tile, segment + tile, tile] = True
    ds.PixelData = np.packbits(cells.reshape(-1), bitorder="little").tobytes()
    if full:
        ds.DimensionOrganizationType = "TILED_FULL"
        del ds["PerFrameFunctionalGroupsSequence"]
    else:
        for number, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
            place = dc.Dataset()
            place.RowPositionInTotalImagePixelMatrix = 1 + 38 * (number % 4 // 2)
            place.ColumnPositionInTotalImagePixelMatrix = 1 + 24 * (number % 2)
            group.PlanePositionSlideSequence = [place]
    return Segmentation(ds)


@pytest.mark.parametrize("full", [False, True])
def test_tiles_are_assembled_to_the_matrix(full):
    seg = tiled(full)
    assert seg.stack is None
    for segment in range(2):
        matrix = seg.array(segment + 1)
        assert matrix.shape == (1, 50, 30)
        places = {(segment, 0), (segment + 1, 25), (38 + segment + 2, 2), (38 + segment + 3, 24 + 3)}
        assert set(zip(*np.nonzero(matrix[0]), strict=True)) == places


def test_missing_tiles_are_reported():
    ds = tiled(True).data_set
    whole = Segmentation(ds).arrays()
    ds.NumberOfFrames, ds.PixelData = 6, ds.PixelData[: 6 * 38 * 24 // 8]
    seg = Segmentation(dc.dcmread(ds.to_bytes()))
    assert codes(seg) == ["TILE_COUNT"]
    assert np.array_equal(seg.array(1), whole[0])
    assert np.array_equal(seg.array(2)[:, :38], whole[1][:, :38])
    assert not seg.array(2)[:, 38:].any()


def test_a_part_of_a_full_tiling_continues_after_the_first():
    ds = tiled(True).data_set
    whole = Segmentation(ds).arrays()
    bits = np.unpackbits(np.frombuffer(ds.PixelData, np.uint8), bitorder="little")[: 8 * 38 * 24]
    ds.PixelData = np.packbits(bits[3 * 38 * 24 :], bitorder="little").tobytes()
    ds.NumberOfFrames, ds.ConcatenationUID, ds.ConcatenationFrameOffsetNumber = 5, "1.2.3", 3
    seg = Segmentation(ds)
    assert codes(seg) == ["CONCATENATION"]
    assert seg.frame_segments.tolist() == [1, 2, 2, 2, 2]
    assert np.array_equal(seg.array(1)[:, 38:, 24:], whole[0][:, 38:, 24:])
    assert seg.array(1).sum() == whole[0][:, 38:, 24:].sum()
    assert np.array_equal(seg.array(2), whole[1])


def test_tiles_outside_the_matrix_are_reported_and_conflicts_refused():
    ds = tiled(False).data_set
    places = [group.PlanePositionSlideSequence[0] for group in ds.PerFrameFunctionalGroupsSequence]
    del places[2]["RowPositionInTotalImagePixelMatrix"]
    places[3].ColumnPositionInTotalImagePixelMatrix = 31
    seg = Segmentation(ds)
    assert codes(seg) == ["TILE_POSITION"]
    assert "2 frames, the first of them 3, lie outside" in seg.issues[0].message
    assert seg.array(1).shape == (1, 50, 30)
    assert seg.array(1).sum() == 2
    places[2].RowPositionInTotalImagePixelMatrix = places[2].ColumnPositionInTotalImagePixelMatrix = 1
    with pytest.raises(dc.ParseError, match="frames 1 and 3 differ"):
        Segmentation(ds).array(1)
    places[2].RowPositionInTotalImagePixelMatrix = 2
    overlapping = Segmentation(ds).array(1)
    assert overlapping[0, 0, 0]  # the first tile's pixel; the third tile has none there
    assert overlapping[0, 1 + 2, 2]


def test_a_matrix_far_larger_than_its_frames_is_refused():
    made = tiled(True).data_set
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns = 1 << 31, 1 << 31
    with pytest.raises(dc.LimitError, match="matrix"):
        Segmentation(made).array(1)


# -- making


KINDS = ("binary", "fractional", "labelmap")


@pytest.mark.parametrize("kind", KINDS)
def test_masks_are_read_as_they_were_written(kind, tmp_path):
    if kind == "fractional":
        given_mask = np.random.default_rng(1).random((3, 38, 24, 2)).astype(np.float32)
        expected = np.moveaxis(given_mask, -1, 0)
    else:
        given_mask = mask()
        expected = np.stack([given_mask == 1, given_mask == 2])
    segments = [Segment("one", colour=(255, 0, 0)), Segment("two", algorithm_type="AUTOMATIC", algorithm_name="net")]
    path = tmp_path / "seg.dcm"
    make_segmentation(given_mask, sources(), segments=segments, kind=kind).save_as(path)
    seg = Segmentation(dc.dcmread(path))
    assert seg.kind == kind
    assert np.abs(seg.arrays([1, 2]) - expected[:, ::-1]).max() <= (0.5 / 255 + 1e-6 if kind == "fractional" else 0)
    assert seg.segment(1).colour == (255, 0, 0)
    assert seg.segment(2).algorithm_name == "net"
    assert np.allclose(seg.stack.origins[:, 2], [-177.75, -175.25, -172.75])
    assert seg.data_set.StudyInstanceUID == sources()[0].StudyInstanceUID
    assert_same_volume(seg, path)
    if kind != "fractional":
        assert np.array_equal(seg.labels(), mask()[::-1])


@pytest.mark.skipif(DCIODVFY is None, reason="no dciodvfy")
@pytest.mark.parametrize("kind", ["binary", "fractional"])  # dciodvfy does not know label maps
@pytest.mark.parametrize("source", ["slices", "frames", "no position"])
def test_dciodvfy_finds_no_error(kind, source, tmp_path):
    if source == "slices":
        segmentation = make_segmentation(mask() == 1, sources(), segments=["one"], kind=kind)
    elif source == "frames":
        segmentation = make_segmentation(
            mask() == 1, dc.dcmread(real("24x38x3/multiframe/mf.dcm")), segments=["one"], kind=kind
        )
    else:
        flat = sources()[0]
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "FrameOfReferenceUID"):
            del flat[keyword]
        segmentation = make_segmentation(mask()[0] == 1, flat, segments=["one"], kind=kind)
    segmentation.save_as(tmp_path / "seg.dcm")
    output = subprocess.run([DCIODVFY, str(tmp_path / "seg.dcm")], capture_output=True, text=True, timeout=60).stderr
    assert "Segmentation" in output
    assert "Error" not in output


def test_pydicom_reads_the_segment_and_source_of_each_frame(tmp_path):
    ds = make_segmentation(mask(), sources(), segments=["one", "two"])
    theirs = ds.to_pydicom()
    numbers = [
        g.SegmentIdentificationSequence[0].ReferencedSegmentNumber for g in theirs.PerFrameFunctionalGroupsSequence
    ]
    assert numbers == [1, 1, 1, 2, 2]
    named = {
        source.ReferencedSOPInstanceUID
        for group in theirs.PerFrameFunctionalGroupsSequence
        for source in group.DerivationImageSequence[0].SourceImageSequence
    }
    assert named == {source.SOPInstanceUID for source in sources()}
    indices = [g.FrameContentSequence[0].DimensionIndexValues for g in theirs.PerFrameFunctionalGroupsSequence]
    assert indices == [[1, 1], [1, 2], [1, 3], [2, 1], [2, 2]]


def test_empty_frames_are_written_on_request():
    nothing = make_segmentation(np.zeros((3, 38, 24), bool), sources(), segments=["one"])
    assert nothing.NumberOfFrames == 1
    assert not Segmentation(nothing).array(1).any()
    whole = make_segmentation(mask(), sources(), segments=["one", "two"], empty_frames=True)
    assert whole.NumberOfFrames == 6


def test_label_maps_with_numbers_above_255_have_16_bits():
    numbers = np.zeros((3, 38, 24), np.int32)
    numbers[0, 0, :2] = 7, 300
    ds = make_segmentation(
        numbers, sources(), segments=[Segment("a", number=7), Segment("b", number=300)], kind="labelmap"
    )
    assert ds.BitsAllocated == 16
    assert np.array_equal(Segmentation(ds).labels(), numbers[::-1])


BACKGROUNDS = {  # name: (Pixel Padding Value, numbers of the segments, labels or part of the message)
    "9": (9, [1, 2], [[0, 1, 2], [0, 0, 0], [0, 1, 2]]),
    "0": (0, [1, 2], [[9, 1, 2], [0, 0, 0], [9, 1, 2]]),
    "none, and 0 is a segment": (None, [0, 1, 2], [[9, 1, 2], [0, 0, 0], [9, 1, 2]]),
    "9, and 0 is a segment": (9, [0, 1, 2], "use array"),
    "too large to be a value": (999, [1, 2], [[9, 1, 2], [0, 0, 0], [9, 1, 2]]),
}


@pytest.mark.parametrize("tiled", [False, True], ids=["planes", "tiles"])
@pytest.mark.parametrize(("padding", "numbers", "labels"), BACKGROUNDS.values(), ids=BACKGROUNDS)
def test_the_background_of_a_label_map_is_its_padding(padding, numbers, labels, tiled):
    """Where there is no frame, a label map is background, and no segment (PS3.3 C.8.20.2; dcmqi#541)."""
    ds = make_segmentation(mask(), sources(), segments=["one", "two"], kind="labelmap")
    ds.SegmentSequence = [ds.SegmentSequence[0].copy() for _ in numbers]
    for item, number in zip(ds.SegmentSequence, numbers, strict=True):
        item.SegmentNumber = number
    ds.PerFrameFunctionalGroupsSequence = [ds.PerFrameFunctionalGroupsSequence[i] for i in (0, 2)]
    values = np.array([[[9, 1, 2]], [[9, 1, 2]]], np.uint8)
    ds.set_pixels(values, new_instance=False, photometric_interpretation="MONOCHROME2")
    ds.PixelPaddingValue = padding
    if padding is None:
        del ds.PixelPaddingValue
    if tiled:
        ds.TotalPixelMatrixRows, ds.TotalPixelMatrixColumns = 3, 3
        for group, row in zip(ds.PerFrameFunctionalGroupsSequence, (1, 3), strict=True):
            place = dc.Dataset()
            place.ColumnPositionInTotalImagePixelMatrix, place.RowPositionInTotalImagePixelMatrix = 1, row
            group.PlanePositionSlideSequence = [place]
    seg = Segmentation(dc.dcmread(ds.to_bytes()))
    assert seg.array(1).reshape(3, 3).tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0]]
    if 0 in numbers:
        nowhere = [int(not padding)] * 3
        assert seg.array(0).reshape(3, 3).tolist() == [[0, 0, 0], nowhere, [0, 0, 0]]
    if isinstance(labels, str):
        with pytest.raises(dc.ParseError, match=labels):
            seg.labels()
    else:
        assert seg.labels().reshape(3, 3).tolist() == labels


REFUSED = {  # name: (mask, options, part of the message)
    "another size": (np.zeros((3, 5, 5), bool), {}, "the sources are 3 planes of 38 × 24"),
    "too few planes": (np.zeros((2, 38, 24), bool), {}, "the sources are 3 planes"),
    "a segment too many": (np.full((3, 38, 24), 2), {}, "1 segments are described"),
    "negative": (np.full((3, 38, 24), -1), {}, "run from -1"),
    "axis of segments": (np.zeros((3, 38, 24, 2), bool), {}, "2 segments, but 1 are described"),
    "floats in a binary mask": (np.zeros((3, 38, 24)), {}, "kind='fractional'"),
    "fractions above 1": (np.full((3, 38, 24), 2.0), {"kind": "fractional"}, "0 to 1"),
    "not a number": (np.full((3, 38, 24), np.nan), {"kind": "fractional"}, "0 to 1"),
    "overlap": (
        np.ones((3, 38, 24, 2), bool),
        {"kind": "labelmap", "segments": ["a", "b"]},
        "overlap, which a label map",
    ),
    "a label without a segment": (np.full((3, 38, 24), 5), {"kind": "labelmap"}, r"values \[5\]"),
    "unknown kind": (np.zeros((3, 38, 24), bool), {"kind": "BINARY"}, "kind is"),
    "numbers with gaps": (np.zeros((3, 38, 24), bool), {"segments": [Segment("a", number=2)]}, "numbered 1, 2"),
    "no algorithm's name": (
        np.zeros((3, 38, 24), bool),
        {"segments": [Segment("a", algorithm_type="AUTOMATIC")]},
        "algorithm_name",
    ),
    "no segments": (np.zeros((3, 38, 24), bool), {"segments": []}, "at least one"),
    "an axis too many": (np.zeros((1, 3, 38, 24, 1), bool), {}, "a mask is"),
}


@pytest.mark.parametrize(("given_mask", "options", "said"), REFUSED.values(), ids=REFUSED)
def test_masks_and_segments_that_do_not_fit_are_refused(given_mask, options, said):
    with pytest.raises(ValueError, match=said):
        make_segmentation(given_mask, sources(), **{"segments": ["one"], **options})


def test_attributes_of_the_caller_are_set():
    made = make_segmentation(
        mask() == 1, sources(), segments=["one"], attributes={"SeriesDescription": "mine", "SeriesNumber": 7}
    )
    assert (made.SeriesDescription, made.SeriesNumber) == ("mine", 7)


@settings(max_examples=25, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.just(3), st.just(38), st.just(24), st.integers(1, 3)), fill=st.just(False)))
def test_any_mask_is_read_as_it_was_written(given_mask):
    labels = [f"s{i}" for i in range(given_mask.shape[3])]
    made = make_segmentation(given_mask, sources(), segments=labels, empty_frames=True)
    found = Segmentation(dc.dcmread(made.to_bytes()))
    assert np.array_equal(found.arrays(), np.moveaxis(given_mask, -1, 0)[:, ::-1])


def test_colours_survive_conversion_to_cielab_and_back():
    for colour in [(0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (12, 130, 200)]:
        assert from_cielab(to_cielab(colour)) == colour
    assert to_cielab((255, 255, 255))[0] == 65535
