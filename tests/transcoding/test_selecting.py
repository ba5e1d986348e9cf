"""transcode(frames=…): what describes each frame, or names one by number, is that of the frames that are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.dataset.building import build
from dicomcore.objects.planes import frame_planes
from dicomcore.services.frames import extracted

FRAMES = 4
PIXELS = np.arange(FRAMES, dtype=np.uint16)[:, None, None] * 100 + np.arange(12, dtype=np.uint16).reshape(3, 4)
VECTORS = {
    **{f"{what}Vector": [1, 2, 3, 4] for what in ("EnergyWindow", "Slice", "TimeSlot", "AngularView", "PageNumber")},
    "FrameLabelVector": ["a", "b", "c", "d"],
    "PositionerPrimaryAngleIncrement": [1, 2, 3, 4],
    "TableVerticalIncrement": [1, 2, 3, 4],
}


def made(**attributes: Any) -> dc.Dataset:
    ds = build({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.3", "SOPInstanceUID": "1.2.3"})
    ds.set_pixels(PIXELS, photometric_interpretation="MONOCHROME2", new_instance=False)
    ds.update(build(attributes))
    return ds


def chosen(ds: dc.Dataset, frames: list[int]) -> dc.Dataset:
    out = bytearray()
    dc.transcode(ds, out, "explicit", frames=frames)
    got = dc.dcmread(bytes(out))
    assert np.array_equal(got.pixel_array.reshape(-1, 3, 4), PIXELS[frames])
    return got


@pytest.mark.parametrize("keyword", VECTORS)
@pytest.mark.parametrize("frames", [[1, 3], [3, 0, 1], [2]])
def test_vectors_keep_the_values_of_the_frames(keyword, frames):
    got = chosen(made(**{keyword: VECTORS[keyword]}), frames).get(keyword)
    wanted = [VECTORS[keyword][frame] for frame in frames]
    assert got == (wanted if len(wanted) > 1 else wanted[0])


TIMES = {  # name: (attributes, frames, Frame Time, Frame Time Vector)
    "vector": ({"FrameTimeVector": [0, 10, 20, 30]}, [1, 3], None, [0, 50]),
    "vector, backwards": ({"FrameTimeVector": [0, 10, 20, 30]}, [2, 1], None, [0, -20]),
    "every second": ({"FrameTime": 40, "FrameIncrementPointer": 0x00181063}, [0, 2], 80, None),
    "neighbours": ({"FrameTime": 40, "FrameIncrementPointer": 0x00181063}, [1, 2, 3], 40, None),
    "uneven": ({"FrameTime": 40, "FrameIncrementPointer": 0x00181063}, [0, 1, 3], None, [0, 40, 80]),
    "one": ({"FrameTime": 40, "FrameIncrementPointer": 0x00181063}, [2], 40, None),
}


@pytest.mark.parametrize(("attributes", "frames", "each", "vector"), TIMES.values(), ids=TIMES)
def test_times_between_frames_are_those_of_the_new_neighbours(attributes, frames, each, vector):
    got = chosen(made(**attributes), frames)
    assert (got.get("FrameTime"), got.get("FrameTimeVector")) == (each, vector)
    if "FrameIncrementPointer" in attributes:
        assert got.FrameIncrementPointer == (0x00181063 if vector is None else 0x00181065)


def test_numbers_of_frames_are_those_of_the_new_file():
    masks = [
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [1], "ApplicableFrameRange": [2, 4]},
        {"MaskOperation": "AVG_SUB", "MaskFrameNumbers": [2], "ApplicableFrameRange": [1, 4]},
    ]
    ds = made(
        RepresentativeFrameNumber=4,
        StartTrim=1,
        FrameNumbersOfInterest=[1, 2, 4],
        FrameOfInterestDescription=["first", "second", "last"],
        MaskSubtractionSequence=masks,
    )
    got = chosen(ds, [3, 1])
    assert got.RepresentativeFrameNumber == 1
    assert "StartTrim" not in got
    assert (got.FrameNumbersOfInterest, got.FrameOfInterestDescription) == ([2, 1], ["second", "last"])
    (mask,) = got.MaskSubtractionSequence
    assert (mask.MaskFrameNumbers, mask.ApplicableFrameRange) == (2, [1, 1, 2, 2])
    assert "MaskSubtractionSequence" not in chosen(ds, [2])
    assert "FrameNumbersOfInterest" not in chosen(ds, [2])


PLACES = {  # name: (offsets, orientation)
    "offsets": ([0, 2, 4, 7], [1, 0, 0, 0, 1, 0]),
    "offsets downwards": ([0, -2, -4, -7], [1, 0, 0, 0, 1, 0]),
    "heights": ([10, 12, 14, 17], [1, 0, 0, 0, 1, 0]),
    "offsets of a sagittal dose": ([0, 2, 4, 7], [0, 1, 0, 0, 0, 1]),
}


@pytest.mark.parametrize(("offsets", "orientation"), PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("frames", [[1, 2], [3, 1], [2], [0, 3]])
def test_planes_of_a_dose_stay_where_they_are(offsets, orientation, frames):
    ds = made(
        ImagePositionPatient=[1, 2, 10],
        ImageOrientationPatient=orientation,
        PixelSpacing=[1, 1],
        GridFrameOffsetVector=offsets,
    )
    before, after = frame_planes(ds, FRAMES), frame_planes(chosen(ds, frames), len(frames))
    assert before is not None
    assert after is not None
    assert np.allclose(after.positions, before.positions[frames])


def test_frames_that_are_retrieved_are_described_alike():
    ds = made(FrameTimeVector=[0, 10, 20, 30], SliceVector=[1, 2, 3, 4], RepresentativeFrameNumber=3)
    asked = build({"SimpleFrameList": [2, 4]})
    got = extracted(dc.dcmread(ds.to_bytes()), [2, 4], asked)
    assert np.array_equal(dc.dcmread(got.to_bytes()).pixel_array, PIXELS[[1, 3]])
    assert (got.FrameTimeVector, got.SliceVector, got.NumberOfFrames) == ([0, 50], [2, 4], 2)
    assert "RepresentativeFrameNumber" not in got


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_frames_of_floats_are_retrieved(kind):
    ds = build({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.30", "SOPInstanceUID": "1.2.3"})
    ds.set_pixels(PIXELS.astype(kind), photometric_interpretation="MONOCHROME2", new_instance=False)
    got = extracted(dc.dcmread(ds.to_bytes()), [4, 2], build({"SimpleFrameList": [4, 2]}))
    assert np.array_equal(dc.dcmread(got.to_bytes()).pixel_array, PIXELS[[3, 1]].astype(kind))


@pytest.mark.parametrize("of", ["explicit", "big-endian"])
@pytest.mark.parametrize("to", ["explicit", "big-endian", "rle"])
def test_overlays_of_frames_follow_them(of, to):
    bits = np.random.default_rng(1).integers(0, 2, (2, 12), np.uint8)
    ds, source, out = made(), bytearray(), bytearray()
    for element, vr, value in (
        *((0x10, "US", 3), (0x11, "US", 4), (0x15, "IS", 2), (0x40, "CS", "G"), (0x50, "SS", [1, 1]), (0x51, "US", 2)),
        *((0x100, "US", 1), (0x102, "US", 0)),
        (0x3000, "OW", np.packbits(bits, bitorder="little").tobytes() + b"\0"),
    ):
        ds.add_new(0x60000000 | element, vr, value)
    dc.transcode(ds, source, of)
    dc.transcode(bytes(source), out, to, frames=[2, 0, 1])
    (overlay,) = dc.dcmread(bytes(out)).frames.overlays
    wanted = [bits[1], np.zeros(12), bits[0]]
    assert overlay.frames == 3
    assert all(np.array_equal(overlay.array(frame).reshape(-1), wanted[frame]) for frame in range(3))


def test_tiles_state_the_places_that_their_numbers_gave():
    """Of a full tiling, which becomes a sparse one (PS3.3 C.7.6.17.3)."""
    measures = {"PixelSpacing": [0.5, 0.25], "SliceThickness": 0.001, "SpacingBetweenSlices": 0.002}
    ds = made(
        DimensionOrganizationType="TILED_FULL",
        TotalPixelMatrixRows=3,
        TotalPixelMatrixColumns=7,
        TotalPixelMatrixFocalPlanes=2,
        TotalPixelMatrixOriginSequence=[{"XOffsetInSlideCoordinateSystem": 20, "YOffsetInSlideCoordinateSystem": 40}],
        ImageOrientationSlide=[0, -1, 0, -1, 0, 0],
        OpticalPathSequence=[{"OpticalPathIdentifier": "A"}],
        SharedFunctionalGroupsSequence=[{"PixelMeasuresSequence": [measures]}],
    )
    got = chosen(ds, [3, 0])
    assert got.DimensionOrganizationType == "TILED_SPARSE"
    places = []
    for group in got.PerFrameFunctionalGroupsSequence:
        (at,) = group.PlanePositionSlideSequence
        places.append([at.get(f"{axis}OffsetInSlideCoordinateSystem") for axis in "XYZ"])
        places[-1] += [at.RowPositionInTotalImagePixelMatrix, at.ColumnPositionInTotalImagePixelMatrix]
        assert group.OpticalPathIdentificationSequence[0].OpticalPathIdentifier == "A"
    assert places == [[20, 39, 2, 1, 5], [20, 40, 0, 1, 1]]
    assert chosen(ds, [0, 1, 2, 3]).DimensionOrganizationType == "TILED_FULL"
    assert "DimensionOrganizationType" not in chosen(made(DimensionOrganizationType="TILED_FULL"), [1])
