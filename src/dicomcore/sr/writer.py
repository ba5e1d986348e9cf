"""Write content trees into data sets (PS3.3 C.17.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.building import build, lay_over
from dicomcore.dataset.lookup import items_of
from dicomcore.errors import EncodeError
from dicomcore.sr.item import ContentItem, Position, position_text
from dicomcore.sr.macros import RELATIONSHIPS, VALUE_TYPES, attributes_of, item_of

if TYPE_CHECKING:
    from dicomcore.sr.report import Report

__all__ = ["write"]


def write(tree: ContentItem | Report, data_set: Dataset | None = None) -> Dataset:
    """Return a copy of `data_set` with this content tree instead of its own.

    `data_set` is by default the one that the tree was read from, or else an empty one.

    Items that were read and not changed are copied as they are, with all their other attributes. By-reference
    relationships get the current position of their target. Raises EncodeError, which names the position of the content
    item, for an unknown value type, a value that does not fit the value type, a missing relationship, a target outside
    the tree, and an item that occurs twice in the tree.
    """
    root = tree if isinstance(tree, ContentItem) else tree.root
    try:
        items = list(root.walk())
    except ValueError as error:
        raise EncodeError(str(error)) from None
    positions: dict[int, Position] = {}
    for position, item in items:
        first = positions.setdefault(id(item), position)
        if first != position:
            raise EncodeError(f"content item {position_text(position)} is also {position_text(first)}: make a copy")
    written: dict[int, Dataset] = {}
    for position, item in reversed(items):
        written[id(item)] = _data_set_of(position, item, positions, written)
    content = written[id(root)]
    if data_set is None or root.source is data_set:
        return content.copy()
    result = data_set.copy()
    old_attributes = attributes_of(item_of(result), None) if "ValueType" in result else {}
    for keyword in (*old_attributes, "ContentSequence"):
        if keyword in result:
            del result[keyword]
    for keyword in (*attributes_of(root, None), "ContentSequence"):
        if keyword in content:
            setattr(result, keyword, content[keyword].value)
    return result


def _data_set_of(
    position: Position, item: ContentItem, positions: dict[int, Position], written: dict[int, Dataset]
) -> Dataset:
    """Build the data set of one item; return its source if neither the item nor anything below it changed."""
    known = VALUE_TYPES.get(item.value_type)
    if known is not None and item.value is not None and not isinstance(item.value, known.kind):
        raise EncodeError(_mismatch(position, item))
    now = attributes_of(item, _target(position, item, positions))
    children = [written[id(child)] for child in item.children]
    source = item.source
    if source is None:
        _check(position, item)
        data_set = build(now)
    else:
        item_read = item_of(source)
        before = attributes_of(item_read, item_read.target if isinstance(item_read.target, tuple) else None)
        same_children = _are_the_same(children, items_of(source, "ContentSequence"))
        if before == now and same_children:
            return source
        if before != now:
            _check(position, item)
        data_set = lay_over(source, before, now)
        if same_children:
            return data_set
    if children:
        data_set.ContentSequence = Sequence(children)
    elif "ContentSequence" in data_set:
        del data_set["ContentSequence"]
    return data_set


def _are_the_same(children: list[Dataset], items: list[Dataset]) -> bool:
    return len(children) == len(items) and all(one is other for one, other in zip(children, items, strict=True))


def _target(position: Position, item: ContentItem, positions: dict[int, Position]) -> Position | None:
    if item.target is None or isinstance(item.target, tuple):
        return item.target
    if id(item.target) not in positions:
        raise EncodeError(f"content item {position_text(position)} refers to an item outside the tree")
    return positions[id(item.target)]


def _mismatch(position: Position, item: ContentItem) -> str:
    return f"content item {position_text(position)} is a {item.value_type} and holds {item.value!r:.80}"


def _check(position: Position, item: ContentItem) -> None:
    """Raise EncodeError unless the item has a relationship, a value type, and a value or target that fits them."""
    name = f"content item {position_text(position)}"
    if len(position) > 1 and item.relationship not in RELATIONSHIPS:
        allowed = ", ".join(sorted(RELATIONSHIPS))
        raise EncodeError(f"{name} has the relationship {item.relationship!r}, which is none of {allowed}")
    if item.target is not None:
        if item.value_type:
            raise EncodeError(f"{name} has a target and the value type {item.value_type}: it can't have both")
        return
    known = VALUE_TYPES.get(item.value_type)
    if known is None:
        raise EncodeError(f"{name} has the value type {item.value_type!r}, which is none of {', '.join(VALUE_TYPES)}")
    if not isinstance(item.value, known.kind):
        raise EncodeError(_mismatch(position, item))
    if item.value_type == "CONTAINER" and item.continuity not in ("SEPARATE", "CONTINUOUS"):
        raise EncodeError(f"{name} is a CONTAINER whose continuity is {item.continuity!r}: SEPARATE or CONTINUOUS")
