"""Run dicomcore and the peers in turns on the same input: only ratios from one run count."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from math import exp, log
from time import thread_time
from typing import Any


def race(
    work: Any,
    contestants: Mapping[str, Callable[[Any], Any]],
    *,
    rounds: int = 15,
    agree: bool = True,
    clock: Callable[[], float] = thread_time,
) -> dict[str, float]:
    """Best seconds of each contestant on `work`, taken in turns; with `agree` different results are an error.

    The default clock counts the calling thread's own time, so that other work on the machine hardly shows; to
    measure threads, pass `perf_counter`.
    """
    best = dict.fromkeys(contestants, float("inf"))
    answers: dict[str, Any] = {}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = clock()
            answers[name] = run(work)
            best[name] = min(best[name], clock() - start)
    if agree:
        kinds = {bytes(memoryview(answer).cast("B")) for answer in answers.values()}
        assert len(kinds) == 1, f"contestants disagree: {list(answers)}"
    return best


def geometric_mean(ratios: list[float]) -> float:
    return exp(sum(map(log, ratios)) / len(ratios))


def processor() -> str:
    """The processor's model, as far as the system tells."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine(*packages: str) -> str:
    """The processor, Python and the packages' versions, for the head of a table."""
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    return f"{processor()}, Python {platform.python_version()}, {versions}"
