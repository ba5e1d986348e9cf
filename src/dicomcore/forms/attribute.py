"""One attribute object of the DICOM JSON Model, of any value but a sequence (PS3.18 F.2.2 to F.2.7)."""

from __future__ import annotations

import base64
from math import isfinite, isnan
from typing import Any

from dicomcore._native.encode import encode_value
from dicomcore.values import PersonName

__all__ = ["BINARY", "BYTES", "GROUPS", "SAFE_INTEGER", "attribute", "name_groups", "plain_value", "special"]

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
SAFE_INTEGER = (1 << 53) - 1
"""Beyond it readers that keep numbers as doubles lose digits; PS3.18 F.2.3 allows text instead."""
BYTES = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
BINARY = frozenset(("FL", "FD", "US", "SS", "UL", "SL", "UV", "SV"))
FLOATS = frozenset(("FL", "FD", "DS"))
INTEGERS = frozenset(("US", "SS", "UL", "SL", "UV", "SV", "IS"))


def attribute(vr: str, value: Any) -> dict[str, Any]:
    """The attribute object for a value as `DataElement.value` has it; nothing but the VR for an empty one.

    Bytes go inline in base64, whatever the VR: a value that doesn't fit its VR is read as bytes. An empty one among
    several is None.
    """
    value = plain_value(vr, value)
    if isinstance(value, bytes | bytearray | memoryview):
        inline = base64.b64encode(value).decode("ascii")
        return {"vr": vr, "InlineBinary": inline} if inline else {"vr": vr}
    values = list(value) if isinstance(value, list | tuple) else [value]
    if not values or (len(values) == 1 and (values[0] is None or values[0] == "")):
        return {"vr": vr}
    return {"vr": vr, "Value": [_single(vr, one) for one in values]}


def plain_value(vr: str, value: Any) -> Any:
    """A value that was set as an array, as the bytes or list that its VR has; any other as it is."""
    if value is None or isinstance(value, bytes | bytearray | memoryview):
        return value
    if vr in BYTES and not (isinstance(value, str) and value == ""):
        return encode_value(vr, value)
    return value.tolist() if hasattr(value, "tolist") else value


def _single(vr: str, value: Any) -> Any:
    if value is None or (isinstance(value, str) and value == ""):
        return None
    if vr == "PN":
        return name_groups(value) or None
    if vr == "AT":
        return f"{int(value):08X}"
    if isinstance(value, str) and vr not in BINARY:  # a DS or IS that is no number stays text
        return str(value)
    if vr in FLOATS:
        number = float(value)
        return number if isfinite(number) else special(number)
    if vr in INTEGERS:
        whole = int(value)
        return whole if -SAFE_INTEGER <= whole <= SAFE_INTEGER else str(whole)
    return str(value)


def special(number: float) -> str:
    """The words for what JSON has no number for, as dcm4che's and fo-dicom's users know them."""
    return "NaN" if isnan(number) else "Infinity" if number > 0 else "-Infinity"


def name_groups(name: PersonName | str) -> dict[str, str]:
    """The component groups of a person's name that aren't empty."""
    groups = str(name).rstrip("=").split("=", 2)
    return {group: text for group, text in zip(GROUPS, groups, strict=False) if text}
