from dicomcore._native.views.data_element import DataElement
from dicomcore._native.views.dataset import DatasetBase
from dicomcore._native.write.output import Output

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
def bytes_in_place(element: DataElement) -> bytes | None: ...
