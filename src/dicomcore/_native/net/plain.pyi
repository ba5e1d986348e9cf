from collections.abc import Callable

class Plain:
    served: int
    kept: int
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
    ) -> None: ...
    def stop(self) -> None: ...
    def serve(self, file: int) -> tuple[bytes, bytes]: ...
