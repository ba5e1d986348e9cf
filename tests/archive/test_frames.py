"""archive.frames: many threads that decode ahead give the same frames as one data set after the other."""

from __future__ import annotations

import gc
import os
import shutil
import threading
import time

import numpy as np
import pytest

import dicomcore as dc
from tests.support.corpus import PYDICOM, real

pytest.importorskip("pyarrow")

from dicomcore.archive import DiskCache, MemoryCache, frames, index
from dicomcore.archive.listing import stored

NAMES = (
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "examples_ybr_color.dcm",  # 30 frames
    "JPEG2000.dcm",
    "SC_rgb_rle_2frame.dcm",
    "rtdose.dcm",  # 15 frames
    "SC_rgb_jpeg_gdcm.dcm",
)


def paths() -> list[str]:
    return [str(PYDICOM / "test_files" / name) for name in NAMES]


def one_by_one(files) -> list[tuple[str, int, int, bytes]]:
    return [
        (path, row, i, frame.tobytes())
        for row, path in enumerate(files)
        for i, frame in enumerate(dc.dcmread(path).frames)
    ]


def plain(records) -> list[tuple[str, int, int, bytes]]:
    return [(one.path, one.row, one.frame, one.array.tobytes()) for one in records]


def threads() -> int:
    return sum(thread.name.startswith("dicomcore-frames") for thread in threading.enumerate())


@pytest.mark.thread_unsafe(reason="counts threads")
@pytest.mark.parametrize("ahead", [1, 100_000, 1 << 28])
@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("order", ["input", "any"])
def test_every_frame_comes_once(order, workers, ahead):
    found = plain(frames(paths(), workers=workers, order=order, ahead=ahead))
    wanted = one_by_one(paths())
    assert (found if order == "input" else sorted(found)) == (wanted if order == "input" else sorted(wanted))
    assert threads() == 0


def test_a_later_file_that_is_opened_first_blocks_no_thread():
    """Many multi-frame files, more threads than processors, the smallest budget: threads wake in varying order."""
    files = [path for path in paths() if "2frame" in path or "rtdose" in path or "CT_small" in path] * 12
    wanted = one_by_one(files)
    for _ in range(4):
        assert plain(frames(files, workers=9, ahead=1)) == wanted


