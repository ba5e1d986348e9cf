"""Queries from identifiers (PS3.4 C.4.1) and from the keys of a query string (PS3.18 8.3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from dicomcore.catalogue.attributes import LEVELS
from dicomcore.catalogue.matching import (
    FULL_TIME,
    NO_TIME,
    Query,
    Term,
    divided,
    fold_name,
    plain,
    texts_of,
    time_bounds,
    words_of,
)
from dicomcore.catalogue.naming import PRIVATE, name_of, tag_of, vr_of
from dicomcore.catalogue.zones import offset_from_utc
from dicomcore.dataset import Dataset
from dicomcore.dictionary import keyword_for_tag
from dicomcore.tags import Tag

__all__ = ["compile_identifier", "query"]

WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
RANGED = frozenset({"DA", "TM", "DT"})
LISTED = frozenset({"UI", "CS"})  # whose values have no commas: clients send lists of them with commas
SINGLE = frozenset({"LT", "ST", "UR", "UT"})  # in whose values a backslash is text (PS3.5 6.2)
EMPTY = '""'
NOT_MATCHED = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC"})
DATE = r"(?:\d{8}|\d{4}\.\d\d\.\d\d)"
TIME = r"(?:\d\d(?::?\d\d(?::?\d\d(?:\.\d{1,6})?)?)?)"
MOMENT = r"(?:\d{4}(?:\d\d(?:\d\d(?:\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?)?)?(?:[+-]\d{4})?)"
ENDS = {
    "DA": (re.compile(DATE, re.ASCII), "a date is YYYYMMDD"),
    "TM": (re.compile(TIME, re.ASCII), "a time is HHMMSS"),
    "DT": (re.compile(MOMENT, re.ASCII), "a moment is YYYYMMDDHHMMSS"),
}
"""What a key of a date or time is, or each end of its range (PS3.4 C.2.2.2.5)."""
MOST_TERMS = 512
DEEPEST = 16  # sequences in each other

Key = str | Iterable[str]


def compile_identifier(
    identifier: Dataset, *, level: str = "", fuzzy: bool = False, combined: bool = False, adjusted: bool = False
) -> Query:
    """The query of an identifier (PS3.4 C.2.2.2).

    Keys without a value are asked for. `fuzzy` matches names by the beginnings of their words, in any order. With
    `combined`, a date together with a range of times is one range of moments (C.2.2.2.5). If `adjusted`, dates and
    times are those of the identifier's Timezone Offset From UTC (C.2.2.2.1.3); else this attribute says nothing.

    Raises ValueError for more than 512 keys, for sequences deeper than 16, for an offset that is none, and for what
    is no date or time, which would silently match nothing.
    """
    said = str(identifier.get("TimezoneOffsetFromUTC") or "").strip() if adjusted else ""
    zone = offset_from_utc(said) if said else ""
    terms = _Compiler(fuzzy=fuzzy, combined=combined, zone=zone).of_identifier(identifier)
    return Query(level or str(identifier.get("QueryRetrieveLevel") or ""), terms, identifier, zone)


def query(
    keys: Mapping[str, Key] | None = None,
    *,
    level: str = "STUDY",
    include: Iterable[str] = (),
    fuzzy: bool = False,
    combined: bool = True,
    multiple: bool = False,
    zone: str = "",
) -> Query:
    """The query of keys by name.

    Parameters
    ----------
    keys : mapping of str to str or several
        By keyword or by eight hexadecimal digits, with a dot behind the sequence for what is in its items. An empty
        text asks for an attribute; ``""`` in it asks for those that have no value.
    level : str
        PATIENT, STUDY, SERIES or IMAGE.
    include : iterable of str
        Further attributes that are asked for.
    fuzzy, combined : bool
        As for `compile_identifier`.
    multiple : bool
        Commas divide the values of a key, of which one is enough; without it that holds for UIDs and codes (CS)
        alone. Backslashes do so where they are no text.
    zone : str
        The offset from UTC, such as ``+0100``, of the dates and times in the keys, and in the rows that are found.

    Raises
    ------
    ValueError
        A name that is neither a keyword nor a tag, a path through what is no sequence, too many keys, what is no date
        or time in the key of one, or a level or an offset that does not exist.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is no query/retrieve level; they are {', '.join(LEVELS)}")
    named: dict[str, Any] = {}
    for name, key in (keys or {}).items():
        _put(named, name, [key] if isinstance(key, str) else list(key))
    asked: dict[str, Any] = {}
    for name in (*(keys or {}), *include):
        _put(asked, name, [])
    zone = offset_from_utc(zone) if zone else ""
    compiler = _Compiler(fuzzy=fuzzy, combined=combined, multiple=multiple, zone=zone)
    return Query(level, compiler.of_names(named), _asked(asked), zone)


