"""Convert values from an interchange format, where numbers may be text and anything may be wrong, to those of a VR."""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Callable
from math import isfinite
from typing import Any

import numpy as np

from dicomcore._native.base.number import decimal
from dicomcore._native.views.decode import read_number
from dicomcore.dataset.validation import number_fault
from dicomcore.forms.element_path import ElementPath
from dicomcore.tags import Tag
from dicomcore.uids import UID
from dicomcore.values import PersonName
from dicomcore.vrs import BYTES, TEXTS, VRS

__all__ = ["from_base64", "from_bytes", "typed", "vr_deviation"]

SINGLE = frozenset(vr.name for vr in VRS if vr.single)
DTYPES = {vr.name: np.dtype(f"<{vr.dtype}") for vr in VRS if vr.kind == "number"}
RANGES = {
    name: (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)) for name, dtype in DTYPES.items() if dtype.kind != "f"
}
SPECIAL = {"nan": "nan", "infinity": "inf", "inf": "inf", "+infinity": "inf", "-infinity": "-inf", "-inf": "-inf"}
WHOLE = re.compile(r"[-+]?[0-9]{1,25}", re.ASCII)
LUT_DESCRIPTORS = frozenset((0x00281101, 0x00281102, 0x00281103, 0x00283002))
NO_TEXT = "bytes that are not UTF-8; they are kept"
MULTIPLE = TEXTS - SINGLE | {"DS", "IS"}
SHOWN = 40  # characters of a wrong value in a message


def typed(vr: str, values: list[Any], path: ElementPath) -> Any:
    """Convert values of a VR that is neither SQ nor bytes to what `DataElement.value` has: a value, a list, or empty.

    Numbers may be text; None means an empty value. A DS or IS that is not a number stays text, as when it is read from
    a file. Raises ParseError for anything else that the VR cannot hold.
    """
    if not values or (len(values) == 1 and values[0] is None):
        return "" if vr in TEXTS else None
    convert = CONVERTERS[vr]
    converted = []
    for value in values:
        if vr in MULTIPLE and isinstance(value, str) and "\\" in value:
            converted += [convert(part, vr, path) for part in value.split("\\")]  # it separates values (PS3.18 F.2.4)
        else:
            converted.append(convert(value, vr, path))
    return converted[0] if len(converted) == 1 else converted


def from_bytes(vr: str, data: bytes, path: ElementPath) -> Any:
    """Convert bytes to a value, unless the VR is one of bytes: text is UTF-8, numbers are little endian.

    PS3.18 F.2.6 allows bulk data for every VR. Bytes that do not fit the VR stay bytes, and are written as they are.
    """
    if vr in BYTES or vr == "SQ":
        return data
    if vr in DTYPES:
        if len(data) % DTYPES[vr].itemsize:
            return data
        return typed(vr, np.frombuffer(data, DTYPES[vr]).tolist(), path)
    if vr == "AT":
        if len(data) % 4:
            return data
        halves = np.frombuffer(data, "<u2").tolist()
        return typed(vr, [f"{a:04X}{b:04X}" for a, b in zip(halves[::2], halves[1::2], strict=True)], path)
    try:
        text = data.decode("utf-8").rstrip(" \0")
    except UnicodeDecodeError:
        return data
    if vr == "PN":
        names = [PersonName(name.rstrip("=")) for name in text.split("\\")]
        return names[0] if len(names) == 1 else names
    return typed(vr, [text] if vr in SINGLE else text.split("\\"), path)


def vr_deviation(vr: str, value: Any) -> str:
    """Describe why a value does not fit its VR, though it is kept; "" if it fits."""
    if vr in ("DS", "IS"):
        return number_fault(vr, value) or ("" if not isinstance(value, bytes) else NO_TEXT)
    if vr in TEXTS:
        return NO_TEXT if isinstance(value, bytes) else ""
    if vr in DTYPES or vr == "AT":
        if isinstance(value, bytes):
            return f"{len(value)} bytes are not a multiple of the size of a {vr}; they are kept"
        return "an empty value among numbers" if isinstance(value, list) and None in value else ""
    return ""


PADDED = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)")
"""Base64 up to its padding."""


