"""Named pipes, sockets and devices among files: jobs over many files skip them, and never wait for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

import dicomcore as dc
from dicomcore.archive import frames, index, series_volume
from dicomcore.archive.organizing.transcoding import transcode_folder
from dicomcore.fileset import FileSet

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
CT = get_testdata_file("CT_small.dcm")
PATIENCE = 60  # seconds until a command counts as waiting for ever


@pytest.fixture
def folder(tmp_path) -> Path:
    """A file between a pipe, a socket, and a link to a pipe."""
    top = tmp_path / "in"
    top.mkdir()
    os.mkfifo(top / "a_pipe")
    (top / "b.dcm").write_bytes(Path(CT).read_bytes())
    (top / "c_link").symlink_to(top / "a_pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(top)  # a socket's name may be no longer than 107 bytes
            bound.bind("d_socket")
        finally:
            os.fchdir(here)
            os.close(here)
    return top


SPECIAL = ("a_pipe", "c_link", "d_socket")

COMMANDS = {  # name: (words behind `dicomcore`, exit code, whether each special file is named on stderr)
    "index": (("index", "{in}", "-o", "{out}/x.parquet"), 1, False),
    "dicomdir create": (("dicomdir", "create", "{out}/disc", "{in}", "--invent"), 0, True),
    "dicomdir create in place": (("dicomdir", "create", "{in}", "--invent"), 1, True),
    "transcode": (("transcode", "{in}", "-o", "{out}/made", "--to", "explicit"), 0, True),
    "sheet": (("sheet", "{in}", "-o", "{out}/sheet.png"), None, False),
}


@pytest.mark.thread_unsafe(reason="works in another folder for a moment")
@pytest.mark.parametrize(("words", "code", "named"), COMMANDS.values(), ids=COMMANDS)
def test_commands_skip_special_files(words, code, named, folder, tmp_path):
    filled = [word.format(**{"in": folder, "out": tmp_path}) for word in words]
    run = subprocess.run(
        [sys.executable, "-m", "dicomcore", *filled], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    if code is not None:
        assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr
    if named:
        assert all(name in run.stderr for name in SPECIAL)


@pytest.mark.thread_unsafe(reason="works in another folder for a moment")
def test_functions_skip_special_files(folder, tmp_path):
    table = index(folder)
    errors = dict(zip(table["path"].to_pylist(), table["error"].to_pylist(), strict=True))
    assert errors == {
        str(folder / "b.dcm"): None,
        **{str(folder / name): "OSError: Not a regular file" for name in SPECIAL},
    }
    summary = transcode_folder(folder, tmp_path / "made", "explicit")
    assert summary.counts == {"transcoded": 1, "skipped": 3}
    assert [one.path for one in summary.passed_over] == list(SPECIAL)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["b.dcm"]


@pytest.mark.thread_unsafe(reason="works in another folder for a moment")
@pytest.mark.parametrize("name", SPECIAL)
def test_a_named_special_file_is_refused(name, folder):
    with pytest.raises(OSError, match="a pipe, a socket or a device"):
        list(frames([str(folder / name)]))
    with pytest.raises(OSError, match="a pipe, a socket or a device"):
        series_volume([str(folder / name)])
    with pytest.raises(OSError, match="a pipe, a socket or a device"):
        FileSet.new(folder).add(folder / name)


def test_a_pipe_that_a_shell_makes_is_read(tmp_path):
    """`dicomcore dump <(zcat …)`: one file that its user names is read, whatever it is."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'wb').write(open({CT!r}, 'rb').read())"])
    try:
        assert dc.dcmread(pipe).PatientID == "1CT1"
    finally:
        assert writer.wait(PATIENCE) == 0


def test_dump_reads_standard_input():
    with open(CT, "rb") as stream:
        run = subprocess.run(
            [sys.executable, "-m", "dicomcore", "dump", "-"],
            stdin=stream, capture_output=True, text=True, timeout=PATIENCE, check=True,
        )  # fmt: skip
    assert "1CT1" in run.stdout
