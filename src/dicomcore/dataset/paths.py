"""Walking through a data set and its items, and what the places of elements are called.

Nothing here is recursive, as the input says how deep items are nested; nothing goes on without end, as a data set made
in memory can be an item of itself. `unfolded` is for those who give something else than elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dicomcore._native.views.unfold import Below, unfolded

if TYPE_CHECKING:
    from dicomcore.dataset import DataElement, Dataset

__all__ = ["Below", "name_of", "unfolded", "walk"]

Elements = Callable[["Dataset"], Iterable["DataElement"]]


def name_of(element: DataElement) -> str:
    """What an element is called in a path: its keyword, or ``(gggg,eeee)`` where no dictionary knows it."""
    return element.keyword or str(element.tag)


def walk(
    data_set: Dataset, *, elements: Elements = iter, name: Callable[[DataElement], str] = name_of
) -> Iterator[tuple[str, int, DataElement]]:
    """(path, depth, element) of all elements, each sequence's before those of its items.

    A path is ``BeamSequence[0].BeamName``: names, and numbers of items from 0; the depth counts the items around the
    element. `elements` gives those of one data set that are to be seen, and below which to go on.

    Raises EncodeError where a data set is an item of itself.
    """
    return unfolded(data_set, _parts(data_set, "", 0, elements, name))


def _parts(data_set: Dataset, within: str, depth: int, elements: Any, name: Any) -> Iterator[Any]:
    for element in elements(data_set):
        path = within + name(element)
        yield path, depth, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value or ()):
                yield Below(item, _parts(item, f"{path}[{number}].", depth + 1, elements, name))
