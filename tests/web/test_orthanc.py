"""Our client against Orthanc and its DICOMweb plugin: what `orthanc_run` tries in a namespace without a network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.orthanc_run import PLUGIN

ROOT = Path(__file__).resolve().parents[2]
TRIED = ("store", "search", "retrieve", "resume", "data_sets", "metadata", "values", "frames", "rendered", "refusals")
pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    if shutil.which("Orthanc") is None or not os.path.exists(PLUGIN):
        pytest.skip("no Orthanc with its DICOMweb plugin: the client is not tried against it")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("no right to a network namespace: Orthanc listens on all addresses, and is not started")
    folder = tmp_path_factory.mktemp("orthanc")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.web.orthanc_run", str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    made: dict[str, str] = json.loads(done.stdout)
    return made


@pytest.mark.parametrize("name", [*TRIED, "delete"])
def test_against_orthanc(results, name):
    assert results[name] == "", results[name]
