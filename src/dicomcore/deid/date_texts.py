# ruff: noqa: SIM905 -- words are listed as text
"""Dates as people write them: about thirty spellings of one date, and dates found in text.

Text is folded first (`dicomcore.deid.folding`): in lower case, with ASCII digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from dicomcore.deid.folding import WORD, words_of

__all__ = ["MONTHS", "date_of", "find_dates", "find_known_dates", "spellings"]

_MONTHS = """
jan january januar janvier enero gennaio januari janeiro
feb february februar februari fevrier febrero febbraio fevereiro
mar march marz maerz mars marzo maart marco mrz
apr april avril abril aprile
may mai mayo maggio mei maio
jun june juni juin junio giugno junho
jul july juli juillet julio luglio julho
aug august aout agosto augustus
sep sept september septembre septiembre settembre setembro
oct october oktober octobre octubre ottobre outubro okt
nov november novembre noviembre novembro
dec december dezember decembre diciembre dicembre dezembro dez
"""
_MORE_MONTHS = """
stycznia января янв ιανουαριου ocak ledna يناير ינואר
lutego февраля фев φεβρουαριου subat unora فبراير פברואר
marts marca марта мар μαρτιου mart brezna marcius مارس מרץ
kwietnia апреля апр απριλιου nisan dubna aprilis ابريل אפריל
maj maja мая μαιου mayis kvetna majus مايو מאי
czerwca июня июн ιουνιου haziran cervna junius يونيو יוני
lipca июля июл ιουλιου temmuz cervence julius يوليو יולי
augusti sierpnia августа авг αυγουστου agustos srpna augusztus اغسطس אוגוסט
wrzesnia сентября сен σεπτεμβριου eylul zari szeptember سبتمبر ספטמבר
pazdziernika октября окт οκτωβριου ekim rijna اكتوبر אוקטובר
listopada ноября ноя νοεμβριου kasim listopadu نوفمبر נובמבר
grudnia декабря дек δεκεμβριου aralik prosince ديسمبر דצמבר
"""
"""Of Polish, Czech, Hungarian, Turkish, Swedish, Danish, Russian, Greek, Arabic and Hebrew, as dates have them."""
MONTHS = {
    name: number
    for names in (_MONTHS, _MORE_MONTHS)
    for number, line in enumerate(names.split("\n")[1:-1], 1)
    for name in line.split()
}
"""The number of a month by its names, in lower case and without accents."""

_ROMAN = "I II III IV V VI VII VIII IX X XI XII".split()
_ENGLISH = "January February March April May June July August September October November December".split()
# The first day of each era of Japan; its year 1 is the calendar year of that day.
_ERAS = (
    ("令和", "r", date(2019, 5, 1)),
    ("平成", "h", date(1989, 1, 8)),
    ("昭和", "s", date(1926, 12, 25)),
    ("大正", "t", date(1912, 7, 30)),
    ("明治", "m", date(1868, 1, 25)),
)
_BUDDHIST = 543
"""Years that the calendar of Thailand is ahead."""
_DA = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")

_MONTH = rf"(?:{'|'.join(sorted(MONTHS, key=len, reverse=True))})"
_TIME = (
    r"(?:[t _-]*(?:[01]\d|2[0-3]):?[0-5]\d(?::?[0-5]\d(?:[.,]\d+)?)?(?:\s*[ap]\.?m\.?)?(?:z|[+-]\d\d:?\d\d)?(?!\d))?"
)
_ALONE = r"(?<![a-z])"  # a month's name is no end of another word
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|er|o)?"
_OF = r"(?:(?:of|de|del|di|do) |d['’]|ב)?"
_YEAR = r"(?:'?\d\d(?!\d)|(?:18|19|20)\d\d(?!\d))"
_FULL_YEAR = r"(?:18|19|20)\d\d"
_GAP = r"[\s.,\-/_]{0,3}"
_HAS_MONTH = re.compile(rf"(?<![a-z]){_MONTH}|[年月년월]|\d thang \d")
# Dates with a year that are no other kind of text.
_WORDED = re.compile(
    rf"(?<![^\W_]){_DAY}{_GAP}{_OF}{_ALONE}{_MONTH}{_GAP}{_OF}{_YEAR}{_TIME}"
    rf"|{_ALONE}{_MONTH}{_GAP}{_DAY}(?:,\s*|[\s.\-/_]+)(?:{_YEAR}){_TIME}"
    rf"|(?<!\d){_FULL_YEAR}{_GAP}{_ALONE}{_MONTH}{_GAP}{_DAY}(?!\d){_TIME}"
    rf"|{_ALONE}{_MONTH}{_GAP}{_FULL_YEAR}(?!\d)"
    rf"|(?<!\d){_FULL_YEAR}{_GAP}{_ALONE}{_MONTH}(?![a-z])"
    r"|(?<!\d)(?:\d{4}|(?:明治|大正|昭和|平成|令和|(?<![a-z])[mtshr])\s?(?:\d{1,2}|元))\s?年\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?"
    r"|(?<!\d)\d{1,2} thang \d{1,2}(?:,? nam)? (?:18|19|20)\d\d(?!\d)"  # of Vietnam
    r"|\d{1,2}\s?月\s?\d{1,2}\s?日"
    r"|(?<!\d)\d{2,4}\s?년\s?\d{1,2}\s?월(?:\s?\d{1,2}\s?일)?"
)
_JOINED = re.compile(
    rf"(?<!\d)(?:(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    rf"(?:(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d(?:\.\d{{1,6}})?)?(?:[+-]\d{{4}})?(?!\d)|{_TIME}(?!\d))"
)
_CODED = re.compile(  # the month in Roman numbers, and the week and its day (ISO 8601)
    rf"(?<![\d.]){_DAY}[-./ ](?:i{{1,3}}|i?v|vi{{1,3}}|i?x|xi{{1,2}})[-./ ]{_FULL_YEAR}(?!\d)"
    rf"|(?<!\d){_FULL_YEAR}-?w[0-5]\d(?:-?[1-7])?(?![^\W_])"
)
_DIVIDED = re.compile(r"(?<![\d.])(\d{1,4})([-/. _])(\d{1,2})\2(\d{1,4})(?![\d]|\.\d)" + _TIME)
_DIGITS = re.compile(r"(?<!\d)\d{6}(?:\d\d)?(?!\d)")
_YEARLESS = re.compile(
    rf"(?<![^\W_])({_DAY}){_GAP}(?:of )?{_ALONE}({_MONTH})(?![a-z])|{_ALONE}({_MONTH}){_GAP}({_DAY})(?!\d)"
)
_ERA = re.compile(r"(?<![a-z])([mtshr])\s?(\d{1,2})[./-](\d{1,2})[./-](\d{1,2})(?!\d)")
_PARTIAL = re.compile(r"(?<![\d.])(\d{1,4})[-/.](\d{1,4})(?![\d]|[-/.]\d)")


def date_of(text: str) -> date | None:
    """The date of a DA or DT value, also in the form ``YYYY.MM.DD`` of ACR-NEMA; None if it is no whole date."""
    match = _DA.match(text.strip())
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def _era(day: date) -> tuple[str, str, int] | None:
    for name, letter, first in _ERAS:
        if day >= first:
            return name, letter, day.year - first.year + 1
    return None


def spellings(day: date) -> tuple[str, ...]:
    """The date as it may be written in a text, from the most usual spelling on."""
    y, m, d = day.year, day.month, day.day
    yy, name = f"{y % 100:02d}", _ENGLISH[m - 1]
    short = name[:3]
    ending = "th" if 11 <= d <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(d % 10, "th")
    made = [f"{y:04d}{m:02d}{d:02d}"]
    for sign in "-/.":
        made += [f"{y:04d}{sign}{m:02d}{sign}{d:02d}", f"{y}{sign}{m}{sign}{d}"]
        for a, b in ((d, m), (m, d)):
            made += [f"{a:02d}{sign}{b:02d}{sign}{y:04d}", f"{a}{sign}{b}{sign}{y}", f"{a:02d}{sign}{b:02d}{sign}{yy}"]
    made += [
        f"{d} {short} {y}", f"{d:02d} {short} {y}", f"{d:02d}-{short}-{y}", f"{d}-{short}-{yy}", f"{d:02d}{short}{y}",
        f"{d} {name} {y}", f"{d}{ending} {name} {y}", f"{d}{ending} of {name} {y}", f"{d}. {name} {y}",
        f"{short} {d} {y}", f"{short} {d}, {y}", f"{short}. {d}, {y}", f"{short}-{d:02d}-{y}", f"{name} {d}, {y}",
        f"{name} {d} {y}", f"{name} {d}{ending}, {y}", f"{name} {d}{ending} {y}", f"{y} {short} {d:02d}",
        f"{y}-{short}-{d:02d}", f"{y} {m:02d} {d:02d}", f"{d:02d} {m:02d} {y}", f"{d:02d}{m:02d}{y}",
        f"{m:02d}{d:02d}{y}", f"{y}年{m}月{d}日", f"{y}年{m:02d}月{d:02d}日", f"{y}년 {m}월 {d}일", f"{y}년{m}월{d}일",
    ]  # fmt: skip
    week = day.isocalendar()
    made += [f"{week.year}-W{week.week:02d}-{week.weekday}", f"{y}-{day.timetuple().tm_yday:03d}"]
    made += [f"{d:02d}/{m:02d}/{y + _BUDDHIST}", f"{d}/{m}/{y + _BUDDHIST}", f"{d:02d}-{_ROMAN[m - 1]}-{y}"]
    era = _era(day)
    if era is not None:
        made += [f"{era[0]}{era[2]}年{m}月{d}日", f"{era[1].upper()}{era[2]}.{m}.{d}"]
    return tuple(dict.fromkeys(made))


def find_dates(text: str, known: frozenset[date] = frozenset()) -> Iterator[tuple[int, int]]:
    """(start, stop) of dates in a folded text.

    A date with its year is found in any spelling that is nothing else. Those in `known` are found also where a text may
    mean something else: six digits, a day with a month, numbers of few digits between full stops.
    """
    worded = _HAS_MONTH.search(text) is not None
    for pattern in (_WORDED, _JOINED) if worded else (_JOINED,):
        for match in pattern.finditer(text):
            yield match.span()
    for match in _CODED.finditer(text):
        yield match.span()
    place = _DIVIDED.search(text)
    while place:
        found = _is_divided(place, known)
        later = _DIVIDED.match(text, place.start(3)) if found and len(place[4]) == 2 else None
        if later and (_is_known(later, known) or (len(later[4]) == 4 and _is_divided(later, known))):
            place = later  # as in "T2/03/04/2019"
        if found:
            yield place.span()
        place = _DIVIDED.search(text, place.end() if found else place.end(1))
    if known:
        yield from _find_known(text, known, worded)


def find_known_dates(text: str, known: frozenset[date]) -> Iterator[tuple[int, int]]:
    """(start, stop) of what means one of these dates in a folded text; other dates are left out."""
    if not known:
        return
    worded = _worded(known)
    for start, stop in find_dates(text, known):
        words = WORD.findall(text[start:stop])
        starts = {tuple(words[:count]) for count in range(1, len(words) + 1)}
        starts.add((words[0][:8],))  # eight digits with a time behind them
        if not worded.isdisjoint(starts):
            yield start, stop


@lru_cache(maxsize=64)
def _worded(known: frozenset[date]) -> frozenset[tuple[str, ...]]:
    """The words and numbers of all spellings of dates."""
    made = {tuple(words_of(text)) for one in known for text in spellings(one)}
    made |= {(f"{number:0{digits}d}",) for one in known for number, digits in _numbers(one)}
    return frozenset(made)


def _read_as(match: re.Match[str]) -> Iterator[tuple[str, str, str]]:
    """Year, month and day, in each order in which the three numbers may be a date."""
    a, b, c = match[1], match[3], match[4]
    for year, month, day in ((a, b, c), (c, b, a), (c, a, b)):
        if len(month) <= 2 and len(day) <= 2 and len(year) in (2, 4):
            yield year, month, day


def _is_known(match: re.Match[str], known: frozenset[date]) -> bool:
    return any(_is(one, *read) for read in _read_as(match) for one in known)


def _is_divided(match: re.Match[str], known: frozenset[date]) -> bool:
    if known and _is_known(match, known):
        return True
    a, b, c = match[1], match[3], match[4]
    for year, month, day in _read_as(match):
        if len(year) == 4 and match[2] != " " and _is_date(int(year), int(month), int(day)):
            return True
        # Two digits of a year: versions and sizes are written so too, but not filled up with zeros.
        filled = len(a) == len(b) == len(c) == 2 and match[2] in "-."
        if len(year) == 2 and year is c and (filled or match[2] == "/") and _is_date(2000, int(month), int(day)):
            return True
    return False


def _is_date(year: int, month: int, day: int) -> bool:
    return 1800 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31


def _is(one: date, year: str, month: str, day: str) -> bool:
    number = int(year)
    years = one.year, one.year % 100, one.year + _BUDDHIST
    return one.month == int(month) and one.day == int(day) and number in years


def _find_known(text: str, known: frozenset[date], worded: bool) -> Iterator[tuple[int, int]]:
    whole = _worded(known)
    for match in _DIGITS.finditer(text):
        if (match[0],) in whole:
            yield match.span()
    days = {(one.month, one.day) for one in known}
    for match in _YEARLESS.finditer(text) if worded else ():
        month, day = MONTHS[match[2] or match[3]], (match[1] or match[4]).rstrip("stndrh")
        if (month, int(day)) in days:
            yield match.span()
    eras = {(era[1], era[2], one.month, one.day) for one in known for era in [_era(one)] if era}
    for match in _ERA.finditer(text):
        if (match[1], int(match[2]), int(match[3]), int(match[4])) in eras:
            yield match.span()
    months = {(one.year, one.month) for one in known}
    days_of_years = {(one.year, one.timetuple().tm_yday) for one in known}
    for match in _PARTIAL.finditer(text):
        a, b = int(match[1]), int(match[2])
        if (a, b) in months or (b, a) in months or (len(match[2]) == 3 and (a, b) in days_of_years):
            yield match.span()


def _numbers(one: date) -> Iterator[tuple[int, int]]:
    """Digits alone, as a number and how many there are."""
    yy, y, m, d = one.year % 100, one.year, one.month, one.day
    yield from ((yy * 10000 + m * 100 + d, 6), (d * 10000 + m * 100 + yy, 6), (m * 10000 + d * 100 + yy, 6))
    yield from ((y * 10000 + m * 100 + d, 8), (d * 1000000 + m * 10000 + y, 8), (m * 1000000 + d * 10000 + y, 8))
