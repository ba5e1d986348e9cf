from collections.abc import Callable
from typing import Any

class Rules:
    def __init__(
        self,
        *,
        rows: list[tuple[int, str, str, int, int, str]],
        private: list[tuple[bytes, int, int, str, str]],
        nets: dict[str, str],
        functions: tuple[Callable[[Any], Any], ...],
        unknown_removed: bool,
        structured: bool,
        descriptors: bool,
    ) -> None: ...
