"""ContentItem: one node of a content tree, with all below it (PS3.3 C.17.3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomcore.dataset.code import Code

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["ContentItem", "Position", "Template", "position_text"]

Position = tuple[int, ...]
"""Where an item stands: (1,) the root, (1, 2) its second child (Referenced Content Item Identifier)."""

_Open = tuple["ContentItem", Position, "enumerate[ContentItem]"]


@dataclass(slots=True)
class Template:
    """The template that a container was made by (Content Template Sequence)."""

    identifier: str
    mapping_resource: str = "DCMR"
    mapping_resource_uid: str | None = None
    version: str | None = None


@dataclass(slots=True, eq=False)
class ContentItem:
    """One content item: what is said (`concept`), the `value`, how it relates to its parent, and its `children`.

    | value_type | value |
    |---|---|
    | TEXT, DATE, TIME, DATETIME | str, as it stands in the file |
    | UIDREF, PNAME | UID, PersonName |
    | CODE, NUM | Code, Numeric |
    | COMPOSITE, IMAGE, WAVEFORM | Reference, ImageReference, WaveformReference |
    | SCOORD, SCOORD3D, TCOORD | Coordinates, Coordinates, TemporalRange |
    | TABLE | Table |
    | CONTAINER | None; see `continuity` and `template` |

    A by-reference relationship has no value type: its `target` is the item it refers to, or, where the file names one
    that isn't there, that item's position. Items are equal only if they are the same object.
    """

    value_type: str = ""
    concept: Code | None = None
    value: Any = None
    relationship: str | None = None
    """CONTAINS, HAS PROPERTIES, HAS OBS CONTEXT, HAS ACQ CONTEXT, INFERRED FROM, SELECTED FROM, HAS CONCEPT MOD."""
    children: list[ContentItem] = field(default_factory=list)
    continuity: str | None = None
    """SEPARATE or CONTINUOUS, of a container."""
    template: Template | None = None
    observed: str | None = None
    """Observation DateTime, DT text."""
    observation_uid: str | None = None
    target: ContentItem | Position | None = None
    source: Dataset | None = field(default=None, repr=False)
    """The item that this was read from; what it holds beside the above is kept when written."""

    def add(self, *items: ContentItem) -> ContentItem:
        """Put items behind the other children; gives itself, so that trees can be written as one expression."""
        self.children.extend(items)
        return self

    def walk(self) -> Iterator[tuple[Position, ContentItem]]:
        """Every item and its position, this one as (1,), each before its children; references are not followed.

        Raises ValueError where an item stands below itself.
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
        """All items of the tree, this one too, with this concept (a Code, or a text: its value or meaning)."""
        return [
            item
            for _, item in self.walk()
            if (concept is None or _is_about(item.concept, concept))
            and (value_type is None or item.value_type == value_type)
            and (relationship is None or item.relationship == relationship)
        ]

    def at(self, position: Position) -> ContentItem | None:
        """The item at a position that counts from this one as (1,); None where there is none."""
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
        held = f" = {self.value!r}" if self.value is not None else ""
        below = f", {len(self.children)} below" if self.children else ""
        return f"<ContentItem {self.value_type or 'by reference'}{about}{held}{below}>"


def _is_about(found: Code | None, wanted: Code | str) -> bool:
    if found is None:
        return False
    return found == wanted if isinstance(wanted, Code) else wanted in (found.value, found.meaning)


def position_text(position: Position) -> str:
    """1.2.3."""
    return ".".join(map(str, position))
