"""Times in another zone: values of DA, TM and DT as Timezone Offset From UTC has them read (PS3.4 C.2.2.2).

A time moves with the date that belongs to it, over midnight if need be; a date without a time stays, and so does what
says its own offset. Birth dates and versions of context groups are no moments of the object, and stay too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from dicomcore.catalogue.attributes import ZONES, level_of
from dicomcore.catalogue.naming import vr_of
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, text_of
from dicomcore.dictionary import dictionary_VR, tag_for_keyword

__all__ = [
    "ZONE",
    "date_of",
    "has_moments",
    "known_offset",
    "moved",
    "moved_set",
    "offset_from_utc",
    "time_of",
    "widened",
]

ZONE = "TimezoneOffsetFromUTC"
OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)")
EARLIEST, LATEST = -12 * 60, 14 * 60  # minutes (PS3.5 6.2)
MOST_DAYS = 2  # between the dates of one moment in two zones
STAYING = frozenset({"PatientBirthTime", "ContextGroupVersion", "ContextGroupLocalVersion"})
TIME = re.compile(r"(\d\d)(?::?(\d\d)(?::?(\d\d)(\.\d{1,6})?)?)?")
MOMENT = re.compile(r"(\d{8})(\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)")  # without an offset, and with an hour
DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
NO_DAY = datetime(2000, 1, 1)
DEEPEST = 16  # sequences in each other


def offset_from_utc(text: str) -> str:
    """An offset as it is written, ``+0100``; ValueError for what is none (PS3.3 C.12.1.1)."""
    _minutes(text := text.strip())
    return text


@lru_cache(maxsize=4096)
def known_offset(value: Any) -> str:
    """The offset from UTC that an object says; "" if it says none, or what is none."""
    try:
        return offset_from_utc(str(value or ""))
    except ValueError:
        return ""


def _minutes(text: str) -> int:
    found = OFFSET.fullmatch(text)
    minutes = 0 if found is None else int(found[1] + "1") * (60 * int(found[2]) + int(found[3]))
    if found is None or not EARLIEST <= minutes <= LATEST:
        raise ValueError(f"{text[:20]!r} is no offset from UTC, which is +HHMM or -HHMM from -1200 to +1400")
    return minutes


@lru_cache(maxsize=4096)
def _shift(own: str, zone: str) -> int:
    """The minutes from one zone to another; 0 if the first is not known."""
    return _minutes(zone) - _minutes(own) if own else 0


@lru_cache(maxsize=4096)
def _kind(name: str) -> str:
    """TM or DT for an attribute whose values move, else ""."""
    tag = tag_for_keyword(name)
    vr = "" if tag is None or name in STAYING else dictionary_VR(tag)
    return vr if vr in ("TM", "DT") else ""


@lru_cache(maxsize=4096)
def _counterpart(name: str, old: str, new: str, vr: str) -> str:
    found = name.replace(old, new, 1)
    tag = tag_for_keyword(found)
    return found if found != name and tag is not None and vr_of(tag) == vr else ""


def time_of(date: str) -> str:
    """The attribute of the time that belongs to a date, "" if none does, or if it stays."""
    found = _counterpart(date, "Date", "Time", "TM")
    return "" if found in STAYING else found


def date_of(time: str) -> str:
    """The attribute of the date that belongs to a time, "" for none."""
    return _counterpart(time, "Time", "Date", "DA")


def has_moments(asked: Dataset, depth: int = 0) -> bool:
    """Whether an identifier asks for dates and times that its answers' offset from UTC would be about."""
    for element in asked:
        name = element.keyword
        if _kind(name) or (element.VR == "DA" and time_of(name)):
            return True
        if element.VR == "SQ" and depth < DEEPEST:
            items = items_of(asked, name)
            if not items or has_moments(items[0], depth + 1):  # without keys, all of its items are asked for
                return True
    return False


# -- rows


