"""Context groups of PS3.16: sets of codes by number, as views of the native tables."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from dicomcore.dataset.code import Code

__all__ = ["ContextGroup", "Contexts", "Match", "contexts"]

EDITION = "2024c"
"""The edition of PS3.16 that the members are of."""

_FLAGS = {"E": True, "N": False, "?": None}


class ContextGroup:
    """A context group: ``code in group``, iteration over its codes, their number by ``len``.

    A code of the retired scheme SRT is a member if the code of SCT in its place is one.
    """

    __slots__ = ("_contains", "_row", "extensible", "name", "number", "uid", "version")

    number: int
    name: str
    uid: str
    """Context Group UID, empty if not known."""
    version: str
    """Context Group Version, such as ``"20170914"``; empty if not known."""
    extensible: bool | None
    """Whether other codes may be used, too; None if not known."""

    def __init__(self, row: int) -> None:
        tables = _loaded()
        self._row = row
        self._contains = tables.contains
        self.number, self.name, self.uid, self.version, flag, _ = tables.context(row)
        self.extensible = _FLAGS[flag]

    def __contains__(self, code: Code) -> bool:
        found: bool = self._contains(self._row, code.scheme, code.value)
        return found

    def __iter__(self) -> Iterator[Code]:
        return map(code_at, _loaded().members(self._row))

    def __len__(self) -> int:
        return int(_loaded().context(self._row)[5])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ContextGroup) and other._row == self._row

    def __hash__(self) -> int:
        return hash((ContextGroup, self._row))

    def __repr__(self) -> str:
        return f"<ContextGroup {self.number} {self.name}>"


class Match(NamedTuple):
    """A context group that a search found, and its codes with the words in their meaning."""

    group: ContextGroup
    codes: tuple[Code, ...]


class Contexts:
    """All context groups: ``contexts[7021]``, ``7021 in contexts``, iteration over them in the order of numbers."""

    def __getitem__(self, number: int) -> ContextGroup:
        row = _loaded().find_context(number)
        if row < 0:
            raise KeyError(f"PS3.16 {EDITION} has no context group {number}")
        return ContextGroup(row)

    def __contains__(self, number: int) -> bool:
        return bool(_loaded().find_context(number) >= 0)

    def __iter__(self) -> Iterator[ContextGroup]:
        return map(ContextGroup, range(len(self)))

    def __len__(self) -> int:
        return int(_loaded().counts()["contexts"])

    def find(self, words: str) -> list[Match]:
        """The groups with all these words in their name or in the meaning of one of their codes, in any case."""
        wanted = words.lower().split()
        if not wanted:
            return []
        tables = _loaded()
        meanings = ((number, tables.code(number)[2].lower()) for number in range(tables.counts()["codes"]))
        codes = {number for number, meaning in meanings if all(word in meaning for word in wanted)}
        found = []
        for group in self:
            members = tuple(code_at(number) for number in tables.members(group._row) if number in codes)
            if members or all(word in group.name.lower() for word in wanted):
                found.append(Match(group, members))
        return found


contexts = Contexts()
"""The context groups by number."""


def code_at(number: int) -> Code:
    """The code with a number in the tables."""
    scheme, value, meaning = _loaded().code(number)
    return Code(value, scheme, meaning)


def _loaded() -> Any:
    """The native tables, which are loaded when they are first asked."""
    from dicomcore._native.rules import contexts as tables

    return tables
