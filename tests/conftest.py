"""The suite's summary names missing real files and tables, and missing packages whose side of the bridge is tested."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from tests.support.corpus import ABSENT

BRIDGED = ("highdicom", "pynetdicom")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if ABSENT:
        terminalreporter.section("real files missing")
        terminalreporter.write_line(f"{ABSENT}; every test on the corpus was skipped")
    if find_spec("pydicom") is not None:
        from tools.standard.conditions import sources

        if sources.ABSENT:
            terminalreporter.section("tables of the standard missing")
            terminalreporter.write_line(f"{sources.ABSENT}; the tests that make tables again were skipped")
    for package in BRIDGED:
        if find_spec(package) is None:
            terminalreporter.section(f"{package} missing")
            terminalreporter.write_line(f"every test of tests/interop/test_{package}.py was skipped")
