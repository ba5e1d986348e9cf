"""Searches, as every catalogue answers them: what its database decides, and what is looked at behind it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from dicomcore.catalogue.attributes import KEYS, LEVELS, OWN, SEQUENCE
from dicomcore.catalogue.matching import Query, Term
from dicomcore.catalogue.naming import name_of
from dicomcore.catalogue.protocol import ORDERS, Entry, Page
from dicomcore.catalogue.rows import merged, named_values
from dicomcore.catalogue.sql import (
    Dialect,
    Where,
    column_of,
    is_at,
    joined,
    keys_of,
    loosened,
    names_of,
    ordered,
    selected,
    where,
    zones_of,
)
from dicomcore.catalogue.zones import date_of, moved_set, time_of
from dicomcore.errors import DicomError
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread

__all__ = ["Reading"]

NOT_KEPT = frozenset({0x00080005, 0x00080052, 0x00080201})  # of an identifier, and not of instances
ENTRY = (
    "instances.path, SOPClassUID, SOPInstanceUID, transfer_syntax, StudyInstanceUID, SeriesInstanceUID, "
    "size, NumberOfFrames, arrived"
)


class Reading:
    """The searches of a catalogue over `_rows`, which a database gives."""

    dialect: Dialect
    limits: Limits | None = None
    lacking: Collection[str] = frozenset()
    """Attributes of which this catalogue knows no value."""

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement."""
        raise NotImplementedError

    def _multiple(self) -> Collection[str]:
        """The columns in which values are several."""
        raise NotImplementedError

    def source(self, entry: Entry) -> Any:
        """What an instance is read from."""
        return entry.path

    def search(
        self, query: Query, *, limit: int | None = None, offset: int = 0, order: str = "", deep: bool = False
    ) -> Iterator[dict[str, Any]]:
        """See `Catalogue.search`. Multiple values are joined by backslashes, sequences are lists of dict."""
        level = _checked(query.level)
        found = self._where(query.terms, level, deep=deep, zone=query.zone)
        sql = selected(level, zones=bool(query.zone)) + found.sql + self._ordered(level, order)
        names = [*names_of(level), *(OWN if level == "IMAGE" else ()), *(zones_of(level) if query.zone else ())]
        looks = deep and self._has_others(query, level)
        values: list[Any] = list(found.values)
        if not found.left and not looks:
            sql, values = _cut(sql, values, limit, offset)
            for one in self._rows(sql, values):
                yield dict(query.seen(_row(names, one)))
            return
        rows = self._looked_at(sql, values, names, Query(level, found.left, query.asked, query.zone), looks)
        yield from islice(rows, offset, None if limit is None else offset + limit)

    def _looked_at(
        self, sql: str, values: Sequence[Any], names: Sequence[str], rest: Query, looks: bool
    ) -> Iterator[dict[str, Any]]:
        here = Query(rest.level, [term for term in rest.terms if self._keeps(term.keyword, rest.level)])
        others = Query(rest.level, rest.terms)
        for one in self._rows(sql, values):
            row = dict(rest.seen(_row(names, one)))
            if not here.matches(row):
                continue
            if looks:
                row = merged(row, self._of_head(row, rest))
                if not others.matches(row):
                    continue
            yield row

    def _of_head(self, row: dict[str, Any], query: Query) -> dict[str, Any]:
        """What the catalogue does not keep, from the file of a row, or one below it."""
        entry = next(self._below(row, query.level), None)
        if entry is None:
            return {}
        try:
            ds = dcmread(self.source(entry), stop_before_pixels=True, limits=self.limits)
        except (DicomError, OSError):
            return {}
        return named_values(moved_set(ds, query.zone) if query.zone else ds, query.terms, query.asked)

    def _below(self, row: dict[str, Any], level: str) -> Iterator[Entry]:
        keys = keys_of(level)
        sql = " AND ".join(f"{column_of(name)}=?" for name in keys)
        return self._entries(f" WHERE {sql} ORDER BY instances.id LIMIT 1", [row[name] or "" for name in keys])

    def page(self, query: Query, *, limit: int, offset: int = 0, order: str = "date", deep: bool = False) -> Page:
        """See `Catalogue.page`."""
        rows = list(self.search(query, limit=limit + 1, offset=offset, order=order, deep=deep))
        return Page(rows[:limit], len(rows) > limit)

    def values(self, query: Query, keywords: Sequence[str], *, order: str = "") -> Iterator[Sequence[Any]]:
        """The values of some attributes in the rows that `search` gives.

        The attributes are of the query's level and those above it. None stands for what was not counted yet.
        """
        level = _checked(query.level)
        found = self._where(query.terms, level, zone=query.zone)
        needed = [name for term in found.left for name in (term.keyword, term.time) if name and is_at(name, level)]
        names = list(dict.fromkeys([*keywords, *needed]))
        if query.zone:
            names = self._with_counterparts(names, level)
        sql = selected(level, names, zones=bool(query.zone)) + found.sql + self._ordered(level, order)
        rows = self._rows(sql, found.values)
        if not found.left and SEQUENCE not in names and not query.zone:
            yield from rows
            return
        rest, count = Query(level, found.left), len(keywords)
        names += zones_of(level) if query.zone else []
        for one in rows:
            row = query.seen(_row(names, one))
            if rest.matches(row):
                yield [row[name] for name in names[:count]]

    def _with_counterparts(self, names: Sequence[str], level: str) -> list[str]:
        """Attributes with the dates and times that move together with them, and with what says the zone."""
        pairs = [other for name in names for other in (date_of(name), time_of(name)) if other and is_at(other, level)]
        return list(dict.fromkeys([*names, *pairs]))

    def count(self, query: Query) -> int:
        """See `Catalogue.count`."""
        level = _checked(query.level)
        found = self._where(query.terms, level, zone=query.zone)
        if found.left:
            return sum(1 for _ in self.values(query, [KEYS[level]]))
        return int(next(self._rows(f"SELECT COUNT(*) FROM {joined(level)}{found.sql}", found.values))[0])

    def entries(self, query: Query) -> Iterator[Entry]:
        """See `Catalogue.entries`."""
        found = self._where(query.terms, "IMAGE", zone=query.zone)
        if not found.left:
            yield from self._entries(f"{found.sql} ORDER BY instances.id", found.values)
            return
        for row in self.search(Query("IMAGE", query.terms, zone=query.zone)):
            yield _entry([row[name] for name in ("path", "SOPClassUID", "SOPInstanceUID", "transfer_syntax",
                          "StudyInstanceUID", "SeriesInstanceUID", "size", "NumberOfFrames", "arrived")])  # fmt: skip

    def instances(self, *, patient: str = "", study: str = "", series: str = "", instance: str = "") -> list[Entry]:
        """See `Catalogue.instances`."""
        keys = [(KEYS[level], value) for level, value in zip(LEVELS, (patient, study, series, instance), strict=True)
                if value]  # fmt: skip
        if not keys:
            raise ValueError("a patient, a study, a series or an instance is needed")
        sql = " WHERE " + " AND ".join(f"{column_of(name)}=?" for name, _ in keys)
        number = self.dialect.number
        order = f" ORDER BY {number('SeriesNumber')}, SeriesInstanceUID, {number('InstanceNumber')}, SOPInstanceUID"
        return list(self._entries(sql + order, [value for _, value in keys]))

    def _entries(self, tail: str, values: Sequence[Any]) -> Iterator[Entry]:
        return map(_entry, self._rows(f"SELECT {ENTRY} FROM {joined('IMAGE')}{tail}", values))

    def has(self, instance: str) -> bool:
        """See `Catalogue.has`."""
        return next(self._rows('SELECT 1 FROM instances WHERE "SOPInstanceUID"=?', [instance]), None) is not None

    def __len__(self) -> int:
        """The number of instances."""
        return int(next(self._rows("SELECT COUNT(*) FROM instances"))[0])

    def _keeps(self, keyword: str, level: str) -> bool:
        """Whether rows of a level have an attribute here."""
        return is_at(keyword, level) and keyword not in self.lacking

    def _where(self, terms: Sequence[Term], level: str, *, deep: bool = False, zone: str = "") -> Where:
        """The conditions of the terms that count: a key that is not supported matches everything (PS3.4 C.2.2.1.3)."""
        chosen = [term for term in terms if deep or self._keeps(term.keyword, level)]
        left: list[Term] = []
        if zone:
            chosen, left = loosened(chosen)
        found = where(chosen, level, self.dialect, self._multiple(), self.lacking)
        return Where(found.sql, found.values, [*found.left, *left])

    def _has_others(self, query: Query, level: str) -> bool:
        """Whether attributes are asked for that the catalogue does not keep."""
        return any(not self._keeps(term.keyword, level) for term in query.terms) or any(
            not self._keeps(name_of(query.asked, element), level)
            for element in query.asked
            if element.tag.group > 8 or element.tag not in NOT_KEPT
        )

    def _ordered(self, level: str, order: str) -> str:
        if order not in ("", *ORDERS):
            raise ValueError(f"{order!r} is no order of rows; they are {', '.join(ORDERS)}")
        return ordered(level, order or "arrival", self.dialect)


def _checked(level: str) -> str:
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no query/retrieve level; they are {', '.join(LEVELS)}")
    return level


def _cut(sql: str, values: list[Any], limit: int | None, offset: int) -> tuple[str, list[Any]]:
    if limit is None and not offset:
        return sql, values
    return f"{sql} LIMIT ? OFFSET ?", [*values, (1 << 62) if limit is None else limit, offset]


def _row(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(names, values, strict=True))
    if SEQUENCE in row:
        held = row[SEQUENCE]
        row[SEQUENCE] = json.loads(held) if held else []
    return row


def _entry(row: Sequence[Any]) -> Entry:
    path, sop_class, sop_instance, syntax, study, series, size, frames, arrived = row
    count = int(frames) if frames and str(frames).isdecimal() else 1
    return Entry(path, sop_class or "", sop_instance, syntax or "", study, series, size or 0, count, arrived or 0.0)
