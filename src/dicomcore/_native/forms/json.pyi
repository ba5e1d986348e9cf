from collections.abc import Callable
from typing import Any

from dicomcore._native.views.data_element import DataElement
from dicomcore._native.views.dataset import DatasetBase

def settled_vr(element: DataElement, view: DatasetBase) -> str: ...
def write_json(
    data_set: DatasetBase,
    meta: DatasetBase | None,
    odd: Callable[[str, Any], str],
    bulk: Callable[[Any], str] | str | None,
    most: int,
    added_tag: int = ...,
    added: str | None = ...,
) -> str: ...
