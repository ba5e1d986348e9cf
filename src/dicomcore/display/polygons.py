"""Fill polygons on a grid of pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fill"]


def fill(down: NDArray[np.float64], across: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.uint8]:
    """Fill a closed polygon by the even-odd rule; return (rows, columns) of uint8, 1 where a pixel's centre is inside.

    `down` and `across` are the coordinates of the corners in rows and columns; the centre of pixel (0, 0) is at 0, 0. A
    centre on an upper or left edge is inside, one on a lower or right edge outside, so that adjacent polygons share no
    pixel.
    """
    crossings = np.zeros((rows, columns + 1), np.uint8)
    next_down, next_across = np.roll(down, -1), np.roll(across, -1)
    low, high = np.minimum(down, next_down), np.maximum(down, next_down)
    first = np.clip(np.ceil(low), 0, rows).astype(np.intp)
    last = np.clip(np.ceil(high), 0, rows).astype(np.intp)  # the first row below the edge
    counts = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(down)), counts)
    if not edge.size:
        return crossings[:, :columns]
    row = np.arange(edge.size) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    share = (row - down[edge]) / (next_down[edge] - down[edge])
    crossing = across[edge] + share * (next_across[edge] - across[edge])
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.intp)
    np.bitwise_xor.at(crossings, (row, column), 1)
    return np.bitwise_xor.accumulate(crossings, axis=1)[:, :columns]
