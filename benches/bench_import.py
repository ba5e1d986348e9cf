"""How long an import takes, each in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys

from benches.table import OURS, Row, markdown

PROGRAM = "from time import perf_counter; s = perf_counter(); import {}; print(perf_counter() - s)"


def seconds(module: str) -> float:
    """Seconds of one import in a fresh interpreter, without its start; bytecode is cached."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module)], capture_output=True, text=True, check=True, env=environment
    )
    return float(run.stdout)


def rows(quick: bool = False) -> list[Row]:
    """The row of the table."""
    modules = {OURS: "dicomcore", "numpy": "numpy", "pydicom": "pydicom"}
    best = dict.fromkeys(modules, float("inf"))
    for _ in range(5 if quick else 25):
        for name, module in modules.items():
            best[name] = min(best[name], seconds(module))
    row = Row("import", best)
    row.at_most(1.3, "× import numpy", best[OURS] / best["numpy"])
    return [row]


if __name__ == "__main__":
    print(markdown(rows("--quick" in sys.argv)))
