"""Attribute objects of the DICOM JSON Model for all values except sequences (PS3.18 F.2.2 to F.2.7)."""

from __future__ import annotations

import base64
import re
from math import isfinite, isnan
from typing import Any

from dicomcore._native.views.decode import read_number
from dicomcore._native.write.encode import encode_value
from dicomcore.errors import EncodeError
from dicomcore.values import PersonName
from dicomcore.vrs import BYTES, NUMBERS, VRS

__all__ = [
    "GROUPS",
    "SAFE_INTEGER",
    "attribute",
    "name_groups",
    "number_texts",
    "plain_value",
    "special",
    "whole",
]

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
SAFE_INTEGER = (1 << 53) - 1
"""The largest integer that readers which store numbers as doubles keep exactly; PS3.18 F.2.3 allows text beyond it."""
NO_CHARACTER = re.compile(r"[^\x20-\x7e]")
FLOATS = frozenset(vr.name for vr in VRS if vr.kind == "number" and vr.dtype[0] == "f") | {"DS"}
INTEGERS = NUMBERS - FLOATS | {"IS"}


def attribute(vr: str, value: Any) -> dict[str, Any]:
    """Build the attribute object of a value as `DataElement.value` returns it; an empty value gives the VR alone.

    Bytes are written inline in base64 for every VR, because a value that does not fit its VR is read as bytes. An empty
    value among several becomes None.
    """
    value = plain_value(vr, value)
    if vr in ("DS", "IS") and isinstance(value, bytes | bytearray | memoryview):
        texts = number_texts(bytes(value))
        value = value if texts is None else [_number(vr, text) for text in texts]
    if isinstance(value, bytes | bytearray | memoryview):
        inline = base64.b64encode(value).decode("ascii")
        return {"vr": vr, "InlineBinary": inline} if inline else {"vr": vr}
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values or (len(values) == 1 and (values[0] is None or values[0] == "")):
        return {"vr": vr}
    return {"vr": vr, "Value": [_single(vr, item) for item in values]}


def plain_value(vr: str, value: Any) -> Any:
    """Convert a value that was set as an array to the bytes or list that its VR has; return other values unchanged."""
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return value
    if vr in BYTES and not (isinstance(value, str) and value == ""):
        return encode_value(vr, value)
    return value.tolist() if hasattr(value, "tolist") else value


def number_texts(data: bytes) -> list[str] | None:
    """Split a DS or IS into its values, without padding; None if it has characters outside printable ASCII."""
    texts = [text.strip(" \0") for text in data.decode("latin-1").rstrip(" \0").split("\\")]
    return None if any(map(NO_CHARACTER.search, texts)) else texts


def _number(vr: str, text: str) -> Any:
    # Text that is not a number, or for IS not an integer, stays as it was written (PS3.18 F.2.3.1 allows text).
    number = read_number(vr, text)
    return text if vr == "IS" and isinstance(number, float) else number


def whole(vr: str, value: Any) -> int:
    """Convert a value of an integer VR to int; raise EncodeError for a fraction rather than truncate it."""
    number = int(value)
    if isinstance(value, float) and number != value:
        raise EncodeError(f"VR {vr} takes whole numbers, not {value!r}")
    return number


def _single(vr: str, value: Any) -> Any:
    if value is None or (isinstance(value, str) and value == ""):
        return None
    if vr == "PN":
        return name_groups(value) or None
    if vr == "AT":
        return f"{int(value):08X}"
    if isinstance(value, str) and vr not in NUMBERS:  # a DS or IS that is not a number stays text
        return str(value)
    if vr in FLOATS:
        number = float(value)
        return number if isfinite(number) else special(number)
    if vr == "IS" and isinstance(value, float) and not value.is_integer():
        return special(value) if not isfinite(value) else repr(float(value))
    if vr in INTEGERS:
        number = whole(vr, value)
        return number if -SAFE_INTEGER <= number <= SAFE_INTEGER else str(number)
    return str(value)


def special(number: float) -> str:
    """Return the text for a number that JSON does not have, the same as dcm4che and fo-dicom write."""
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def name_groups(name: PersonName | str) -> dict[str, str]:
    """Return the component groups of a person's name that are not empty, by name."""
    groups = str(name).rstrip("=").split("=", 2)
    return {group: text for group, text in zip(GROUPS, groups, strict=False) if text}
