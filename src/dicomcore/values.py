"""Value types: person names; dates, times and integers parsed and formatted on request (PS3.5 6.2)."""

from __future__ import annotations

import sys
from functools import cache
from itertools import chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable
    from datetime import date, datetime, time
    from decimal import Decimal
    from typing import Any, Self, TypeGuard

__all__ = [
    "PersonName",
    "format_date",
    "format_datetime",
    "format_time",
    "is_date",
    "is_datetime",
    "is_decimal",
    "is_time",
    "parse_date",
    "parse_datetime",
    "parse_integer",
    "parse_time",
]

PADDING = " \0"
PARTS = ("family_name", "given_name", "middle_name", "name_prefix", "name_suffix")
MAX_INTEGER_DIGITS = 4300  # the default bound of int()


class PersonName(str):
    """A person's name: the text of a PN value, and its components as properties (PS3.5 6.2.1).

    Up to three component groups are separated by `=`; up to five components of a group are separated by `^`. Equality,
    hash, slicing and order are those of `str`. A component that is absent is "".
    """

    __slots__ = ()

    def __new__(cls, value: str | bytes | None = "") -> Self:
        """Make a name from text, from bytes (UTF-8, else Latin-1), or from None, which gives an empty name."""
        text = "" if value is None else value
        if isinstance(text, bytes):
            try:
                text = text.decode()
            except UnicodeDecodeError:
                text = value.decode("latin-1")  # type: ignore[union-attr]
        return super().__new__(cls, text)

    @property
    def components(self) -> tuple[str, ...]:
        """The component groups (alphabetic, ideographic, phonetic), without empty groups at the end."""
        text = self.rstrip("=")
        return tuple(text.split("=")) if text else ()

    def _group(self, i: int) -> str:
        groups = self.split("=", i + 1)
        return groups[i] if i < len(groups) else ""

    def _part(self, i: int) -> str:
        parts = self._group(0).split("^")
        return parts[i] if i < len(parts) else ""

    @property
    def alphabetic(self) -> str:
        """The first component group: the name in single-byte characters."""
        return self._group(0)

    @property
    def ideographic(self) -> str:
        """The second component group: the name in ideographs, e.g. kanji, hanja or hanzi."""
        return self._group(1)

    @property
    def phonetic(self) -> str:
        """The third component group: how the name is pronounced, e.g. hiragana or hangul."""
        return self._group(2)

    @property
    def family_name(self) -> str:
        """The family name of the alphabetic group."""
        return self._part(0)

    @property
    def given_name(self) -> str:
        """The given name of the alphabetic group."""
        return self._part(1)

    @property
    def middle_name(self) -> str:
        """The middle name of the alphabetic group."""
        return self._part(2)

    @property
    def name_prefix(self) -> str:
        """The prefix of the alphabetic group, e.g. "Rev."."""
        return self._part(3)

    @property
    def name_suffix(self) -> str:
        """The suffix of the alphabetic group, e.g. "B.A. M.Div."."""
        return self._part(4)

    def family_comma_given(self) -> str:
        """The alphabetic name as "Family, Given"."""
        return f"{self.family_name}, {self.given_name}"

    def formatted(self, format_str: str) -> str:
        """Format with the components by name, e.g. "%(family_name)s, %(given_name)s"; also ideographic and phonetic."""
        return format_str % {part: getattr(self, part) for part in (*PARTS, "ideographic", "phonetic")}

    @classmethod
    def from_named_components(
        cls,
        family_name: str = "",
        given_name: str = "",
        middle_name: str = "",
        name_prefix: str = "",
        name_suffix: str = "",
        family_name_ideographic: str = "",
        given_name_ideographic: str = "",
        middle_name_ideographic: str = "",
        name_prefix_ideographic: str = "",
        name_suffix_ideographic: str = "",
        family_name_phonetic: str = "",
        given_name_phonetic: str = "",
        middle_name_phonetic: str = "",
        name_prefix_phonetic: str = "",
        name_suffix_phonetic: str = "",
    ) -> PersonName:
        """Make a name from its components. Raises ValueError if one holds a delimiter: backslash, `^` or `=`."""
        return cls(
            _join_groups(
                (family_name, given_name, middle_name, name_prefix, name_suffix),
                (
                    family_name_ideographic,
                    given_name_ideographic,
                    middle_name_ideographic,
                    name_prefix_ideographic,
                    name_suffix_ideographic,
                ),
                (
                    family_name_phonetic,
                    given_name_phonetic,
                    middle_name_phonetic,
                    name_prefix_phonetic,
                    name_suffix_phonetic,
                ),
            )
        )

    @classmethod
    def from_named_components_veterinary(
        cls,
        responsible_party_name: str = "",
        patient_name: str = "",
        responsible_party_name_ideographic: str = "",
        patient_name_ideographic: str = "",
        responsible_party_name_phonetic: str = "",
        patient_name_phonetic: str = "",
    ) -> PersonName:
        """Make a name by the veterinary convention (PS3.5 6.2.1.1). Raises as `from_named_components` does."""
        return cls(
            _join_groups(
                (responsible_party_name, patient_name),
                (responsible_party_name_ideographic, patient_name_ideographic),
                (responsible_party_name_phonetic, patient_name_phonetic),
            )
        )


