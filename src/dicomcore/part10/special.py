"""Named pipes, sockets and devices: opening one may wait forever, so jobs over many files skip them."""

from __future__ import annotations

import errno
import os
import stat

__all__ = ["is_special", "refuse_special"]


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to something other than a file or a folder."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def refuse_special(path: str | os.PathLike[str]) -> None:
    """Raise OSError if a path leads to a named pipe, a socket or a device."""
    if is_special(path):
        raise OSError(errno.EINVAL, "is a pipe, a socket or a device, not a file", os.fspath(path))