def _put(into: dict[str, Any], path: str, values: list[str]) -> None:
    """Put values at a path of names, which are made alike."""
    steps = [path] if PRIVATE.fullmatch(path) else path.split(".")
    if len(steps) > DEEPEST:
        raise ValueError(f"{path[:64]!r} goes through more than {DEEPEST} sequences")
    for number, step in enumerate(steps):
        tag, creator = tag_of(step)
        name = _name(tag, creator)
        if number == len(steps) - 1:
            into.setdefault(name, values)
            return
        if vr_of(tag, creator) not in ("SQ", "UN"):
            raise ValueError(f"{path!r}: {step} is no sequence")
        if not isinstance(into.get(name), dict):
            into[name] = {}
        into = into[name]


def _name(tag: Tag, creator: str) -> str:
    if creator:
        return f"{tag.group:04x}xx{tag.element & 0xFF:02x}:{creator}"
    return keyword_for_tag(tag) or f"{tag:08x}"


def _asked(names: Mapping[str, Any]) -> Dataset:
    """A data set of what is asked for, without values."""
    made = Dataset()
    for name, below in names.items():
        tag, creator = tag_of(name)
        vr = vr_of(tag, creator)
        if isinstance(below, dict):
            made.add_new(tag, "SQ", [_asked(below)])
        elif creator:
            made.add_new_private(creator, tag.group, tag.element & 0xFF, None, vr)
        else:
            made.add_new(tag, vr, [] if vr == "SQ" else None)
    return made


