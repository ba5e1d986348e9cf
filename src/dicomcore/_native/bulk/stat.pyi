from typing import Any

from numpy.typing import NDArray

OTHER: int
ABSENT: int

def survey(
    paths: list[str], hashes: NDArray[Any], sizes: NDArray[Any], times: NDArray[Any], k0: int, k1: int
) -> None: ...
