"""Queries as SQL: one compiler, and what differs from one database to another in a dialect."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Protocol

from dicomcore.catalogue.attributes import (
    COLUMNS,
    COUNTED,
    FOLDED,
    KEYS,
    OWN,
    SEQUENCE,
    SORTED,
    TABLES,
    ZONES,
    above,
    level_of,
)
from dicomcore.catalogue.matching import Term, pattern_of
from dicomcore.catalogue.zones import ZONE, time_of, widened

__all__ = [
    "SQLITE", "Dialect", "Where", "joined", "keys_of", "loosened", "names_of", "ordered", "prepare", "selected",
    "where", "zones_of",
]  # fmt: skip


MOST_EQUAL, MOST_CONDITIONS = 16384, 256  # values of a key that a database looks at; SQLite takes 32 766, and 1000
LONGEST_PATTERN = 4096  # characters; SQLite takes 50 000


class Dialect(Protocol):
    """What a database says in its own way."""

    def like(self, column: str) -> str:
        """A condition with a pattern, for a column of single values."""

    def any_like(self, column: str) -> str:
        """A condition with a pattern, for a column of values that backslashes divide."""

    def pattern(self, text: str) -> str:
        """The pattern of a key with ``*`` and ``?``."""

    def contains(self, column: str) -> str:
        """A condition with a text that a column contains."""

    def number(self, column: str) -> str:
        """A text as a number, to sort by."""


class _Sqlite:
    def like(self, column: str) -> str:
        return f"{column} GLOB ?"

    def any_like(self, column: str) -> str:
        return f"any_glob({column}, ?)"

    def pattern(self, text: str) -> str:
        return re.sub(r"\*+", "*", text).replace("[", "[[]")

    def contains(self, column: str) -> str:
        return f"instr({column}, ?)>0"

    def number(self, column: str) -> str:
        return f"CAST({column} AS INTEGER)"


SQLITE = _Sqlite()


def prepare(connection: sqlite3.Connection) -> None:
    """Teach a connection the functions that its SQL uses."""
    connection.create_function("any_glob", 2, _any_glob, deterministic=True)


def _any_glob(text: str | None, pattern: str) -> bool:
    made = _pattern(pattern)
    return any(made.fullmatch(one) is not None for one in (text or "").split("\\") if one)


@lru_cache(maxsize=256)
def _pattern(glob: str) -> re.Pattern[str]:
    return pattern_of(glob.replace("[[]", "["))


class Where(NamedTuple):
    """Conditions that every match fulfils, their values, and the terms that they do not decide."""

    sql: str
    values: list[str]
    left: list[Term]


def is_at(keyword: str, level: str) -> bool:
    """Whether rows of a level have an attribute."""
    return level_of(keyword) in above(level)


def names_of(level: str) -> list[str]:
    """The attributes of a row of a level."""
    return [name for one in above(level) for name in (*COLUMNS[one], *COUNTED[one])]


def joined(level: str) -> str:
    """The tables of a level and of those above it."""
    sql = TABLES[level]
    levels = above(level)
    for upper, lower in reversed(list(pairwise(levels))):
        sql += f" JOIN {TABLES[upper]} ON {TABLES[lower]}.parent={TABLES[upper]}.id"
    return sql


def column_of(keyword: str) -> str:
    """The column of an attribute, or of what `ZONES` names."""
    keyword = ZONE if keyword == ZONES["STUDY"] else keyword
    return f'{TABLES[level_of(keyword) or "IMAGE"]}."{keyword}"'


def selected(level: str, keywords: Sequence[str] | None = None, *, zones: bool = False) -> str:
    """SELECT of the attributes of a level and of those above it with what is kept of instances, or of some.

    With `zones`, those of the levels stand behind.
    """
    own = OWN if keywords is None and level == "IMAGE" else ()
    names = [
        f'{_common_zone(level) if name == ZONE else column_of(name)} AS "{name}"'
        for name in (names_of(level) if keywords is None else keywords)
    ]
    names += [f"instances.{name} AS {name}" for name in own]
    names += [f"{column_of(name)} AS {name}" for name in zones_of(level) if zones]
    return f"SELECT {', '.join(names)} FROM {joined(level)}"


def zones_of(level: str) -> list[str]:
    """The zones of a level and of those above it."""
    return [ZONES[one] for one in above(level) if one in ZONES]


def _common_zone(level: str) -> str:
    """The zone that the dates and times of all levels are of, "" for none."""
    study = column_of(ZONE)
    others = [f"COALESCE({column_of(name)}, {study})={study}" for name in zones_of(level)[1:]]
    return f"CASE WHEN {' AND '.join(others)} THEN {study} ELSE '' END" if others else study


def keys_of(level: str) -> tuple[str, ...]:
    """The attributes that tell the rows of a level apart."""
    return {"PATIENT": ("PatientID", "IssuerOfPatientID"), "SERIES": ("SeriesInstanceUID", "StudyInstanceUID")}.get(
        level, (KEYS[level],)
    )


def ordered(level: str, order: str, dialect: Dialect) -> str:
    """ORDER BY, in an order that does not change from one search to the next."""
    table = TABLES[level]
    if order == "arrival":
        return f" ORDER BY {table}.id"
    unique = [column_of(key) for key in keys_of(level)]
    if order == "uid" or level == "PATIENT":
        return f" ORDER BY {', '.join(unique)}"
    newest = ['studies."StudyDate_sort" DESC', 'studies."StudyTime_sort" DESC', 'studies."StudyInstanceUID"']
    if level == "STUDY":
        return f" ORDER BY {', '.join(newest)}"
    by_series = [dialect.number('series."SeriesNumber"'), 'series."SeriesInstanceUID"']
    by_instance = [dialect.number('instances."InstanceNumber"'), 'instances."SOPInstanceUID"']
    return f" ORDER BY {', '.join(newest + by_series + (by_instance if level == 'IMAGE' else []))}"


def where(
    terms: Iterable[Term], level: str, dialect: Dialect, multiple: Collection[str], lacking: Collection[str] = ()
) -> Where:
    """The conditions of terms.

    `multiple` are the columns in which a value may be several, `lacking` those that this catalogue does not have.
    """
    parts: list[str] = []
    values: list[str] = []
    left: list[Term] = []
    for term in terms:
        if term.kind == "any":
            continue
        if not is_at(term.keyword, level) or term.keyword in lacking or term.time in lacking:
            left.append(term)
            continue
        found = list(_conditions(term, dialect, multiple))
        for sql, own, _ in found:
            parts.append(sql)
            values += own
        if not (found and found[-1][2]):
            left.append(term)
    return Where(" WHERE " + " AND ".join(parts) if parts else "", values, left)


def loosened(terms: Iterable[Term]) -> tuple[list[Term], list[Term]]:
    """Terms that every match in whatever zone fulfils, and those that have to be looked at in the query's zone."""
    sure: list[Term] = []
    left: list[Term] = []
    for term in terms:
        is_moving = term.vr in ("TM", "DT") or (term.vr == "DA" and bool(time_of(term.keyword)))
        if not is_moving or term.kind not in ("range", "moment"):
            sure.append(term)
            if term.kind == "items":
                left.append(term)
            continue
        left.append(term)
        ranges = [widened(low, high) for low, high in term.ranges()] if term.vr == "DA" else [None]
        if None not in ranges:
            sure.append(Term(term.keyword, "DA", "range", tuple(end for one in ranges if one for end in one)))
    return sure, left


