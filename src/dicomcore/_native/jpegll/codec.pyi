from collections.abc import Buffer
from typing import Any

def info(src: Buffer) -> dict[str, Any]: ...
def decode_frame(
    src: Buffer, dst: Buffer, width: int, apart: bool = False, lenient: bool = False
) -> int | None: ...
