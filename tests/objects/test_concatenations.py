"""Concatenations are recognised, checked and joined (PS3.3 C.7.6.16.2.2.4)."""

from __future__ import annotations

import struct
from itertools import permutations

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.objects.concatenation import Concatenation, concatenation_of, join
from tests.support import dicom_bytes as raw

UID, SOURCE = "1.2.3.9", "1.2.3.1"
FRAMES = [3, 1, 2]  # of each part
PIXELS = (np.arange(sum(FRAMES) * 4).reshape(-1, 2, 2) + 0x0100).astype("<u2")


def us(tag: int, value: int) -> bytes:
    return raw.element(tag, "US", struct.pack("<H", value))


def uid(tag: int, value: str) -> bytes:
    return raw.element(tag, "UI", value.encode() + b"\0" * (len(value) % 2))


def part(number: int, *, total: int | None = len(FRAMES), offset: int | None = None, of: str = UID) -> dc.Dataset:
    """A part, as a scanner writes it that divides objects by their size."""
    before = sum(FRAMES[: number - 1])
    count = FRAMES[number - 1]
    groups = [
        raw.item(raw.sequence(0x00209111, raw.item(raw.element(0x00209057, "UL", struct.pack("<I", before + i + 1)))))
        for i in range(count)
    ]
    pixels = PIXELS[before : before + count].tobytes()
    content = (
        uid(0x00080016, "1.2.840.10008.5.1.4.1.1.2.1")
        + uid(0x00080018, f"1.2.3.100.{number}")
        + uid(0x00200242, SOURCE)
        + uid(0x00209161, of)
        + us(0x00209162, number)
        + (b"" if total is None else us(0x00209163, total))
        + raw.element(0x00209228, "UL", struct.pack("<I", before if offset is None else offset))
        + us(0x00280002, 1)
        + raw.element(0x00280004, "CS", b"MONOCHROME2 ")
        + raw.element(0x00280008, "IS", f"{count} ".encode())
        + us(0x00280010, 2) + us(0x00280011, 2) + us(0x00280100, 16) + us(0x00280101, 16) + us(0x00280102, 15)
        + us(0x00280103, 0)
        + raw.sequence(0x52009229, raw.item(raw.element(0x00200032, "DS", b"1\\2\\3 ")))
        + raw.sequence(0x52009230, *groups)
        + raw.element(0x7FE00010, "OW", pixels)
    )  # fmt: skip
    return dc.dcmread(raw.part10(content))


def numbers(groups: dc.Sequence) -> list[int]:
    return [item[0x00209111].value[0][0x00209057].value for item in groups]


def test_a_part_of_a_concatenation_is_recognised():
    assert concatenation_of(part(2)) == Concatenation(dc.UID(UID), 2, 3, 3, dc.UID(SOURCE))
    assert concatenation_of(part(2, total=None)).total is None
    assert concatenation_of(dc.Dataset()) is None


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))), ids=str)
def test_parts_are_joined_in_any_order(order: tuple[int, ...]):
    joined = join(part(number) for number in order)
    assert [p.SOPInstanceUID for p in joined.parts] == ["1.2.3.100.1", "1.2.3.100.2", "1.2.3.100.3"]
    assert joined.missing == ()
    whole = joined.data_set
    assert whole.SOPInstanceUID == SOURCE
    assert whole.NumberOfFrames == 6
    assert whole.file_meta.TransferSyntaxUID == raw.EXPLICIT
    assert numbers(whole.PerFrameFunctionalGroupsSequence) == [1, 2, 3, 4, 5, 6]
    assert whole.SharedFunctionalGroupsSequence[0].ImagePositionPatient == [1, 2, 3]
    for keyword in ("ConcatenationUID", "InConcatenationNumber", "ConcatenationFrameOffsetNumber", "PixelData"):
        assert keyword not in whole
    assert "ConcatenationUID" in joined.parts[0]
    assert joined.parts[0].NumberOfFrames == 3


def test_frames_of_all_parts_are_in_order():
    frames = join([part(3), part(1), part(2)]).frames
    assert len(frames) == 6
    for i in range(6):
        assert np.array_equal(frames[i], PIXELS[i])
        assert bytes(frames.encoded(i)) == PIXELS[i].tobytes()
    assert np.array_equal(np.stack(frames[2:5]), PIXELS[2:5])
    assert np.array_equal(frames[-1], PIXELS[-1])
    assert np.array_equal(frames.decode(3, raw=True), PIXELS[3])
    with pytest.raises(IndexError):
        _ = frames[6]


FAULTS = {  # name: (parts, part of the message)
    "none": (lambda: [], "no parts"),
    "the middle one is missing": (lambda: [part(1), part(3)], "lacks part 2 of 3"),
    "the last ones are missing": (lambda: [part(1)], "lacks part 2, 3 of 3"),
    "twice": (lambda: [part(1), part(2), part(2)], "part 2 .* twice"),
    "of two concatenations": (lambda: [part(1), part(2, of="1.2.3.8"), part(3)], "several concatenations"),
    "frames overlap": (lambda: [part(1), part(2, offset=2), part(3)], "2 frames precede it; there are 3"),
    "frames are missing": (lambda: [part(1), part(2, offset=5), part(3)], "5 frames precede it; there are 3"),
    "not a part": (lambda: [part(1), dc.Dataset()], "not part of a concatenation"),
    "without total, a gap": (lambda: [part(1, total=None), part(3, total=None)], "lacks part 2 of 3"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_wrong_parts_are_refused(name: str):
    make, message = FAULTS[name]
    with pytest.raises(dc.DicomError, match=message):
        join(make())


def test_false_counts_in_damaged_headers_cost_nothing():
    many = part(1)
    many.validation = "ignore"
    many.NumberOfFrames = 1 << 40
    many.InConcatenationTotalNumber = 1
    assert len(join([many]).frames) == 1 << 40
    many.InConcatenationTotalNumber = 1 << 40
    with pytest.raises(dc.DicomError, match="claims"):
        join([many])
    many.InConcatenationTotalNumber = 60_000
    with pytest.raises(dc.DicomError, match="lacks") as caught:
        join([many])
    assert len(str(caught.value)) < 300


def test_partial_joins_without_missing_parts():
    joined = join([part(3), part(1)], partial=True)
    assert joined.missing == (2,)
    assert joined.data_set.NumberOfFrames == 5
    assert numbers(joined.data_set.PerFrameFunctionalGroupsSequence) == [1, 2, 3, 5, 6]
    assert np.array_equal(joined.frames[3], PIXELS[4])


def test_without_a_stated_total_the_highest_number_is_the_last():
    assert len(join([part(i, total=None) for i in (1, 2, 3)]).frames) == 6
