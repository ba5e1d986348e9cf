from collections.abc import Iterable

from dicomcore._native.bulk.column import Block
from dicomcore._native.check.coherence import Found

class Checker:
    def __init__(
        self,
        paths: list[str] | list[str | None] | list[None],
        *,
        sop_class: int,
        codes: Iterable[int],
        structure: bool,
        notes: bool,
        folds: bool,
        coherence: bool,
        forms: bool,
        counts: bool,
        retired: bool,
        issues: bool,
        most: int,
        depth: int,
        elements: int,
    ) -> None: ...
    @property
    def row_count(self) -> int: ...
    def run(self) -> int: ...
    def put(
        self,
        size: int | None,
        mtime: int | None,
        sop_class: str | None,
        instance: str | None,
        unknown: int,
        found: list[tuple[int, int]],
    ) -> None: ...
    def finish(
        self,
    ) -> tuple[list[tuple[int, Block, Block | None, Block | None, Block]], bytes, bytes, bytes, list[Found]]: ...
