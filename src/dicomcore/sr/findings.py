"""What a check of a document found."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple, overload

__all__ = ["CODES", "SEVERITIES", "CheckReport", "Finding"]

SEVERITIES = ("note", "warning", "error")

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


class CheckReport(Sequence[Finding]):
    """The findings of one document. ``bool(report)`` is True if it has no errors; ``len(report)`` counts the findings.

    `template` is the one that the document was compared with, empty if there was none; `items` are its content items;
    `unknown` are the conditions of templates that could not be decided.
    """

    __slots__ = ("_findings", "items", "template", "unknown")

    def __init__(
        self, findings: Iterable[Finding] = (), *, template: str = "", items: int = 0, unknown: int = 0
    ) -> None:
        self._findings = tuple(findings)
        self.template = template
        self.items = items
        self.unknown = unknown

    @overload
    def __getitem__(self, key: int) -> Finding: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, key: int | slice) -> Finding | tuple[Finding, ...]:
        return self._findings[key]

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __bool__(self) -> bool:
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What breaks the standard."""
        return tuple(one for one in self._findings if one.severity == "error")

    def at_least(self, severity: str) -> tuple[Finding, ...]:
        """The findings of a severity and of higher ones: ``"error"``, ``"warning"`` or ``"note"``."""
        wanted = SEVERITIES[SEVERITIES.index(severity) :]
        return tuple(one for one in self._findings if one.severity in wanted)

    def __str__(self) -> str:
        return "\n".join(map(str, self._findings))

    def __repr__(self) -> str:
        return f"<CheckReport {self.template or 'no template'}: {len(self)} findings>"

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        findings = [one.to_json() for one in self._findings]
        return {"template": self.template, "items": self.items, "unknown": self.unknown, "findings": findings}
