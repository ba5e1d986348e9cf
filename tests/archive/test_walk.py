"""The walk over folders: native lists of entries beside those of os.scandir, and files looked up inside folders."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest

from dicomcore._native.bulk.folder import LISTS, Folder
from dicomcore._native.bulk.stat import ABSENT, OTHER, survey
from dicomcore.archive.sources import walk
from dicomcore.archive.sources.place import Fault
from dicomcore.archive.sources.walk import Output, walk_folder, walk_runs

native = pytest.mark.skipif(not LISTS, reason="this system has no native walk")

NAMES = {  # name of the case: entries, folders with "/" behind
    "empty": [],
    "plain": ["b", "a", "a.b", "a b", "B", "10", "9"],
    "folders among files": ["a", "b/", "b.c", "b-c", "ba/", "c"],
    "other alphabets": ["é", "e", "z", "ﬀ", "𝄞", "\u0394", "ÿ", "日本"],
    "no UTF-8": ["a", "\udcff", "é", "\ue000", "b\udc80c"],
    "escape": ["a\x1bb", "a"],
    "archives": ["a", "b.zip", "c", "d.TAR.GZ", "e.zip/", "f.Zip", "g.tar.gZ", "h.zi", "i.ZIQ", ".zip"],
}
SUFFIXES = (b".zip", b".tar.gz")


@pytest.fixture
def scanned(monkeypatch):
    """A function that walks as where there is no native walk."""

    def runs(*given):
        with monkeypatch.context() as patch:
            patch.setattr(walk, "LISTS", False)
            return list(walk_runs(*given))

    return runs


def fill(folder, names):
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith("/"):
            os.mkdir(path)
            open(os.path.join(path, "inside"), "wb").close()
        else:
            open(path, "wb").close()


@native
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("below", ["", "plain", "ö"])
def test_both_walks_give_the_same(tmp_path, scanned, names, below):
    top = os.path.join(tmp_path, below)
    os.makedirs(top, exist_ok=True)
    try:
        fill(top, names)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    runs = list(walk_runs(top, set(), None, SUFFIXES))
    assert runs == scanned(top, set(), None, SUFFIXES)
    files = [os.path.join(top, name, "inside" if name.endswith("/") else "").rstrip("/") for name in sorted(names)]
    by_name = sorted(files, key=lambda path: os.path.relpath(path, top).split("/"))
    assert [path for run in runs for path in run] == by_name
    assert all(len(run) == 1 for run in runs for path in run if path.lower().endswith((".zip", ".tar.gz")))


@native
def test_links_pipes_and_circles_are_walked_alike(tmp_path, scanned):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"")
    (tmp_path / "b link to a folder").symlink_to(tmp_path / "a")
    (tmp_path / "c link to a file").symlink_to(tmp_path / "a" / "file")
    (tmp_path / "d dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "e circle").symlink_to(tmp_path / "e circle")
    os.mkfifo(tmp_path / "f pipe")
    (tmp_path / "g up").symlink_to(tmp_path)
    runs = list(walk_runs(str(tmp_path), set()))
    assert runs == scanned(str(tmp_path), set())
    names = [os.path.relpath(path, tmp_path) for run in runs for path in run]
    assert names == ["a/file", "c link to a file", "d dangling", "e circle", "f pipe"]
    assert [path.reason for run in runs for path in run if isinstance(path, Fault)] == ["OSError: Not a regular file"]


@native
def test_a_folder_larger_than_a_run_is_whole(tmp_path, scanned):
    fill(tmp_path, [f"{i}" for i in range(2 * walk.RUN + 1)])
    runs = list(walk_runs(str(tmp_path), set()))
    assert list(map(len, runs)) == [walk.RUN, walk.RUN, 1]
    assert runs == scanned(str(tmp_path), set())


@pytest.mark.parametrize("listed", [True, False])
def test_the_output_and_its_parts_are_left_out(tmp_path, monkeypatch, listed):
    monkeypatch.setattr(walk, "LISTS", LISTS and listed)
    fill(tmp_path, ["a", "t.parquet", ".t.parquet.part/", ".t.parquet.1234.part", ".t.parquet", "t.parquet.part"])
    output = Output.at(str(tmp_path / "t.parquet"))
    assert [os.path.basename(path) for run in walk_runs(str(tmp_path), set(), output) for path in run] == [
        ".t.parquet",
        "a",
        "t.parquet.part",
    ]


@native
@pytest.mark.parametrize("kind", ["missing", "file", "pipe"])
def test_what_is_no_folder_is_a_fault(tmp_path, scanned, kind):
    top = tmp_path / kind
    if kind == "file":
        top.write_bytes(b"")
    elif kind == "pipe":
        os.mkfifo(top)
    (fault,) = walk_folder(str(top), set())
    assert isinstance(fault, Fault)
    assert [fault.reason] == [run[0].reason for run in scanned(str(top), set())]


@native
def test_positions_outside_of_a_folder_are_refused(tmp_path):
    fill(tmp_path, ["a"])
    folder = Folder(str(tmp_path), "")
    for start, stop in [(-1, 1), (0, 2), (1, 0)]:
        with pytest.raises(ValueError, match="folder of 1"):
            folder.paths(start, stop)
    for suffixes in [(b"",), (b"x",) * 65]:
        with pytest.raises(ValueError, match="suffix"):
            folder.marks(suffixes)


def test_sizes_and_times_of_files_that_share_a_folder(tmp_path):
    """Every path gives what os.stat gives, however the folders follow each other."""
    for name in ("a", "a/b", "é", "ab"):
        (tmp_path / name).mkdir()
    paths = []
    for i, name in enumerate(["a/1", "a/2", "a/3", "ab/1", "ab/2", "a/b/1", "a/b/2", "é/1", "é/2", "1", "2"]):
        (tmp_path / name).write_bytes(b"x" * i)
        os.utime(tmp_path / name, ns=(1, i * 1_000_000_007 - 5_000_000_000))
        paths.append(str(tmp_path / name))
    (tmp_path / "a" / "link").symlink_to(tmp_path / "2")
    paths[3:3] = [str(tmp_path / "a" / name) for name in ("link", "none", "b", "")]
    paths += [str(tmp_path / "no folder" / name) for name in "abc"] + ["none", "a/none", "a/other", "/", "/.", "/tmp"]
    paths += [f"{tmp_path}/{'x/' * 3000}{name}" for name in "ab"]
    sizes, times = (np.empty(len(paths), np.int64) for _ in range(2))
    survey(paths, np.empty(len(paths), np.uint64), sizes, times, 1, 2)
    for path, size, time in zip(paths, sizes.tolist(), times.tolist(), strict=True):
        try:
            facts = os.stat(path)
        except OSError:
            assert (size, time) == (ABSENT, ABSENT), path
        else:
            assert (size, time) == (facts.st_size, facts.st_mtime_ns // 1000), path


def test_a_folder_that_may_not_be_opened_gives_the_same(tmp_path):
    """More folders than files may be open: each is closed before the next."""
    paths = []
    for i in range(40):
        (tmp_path / f"{i}").mkdir()
        for name in "abc":
            (tmp_path / f"{i}" / name).write_bytes(b"12")
            paths.append(str(tmp_path / f"{i}" / name))
    resource = pytest.importorskip("resource")
    if sys.platform != "linux":
        pytest.skip("counts open files by /proc")
    before = len(os.listdir("/proc/self/fd"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    sizes, times = (np.empty(len(paths), np.int64) for _ in range(2))
    try:
        for most in (soft, before - 1):  # then no folder can be opened
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            sizes[:] = OTHER
            survey(paths, np.empty(len(paths), np.uint64), sizes, times, 1, 2)
            assert set(sizes.tolist()) == {2}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(os.listdir("/proc/self/fd")) == before
