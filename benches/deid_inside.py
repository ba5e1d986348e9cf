"""Our work in a process that loads nothing else, so that its memory is that of dicomcore: ``MODE SOURCE OUT``.

Prints seconds by the clock, and bytes resident at most of this process and of the greatest that it started.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter

from dicomcore import deid


def main() -> None:
    mode, source, out = sys.argv[1:]
    plan = deid.Plan(key=deid.Key.generate())
    begun = perf_counter()
    if mode == "file":
        deid.apply(source, out, plan)
    else:
        deid.folder(source, out, plan, workers=int(mode))
    print(perf_counter() - begun, peak())


def peak() -> int:
    """Bytes resident at most in this process; getrusage would tell of the process that started it, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
