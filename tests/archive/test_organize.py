"""archive.organize and `dicomcore organize`: no file is overwritten or lost, whatever happens."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

from tests.support.corpus import PYDICOM

pytest.importorskip("pyarrow")

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore.archive import index, organize
from dicomcore.archive.organizing.naming import Pattern, numbered, safe_name
from dicomcore.archive.organizing.placing import place
from dicomcore.cli import main

PATTERN = "{PatientID}/{StudyDate}/{SeriesNumber}"
HOWS = ["link", "hardlink", "copy", "move"]
COUNT, BLOCK = 300, 50_000  # number and size in bytes of the files in runs that are killed

# ---- names

NAMES = {  # text: (name, whether digits of a hash are added because it was changed)
    "PAT1": ("PAT1", False),
    " Döe^Jane ": ("Döe^Jane", False),
    "a/b": ("a_b", True),
    "..": ("_", True),
    "../../etc/passwd": ("_._.._etc_passwd", True),
    ".hidden": ("_hidden", True),
    "a\x00b\nc": ("a_b_c", True),
    "C:\\x": ("C__x", True),
    "con": ("_con", True),
    "COM1.txt": ("_COM1.txt", True),
    "console": ("console", False),
    "dot.": ("dot", True),
    "\u202egnp": ("_gnp", True),
    "\ud800": ("_", True),
    "": ("_", True),
    "x" * 300: ("x" * 180, True),
    "ä" * 300: ("ä" * 90, True),
    "e\u0301": ("\u00e9", False),
}


@pytest.mark.parametrize(("text", "name", "changed"), [(text, *rest) for text, rest in NAMES.items()], ids=ascii)
def test_names_are_safe(text, name, changed):
    made = safe_name(text)
    assert made.partition("~")[0] == name
    assert ("~" in made) == changed


@settings(deadline=None)
@given(st.text(max_size=400))
def test_any_text_makes_one_name(text):
    name = safe_name(text, ".dcm")
    assert name.endswith(".dcm")
    assert len(name.encode()) <= 200
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?*')
    assert name[0] not in ". "
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, name).touch()
        assert os.listdir(folder) == [name]


def test_different_texts_keep_different_names():
    assert len({safe_name(text) for text in ("a/b", "a\\b", "a_b", "a:b", "a\0b")}) == 5
    assert len({safe_name("x" * 250 + end) for end in "abc"}) == 3


ROW = {
    "PatientID": "P/1",
    "StudyDate": date(2024, 2, 9),
    "SeriesNumber": 7,
    "ImageType": ["A", None, "B"],
    "Empty": None,
}
DIGITS = re.compile("~[0-9a-f]{8}")
PATTERNS = {
    "{StudyDate}": ["20240209"],
    "{StudyDate:%Y-%m}/{SeriesNumber:04}": ["2024-02", "0007"],
    "x {SeriesNumber} y/{ImageType}.dcm": ["x 7 y", "A-B.dcm"],
    "{Empty}/{Missing}": ["no-Empty", "no-Missing"],
    "{{{SeriesNumber}}}": ["{7}"],
    "nul.dcm": ["_nul.dcm"],
}


@pytest.mark.parametrize(("pattern", "names"), PATTERNS.items(), ids=PATTERNS)
def test_patterns_are_filled_in(pattern, names):
    made = [
        name.partition("~")[0] + (".dcm" if name.endswith(".dcm") and "~" in name else "")
        for name in Pattern(pattern).fill(ROW)
    ]
    assert made == names


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "/x",
        "x/",
        "..",
        "x/../y",
        ".",
        "x// y",
        "{}",
        "{0}",
        "{a.b}",
        "{a[0]}",
        "{a!r}",
        "{a:>999}",
        "{a:{b}}",
        "{a",
    ],
)
def test_invalid_patterns_are_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        Pattern(pattern)


def test_numbers_come_before_the_ending():
    assert numbered("/a.b/c.dcm", 2) == "/a.b/c-2.dcm"


# ---- placing


@pytest.fixture
def archive(tmp_path):
    """A folder with real files below it."""
    folder = tmp_path / "archive"
    folder.mkdir()
    names = [
        "CT_small",
        "MR_small",
        "MR_small_RLE",
        "rtplan",
        "rtdose",
        "JPEG2000",
        "examples_ybr_color",
        "liver_1frame",
    ]
    for name in names:
        shutil.copy(PYDICOM / "test_files" / f"{name}.dcm", folder / f"{name}.dcm")
    shutil.copytree(PYDICOM / "test_files" / "dicomdirtests" / "98892001" / "CT5N", folder / "CT5N")
    return folder


def contents(*folders: Path) -> Counter[bytes]:
    """How often each content occurs in the files below; links are followed, and each name counts."""
    every = [path for folder in folders for path in folder.rglob("*") if path.suffix not in (".jsonl", ".part")]
    return Counter(path.read_bytes() for path in every if path.is_file())


@pytest.mark.parametrize("how", HOWS)
def test_every_file_goes_to_its_place(archive, tmp_path, how):
    table, before = index(archive), contents(archive)
    into = tmp_path / "into"
    done = organize(table, into, pattern=PATTERN, how=how)
    assert done.complete
    assert done.counts["placed"] == len(table)
    assert contents(into) == before
    assert contents(archive) == (Counter() if how == "move" else before)
    for row in table.to_pylist():
        day = row["StudyDate"].strftime("%Y%m%d") if row["StudyDate"] else "no-StudyDate"
        series = row["SeriesNumber"] if row["SeriesNumber"] is not None else "no-SeriesNumber"
        folder = into / safe_name(row["PatientID"] or "no-PatientID") / day / str(series)
        assert any(path.name.startswith(row["SOPInstanceUID"]) for path in folder.iterdir())
    again = organize(table, into, pattern=PATTERN, how=how)
    assert again.complete
    assert again.counts == {"there": len(table), "renamed": 0} or again.counts == {"there": len(table)}
    assert contents(into) == before
    lines = [json.loads(line) for line in (into / "organize.jsonl").read_text().splitlines()]
    assert [line["result"] for line in lines] == ["placed"] * len(table) + ["there"] * len(table)
    for line in lines:
        assert Path(line["target"]).exists()
        assert line["how"] == how


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
@pytest.mark.parametrize("how", ["copy", "move"])
def test_files_are_placed_across_file_systems(archive, how):
    before, table = contents(archive), index(archive)
    stamps = {path.name: path.stat().st_mtime_ns for path in archive.rglob("*.dcm")}
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(archive).st_dev:
        pytest.skip("no other file system at hand")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as into:
        done = organize(table, into, pattern="{Modality}", how=how)
        assert done.counts["placed"] == len(table)
        assert contents(Path(into)) == before
        assert {path.stat().st_mtime_ns for path in Path(into).rglob("*.dcm")} >= set(stamps.values())
        assert organize(table, into, pattern="{Modality}", how=how).counts["there"] == len(table)
    assert contents(archive) == (Counter() if how == "move" else before)


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
@pytest.mark.parametrize("how", HOWS)
def test_names_that_are_taken_get_numbers(archive, tmp_path, how):
    """All files get one name: the first keeps it, others get numbers, and files that were there stay unchanged."""
    into = tmp_path / "into"
    into.mkdir()
    (into / "all").mkdir()
    (into / "all" / "x.dcm").write_bytes(b"mine")
    (into / "all" / "x-3.dcm").symlink_to("nowhere")
    shutil.copy(archive / "CT_small.dcm", archive / "again.dcm")
    table, before = index(archive), contents(archive)
    done = organize(table, into, pattern="all", name="x.dcm", how=how)
    assert done.counts["identical"] == 1
    assert done.counts["renamed"] == done.counts["placed"] == len(table) - 1
    assert (into / "all" / "x.dcm").read_bytes() == b"mine"
    assert os.readlink(into / "all" / "x-3.dcm") == "nowhere"
    if how == "move":
        assert contents(archive, into) - Counter([b"mine"]) == before
    else:
        assert set(contents(into)) == {*before, b"mine"}
        assert contents(archive) == before
    counts = organize(table, into, pattern="all", name="x.dcm", how=how).counts
    assert counts["placed"] == counts["failed"] == 0


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
@pytest.mark.parametrize("how", HOWS)
def test_a_dry_run_foresees_the_run(archive, tmp_path, how):
    """Including numbers, identical bytes and the results of an earlier run; nothing is written."""
    into = tmp_path / "into"
    (into / "all").mkdir(parents=True)
    (into / "all" / "x.dcm").write_bytes(b"mine")
    shutil.copy(archive / "CT_small.dcm", archive / "again.dcm")
    table, before = index(archive), contents(archive, into)

    def outcomes(**options: Any) -> list[tuple[str, str, str]]:
        told: list[Any] = []
        organize(table, into, pattern="all", name="x.dcm", how=how, progress=told.append, **options)
        return [(one.source, one.target, one.result.replace("planned", "placed")) for one in told]

    foreseen = outcomes(dry_run=True)
    assert contents(archive, into) == before
    assert not (into / "organize.jsonl").exists()
    assert len({target for _, target, result in foreseen if result == "placed"}) == len(table) - 1
    assert outcomes() == foreseen
    assert outcomes(dry_run=True) == outcomes()


def test_a_move_does_not_take_links_of_an_earlier_run_for_the_files(archive, tmp_path):
    """A link at the target is not the file: it would dangle if the source were removed."""
    table, before = index(archive), contents(archive)
    into = tmp_path / "into"
    organize(table, into, pattern=PATTERN, how="link")
    done = organize(table, into, pattern=PATTERN, how="move")
    assert done.counts["failed"] == 0
    assert contents(archive, into).keys() == before.keys()
    assert all(path.exists() for path in into.rglob("*"))


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_a_file_that_is_in_its_place_stays(archive):
    """The target is the file's own folder, also through a link to it."""
    into = archive.parent / "into"
    organize(index(archive), into, pattern=PATTERN, how="move")
    before, table = contents(into), index(into)
    (archive.parent / "way").symlink_to(into)
    for folder in (into, archive.parent / "way"):
        done = organize(table, folder, pattern=PATTERN, how="move")
        assert done.counts["there"] == sum(before.values())
        assert contents(into) == before


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_links_in_the_archive_are_not_moved(archive, tmp_path):
    (archive / "a.dcm").symlink_to(archive / "CT_small.dcm")
    before = contents(archive)
    done = organize(index(archive), tmp_path / "into", pattern="{Modality}", how="move")
    assert done.counts["failed"] == 1
    assert "no regular file" in done.failures[0].reason
    assert os.path.islink(archive / "a.dcm")
    assert contents(tmp_path / "into") == before - Counter([PYDICOM.joinpath("test_files/CT_small.dcm").read_bytes()])


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_files_that_changed_or_are_gone_are_left(archive, tmp_path):
    (archive / "a.txt").write_text("no DICOM")
    (archive / "b.dcm").write_bytes(b"")
    table = index(archive)
    (archive / "CT_small.dcm").unlink()
    with open(archive / "MR_small.dcm", "ab") as file:
        file.write(b"more")
    done = organize(table, tmp_path / "into", pattern="{Modality}", how="move")
    assert (done.counts["failed"], done.counts["unreadable"], done.counts["not DICOM"]) == (2, 1, 1)
    assert not done.complete
    reasons = {os.path.basename(one.source): one.reason for one in done.failures}
    assert reasons["CT_small.dcm"] == "No such file or directory"
    assert reasons["MR_small.dcm"] == "changed since it was indexed"
    assert sorted(path.name for path in archive.rglob("*") if path.is_file()) == ["MR_small.dcm", "a.txt", "b.dcm"]


