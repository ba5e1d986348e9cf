from dicomcore._native.views.dataset import DatasetBase

def read_usual(
    data: bytes, root: DatasetBase, depth: int, elements: int
) -> tuple[int, list[tuple[DatasetBase, str, int, bytes]]] | None: ...
