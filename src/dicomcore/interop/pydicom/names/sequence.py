"""pydicom.sequence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dicomcore import dataset

__all__ = ["Sequence"]


class _AnySequence(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, dataset.Sequence) if cls is Sequence else type.__instancecheck__(cls, value)


class Sequence(dataset.Sequence, metaclass=_AnySequence):
    """The items of an SQ element."""

    is_undefined_length = False

    def __init__(self, iterable: Iterable[Any] | None = None) -> None:
        if isinstance(iterable, dataset.Dataset):
            raise TypeError("The Sequence constructor requires an iterable")
        super().__init__(() if iterable is None else iterable)

    def __str__(self) -> str:
        return f"[{''.join(str(item) for item in self)}]"
