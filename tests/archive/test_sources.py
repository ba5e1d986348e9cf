"""Local sources of the archive index: archives, DICOMDIRs, globs, lists; a hostile source gives one row."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import socket
import stat
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.corpus import PYDICOM, real, small_files
from tests.support.dicom_bytes import element, item, part10, sequence

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

import dicomcore.archive.sources.tars as tars  # noqa: E402
import dicomcore.archive.sources.zips as zips  # noqa: E402
from dicomcore.archive import PathList, index, iter_batches  # noqa: E402
from dicomcore.archive.sources.sources import Sources  # noqa: E402
from dicomcore.cli import main  # noqa: E402

NAMES = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "ExplVR_BigEnd.dcm", "image_dfl.dcm")
MODES = {
    ".zip": "",
    ".tar": "w",
    ".tar.gz": "w:gz",
    ".tgz": "w:gz",
    ".tar.bz2": "w:bz2",
    ".tar.xz": "w:xz",
    ".tar.zst": "",
}


def pack(target: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive of the kind that its suffix names."""
    kind = next(end for end in sorted(MODES, key=len, reverse=True) if target.name.endswith(end))
    if kind == ".zip":
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return target
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode=MODES[kind] or "w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    packed = plain.getvalue()
    if kind == ".tar.zst":  # two frames of Zstandard
        half = len(packed) // 2
        packed = b"".join(pa.Codec("zstd").compress(part, asbytes=True) for part in (packed[:half], packed[half:]))
    target.write_bytes(packed)
    return target


def rows_of(*sources: Any, **options: Any) -> list[dict[str, Any]]:
    return index(list(sources), **options).to_pylist()


