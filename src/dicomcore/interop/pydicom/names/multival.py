"""pydicom.multival: several values are plain lists here, and every list is a `MultiValue`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, SupportsIndex

from dicomcore.dataset import Sequence

__all__ = ["ConstrainedList", "MultiValue"]


class _AnyList(type):
    def __instancecheck__(cls, value: object) -> bool:
        if cls is MultiValue:
            return isinstance(value, list) and not isinstance(value, Sequence)
        return type.__instancecheck__(cls, value)


class ConstrainedList(list):  # type: ignore[type-arg]
    """A list whose entries pass through `_validate`."""

    def __init__(self, iterable: Iterable[Any] | None = None) -> None:
        super().__init__([self._validate(one) for one in iterable or ()])

    def _validate(self, item: Any) -> Any:
        raise NotImplementedError(f"'{type(self).__name__}._validate()' must be implemented")

    def append(self, item: Any) -> None:
        """Add an entry at the end."""
        super().append(self._validate(item))

    def extend(self, val: Iterable[Any]) -> None:
        """Add several entries at the end."""
        super().extend(self._validate(one) for one in _iterable(val))

    def insert(self, position: SupportsIndex, item: Any) -> None:
        """Insert an entry before `position`."""
        super().insert(position, self._validate(item))

    def __iadd__(self, other: Iterable[Any]) -> Self:  # type: ignore[override, misc]
        self.extend(other)
        return self

    def __setitem__(self, index: Any, val: Any) -> None:
        super().__setitem__(
            index, [self._validate(one) for one in val] if isinstance(index, slice) else self._validate(val)
        )


class MultiValue(ConstrainedList, metaclass=_AnyList):
    """A list whose entries are made by a constructor; `isinstance` is true of every list but a `Sequence`."""

    def __init__(
        self, type_constructor: Callable[[Any], Any], iterable: Iterable[Any], validation_mode: Any = None
    ) -> None:
        self._constructor = type_constructor
        super().__init__(iterable)

    def _validate(self, item: Any) -> Any:
        return self._constructor(item)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._constructor, list(self))

    def __str__(self) -> str:
        if not self:
            return ""
        return "[" + ", ".join(repr(one) if isinstance(one, (str, bytes)) else str(one) for one in self) + "]"

    __repr__ = __str__


def _iterable(val: Any) -> Iterable[Any]:
    if not hasattr(val, "__iter__"):
        raise TypeError("An iterable is required")
    return val  # type: ignore[no-any-return]