def test_a_file_that_changes_while_it_is_moved_stays(archive, tmp_path, monkeypatch):
    from dicomcore.archive.organizing import organize as organizing

    real_place = place

    def grown(source, target, how):
        real_place(source, target, how)
        os.utime(source, ns=(1, 1))

    monkeypatch.setattr(organizing, "place", grown)
    done = organize(index(archive / "CT5N"), tmp_path / "into", pattern="x", how="move")
    assert done.counts["failed"] == 5
    assert len(list((archive / "CT5N").iterdir())) == 5


def hostile(folder: Path, count: int = 1) -> pa.Table:
    """An index whose values are those of an attacker."""
    values = ["../../../evil", "/etc", "a\0b", "", None, "CON", "x" * 5000, "<script>", "..", "~", "-rf", "%s{0}"]
    paths = []
    for i in range(len(values)):
        paths.append(str(folder / f"{i}.dcm"))
        Path(paths[-1]).write_bytes(f"file {i}".encode())
    return pa.table({"path": paths, "PatientID": values, "SOPInstanceUID": list(reversed(values))})


@pytest.mark.parametrize("how", HOWS)
def test_values_never_lead_out_of_the_folder(tmp_path, how):
    (tmp_path / "in").mkdir()
    table = hostile(tmp_path / "in")
    into = tmp_path / "deep" / "er" / "into"
    done = organize(table, into, pattern="{PatientID}/{PatientID}", how=how)
    assert done.counts["placed"] == len(table)
    outside = {path for path in tmp_path.rglob("*") if into not in path.parents and path != into}
    outside -= {tmp_path / "in", tmp_path / "deep", tmp_path / "deep" / "er", *(tmp_path / "in").iterdir()}
    assert not outside
    assert len(contents(into)) == len(table)


