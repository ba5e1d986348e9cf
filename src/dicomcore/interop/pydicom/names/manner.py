"""pydicom's habits in native code: its classes for items and elements, and what is set to None stays None."""

from dicomcore.dataset.serving import serve
from dicomcore.interop.pydicom.names.base_dataset import Dataset, absent
from dicomcore.interop.pydicom.names.dataelem import DataElement
from dicomcore.interop.pydicom.names.numbers import IS
from dicomcore.interop.pydicom.names.person_name import PersonName
from dicomcore.interop.pydicom.names.sequence import Sequence

__all__ = ["adopt", "drop"]


def adopt() -> None:
    """Make the items, sequences and elements of all data sets from now on instances of this package's classes."""
    serve(Dataset, Sequence, DataElement, PersonName, IS, keeps=True, advice=absent)


def drop() -> None:
    """Undo `adopt`."""
    serve()
