"""Going down through data sets and their items without recursion, and without end where one is in itself."""

from __future__ import annotations

from dicomcore.errors import EncodeError

__all__ = ["enter"]


def enter(above: set[int], data_set: object) -> None:
    """Note a data set among those that are open; EncodeError where it is open already, as an item of itself."""
    if id(data_set) in above:
        raise EncodeError("a data set can't be an item of itself")
    above.add(id(data_set))
