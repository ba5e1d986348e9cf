"""The suite's summary names missing real files."""

from __future__ import annotations

from typing import Any

from tests.support.corpus import ABSENT


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if ABSENT:
        terminalreporter.section("real files missing")
        terminalreporter.write_line(f"{ABSENT}; every test on the corpus was skipped")