class _Compiler:
    """Makes terms, and counts them."""

    def __init__(self, *, fuzzy: bool, combined: bool, multiple: bool = False, zone: str = "") -> None:
        self._fuzzy, self._combined, self._multiple, self._zone = fuzzy, combined, multiple, zone
        self._count = 0

    def of_identifier(self, ds: Dataset, depth: int = 0) -> list[Term]:
        """The terms of an identifier, or of an item in it."""
        if depth > DEEPEST:
            raise ValueError(f"an identifier with more than {DEEPEST} sequences in each other")
        terms, ranged = [], set()
        for element in ds:
            name = name_of(ds, element)
            if name in NOT_MATCHED or element.tag.group in (0, 2) or element.tag.is_private_creator:
                continue
            self._counted()
            if element.VR == "SQ":
                items = element.value
                terms.append(_items(name, self.of_identifier(items[0], depth + 1) if items else []))
                continue
            vr = vr_of(*tag_of(name)) if element.VR in ("UN", "") else element.VR
            texts = texts_of(element.value)
            terms.append(self._term(name, vr, texts))
            ranged |= {name} if any("-" in text for text in texts) else set()
        return self._joined(terms, ranged)

    def of_names(self, names: Mapping[str, Any]) -> list[Term]:
        """The terms of keys by name."""
        terms, ranged = [], set()
        for name, below in names.items():
            if name in NOT_MATCHED:
                continue
            self._counted()
            if isinstance(below, dict):
                terms.append(_items(name, self.of_names(below)))
                continue
            vr = vr_of(*tag_of(name))
            texts = [one for text in below for one in self._values(vr, text)]
            terms.append(self._term(name, vr, texts))
            ranged |= {name} if any("-" in text for text in texts) else set()
        return self._joined(terms, ranged)

    def _values(self, vr: str, text: str) -> list[str]:
        if vr in LISTED or self._multiple:
            text = text.replace(",", "\\")
        elif vr in SINGLE:  # a backslash is text
            return [text.strip()]
        return [one.strip() for one in text.split("\\")]

    def _counted(self) -> None:
        self._count += 1
        if self._count > MOST_TERMS:
            raise ValueError(f"an identifier of more than {MOST_TERMS} keys")

    def _term(self, name: str, vr: str, values: Iterable[str]) -> Term:
        texts = [text for one in values if (text := _clean(vr, one))]
        if not texts or all(set(text) == {"*"} for text in texts):
            return Term(name, vr, "any")
        if texts == [EMPTY]:
            return Term(name, vr, "empty")
        if vr in RANGED:
            _check_times(name, vr, texts)
            zone = self._zone if vr == "DT" else ""
            ends = tuple(end for text in texts for end in time_bounds(vr, text, zone))
            return Term(name, vr, "range", ends, zone=zone)
        if vr == "PN":
            if self._fuzzy:
                keys = [[word for word in words_of(fold_name(text)) if set(word) != {"*"}] for text in texts]
                is_any = not all(keys)
                return Term(name, vr, "any" if is_any else "fuzzy", tuple(" ".join(key) for key in keys if not is_any))
            texts = ["=".join(fold_name(group) for group in text.split("=")) for text in texts]
        is_like = vr in WILD and any(one in text for text in texts for one in "*?")
        return Term(name, vr, "like" if is_like else "equal", tuple(texts))

    def _joined(self, terms: list[Term], ranged: set[str]) -> list[Term]:
        """The terms, with a date and a range of times as one range of moments, if that is wanted."""
        times = {term.keyword: term for term in terms if term.vr == "TM" and term.keyword in ranged}
        if not self._combined or not times:
            return terms
        made = []
        for term in terms:
            time = times.get(term.keyword.removesuffix("Date") + "Time") if term.vr == "DA" else None
            if time is None or term.kind != "range":
                made.append(term)
                continue
            (low, high), (first, last) = term.ranges()[0], time.ranges()[0]
            values = (low and low + (first or NO_TIME), high and high + (last or FULL_TIME))
            made.append(Term(term.keyword, "DA", "moment", values, time=time.keyword))
            del times[time.keyword]
        left = {term.keyword for term in times.values()}
        return [term for term in made if term.vr != "TM" or term.keyword not in ranged or term.keyword in left]


def _clean(vr: str, text: str) -> str:
    """A key as values are kept."""
    if vr == "IS" and text.lstrip("+-").isdecimal():
        return str(int(text))
    return plain(text)


def is_moment(vr: str, text: str) -> bool:
    """Whether the text of a key is a date or time (DA, TM or DT), or a range of them; so is an empty one."""
    shape, _ = ENDS[vr]
    return all(not end or shape.fullmatch(end) for end in map(str.strip, divided(vr, text)[::2]))


def moment_form(vr: str) -> str:
    """How a date or time is written, for messages."""
    return f"{ENDS[vr][1]}, or a range of them with a hyphen between"


def _check_times(name: str, vr: str, texts: Iterable[str]) -> None:
    """ValueError, with the name first, for what is neither a date or time nor a range of them."""
    for text in texts:
        if not is_moment(vr, text):
            raise ValueError(f"{name} has {text[:40]!a}: {moment_form(vr)}")


def _items(name: str, inner: list[Term]) -> Term:
    return Term(name, "SQ", "any" if all(one.kind == "any" for one in inner) else "items", (), tuple(inner))
