"""Frames in encapsulated pixel data: offset tables right and wrong, fragments one and several a frame."""

import contextlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.pixels.fragments import Fragments
from dicomcore.pixels.value_field import ValueField

DELIMITER = b"\xfe\xff\xdd\xe0" + bytes(4)
A, B, C = (bytes([n]) * (10 * n) + b"\xff\xd9" for n in (1, 2, 3))
BC = B[:8], B[8:]
SOI = b"\xff\xd8\xff\xe0"


def item(data: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + struct.pack("<I", len(data)) + data


def encapsulated(fragments, table=(), end=DELIMITER) -> bytes:
    return item(struct.pack(f"<{len(table)}I", *table)) + b"".join(map(item, fragments)) + end


class Reads(ValueField):
    """A value that remembers what was read."""

    def __init__(self, data: bytes) -> None:
        self.spans: list[tuple[int, int]] = []
        super().__init__(lambda offset, length: self.note(data, offset, length), len(data))

    def note(self, data: bytes, offset: int, length: int) -> memoryview:
        self.spans.append((offset, length))
        return memoryview(data)[offset : offset + length]


def frames_of(data: bytes, frames: int, extended=None) -> tuple[list[bytes], list[str]]:
    found = Fragments(Reads(data), frames, DEFAULT_LIMITS, extended)
    return [bytes(found.codestream(i)) for i in range(len(found))], [note.code for note in found.notes]


SPREAD = [A, *BC, C]  # the second frame in two fragments
OFFSETS = (0, 8 + len(A), 8 + len(A) + 16 + len(B))
GOOD = {  # name: (bytes, Number of Frames, frames wanted, notes)
    "one a frame": (encapsulated([A, B, C]), 3, [A, B, C], []),
    "one frame in several": (encapsulated([A[:4], A[4:]]), 1, [A], []),
    "basic table": (encapsulated(SPREAD, OFFSETS), 3, [A, B, C], []),
    "by their ends": (encapsulated(SPREAD), 3, [A, B, C], []),
    "no delimiter": (encapsulated([A, B], end=b""), 2, [A, B], []),
    "cut in the last": (encapsulated([A, B], end=b"")[:-5], 2, [A, B[:-5]], []),
    "table of zeros": (encapsulated(SPREAD, (0, 0, 0)), 3, [A, B, C], ["offset-table"]),
    "table beside items": (encapsulated(SPREAD, (0, 9, 60)), 3, [A, B, C], ["offset-table"]),
    "table too long": (encapsulated([A, B, C], (0, 18, 1 << 30)), 3, [A, B, C], ["offset-table"]),
    "table for fewer": (encapsulated([A, B, C], (0,)), 3, [A, B, C], ["offset-table"]),
    "fewer frames": (encapsulated([A, B]), 3, [A, B], ["frames"]),
    "more than said": (encapsulated([SOI + A, SOI + B]), 1, [SOI + A, SOI + B], []),
    "dirt behind": (encapsulated([A, B], end=bytes(20)), 2, [A, B], ["fragments"]),
}


@pytest.mark.parametrize(("data", "frames", "wanted", "notes"), GOOD.values(), ids=GOOD)
def test_frames(data, frames, wanted, notes):
    assert frames_of(data, frames) == (wanted, notes)


def test_extended_table():
    data = encapsulated([A, B, C])
    table = np.array([0, 8 + len(A), 16 + len(A) + len(B)], "<u8"), np.array([len(A), len(B) - 1, len(C)], "<u8")
    assert frames_of(data, 3, table) == ([A, B[:-1], C], [])
    wrong = table[0] + np.uint64(2), table[1]
    assert frames_of(data, 3, wrong) == ([A, B, C], ["offset-table"])
    too_long = table[0], table[1] + np.uint64(1 << 40)
    assert frames_of(data, 3, too_long) == ([A, B, C], ["offset-table"])


def test_only_the_frame_asked_for_is_read():
    fragments = [bytes(1000)] * 2000
    value = Reads(encapsulated(fragments, range(0, 1008 * 2000, 1008)))
    found = Fragments(value, 2000, DEFAULT_LIMITS)
    value.spans.clear()
    assert len(found.codestream(1234)) == 1000
    assert len(value.spans) <= 3
    assert sum(length for _, length in value.spans) == 1000 + 8


def test_a_scan_reads_no_pixels():
    value = Reads(encapsulated([bytes(1000)] * 100))
    assert len(Fragments(value, 100, DEFAULT_LIMITS)) == 100
    assert max(length for _, length in value.spans) == 8


BAD = {
    "nothing": b"",
    "no items": bytes(20),
    "table beyond the end": b"\xfe\xff\x00\xe0\xff\xff\xff\x00",
    "no fragments": encapsulated([]),
    "which are which": encapsulated([b"ab", b"cd", b"ef"]),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_bad_tables_are_refused(data):
    with pytest.raises(PixelDecodeError):
        frames_of(data, 2)


@given(st.lists(st.sampled_from([item(b"ab"), item(b""), DELIMITER, b"\xfe\xff\x00\xe0", bytes(3), item(bytes(9))])))
def test_any_items(parts):
    with contextlib.suppress(DicomError):
        frames_of(b"".join(parts), 2)


some_fragments = st.lists(st.sampled_from([b"", b"ab", SOI, SOI + A, A, B, b"\xff\xd9", bytes(80)]), max_size=8)
places = st.lists(st.integers(0, 300) | st.sampled_from([0, 8, 16, 1 << 31]), max_size=8)


@given(some_fragments, places, places, places, st.integers(1, 9), st.integers(0, 40))
def test_any_tables(fragments, basic, offsets, lengths, frames, cut):
    """Every frame is made of fragments that are there, each in one frame and in order, or it is an error."""
    data = encapsulated(fragments, basic)
    extended = np.array(offsets, "<u8"), np.array(lengths, "<u8")
    data = data[: len(data) - cut]
    with contextlib.suppress(DicomError):
        found = Fragments(Reads(data), frames, DEFAULT_LIMITS, extended)
        count = len(found)
        assert count <= max(len(fragments), frames)
        spans = found.spans(range(count))
        assert spans is None or (spans.places <= len(data)).all()
        for i in range(count):  # a wrong entry makes all entries doubtful
            found.fragments(i)
        last = 0
        for i in range(count):
            for offset, length in found.fragments(i):
                assert data[offset - 8 : offset - 4] == b"\xfe\xff\x00\xe0"
                assert last <= offset <= offset + length <= len(data)
                last = offset + length
