"""The corpus' canonical dumps (its README, "Canonical dumps"), made from dicomcore's data sets."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import dicomcore as dc

UNITS = {"AT": 2, "US": 2, "SS": 2, "OW": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4,
         "FD": 8, "OD": 8, "SV": 8, "UV": 8, "OV": 8}  # fmt: skip
PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
TEXT = frozenset(("SH", "LO", "ST", "LT", "PN", "UC", "UT"))


def walked(data_set: dc.Dataset, path: str = "") -> Iterator[tuple[str, dc.DataElement]]:
    """(path, element) of every element, depth first."""
    for element in data_set:
        here = f"{path}{int(element.tag):08X}"
        yield here, element
        if element.VR == "SQ":
            for i, item in enumerate(element.value):
                yield from walked(item, f"{here}[{i}].")


def swapped(raw: bytes, unit: int) -> bytes:
    """Reverse each whole word of `unit` bytes; remaining bytes stay."""
    whole = len(raw) - len(raw) % unit
    return b"".join(raw[i : i + unit][::-1] for i in range(0, whole, unit)) + raw[whole:]


def stated_vrs(rows: Any) -> dict[int, str]:
    """The VRs as written in the file, by the value's offset."""
    return {int(row["offset"]): row["VR"].decode("latin-1") for row in rows}


def dumps(data_set: dc.Dataset, rows: Any = None) -> dict[str, Any]:
    """The manifest's `parse` fields for a data set; `rows` (from dc.scan) are needed for a big-endian one."""
    values, plain, text = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
    stated = {} if rows is None else stated_vrs(rows)
    big = not data_set.is_little_endian
    count, top = 0, []
    for path, element in walked(data_set):
        count += 1
        vr, size = element.VR, element.length
        at_top = len(path) == 8
        if vr == "SQ":
            size = len(element.value)
            line, bare = f"{path}\tSQ\t{size}\n", f"{path}\t[{size}]\n"
        elif at_top and int(element.tag) in PIXELS:
            size = -1 if element.is_undefined_length else size
            line, bare = f"{path}\t{vr}\t*\n", f"{path}\t*\n"
        else:
            raw = bytes(element.raw)
            if big:
                raw = swapped(raw, UNITS.get(stated.get(element.offset, vr), 1))
            line, bare = f"{path}\t{vr}\t{len(raw)}\t{raw.hex()}\n", f"{path}\t{len(raw)}\t{raw.hex()}\n"
        values.update(line.encode())
        plain.update(bare.encode())
        if vr in TEXT:
            text.update(f"{path}\t{vr}\t{text_of(element)}\n".encode())
        if at_top:
            top.append([path, vr, size])
    return {
        "elements": count,
        "top": top,
        "values_sha256": values.hexdigest(),
        "bytes_sha256": plain.hexdigest(),
        "text_sha256": text.hexdigest(),
    }


def text_of(element: dc.DataElement) -> str:
    """The value's text without padding, several values joined by a backslash."""
    value = element.value
    parts = [str(part).rstrip(" \0") for part in (value if isinstance(value, list) else [value])]
    return "\\".join(part.rstrip("=") for part in parts) if element.VR == "PN" else "\\".join(parts)
