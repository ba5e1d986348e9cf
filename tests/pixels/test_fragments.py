"""Encapsulated pixel data as real writers leave it: every function gives the right frames or an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.archive import frames as archive_frames
from dicomcore.errors import PixelDecodeError
from tests.support.encapsulated import CODED, FRAMES, Written, even, file_of

TELLS_NOTHING = ("deflated", "uncompressed")
"""Whose codestreams begin with anything."""


def halves(data: bytes) -> list[bytes]:
    middle = len(data) // 4 * 2
    return [data[:middle], data[middle:]]


def starts(fragments: list[bytes]) -> tuple[int, ...]:
    return tuple(int(n) for n in np.cumsum([0, *(8 + len(fragment) for fragment in fragments)]))


def lengths(frames: list[bytes], change: int = 0) -> tuple[int, ...]:
    return tuple(max(len(frame) + change, 0) for frame in frames)


def in_two(frames: list[bytes]) -> list[bytes]:
    return [half for frame in frames for half in halves(frame)]


TABLE, COUNT = frozenset(["OFFSET_TABLE"]), frozenset(["FRAMES"])
WRITTEN = {  # name: what is written of three codestreams of even length
    "as it should be": lambda f: Written(f, starts(f)[:3]),
    "an entry for the end": lambda f: Written(f, starts(f), codes=TABLE),
    "entries far past the end": lambda f: Written(f, (*starts(f)[:3], 1 << 30, 1 << 31), codes=TABLE),
    "an entry for each of two fragments": lambda f: Written(in_two(f), starts(in_two(f))[:6], codes=TABLE),
    "an entry for each of two fragments and the end": lambda f: Written(in_two(f), starts(in_two(f)), codes=TABLE),
    "an entry for each fragment of one frame": lambda f: Written(
        halves(f[0]), starts(halves(f[0]))[:2], None, 1, TABLE
    ),
    "an entry for the end of one frame": lambda f: Written(f[:1], starts(f[:1]), None, 1, TABLE),
    "an entry for the first frame alone": lambda f: Written(f, (0,), codes=TABLE),
    "an entry for the first frame alone, of two fragments": lambda f: Written(in_two(f), (0,), codes=TABLE),
    "more frames than stated": lambda f: Written(f, starts(f)[:3], None, 2, TABLE | COUNT),
    "an extended entry for the end": lambda f: Written(f, (), (starts(f), (*lengths(f), 0)), codes=TABLE),
    "an extended entry less": lambda f: Written(f, (), (starts(f)[:2], lengths(f)[:2]), codes=TABLE),
    "an extended entry for each fragment": lambda f: Written(
        in_two(f), (), (starts(in_two(f))[:6], lengths(in_two(f))), codes=TABLE
    ),
    "extended lengths 0": lambda f: Written(f, (), (starts(f)[:3], (0, 0, 0)), codes=TABLE),
    "one extended length 0": lambda f: Written(f, (), (starts(f)[:3], (len(f[0]), 0, len(f[2]))), codes=TABLE),
    "extended lengths too short": lambda f: Written(f, (), (starts(f)[:3], lengths(f, -20)), codes=TABLE),
    "extended lengths too long": lambda f: Written(f, (), (starts(f)[:3], lengths(f, 8)), codes=TABLE),
    "fewer extended lengths": lambda f: Written(f, (), (starts(f)[:3], lengths(f)[:2]), codes=TABLE),
    "no item for the table": lambda f: Written(f, None, codes=TABLE),
    "no item for the table of one frame": lambda f: Written(f[:1], None, None, 1, TABLE),
    "no item for the table, two fragments a frame": lambda f: Written(in_two(f), None, codes=TABLE),
    "no item for the basic table beside an extended one": lambda f: Written(
        f, None, (starts(f)[:3], lengths(f)), codes=TABLE
    ),
    "an empty fragment at the end": lambda f: Written([*f, b""]),
    "an empty fragment at the begin": lambda f: Written([b"", *f]),
    "an empty fragment behind each frame": lambda f: Written([f[0], b"", f[1], b"", f[2], b""]),
    "an empty fragment in a table": lambda f: Written([f[0], b"", *f[1:]], (0, *starts([f[0], b"", *f[1:]])[2:4])),
    "one frame and empty fragments": lambda f: Written([b"", f[0], b"", b""], frames=1),
    "two fragments a frame": lambda f: Written(in_two(f)),
    "two fragments a frame, zeros behind": lambda f: Written(in_two([frame + bytes(40) for frame in f])),
    "two fragments a frame, some of them empty": lambda f: Written([*in_two(f[:2]), b"", *halves(f[2]), b""]),
    "split in the first marker": lambda f: Written([part for frame in f for part in (frame[:2], frame[2:])]),
    "split in the last bytes": lambda f: Written([part for frame in f for part in (frame[:-2], frame[-2:])]),
}
UNRECOGNISED = {  # fragments that begin with anything, and are several a frame
    "an entry for each of two fragments",
    "an entry for each of two fragments and the end",
    "an entry for each fragment of one frame",
    "an entry for the first frame alone, of two fragments",
    "an extended entry for each fragment",
    "no item for the table, two fragments a frame",
    "two fragments a frame",
    "two fragments a frame, zeros behind",
    "two fragments a frame, some of them empty",
    "split in the first marker",
    "split in the last bytes",
}


def every_way(path: Any, tmp_path: Any) -> dict[str, list[np.ndarray]]:
    """The frames by each function, each time from a newly opened file."""
    out, copied = tmp_path / "out.dcm", tmp_path / "copied.dcm"
    dc.transcode(path, out, "explicit")
    one = dc.dcmread(path)
    with dc.FrameWriter(copied, one) as writer:
        for i in range(len(one.frames)):
            writer.append(bytes(one.frames.encoded(i)))
    found = dc.dcmread(path).pixel_array
    return {
        "pixel_array": list(found) if found.ndim == 3 else [found],
        "iteration": list(dc.dcmread(path).frames),
        "the last alone": [dc.dcmread(path).frames[-1]],
        "slice": list(dc.dcmread(path).frames[0:3]),
        "in memory": list(dc.dcmread(path.read_bytes()).frames),
        "archive.frames": [record.array for record in archive_frames([path])],
        "transcode": list(dc.dcmread(out).frames),
        "FrameWriter": list(dc.dcmread(copied).frames),
    }


@pytest.mark.parametrize("layout", WRITTEN)
@pytest.mark.parametrize("coded", CODED)
def test_frames_are_the_same_by_every_function(coded: str, layout: str, tmp_path: Any):
    syntax, encode = CODED[coded]
    written = WRITTEN[layout]([even(bytes(encode(frame))) for frame in FRAMES])
    path = tmp_path / "in.dcm"
    path.write_bytes(file_of(syntax, written))
    if coded in TELLS_NOTHING and layout in UNRECOGNISED:
        with pytest.raises(PixelDecodeError):
            every_way(path, tmp_path)
        return
    wanted = FRAMES[: 1 if written.frames == 1 else 3]
    for way, found in every_way(path, tmp_path).items():
        due = wanted[-1:] if way == "the last alone" else wanted
        assert len(found) == len(due), way
        assert all(np.array_equal(one, other) for one, other in zip(found, due, strict=True)), way
    ds = dc.dcmread(path)
    _ = ds.pixel_array
    assert {issue.code for issue in ds.issues} == written.codes


@pytest.mark.parametrize("layout", WRITTEN)
def test_strict_refuses_layouts_with_issues(layout: str):
    written = WRITTEN[layout]([even(bytes(CODED["rle"][1](frame))) for frame in FRAMES])
    data = file_of(CODED["rle"][0], written)
    if written.codes:
        with pytest.raises(PixelDecodeError):
            _ = dc.dcmread(data, strict=True).pixel_array
    else:
        found = dc.dcmread(data, strict=True).pixel_array
        assert np.array_equal(found.reshape(-1, 24, 20), FRAMES[: written.frames])


def test_notes_are_true(tmp_path: Any):
    """A table of two entries doesn't make two frames of three."""
    syntax, encode = CODED["rle"]
    ds = dc.dcmread(file_of(syntax, WRITTEN["an extended entry less"]([encode(frame) for frame in FRAMES])))
    assert len(ds.frames) == 3
    assert [note.message for note in ds.frames.notes] == [
        "the Extended Offset Table has 2 entries for 3 frames and is passed over"
    ]


