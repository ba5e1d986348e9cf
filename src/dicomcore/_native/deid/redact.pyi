from typing import Any

from dicomcore._native.deid.log import Log
from dicomcore._native.deid.rules import Rules
from dicomcore._native.scan.index import Index
from dicomcore._native.write.output import Output

def redact(
    index: Index,
    rules: Rules,
    mapping: Any,
    head: Output,
    body: Output,
    *,
    syntax: bytes,
    implementation: bytes,
    marks: tuple[tuple[int, bytes, bytes, bytes], ...],
    pixels: int = 0,
    cleaned: Any = None,
    identity: bool = False,
) -> tuple[Log, tuple[str, str, str, str] | None, bool]: ...
