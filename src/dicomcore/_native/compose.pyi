from typing import Any

from dicomcore._native.dataset import DatasetBase
from dicomcore._native.index import Index
from dicomcore._native.output import Output

def compose(
    data_set: DatasetBase,
    out: Output,
    *,
    implicit: bool,
    big: bool,
    encapsulated: bool,
    lengths: str | None = None,
    repair: bool = False,
    forced: tuple[str, ...] | None = None,
) -> None: ...
def is_untouched(data_set: DatasetBase) -> bool: ...
def changed_elements(data_set: DatasetBase) -> dict[int, Any]: ...
def head_conforms(index: Index) -> bool: ...
