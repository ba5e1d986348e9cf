"""The suite's summary names missing real files, missing tables of the standard, and missing packages whose side of the
bridge is tested."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from hypothesis import HealthCheck, settings

from tests.support import standard
from tests.support.corpus import ABSENT

# The same inputs in each run, so that a change is judged by what it changes, and as long as a loaded machine needs.
# `make long` draws others.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile("house")
# For an emulated processor (tools/platforms/foreign.py): inputs come slowly there, and that is no fault.
settings.register_profile("slow", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

BRIDGED = ("highdicom", "pynetdicom")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if ABSENT:
        terminalreporter.section("real files missing")
        terminalreporter.write_line(f"{ABSENT}; every test on the corpus was skipped")
    if standard.ABSENT:
        terminalreporter.section("tables of the standard missing")
        terminalreporter.write_line(f"{standard.ABSENT}; the native tables were not generated again")
    for package in BRIDGED:
        if find_spec(package) is None:
            terminalreporter.section(f"{package} missing")
            terminalreporter.write_line(f"every test of tests/interop/test_{package}.py was skipped")
