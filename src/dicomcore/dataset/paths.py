"""Going down through a data set and its items: without recursion, as the input says how deep they are nested, and
never without end, as a data set made in memory can be an item of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from dicomcore._native.views.dataset import enter

if TYPE_CHECKING:
    from dicomcore.dataset import DataElement, Dataset

__all__ = ["Below", "name_of", "unfolded", "walk"]

T = TypeVar("T")
Elements = Callable[["Dataset"], Iterable["DataElement"]]


class Below(NamedTuple, Generic[T]):
    """Stands among the parts of a data set where those of one of its items belong."""

    item: Any
    parts: Iterator[T | Below[T]]


def unfolded(data_set: Any, parts: Iterator[T | Below[T]]) -> Iterator[T]:
    """The parts of a data set, with those of an item in the place of each `Below`, however deep.

    Raises EncodeError where a data set is an item of itself.
    """
    above = {id(data_set)}
    stack = [Below(data_set, parts)]
    part: Any
    while stack:
        for part in stack[-1].parts:
            if type(part) is Below:
                enter(above, part.item)
                stack.append(part)
                break
            yield part
        else:
            above.discard(id(stack.pop().item))


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
