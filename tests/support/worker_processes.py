"""The worker processes of a process, read from Linux's /proc."""

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


def shared_memory() -> set[str]:
    """Names of shared memory and semaphores as ours, or Python's, would be; other programs' files may be among them."""
    found = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    # Tests that run in parallel have semaphores of their own there.
    ours = ("dicomcore", "psm_") if "PYTEST_XDIST_WORKER" in os.environ else ("dicomcore", "psm_", "sem.")
    return {name for name in found if name.startswith(ours)}
