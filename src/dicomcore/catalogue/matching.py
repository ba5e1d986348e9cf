"""Matching of queries (PS3.4 C.2.2.2): terms, evaluated in Python on a row of values by keyword.

A database evaluates the same terms as far as it can (`sql`), and finds the same rows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dicomcore.catalogue.zones import moved
from dicomcore.dataset import Dataset

__all__ = ["Query", "Term", "fold_name", "normal", "time_bounds"]

OFFSET = re.compile(r"(?<=\d{4})[+-]\d{4}$")  # from UTC, behind at least a year
FULL_TIME = "235959.999999"
NO_TIME = "000000.000000"


@dataclass(frozen=True, slots=True)
class Term:
    """One key: an attribute's keyword, its VR, how it matches, and what.

    `kind` is one of

    - ``"any"``: the attribute is asked for, whatever its value is
    - ``"equal"``: one of `values`
    - ``"like"``: one of `values`, which have ``*`` and ``?``
    - ``"range"``: from `values`[0] to `values`[1], or from `values`[2] to `values`[3], ...; "" is an open end
    - ``"moment"``: the same for a date together with the time of the attribute `time`
    - ``"empty"``: no value
    - ``"fuzzy"``: a name with words that begin with all words of one of `values`, which may have ``*`` and ``?``
    - ``"items"``: an item of the sequence that matches all terms of `inner`
    """

    keyword: str
    vr: str
    kind: str
    values: tuple[str, ...] = ()
    inner: tuple[Term, ...] = ()
    time: str = ""
    zone: str = ""
    """The offset from UTC of a DT that says none; "" if it is not known."""

    @property
    def path(self) -> tuple[str, ...]:
        """The attribute at the top, as a path."""
        return (self.keyword,)

    def is_matched_by(self, row: Mapping[str, Any]) -> bool:
        """Whether a row matches: values by keyword, texts or lists of them, and of a sequence a list of rows."""
        value = row.get(self.keyword)
        if self.kind == "items":
            items = value if isinstance(value, list) and value else [{}]
            return any(all(term.is_matched_by(item) for term in self.inner) for item in items)
        if self.kind == "moment":
            return self._is_within(value, row.get(self.time))
        return self.matches(value)

    def matches(self, value: Any) -> bool:
        """Whether a value of the attribute matches: a text, several, or None."""
        if self.kind == "any":
            return True
        texts = texts_of(value)
        if self.kind == "empty":
            return not any(texts)
        return any(self._matches(text) for text in texts if text)

    def _matches(self, text: str) -> bool:
        if self.vr == "PN":
            groups = [fold_name(group) for group in text.split("=")]
            if self.kind == "fuzzy":
                words = [word for group in groups for word in words_of(group)]
                return any(all(_begins(wanted, words) for wanted in key.split(" ")) for key in self.values)
            return any(_name_matches(groups, wanted, self.kind) for wanted in self.values)
        if self.kind == "range" and self.vr == "DT":
            return any(_is_between(text, low, high, self.zone) for low, high in self.ranges())
        if self.kind == "range":
            at = normal(self.vr, text, low=True)
            return any((not low or at >= low) and (not high or at <= high) for low, high in self.ranges())
        if self.kind == "like":
            return any(_like(wanted, text) for wanted in self.values)
        return text in self.values

    def ranges(self) -> list[tuple[str, str]]:
        """The ranges of a range or moment."""
        return list(zip(self.values[::2], self.values[1::2], strict=True))

    def _is_within(self, date: Any, time: Any) -> bool:
        """Whether a date with its time lies in a range; without a time it does if some moment of the day does."""
        times = texts_of(time)
        for at, text in enumerate(texts_of(date)):
            day = normal("DA", text, low=True)
            own = times[at] if at < len(times) else ""
            first, last = (normal("TM", own, low=True),) * 2 if own else (NO_TIME, FULL_TIME)
            for low, high in self.ranges():
                if day and (not low or day + last >= low) and (not high or day + first <= high):
                    return True
        return False


@dataclass(slots=True)
class Query:
    """A query: its terms, and the attributes that are asked for. `level` is the query/retrieve level.

    With a `zone`, an offset from UTC, its dates and times are of that zone, and so are those of the rows that it finds.
    """

    level: str
    terms: list[Term] = field(default_factory=list)
    asked: Dataset = field(default_factory=Dataset)
    zone: str = ""

    def seen(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """A row as this query sees it: with its times in the query's zone."""
        return moved(row, self.zone) if self.zone else row

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether a row, values by keyword, matches all terms."""
        row = self.seen(row)
        return all(term.is_matched_by(row) for term in self.terms)


def texts_of(value: Any) -> list[str]:
    """The values of an attribute in a row or an identifier."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [str(one).strip() for one in value]
    return [one.strip() for one in str(value).split("\\")]