@pytest.mark.parametrize("layout", WRITTEN)
@pytest.mark.parametrize("coded", ["rle", "jpeg-2000", "deflated"])
def test_every_truncation_is_decoded_rightly_or_refused(coded: str, layout: str):
    """In a file cut anywhere in its fragments each frame is right, or an error."""
    if coded in TELLS_NOTHING and layout in UNRECOGNISED:
        pytest.skip("nothing tells that as many fragments as frames are none")
    syntax, encode = CODED[coded]
    whole = file_of(syntax, WRITTEN[layout]([even(bytes(encode(frame))) for frame in FRAMES]))
    begin = whole.index(b"\xe0\x7f\x10\x00OB") + 12
    for cut in range(begin, len(whole), 97):
        try:
            frames = dc.dcmread(whole[:cut]).frames
        except dc.DicomError:
            continue
        for i in range(len(frames)):
            try:
                found = frames[i]
            except PixelDecodeError as error:
                assert error.frame == i
            else:
                assert np.array_equal(found, FRAMES[i])


def test_a_frame_with_too_long_a_run_is_reported_by_every_function(tmp_path: Any):
    """The plane is full, the rest is left out with an issue, in one frame or in several (pydicom#1438)."""
    syntax, encode = CODED["rle"]
    long = encode(FRAMES[1])
    control = 64
    while control < len(long):  # the control byte of the last literal or run
        step = long[control] + 2 if long[control] < 128 else 2
        if control + step >= len(long) - 1:
            break
        control += step
    byte = long[control]
    longer = long[:control] + bytes([byte + 1 if byte < 128 else byte - 1]) + long[control + 1 :]
    longer += b"\x01\x02" if byte < 128 else b""
    path = tmp_path / "in.dcm"
    path.write_bytes(file_of(syntax, Written([encode(FRAMES[0]), longer, encode(FRAMES[2])])))
    for way, found in every_way(path, tmp_path).items():
        due = FRAMES[-1:] if way == "the last alone" else FRAMES
        assert np.array_equal(found, due), way
    for take in (lambda frames: frames.array(), lambda frames: frames[1], lambda frames: list(frames)):
        ds = dc.dcmread(path)
        take(ds.frames)
        assert [issue.code for issue in ds.issues] == ["PIXEL_LENGTH"]
    ds = dc.dcmread(path)
    assert np.array_equal(ds.frames[0], FRAMES[0])
    assert not ds.issues
    if "strict" in dc.Limits.__dataclass_fields__:
        strict = dc.dcmread(path, strict=True).frames
        assert np.array_equal(strict[0], FRAMES[0])
        for take in (lambda frames: frames.array(), lambda frames: frames[1], lambda frames: frames.decoded(1)):
            with pytest.raises(PixelDecodeError) as caught:
                take(strict)
            assert caught.value.frame == 1


