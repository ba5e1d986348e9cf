"""Dates and times moved by whole days: DA, DT and TM as PS3.5 6.2 and older editions write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

__all__ = ["shifted", "young_age"]

DA = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})", re.ASCII)
TM = re.compile(r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)
DT = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?:(?P<day>\d{2})(?P<time>\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?)?)?"
    r"(?P<zone>[+-](?:0\d|1[0-4])[0-5]\d)?",
    re.ASCII,
)
ZONE = re.compile(r"[+-](?:0\d|1[0-4])[0-5]\d", re.ASCII)
AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)
OLDEST = 89


def shifted(text: str, vr: str, days: int) -> str | None:
    """The value moved by `days`, None if it is not valid. `vr` is DA, DT, TM or SH, which is an offset from UTC.

    Precision, zone, fraction and spelling stay; of a date without day or month the middle is moved. Both ends of a
    range are moved, and every one of several values. A date that would leave the years 1 to 9999 stops at their end.
    """
    move = MOVES[vr]
    made = []
    for value in text.split("\\"):
        bare = value.strip(" \0")
        moved = move(bare, days) if bare else ""
        if moved is None:
            return None
        made.append(moved)
    return "\\".join(made)


def _moved(year: int, month: int, day: int, days: int) -> date | None:
    try:
        given = date(year, month, day)
    except ValueError:
        return None
    try:
        return given + timedelta(days)
    except OverflowError:
        return date.min if days < 0 else date.max


def _range(text: str, days: int, one: Callable[[str, int], str | None]) -> str | None:
    """A value, or two with a hyphen between them, either of which may be missing (PS3.4 C.2.2.2.5)."""
    whole = one(text, days)
    if whole is not None:
        return whole
    for at, character in enumerate(text):
        if character != "-":
            continue
        ends = text[:at], text[at + 1 :]
        moved = [one(end, days) if end else "" for end in ends]
        if any(ends) and None not in moved:
            return "-".join(end or "" for end in moved)
    return None


def _one_date(text: str, days: int) -> str | None:
    found = DA.fullmatch(text)
    moved = found and _moved(int(found[1]), int(found[3]), int(found[4]), days)
    if not found or not moved:
        return None
    return f"{moved.year:04}{found[2]}{moved.month:02}{found[2]}{moved.day:02}"


def _one_datetime(text: str, days: int) -> str | None:
    found = DT.fullmatch(text)
    if not found or (found["time"] and not _is_time(found["time"])):
        return None
    month, day = found["month"], found["day"]
    moved = _moved(int(found["year"]), int(month or 7), int(day or (15 if month else 1)), days)
    if not moved:
        return None
    made = f"{moved.year:04}" + (f"{moved.month:02}" if month else "") + (f"{moved.day:02}" if day else "")
    return made + (found["time"] or "") + (found["zone"] or "")


def _is_time(text: str) -> bool:
    if not TM.fullmatch(text):
        return False
    digits = text.replace(":", "").partition(".")[0]
    return digits[:2] < "24" and digits[2:4] < "60" and digits[4:6] <= "60"


def _one_time(text: str, _days: int) -> str | None:
    return text if _is_time(text) else None


def _zone(text: str, _days: int) -> str | None:
    return text if ZONE.fullmatch(text) else None


MOVES: dict[str, Callable[[str, int], str | None]] = {
    "DA": lambda text, days: _range(text, days, _one_date),
    "DT": lambda text, days: _range(text, days, _one_datetime),
    "TM": lambda text, days: _range(text, days, _one_time),
    "SH": _zone,
}


def young_age(text: str) -> str | None:
    """The age, that of people over 89 years as 90; None if it is not valid."""
    found = AGE.fullmatch(text.strip(" \0"))
    if not found:
        return None
    years = int(found[1]) / {"D": 365.25, "W": 52.18, "M": 12, "Y": 1}[found[2]]
    return "090Y" if years >= OLDEST + 1 else found[0]
