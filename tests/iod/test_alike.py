"""Frames that are alike are looked at once: what is found is the same as when each is looked at."""

from __future__ import annotations

import io
import random
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

import dicomcore as dc
from dicomcore._native.check.coherence import findings
from dicomcore.errors import DicomError
from dicomcore.iod import check
from dicomcore.iod.opening import index_for
from tests.support.corpus import dicom_files, real

if TYPE_CHECKING:
    from dicomcore._native.check.coherence import Found

SEG = "liver.dcm"
FRAMES = 60
OWN = "2.25.1234567"
NOT_IN_IOD, RETIRED_SCHEME, SEGMENT_REFERENCE = 10, 26, 181


def found(src: Any, *, each: bool, most: int = 1000) -> tuple[list[Found], int, str, int]:
    return findings(
        index_for(src),
        sop_class=-1,
        structure=True,
        notes=True,
        folds=True,
        coherence=True,
        forms=True,
        counts=True,
        retired=True,
        most=most,
        each=each,
    )


def both(src: Any, most: int = 1000) -> tuple[list[Found], int, str, int]:
    """What is found, the same in both ways."""
    together, single = (found(src, each=each, most=most) for each in (False, True))
    assert together == single
    return together


def written(ds: dc.Dataset) -> bytes:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = io.BytesIO()
        ds.save_as(made)
        return made.getvalue()


