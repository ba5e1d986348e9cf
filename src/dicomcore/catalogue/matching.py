"""Matching of queries (PS3.4 C.2.2.2): an identifier or a query string becomes terms, which SQL or Python evaluate.

Both evaluate the same terms: what a database cannot say, such as a key in an item of a sequence, is looked at in
Python, with the same result.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dictionary import dictionary_VR, keyword_for_tag

__all__ = ["Query", "Term", "compile_identifier", "fold_name", "time_bounds"]

WILD = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
RANGED = frozenset({"DA", "TM", "DT"})
EMPTY = '""'
NOT_MATCHED = frozenset({"QueryRetrieveLevel", "SpecificCharacterSet", "TimezoneOffsetFromUTC"})
FULL_TIME = "235959.999999"
MOST_TERMS = 512


@dataclass(frozen=True, slots=True)
class Term:
    """One key: the attribute's `path`, its VR, how it matches, and what.

    `kind` is ``"any"`` (the attribute is asked for), ``"equal"`` (one of `values`), ``"like"`` (one of `values`, with
    ``*`` and ``?``), ``"range"`` (from `values`[0] to `values`[1], "" for open), ``"empty"`` or ``"fuzzy"``.
    """

    path: tuple[str, ...]
    vr: str
    kind: str
    values: tuple[str, ...] = ()

    @property
    def keyword(self) -> str:
        """The attribute at the top."""
        return self.path[0]

    def matches(self, value: Any) -> bool:
        """Whether a value of the attribute matches: a text, several, or None."""
        if self.kind == "any":
            return True
        texts = _texts(value)
        if self.kind == "empty":
            return not any(texts)
        return any(self._matches(text) for text in texts if text)

    def _matches(self, text: str) -> bool:
        if self.vr == "PN":
            groups = [fold_name(group) for group in text.split("=")]
            if self.kind == "fuzzy":
                words = [word for group in groups for word in _words(group)]
                return all(any(one.startswith(word) for one in words) for word in self.values)
            return any(_name_matches(groups, wanted, self.kind) for wanted in self.values)
        if self.kind == "range":
            low, high = self.values
            return (not low or normal(self.vr, text, low=True) >= low) and (
                not high or normal(self.vr, text, low=True) <= high
            )
        if self.kind == "like":
            return any(_pattern(wanted).fullmatch(text) is not None for wanted in self.values)
        return text in self.values


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [str(one).strip() for one in value]
    return [one.strip() for one in str(value).split("\\")]


def fold_name(group: str) -> str:
    """A component group of a name without case, accents, and empty components at its end."""
    plain = unicodedata.normalize("NFKD", group.strip())
    kept = "".join(one for one in plain if not unicodedata.combining(one))
    return kept.casefold().rstrip("^ ")


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\^\s=,]+", text) if word]


def _name_matches(groups: list[str], wanted: str, kind: str) -> bool:
    """A name given in one group matches any of them; given in several, each matches its own."""
    parts = wanted.split("=")
    pairs = zip(parts, [*groups, "", ""], strict=False) if len(parts) > 1 else ((wanted, one) for one in groups)
    test = _like if kind == "like" else str.__eq__
    found = [test(part, group) for part, group in pairs if part]
    return all(found) if len(parts) > 1 else any(found)


def _like(wanted: str, text: str) -> bool:
    return _pattern(wanted).fullmatch(text) is not None


def _pattern(wanted: str) -> re.Pattern[str]:
    """A pattern for a value with ``*`` and ``?`` (PS3.4 C.2.2.2.4).

    What stands between two stars is sought once, where it comes first, and never elsewhere: no pattern takes long.
    """
    first, *middle = (
        "".join("." if one == "?" else re.escape(one) for one in part) for part in re.split(r"\*+", wanted)
    )
    if not middle:
        return re.compile(first, re.DOTALL)
    *middle, last = middle
    return re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)


# -- dates and times


def normal(vr: str, text: str, *, low: bool) -> str:
    """A date or time in a form that sorts: YYYYMMDD, HHMMSS.FFFFFF, or both; filled to the earliest or the latest."""
    if vr == "DA":
        return text.replace(".", "") if len(text) == 10 else text
    if vr == "TM":
        return _time(text.replace(":", ""), low)
    digits = re.match(r"\d*", text)
    assert digits is not None
    date, time = digits[0][:8], text[8:] if len(digits[0]) > 8 else ""
    time = re.split(r"[+-]", time)[0]
    return (date + ("0101" if low else "1231")[len(date) - 4 :] if len(date) in (4, 6) else date) + _time(time, low)


def _time(text: str, low: bool) -> str:
    filled = "000000.000000" if low else FULL_TIME
    return text[:13] + filled[len(text) :] if len(text) < len(filled) else text[:13]


def time_bounds(vr: str, text: str) -> tuple[str, str]:
    """The ends of a range ``A-B``, ``A-`` or ``-B``, in a form that sorts; of a value, what its precision holds."""
    low, dash, high = _divided(vr, text)
    if not dash:
        low = high = text
    return (normal(vr, low, low=True) if low else "", normal(vr, high, low=False) if high else "")


def _divided(vr: str, text: str) -> tuple[str, str, str]:
    """A range at its hyphen; in DT a hyphen may also begin an offset from UTC, of four digits at the end of a value."""
    if vr != "DT":
        return text.partition("-")
    for match in re.finditer("-", text):
        left, right = text[: match.start()], text[match.end() :]
        offset = re.fullmatch(r"\d{4}(-.*)?", right) and len(left) >= 8 and int(right[:2]) <= 14
        if not offset or not left:
            return left, "-", right
        if right[4:]:
            return text[: match.end() + 4], "-", right[5:]
    return text, "", ""


# -- from identifiers


@dataclass(slots=True)
class Query:
    """A query: its terms, and the attributes that are asked for. `level` is the query/retrieve level."""

    level: str
    terms: list[Term] = field(default_factory=list)
    asked: Dataset = field(default_factory=Dataset)

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether a row, values by keyword, matches all terms."""
        return all(_matches_at(term, row) for term in self.terms)


