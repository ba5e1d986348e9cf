from collections.abc import Callable

class Plain:
    served: int
    kept: int
    notice: int
    def __init__(
        self,
        contexts: list[tuple[int, bytes, bytes, bytes, bytes]],
        *,
        beginning: bytes,
        incoming: bytes,
        home: Callable[[bytes, bytes], bytes],
        longest: int,
        fragment: int,
        command_bytes: int,
        file_bytes: int,
        free_bytes: int,
        durable: bool,
        hand: Callable[[list[str], Callable[[list[tuple[int, str]]], None]], None] | None = None,
        part: bytes = b"",
        most: int = 1,
    ) -> None: ...
    @property
    def waiting(self) -> int: ...
    @property
    def is_full(self) -> bool: ...
    def stop(self) -> None: ...
    def tell(self, numbers: list[int], results: list[tuple[int, str]]) -> None: ...
    def serve(self, file: int) -> tuple[bytes, bytes]: ...
    def feed(self, room: bytearray | memoryview, have: int) -> tuple[int, bytes, bool, bool]: ...