Condition = tuple[str, list[str], bool]


def _conditions(term: Term, dialect: Dialect, multiple: Collection[str]) -> Iterator[Condition]:
    """Conditions of a term, their values, and whether they say all."""
    at = level_of(term.keyword)
    assert at is not None
    column = column_of(term.keyword)
    is_kept = term.keyword in COLUMNS[at] or term.keyword in ("ModalitiesInStudy", "SOPClassesInStudy")
    if term.keyword == SEQUENCE:
        yield f"{column}<>''", [], False
    elif not is_kept:
        return
    elif term.kind == "empty":
        yield f"COALESCE({column}, '')=''", [], True
    elif term.vr == "PN" and term.keyword in FOLDED[at]:
        yield from _of_name(term, at, dialect, multiple)
    elif term.kind in ("range", "moment") and term.keyword in SORTED[at]:
        yield from _of_time(term, at, multiple)
    elif term.kind in ("equal", "like") and not _is_too_much(term, term.keyword in multiple):
        yield _of_text(column, term.kind, term.values, dialect, term.keyword in multiple)


def _is_too_much(term: Term, is_multiple: bool) -> bool:
    """Whether a database would refuse the conditions of so many or so long keys."""
    most = MOST_EQUAL if term.kind == "equal" and not is_multiple else MOST_CONDITIONS
    return len(term.values) > most or any(len(text) > LONGEST_PATTERN for text in term.values)


def _of_text(column: str, kind: str, values: Sequence[str], dialect: Dialect, is_multiple: bool) -> Condition:
    if kind == "equal" and not is_multiple:
        return f"{column} IN ({', '.join('?' * len(values))})", list(values), True
    if kind == "equal":
        test, texts = dialect.contains(f"'\\' || {column} || '\\'"), [f"\\{text}\\" for text in values]
    else:
        test = dialect.any_like(column) if is_multiple else dialect.like(column)
        texts = [dialect.pattern(text) for text in values]
    condition = "(" + " OR ".join([test] * len(values)) + ")"
    return f"{condition} AND {column}<>''", texts, True


def _of_name(term: Term, at: str, dialect: Dialect, multiple: Collection[str]) -> Iterator[Condition]:
    """The column holds the component groups of all names, divided by backslashes."""
    name = f"{term.keyword}_folded"
    column = f'{TABLES[at]}."{name}"'
    if term.kind == "fuzzy":
        for word in term.values[0].split(" ") if len(term.values) == 1 else ():
            yield dialect.contains(column), [max(re.split(r"[*?]+", word), key=len)], False
    elif _is_too_much(term, name in multiple):
        return
    elif all("=" not in text for text in term.values):
        yield _of_text(column, term.kind, term.values, dialect, name in multiple)
    elif len(term.values) == 1:
        for group in filter(None, term.values[0].split("=")):
            sql, values, _ = _of_text(column, term.kind, [group], dialect, name in multiple)
            yield sql, values, False


def _of_time(term: Term, at: str, multiple: Collection[str]) -> Iterator[Condition]:
    """A value that is several is left to Python."""
    column = f'{TABLES[at]}."{term.keyword}_sort"'
    if (
        len(term.values) > 2 * MOST_CONDITIONS
        or term.keyword in multiple
        or (term.time and (term.time in multiple or level_of(term.time) != at))
    ):
        return
    first = last = column
    if term.kind == "moment":
        time = f'{TABLES[at]}."{term.time}_sort"'
        first = f"{column} || COALESCE(NULLIF({time}, ''), '000000.000000')"
        last = f"{column} || COALESCE(NULLIF({time}, ''), '235959.999999')"
    ranges, values = [], []
    for low, high in term.ranges():
        ends = [f"{last}>=?"] * bool(low) + [f"{first}<=?"] * bool(high)
        ranges.append(" AND ".join([*ends, f"{column}<>''"]))
        values += [end for end in (low, high) if end]
    yield "(" + " OR ".join(f"({one})" for one in ranges) + ")", values, True
