from collections.abc import Buffer
from typing import Any

from dicomcore._native.scan.index import Index
from dicomcore.limits import Limits

def open_index(
    given: Any,
    *,
    limits: Limits,
    force: bool = False,
    stop_before_pixels: bool = False,
    stop_tag: int = 0xFFFFFFFF,
    whole: bool = False,
) -> Index: ...
def open_data_set(
    given: Any,
    transfer_syntax: str,
    *,
    limits: Limits,
    offset: int = 0,
    length: int | None = None,
    stop_before_pixels: bool = False,
    mode: int | None = None,
) -> Index: ...
def open_group(given: Any, group: int, transfer_syntax: str, *, limits: Limits) -> Index: ...
def reopen_inflated(outer: Index, inflated: Buffer, *, stop_tag: int = 0xFFFFFFFF, trouble: str = "") -> Index: ...
def reopen(
    data: bytes,
    limits: Limits,
    stop_before_pixels: bool,
    stop_tag: int,
    inflated: bool,
    whole: bool = True,
    first: int = 0,
    stated: str | None = None,
    mode: int = 0,
    group: int = -1,
) -> Index: ...
