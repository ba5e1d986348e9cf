"""pydicom.valuerep: classes of values, sets of VRs, and checks of values."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import Enum
from typing import Any

from dicomcore.dataset.validation import fault_of
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.misc import warn_and_log
from dicomcore.interop.pydicom.names.numbers import (
    DS,
    IS,
    DSclass,
    DSdecimal,
    DSfloat,
    ISfloat,
    format_number_as_ds,
    is_valid_ds,
)
from dicomcore.interop.pydicom.names.person_name import PersonName
from dicomcore.values import (
    format_date,
    format_datetime,
    format_time,
    parse_date,
    parse_datetime,
    parse_time,
)
from dicomcore.vrs import VRS as _VRS

__all__ = [
    "ALLOW_BACKSLASH",
    "AMBIGUOUS_VR",
    "BUFFERABLE_VRS",
    "BYTES_VR",
    "CUSTOMIZABLE_CHARSET_VR",
    "DA",
    "DEFAULT_CHARSET_VR",
    "DS",
    "DT",
    "EXPLICIT_VR_LENGTH_16",
    "EXPLICIT_VR_LENGTH_32",
    "FLOAT_VR",
    "INT_VR",
    "IS",
    "LIST_VR",
    "LONG_VALUE_VR",
    "MAX_VALUE_LEN",
    "PN_DELIMS",
    "STANDARD_VR",
    "STR_VR",
    "TEXT_VR_DELIMS",
    "TM",
    "VR",
    "DSclass",
    "DSdecimal",
    "DSfloat",
    "ISfloat",
    "PersonName",
    "default_encoding",
    "format_number_as_ds",
    "is_valid_ds",
    "validate_value",
]


class _VR(str, Enum):  # noqa: UP042  # the texts of StrEnum members are not those of pydicom
    """The VRs of PS3.5, and those of elements that may have several."""

    def __str__(self) -> str:
        return str.__str__(self)


VR: Any = _VR(  # type: ignore[call-overload]
    "VR",
    [(row.name, row.name) for row in _VRS]
    + [("US_SS_OW", "US or SS or OW"), ("US_SS", "US or SS"), ("US_OW", "US or OW"), ("OB_OW", "OB or OW")],
)
AMBIGUOUS_VR = {VR.US_SS_OW, VR.US_SS, VR.US_OW, VR.OB_OW}
STANDARD_VR = set(VR) - AMBIGUOUS_VR
CUSTOMIZABLE_CHARSET_VR = {VR(row.name) for row in _VRS if row.charset}
STR_VR = {VR(row.name) for row in _VRS if row.kind in ("text", "decimal")}
DEFAULT_CHARSET_VR = STR_VR - CUSTOMIZABLE_CHARSET_VR
BYTES_VR = {VR(row.name) for row in _VRS if row.kind == "bytes"}
FLOAT_VR = {VR.DS, VR.FD, VR.FL}
INT_VR = {VR.AT, VR.IS, VR.SL, VR.SS, VR.SV, VR.UL, VR.US, VR.UV}
LIST_VR = {VR.SQ}
ALLOW_BACKSLASH = {VR.LT, VR.ST, VR.UT, VR.US_SS_OW, VR.US_OW, VR.OB_OW} | BYTES_VR
LONG_VALUE_VR = {VR.LT, VR.UC, VR.UT} | BYTES_VR | AMBIGUOUS_VR
EXPLICIT_VR_LENGTH_32 = {VR(row.name) for row in _VRS if row.long}
EXPLICIT_VR_LENGTH_16 = STANDARD_VR - EXPLICIT_VR_LENGTH_32
BUFFERABLE_VRS = (BYTES_VR | {VR.OB_OW}) - {VR.UN}
MAX_VALUE_LEN = {
    row.name: row.longest for row in _VRS if row.name in ("AE", "CS", "DS", "IS", "LO", "LT", "SH", "ST", "UI")
}
NUMBER_SIZES = {"FL": 4, "FD": 8, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
TEXT_VR_DELIMS = {0x0D, 0x0A, 0x09, 0x0C}
PN_DELIMS = {0x5E}
default_encoding = "iso8859"


class _Written:
    """A date or time with the text that it was made from; without one it prints as Python's own."""

    original_string: str

    def __str__(self) -> str:
        return getattr(self, "original_string", None) or super().__str__()

    def __repr__(self) -> str:
        return f'"{self}"'

    def __reduce_ex__(self, protocol: Any) -> Any:
        made: tuple[Any, ...] = super().__reduce_ex__(protocol)  # type: ignore[assignment]
        return *made[:2], dict(self.__dict__)


