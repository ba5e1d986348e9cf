from collections.abc import Buffer
from typing import Any

from dicomcore._native.views.dataset import DatasetBase

def read_usual(
    data: bytes, root: DatasetBase, depth: int, elements: int
) -> tuple[int, list[tuple[Any, str, int, bytes | dict[str, str]]]] | None: ...
def read_usual_xml(
    data: bytes, begin: int, root: DatasetBase, depth: int, elements: int
) -> tuple[int, list[tuple[Any, str, int, bytes]]] | None: ...
def object_spans(text: Buffer) -> list[tuple[int, int]] | None: ...
