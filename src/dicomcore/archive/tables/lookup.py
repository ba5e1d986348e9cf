"""Finding the elements of a data set that a column shows, private and nested elements included."""

from __future__ import annotations

from dicomcore.archive.tables.columns import EVERY, Column, Step
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dictionary import keyword_for_tag
from dicomcore.tags import Tag

__all__ = ["NoSequenceError", "all_texts", "elements_of"]

LONGEST = 1024  # bytes of the longest value that `elements` shows as text; of longer values it shows the length


class NoSequenceError(Exception):
    """An element on a column's path is not a sequence, as the path requires."""


def elements_of(data_set: Dataset, column: Column) -> list[DataElement]:
    """The elements at the end of a column's path: none, one, or with EVERY several, in their order."""
    parents = [data_set]
    for step in column.steps:
        parents = [item for parent in parents for item in _items(parent, step)]
    elements = (_find(parent, column.tag, column.creator) for parent in parents)
    return [element for element in elements if element is not None]


def _items(parent: Dataset, step: Step) -> list[Dataset]:
    element = _find(parent, step.tag, step.creator)
    if element is None or (element.VR != "SQ" and not element.length):
        return []
    if element.VR != "SQ":
        raise NoSequenceError(f"a value of VR {element.VR} stands where a sequence was due")
    items: list[Dataset] = element.value
    return list(items) if step.item == EVERY else list(items[step.item : step.item + 1])


def _find(parent: Dataset, tag: Tag, creator: str) -> DataElement | None:
    if not creator:
        return parent[tag] if tag in parent else None  # noqa: SIM401  get() gives values for keywords
    try:
        return parent.get_private_item(tag.group, tag.element, creator)
    except KeyError:
        return None


def all_texts(data_set: Dataset) -> dict[str, str]:
    """Every top-level element as text, file meta information first.

    The keys are keywords, ``0019xx08:CREATOR`` for private elements, and tags for others. Multiple values are
    separated by backslashes. A sequence is shown by its number of items, a value that is not text by its number of
    bytes.
    """
    texts: dict[str, str] = {}
    for parent in (data_set.file_meta, data_set):
        for element in parent if parent is not None else ():
            texts[_key(parent, element)] = _shown(element)
    return texts


def _key(parent: Dataset | None, element: DataElement) -> str:
    tag = element.tag
    if not tag.is_private:
        return keyword_for_tag(tag) or f"{tag:08x}"
    creator = "" if parent is None or tag.is_private_creator else _creator(parent, tag)
    return f"{tag.group:04x}xx{tag.element & 0xFF:02x}:{creator}" if creator else f"{tag:08x}"


def _creator(parent: Dataset, tag: Tag) -> str:
    owner = tag.private_creator
    return str(parent[owner].value).strip() if owner in parent else ""


def _shown(element: DataElement) -> str:
    if element.VR == "SQ":
        return f"<{len(element.value)} items>"
    length = element.length or 0
    if element.tag == 0x7FE00010 or length > LONGEST:
        return f"<{length} bytes>"
    value = element.value
    if isinstance(value, bytes):
        text = value.decode("latin-1").rstrip(" \0")
        return text if text.isprintable() else f"<{length} bytes>"
    values = value if isinstance(value, list) else [] if value is None else [value]
    texts = (f"{int(component):08x}" if isinstance(component, Tag) else str(component) for component in values)
    return "\\".join(text.rstrip(" \0") for text in texts)
