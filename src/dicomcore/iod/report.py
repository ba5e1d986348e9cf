"""What a check found: findings, and the report that holds them. Findings are tuples, which are imported faster."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from dicomcore.dictionary import keyword_for_tag
from dicomcore.findings import Findings
from dicomcore.iod.codes import CODES
from dicomcore.tags import Tag

Step = tuple[int, int]
"""A sequence around an attribute: its tag, and the number of the item, from 0 on."""


class Finding(NamedTuple):
    """One thing that is wrong, or may be."""

    code: str
    """The rule's name, such as ``"MISSING"``; `dicomcore.iod.codes` explains each."""
    severity: str
    """``"error"``, ``"warning"`` or ``"note"``."""
    path: str
    """The attribute's place: ``"PixelData"``, ``"RTROIObservationsSequence[3].ROIInterpreter"``; the first one, if it
    was found in several items or frames."""
    tag: Tag
    """The attribute's tag."""
    module: str
    """The module of PS3.3 that asks for it, empty if no single one does."""
    clause: str
    """The clause of the standard, of PS3.3 unless it names another part; empty if it is not known."""
    message: str
    """A sentence about the attribute, without its name."""
    count: int = 1  # type: ignore[assignment]  # a tuple has a method of that name
    """How often it was found in items or frames."""

    def __str__(self) -> str:
        times = f" ({self.count} times)" if self.count > 1 else ""
        clause = f" [{self.clause}]" if self.clause else ""
        return f"{self.severity} {self.code}: {self.path} {self.message}{times}{clause}"

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON takes them; the tag is eight hexadecimal digits."""
        return {**self._asdict(), "tag": f"{int(self.tag):08X}"}


class Report(Findings[Finding]):
    """The findings of one object, in the order in which they were found.

    ``bool(report)`` is True if the object has no errors; it may have warnings. ``len(report)`` counts the findings.

    Parameters
    ----------
    findings : iterable of Finding
        What was found.
    sop_class, iod : str
        The UID of the SOP class, and the name of the IOD that was checked against; empty if there is none.
    unknown : int
        How many conditions could not be decided. They are no findings.
    """

    __slots__ = ("iod", "sop_class")
    _kind = Finding
    _facts = ("sop_class", "iod", "unknown")

    def __init__(
        self, findings: Iterable[Finding] = (), *, sop_class: str = "", iod: str = "", unknown: int = 0
    ) -> None:
        super().__init__(findings, unknown=unknown)
        self.sop_class = sop_class
        self.iod = iod

    def _title(self) -> str:
        return self.iod or self.sop_class or "no IOD"


def make_finding(
    number: int, module: tuple[str, str] | None, tag: int, steps: Iterable[Step], count: int, detail: int, more: int
) -> Finding:
    """A finding from what native code notes of it; `module` is the name and the clause of the module that rules."""
    code = CODES[number]
    name, clause = module or ("", "")
    return Finding(
        code.name,
        code.severity,
        path_text(steps, tag),
        Tag(tag),
        name,
        code.clause or clause,
        code.message.format(detail=detail, more=more),
        count,
    )


def path_text(steps: Iterable[Step], tag: int) -> str:
    """The place of an attribute as text, from the sequences around it, the outermost first."""
    return ".".join([*(f"{_name(sequence)}[{item}]" for sequence, item in steps), _name(tag)])


def _name(tag: int) -> str:
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