def _join_groups(*groups: tuple[str, ...]) -> str:
    for part in chain.from_iterable(groups):
        if any(delimiter in part for delimiter in "\\^="):
            raise ValueError(f"{part!r}, a part of a name, holds a backslash, ^ or =")
    return "=".join("^".join(group).rstrip("^") for group in groups).rstrip("=")


# `datetime` and `decimal` are imported when first used. Before any module has imported them no value is of their types.


def is_date(value: object) -> TypeGuard[date]:
    """Whether a value is a `datetime.date`, or a `datetime.datetime`."""
    return _is_of(value, "datetime", "date")


def is_time(value: object) -> TypeGuard[time]:
    """Whether a value is a `datetime.time`."""
    return _is_of(value, "datetime", "time")


def is_datetime(value: object) -> TypeGuard[datetime]:
    """Whether a value is a `datetime.datetime`."""
    return _is_of(value, "datetime", "datetime")


def is_decimal(value: object) -> TypeGuard[Decimal]:
    """Whether a value is a `decimal.Decimal`."""
    return _is_of(value, "decimal", "Decimal")


def _is_of(value: object, module: str, name: str) -> bool:
    kind: Any = getattr(sys.modules.get(module), name, ())
    return isinstance(value, kind)


# Compiled when first used, to keep the import light.
DATE = r"(\d{4})(?:(\d\d)(\d\d)|\.(\d\d)\.(\d\d))"
TIME = r"(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6}))?)?|:(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?"
DATETIME = r"(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(\d\d)(?:\.(\d{1,6}))?)?(?:([+-])(\d\d)(\d\d))?"


@cache
def _whole(pattern: str) -> Callable[[str], re.Match[str] | None]:
    import re

    return re.compile(pattern, re.ASCII).fullmatch


def parse_date(text: str) -> date:
    """Parse a DA value: YYYYMMDD, or YYYY.MM.DD of ACR-NEMA 2.0 (PS3.5 6.2).

    Raises ValueError for other text, including ranges and empty text.
    """
    from datetime import date

    match = _whole(DATE)(text.rstrip(PADDING))
    if not match:
        raise ValueError(f"{text!r} is not a DA value (YYYYMMDD)")
    year, month, day, old_month, old_day = match.groups()
    return date(int(year), int(month or old_month), int(day or old_day))


