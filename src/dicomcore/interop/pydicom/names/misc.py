"""pydicom.misc."""

from __future__ import annotations

import os
import re
import warnings

__all__ = ["is_dicom", "size_in_bytes", "warn_and_log"]

SIZE = re.compile(r"([0-9.]+)\s*([A-Za-z]+)")
FACTORS = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def size_in_bytes(expr: float | str | None) -> float | None:
    """The number of bytes that a number or a text such as "512 KB" states; None for None and infinity."""
    if expr is None or expr == float("inf"):
        return None
    if isinstance(expr, (int, float)):
        return expr
    try:
        return int(expr)
    except ValueError:
        match = SIZE.fullmatch(expr.strip())
    if not match or match[2].lower() not in FACTORS:
        raise ValueError(f"Unable to parse length with unit in {expr!r}")
    return float(match[1]) * FACTORS[match[2].lower()]


def is_dicom(file_path: str | os.PathLike[str]) -> bool:
    """Whether a file has the prefix DICM behind its preamble."""
    with open(file_path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def warn_and_log(msg: str, category: type[Warning] | None = None, stacklevel: int = 1) -> None:
    """Warn, and log the warning under "pydicom"."""
    import logging  # it takes longer than most of what this page stands for

    logging.getLogger("pydicom").warning(msg)
    warnings.warn(msg, category, stacklevel=stacklevel + 1)
