"""Local files that Arrow opens. It would take text for UTF-8 whatever the locale, so it gets a name's bytes."""

from __future__ import annotations

import os

from dicomcore.archive.extra import needs_extra

with needs_extra("pyarrow"):
    import pyarrow as pa

__all__ = ["arrow_file"]


def arrow_file(path: str, mode: str = "rb") -> pa.OSFile:
    """The file at `path`, for Arrow's readers and writers; close it."""
    return pa.OSFile(path if os.name == "nt" else os.fsencode(path), mode)
