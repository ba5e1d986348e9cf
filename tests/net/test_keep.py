"""Files that appear when they are whole: what native code writes, and that a fault leaves nothing."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from dicomcore._native.net.keep import keep
from dicomcore.net.storing import Folder

DATA = bytes(range(256)) * 16


def kept(folder: Path, target: Path, fragments: list[tuple[int, int, int, int]], *, durable: bool = False) -> int:
    return keep(os.fsencode(folder), os.fsencode(target), b"head", DATA, fragments, durable)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if not Folder(tmp_path)._has_unnamed:
        pytest.skip("this system makes no files without a name")
    return tmp_path


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_of_fragments(folder: Path, durable: bool) -> None:
    target = folder / "a.dcm"
    assert kept(folder, target, [(1, 0, 3, 5), (1, 0, 100, 0), (1, 2, 4000, 96)], durable=durable) == 0
    assert target.read_bytes() == b"head" + DATA[3:8] + DATA[4000:]
    assert target.stat().st_mode & 0o111 == 0


def test_faults_leave_nothing(folder: Path) -> None:
    target = folder / "a.dcm"
    target.write_bytes(b"old")
    assert kept(folder, target, [(1, 2, 0, 9)]) == errno.EEXIST
    assert target.read_bytes() == b"old"
    assert kept(folder, folder / "none" / "a.dcm", [(1, 2, 0, 9)]) == errno.ENOENT
    assert kept(folder / "none", folder / "b.dcm", [(1, 2, 0, 9)]) == errno.ENOENT
    assert kept(folder, folder / "b.dcm", [(1, 0, 0, 9)] * 64) == errno.E2BIG
    assert sorted(path.name for path in folder.iterdir()) == [".incoming", "a.dcm"]


@pytest.mark.parametrize("place", [(-1, 5), (0, -1), (4090, 7), (4097, 0), (0, sys.maxsize), (sys.maxsize, 1)])
def test_fragments_that_lie(folder: Path, place: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="lie outside"):
        kept(folder, folder / "a.dcm", [(1, 2, *place)])
    assert not (folder / "a.dcm").exists()


def test_descriptors_are_closed(folder: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(50):
        kept(folder, folder / f"{number % 5}.dcm", [(1, 2, 0, 9)])
    assert len(os.listdir("/proc/self/fd")) == before