def test_a_file_in_the_way_of_a_folder_fails_only_its_files(tmp_path, archive):
    table = index(archive)
    into = tmp_path / "into"
    into.mkdir()
    (into / "CT").write_text("in the way")
    before = contents(archive)
    foreseen = organize(table, into, pattern="{Modality}", how="move", dry_run=True)
    done = organize(table, into, pattern="{Modality}", how="move")
    assert done.counts["failed"] == sum(one == "CT" for one in table["Modality"].to_pylist())
    assert (foreseen.counts["failed"], foreseen.counts["planned"]) == (done.counts["failed"], done.counts["placed"])
    assert contents(archive, into) - Counter([b"in the way"]) == before


# ---- killed

KILLED = """
import sys
from dicomcore.archive import organize
import pyarrow.parquet as pq
print("begun", flush=True)
organize(pq.read_table(sys.argv[1]), sys.argv[2], pattern="{PatientID}", how=sys.argv[3])
"""


@pytest.mark.parametrize("elsewhere", [False, True], ids=["one file system", "across"])
@pytest.mark.parametrize("how", ["move", "copy"])
def test_killed_at_any_moment_nothing_is_lost(tmp_path, how, elsewhere):
    import pyarrow.parquet as pq

    draw = random.Random(f"{how}{elsewhere}")
    (tmp_path / "in").mkdir()
    paths = []
    for i in range(COUNT):
        paths.append(str(tmp_path / "in" / f"{i}.dcm"))
        Path(paths[-1]).write_bytes(str(i).encode() + bytes(BLOCK if elsewhere else 10))
    numbers = [str(i) for i in range(COUNT)]
    table = pa.table({"path": paths, "PatientID": [f"P{i[-1]}" for i in numbers], "SOPInstanceUID": numbers})
    pq.write_table(table, tmp_path / "index.parquet")
    before = contents(tmp_path / "in")
    if elsewhere and (not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev):
        pytest.skip("no other file system at hand")
    with tempfile.TemporaryDirectory(dir="/dev/shm" if elsewhere else tmp_path) as folder:
        into = Path(folder)
        command = [sys.executable, "-c", KILLED, str(tmp_path / "index.parquet"), folder, how]
        killed = 0
        for _ in range(4):
            process = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(draw.uniform(0.0, 0.1))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() != 0
            process.stdout.close()
            assert contents(tmp_path / "in", into).keys() >= before.keys()
            assert contents(into).keys() <= before.keys()  # no target is incomplete
        assert killed
        done = organize(tmp_path / "index.parquet", into, pattern="{PatientID}", how=how)
        assert not done.counts["failed"]
        assert done.counts["renamed"] == 0
        assert contents(into) == before
        if how == "move" and not elsewhere:
            assert not contents(tmp_path / "in")
        if how == "move":  # a copy that the killed run could not log counts as identical
            assert len(contents(tmp_path / "in")) == done.counts["identical"] <= killed


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_a_move_that_was_killed_before_it_was_logged_is_completed(archive, tmp_path):
    """There is a second name without a line in the log: the next run completes the move, and later runs do nothing."""
    table, into = index(archive), tmp_path / "into"
    organize(table, into, pattern="x", how="hardlink", log=tmp_path / "other.jsonl")
    for _ in range(2):
        done = organize(table, into, pattern="x", how="move")
        assert done.counts["there"] == len(table)
        assert done.complete
    assert not contents(archive)
    lost = next((into / "x").iterdir())
    lost.unlink()
    assert organize(table, into, pattern="x", how="move").counts["failed"] == 1


