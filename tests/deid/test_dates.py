"""Dates moved by whole days."""

from __future__ import annotations

import pytest

from dicomcore.deid.dates import shifted, young_age

MOVED = {  # name: (value, VR, days, what it becomes)
    "date": ("20200301", "DA", -1, "20200229"),
    "date of an old edition": ("2020.03.01", "DA", -1, "2020.02.29"),
    "padded date": ("20200301 ", "DA", 1, "20200302"),
    "range": ("20200101-20200131", "DA", 10, "20200111-20200210"),
    "range with one end": ("20200101-", "DA", 1, "20200102-"),
    "range with the other end": ("-20200101", "DA", 1, "-20200102"),
    "several": ("20200101\\20200201", "DA", 1, "20200102\\20200202"),
    "several, one empty": ("20200101\\", "DA", 1, "20200102\\"),
    "before the calendar": ("00010105", "DA", -10, "00010101"),
    "behind the calendar": ("99991231", "DA", 10, "99991231"),
    "no date": ("20201301", "DA", 1, None),
    "no leap year": ("20210229", "DA", 1, None),
    "month only": ("202103", "DA", 1, None),
    "text": ("DOE^JANE", "DA", 1, None),
    "mixed spelling": ("2020.0301", "DA", 1, None),
    "other digits": ("٢٠٢٠٠٣٠١", "DA", 1, None),
    "one of several wrong": ("20200101\\x", "DA", 1, None),
    "time": ("235959.123456", "TM", -5, "235959.123456"),
    "time of an old edition": ("23:59:59", "TM", -5, "23:59:59"),
    "hour": ("23", "TM", -5, "23"),
    "leap second": ("235960", "TM", -5, "235960"),
    "no hour": ("240000", "TM", -5, None),
    "no minute": ("126000", "TM", -5, None),
    "range of times": ("10-12", "TM", -5, "10-12"),
    "date and time": ("20200301101112.5", "DT", -1, "20200229101112.5"),
    "with zone": ("20200301101112.500000+0130", "DT", -1, "20200229101112.500000+0130"),
    "date with zone": ("20200301-0500", "DT", -1, "20200229-0500"),
    "hour of a day": ("2020030110", "DT", 31, "2020040110"),
    "month": ("202003", "DT", 31, "202004"),
    "year": ("2020", "DT", -366, "2019"),
    "year with zone": ("2020+0000", "DT", 1, "2020+0000"),
    "range of days": ("20200101-20200201", "DT", 1, "20200102-20200202"),
    "range with zones": ("20200101-0500-20200201-0500", "DT", 1, "20200102-0500-20200202-0500"),
    "no time": ("20200301256000", "DT", 1, None),
    "no zone": ("20200301101112+2500", "DT", 1, None),
    "zone": ("+0100", "SH", 5, "+0100"),
    "no zone but text": ("Berlin", "SH", 5, None),
    "nothing": ("", "DA", 5, ""),
}
AGES = {"young": ("045Y", "045Y"), "89": ("089Y", "089Y"), "90": ("090Y", "090Y"), "old": ("104Y", "090Y"),
        "months": ("999M", "999M"), "days": ("012D", "012D"), "text": ("old", None)}  # fmt: skip


@pytest.mark.parametrize(("value", "vr", "days", "wanted"), MOVED.values(), ids=MOVED)
def test_shifted(value: str, vr: str, days: int, wanted: str | None) -> None:
    assert shifted(value, vr, days) == wanted


@pytest.mark.parametrize(("value", "wanted"), AGES.values(), ids=AGES)
def test_ages(value: str, wanted: str | None) -> None:
    assert young_age(value) == wanted
