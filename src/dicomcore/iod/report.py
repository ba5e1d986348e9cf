"""What a check found: findings, and the report that holds them. Findings are tuples, which are imported faster."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from dicomcore.dictionary import keyword_for_tag
from dicomcore.iod.codes import CODES, SEVERITIES
from dicomcore.tags import Tag

if TYPE_CHECKING:
    import pyarrow as pa

Step = tuple[int, int]
"""A sequence around an attribute: its tag, and the number of the item, from 0 on."""

_RANKS = {name: rank for rank, name in enumerate(SEVERITIES)}


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


class Report(Sequence[Finding]):
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

    __slots__ = ("_findings", "iod", "sop_class", "unknown")

    def __init__(
        self, findings: Iterable[Finding] = (), *, sop_class: str = "", iod: str = "", unknown: int = 0
    ) -> None:
        self._findings = tuple(findings)
        self.sop_class = sop_class
        self.iod = iod
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
        return not any(one.severity == "error" for one in self._findings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Report):
            return NotImplemented
        return self._state() == other._state()

    def __hash__(self) -> int:
        return hash(self._state())

    def _state(self) -> tuple[object, ...]:
        return self._findings, self.sop_class, self.iod, self.unknown

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What breaks the standard."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What the standard asks for and readers can do without, or what is most likely wrong."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is allowed, and worth a look."""
        return self._of("note")

    def _of(self, severity: str) -> tuple[Finding, ...]:
        return tuple(one for one in self._findings if one.severity == severity)

    def __repr__(self) -> str:
        counts = ((len(self.errors), "errors"), (len(self.warnings), "warnings"), (len(self.notes), "notes"))
        return f"<Report {self.iod or 'no IOD'}: {', '.join(f'{count} {name}' for count, name in counts)}>"

    def __str__(self) -> str:
        return "\n".join([self.summary(), *map(str, sorted(self._findings, key=_rank))])

    def summary(self) -> str:
        """One line: the IOD, and how much was found."""
        parts = [
            f"{len(found)} {name if len(found) != 1 else name[:-1]}"
            for found, name in ((self.errors, "errors"), (self.warnings, "warnings"), (self.notes, "notes"))
            if found
        ]
        if self.unknown:
            parts.append(f"{self.unknown} {'condition' if self.unknown == 1 else 'conditions'} not decided")
        return f"{self.iod or self.sop_class or 'no IOD'}: {', '.join(parts) or 'nothing found'}"

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        return {
            "sop_class": self.sop_class,
            "iod": self.iod,
            "unknown": self.unknown,
            "findings": [one.to_json() for one in self._findings],
        }

    def to_arrow(self) -> "pa.Table":
        """A row for each finding; needs the extra ``archive``.

        Tags are unsigned integers and counts signed ones, everything else is text.
        """
        try:
            import pyarrow as pa
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] != "pyarrow":
                raise
            message = 'pyarrow is not installed; pip install "dicomcore[archive]" brings it'
            raise ModuleNotFoundError(message, name="pyarrow") from None
        kinds = {"tag": pa.uint32(), "count": pa.int64()}
        names = Finding._fields
        columns = {name: [_plain(getattr(one, name)) for one in self._findings] for name in names}
        schema = pa.schema([(name, kinds.get(name, pa.string())) for name in names])
        return pa.table(columns, schema=schema)


def _plain(value: object) -> object:
    return int(value) if isinstance(value, Tag) else value


def _rank(finding: Finding) -> int:
    return -_RANKS[finding.severity]


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
