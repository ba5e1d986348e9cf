"""Turns over many files: each contestant goes through all of them, then the next does, again and again.

A turn a file would measure each contestant with its code and data pushed out of the caches by the one before; nobody
reads archives so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any


def race_over(files: list[Path], contestants: Mapping[str, Callable[[str], Any]], rounds: int) -> dict[str, float]:
    """Seconds of each contestant for all `files`: the sum of its best for each."""
    best = {name: [float("inf")] * len(files) for name in contestants}
    paths = [str(path) for path in files]
    for _ in range(rounds):
        for name, run in contestants.items():
            mine = best[name]
            for i, path in enumerate(paths):
                start = perf_counter()
                run(path)
                mine[i] = min(mine[i], perf_counter() - start)
    return {name: sum(each) for name, each in best.items()}