def segmentation(count: int = FRAMES) -> dc.Dataset:
    """Frames of three segments, at positions of their own."""
    ds = dc.dcmread(real(SEG))
    one = ds.PerFrameFunctionalGroupsSequence[0]
    frames = []
    for number in range(count):
        frame = dc.Dataset(one)
        content, segment = dc.Dataset(one.FrameContentSequence[0]), dc.Dataset(one.SegmentIdentificationSequence[0])
        position = dc.Dataset(one.PlanePositionSequence[0])
        content.DimensionIndexValues = [1 + number % 3, number + 1]
        segment.ReferencedSegmentNumber = 1 + number % 3
        position.ImagePositionPatient = [number / 7, -1, number]
        source = dc.Dataset()
        source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = ds.SOPClassUID, f"2.25.{number}"
        source.PurposeOfReferenceCodeSequence = (
            one.DerivationImageSequence[0].SourceImageSequence[0].PurposeOfReferenceCodeSequence
        )
        derivation = dc.Dataset(one.DerivationImageSequence[0])
        derivation.SourceImageSequence = [source]
        frame.DerivationImageSequence = [derivation]
        content.FrameComments = f"frame {number}"
        frame.FrameContentSequence = [content]
        frame.SegmentIdentificationSequence, frame.PlanePositionSequence = [segment], [position]
        frames.append(frame)
    ds.SOPInstanceUID = OWN
    segments = [dc.Dataset(ds.SegmentSequence[0]) for _ in range(3)]
    for number, segment in enumerate(segments):
        segment.SegmentNumber = number + 1
    ds.SegmentSequence, ds.PerFrameFunctionalGroupsSequence, ds.NumberOfFrames = segments, frames, count
    ds.PixelData = bytes(-(-ds.Rows * ds.Columns * count // 8))
    return ds


def factor(slope: int) -> dc.Dataset:
    item = dc.Dataset()
    item.RescaleSlope, item.RescaleIntercept, item.RescaleType = slope, 0, "US"
    return item


def own_frame(frame: dc.Dataset, number: int) -> None:
    """The source of a frame is the object."""
    source = inside(inside(frame, "DerivationImageSequence"), "SourceImageSequence")
    source.ReferencedSOPInstanceUID, source.ReferencedFrameNumber = OWN, number


def inside(frame: dc.Dataset, sequence: str) -> dc.Dataset:
    return frame[sequence].value[0]


FAULTS: dict[str, Callable[[dc.Dataset], object]] = {
    "group missing": lambda one: one.__delitem__("FrameContentSequence"),
    "group empty": lambda one: setattr(one, "SegmentIdentificationSequence", []),
    "group of all frames": lambda one: setattr(one, "PixelMeasuresSequence", [dc.Dataset()]),
    "attribute missing": lambda one: inside(one, "SegmentIdentificationSequence").__delitem__(
        "ReferencedSegmentNumber"
    ),
    "attribute empty": lambda one: setattr(inside(one, "FrameContentSequence"), "DimensionIndexValues", []),
    "index too many": lambda one: setattr(inside(one, "FrameContentSequence"), "DimensionIndexValues", [1, 2, 3, 4]),
    "another segment": lambda one: setattr(inside(one, "SegmentIdentificationSequence"), "ReferencedSegmentNumber", 9),
    "another vm": lambda one: setattr(inside(one, "PlanePositionSequence"), "ImagePositionPatient", [1, 2]),
    "no number": lambda one: inside(one, "PlanePositionSequence").add_new(0x00200032, "DS", "1\\2\\a"),
    "another vr": lambda one: inside(one, "PlanePositionSequence").add_new(0x00200032, "FD", [1, 2, 3]),
    "no term": lambda one: setattr(inside(one, "FrameContentSequence"), "RespiratoryCyclePosition", "NEW"),
    "its own frame": lambda one: own_frame(one, 2),
    "its own frame, which is not there": lambda one: own_frame(one, 10_000),
    "zero in a factor": lambda one: setattr(one, "PixelValueTransformationSequence", [factor(0)]),
    "another factor": lambda one: setattr(one, "PixelValueTransformationSequence", [factor(2)]),
    "a text": lambda one: setattr(inside(one, "FrameContentSequence"), "FrameComments", "a"),
    "unknown group": lambda one: setattr(one, "CTExposureSequence", [dc.Dataset()]),
    "retired": lambda one: setattr(one, "OtherPatientIDs", "1"),
    "two items": lambda one: setattr(one, "PlanePositionSequence", [dc.Dataset(), dc.Dataset()]),
    "private": lambda one: one.add_new(0x00090010, "LO", "ME"),
    "empty": lambda one: [one.__delitem__(element.tag) for element in list(one)],
    "in UN": lambda one: one.add_new(0x00209221, "UN", b"\xfe\xff\0\xe0\0\0\0\0"),
}


def test_many_stand_behind_one() -> None:
    listed, *_ = both(written(segmentation()))
    assert [one for one in listed if one[0] not in (NOT_IN_IOD, RETIRED_SCHEME)] == []
    ds = segmentation()
    for frame in ds.PerFrameFunctionalGroupsSequence:
        FAULTS["another segment"](frame)
    (finding,) = (one for one in both(written(ds))[0] if one[0] == SEGMENT_REFERENCE)
    assert finding[4] == FRAMES


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("place", [0, 1, 2, 3, FRAMES // 2, FRAMES - 2, FRAMES - 1])
def test_odd_frame(name: str, place: int) -> None:
    ds = segmentation()
    before = both(written(ds))
    FAULTS[name](ds.PerFrameFunctionalGroupsSequence[place])
    after = both(written(ds))
    assert name in ("private", "a text", "its own frame") or after != before


@pytest.mark.parametrize("seed", range(40))
def test_odd_frames(seed: int) -> None:
    """Some kinds of faults, in some frames."""
    chance = random.Random(seed)
    ds = segmentation(chance.choice([8, 9, 30, 200]))
    frames = ds.PerFrameFunctionalGroupsSequence
    for name in chance.sample(sorted(FAULTS), chance.randint(1, 4)):
        for frame in chance.sample(list(frames), chance.randint(1, len(frames) // 2)):
            try:
                FAULTS[name](frame)
            except (KeyError, IndexError):
                continue  # gone by another fault
    both(written(ds))
    both(written(ds), most=chance.randint(0, 3))


@pytest.mark.parametrize("place", [2, 3, 30])
def test_bytes_of_a_character_set(place: int) -> None:
    """They make Specific Character Set due."""
    data = written(segmentation())
    changed = data.replace(b"frame %d " % place if place < 10 else b"frame %d" % place, b"fram\xe9 %d" % place)
    assert both(data)[0] != both(changed)[0]


def test_no_two_alike() -> None:
    """More kinds of frames than are kept."""
    ds = segmentation(1500)
    for number, frame in enumerate(ds.PerFrameFunctionalGroupsSequence):
        code = dc.Dataset(inside(frame, "DerivationImageSequence").DerivationCodeSequence[0])
        code.CodeValue = str(number // 2)
        inside(frame, "DerivationImageSequence").DerivationCodeSequence = [code]
        if number % 100 == 50:
            FAULTS["another segment"](frame)
    listed, *_ = both(written(ds))
    assert [one[4] for one in listed if one[0] == SEGMENT_REFERENCE] == [15]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7])
def test_few_frames(size: int) -> None:
    both(written(segmentation(size)))


@pytest.mark.filterwarnings("ignore")
def test_real_files() -> None:
    seen = 0
    for one in dicom_files():
        try:
            both(one.data())
        except DicomError:
            continue
        seen += 1
    assert seen > 100 or not dicom_files()


@pytest.mark.filterwarnings("ignore")
def test_truncated() -> None:
    data = written(segmentation(12))
    for end in range(2000, len(data), 61):
        both(data[:end])


def test_report_counts_frames() -> None:
    ds = segmentation()
    for frame in ds.PerFrameFunctionalGroupsSequence[5:20]:
        FAULTS["index too many"](frame)
    (finding,) = (one for one in check(written(ds)) if one.code == "DIMENSION_COUNT")
    assert (finding.count, finding.path) == (
        15,
        "PerFrameFunctionalGroupsSequence[5].FrameContentSequence[0].DimensionIndexValues",
    )
