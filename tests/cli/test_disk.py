"""A full disk, and folders without permission, are reported, and no half-written file stays behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import dicomcore
from dicomcore.cli import main
from tests.support.corpus import PYDICOM, real

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and modes of POSIX")
pytest.importorskip("duckdb")

# A process whose files may not grow beyond a limit: its writes fail in the middle, as on a full disk.
SCRIPT = """
import contextlib, io, json, resource, sys
from dicomcore.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
told = []
for argv in json.loads(sys.argv[2]):
    with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.redirect_stdout(io.StringIO()):
        code = main(argv)
    told.append((code, said.getvalue()))
print(json.dumps(told))
"""
LIMIT = 3000  # bytes
NOISE = "SELECT md5(n::VARCHAR) FROM range(9999) t(n)"  # more than LIMIT as Parquet
NO_PRIVILEGE = "-dac_override,-dac_read_search,-fowner"  # taken from root, which file modes do not stop


def run_limited(commands: Sequence[Sequence[str]], *before: str, limit: int = LIMIT) -> list[Any]:
    """Exit code and stderr of commands, run by one process under the limit."""
    environment = os.environ | {"PYTHONPATH": str(Path(dicomcore.__file__).parents[1])}
    argv = [*before, sys.executable, "-c", SCRIPT, str(limit), json.dumps(commands)]
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Path:
    """Some files, and an index of them, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("archive").mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm", "SC_rgb_rle.dcm", "rtplan.dcm"):
        shutil.copy(real(name), f"archive/{name}")
    assert main(["index", "archive", "-o", "index.parquet", "-q"]) == 0
    return tmp_path


def files(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_a_full_disk_leaves_the_old_files(archive):
    """Whichever command writes: new files don't appear, and old ones stay as they were."""
    pytest.importorskip("jinja2")
    for name in ("i.parquet", "i.csv", "i.arrow", "r.html", "q.csv", "q.parquet", "s.png", "t.dcm"):
        Path("old").mkdir(exist_ok=True)
        (Path("old") / name).write_bytes(b"what was there")
    Path("new").mkdir()
    commands = []
    for place in ("new", "old"):
        commands += [
            ["index", "archive", "-o", f"{place}/i.parquet", "--columns", "default,all", "--no-resume"],
            ["index", "archive", "-o", f"{place}/i.csv", "--columns", "default,all"],
            ["index", "archive", "-o", f"{place}/i.arrow", "--columns", "default,all", "--no-resume"],
            ["report", "index.parquet", "-o", f"{place}/r.html"],
            ["query", "index.parquet", "SELECT a.* FROM files a, files b, files c", "--csv", f"{place}/q.csv"],
            [
                "query",
                "index.parquet",
                "SELECT md5(n::VARCHAR) FROM range(9999) t(n)",
                "--parquet",
                f"{place}/q.parquet",
            ],
            ["sheet", "archive", "-o", f"{place}/s.png"],
            ["transcode", "archive/CT_small.dcm", "-o", f"{place}/t.dcm", "--to", "implicit"],
        ]
    commands += [
        ["transcode", "archive", "-o", "new/small", "--to", "explicit"],
        ["frames", "archive/CT_small.dcm", "-o", "new/frames", "--array"],
        ["dicomdir", "create", "new/disc", "archive"],
        ["organize", "index.parquet", "--into", "new/sorted", "--copy", "--pattern", "{Modality}"],
    ]
    before = files(archive)
    for argv, (code, said) in zip(commands, run_limited(commands), strict=True):
        assert code in (1, 2), argv
        assert "File too large" in said, (argv, said)
        assert "Traceback" not in said
    after = files(archive)
    small = {name: after.pop(name) for name in list(after) if name.startswith(("new/small", "new/sorted"))}
    assert after == before, sorted(after.keys() ^ before.keys())
    assert not [name for name in small if name.endswith(".part")]
    assert all(len(data) <= LIMIT for data in small.values())


def test_writing_functions_on_a_full_disk(tmp_path):
    """save_as, patch and FrameWriter."""
    script = """
        import os, resource, shutil, sys
        import numpy as np
        import dicomcore as dc
        ct = dc.dcmread(sys.argv[1])
        shutil.copy(sys.argv[1], "old.dcm")
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
        def frames():
            with dc.FrameWriter("new.dcm", ct) as writer:
                for _ in range(9):
                    writer.append(np.zeros((128, 128), np.int16))
        for work in (
            lambda: ct.save_as("new.dcm"),
            lambda: ct.save_as("old.dcm"),
            lambda: dc.patch("old.dcm", {"PatientComments": "x" * 500}),
            frames,
        ):
            try:
                work()
            except OSError as error:
                assert "File too large" in str(error), error
            else:
                sys.exit("no error")
        assert os.listdir() == ["old.dcm"], os.listdir()
    """

    environment = os.environ | {"PYTHONPATH": str(Path(dicomcore.__file__).parents[1])}
    argv = [sys.executable, "-c", textwrap.dedent(script), str(real("CT_small.dcm"))]
    done = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "old.dcm").read_bytes() == real("CT_small.dcm").read_bytes()


def test_missing_permissions_are_reported(archive):
    """Unreadable files and folders are rows and sentences; a read-only folder is named."""
    pytest.importorskip("jinja2")
    before = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("root may do all, and there is no setpriv to take that away")
        before = ["setpriv", f"--bounding-set={NO_PRIVILEGE}", f"--inh-caps={NO_PRIVILEGE}"]
    Path("archive/locked").mkdir(mode=0)
    shutil.copy(PYDICOM / "test_files/CT_small.dcm", "archive/secret.dcm")
    os.chmod("archive/secret.dcm", 0)
    Path("sealed").mkdir(mode=0o555)
    refused = [
        ["index", "archive", "-o", "sealed/i.parquet"],
        ["report", "index.parquet", "-o", "sealed/r.html"],
        ["query", "index.parquet", "SELECT 1", "--csv", "sealed/q.csv"],
        ["transcode", "archive", "-o", "sealed/small", "--to", "rle"],
        ["transcode", "archive/CT_small.dcm", "-o", "sealed/t.dcm", "--to", "rle"],
        ["organize", "index.parquet", "--into", "sealed/o", "--pattern", "{Modality}"],
        ["dicomdir", "create", "sealed/disc", "archive/CT_small.dcm"],
        ["frames", "archive/CT_small.dcm", "-o", "sealed/f"],
        ["dump", "archive/secret.dcm"],
    ]
    allowed = [
        ["index", "archive", "-o", "all.parquet", "--json"],
        ["transcode", "archive", "-o", "small", "--to", "rle"],
    ]
    try:
        told = run_limited([*refused, *allowed], *before, limit=1 << 30)
    finally:
        os.chmod("archive/secret.dcm", 0o600)
        os.chmod("archive/locked", 0o700)
    for argv, (code, said) in zip(refused, told, strict=False):
        assert code in (1, 2), argv
        where = "secret.dcm" if argv[0] == "dump" else "sealed/"
        assert where in said
        assert said.endswith(": Permission denied\n")
        assert "part" not in said.splitlines()[-1].replace("sealed", "")
    assert [code for code, _ in told[len(refused) :]] == [1, 1]
    assert "secret.dcm: PermissionError: Permission denied" in told[-1][1]
    import pyarrow.parquet as pq

    errors = {row["path"]: row["error"] for row in pq.read_table("all.parquet").to_pylist() if row["error"]}
    assert errors == dict.fromkeys(["archive/locked", "archive/secret.dcm"], "PermissionError: Permission denied")
