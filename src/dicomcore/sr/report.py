"""Report: a content tree and what deviated in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomcore.dataset.code import Code
from dicomcore.issues import Issue
from dicomcore.sr.html import html
from dicomcore.sr.item import ContentItem
from dicomcore.sr.outline import outline
from dicomcore.sr.writer import write

if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["Report"]


@dataclass(slots=True)
class Report:
    """A structured report's content, as `read` gives it."""

    root: ContentItem
    issues: tuple[Issue, ...]
    """What deviates; each message begins with the position of the item at fault."""
    source: Dataset
    """The data set it was read from."""

    def find(
        self, concept: Code | str | None = None, *, value_type: str | None = None, relationship: str | None = None
    ) -> list[ContentItem]:
        """All items with this concept, value type and relationship; see `ContentItem.find`."""
        return self.root.find(concept, value_type=value_type, relationship=relationship)

    def write(self) -> Dataset:
        """A data set with the tree as it is now; see `dicomcore.sr.write`."""
        return write(self.root, self.source)

    def outline(self) -> str:
        """The tree as indented lines."""
        return "\n".join(outline(self.root))

    def html(self) -> str:
        """The report as a page of HTML."""
        return html(self.root, self.source)
