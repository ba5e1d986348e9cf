"""What a check of a document found."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from dicomcore.findings import Findings

__all__ = ["CODES", "CheckReport", "Finding"]

CODES = {
    "RELATIONSHIP_TYPE": "error",
    "VALUE_TYPE": "error",
    "CONCEPT_NAME_MISSING": "error",
    "CONCEPT_NAME_INCOMPLETE": "error",
    "VALUE_MISSING": "error",
    "VALUE_INCOMPLETE": "error",
    "MORE_THAN_ONE": "error",
    "ROOT_NOT_A_CONTAINER": "error",
    "REFERENCE_WITH_VALUE": "error",
    "REFERENCE_TARGET": "error",
    "REFERENCE_LOOP": "error",
    "REFERENCE_NOT_ALLOWED": "error",
    "RELATIONSHIP_NOT_ALLOWED": "error",
    "RETIRED_SCHEME": "warning",
    "NO_TEMPLATE": "note",
    "ROW_MISSING": "error",
    "ROW_NOT_ALLOWED": "error",
    "ROW_TOO_OFTEN": "error",
    "ROW_TOO_FEW": "error",
    "ROW_VALUE_TYPE": "error",
    "ROW_RELATIONSHIP": "error",
    "ROW_VALUE": "error",
    "ROW_GRAPHIC_TYPE": "error",
    "ROW_VALUE_NOT_DEFINED": "error",
    "ROW_VALUE_NOT_BASELINE": "warning",
    "ROW_VALUE_UNKNOWN": "note",
    "NOT_IN_TEMPLATE": "note",
    "FINDINGS_CUT": "note",
}
"""The codes of findings and their severities."""


class Finding(NamedTuple):
    """A deviation from the IOD or from a template.

    `template` and `row` are those of PS3.16, empty for a rule of the IOD.
    """

    code: str
    severity: str
    """``"error"``, ``"warning"`` or ``"note"``."""
    template: str
    row: str
    position: str
    """The content item (``"1.8.1.5"``), or that around it if it is missing; the first if there are several."""
    expected: str
    found: str
    message: str
    count: int = 1  # type: ignore[assignment]  # a tuple has a method of that name
    """How often it was found."""

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        clause = f" [TID {self.template}{self.row and ' row '}{self.row}]" if self.template else ""
        return f"{self.severity} {self.code}: {self.position} {self.message}{times}{clause}"

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON takes them."""
        return self._asdict()


class CheckReport(Findings[Finding]):
    """The findings of one document, the gravest first.

    ``bool(report)`` is True if it has no errors; ``len(report)`` counts the findings.

    Parameters
    ----------
    findings : iterable of Finding
        What was found.
    template : str
        The template that the document was compared with, empty if there was none.
    items : int
        How many content items the document has.
    unknown : int
        How many conditions of the template could not be decided. They are no findings.
    """

    __slots__ = ("items", "template")
    _kind = Finding
    _facts = ("template", "items", "unknown")

    def __init__(
        self, findings: Iterable[Finding] = (), *, template: str = "", items: int = 0, unknown: int = 0
    ) -> None:
        super().__init__(findings, unknown=unknown)
        self.template = template
        self.items = items

    def _title(self) -> str:
        return f"TID {self.template}" if self.template else "no template"
