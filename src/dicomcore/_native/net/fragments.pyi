Fragment = tuple[int, int, int, int]

class Fragments:
    completed: int
    @property
    def is_inside(self) -> bool: ...
    def skip(self, count: int) -> int: ...
    def scan(
        self, data: bytes | bytearray | memoryview, start: int, stop: int, longest: int
    ) -> tuple[int, list[Fragment], int]: ...
