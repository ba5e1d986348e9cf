from typing import Any

MOST_FILES: int

class Batch:
    identifier: int
    came: int
    fault: int
    def __init__(self, contexts: list[tuple[int, bytes, bytes]], fragment: int) -> None: ...
    def run(
        self, file: int, sources: list[Any], identifier: int, room: bytearray | memoryview
    ) -> tuple[list[tuple[int, str, int]], tuple[int, str] | None]: ...
    @property
    def left(self) -> bytes: ...
    @property
    def waited(self) -> float: ...
