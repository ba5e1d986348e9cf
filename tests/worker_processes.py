"""The worker processes of a process, as Linux knows them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def workers_of(parent: int) -> set[int]:
    found = set()
    for entry in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            folder = Path("/proc") / str(int(entry))
            if int((folder / "stat").read_text().rsplit(")")[-1].split()[1]) == parent:
                found |= {int(entry)} if "dicomcore.pixels.isolation" in (folder / "cmdline").read_text() else set()
    return found
