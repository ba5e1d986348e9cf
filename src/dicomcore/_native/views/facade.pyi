from collections.abc import Callable
from typing import Any

from dicomcore._native.views.data_element import DataElement
from dicomcore.dataset import Dataset, Sequence
from dicomcore.values import PersonName

def set_classes(
    *,
    dataset: type[Dataset],
    sequence: type[Sequence],
    element: type[DataElement] | None,
    name: type[PersonName] | None,
    whole: type[int] | None,
    keeps: bool,
    element_line: Callable[[DataElement], str],
    check_value: Callable[[str, Any, str, Any], None],
    check_name: Callable[[str, str], None],
    advice: Callable[[Any, str], str | None],
    setting_advice: Callable[[Any, str], str | None],
) -> None: ...
