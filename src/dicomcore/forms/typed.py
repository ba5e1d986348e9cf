"""Values of an interchange form, where numbers may be text and anything may be wrong, to the values of a VR."""

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
from dicomcore.forms.place import Place
from dicomcore.tags import Tag
from dicomcore.uids import UID
from dicomcore.values import PersonName
from dicomcore.vrs import BYTES, TEXTS, VRS

__all__ = ["from_base64", "from_bytes", "odd", "typed"]

SINGLE = frozenset(vr.name for vr in VRS if vr.single)
DTYPES = {vr.name: np.dtype(f"<{vr.dtype}") for vr in VRS if vr.kind == "number"}
RANGES = {
    name: (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)) for name, dtype in DTYPES.items() if dtype.kind != "f"
}
SPECIAL = {"nan": "nan", "infinity": "inf", "inf": "inf", "+infinity": "inf", "-infinity": "-inf", "-inf": "-inf"}
WHOLE = re.compile(r"[-+]?[0-9]{1,25}", re.ASCII)
LUT_DESCRIPTORS = frozenset((0x00281101, 0x00281102, 0x00281103, 0x00283002))
NO_TEXT = "bytes that are no UTF-8; they are kept"
DIVIDED = TEXTS - SINGLE | {"DS", "IS"}
SHOWN = 40  # characters of what is wrong


def typed(vr: str, values: list[Any], place: Place) -> Any:
    """What `DataElement.value` has for values of a VR that is neither SQ nor bytes: one, a list, or the empty value.

    Numbers may be text, None stands for an empty value. A DS or IS that is no number stays text, as when it is read
    from a file. Raises ParseError for anything else that the VR can't hold.
    """
    if not values or (len(values) == 1 and values[0] is None):
        return "" if vr in TEXTS else None
    take = TAKERS[vr]
    taken = []
    for value in values:
        if vr in DIVIDED and isinstance(value, str) and "\\" in value:
            taken += [take(part, vr, place) for part in value.split("\\")]  # PS3.18 F.2.4: it divides values anyway
        else:
            taken.append(take(value, vr, place))
    return taken[0] if len(taken) == 1 else taken


def from_bytes(vr: str, data: bytes, place: Place) -> Any:
    """The value for bytes: themselves, or what they stand for where the VR isn't of bytes (text in UTF-8, numbers
    little endian; PS3.18 F.2.6 lets them be bulk data).

    Bytes that can't be the VR's stay bytes: they are written as they are.
    """
    if vr in BYTES or vr == "SQ":
        return data
    if vr in DTYPES:
        if len(data) % DTYPES[vr].itemsize:
            return data
        return typed(vr, np.frombuffer(data, DTYPES[vr]).tolist(), place)
    if vr == "AT":
        if len(data) % 4:
            return data
        halves = np.frombuffer(data, "<u2").tolist()
        return typed(vr, [f"{a:04X}{b:04X}" for a, b in zip(halves[::2], halves[1::2], strict=True)], place)
    try:
        text = data.decode("utf-8").rstrip(" \0")
    except UnicodeDecodeError:
        return data
    if vr == "PN":
        names = [PersonName(one.rstrip("=")) for one in text.split("\\")]
        return names[0] if len(names) == 1 else names
    return typed(vr, [text] if vr in SINGLE else text.split("\\"), place)


def odd(vr: str, value: Any) -> str:
    """What of a value isn't its VR's, though it is kept; "" where all is."""
    if vr in ("DS", "IS"):
        return number_fault(vr, value) or ("" if not isinstance(value, bytes) else NO_TEXT)
    if vr in TEXTS:
        return NO_TEXT if isinstance(value, bytes) else ""
    if vr in DTYPES or vr == "AT":
        if isinstance(value, bytes):
            return f"{len(value)} bytes are no multiple of a {vr}'s size; they are kept"
        return "an empty value among numbers" if isinstance(value, list) and None in value else ""
    return ""


