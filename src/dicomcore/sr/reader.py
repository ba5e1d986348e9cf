"""Read content trees from data sets, incomplete ones included (PS3.3 C.17.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dicomcore.dataset.lookup import items_of
from dicomcore.errors import ParseError
from dicomcore.issues import Issue
from dicomcore.sr.item import ContentItem, Position, position_text
from dicomcore.sr.macros import RELATIONSHIPS, VALUE_TYPES, item_of
from dicomcore.sr.report import Report
from dicomcore.sr.values import Numeric
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["read"]

NAMED = frozenset(("TEXT", "NUM", "CODE", "DATETIME", "DATE", "TIME", "UIDREF", "PNAME"))
"""Value types whose items need a concept name everywhere in a tree (PS3.3 Table C.17-5)."""


def read(data_set: Dataset, *, strict: bool = False) -> Report:
    """Read the content tree of a structured report, or of any other data set that has one.

    Deviations from the standard are listed in the `issues` of the report; with `strict` the first one raises
    ParseError. A data set without any content raises ParseError, too.
    """
    if "ValueType" not in data_set and "ContentSequence" not in data_set:
        raise ParseError("the data set has no content: neither Value Type (0040,A040) nor Content Sequence")
    root = item_of(data_set)
    check = _Check(strict)
    check.item((1,), root)
    pending: list[tuple[Position, ContentItem, Dataset]] = [((1,), root, data_set)]
    by_reference: list[tuple[Position, Position, ContentItem]] = []
    while pending:
        position, parent, data_set_of_parent = pending.pop()
        for number, item_set in enumerate(items_of(data_set_of_parent, "ContentSequence"), 1):
            here = (*position, number)
            item = item_of(item_set)
            parent.children.append(item)
            if isinstance(item.target, tuple):
                by_reference.append((here, position, item))
            pending.append((here, item, item_set))
    for here, item in root.walk():
        if len(here) > 1:
            check.item(here, item)
    check.references(root, by_reference)
    return Report(root, tuple(check.issues), data_set)


class _Check:
    """Collects issues, or raises the first one."""

    def __init__(self, strict: bool) -> None:
        self.issues: list[Issue] = []
        self._strict = strict

    def _note(self, code: str, position: Position, item: ContentItem, message: str, keyword: str) -> None:
        text = f"content item {position_text(position)} {message}"
        source = item.source
        offset = source[keyword].offset if source is not None and keyword in source else None
        if self._strict:
            raise ParseError(text, offset=offset, tag=int(Tag(keyword)))
        self.issues.append(Issue(code, Tag(keyword), offset or 0, text))

    def item(self, position: Position, item: ContentItem) -> None:
        """Report what an item is missing, and what contradicts its value type."""
        is_root = len(position) == 1
        if not is_root and item.relationship not in RELATIONSHIPS:
            message = f"has the relationship {item.relationship!r}" if item.relationship else "has no Relationship Type"
            self._note("RELATIONSHIP", position, item, message, "RelationshipType")
        if item.target is not None:
            if item.value_type:
                self._note("REFERENCE", position, item, "has a value and refers to another", "ValueType")
            return
        known = VALUE_TYPES.get(item.value_type)
        if known is None:
            message = f"has the unknown value type {item.value_type!r}" if item.value_type else "has no Value Type"
            self._note("VALUE_TYPE", position, item, message, "ValueType")
            return
        if is_root and item.value_type != "CONTAINER":
            self._note("ROOT", position, item, f"is a {item.value_type}; a root must be a CONTAINER", "ValueType")
        if item.concept is None and (is_root or item.value_type in NAMED):
            self._note("CONCEPT_NAME", position, item, "has no Concept Name", "ConceptNameCodeSequence")
        elif item.concept is not None and not item.concept.value:
            self._note("CONCEPT_NAME", position, item, "has a Concept Name without a code", "ConceptNameCodeSequence")
        missing = item.source is None or known.keyword not in item.source
        if missing or (item.value is None and item.value_type != "CONTAINER"):
            message = f"is a {item.value_type} without {'a readable ' * (not missing)}{known.keyword}"
            self._note("VALUE", position, item, message, known.keyword)
        elif known.keyword.endswith("Sequence"):
            self._sequence(position, item, known.keyword)

    def _sequence(self, position: Position, item: ContentItem, keyword: str) -> None:
        """Report items of a value's sequence that were not read."""
        items = [] if item.source is None else items_of(item.source, keyword)
        if len(items) > 1:
            message = f"is a {item.value_type} with {len(items)} items in {keyword}, of which the first is read"
            self._note("VALUE", position, item, message, keyword)
        if isinstance(item.value, Numeric) and items and item.value.value is None:
            self._note("VALUE", position, item, "is a NUM without a readable NumericValue", keyword)
        elif isinstance(item.value, Numeric) and items and isinstance(items[0].get("NumericValue"), list):
            count = len(items[0].get("NumericValue"))
            message = f"is a NUM with {count} values in NumericValue, of which the first is read"
            self._note("VALUE", position, item, message, keyword)

    def references(self, root: ContentItem, by_reference: list[tuple[Position, Position, ContentItem]]) -> None:
        """Replace target positions by the items there; report targets that do not exist, and loops."""
        keyword = "ReferencedContentItemIdentifier"
        for here, _, item in sorted(by_reference, key=lambda entry: entry[0]):
            assert isinstance(item.target, tuple)
            target = root.at(item.target)
            if target is None:
                message = f"refers to {position_text(item.target)}, which does not exist"
                self._note("REFERENCE", here, item, message, keyword)
            else:
                item.target = target
        for here, item in _loops(root):
            self._note("REFERENCE_LOOP", here, item, "refers to an item that leads back to it", keyword)


def _loops(root: ContentItem) -> list[tuple[Position, ContentItem]]:
    """Find by-reference items whose target leads back to them, down the tree and along references."""
    positions = {id(item): position for position, item in root.walk()}
    referring: dict[Position, ContentItem] = {}
    open_items: set[int] = {id(root)}
    done: set[int] = set()
    pending = [(root, _leads_to(root))]
    while pending:
        item, leads_to = pending[-1]
        successor = next(leads_to, None)
        if successor is None:
            pending.pop()
            open_items.discard(id(item))
            done.add(id(item))
        elif id(successor) in open_items:  # the last reference on the path to here closes the loop
            last = next(entry for entry, _ in reversed(pending) if isinstance(entry.target, ContentItem))
            referring[positions[id(last)]] = last
        elif id(successor) not in done:
            open_items.add(id(successor))
            pending.append((successor, _leads_to(successor)))
    return sorted(referring.items(), key=lambda entry: entry[0])


def _leads_to(item: ContentItem) -> Iterator[ContentItem]:
    if isinstance(item.target, ContentItem):
        yield item.target
    yield from item.children
