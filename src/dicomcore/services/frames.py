"""Frames of an instance as an instance of their own (PS3.4 Y), and instances without bulk data (PS3.4 Z)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import float_array, integers_of, items_of
from dicomcore.errors import DicomError
from dicomcore.net import Failure
from dicomcore.pixels.attributes import find_pixel_data
from dicomcore.pixels.frames import Frames
from dicomcore.pixels.selecting import select_frames
from dicomcore.uids import generate_uid

__all__ = ["extracted", "wanted_frames", "without_bulk_data"]

NOT_FOUND, CANNOT_MAKE, CANNOT_EXTRACT, NOT_TIMED, INVALID = 0xAA00, 0xAA01, 0xAA02, 0xAA03, 0xAA04
LISTS = ("SimpleFrameList", "CalculatedFrameList", "TimeRange")
BULK = (
    "PixelData", "FloatPixelData", "DoubleFloatPixelData", "PixelDataProviderURL", "SpectroscopyData",
    "EncapsulatedDocument", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip
REPEATING = {0x5000: (0x3000, 0x200C), 0x6000: (0x3000,)}  # data of curves, audio and overlays, in groups that repeat
MOST_FRAMES = 1 << 20
ITEM, END = 0xE000FFFE, 0xE0DDFFFE


def wanted_frames(asked: Dataset, ds: Dataset) -> list[int]:
    """The numbers of the frames that an identifier asks for, from 1 (PS3.4 Y.3.2). Failure if there are none."""
    count = Frames(ds)
    given = [name for name in LISTS if asked.get(name) not in (None, [], "")]
    if len(given) != 1:
        raise Failure(INVALID, "one of Simple Frame List, Calculated Frame List and Time Range is needed")
    numbers = integers_of(asked, given[0])
    if given[0] == "SimpleFrameList":
        chosen = list(numbers)
    elif given[0] == "CalculatedFrameList":
        chosen = _calculated(numbers, len(count))
    else:
        chosen = _timed(asked, ds, len(count))
    found = [number for number in chosen if 1 <= number <= len(count)]
    if not found:
        raise Failure(NOT_FOUND, f"there are {len(count)} frames")
    return found


def _calculated(numbers: Sequence[int], count: int) -> list[int]:
    """Triplets of first, last and step."""
    if not numbers or len(numbers) % 3:
        raise Failure(INVALID, "Calculated Frame List has triplets")
    chosen: list[int] = []
    for first, last, step in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
        if step < 1 or first < 1:
            raise Failure(INVALID, "a step of Calculated Frame List is at least 1")
        chosen += range(first, min(last, count) + 1, step)
        if len(chosen) > MOST_FRAMES:
            raise Failure(INVALID, f"more than {MOST_FRAMES} frames")
    return chosen


def _timed(asked: Dataset, ds: Dataset, count: int) -> list[int]:
    """Frames between two times in seconds from the first one."""
    ends = float_array(asked, "TimeRange")
    if ends is None or len(ends) != 2:
        raise Failure(INVALID, "Time Range has two values")
    times: list[float]
    vector, step = float_array(ds, "FrameTimeVector"), float_array(ds, "FrameTime")
    if vector is not None and len(vector) == count:
        times = (vector.cumsum() / 1000).tolist()
    elif step is not None and len(step) == 1:
        times = [number * float(step[0]) / 1000 for number in range(count)]
    else:
        raise Failure(NOT_TIMED, "the frames have no times")
    return [number for number, time in enumerate(times, 1) if ends[0] <= time <= ends[1]]


def extracted(ds: Dataset, numbers: Sequence[int], asked: Dataset) -> Dataset:
    """A data set with some frames of another, which it changes: it has a new UID, and says where it comes from.

    Raises Failure for frames that cannot be taken apart.
    """
    try:
        frames = Frames(ds)
        encoded = [bytes(frames.encoded(number - 1)) for number in numbers]
    except DicomError as error:
        raise Failure(CANNOT_EXTRACT, str(error)) from None
    if frames.description.bits_allocated == 1 and frames.description.samples % 8:
        raise Failure(CANNOT_EXTRACT, "frames of single bits begin inside bytes")
    count, source = len(frames), str(ds.SOPInstanceUID)
    for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths"):
        if keyword in ds:
            del ds[keyword]
    select_frames(ds, [number - 1 for number in numbers], count)
    keyword = find_pixel_data(ds) or "PixelData"
    vr = ds[keyword].VR
    data = _encapsulated(encoded) if frames.is_encapsulated else b"".join(encoded)
    ds.add_new(keyword, vr, data + bytes(len(data) % 2))
    ds.SOPInstanceUID = generate_uid()
    said = Dataset()
    said.MultiFrameSourceSOPInstanceUID = source
    for keyword in LISTS:
        if asked.get(keyword) not in (None, [], ""):
            said.add(asked[keyword])
    ds.FrameExtractionSequence = [*items_of(ds, "FrameExtractionSequence"), said]
    return ds


def _encapsulated(frames: Sequence[bytes]) -> bytes:
    """Codestreams in items, behind an empty offset table (PS3.5 A.4)."""
    parts = [struct.pack("<II", ITEM, 0)]
    for frame in frames:
        padded = frame + bytes(len(frame) % 2)
        parts += [struct.pack("<II", ITEM, len(padded)), padded]
    return b"".join(parts)


def without_bulk_data(ds: Dataset) -> Dataset:
    """A data set without what PS3.4 Z.1.3 calls bulk data, which it loses."""
    for keyword in BULK:
        if keyword in ds:
            del ds[keyword]
    for tag in [element.tag for element in ds if element.tag.group & 0xFF00 in REPEATING]:
        if tag.element in REPEATING[tag.group & 0xFF00]:
            del ds[tag]
    for item in items_of(ds, "WaveformSequence"):
        if "WaveformData" in item:
            del item["WaveformData"]
    return ds
