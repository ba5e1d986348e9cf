"""DICOM JSON by other software, and a normal form of it for comparisons."""

from __future__ import annotations

import base64
import json
import logging
import math
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom

import dicomcore as dc

DCM2JSON = shutil.which("dcm2json")
NUMBERS = frozenset(("DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "UV", "SV"))


def by_pydicom(path: Path) -> dict[str, Any]:
    """The DICOM JSON model of a file by pydicom."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True).to_json_dict()


def by_dcm2json(path: Path) -> dict[str, Any] | None:
    """The DICOM JSON model by dcm2json; None if it fails or writes invalid JSON."""
    assert DCM2JSON is not None
    ran = subprocess.run([DCM2JSON, "-q", "-fc", "-ee", str(path)], capture_output=True, timeout=60, check=False)
    try:
        return None if ran.returncode else json.loads(ran.stdout)
    except ValueError:
        return None


def flat(model: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, tuple[Any, ...]]]:
    """(place, (VR, kind, values)) of every attribute but group lengths, with empty values and numbers normalised."""
    for key, found in model.items():
        if key.endswith("0000"):
            continue
        vr = found["vr"]
        if vr == "SQ":
            items = found.get("Value") or []
            yield prefix + key, (vr, len(items))
            for i, item in enumerate(items):
                yield from flat(item, f"{prefix}{key}[{i}].")
        elif "InlineBinary" in found:
            yield prefix + key, (vr, "bytes", found["InlineBinary"])
        else:
            values = [_plain(vr, value) for value in found.get("Value") or []]
            yield prefix + key, (vr, "values", [] if values == [None] else values)


def _plain(vr: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if vr == "PN":
        return tuple((group, text) for group, text in sorted(value.items()) if text) or None
    if vr in NUMBERS:
        try:
            number = float(value) if isinstance(value, float) or not isinstance(value, str) else float(int(value))
        except ValueError:
            return value
        return "NaN" if math.isnan(number) else number
    return value


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The places where two models differ, with each one's attribute (None: missing)."""
    mine, other = dict(flat(ours)), dict(flat(theirs))
    return {
        place: (mine.get(place), other.get(place))
        for place in sorted(mine.keys() | other.keys())
        if mine.get(place) != other.get(place)
    }


def until_pixels(path: Path, target: Path) -> Path:
    """A copy that ends before the pixel data: dcm2json gives up on compressed ones."""
    rows = dc.scan(path, force=True)
    pixels = rows[(rows["tag"] == 0x7FE00010) & (rows["parent"] < 0)]
    data = path.read_bytes()
    end = int(pixels["offset"][0]) - int(pixels["header"][0]) if len(pixels) else len(data)
    target.write_bytes(data[:end])
    return target


def dcmtk_way(place: str, ours: tuple[Any, ...] | None, theirs: tuple[Any, ...] | None) -> str:
    """The known difference of DCMTK 3.6.7 at a place, "" if there is none."""
    if place.endswith("00080005"):
        return "converts all text to UTF-8 and says so"
    if ours is None or theirs is None:
        return ""
    if ours[0] != theirs[0]:
        unknown = {"UN", "OB"} & {ours[0], theirs[0]}
        return "knows other private elements, and leaves VR UN where it is" if unknown else ""
    vr = ours[0]
    if ours[1] == "bytes" or theirs[1] == "bytes":
        if ours[1] == theirs[1] and base64.b64decode(ours[2]) == base64.b64decode(theirs[2]).rstrip(b"\0"):
            return "pads bytes to an even length"
        return ""
    mine, other = ours[2], theirs[2]
    if vr in ("FL", "FD"):
        near = 1e-7 if vr == "FL" else 1e-14
        if len(mine) == len(other) and all(math.isclose(a, b, rel_tol=near) for a, b in zip(mine, other, strict=True)):
            return "writes fewer or other digits of binary numbers"
    if vr == "PN" and _carets(mine) == _carets(other):
        return "drops empty components at a name's end"
    if all(isinstance(one, str | None) for one in mine + other):
        stripped = [[(one or "").strip(" \0") for one in side] for side in (mine, other)]
        if stripped[0] == stripped[1]:
            return "strips spaces on both sides of every value"
    return ""


def _carets(names: list[Any]) -> list[Any]:
    kept = [tuple((group, text.rstrip("^ ")) for group, text in name or () if text.rstrip("^ ")) for name in names]
    return [] if kept == [()] else kept
