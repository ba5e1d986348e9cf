"""Second runs over files without a plain path: members of archives, objects in a store, names that are not UTF-8."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

pa = pytest.importorskip("pyarrow")

from dicomcore.archive import index  # noqa: E402
from tests.archive.test_remote import s3  # noqa: E402, F401  the fixture
from tests.archive.test_resume import COLUMNS, instance, reads, table_of  # noqa: E402, F401  a fixture, too


def zipped(path: Path, members: dict[str, bytes], when: int = 2020) -> None:
    with zipfile.ZipFile(path, "w") as out:
        for name, data in members.items():
            out.writestr(zipfile.ZipInfo(name, (when, 1, 1, 0, 0, 0)), data)


def names(paths: list[Any]) -> list[str]:
    return sorted(str(path).rpartition("/")[2] for path in paths)


def patients(out: Path) -> dict[str, str]:
    rows = table_of(out).to_pylist()
    return {names([row["path"]])[0]: row["PatientID"] for row in rows}


def test_members_of_a_zip(tmp_path, reads):  # noqa: F811
    """Members are compared by checksum: in a zip that was packed again, members may be the same."""
    archive, out = tmp_path / "a.zip", tmp_path / "index.parquet"
    members = {f"{i}.dcm": instance(i) for i in range(5)}
    zipped(archive, members)
    index(archive, out=out, columns=COLUMNS)
    assert names(reads) == sorted(members)
    reads.clear()
    zipped(archive, members, when=2021)
    index(archive, out=out, columns=COLUMNS)
    assert not reads
    members["3.dcm"] = instance(3, "di")  # of the same length, with another date or the same
    del members["4.dcm"]
    members["5.dcm"] = instance(5)
    zipped(archive, members, when=2021)
    index(archive, out=out, columns=COLUMNS)
    assert names(reads) == ["3.dcm", "5.dcm"]
    assert patients(out) == {"0.dcm": "id", "1.dcm": "id", "2.dcm": "id", "3.dcm": "di", "5.dcm": "id"}


def test_objects_of_a_store(s3, tmp_path, reads):  # noqa: F811
    server, fs, options = s3
    out = tmp_path / "index.parquet"
    for i in range(5):
        fs.pipe_file(f"archive/again/{i}.dcm", instance(i))
    index("s3://archive/again", out=out, columns=COLUMNS, storage_options=options)
    assert names(reads) == [f"{i}.dcm" for i in range(5)]
    reads.clear()
    fs.pipe_file("archive/again/3.dcm", instance(3, "di"))  # same length, perhaps the same second: another etag
    fs.pipe_file("archive/again/2.dcm", instance(2))  # written again unchanged: another time, the same etag
    fs.rm_file("archive/again/4.dcm")
    fs.invalidate_cache()
    mark = len(server.log)
    index("s3://archive/again", out=out, columns=COLUMNS, storage_options=options)
    assert names(reads) == ["3.dcm"]
    asked = [one for one in server.log[mark:] if one.path.partition("?")[0].endswith(".dcm")]
    assert {one.path.partition("?")[0].rpartition("/")[2] for one in asked} <= {"3.dcm"}
    assert patients(out) == {"0.dcm": "id", "1.dcm": "id", "2.dcm": "id", "3.dcm": "di"}


def test_objects_of_a_store_without_etags(tmp_path, reads):  # noqa: F811
    """Objects are compared by size, and by mtime if the store states it."""
    fsspec = pytest.importorskip("fsspec")
    fs, out = fsspec.filesystem("memory"), tmp_path / "index.parquet"
    fs.store.clear()
    for i in range(4):
        fs.pipe_file(f"/again/{i}.dcm", instance(i))
    index("memory://again", out=out, columns=COLUMNS)
    reads.clear()
    fs.pipe_file("/again/2.dcm", instance(2, "longer"))
    index("memory://again", out=out, columns=COLUMNS)
    assert "2.dcm" in names(reads)
    assert patients(out) == {"0.dcm": "id", "1.dcm": "id", "2.dcm": "longer", "3.dcm": "id"}
    fs.store.clear()


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names of files are Unicode there")
def test_names_that_are_no_text(tmp_path, reads):  # noqa: F811
    folder, out = tmp_path / "folder", tmp_path / "index.parquet"
    folder.mkdir()
    for i in range(3):
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff%d.dcm" % i)).write_bytes(instance(i))
    index(folder, out=out, columns=COLUMNS)
    assert len(reads) == 3
    reads.clear()
    index(folder, out=out, columns=COLUMNS)
    assert not reads
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff1.dcm")).write_bytes(instance(1, "other"))
    index(folder, out=out, columns=COLUMNS)
    assert len(reads) == 1
    assert sorted(patients(out).values()) == ["id", "id", "other"]
