"""A lock on a store's incoming files: whoever opens a store alone may clear up what an earlier process left."""

from __future__ import annotations

import os
from contextlib import suppress

try:
    import fcntl
except ImportError:  # Windows, where files that are open cannot be removed
    fcntl = None  # type: ignore[assignment]

__all__ = ["Lock", "lock_incoming"]


class Lock:
    """A lock that all processes with an open store share. `is_first` says that no other had it."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        self.is_first = True
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.is_first = False

    def share(self) -> None:
        """Let others open the store, too."""
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(self._file, fcntl.LOCK_SH)

    def close(self) -> None:
        """Give it back."""
        if self._file != -1:
            os.close(self._file)
            self._file = -1


def lock_incoming(folder: str) -> Lock:
    """The lock of a store."""
    return Lock(os.path.join(folder, ".lock"))
