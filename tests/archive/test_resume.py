"""Second runs and interrupted runs: the files that are read again, the rows that are kept, and no incomplete table."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.corpus import real
from tests.support.dicom_bytes import element, part10

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

import dicomcore.archive.tables.run as run  # noqa: E402
from dicomcore.archive import index  # noqa: E402
from dicomcore.archive.tables.parts import Parts, parts_of  # noqa: E402
from dicomcore.archive.tables.stored import open_stored  # noqa: E402
from dicomcore.cli import main  # noqa: E402

FILES = 300
COLUMNS = ["PatientID", "SOPInstanceUID", "Rows"]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """300 small files in three folders, one of which is not DICOM."""
    for i in range(FILES):
        path = tmp_path / "archive" / f"{i % 3}" / f"{i:04}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(instance(i))
    (tmp_path / "archive" / "1" / "notes.txt").write_text("no DICOM")
    return tmp_path / "archive"


def instance(number: int, patient: str = "id") -> bytes:
    uid = f"1.2.3.{number}"
    given = [(0x00080018, "UI", uid + "\0" * (len(uid) % 2)), (0x00100020, "LO", patient)]
    return part10(b"".join(element(tag, vr, text.encode()) for tag, vr, text in given))


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """A list that receives the paths of the files that a run reads."""
    found: list[str] = []
    real_read = run.read_batch

    def read(paths, **options):
        found.extend(paths)
        return real_read(paths, **options)

    monkeypatch.setattr(run, "read_batch", read)
    monkeypatch.setattr(run, "BATCH", 20)
    return found


def table_of(out: Path) -> pa.Table:
    stored = open_stored(str(out))
    assert stored is not None
    return pa.concat_tables([stored.read(group) for group in range(len(stored.sizes))])


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".feather", ""])
def test_nothing_changed_leaves_the_file_alone(archive, tmp_path, reads, suffix):
    out = tmp_path / f"index{suffix}"
    index(archive, out=out, columns=COLUMNS)
    assert len(reads) == FILES + 1
    reads.clear()
    before = out.stat()
    told = []
    index(archive, out=out, columns=COLUMNS, progress=told.append)
    assert [os.path.basename(path) for path in reads] == ["notes.txt"]  # a file that failed is read again
    assert (out.stat().st_ino, out.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sum(batch.num_rows for batch in told) == FILES + 1
    assert sum(batch.num_rows - batch.column("error").null_count for batch in told) == 1
    assert not os.path.exists(parts_of(str(out)))


CHANGES = ("none", "new first", "new last", "changed", "gone first", "gone last", "moved", "healed", "all new", "twice")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_second_run_gives_the_same_table_and_reads_less(archive, tmp_path, reads, change, suffix):
    out = tmp_path / f"index{suffix}"
    index(archive, out=out, columns=COLUMNS)
    reads.clear()
    sources, most = [archive], 2
    if change.startswith("new"):
        (archive / ("0" if change == "new first" else "2") / f"{change}.dcm").write_bytes(instance(7))
    elif change == "changed":
        (archive / "1" / "0100.dcm").write_bytes(instance(100, "another"))
    elif change.startswith("gone"):
        (archive / ("0/0000.dcm" if change == "gone first" else "2/0299.dcm")).unlink()
    elif change == "moved":
        sources, most = [archive / "2", archive / "0", archive / "1"], 1
    elif change == "healed":
        (archive / "1" / "notes.txt").write_bytes(instance(1000))
    elif change == "all new":
        (archive).rename(tmp_path / "other")
        sources, most = [tmp_path / "other"], FILES + 1
    elif change == "twice":
        sources, most = [archive, archive / "0" / "0003.dcm"], 1
    index(sources, out=out, columns=COLUMNS)
    assert len(reads) <= most
    assert table_of(out).equals(index(sources, columns=COLUMNS))
    assert not os.path.exists(parts_of(str(out)))


@pytest.mark.thread_unsafe(reason="changes a folder of its own")
def test_files_that_are_gone_are_reported(archive, tmp_path):
    out = tmp_path / "index.parquet"
    index(archive, out=out, columns=COLUMNS)
    for name in ("0/0000.dcm", "2/0299.dcm"):
        (archive / name).unlink()
    gone: list[str] = []
    index(archive, out=out, columns=COLUMNS, gone=gone.append)
    assert gone == [str(archive / "0/0000.dcm"), str(archive / "2/0299.dcm")]
    gone.clear()
    index(archive, out=out, columns=COLUMNS, gone=gone.append)
    assert gone == []


def test_a_run_that_failed_resumes(archive, tmp_path, reads):
    out = tmp_path / "index.parquet"

    def stop(batch):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        index(archive, out=out, columns=COLUMNS, workers=1, progress=stop)
    first = len(reads)
    assert 0 < first < FILES
    reads.clear()
    index(archive, out=out, columns=COLUMNS)
    assert len(reads) == FILES + 1 - first
    assert pq.read_table(out).equals(index(archive, columns=COLUMNS))


def test_parts_with_other_columns_are_not_reused(archive, tmp_path):
    out = tmp_path / "index.parquet"
    with Parts(str(out)) as parts:
        parts.keep(0, index(archive, columns=["Rows"]).to_batches()[0])
    assert len(os.listdir(parts.folder)) == 2
    assert pq.read_table(index(archive, out=out, columns=COLUMNS)).equals(index(archive, columns=COLUMNS))


def test_two_runs_can_not_write_one_table(archive, tmp_path):
    out = tmp_path / "index.parquet"
    with Parts(str(out)), pytest.raises(BlockingIOError, match="another run"):
        index(archive, out=out)
    index(archive, out=out)


CHILD = """
import os, sys
import dicomcore.archive.tables.run as run
read, done = run.read_batch, os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def logged(paths, **options):
    batch = read(paths, **options)
    os.write(done, f"{len(paths)}\\n".encode())
    return batch
