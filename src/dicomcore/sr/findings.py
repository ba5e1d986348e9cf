"""What a check of a document found."""

from collections import Counter
from collections.abc import Iterator
from json import dumps
from typing import Any, NamedTuple

__all__ = ["CODES", "SEVERITIES", "CheckReport", "Finding"]

SEVERITIES = ("error", "warning", "info")

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
    "NO_TEMPLATE": "info",
    "ROW_MISSING": "error",
    "ROW_NOT_ALLOWED": "error",
    "ROW_TOO_OFTEN": "error",
    "ROW_TOO_FEW": "error",
    "ROW_VALUE_TYPE": "error",
    "ROW_RELATIONSHIP": "error",
    "ROW_VALUE": "error",
    "ROW_VALUE_NOT_DEFINED": "error",
    "ROW_VALUE_NOT_BASELINE": "warning",
    "ROW_VALUE_UNKNOWN": "info",
    "NOT_IN_TEMPLATE": "info",
    "FINDINGS_CUT": "info",
}
"""The codes of findings and their severities."""


class Finding(NamedTuple):
    """A deviation from the IOD or from a template.

    `position` is that of the content item (``"1.8.1.5"``), of the item around it if it is missing. `template` and `row`
    are those of PS3.16, empty for a rule of the IOD. `count` says how often it was found: `position` is the first.
    """

    code: str
    severity: str
    template: str
    row: str
    position: str
    expected: str
    found: str
    message: str
    count: int = 1

    def __str__(self) -> str:
        about = f" TID {self.template}{self.row and ' row '}{self.row}" if self.template else ""
        return f"{self.severity} {self.position}{about}: {self.message} [{self.code}]"


class CheckReport(NamedTuple):
    """The findings of a check, the template they are about, and the conditions that could not be decided."""

    findings: tuple[Finding, ...]
    template: str
    """The template that the document was compared with, empty if there was none."""
    items: int
    """Content items of the document."""
    undecided: int
    """Conditions of templates that could not be decided."""

    @property
    def is_clean(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return all(finding.severity == "info" for finding in self.findings)

    def at_least(self, severity: str) -> tuple[Finding, ...]:
        """The findings of a severity and of higher ones: ``"error"``, ``"warning"`` or ``"info"``."""
        wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return tuple(finding for finding in self.findings if finding.severity in wanted)

    @property
    def counts(self) -> dict[str, int]:
        """The number of findings by code."""
        counter: Counter[str] = Counter()
        for finding in self.findings:
            counter[finding.code] += finding.count
        return dict(counter)

    def text(self) -> str:
        """One line a finding."""
        return "\n".join(map(str, self.findings))

    def json(self) -> str:
        """The report as a JSON object."""
        return dumps(self.plain(), ensure_ascii=False)

    def plain(self) -> dict[str, Any]:
        """The report as plain objects."""
        findings = [finding._asdict() for finding in self.findings]
        return {"template": self.template, "items": self.items, "undecided": self.undecided, "findings": findings}

    def lines(self) -> Iterator[str]:
        """The findings as lines."""
        return map(str, self.findings)