def told(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without the values that depend on where the files are."""
    return [{name: repr(value) for name, value in row.items() if name not in ("path", "mtime", "etag")} for row in rows]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return {name: real(name).read_bytes() for name in NAMES} | {"notes.txt": b"no DICOM", "empty": b""}


@pytest.fixture(scope="module")
def folder(files, tmp_path_factory) -> Path:
    top = tmp_path_factory.mktemp("folder")
    for name, data in files.items():
        (top / name).write_bytes(data)
    return top


@pytest.fixture(scope="module")
def expected(folder, files) -> list[dict[str, Any]]:
    return told(rows_of(*(folder / name for name in files)))


# ---- archives --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", MODES)
def test_members_have_the_rows_of_files(tmp_path, files, expected, end):
    archive = pack(tmp_path / f"a{end}", files)
    rows = rows_of(archive)
    assert told(rows) == expected
    assert [row["path"] for row in rows] == [f"{archive}!/{name}" for name in files]
    assert {row["mtime"].timestamp() for row in rows} == {archive.stat().st_mtime_ns // 1000 / 1e6}


def test_stored_members_have_the_rows_of_files(tmp_path, files, expected):
    assert told(rows_of(pack(tmp_path / "a.zip", files, zipfile.ZIP_STORED))) == expected


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz"])
def test_every_real_file_has_the_same_row_in_an_archive(tmp_path, end):
    found = small_files(300_000) or pytest.skip("no corpus")
    packed = {f"{i:04}": one.data() for i, one in enumerate(found)}
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    plain = told(rows_of(tmp_path))
    assert told(rows_of(pack(tmp_path / f"a{end}", packed))) == plain


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz", ".tar.zst"])
def test_a_header_may_be_longer_than_the_first_bytes_read(tmp_path, end):
    items = sequence(0x00081140, *[item(element(0x00081155, "UI", f"1.2.{i:05}\0".encode())) for i in range(3000)])
    long = [
        items + element(0x00100020, "LO", b"long"),
        element(0x00091010, "OB", bytes(200_000)) + element(0x00100020, "LO", b"far "),
        element(0x00091010, "OB", os.urandom(200_000)) + element(0x00100020, "LO", b"dark"),
        element(0x00080016, "UI", b"1.2 ")
        + element(0x00181400, "LO", b"x" * 60_000)
        + element(0x00280010, "US", b"\7\0"),
    ]
    packed = {f"{i}": part10(data) for i, data in enumerate(long)}
    for name, data in packed.items():
        (tmp_path / name).write_bytes(data)
    plain = rows_of(*(tmp_path / name for name in packed))
    assert [row["PatientID"] for row in plain] == ["long", "far", "dark", None]
    assert told(rows_of(pack(tmp_path / f"a{end}", packed))) == told(plain)


def test_no_more_is_inflated_than_the_header_needs(tmp_path, monkeypatch):
    data = real("CT_small.dcm").read_bytes() + bytes(50_000_000)
    archive = pack(tmp_path / "a.zip", {"one.dcm": data})
    inflated = []
    inflate = zips.Inflater._inflate

    def noted(self, length):
        part = inflate(self, length)
        inflated.append(len(part))
        return part

    monkeypatch.setattr(zips.Inflater, "_inflate", noted)
    assert rows_of(archive)[0]["PatientID"] == "1CT1"
    assert sum(inflated) <= 16 * 1024


def test_archives_in_a_folder_are_opened(tmp_path, files):
    pack(tmp_path / "b.zip", {"one.dcm": files["CT_small.dcm"]})
    pack(tmp_path / "C.TAR".lower(), {"d/two.dcm": files["MR_small.dcm"]})
    (tmp_path / "a.dcm").write_bytes(files["rtplan.dcm"])
    (tmp_path / "b.ZIP").write_bytes((tmp_path / "b.zip").read_bytes())
    found = [os.path.relpath(row["path"], tmp_path) for row in rows_of(tmp_path)]
    assert found == ["a.dcm", "b.ZIP!/one.dcm", "b.zip!/one.dcm", "c.tar!/d/two.dcm"]


def test_a_member_is_named_as_the_table_has_it(tmp_path, files):
    archive = pack(tmp_path / "a.zip", {"s/CT.dcm": files["CT_small.dcm"], "s/MR.dcm": files["MR_small.dcm"], "x": b""})
    paths = index(archive)["path"].to_pylist()
    assert [row["path"] for row in rows_of(*paths[:2])] == paths[:2]
    assert [row["path"] for row in rows_of(f"{archive}!/s/")] == paths[:2]
    assert "No such member" in rows_of(f"{archive}!/none")[0]["error"]
    assert rows_of(f"{tmp_path}/none.zip!/s/CT.dcm")[0]["error"].startswith("FileNotFoundError")
    for end in (".zip", ".tar.gz"):
        members = index(pack(tmp_path / f"b{end}", files))["path"].to_pylist()
        pq.write_table(pa.table({"path": members}), tmp_path / "list.parquet")
        assert index(PathList(tmp_path / "list.parquet"))["path"].to_pylist() == members


def test_names_of_members_may_have_any_bytes(tmp_path, files):
    data = files["CT_small.dcm"]
    assert rows_of(pack(tmp_path / "a.zip", {"größe.dcm": data}))[0]["path"].endswith("!/größe.dcm")

    def unmark(packed: bytearray) -> None:  # clear the flag that marks UTF-8
        packed[7] &= ~8
        packed[packed.index(b"PK\1\2") + 9] &= ~8

    assert rows_of(patched(tmp_path / "a.zip", unmark))[0]["path"].endswith("!/größe.dcm")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        entry = tarfile.TarInfo(os.fsdecode(b"na\xefve.dcm"))
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    (row,) = rows_of(tmp_path / "a.tar")
    assert row["path"].endswith("!/na\\xefve.dcm")
    assert row["PatientID"] == "1CT1"


def test_places_have_the_facts_of_the_listing(tmp_path, files):
    archive = pack(tmp_path / "a.zip", {"one.dcm": files["CT_small.dcm"]})
    (place,) = Sources(archive)
    assert place.size == len(files["CT_small.dcm"])
    assert place.mtime == archive.stat().st_mtime_ns // 1000
    assert place.etag == f"{zlib.crc32(files['CT_small.dcm']):08x}"
    again = pickle.loads(pickle.dumps(place))
    assert (again, again.size, again.etag) == (place, place.size, place.etag)
    assert again.open().read_at(128, 4) == b"DICM"
    (place,) = Sources(pack(tmp_path / "a.tgz", {"one.dcm": files["CT_small.dcm"]}))
    assert pickle.loads(pickle.dumps(place)).open().read_at(128, 4) == b"DICM"


@pytest.mark.thread_unsafe(reason="limits the process")
def test_a_folder_may_have_more_archives_than_a_process_may_open(tmp_path, files):
    resource = pytest.importorskip("resource")
    packed = pack(tmp_path / "0.zip", {"one.dcm": SHORT}).read_bytes()
    for i in range(300):
        (tmp_path / f"{i}.zip").write_bytes(packed)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    try:
        rows = rows_of(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert [row["error"] for row in rows] == [None] * 300


def test_an_archive_that_changes_after_listing_is_an_error(tmp_path, files):
    archive = pack(tmp_path / "a.zip", {"one.dcm": SHORT})
    (place,) = Sources(archive)
    pack(archive, {"other.dcm": files["CT_small.dcm"]})
    with pytest.raises(OSError, match="changed"):
        place.open()


def test_a_batch_keeps_few_bytes_of_a_compressed_tar(tmp_path, files, monkeypatch):
    import dicomcore.archive.tables.run as run

    monkeypatch.setattr(run, "BATCH_BYTES", 100_000)
    archive = pack(tmp_path / "a.tgz", {f"{i}.dcm": files["CT_small.dcm"] for i in range(40)})
    batches = list(iter_batches(archive))
    assert [batch.num_rows for batch in batches] == [7] * 5 + [5]


# ---- hostile archives ------------------------------------------------------------------------------------------------


def patched(archive: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(archive.read_bytes())
    change(data)
    archive.write_bytes(data)
    return archive


def claim(size: int) -> Callable[[bytearray], None]:
    """A change of the size that the directory states for the only member."""

    def change(data: bytearray) -> None:
        at = data.index(b"PK\1\2")
        data[at + 24 : at + 28] = size.to_bytes(4, "little")

    return change


def flagged(data: bytearray) -> None:
    data[data.index(b"PK\1\2") + 8] |= 1


def moved(data: bytearray) -> None:
    at = data.index(b"PK\1\2")
    data[at + 42 : at + 46] = (7).to_bytes(4, "little")


def spoilt(data: bytearray) -> None:
    data[60:80] = bytes(20)


def method_12(data: bytearray) -> None:
    at = data.index(b"PK\1\2")
    data[at + 10 : at + 12] = b"\x0c\0"


SHORT = part10(element(0x00100020, "LO", b"id"))
LIES: dict[str, tuple[Callable[[bytearray], None], str]] = {
    "says more": (claim(len(SHORT) + 9), "ends at byte"),
    "says much more": (claim(4_000_000_000), "can't hold"),
    "says less": (claim(len(SHORT) - 9), "is longer than"),
    "encrypted": (flagged, "encrypted"),
    "stands elsewhere": (moved, "no member stands"),
    "damaged": (spoilt, ""),
    "another method": (method_12, "method 12"),
}


@pytest.mark.parametrize(("change", "said"), LIES.values(), ids=LIES)
def test_a_member_with_false_facts_is_one_row(tmp_path, change, said):
    archive = patched(pack(tmp_path / "a.zip", {"one.dcm": SHORT}), change)
    (row,) = rows_of(archive)
    assert row["error"] is not None
    assert said in row["error"]
    assert row["path"] == f"{archive}!/one.dcm"


def test_a_wrong_checksum_is_an_error(tmp_path):
    def change(data: bytearray) -> None:
        data[data.index(b"PK\1\2") + 16] ^= 1

    (row,) = rows_of(patched(pack(tmp_path / "a.zip", {"one.dcm": SHORT}), change))
    assert "CRC-32" in row["error"]


def test_a_bomb_is_one_quick_row(tmp_path):
    bomb = part10(element(0x00091010, "OB", bytes(80_000_000)) + element(0x00100020, "LO", b"id"))
    begin = time.perf_counter()
    (row,) = rows_of(pack(tmp_path / "a.zip", {"bomb.dcm": bomb}))
    assert "LimitError" in row["error"]
    rows = rows_of(pack(tmp_path / "a.tgz", {"bomb.dcm": bomb, "two.dcm": SHORT}))
    assert "LimitError" in rows[0]["error"]
    assert time.perf_counter() - begin < 30


def test_a_compressed_tar_that_inflates_too_far_ends_in_one_row(tmp_path, monkeypatch):
    monkeypatch.setattr(tars, "KEPT", 1 << 20)
    rows = rows_of(pack(tmp_path / "a.tar.zst", {"one.dcm": SHORT, "zeros": bytes(60_000_000), "two.dcm": SHORT}))
    assert rows[0]["PatientID"] == "id"
    assert "inflate to more than" in rows[-1]["error"]
    assert rows[-1]["path"].endswith("a.tar.zst")


def test_an_archive_in_an_archive_is_one_row(tmp_path):
    inner = pack(tmp_path / "inner.zip", {"one.dcm": SHORT}).read_bytes()
    for end in (".zip", ".tar", ".tar.gz"):
        rows = rows_of(pack(tmp_path / f"outer{end}", {"inner.zip": inner, "inner.Tar.GZ": inner, "zip": SHORT}))
        assert ["within an archive" in (row["error"] or "") for row in rows] == [True, True, False]
        assert [row["error_kind"] for row in rows] == ["unreachable", "unreachable", None]


def test_names_that_lead_elsewhere_are_only_shown(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    names = ["/etc/dicom", "../../out.dcm", "a/../../b.dcm"]
    for end in (".zip", ".tar", ".tgz"):
        archive = pack(inside / f"a{end}", dict.fromkeys(names, SHORT))
        rows = rows_of(archive)
        assert [row["path"] for row in rows] == [f"{archive}!/{name}" for name in names]
        assert {row["PatientID"] for row in rows} == {"id"}
    assert sorted(tmp_path.rglob("*")) == sorted([inside, *(inside / f"a{end}" for end in (".zip", ".tar", ".tgz"))])


def test_links_and_devices_in_a_tar_are_rows_of_their_own(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("f", tarfile.FIFOTYPE),
            ("d", tarfile.CHRTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.linkname = "/etc/passwd"
            archive.addfile(entry)
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    rows = rows_of(tmp_path / "a.tar")
    link, special = "OSError: A link, which is not followed in an archive", "OSError: Not a regular file"
    assert [row["error"] for row in rows] == [link, link, special, special]


def test_links_in_a_zip_are_rows_of_their_own(tmp_path):
    """A link's content is the path that it leads to, which must not count as a file of another kind."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, mode in (("file", stat.S_IFREG | 0o644), ("link", stat.S_IFLNK | 0o777), ("bare", 0o600)):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = zips.UNIX, mode << 16
            archive.writestr(entry, "file" if name == "link" else SHORT)
    rows = rows_of(tmp_path / "a.zip")
    assert [(row["path"].partition("!/")[2], row["error"], row["error_kind"]) for row in rows] == [
        ("file", None, None),
        ("link", "OSError: Not a regular file", "unreachable"),
        ("bare", None, None),
    ]


def test_a_member_without_a_name_hides_no_other(tmp_path):
    def nameless(data: bytearray) -> None:  # its name becomes an extra field
        for at, head in ((data.index(b"PK\3\4"), 26), (data.index(b"PK\1\2"), 28)):
            data[at + head : at + head + 4] = (0).to_bytes(2, "little") + (3).to_bytes(2, "little")

    archive = patched(pack(tmp_path / "a.zip", {"abc": SHORT, "b.dcm": SHORT}), nameless)
    assert [row["PatientID"] for row in rows_of(archive)] == ["id", "id"]


@pytest.mark.parametrize("name", ["a.Zip", "b.ZIP", "c.Tar.Gz", "d.TGZ"])
def test_the_suffix_of_an_archive_may_have_capitals(tmp_path, name):
    packed = pack(tmp_path / name.lower(), {"one.dcm": SHORT})
    archive = packed.replace(tmp_path / name)
    for source in (tmp_path, archive, f"{archive}!/one.dcm"):
        (row,) = rows_of(source)
        assert (row["path"], row["PatientID"]) == (f"{archive}!/one.dcm", "id")


@pytest.mark.parametrize("end", MODES)
def test_a_truncated_archive_gives_what_came_before(tmp_path, files, end):
    archive = pack(tmp_path / f"a{end}", {f"{i}.dcm": data for i, data in enumerate(files.values())})
    data = archive.read_bytes()
    for cut in (0, 1, 10, 600, len(data) // 3, len(data) * 2 // 3, len(data) - 1):
        archive.write_bytes(data[:cut])
        rows = rows_of(archive)
        assert 0 < len(rows) <= len(files) + 1
        assert rows[-1]["error"] is not None or (end == ".tar" and cut == len(data) - 1), cut


@pytest.mark.parametrize("end", [".zip", ".tar", ".tar.gz", ".tar.zst"])
def test_a_damaged_archive_raises_nothing(tmp_path, end):
    archive = pack(tmp_path / f"a{end}", {f"{i}.dcm": SHORT * 3 for i in range(4)})
    data = archive.read_bytes()
    for at in range(0, len(data), max(1, len(data) // 150)):
        archive.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
        index(archive, columns=["PatientID"])


def test_attributes_of_a_member_may_not_fill_the_memory(tmp_path):
    entry = tarfile.TarInfo("x")
    entry.type = tarfile.XHDTYPE
    entry.size = 1 << 33
    (tmp_path / "a.tgz").write_bytes(gzip.compress(entry.tobuf(tarfile.GNU_FORMAT) + bytes(10_000)))
    (row,) = rows_of(tmp_path / "a.tgz")
    assert "LimitError" in row["error"]


# ---- folders, directories, globs, lists ------------------------------------------------------------------------------


def test_a_pipe_does_not_block_the_run(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no FIFO on this platform")
    os.mkfifo(tmp_path / "a.zip")
    os.mkfifo(tmp_path / "fifo")
    os.mkfifo(tmp_path / "DICOMDIR")
    assert [row["error"] for row in rows_of(tmp_path / "DICOMDIR")] == ["OSError: Not a regular file"]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        (tmp_path / "null").symlink_to("/dev/null")
        (tmp_path / "loop").symlink_to("loop")
        (tmp_path / "round").symlink_to(tmp_path)
        rows = rows_of(tmp_path)
    assert [Path(row["path"]).name for row in rows] == ["DICOMDIR", "a.zip", "fifo", "loop", "null", "socket"]
    assert all(row["error"] for row in rows)


def test_a_file_may_go_or_grow_during_the_run(tmp_path, files):
    names = [tmp_path / f"{i:03}.dcm" for i in range(200)]
    for name in names:
        name.write_bytes(files["CT_small.dcm"])
    taken = iter(iter_batches([*names], workers=1))

    def change() -> None:
        for i, name in enumerate(names):
            if i % 2:
                name.unlink()
            else:
                with name.open("ab") as file:
                    file.write(bytes(100_000))

    thread = threading.Thread(target=change)
    thread.start()
    rows = [row for batch in taken for row in batch.to_pylist()]
    thread.join()
    assert len(rows) == len(names)
    assert {str(row["error"]).partition(":")[0] for row in rows} <= {"None", "FileNotFoundError"}


def test_a_folder_of_very_many_files_is_walked_in_order(tmp_path):
    for i in range(20_000):
        (tmp_path / f"{i:05}").touch()
    paths = list(Sources(tmp_path))
    assert len(paths) == 20_000
    assert paths == sorted(paths)


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-reordered", "DICOMDIR-nooffset", "DICOMDIR-bigEnd"])
def test_a_dicomdir_stands_for_its_files(name):
    import pydicom

    given = real(name)
    wanted = [
        str(given.parent.joinpath(*record.ReferencedFileID))
        for record in pydicom.dcmread(given).DirectoryRecordSequence
        if "ReferencedFileID" in record
    ]
    rows = rows_of(given)
    assert [row["path"] for row in rows] == wanted
    assert all((row["error"] is None) == os.path.exists(row["path"]) for row in rows)


def test_a_dicomdir_on_a_disc_in_lower_case(tmp_path):
    source = PYDICOM / "test_files" / "dicomdirtests"
    wanted = sorted(str(path) for path in Sources(source / "DICOMDIR"))
    for path in map(Path, wanted):
        target = tmp_path / str(path.relative_to(source)).lower()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    shutil.copy(source / "DICOMDIR", tmp_path / "dicomdir")
    rows = rows_of(tmp_path / "dicomdir")
    assert {row["error"] for row in rows} == {None}
    assert len(rows) == len(wanted)


def test_a_dicomdir_may_not_lead_out(tmp_path):
    record = element(0x00041500, "CS", b"..\\..\\SECRET")
    good = element(0x00041500, "CS", b"A\\B\\GONE")
    (tmp_path / "DICOMDIR").write_bytes(part10(sequence(0x00041220, item(record), item(good))))
    rows = rows_of(tmp_path / "DICOMDIR")
    assert [row["error"] for row in rows] == [
        "ValueError: the name leads out of the file-set", "FileNotFoundError: No such file or directory",
    ]  # fmt: skip
    (tmp_path / "DICOMDIR").write_bytes(SHORT)
    assert "no DICOMDIR" in rows_of(tmp_path / "DICOMDIR")[0]["error"]


def test_globs(tmp_path, files):
    for name in ("a/1.dcm", "a/2.dcm", "b/3.dcm", "b/c/4.dcm", "[x]/5.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(files["CT_small.dcm"])
    pack(tmp_path / "a" / "z.zip", {"6.dcm": SHORT})

    def found(pattern: str) -> list[str]:
        return [os.path.relpath(row["path"], tmp_path) for row in rows_of(str(tmp_path / pattern))]

    assert found("a/*") == ["a/1.dcm", "a/2.dcm", "a/z.zip!/6.dcm"]
    assert found("*/?.dcm") == ["[x]/5.dcm", "a/1.dcm", "a/2.dcm", "b/3.dcm"]
    assert found("b*") == ["b/3.dcm", "b/c/4.dcm"]
    assert found("b/**") == ["b/3.dcm", "b/c/4.dcm"]
    assert found("[x]") == ["[x]/5.dcm"]  # an existing path is not a pattern
    assert "Nothing matches" in rows_of(str(tmp_path / "*.none"))[0]["error"]


def test_lists(tmp_path, folder, files, expected, capsys):
    paths = [str(folder / name) for name in files]
    (tmp_path / "list.txt").write_text("\n".join(paths[:3]) + "\n\n" + "\r\n".join(paths[3:]))
    pq.write_table(pa.table({"path": paths, "x": paths}), tmp_path / "list.parquet")
    for name in ("list.txt", "list.parquet"):
        assert told(rows_of(PathList(tmp_path / name))) == expected
        out = tmp_path / "index.parquet"
        assert main(["index", f"@{tmp_path / name}", "-o", str(out), "-q"]) == 1
        assert told(pq.read_table(out).to_pylist()) == expected
    again = index(PathList(tmp_path / "index.parquet"))  # an index lists its files
    assert told(again.to_pylist()) == expected
    with pytest.raises(ValueError, match="no column"):
        index(PathList(tmp_path / "list.parquet", column="none"))
    with pytest.raises(FileNotFoundError):
        index(PathList(tmp_path / "none.txt"))
    assert main(["index", "@none.txt", "-o", str(out)]) == 2
    assert "none.txt" in capsys.readouterr().err


def test_a_list_may_have_names_that_are_not_utf8(tmp_path, files):
    name = os.path.join(os.fsencode(tmp_path), b"na\xefve.dcm")
    try:
        with open(name, "wb") as file:
            file.write(files["CT_small.dcm"])
    except OSError:
        pytest.skip("file names are UTF-8 on this platform")
    (tmp_path / "list.txt").write_bytes(name + b"\n")
    (row,) = rows_of(PathList(tmp_path / "list.txt"))
    assert row["PatientID"] == "1CT1"


def test_sources_are_mixed_and_lazy(tmp_path, folder, files):
    archive = pack(tmp_path / "a.zip", {"one.dcm": SHORT})
    (tmp_path / "list.txt").write_text(f"{archive}\n{tmp_path / 'none'}\n")
    rows = rows_of(folder / "CT_small.dcm", archive, PathList(tmp_path / "list.txt"), str(folder / "MR*.dcm"))
    assert [row["error"] is None for row in rows] == [True, True, True, False, True]

    def endless():
        while True:
            yield folder / "CT_small.dcm"

    assert next(iter_batches(endless(), workers=1)).num_rows == 1000


def test_a_member_is_read_on_many_threads(tmp_path):
    """Several threads read one member, each at offsets of its own, and get the bytes there."""
    data = np.random.default_rng(1).integers(0, 40, 4 << 20, dtype=np.uint8).tobytes()
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one", data)
    (member,) = Sources(tmp_path / "a.zip")
    blob = member.open()
    places = np.random.default_rng(2).permutation(np.arange(0, len(data), 65536)).tolist() * 2
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda at: blob.read_at(at, 65536), places))
    assert all(part == data[at : at + 65536] for at, part in zip(places, found, strict=True))
