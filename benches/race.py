"""Ours and the peers in turns on the same input: ratios from one run are all that counts."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from math import exp, log
from time import perf_counter
from typing import Any


def race(
    work: Any, contestants: Mapping[str, Callable[[Any], Any]], *, rounds: int = 15, agree: bool = True
) -> dict[str, float]:
    """Best seconds of each contestant on `work`, taken in turns; with `agree` different answers are an error."""
    best = dict.fromkeys(contestants, float("inf"))
    answers: dict[str, Any] = {}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = perf_counter()
            answers[name] = run(work)
            best[name] = min(best[name], perf_counter() - start)
    if agree:
        kinds = {bytes(memoryview(answer).cast("B")) for answer in answers.values()}
        assert len(kinds) == 1, f"contestants disagree: {list(answers)}"
    return best


def geometric_mean(ratios: list[float]) -> float:
    return exp(sum(map(log, ratios)) / len(ratios))


def machine(*packages: str) -> str:
    """The processor, Python and the packages' versions, for a table's head."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="ascii") as info:
            model = next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{model}, Python {platform.python_version()}, {versions}"
