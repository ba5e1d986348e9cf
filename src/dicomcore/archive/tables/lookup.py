"""The elements of a data set that a column shows, private and nested ones too."""

from __future__ import annotations

from dicomcore.archive.tables.columns import EVERY, Column, Step
from dicomcore.dataset import DataElement, Dataset
from dicomcore.dictionary import keyword_for_tag
from dicomcore.tags import Tag

__all__ = ["NoSequenceError", "all_texts", "elements_of"]

LONGEST = 1024  # bytes of a value that is shown as text among all elements; of a longer one its length is


class NoSequenceError(Exception):
    """Another element stands where a column's path has a sequence."""


def elements_of(data_set: Dataset, column: Column) -> list[DataElement]:
    """The elements at the end of a column's path: none, one, or with EVERY several, in their order."""
    homes = [data_set]
    for step in column.steps:
        homes = [item for home in homes for item in _items(home, step)]
    found = (_find(home, column.tag, column.creator) for home in homes)
    return [element for element in found if element is not None]


def _items(home: Dataset, step: Step) -> list[Dataset]:
    element = _find(home, step.tag, step.creator)
    if element is None or (element.VR != "SQ" and not element.length):
        return []
    if element.VR != "SQ":
        raise NoSequenceError(f"a value of VR {element.VR} stands where a sequence was due")
    items: list[Dataset] = element.value
    return list(items) if step.item == EVERY else list(items[step.item : step.item + 1])


def _find(home: Dataset, tag: Tag, creator: str) -> DataElement | None:
    if not creator:
        return home[tag] if tag in home else None  # noqa: SIM401  get() gives values for keywords
    try:
        return home.get_private_item(tag.group, tag.element, creator)
    except KeyError:
        return None


def all_texts(data_set: Dataset) -> dict[str, str]:
    """Every top-level element as text, file meta information first: by keyword, private ones as
    ``0019xx08:CREATOR``, others by tag. Several values have a backslash between; of a sequence the number of items
    is shown, of what is no text the number of bytes."""
    found: dict[str, str] = {}
    for home in (data_set.file_meta, data_set):
        for element in home if home is not None else ():
            found[_key(home, element)] = _shown(element)
    return found


def _key(home: Dataset | None, element: DataElement) -> str:
    tag = element.tag
    if not tag.is_private:
        return keyword_for_tag(tag) or f"{tag:08x}"
    creator = "" if home is None or tag.is_private_creator else _creator(home, tag)
    return f"{tag.group:04x}xx{tag.element & 0xFF:02x}:{creator}" if creator else f"{tag:08x}"


def _creator(home: Dataset, tag: Tag) -> str:
    owner = tag.private_creator
    return str(home[owner].value).strip() if owner in home else ""


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
    several = value if isinstance(value, list) else [] if value is None else [value]
    texts = (f"{int(one):08x}" if isinstance(one, Tag) else str(one) for one in several)
    return "\\".join(text.rstrip(" \0") for text in texts)