def _matches_at(term: Term, row: Mapping[str, Any]) -> bool:
    value = row.get(term.keyword)
    for depth, keyword in enumerate(term.path[1:], 1):
        if not isinstance(value, list):
            return term.kind in ("any", "empty")
        deeper = Term(term.path[depth:], term.vr, term.kind, term.values)
        return any(_matches_at(deeper, item) for item in value if keyword)
    return term.matches(value)


def compile_identifier(identifier: Dataset, *, level: str = "", fuzzy: bool = False) -> Query:
    """The terms of an identifier (PS3.4 C.2.2.2); ValueError for more than 512 keys.

    `fuzzy` matches names by the beginnings of their words, in any order.
    """
    query = Query(level or str(identifier.get("QueryRetrieveLevel") or ""))
    query.asked = identifier
    pending: list[tuple[tuple[str, ...], Dataset]] = [((), identifier)]
    while pending:
        path, ds = pending.pop()
        for element in ds:
            keyword = keyword_for_tag(element.tag)
            if not keyword or keyword in NOT_MATCHED or element.tag.group in (0, 2):
                continue
            here = (*path, keyword)
            if isinstance(element.value, list) and element.VR == "SQ":
                if element.value:
                    pending.append((here, element.value[0]))
                else:
                    query.terms.append(Term(here, "SQ", "any"))
                continue
            query.terms.append(_term(here, element.VR, element.value, fuzzy))
            if len(query.terms) > MOST_TERMS:
                raise ValueError(f"an identifier of more than {MOST_TERMS} keys")
    return query


def _term(path: tuple[str, ...], vr: str, value: Any, fuzzy: bool) -> Term:
    vr = dictionary_VR(path[-1]) if vr in ("UN", "") else vr
    texts = [text for text in _texts(value) if text]
    if not texts or all(set(text) == {"*"} for text in texts):
        return Term(path, vr, "any")
    if texts == [EMPTY]:
        return Term(path, vr, "empty")
    if vr in RANGED:
        return _ranged(path, vr, texts)
    if vr == "PN":
        if fuzzy:
            return Term(path, vr, "fuzzy", tuple(word for text in texts for word in _words(fold_name(text))))
        texts = ["=".join(fold_name(group) for group in text.split("=")) for text in texts]
    if vr in WILD and any(one in text for text in texts for one in "*?"):
        return Term(path, vr, "like", tuple(texts))
    return Term(path, vr, "equal", tuple(texts))


def _ranged(path: tuple[str, ...], vr: str, texts: Iterable[str]) -> Term:
    first = next(iter(texts))
    return Term(path, vr, "range", time_bounds(vr, first))