@pytest.mark.parametrize("coded", CODED)
def test_more_frames_than_the_data_set_says(coded: str):
    """With a signature they are three frames; of deflated ones the first is read; uncompressed ones are refused."""
    syntax, encode = CODED[coded]
    ds = dc.dcmread(file_of(syntax, Written([even(bytes(encode(frame))) for frame in FRAMES], frames=1)))
    if coded == "uncompressed":
        with pytest.raises(PixelDecodeError):
            _ = ds.pixel_array
    elif coded == "deflated":
        assert np.array_equal(ds.pixel_array, FRAMES[0])
        assert [issue.code for issue in ds.issues] == ["PIXEL_LENGTH"]
    else:
        assert np.array_equal(ds.pixel_array, FRAMES)
        assert [issue.code for issue in ds.issues] == ["FRAMES"]


def test_a_deflated_frame_that_holds_more():
    """A frame larger than the data set says: its first rows are never returned without an issue."""
    for data in (CODED["deflated"][1](np.vstack(FRAMES)), CODED["deflated"][1](FRAMES[0]) + b"\1\2\3\4"):
        ds = dc.dcmread(file_of(CODED["deflated"][0], Written([even(data)], frames=1)))
        assert ds.pixel_array.shape == (24, 20)
        assert [issue.code for issue in ds.issues] == ["PIXEL_LENGTH"]
    for padding in (b"", bytes(2), bytes(40)):
        ds = dc.dcmread(
            file_of(CODED["deflated"][0], Written([even(CODED["deflated"][1](FRAMES[0])) + padding], frames=1))
        )
        assert np.array_equal(ds.pixel_array, FRAMES[0])
        assert not ds.issues
