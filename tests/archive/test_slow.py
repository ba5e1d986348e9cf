"""Batches that are read in shares because storage is slow: the rows are those of one thread."""

from __future__ import annotations

import os
from pathlib import Path

import pydicom.data
import pytest

pa = pytest.importorskip("pyarrow")

from dicomcore.archive import index  # noqa: E402
from dicomcore.archive.sources.place import Fault  # noqa: E402
from dicomcore.archive.tables import slow  # noqa: E402

FILES = Path(pydicom.data.__file__).parent / "test_files"
OPTIONS = {
    "a row for each file": {},
    "a row for each frame": {"level": "frame"},
    "all elements and a hash": {"columns": ["PatientID", "Rows"], "content_hash": "md5"},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("to_file", [False, True], ids=["in memory", "to a file"])
def test_rows_are_those_of_one_thread(options, to_file, tmp_path, monkeypatch):
    out = {"out": tmp_path / "index.parquet"} if to_file else {}
    wanted = index(FILES, workers=1, **options)
    monkeypatch.setattr(slow, "SLOW", -1.0)
    shares = []
    in_shares = slow._in_shares
    monkeypatch.setattr(slow, "_in_shares", lambda read, paths: shares.append(len(paths)) or in_shares(read, paths))
    found = index(FILES, **out, **options)
    if to_file:
        import pyarrow.parquet as pq

        found = pq.read_table(found)
    assert found.equals(wanted)
    assert shares


def test_a_number_of_workers_is_kept(monkeypatch):
    monkeypatch.setattr(slow, "SLOW", -1.0)
    monkeypatch.setattr(slow, "_in_shares", lambda *_: pytest.fail("more threads than the caller chose"))
    assert index(FILES, workers=2).num_rows


@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_every_path_is_read_once_and_in_order(count, monkeypatch):
    monkeypatch.setattr(slow, "SLOW", -1.0)
    paths = [f"/nowhere/{i}" for i in range(count)]

    def read(share):
        return pa.record_batch({"path": share})

    assert slow.unless_slow(read)(paths)["path"].to_pylist() == paths


def test_what_is_no_local_file_is_not_timed(tmp_path):
    pipe = tmp_path / "pipe"
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes here")
    os.mkfifo(pipe)
    assert slow._seconds([Fault("/nowhere")] * 9) == 0
    assert slow._seconds([str(pipe), "/nowhere", "nul\0byte"] * 9) < 1


def test_an_exception_ends_the_batch(monkeypatch):
    monkeypatch.setattr(slow, "SLOW", -1.0)

    def read(share):
        raise MemoryError("no memory for a share")

    with pytest.raises(MemoryError):
        slow.unless_slow(read)([f"/nowhere/{i}" for i in range(100)])
