"""What checks found: the report that iod.check, sr.check and deid.verify give, each with findings of its own kind."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, overload

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SEVERITIES", "Findings"]

SEVERITIES = ("note", "warning", "error")
"""From the least to the gravest."""

_RANKS = {name: rank for rank, name in enumerate(SEVERITIES)}
_NUMBERS = {"tag": "uint32", "count": "int64"}
"""The columns of a table that are not text."""


class AnyFinding(Protocol):
    """A named tuple with a severity."""

    @property
    def severity(self) -> str: ...
    def to_json(self) -> dict[str, Any]: ...


F_co = TypeVar("F_co", bound=AnyFinding, covariant=True)


class Findings(Sequence[F_co], Generic[F_co]):
    """The findings of one object, in the order in which they were found.

    ``bool(report)`` is True if there are no errors; there may be warnings. ``len(report)`` counts the findings.
    """

    __slots__ = ("_findings", "unknown")

    _kind: ClassVar[Any]
    """The class of the findings, a named tuple."""
    _facts: ClassVar[tuple[str, ...]]
    """The attributes with what a report says besides."""

    def __init__(self, findings: Iterable[F_co] = (), *, unknown: int = 0) -> None:
        self._findings = tuple(findings)
        self.unknown = unknown

    @overload
    def __getitem__(self, key: int) -> F_co: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[F_co, ...]: ...
    def __getitem__(self, key: int | slice) -> F_co | tuple[F_co, ...]:
        return self._findings[key]

    def __len__(self) -> int:
        return len(self._findings)

    def __iter__(self) -> Iterator[F_co]:
        return iter(self._findings)

    def __bool__(self) -> bool:
        return not any(one.severity == "error" for one in self._findings)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, type(self)):
            return NotImplemented
        return self._state() == other._state()

    def __hash__(self) -> int:
        return hash(self._state())

    def _state(self) -> tuple[object, ...]:
        return self._findings, *(getattr(self, name) for name in self._facts)

    @property
    def errors(self) -> tuple[F_co, ...]:
        """What breaks the standard."""
        return self._of("error")

    @property
    def warnings(self) -> tuple[F_co, ...]:
        """What the standard asks for and readers can do without, or what is most likely wrong."""
        return self._of("warning")

    @property
    def notes(self) -> tuple[F_co, ...]:
        """What is allowed, and worth a look."""
        return self._of("note")

    def _of(self, severity: str) -> tuple[F_co, ...]:
        return tuple(one for one in self._findings if one.severity == severity)

    def at_least(self, severity: str) -> tuple[F_co, ...]:
        """The findings of a severity and of higher ones: ``"error"``, ``"warning"`` or ``"note"``."""
        if severity not in _RANKS:
            raise ValueError(f"a severity is one of {', '.join(SEVERITIES)}, not {severity!r}")
        return tuple(one for one in self._findings if _RANKS[one.severity] >= _RANKS[severity])

    def _title(self) -> str:
        """What the object was checked against."""
        raise NotImplementedError

    def __repr__(self) -> str:
        counts = ((len(self.errors), "errors"), (len(self.warnings), "warnings"), (len(self.notes), "notes"))
        return f"<{type(self).__name__} {self._title()}: {', '.join(f'{count} {name}' for count, name in counts)}>"

    def __str__(self) -> str:
        return "\n".join([self.summary(), *map(str, sorted(self._findings, key=_rank))])

    def summary(self) -> str:
        """One line: what was checked, and how much was found."""
        parts = [
            f"{len(found)} {name if len(found) != 1 else name[:-1]}"
            for found, name in ((self.errors, "errors"), (self.warnings, "warnings"), (self.notes, "notes"))
            if found
        ]
        if self.unknown:
            parts.append(f"{self.unknown} {'condition' if self.unknown == 1 else 'conditions'} not decided")
        return f"{self._title()}: {', '.join(parts) or 'nothing found'}"

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON takes it."""
        facts = {name: getattr(self, name) for name in self._facts}
        return {**facts, "findings": [one.to_json() for one in self._findings]}

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
        fields = self._kind._fields
        columns = {
            name: [
                int(value) if name in _NUMBERS and value is not None else value
                for value in (getattr(one, name) for one in self._findings)
            ]
            for name in fields
        }
        schema = pa.schema([(name, getattr(pa, _NUMBERS.get(name, "string"))()) for name in fields])
        return pa.table(columns, schema=schema)


def _rank(finding: AnyFinding) -> int:
    return -_RANKS[finding.severity]
