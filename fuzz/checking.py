"""Targets of the checks: objects beside their IODs, reports beside their templates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import dicomcore as dc
from dicomcore import iod, sr
from dicomcore.findings import SEVERITIES, Findings
from fuzz import seeds
from fuzz.target import LIMITS, FuzzInput, Target, refused

TEMPLATES = (None, 1500, 2000, 2010, 4000, 10001, 10011, 8101, 5200, 1410)
MOST = 2000


def looked_at(report: Findings[Any]) -> None:
    """A report in each of its forms."""
    assert len(report) <= MOST
    assert all(one.severity in SEVERITIES and one.count > 0 and one.message for one in report)
    assert json.loads(json.dumps(report.to_json()))["findings"] == [one.to_json() for one in report]
    assert len(str(report).splitlines()) >= 1 + len(report)
    assert bool(report) is not bool(report.errors)


def objects(data: bytes) -> None:
    """Any file: checked from its bytes, and as the data set that was read from them."""
    ds = dc.dcmread(data, limits=LIMITS)
    report = iod.check(data, at_least="note", limits=LIMITS)
    looked_at(report)
    assert iod.check(ds, at_least="note", limits=LIMITS) == report
    ds.PatientComments = "changed"
    refused(lambda: iod.check(ds, limits=LIMITS))


def reports(data: bytes) -> None:
    """Any file as a report, with the template that the first byte chooses: from its bytes, read, and changed."""
    taken = FuzzInput(data)
    template = taken.one_of(TEMPLATES)
    ds = dc.dcmread(taken.left, limits=LIMITS)
    report = sr.check(taken.left, template, limits=LIMITS)
    looked_at(report)
    assert sr.check(ds, template, limits=LIMITS) == report
    ds.PatientComments = "changed"
    refused(lambda: sr.check(ds, template, limits=LIMITS))


def report_seeds() -> Iterator[bytes]:
    for data in seeds.named("test-SR.dcm", "reportsi", "SR_", "-SR", "sr.dcm"):
        for choice in range(len(TEMPLATES)):
            yield bytes([choice]) + data


TARGETS = {
    "check": Target(objects, seeds.files),
    "report_check": Target(reports, report_seeds, 16384),
}
