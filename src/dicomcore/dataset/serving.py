"""Which classes native code makes items, sequences and elements of."""

from __future__ import annotations

from collections.abc import Callable

from dicomcore._native.views.data_element import DataElement
from dicomcore._native.views.facade import set_classes
from dicomcore.dataset.advice import advice as own_advice
from dicomcore.dataset.advice import setting_advice
from dicomcore.dataset.dataset import Dataset, Sequence
from dicomcore.dataset.printing import element_line
from dicomcore.dataset.validation import check_name, check_value

__all__ = ["serve"]


def serve(
    dataset: type[Dataset] = Dataset,
    sequence: type[Sequence] = Sequence,
    element: type[DataElement] | None = None,
    *,
    keeps: bool = False,
    advice: Callable[[object, str], str | None] = own_advice,
) -> None:
    """Make the items, sequences and elements of all data sets from now on instances of these classes.

    `keeps` leaves None and dates what they are when they are set, as pydicom does; `advice` gives the
    message for an attribute that a data set does not have. `dicomcore.interop.pydicom.install`
    calls this, once for a process: data sets that are in use stay as they are.
    """
    set_classes(
        dataset=dataset,
        sequence=sequence,
        element=element,
        keeps=keeps,
        element_line=element_line,
        check_value=check_value,
        check_name=check_name,
        advice=advice,
        setting_advice=setting_advice,
    )