def _made(cls: Any, parse: Callable[[str], Any], kind: type, args: tuple[Any, ...], kwargs: Any) -> Any:
    """The fields of a date or time: of text, of an object of the class, or as the class takes them."""
    val = args[0] if args else None
    if val is None:
        return None
    if isinstance(val, str):
        return parse(val) if val.strip() else None
    if isinstance(val, kind):
        return val
    try:
        return kind(*args, **kwargs)
    except Exception as error:
        raise ValueError(f"Unable to convert '{val}' to '{cls.__name__}' object") from error


def _note_text(made: Any, val: Any, kind: type, write: Callable[[Any], str]) -> None:
    """Keep the text that a date or time is made from; none is kept of numbers."""
    text = val if isinstance(val, str) else getattr(val, "original_string", None)
    if text is None and isinstance(val, kind):
        text = write(val)
    if text is not None:
        made.original_string = text


class DA(_Written, datetime.date):
    """A date, made from a DA value or as `datetime.date`; None for an empty value."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        found = _made(cls, parse_date, datetime.date, args, kwargs)
        if found is None:
            return None
        made = super().__new__(cls, found.year, found.month, found.day)
        _note_text(made, args[0], datetime.date, format_date)
        return made


class DT(_Written, datetime.datetime):
    """A date and time, made from a DT value or as `datetime.datetime`; None for an empty value."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        found = _made(cls, parse_datetime, datetime.datetime, args, kwargs)
        if found is None:
            return None
        _warn_of_leap_second(args[0], slice(12, 14))
        made = super().__new__(cls, *found.timetuple()[:6], found.microsecond, found.tzinfo)  # type: ignore[call-arg]
        _note_text(made, args[0], datetime.datetime, format_datetime)
        return made


class TM(_Written, datetime.time):
    """A time, made from a TM value or as `datetime.time`; None for an empty value."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        found = _made(cls, parse_time, datetime.time, args, kwargs)
        if found is None:
            return None
        _warn_of_leap_second(args[0], slice(4, 6))
        made = super().__new__(cls, found.hour, found.minute, found.second, found.microsecond)
        _note_text(made, args[0], datetime.time, format_time)
        return made


def _warn_of_leap_second(text: Any, second: slice) -> None:
    """Warn that Python's times have no second 60, so that it becomes 59."""
    if isinstance(text, str) and text[second] == "60":
        warn_and_log("Python's times don't allow '60' for the seconds component, changing to '59'")


def _fault(vr: str, value: Any) -> str:
    if vr in BYTES_VR and vr != "UN":
        return "" if hasattr(value, "read") or not isinstance(value, (str, int, float)) else f"{vr} takes bytes"
    if not isinstance(value, bytes):
        return fault_of(vr, value)
    size = NUMBER_SIZES.get(vr)
    if size is None:
        return fault_of(vr, value.decode("latin-1"))
    return f"{len(value)} bytes are no multiple of {size}, the size of a {vr}" if len(value) % size else ""


def validate_value(vr: str, value: Any, validation_mode: int, validator: Any = None) -> None:
    """Warn or raise ValueError, by the mode, if a VR does not allow a value."""
    if validation_mode == config.IGNORE or value is None:
        return
    if validator is not None:
        is_valid, fault = validator(vr, value)
        fault = "" if is_valid else fault
    else:
        fault = _fault(str(vr), value)
    if fault and validation_mode == config.RAISE:
        raise ValueError(fault)
    if fault:
        warn_and_log(fault)
