"""Content trees into data sets (PS3.3 C.17.3)."""

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
    """Give a copy of `data_set` that has the content tree in place of its own.

    Without a `data_set` it is the one that the tree was read from, or an empty one.

    Items that were read and not changed are taken over as they are, with whatever else they hold. By-reference
    relationships get the position that their target has now. Raises EncodeError, which names the item's position, for
    what makes no content item: an unknown value type, a value that isn't its type's, a missing relationship, a target
    outside the tree, an item that stands in it twice.
    """
    root = tree if isinstance(tree, ContentItem) else tree.root
    try:
        placed = list(root.walk())
    except ValueError as error:
        raise EncodeError(str(error)) from None
    positions: dict[int, Position] = {}
    for position, item in placed:
        first = positions.setdefault(id(item), position)
        if first != position:
            raise EncodeError(f"content item {position_text(position)} is also {position_text(first)}: make a copy")
    made: dict[int, Dataset] = {}
    for position, item in reversed(placed):
        made[id(item)] = _written(position, item, positions, made)
    held = made[id(root)]
    if data_set is None or root.source is data_set:
        return held.copy()
    whole = data_set.copy()
    before = attributes_of(item_of(whole), None) if "ValueType" in whole else {}
    for keyword in (*before, "ContentSequence"):
        if keyword in whole:
            del whole[keyword]
    for keyword in (*attributes_of(root, None), "ContentSequence"):
        if keyword in held:
            setattr(whole, keyword, held[keyword].value)
    return whole


def _written(
    position: Position, item: ContentItem, positions: dict[int, Position], made: dict[int, Dataset]
) -> Dataset:
    """The data set of one item; the one it was read from, where neither it nor anything below changed."""
    known = VALUE_TYPES.get(item.value_type)
    if known is not None and item.value is not None and not isinstance(item.value, known.kind):
        raise EncodeError(_held(position, item))
    now = attributes_of(item, _target(position, item, positions))
    children = [made[id(child)] for child in item.children]
    source = item.source
    if source is None:
        _check(position, item)
        data_set = build(now)
    else:
        read = item_of(source)
        before = attributes_of(read, read.target if isinstance(read.target, tuple) else None)
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


def _are_the_same(children: list[Dataset], held: list[Dataset]) -> bool:
    return len(children) == len(held) and all(one is other for one, other in zip(children, held, strict=True))


def _target(position: Position, item: ContentItem, positions: dict[int, Position]) -> Position | None:
    if item.target is None or isinstance(item.target, tuple):
        return item.target
    if id(item.target) not in positions:
        raise EncodeError(f"content item {position_text(position)} refers to an item outside the tree")
    return positions[id(item.target)]


def _held(position: Position, item: ContentItem) -> str:
    return f"content item {position_text(position)} is a {item.value_type} and holds {item.value!r:.80}"


def _check(position: Position, item: ContentItem) -> None:
    """Refuse what makes no content item."""
    where = f"content item {position_text(position)}"
    if len(position) > 1 and item.relationship not in RELATIONSHIPS:
        allowed = ", ".join(sorted(RELATIONSHIPS))
        raise EncodeError(f"{where} has the relationship {item.relationship!r}, which is none of {allowed}")
    if item.target is not None:
        if item.value_type:
            raise EncodeError(f"{where} has a target and the value type {item.value_type}: it can't have both")
        return
    known = VALUE_TYPES.get(item.value_type)
    if known is None:
        raise EncodeError(f"{where} has the value type {item.value_type!r}, which is none of {', '.join(VALUE_TYPES)}")
    if not isinstance(item.value, known.kind):
        raise EncodeError(_held(position, item))
    if item.value_type == "CONTAINER" and item.continuity not in ("SEPARATE", "CONTINUOUS"):
        raise EncodeError(f"{where} is a CONTAINER whose continuity is {item.continuity!r}: SEPARATE or CONTINUOUS")
