"""Walk through a data set and its items, and name the paths of elements.

Nothing here is recursive, because the input decides how deep items are nested. Every walk ends, although a data set
made in memory can be an item of itself. `unfolded` is the same walk for generators that yield something else than
elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dicomcore._native.views.unfold import Below, unfolded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dicomcore.dataset import DataElement, Dataset

__all__ = ["Below", "name_of", "unfolded", "walk"]

Elements = Callable[["Dataset"], Iterable["DataElement"]]


def name_of(element: DataElement) -> str:
    """An element's name in a path: its keyword, or ``(gggg,eeee)`` if no dictionary knows it."""
    return element.keyword or str(element.tag)


def walk(
    data_set: Dataset, *, elements: Elements = iter, name: Callable[[DataElement], str] = name_of
) -> Iterator[tuple[str, int, DataElement]]:
    """(path, depth, element) of all elements, a sequence before the elements of its items.

    A path is ``BeamSequence[0].BeamName``: names, and numbers of items from 0. The depth counts the items around the
    element. `elements` chooses the elements of one data set; the walk goes into those that are sequences.

    Raises EncodeError if a data set is an item of itself.
    """
    return unfolded(data_set, _parts(data_set, "", 0, elements, name))


def _parts(data_set: Dataset, within: str, depth: int, elements: Any, name: Any) -> Iterator[Any]:
    for element in elements(data_set):
        path = within + name(element)
        yield path, depth, element
        if element.VR == "SQ":
            for number, item in enumerate(element.value or ()):
                yield Below(item, _parts(item, f"{path}[{number}].", depth + 1, elements, name))