def from_base64(text: Any, path: ElementPath, note: Callable[[str, ElementPath, str], None] | None = None) -> bytes:
    """Decode inline binary; line breaks and spaces in it are ignored (RFC 2045).

    Characters after the padding are left out if there is a `note` to tell so with, else they are an error.
    """
    if not isinstance(text, str):
        raise path.fault(f"inline binary is base64 text, not {_shown(text)}")
    try:
        return base64.b64decode(text if text.isalnum() else "".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        padded = PADDED.match("".join(text.split()))
        if note is None or padded is None:
            raise path.fault(f"inline binary is not base64: {error}") from None
        note("BAD_VALUE", path, f"inline binary of {len(text)} characters ends at its padding, after {padded.end()}")
        return base64.b64decode(padded[0], validate=True)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | float | bool) or value is None else ""
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value) if value.bit_length() < 4 * SHOWN else f"a number of {value.bit_length()} bits"
    text = text or f"a {type(value).__name__}"
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _text(value: Any, vr: str, path: ElementPath) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise path.fault(f"{vr} takes text, not {_shown(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise path.fault(f"U+{ord(value[error.start]):04X} is half a surrogate pair, not a character") from None
    return value


def _uid(value: Any, vr: str, path: ElementPath) -> UID:
    return UID(_text(value, vr, path))


def _name(value: Any, vr: str, path: ElementPath) -> PersonName:
    """Convert an object of component groups, or the text that some servers write instead."""
    if not isinstance(value, dict):
        return PersonName(_text(value, vr, path).rstrip("="))
    parts = [_text(value.get(group), vr, path) for group in ("Alphabetic", "Ideographic", "Phonetic")]
    if value.keys() - {"Alphabetic", "Ideographic", "Phonetic"}:
        unknown = sorted(map(str, value.keys() - {"Alphabetic", "Ideographic", "Phonetic"}))
        raise path.fault(f"{_shown(unknown[0])} is not a component group of a PN")
    if "=" in parts[0] + parts[1] or "\\" in "".join(parts):
        raise path.fault("a component group of a PN contains = or a backslash")
    return PersonName("=".join(parts).rstrip("="))


def _tag(value: Any, vr: str, path: ElementPath) -> Tag:
    if isinstance(value, str) and re.fullmatch("[0-9A-Fa-f]{8}", value):
        return Tag(int(value, 16))
    raise path.fault(f"AT takes eight hexadecimal digits, not {_shown(value)}")


def _whole(value: Any, vr: str, path: ElementPath) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, str) and WHOLE.fullmatch(value.strip(" ")):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise path.fault(f"{vr} takes integers, not {_shown(value)}")
    lowest, highest = RANGES[vr]
    if vr == "SS" and path.tag in LUT_DESCRIPTORS:
        highest = RANGES["US"][1]  # a number of entries is unsigned in either VR (PS3.3 C.11.1.1.1)
    if not lowest <= value <= highest:
        raise path.fault(f"{_shown(value)} is out of range for {vr}")
    return value


def _double(value: Any, vr: str, path: ElementPath) -> float:
    if value is None:
        return float("nan")  # dcm4che writes null for NaN
    if isinstance(value, str):
        known = SPECIAL.get(value.strip(" ").lower())
        try:
            return float(known) if known else decimal(value.encode("ascii"))
        except ValueError:
            raise path.fault(f"{vr} takes numbers, not {_shown(value)}") from None
    return _finite(value, vr, path)


def _single(value: Any, vr: str, path: ElementPath) -> float:
    number = _double(value, vr, path)
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        raise path.fault(f"{_shown(number)} is out of range for FL") from None
    return rounded


def _finite(value: Any, vr: str, path: ElementPath) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise path.fault(f"{vr} takes numbers, not {_shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")) and isinstance(value, int | float):
        raise path.fault("a number is out of range for a double")
    return number


def _decimal(value: Any, vr: str, path: ElementPath) -> float | str:
    if value is None:
        return ""
    return read_number(vr, _text(value, vr, path)) if isinstance(value, str) else _finite(value, vr, path)


def _integer(value: Any, vr: str, path: ElementPath) -> float | str:
    if value is None:
        return ""
    if isinstance(value, str):
        return read_number(vr, _text(value, vr, path))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and isfinite(value):
        return int(value) if value == int(value) else value
    raise path.fault(f"IS takes integers, not {_shown(value)}")


CONVERTERS: dict[str, Callable[[Any, str, ElementPath], Any]] = {
    **dict.fromkeys(TEXTS, _text),
    **dict.fromkeys(RANGES, _whole),
    "UI": _uid,
    "PN": _name,
    "AT": _tag,
    "DS": _decimal,
    "IS": _integer,
    "FL": _single,
    "FD": _double,
}
