"""Many threads, over many files or one shared data set, get the results of a single thread."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.canonical import dumps
from tests.support.corpus import ABSENT, Real, dicom_files, real

THREADS = 8


@pytest.fixture(autouse=True)
def switch_often():
    """Switch threads as often as possible, so that races show."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Any, count: int = THREADS) -> list[Any]:
    """The results of `work(i)` in `count` threads that start together."""
    barrier = Barrier(count)

    def begin(i: int) -> Any:
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(count) as pool:
        return [done.result() for done in [pool.submit(begin, i) for i in range(count)]]


def facts(data_set: dc.Dataset) -> tuple[Any, ...]:
    found = dumps(data_set)
    return found["elements"], found["values_sha256"], found["text_sha256"], str(data_set), data_set.issues


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_many_files():
    files = [one for one in dicom_files() if one.line["size"] < 20_000]
    expected = {one.name: facts(dc.dcmread(one.path, force=True)) for one in files}

    def read(i: int) -> dict[str, tuple[Any, ...]]:
        mine = list(files)
        random.Random(i).shuffle(mine)
        return {one.name: facts(dc.dcmread(one.path, force=True)) for one in mine[: len(mine) // 2]}

    for found in together(read, 4):
        assert found == {name: expected[name] for name in found}


SHARED = ["rtplan.dcm", "chrX1.dcm", "nested_priv_SQ.dcm", "JPEG2000.dcm", "rtdose_rle.dcm", "DICOMDIR", "test-SR.dcm",
          "emri_small_jpeg_2k_lossless_too_short.dcm", "OBXXXX1A_rle.dcm", "explicit_VR-UN.dcm"]  # fmt: skip


@pytest.mark.parametrize("as_path", [False, True], ids=["memory", "path"])
@pytest.mark.parametrize("name", SHARED)
def test_one_shared_data_set(name: str, as_path: bool):
    path = real(name)
    source = path if as_path else path.read_bytes()
    expected = facts(dc.dcmread(source, force=True))
    for _ in range(4):
        data_set = dc.dcmread(source, force=True)
        assert together(lambda _, shared=data_set: facts(shared)) == [expected] * THREADS


@pytest.mark.parametrize("name", SHARED)
def test_each_thread_begins_at_another_element(name: str):
    """All threads ask for values, lengths, rows and issues at once, each in another order."""
    questions = [
        lambda d: [(e.tag, e.VR, e.VM) for e in d.iterall()],
        lambda d: [str(e.value) for e in d if e.VR != "SQ"],
        lambda d: (len(d), d.keys()),
        lambda d: d.issues if [e.value for e in d.iterall()] else (),
        lambda d: [bytes(e.raw) for e in d],
        lambda d: 0xFFFCFFFC in d,
        lambda d: [len(e.value) for e in d if e.VR == "SQ"],
        str,
    ]
    path = real(name)
    expected = [ask(dc.dcmread(path, force=True)) for ask in questions]
    for _ in range(4):
        data_set = dc.dcmread(path, force=True)
        found = together(lambda i, shared=data_set: questions[i](shared), len(questions))
        assert found == expected


def test_threads_share_one_mutable_value():
    inside = raw.item(raw.element(0x00080060, "CS", b"MR"))
    data = raw.part10(raw.sequence(0x00081140, inside) + raw.element(0x00280030, "DS", b"1\\2 "))
    for _ in range(50):
        data_set = dc.dcmread(data)
        assert len(set(map(id, together(lambda _, d=data_set: d.PixelSpacing)))) == 1
        assert len(set(map(id, together(lambda _, d=data_set: d[0x00081140].value[0])))) == 1


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_changing_copies_while_others_read():
    """Each thread changes its own copy of one data set."""
    one: Real = next(one for one in dicom_files() if one.name.endswith("rtplan.dcm"))
    data_set = dc.dcmread(one.path)
    text = str(data_set)

    def change(i: int) -> str:
        mine = data_set.copy()
        mine.PatientName = f"name {i}"
        del mine.Modality
        return f"{mine.PatientName} {'Modality' in mine} {len(mine)}"

    assert together(change) == [f"name {i} False {len(data_set) - 1}" for i in range(THREADS)]
    assert str(data_set) == text