def parse_time(text: str) -> time:
    """Parse a TM value: HHMMSS.FFFFFF or a beginning of it, or HH:MM:SS of ACR-NEMA 2.0. Missing parts are 0.

    A leap second (60) becomes 59, since `datetime` has none. Raises ValueError for other text, including ranges.
    """
    from datetime import time

    match = _whole(TIME)(text.rstrip(PADDING))
    if not match:
        raise ValueError(f"{text!r} is not a TM value (HHMMSS.FFFFFF)")
    hour, minute, second, fraction, old_minute, old_second, old_fraction = match.groups()
    return time(
        int(hour), int(minute or old_minute or 0), _second(second or old_second), _micro(fraction or old_fraction)
    )


def parse_datetime(text: str) -> datetime:
    """Parse a DT value: YYYYMMDDHHMMSS.FFFFFF&ZZXX or a beginning of it. Missing parts take their first value.

    With an offset from UTC the result is aware. Without one it is naive, and the data set's Timezone Offset From UTC
    (0008,0201) applies. A leap second becomes 59. Raises ValueError for other text, including ranges.
    """
    from datetime import datetime, timedelta, timezone

    match = _whole(DATETIME)(text.rstrip(PADDING))
    if not match:
        raise ValueError(f"{text!r} is not a DT value (YYYYMMDDHHMMSS.FFFFFF&ZZXX)")
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    zone = None
    if sign:
        offset = int(sign + hours) * 60 + int(sign + minutes)
        if not -12 * 60 <= offset <= 14 * 60:  # the standard's bounds; "2024-2025" is a range
            raise ValueError(f"{text!r} is not a DT value: no offset from UTC is {sign}{hours}{minutes}")
        zone = timezone(timedelta(minutes=offset))
    return datetime(
        int(year), int(month or 1), int(day or 1),
        int(hour or 0), int(minute or 0), _second(second), _micro(fraction), zone,
    )  # fmt: skip


def _second(text: str | None) -> int:
    second = int(text or 0)
    return 59 if second == 60 else second


def _micro(fraction: str | None) -> int:
    return int((fraction or "").ljust(6, "0"))


def format_date(value: date) -> str:
    """Format a date as DA: YYYYMMDD."""
    return f"{value.year:04}{value.month:02}{value.day:02}"


def format_time(value: time) -> str:
    """Format a time as TM: HHMMSS, with .FFFFFF if it has microseconds."""
    fraction = f".{value.microsecond:06}" if value.microsecond else ""
    return f"{value.hour:02}{value.minute:02}{value.second:02}{fraction}"


def format_datetime(value: datetime) -> str:
    """Format as DT: YYYYMMDDHHMMSS, with .FFFFFF if there are microseconds, &ZZXX if there is an offset from UTC.

    Raises ValueError for an offset that is not a whole number of minutes.
    """
    from datetime import timedelta

    text = format_date(value) + format_time(value.timetz())
    offset = value.utcoffset()
    if offset is None:
        return text
    minutes, rest = divmod(abs(offset), timedelta(minutes=1))
    if rest:
        raise ValueError(f"DT has no room for an offset of {offset} from UTC")
    sign = "-" if offset < timedelta(0) else "+"
    return f"{text}{sign}{minutes // 60:02}{minutes % 60:02}"


def parse_integer(text: str) -> int:
    """Parse one IS value of any size; native code parses those of 64 bits. "1.0" and "15e1" are integers, "1.5" is not.

    Raises ValueError for other text, and beyond 4300 digits.
    """
    from decimal import Decimal, InvalidOperation

    try:
        number = Decimal(text.strip(" \t\n\v\f\r\0"))
    except InvalidOperation:
        number = Decimal("nan")
    if "_" in text or not text.isascii() or not number.is_finite() or number.adjusted() >= MAX_INTEGER_DIGITS:
        raise ValueError(f"{text[:64]!r} is not an IS value")
    whole = int(number)
    if whole != number:
        raise ValueError(f"{text[:64]!r} is not an IS value")
    return whole
