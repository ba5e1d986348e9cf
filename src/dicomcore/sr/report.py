"""Report: a content tree and its issues."""

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
    """The content of a structured report, as `read` returns it."""

    root: ContentItem
    issues: tuple[Issue, ...]
    """Deviations from the standard; each message begins with the position of the content item."""
    source: Dataset
    """The data set that the report was read from."""

    def find(
        self, concept: Code | str | None = None, *, value_type: str | None = None, relationship: str | None = None
    ) -> list[ContentItem]:
        """List the items with this concept, value type and relationship; see `ContentItem.find`."""
        return self.root.find(concept, value_type=value_type, relationship=relationship)

    def write(self) -> Dataset:
        """Return a data set with the tree as it is now; see `dicomcore.sr.write`."""
        return write(self.root, self.source)

    def outline(self) -> str:
        """Format the tree as indented lines; see `dicomcore.sr.outline`."""
        return "\n".join(outline(self.root))

    def html(self) -> str:
        """Format the report as an HTML page; see `dicomcore.sr.html`."""
        return html(self.root, self.source)
