"""ContentItem: a node of a content tree, with its children (PS3.3 C.17.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.code import Code

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["ContentItem", "Position", "Template", "position_text"]

Position = tuple[int, ...]
"""Position of an item in its tree: (1,) is the root, (1, 2) its second child (Referenced Content Item Identifier)."""

_Open = tuple["ContentItem", Position, "enumerate[ContentItem]"]


@dataclass(slots=True)
class Template:
    """The template that a container follows (Content Template Sequence)."""

    identifier: str
    mapping_resource: str = "DCMR"
    mapping_resource_uid: str | None = None
    version: str | None = None


@dataclass(slots=True, eq=False)
class ContentItem:
    """A content item: its concept name, its value, its relationship to its parent, and its children.

    | value_type | value |
    |---|---|
    | TEXT, DATE, TIME, DATETIME | str, as it stands in the file |
    | UIDREF, PNAME | UID, PersonName |
    | CODE, NUM | Code, Numeric |
    | COMPOSITE, IMAGE, WAVEFORM | Reference, ImageReference, WaveformReference |
    | SCOORD, SCOORD3D, TCOORD | Coordinates, Coordinates, TemporalRange |
    | TABLE | Table |
    | CONTAINER | None; see `continuity` and `template` |

    A by-reference relationship has no value type: its `target` is the item that it refers to, or a position if the file
    refers to an item that does not exist. Items are equal only if they are the same object.
    """

    value_type: str = ""
    concept: Code | None = None
    value: Any = None
    relationship: str | None = None
    """CONTAINS, HAS PROPERTIES, HAS OBS CONTEXT, HAS ACQ CONTEXT, INFERRED FROM, SELECTED FROM, HAS CONCEPT MOD."""
    children: list[ContentItem] = field(default_factory=list)
    continuity: str | None = None
    """SEPARATE or CONTINUOUS; only containers have it."""
    template: Template | None = None
    observed: str | None = None
    """Observation DateTime, DT text."""
    observation_uid: str | None = None
    target: ContentItem | Position | None = None
    source: Dataset | None = field(default=None, repr=False)
    """The data set that this item was read from. Its other attributes are kept when the item is written."""

    def add(self, *items: ContentItem) -> ContentItem:
        """Append children. Returns this item, so that a tree can be written as one expression."""
        self.children.extend(items)
        return self

    def walk(self) -> Iterator[tuple[Position, ContentItem]]:
        """Iterate over this item, at position (1,), and all below it, each before its children.

        References are not followed. Raises ValueError where an item stands below itself.
        """
        above = {id(self)}
        yield (1,), self
        pending: list[_Open] = [(self, (1,), enumerate(self.children, 1))]
        while pending:
            parent, position, children = pending[-1]
            number, item = next(children, (0, None))
            if item is None:
                above.discard(id(parent))
                pending.pop()
                continue
            here = (*position, number)
            if id(item) in above:
                raise ValueError(f"content item {position_text(here)} stands below itself")
            yield here, item
            above.add(id(item))
            pending.append((item, here, enumerate(item.children, 1)))

    def find(
        self, concept: Code | str | None = None, *, value_type: str | None = None, relationship: str | None = None
    ) -> list[ContentItem]:
        """List the items with this concept, value type and relationship, in this item and all below it.

        `concept` is a Code, or a text that equals its value or its meaning. Criteria that are None match every item.
        """
        return [
            item
            for _, item in self.walk()
            if (concept is None or _is_about(item.concept, concept))
            and (value_type is None or item.value_type == value_type)
            and (relationship is None or item.relationship == relationship)
        ]

    def at(self, position: Position) -> ContentItem | None:
        """Return the item at a position, where (1,) is this item; None if the tree has no item there."""
        item = self
        if not position or position[0] != 1:
            return None
        for number in position[1:]:
            if not 1 <= number <= len(item.children):
                return None
            item = item.children[number - 1]
        return item

    def __repr__(self) -> str:
        about = f" {self.concept}" if self.concept is not None else ""
        value = f" = {self.value!r}" if self.value is not None else ""
        below = f", {len(self.children)} below" if self.children else ""
        return f"<ContentItem {self.value_type or 'by reference'}{about}{value}{below}>"


def _is_about(concept: Code | None, wanted: Code | str) -> bool:
    if concept is None:
        return False
    return concept == wanted if isinstance(wanted, Code) else wanted in (concept.value, concept.meaning)


def position_text(position: Position) -> str:
    """Format a position as text, such as 1.2.3."""
    return ".".join(map(str, position))
