"""`dicomcore jobs`, and what `dicomcore serve` makes of an index."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pydicom.data
import pytest

from dicomcore import catalogue, net
from dicomcore.cli.program import main
from tests.net.test_server import QUICK

SOURCE = next(Path(pydicom.data.__file__).parent.rglob("CT_small.dcm"))


def test_jobs_are_listed_cancelled_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "store")
    assert main(["jobs", folder]) == 2
    with catalogue.open(folder) as store:
        assert main(["jobs", folder]) == 0
        assert main(["jobs", folder, "--cancel", "1"]) == 1
        number = store.jobs.add("forward", {"to": "PACS", "instances": ["1.2", "1.3"]})
        capsys.readouterr()
        assert main(["jobs", folder]) == 0
        assert "waiting    forward: 2 instances to PACS" in capsys.readouterr().out
        assert main(["jobs", folder, "--cancel", str(number)]) == 0
        assert main(["jobs", folder, "--retry", str(number)]) == 1
        capsys.readouterr()
        assert main(["jobs", folder, "--state", "cancelled", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["payload"]["to"] == "PACS"
        assert main(["jobs", folder, "--state", "waiting", "--json"]) == 0
        assert capsys.readouterr().out == ""


def test_serve_wants_a_store_or_an_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 2
    assert main(["serve", "--store", str(tmp_path / "a"), "--index", str(tmp_path / "b")]) == 2
    assert main(["serve", "--index", str(tmp_path / "none.parquet")]) == 2
    assert "none.parquet" in capsys.readouterr().err


def test_an_index_is_served(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    archive = pytest.importorskip("dicomcore.archive")
    (tmp_path / "files").mkdir()
    shutil.copy(SOURCE, tmp_path / "files" / "one.dcm")
    archive.index([tmp_path / "files"], out=tmp_path / "index.parquet")
    command = [sys.executable, "-m", "dicomcore", "serve", "--ae", "NODE", "--port", "0", "--index"]
    with subprocess.Popen([*command, str(tmp_path / "index.parquet")], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert "1 instances" in said
            address = said.split(": ")[0]
            with net.associate(address, timeouts=QUICK) as association:
                (found,) = association.find({"PatientID": "*", "StudyInstanceUID": ""})
                assert found.StudyInstanceUID
            assert net.send([SOURCE], address, timeouts=QUICK).stored == 0
        finally:
            process.send_signal(signal.SIGINT if os.name != "nt" else signal.SIGTERM)
        process.wait(20)