def from_base64(text: Any, place: Place) -> bytes:
    """The bytes of inline binary; line breaks and blanks in it don't matter (RFC 2045)."""
    if not isinstance(text, str):
        raise place.fault(f"inline binary is base64 text, not {_shown(text)}")
    try:
        return base64.b64decode(text if text.isalnum() else "".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise place.fault(f"inline binary that is no base64: {error}") from None


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str | float | bool) or value is None else ""
    if isinstance(value, int) and not isinstance(value, bool):
        text = str(value) if value.bit_length() < 4 * SHOWN else f"a number of {value.bit_length()} bits"
    text = text or f"a {type(value).__name__}"
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _text(value: Any, vr: str, place: Place) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise place.fault(f"{vr} takes text, not {_shown(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise place.fault(f"U+{ord(value[error.start]):04X}, half a surrogate pair, is no character") from None
    return value


def _uid(value: Any, vr: str, place: Place) -> UID:
    return UID(_text(value, vr, place))


def _name(value: Any, vr: str, place: Place) -> PersonName:
    """A name from an object of component groups, or from the text that some servers write instead."""
    if not isinstance(value, dict):
        return PersonName(_text(value, vr, place).rstrip("="))
    parts = [_text(value.get(group), vr, place) for group in ("Alphabetic", "Ideographic", "Phonetic")]
    if value.keys() - {"Alphabetic", "Ideographic", "Phonetic"}:
        unknown = sorted(map(str, value.keys() - {"Alphabetic", "Ideographic", "Phonetic"}))
        raise place.fault(f"{_shown(unknown[0])} is no component group of a PN")
    if "=" in parts[0] + parts[1] or "\\" in "".join(parts):
        raise place.fault("a component group of a PN holds = or a backslash")
    return PersonName("=".join(parts).rstrip("="))


def _tag(value: Any, vr: str, place: Place) -> Tag:
    if isinstance(value, str) and re.fullmatch("[0-9A-Fa-f]{8}", value):
        return Tag(int(value, 16))
    raise place.fault(f"AT takes eight hexadecimal digits, not {_shown(value)}")


def _whole(value: Any, vr: str, place: Place) -> int | None:
    if value is None:
        return None
    if isinstance(value, float) and isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, str) and WHOLE.fullmatch(value.strip(" ")):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise place.fault(f"{vr} takes integers, not {_shown(value)}")
    lowest, highest = RANGES[vr]
    if vr == "SS" and place.tag in LUT_DESCRIPTORS:
        highest = RANGES["US"][1]  # a count of entries, whatever the VR (PS3.3 C.11.1.1.1)
    if not lowest <= value <= highest:
        raise place.fault(f"{_shown(value)} is beyond what {vr} holds")
    return value


def _double(value: Any, vr: str, place: Place) -> float:
    if value is None:
        return float("nan")  # as dcm4che writes it
    if isinstance(value, str):
        known = SPECIAL.get(value.strip(" ").lower())
        try:
            return float(known) if known else decimal(value.encode("ascii"))
        except ValueError:
            raise place.fault(f"{vr} takes numbers, not {_shown(value)}") from None
    return _finite(value, vr, place)


def _single(value: Any, vr: str, place: Place) -> float:
    number = _double(value, vr, place)
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        raise place.fault(f"{_shown(number)} is beyond what FL holds") from None
    return rounded


def _finite(value: Any, vr: str, place: Place) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise place.fault(f"{vr} takes numbers, not {_shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")) and isinstance(value, int | float):
        raise place.fault("a number beyond what a double holds")
    return number


def _decimal(value: Any, vr: str, place: Place) -> float | str:
    if value is None:
        return ""
    return read_number(vr, _text(value, vr, place)) if isinstance(value, str) else _finite(value, vr, place)


def _integer(value: Any, vr: str, place: Place) -> float | str:
    if value is None:
        return ""
    if isinstance(value, str):
        return read_number(vr, _text(value, vr, place))
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and isfinite(value):
        return int(value) if value == int(value) else value
    raise place.fault(f"IS takes integers, not {_shown(value)}")


TAKERS: dict[str, Callable[[Any, str, Place], Any]] = {
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
