"""A simple DICOM JSON writer (PS3.18 Annex F), which uses only the values of elements."""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

import dicomcore as dc
from dicomcore._native.views.state import is_in_big_endian

DELIMITERS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0")
WORDS = frozenset(("OW", "OL", "OV", "OF", "OD"))


def model(data_set: dc.Dataset) -> dict[str, Any]:
    """The model object, with every value in the form that `json.loads` would give."""
    return {f"{element.tag:08X}": attribute(element) for element in data_set if element.tag.element}


def attribute(element: dc.DataElement) -> dict[str, Any]:
    vr, value = element.VR, element.value
    if vr == "SQ" and not value and element.raw and (len(element.raw) < 8 or bytes(element.raw[:4]) not in DELIMITERS):
        return {"vr": "UN", "InlineBinary": base64.b64encode(element.raw).decode()}  # the value holds no items
    if vr == "SQ":
        items = [model(item) for item in value]
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if isinstance(value, bytes):
        if vr in WORDS and is_in_big_endian(element):
            swapped = element.array.astype(element.array.dtype.newbyteorder("<")).tobytes()
            value = swapped + value[len(swapped) :]
        return {"vr": vr, "InlineBinary": base64.b64encode(value).decode()} if value else {"vr": vr}
    values = value if isinstance(value, list) else [value]
    if len(values) == 1 and values[0] in (None, ""):
        return {"vr": vr}
    return {"vr": vr, "Value": [plain(vr, one) for one in values]}


def plain(vr: str, value: Any) -> Any:
    if value in (None, ""):
        return None
    if vr == "PN":
        groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("=", 2), strict=False)
        return {group: text for group, text in groups if text} or None
    if vr == "AT":
        return f"{value.group:04X}{value.element:04X}"
    if isinstance(value, float) and not math.isfinite(value):
        return {np.inf: "Infinity", -np.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value)
    return value