def test_an_incomplete_line_of_the_log_is_ended(archive, tmp_path):
    into = tmp_path / "into"
    organize(index(archive), into, pattern="x", how="copy")
    log = into / "organize.jsonl"
    log.write_bytes(log.read_bytes()[:-10])
    assert organize(index(archive), into, pattern="x", how="copy").complete
    lines = log.read_text().splitlines()
    assert all(json.loads(line) for line in lines[-len(index(archive)) :])


# ---- the command


def test_the_command(archive, tmp_path, capsys):
    path, into = str(tmp_path / "index.parquet"), tmp_path / "into"
    index(archive, out=path)
    before = contents(archive)
    arguments = ["organize", path, "--pattern", "{PatientID}", "--into", str(into)]
    assert main([*arguments, "--dry-run", "--move"]) == 0
    said = capsys.readouterr().out
    assert f"{archive}/CT_small.dcm -> {into}/1CT1/" in said
    assert f"{len(before)} planned" in said
    assert not into.exists()
    assert contents(archive) == before
    assert main([*arguments, "--copy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["placed"] == sum(before.values())
    assert main([*arguments, "--move"]) == 0
    assert f"{sum(before.values())} identical" in capsys.readouterr().out
    (archive / "b.dcm").write_bytes(b"")
    index(archive, out=path)
    assert main([*arguments, "--hardlink"]) == 1
    assert "b.dcm" in capsys.readouterr().err


WRONG = {
    "no index": ["organize", "nowhere.parquet", "--pattern", "x", "--into", "y"],
    "no such column": ["organize", "{index}", "--pattern", "{{Nope}}", "--into", "y"],
    "leads out": ["organize", "{index}", "--pattern", "../x", "--into", "y"],
    "a folder as a name": ["organize", "{index}", "--pattern", "x", "--name", "a/b", "--into", "y"],
    "a file as the folder": ["organize", "{index}", "--pattern", "x", "--into", "{index}"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_wrong_use(arguments, archive, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = str(index(archive, out=tmp_path / "index.parquet"))
    assert main([one.format(index=path) for one in arguments]) == 2
    assert capsys.readouterr().err.startswith("dicomcore organize: ")
    assert not (tmp_path / "y").exists()


def test_members_of_archives_fail_with_a_reason(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    with zipfile.ZipFile(source / "two.zip", "w") as packed:
        packed.write(get_testdata_file("CT_small.dcm"), "CT_small.dcm")
    done = organize(index(source), tmp_path / "out", pattern="{Modality}", how="copy")
    assert [(one.result, one.reason) for one in done.failures] == [
        ("failed", "is in an archive or behind a URL: files are organized on this machine")
    ]
