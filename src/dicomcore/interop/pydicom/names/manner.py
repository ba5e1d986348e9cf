"""pydicom's habits in native code: its classes for items and elements, and what is set to None stays None."""

from typing import Any

from dicomcore.dataset.serving import serve
from dicomcore.dataset.validation import check_value
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.base_dataset import Dataset, absent
from dicomcore.interop.pydicom.names.dataelem import DataElement
from dicomcore.interop.pydicom.names.numbers import IS
from dicomcore.interop.pydicom.names.person_name import PersonName
from dicomcore.interop.pydicom.names.sequence import Sequence

__all__ = ["adopt", "drop"]

MODES = {config.IGNORE: "ignore", config.WARN: "warn", config.RAISE: "raise"}


def adopt() -> None:
    """Make the items, sequences and elements of all data sets from now on instances of this package's classes."""
    serve(Dataset, Sequence, DataElement, PersonName, IS, keeps=True, advice=absent, check=checked)


def checked(mode: str, tag: Any, vr: str, value: Any) -> None:
    """Check a value that is set: by the mode of its data set, else as `config.settings` says for reading."""
    if mode == "warn":
        mode = MODES[config.settings.reading_validation_mode]
    if mode != "ignore":
        check_value(mode, tag, vr, value)


def drop() -> None:
    """Undo `adopt`."""
    serve()
