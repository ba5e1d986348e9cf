"""Targets of interchange forms: DICOM JSON, Native DICOM Model, structured reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import dicomcore as dc
from dicomcore import sr
from fuzz import seeds
from fuzz.target import LIMITS, Target, refused


def stable(read: Callable[[Any], dc.Dataset], write: Callable[[dc.Dataset], str], text: str) -> None:
    """A text that was read and written is stable when read and written again (the first time DS becomes shorter)."""
    once = write(read(text))
    assert write(read(once)) == once


def from_json(text: Any) -> dc.Dataset:
    return dc.Dataset.from_json(text, limits=LIMITS)


def from_xml(text: Any) -> dc.Dataset:
    return dc.Dataset.from_xml(text, limits=LIMITS)


def json_text(data: bytes) -> None:
    """Any text as DICOM JSON: text and dict read to the same data set, which is written stably."""
    ds = from_json(data)
    other = from_json(json.loads(data))
    assert other == ds or other.to_json() == ds.to_json()
    if not refused(ds.to_json):
        stable(from_json, dc.Dataset.to_json, ds.to_json(file_meta=False))
    refused(lambda: ds.to_bytes(enforce_standard=False))


def xml_text(data: bytes) -> None:
    """Any text as a document of the Native DICOM Model."""
    ds = from_xml(data)
    if not refused(ds.to_xml):
        stable(from_xml, dc.Dataset.to_xml, ds.to_xml())
    refused(lambda: ds.to_bytes(enforce_standard=False))


def exported(data: bytes) -> None:
    """Any data set as JSON and XML: valid documents that are stable when read and written again."""
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    if not refused(ds.to_json):
        text = ds.to_json()
        assert json.loads(text) == ds.to_json_dict()
        stable(from_json, dc.Dataset.to_json, text)
    if not refused(ds.to_xml):
        stable(from_xml, dc.Dataset.to_xml, ds.to_xml())


def report(data: bytes) -> None:
    """A structured report: its tree, outline and page; the written report has the same tree."""
    ds = dc.dcmread(data, force=True, limits=LIMITS)
    found = sr.read(ds)
    outline = found.outline()
    assert found.html()
    _ = list(found.root.walk()) if hasattr(found.root, "walk") else None
    if refused(found.write):
        return
    written = found.write()
    if not found.issues and not ds.issues:
        assert sr.read(written).outline() == outline


TARGETS = {
    "json": Target(json_text, seeds.json_texts, 2048),
    "xml": Target(xml_text, seeds.xml_texts, 2048),
    "export": Target(exported, seeds.files),
    "report": Target(report, lambda: seeds.named("test-SR.dcm", "reportsi", "SR_", "-SR"), 16384),
}
