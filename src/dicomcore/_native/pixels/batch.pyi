from collections.abc import Buffer

from dicomcore._native.scan.index import Index

class How:
    size: int
    def __init__(
        self,
        *,
        pixels: int,
        samples: int,
        width: int,
        header: bytes | None,
        bits: int = 0,
        is_signed: bool = False,
        to_rgb: bool = False,
    ) -> None: ...

class Batch:
    def __init__(
        self, how: How, source: Index | Buffer, base: int, spans: Buffer, dst: Buffer, exact: bool = True
    ) -> None: ...
    def run(self, most: int) -> bool: ...
    def stop(self) -> None: ...
    def left(self) -> list[int]: ...
