"""Long turns: over many files, where each contestant reads all of them in its turn, and over one large input.

With a turn for each file, every contestant would find its code and data evicted from the caches by the one before;
nobody reads archives that way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any


def race_over(
    files: list[Path],
    contestants: Mapping[str, Callable[[str], Any]],
    rounds: int,
    *,
    clock: Callable[[], float] = perf_counter,
) -> dict[str, float]:
    """Seconds of each contestant for all `files`: the sum of its best for each."""
    best = {name: [float("inf")] * len(files) for name in contestants}
    paths = [str(path) for path in files]
    for _ in range(rounds):
        for name, run in contestants.items():
            mine = best[name]
            for i, path in enumerate(paths):
                start = clock()
                run(path)
                mine[i] = min(mine[i], clock() - start)
    return {name: sum(each) for name, each in best.items()}


def race_long(work: Any, contestants: Mapping[str, Callable[[Any], Any]], rounds: int) -> dict[str, float]:
    """Best seconds of processor time of each contestant on `work`.

    A run that takes longer than the system's time slice hardly ever has the processor for itself; waiting for other
    processes doesn't count here. For contestants that stay on one thread.
    """
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for name, run in contestants.items():
            start = thread_time()
            answer = run(work)
            best[name] = min(best[name], thread_time() - start)
            del answer
    return best