def moved(row: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """A row with its times in a zone, as far as it says their own; ``TimezoneOffsetFromUTC`` is "" if they are mixed.

    A row of a catalogue says it for each level, in the columns of `ZONES`.
    """
    made = _moved(row, zone, {level: _own(row, level) for level in (None, *ZONES)})
    owns = [_own(row, level) for level, name in ZONES.items() if name in row] or [_own(row, None)]
    made[ZONE] = zone if all(owns) else ""
    return made


def _own(row: Mapping[str, Any], level: str | None) -> str:
    """The offset of the times of a level; what was kept before levels had their own counts for all below."""
    found = row.get(ZONES[level]) if level in ZONES else None
    found = row.get(ZONES["STUDY"]) if found is None else found
    return known_offset(row.get(ZONE) if found is None else found)


def _moved(row: Mapping[str, Any], zone: str, owns: Mapping[str | None, str]) -> dict[str, Any]:
    made = dict(row)
    for name, value in row.items():
        own = owns.get(level_of(name), owns[None])
        shift = _shift(own, zone)
        if not shift or not value:
            continue
        if type(value) is list:
            made[name] = [_moved(item, zone, {None: own}) for item in value]
        elif _kind(name) == "DT":
            made[name] = "\\".join(_moment(text, shift) for text in str(value).split("\\"))
        elif _kind(name) == "TM":
            date = date_of(name)
            dates, times = _pairs(str(row.get(date) or ""), str(value), shift)
            made[name] = times
            if row.get(date):
                made[date] = dates
    return made


def _pairs(dates: str, times: str, shift: int) -> tuple[str, str]:
    """Dates with their times, several of them divided by backslashes."""
    days, hours = dates.split("\\"), times.split("\\")
    for at, text in enumerate(hours):
        day = days[at] if at < len(days) else ""
        new, hours[at] = _pair(day, text, shift)
        if at < len(days):
            days[at] = new
    return "\\".join(days), "\\".join(hours)


@lru_cache(maxsize=4096)
def _pair(date: str, time: str, shift: int) -> tuple[str, str]:
    """A date with its time in another zone; as they are, if either is none. A time alone goes round the clock."""
    found, day = TIME.fullmatch(time.strip()), DATE.fullmatch(date.strip())
    if found is None or (date.strip() and day is None):
        return date, time
    try:
        start = datetime(int(day[1]), int(day[2]), int(day[3])) if day is not None else NO_DAY
        at = start + timedelta(hours=int(found[1]), minutes=int(found[2] or 0) + shift)
    except (ValueError, OverflowError):
        return date, time
    digits = f"{at.hour:02}"
    if found[2] is not None or shift % 60:
        digits += f"{at.minute:02}"
    if found[3] is not None:
        digits += found[3] + (found[4] or "")
    return (f"{at.year:04}{at.month:02}{at.day:02}" if day is not None else date), digits


def _moment(text: str, shift: int) -> str:
    found = MOMENT.fullmatch(text.strip())
    return text if found is None else "".join(_pair(found[1], found[2], shift))


# -- data sets


def moved_set(ds: Dataset, zone: str) -> Dataset:
    """A copy of a data set with its times in a zone, which it says then; itself if it does not say its own."""
    own = known_offset(text_of(ds, ZONE))
    if not own:
        return ds
    shift = _shift(own, zone)
    made = _moved_set(ds, shift, 0) if shift else ds.copy()
    made.TimezoneOffsetFromUTC = zone
    return made


def _moved_set(ds: Dataset, shift: int, depth: int) -> Dataset:
    made = ds.copy()
    for element in ds:
        name = element.keyword
        if element.VR == "SQ" and depth < DEEPEST:
            made.add_new(element.tag, "SQ", [_moved_set(item, shift, depth + 1) for item in items_of(ds, name)])
            continue
        kind = _kind(name) if element.VR in ("TM", "DT") else ""
        text = text_of(ds, name) if kind else None
        if not text:
            continue
        if kind == "DT":
            made.add_new(element.tag, "DT", [_moment(one, shift) for one in text.split("\\")])
            continue
        date = date_of(name)
        dates, times = _pairs(text_of(ds, date) or "", text, shift)
        made.add_new(element.tag, "TM", times.split("\\"))
        if dates:
            setattr(made, date, dates.split("\\") if "\\" in dates else dates)
    return made


# -- what a database decides


def widened(low: str, high: str) -> tuple[str, str] | None:
    """The ends of a range of dates between which all dates lie that another zone may call so; None if one is none."""
    try:
        ends = [_days(end, days) for end, days in ((low, -MOST_DAYS), (high, MOST_DAYS))]
    except (ValueError, OverflowError):
        return None
    return ends[0], ends[1]


def _days(end: str, days: int) -> str:
    if not end:
        return ""
    at = datetime.strptime(end[:8], "%Y%m%d") + timedelta(days=days)
    return f"{at.year:04}{at.month:02}{at.day:02}"
