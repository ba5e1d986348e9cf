"""Schemathesis against the server, by its own OpenAPI description: no answer is an error of the server."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from dicomcore import catalogue, services, web
from dicomcore.services.ledger import Ledger
from tests.web.calling import FILES, message

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"


@pytest.mark.long
@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed")
def test_requests_of_every_kind(tmp_path: Path) -> None:
    with (
        Ledger(tmp_path / "ledger.sqlite") as ledger,
        catalogue.open(tmp_path / "store") as held,
        web.Running(web.app(held, workitems=services.Workitems(ledger))) as running,
    ):
        import httpx

        body, fields = message(FILES.values())
        httpx.post(f"{running.url}/studies", content=body, headers=fields)
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{running.url}/openapi.json", "--checks", CHECKS,
                   "-n", "20", "--phases", "coverage,fuzzing"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=tmp_path)
        assert "Server error" not in done.stdout, done.stdout[-4000:]
        assert "FAILURES" not in done.stdout, done.stdout[-4000:]
        assert "Tested:" in done.stdout, done.stdout + done.stderr