def plain(text: str) -> str:
    """A text that databases take: without NULs, and with none but whole characters."""
    text = text.replace("\0", "") if "\0" in text else text
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def fold_name(group: str) -> str:
    """A component group of a name without case, accents, and empty components at its end."""
    plain = unicodedata.normalize("NFKD", group.strip())
    kept = "".join(one for one in plain if not unicodedata.combining(one))
    return kept.casefold().rstrip("^ ")


def words_of(text: str) -> list[str]:
    """The words of a name."""
    return [word for word in re.split(r"[\^\s=,]+", text) if word]


def _name_matches(groups: list[str], wanted: str, kind: str) -> bool:
    """A name given in one group matches any of them; given in several, each matches its own."""
    parts = wanted.split("=")
    pairs = zip(parts, [*groups, "", ""], strict=False) if len(parts) > 1 else ((wanted, one) for one in groups)
    test = _like if kind == "like" else str.__eq__
    found = [test(part, group) for part, group in pairs if part]
    return all(found) if len(parts) > 1 else any(found)


def _begins(wanted: str, words: list[str]) -> bool:
    """Whether a word begins as it is wanted."""
    if "*" in wanted or "?" in wanted:
        return any(_like(wanted + "*", word) for word in words)
    return any(word.startswith(wanted) for word in words)


def _like(wanted: str, text: str) -> bool:
    return pattern_of(wanted).fullmatch(text) is not None


def pattern_of(wanted: str) -> re.Pattern[str]:
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
    filled = NO_TIME if low else FULL_TIME
    return text[:13] + filled[len(text) :] if len(text) < len(filled) else text[:13]


def time_bounds(vr: str, text: str, zone: str = "") -> tuple[str, str]:
    """The ends of a range ``A-B``, ``A-`` or ``-B``, in a form that sorts; of a value, what its precision holds.

    An end of a DT keeps its offset from UTC behind it, and gets that of the `zone` if it has none.
    """
    low, dash, high = (part.strip() for part in divided(vr, text))
    if not dash:
        low = high = text
    first = normal(vr, low, low=True) if low else ""
    last = normal(vr, high, low=False) if high else ""
    return (first and first + (_offset(vr, low) or zone), last and last + (_offset(vr, high) or zone))


def _offset(vr: str, text: str) -> str:
    """The offset from UTC behind a DT, "" for none."""
    found = OFFSET.search(text) if vr == "DT" else None
    return found[0] if found is not None else ""


def _is_between(text: str, low: str, high: str, zone: str) -> bool:
    """Whether a DT lies between two ends, as `time_bounds` gives them."""
    at = normal("DT", text, low=True) + (_offset("DT", text) or zone)
    return (not low or _is_before(low, at)) and (not high or _is_before(at, high))


def _is_before(first: str, second: str) -> bool:
    """Whether a moment is not after another. If both say their offset from UTC, it counts (PS3.4 C.2.2.2.5)."""
    offsets = _offset("DT", first), _offset("DT", second)
    bare = first.removesuffix(offsets[0]), second.removesuffix(offsets[1])
    if not all(offsets) or offsets[0] == offsets[1]:
        return bare[0] <= bare[1]
    try:
        moments = [_in_utc(moment, offset) for moment, offset in zip(bare, offsets, strict=True)]
    except (ValueError, OverflowError):
        return bare[0] <= bare[1]
    return moments[0] <= moments[1]


def _in_utc(moment: str, offset: str) -> datetime:
    shift = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))
    made = datetime.strptime(moment, "%Y%m%d%H%M%S.%f")
    return made + shift if offset[0] == "-" else made - shift


def divided(vr: str, text: str) -> tuple[str, str, str]:
    """A range at its hyphen; in DT a hyphen may also begin an offset from UTC, of four digits at the end of a value."""
    if vr != "DT":
        return text.partition("-")
    for match in re.finditer("-", text):
        left, right = text[: match.start()].rstrip(), text[match.end() :].lstrip()
        offset = re.fullmatch(r"\d{4}( *-.*)?", right) and len(left) >= 8 and int(right[:2]) <= 14
        if not offset or not left:
            return left, "-", right
        if right[4:]:
            return text[: match.end() + 4], "-", right[4:].lstrip(" ")[1:]
    return text, "", ""
