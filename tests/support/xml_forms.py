"""The Native DICOM Model of XML documents, ours and DCMTK's, in a normal form for comparisons."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.support import json_forms

DCM2XML = shutil.which("dcm2xml")


def by_dcm2xml(path: Path) -> ElementTree.Element | None:
    """dcm2xml's document of a file, in UTF-8; None if it fails."""
    assert DCM2XML is not None
    run = [DCM2XML, "-q", "-nat", "+Eb", "+M", "+U8", "+Ca", "latin-1", str(path)]
    ran = subprocess.run(run, capture_output=True, timeout=60, check=False)
    try:
        return None if ran.returncode else ElementTree.fromstring(ran.stdout)
    except ElementTree.ParseError:
        return None


def model(root: ElementTree.Element) -> dict[str, Any]:
    """A document as a model object like DICOM JSON's, with the private creators beside the VRs."""
    return dict(_attributes(root))


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _attributes(parent: ElementTree.Element) -> Iterator[tuple[str, Any]]:
    for attribute in parent:
        assert _name(attribute) == "DicomAttribute"
        vr, creator = attribute.get("vr"), attribute.get("privateCreator", "")
        found: dict[str, Any] = {"vr": vr}
        for number, child in enumerate(attribute, 1):
            kind = _name(child)
            if kind in ("InlineBinary", "BulkData"):
                found[kind] = "".join((child.text or "").split())
                continue
            assert child.get("number") == str(number)
            found.setdefault("Value", []).append(_value(kind, child, vr))
        yield f"{attribute.get('tag')}{'@' if creator else ''}{creator}", found


def _value(kind: str, child: ElementTree.Element, vr: str | None) -> Any:
    if kind == "Item":
        return dict(_attributes(child))
    if kind == "PersonName":
        return {_name(group): "^".join(f"{_name(one)}:{one.text or ''}" for one in group) for group in child}
    text = child.text or ""
    if vr in ("DS", "FL", "FD"):
        try:
            return float(text)
        except ValueError:
            return text.strip()
    return text


WORDS = {"OW": 2, "OL": 4, "OF": 4, "OV": 8, "OD": 8}


def dcmtk_way(place: str, ours: tuple[Any, ...] | None, theirs: tuple[Any, ...] | None) -> str:
    """The known difference of DCMTK 3.6.7 in XML at a place, "" if there is none."""
    known = json_forms.dcmtk_way(place, ours, theirs)
    if known:
        return known
    if place == "7FE00010":
        return "leaves compressed pixel data out, and words in big endian"
    if ours is None or theirs is None:
        private = int(place.rpartition(".")[2][:4], 16) & 1
        return "drops the block of a private element without creator" if private and "@" not in place else ""
    if ours[0] in WORDS and ours[1] == theirs[1] == "bytes":
        data, width = base64.b64decode(ours[2]), WORDS[ours[0]]
        swapped = b"".join(data[i : i + width][::-1] for i in range(0, len(data), width))
        return "writes words in big endian" if swapped == base64.b64decode(theirs[2]) else ""
    if ours[0] == "PN" and _names(ours[2]) == _names(theirs[2]):
        return "drops empty components at a name's end"
    return ""


def _names(names: list[Any]) -> list[Any]:
    kept = []
    for name in names:
        groups = [(group, [part for part in text.split("^") if not part.endswith(":")]) for group, text in name or ()]
        kept.append([(group, parts) for group, parts in groups if parts])
    return [] if kept == [[]] else kept
