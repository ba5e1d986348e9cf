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
from dicomcore.values import PersonName

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["serve"]


def serve(
    dataset: type[Dataset] = Dataset,
    sequence: type[Sequence] = Sequence,
    element: type[DataElement] | None = None,
    name: type[PersonName] | None = None,
    whole: type[int] | None = None,
    *,
    keeps: bool = False,
    advice: Callable[[object, str], str | None] = own_advice,
    check: Callable[[str, Any, str, Any], None] = check_value,
) -> None:
    """Make the items, sequences, elements and names of all data sets from now on instances of these classes.

    `dicomcore.interop.pydicom.install` calls this, once for a process: data sets that are in use stay as they are.

    Parameters
    ----------
    dataset, sequence : type
        The classes of items and of the values of sequences.
    element, name, whole : type, optional
        The classes of elements, of PN values and of IS values.
    keeps : bool
        pydicom's habits: a DS keeps its text; None and dates that are set stay so; bytes that are set as text are
        decoded; text that is set as a number has to be one.
    advice : callable
        Called with a data set and the name of an attribute that it does not have; returns the message, or None.
    check : callable
        Called with the data set's mode of validation, tag, VR and value of what is set; warns, or raises.
    """
    set_classes(
        dataset=dataset,
        sequence=sequence,
        element=element,
        name=name,
        whole=whole,
        keeps=keeps,
        element_line=element_line,
        check_value=check,
        check_name=check_name,
        advice=advice,
        setting_advice=setting_advice,
    )
