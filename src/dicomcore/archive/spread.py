"""Stretches of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["spread"]


def spread(firsts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of stretches that begin at `firsts`."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(firsts - (ends - counts), counts)