run.read_batch, run.BATCH = logged, 10
os.write(1, b"begun\\n")
run.index(sys.argv[1], out=sys.argv[2], columns=["PatientID", "SOPInstanceUID", "Rows"], workers=2)
"""


def rows_kept(out: Path) -> int:
    """The rows of all parts, each of which has to be complete."""
    folder = Path(parts_of(str(out)))
    tables = [open_stored(str(path)) for path in folder.glob("*.arrow")]
    return sum(sum(table.sizes) for table in tables)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killed_at_any_moment_it_loses_at_most_the_current_batches(archive, tmp_path):
    out, log = tmp_path / "index.parquet", tmp_path / "log"
    expected = index(archive, columns=COLUMNS)
    draw, kept, killed, finished = random.Random(9), 0, 0, 0
    for turn in range(9):
        log.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", CHILD, archive, out, log], stdout=subprocess.PIPE)
        assert child.stdout.readline() == b"begun\n"
        time.sleep(draw.uniform(0, 0.05) if turn < 6 else 1.5 * draw.random())
        child.kill()
        child.wait()
        child.stdout.close()
        if out.exists():  # the table is complete if it exists
            assert pq.read_table(out).equals(expected)
            finished += 1
            shutil.rmtree(parts_of(str(out)), ignore_errors=True)
            out.unlink()
            kept = 0
            continue
        killed += 1
        now = rows_kept(out)
        read = sum(map(int, log.read_text().split())) if log.exists() else 0
        assert kept <= now <= FILES + killed  # each run reads failed files again, and keeps their rows
        assert now >= kept + read - 2 * 10  # two workers, each with a batch
        kept = now
    assert killed
    assert pq.read_table(index(archive, out=out, columns=COLUMNS)).equals(expected)
    assert not os.path.exists(parts_of(str(out)))


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_says_how_to_resume(archive, tmp_path):
    out = tmp_path / "index.parquet"
    code = (
        "import signal, sys, time; signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may ignore it\n"
        "import dicomcore.archive.tables.run as run; run.BATCH = 5; read = run.read_batch\n"
        "def slow(paths, **options):\n    time.sleep(0.05); print('read', flush=True); return read(paths, **options)\n"
        "run.read_batch = slow; from dicomcore.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", code, "index", archive, "-o", out, "-q"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(5):
        child.stdout.readline()
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=30)
    assert child.returncode == 130, told
    assert "the same command goes on" in told
    assert told.count("\n") == 1
    assert not out.exists()
    assert rows_kept(out) >= 10
    assert main(["index", str(archive), "-o", str(out), "-q"]) == 0
    assert pq.read_table(out).equals(index(archive))


LIMITED = """
import resource, sys
from dicomcore.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)  # like a full disk: a write fails
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks for RLIMIT_FSIZE")
@pytest.mark.parametrize("room", [0, 100, 30_000])
def test_a_full_disk_is_one_clear_error(archive, tmp_path, room):
    out = tmp_path / "index.parquet"
    index(archive / "0", out=out)
    before = out.read_bytes()
    command = [sys.executable, "-c", LIMITED, str(room), "index", archive, "-o", out, "-q"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert "too large" in ran.stderr.lower()
    assert out.read_bytes() == before
    assert main(["index", str(archive), "-o", str(out), "-q"]) == 0
    assert pq.read_table(out).equals(index(archive))


def test_pandas_is_not_imported(archive, tmp_path):
    code = "import sys; from dicomcore.cli import main; main(); main(); sys.exit('pandas' in sys.modules)"
    command = [sys.executable, "-c", code, "index", archive, "-o", tmp_path / "index.parquet"]
    assert subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0


def test_errors_as_json_lines(archive, tmp_path, capsys):
    out, errors = tmp_path / "index.parquet", tmp_path / "errors.jsonl"
    command = ["index", str(archive), "-o", str(out), "--errors", str(errors)]
    assert main(command) == 0
    assert errors.read_text().count("\n") == 1
    assert errors.read_text().endswith('"kind": "not DICOM"}\n')
    assert f'"path": "{archive / "1" / "notes.txt"}", "error": "InvalidDicomError' in errors.read_text()
    (archive / "1" / "notes.txt").unlink()
    assert main(command) == 0
    assert errors.read_text() == f'{{"path": "{archive / "1" / "notes.txt"}", "gone": true}}\n'
    assert "1 file that the table had is gone" in capsys.readouterr().out


def test_a_second_run_over_a_real_archive_gives_the_same_table(tmp_path):
    names = ("CT_small.dcm", "MR_small.dcm", "rtplan.dcm", "JPEG2000.dcm", "chrH31.dcm")
    for name in names:
        shutil.copy(real(name), tmp_path / name)
    for suffix in (".parquet", ".arrow"):
        out = tmp_path / f"index{suffix}"
        index(tmp_path, out=out)
        shutil.copy(real("CT_small.dcm"), tmp_path / f"more{suffix}.dcm")
        index(tmp_path, out=out)
        table = table_of(out)
        assert table.equals(index(table["path"].to_pylist()))
        assert any(table["duplicate"].to_pylist())