@pytest.mark.parametrize("kind", ["table", "parquet", "arrow", "folder of parquet"])
def test_an_index_is_a_source(tmp_path, kind):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in (*NAMES, "rtplan.dcm"):  # rtplan.dcm has no image
        shutil.copy(PYDICOM / "test_files" / name, tmp_path / name)
    (tmp_path / "a.txt").write_text("no DICOM")
    table = index(tmp_path)
    source = tmp_path / "index"
    if kind == "table":
        source = table
    elif kind == "parquet":
        pq.write_table(table, source, row_group_size=2)
    elif kind == "arrow":
        with pa.OSFile(str(source), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        source.mkdir()
        for part in range(2):
            pq.write_table(table.slice(part * 5, 5), source / f"{part}.parquet")
    found = list(frames(source))
    assert len(found) == len(one_by_one(paths()))
    assert all(table["path"][one.row].as_py() == one.path for one in found)


def test_folders_and_single_files_are_sources(tmp_path):
    shutil.copy(PYDICOM / "test_files" / "CT_small.dcm", tmp_path / "b.dcm")
    shutil.copy(PYDICOM / "test_files" / "rtdose.dcm", tmp_path / "a.dcm")
    assert [os.path.basename(one.path) for one in frames(tmp_path)] == ["a.dcm"] * 15 + ["b.dcm"]
    assert len(list(frames(tmp_path / "b.dcm"))) == 1
    assert len(list(frames(path for path in [tmp_path, tmp_path / "b.dcm"]))) == 17


def test_members_of_archives_are_sources(tmp_path):
    """A source is the archive, or the index of its members; a cache works for members too."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in NAMES:
            archive.write(PYDICOM / "test_files" / name, name)
    wanted = sorted(content for *_, content in one_by_one(paths()))
    cache = MemoryCache(1 << 30)
    for source in (tmp_path / "a.zip", index(tmp_path / "a.zip"), index(tmp_path)):
        assert sorted(one.array.tobytes() for one in frames(source, cache=cache)) == wanted


def damaged(tmp_path) -> list[str]:
    """A good file, a missing file, text, a file without pixel data, one with truncated pixel data, a good file."""
    data = (PYDICOM / "test_files" / "SC_rgb_jpeg_gdcm.dcm").read_bytes()
    (tmp_path / "cut.dcm").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.dcm").write_text("no DICOM at all")
    good = str(PYDICOM / "test_files" / "CT_small.dcm")
    plan = str(PYDICOM / "test_files" / "rtplan.dcm")
    return [good, str(tmp_path / "none.dcm"), str(tmp_path / "text.dcm"), plan, str(tmp_path / "cut.dcm"), good]


@pytest.mark.thread_unsafe(reason="counts threads")
@pytest.mark.parametrize("workers", [1, 3])
def test_errors_are_raised_in_turn(tmp_path, workers):
    found = []
    with pytest.raises(OSError, match=r"none\.dcm") as caught:
        found.extend(frames(damaged(tmp_path), workers=workers))
    assert "none.dcm, frame 0" in caught.value.__notes__[0]
    assert threads() == 0
    assert len(found) == 0 or [one.row for one in found] == [0]


@pytest.mark.parametrize("order", ["input", "any"])
def test_errors_are_yielded_as_records(tmp_path, order):
    found = sorted(frames(damaged(tmp_path), workers=3, order=order, errors="yield"), key=lambda one: one.row)
    assert [one.row for one in found] == list(range(6))
    assert [type(one.error) for one in found] == [
        type(None),
        FileNotFoundError,
        dc.InvalidDicomError,
        dc.PixelDecodeError,
        dc.PixelDecodeError,
        type(None),
    ]
    assert [one.array is None for one in found] == [one.error is not None for one in found]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.thread_unsafe(reason="catches warnings")
def test_pipes_in_folders_are_passed_over(tmp_path):
    os.mkfifo(tmp_path / "a pipe")
    shutil.copy(PYDICOM / "test_files" / "CT_small.dcm", tmp_path / "b.dcm")
    with pytest.warns(UserWarning, match="passed over: .*a pipe is a pipe"):
        found = list(frames(tmp_path))
    assert [(os.path.basename(one.path), one.row) for one in found] == [("b.dcm", 1)]
    pipe, image = frames(tmp_path, errors="yield")
    assert (pipe.array, type(pipe.error), image.error) == (None, OSError, None)
    with pytest.raises(OSError, match="is a pipe"):
        list(frames(tmp_path / "a pipe"))


@pytest.mark.thread_unsafe(reason="counts threads")
def test_an_error_of_the_listing_reaches_the_loop():
    def listing():
        yield paths()[0]
        raise RuntimeError("the list broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        list(frames(listing()))
    assert threads() == 0


def test_leaving_early_ends_the_threads():
    for one in frames(paths() * 50, workers=4, ahead=1 << 20):
        assert one.array is not None
        break
    del one
    gc.collect()
    assert threads() == 0
    opened = frames(paths() * 50, workers=4)
    next(opened)
    opened.close()
    assert threads() == 0
    frames(paths())  # never iterated, so no thread was started
    assert threads() == 0


def test_memory_is_bounded():
    """Decoded frames that the caller has not taken stay below `ahead`, plus one frame for each decoding thread."""
    path = str(PYDICOM / "test_files" / "examples_ybr_color.dcm")
    frame = dc.dcmread(path).frames[0].nbytes
    begun = frames([path] * 20, workers=2, ahead=4 * frame)
    next(begun)
    ahead = begun.gi_frame.f_locals["decoding"]
    most = 0
    for _ in range(60):
        next(begun)
        time.sleep(0.001)
        most = max(most, ahead._bytes)
    begun.close()
    assert 2 * frame < most <= 5 * (frame + 4096)


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_cached_frames_are_the_same_and_not_decoded_again(tmp_path, kind, monkeypatch):
    from dicomcore.pixels.frames import Frames

    cache = MemoryCache(1 << 30) if kind == "memory" else tmp_path / "cache"
    wanted = one_by_one(paths())
    assert plain(frames(paths(), cache=cache)) == wanted
    decoded = []
    real_decode = Frames.decode
    monkeypatch.setattr(Frames, "decode", lambda *given, **how: decoded.append(1) or real_decode(*given, **how))
    again = list(frames(paths(), cache=cache))
    assert plain(again) == wanted
    assert not decoded
    assert not any(one.array.flags.writeable for one in again)
    list(frames(paths()[:1], cache=cache, raw=True))
    assert len(decoded) == 1


def test_a_changed_file_is_decoded_again(tmp_path):
    cache, path = MemoryCache(1 << 30), tmp_path / "a.dcm"
    shutil.copy(PYDICOM / "test_files" / "CT_small.dcm", path)
    first = plain(frames(path, cache=cache))
    shutil.copy(PYDICOM / "test_files" / "MR_small.dcm", path)
    second = plain(frames(path, cache=cache))
    assert first != second == one_by_one([str(path)])


def test_a_damaged_cache_file_is_passed_over(tmp_path):
    wanted = plain(frames(paths(), cache=tmp_path))
    made = sorted(tmp_path.rglob("*.npy"))
    assert len(made) == len(wanted)
    for i, file in enumerate(made):
        file.write_bytes(file.read_bytes()[: i * 40])
    assert plain(frames(paths(), cache=tmp_path)) == wanted
    np.save(made[0], np.zeros(3))
    assert plain(frames(paths(), cache=tmp_path)) == wanted
    assert not list(tmp_path.rglob("*.part"))


def test_a_cache_folder_that_cannot_be_written_gives_one_warning(tmp_path):
    cache = DiskCache(tmp_path / "cache")
    (tmp_path / "cache").rmdir()
    (tmp_path / "cache").write_text("in the way")
    with pytest.warns(UserWarning, match="not cached") as said:
        assert plain(frames(paths()[:3], cache=cache)) == one_by_one(paths()[:3])
    assert len(said) == 1


def test_a_memory_cache_removes_the_frames_unused_for_the_longest_time():
    cache = MemoryCache(1000)
    for i in range(30):
        cache.put(i, np.zeros(100, np.uint8))
        assert cache.held_bytes <= 1000
    cache.put(99, np.zeros(1001, np.uint8))
    assert (len(cache), cache.get(19), cache.get(99)) == (10, None, None)
    assert cache.get(20) is not None
    cache.put(30, np.zeros(100, np.uint8))
    assert cache.get(20) is not None
    assert cache.get(21) is None


@pytest.mark.parametrize(
    "options",
    [{"order": "random"}, {"errors": "ignore"}, {"workers": 0}, {"ahead": 0}],
    ids=lambda one: next(iter(one)),
)
def test_wrong_options_raise_at_once(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        frames(paths(), **options)


def test_files_with_names_that_are_not_utf8_are_found_by_their_rows(tmp_path):
    name = os.fsencode(tmp_path) + b"/bild\xe4\xff.dcm"
    shutil.copy(os.fsencode(real("CT_small.dcm")), name)
    table = index(tmp_path)
    assert "\\xe4\\xff" in table["path"][0].as_py()
    assert os.fsencode(stored(table["path"][0].as_py())) == name
    assert len(list(frames(table))) == 1
