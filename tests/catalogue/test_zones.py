"""Dates and times in the zone of a query (PS3.4 C.2.2.2, C.4.1.1.3): rows, data sets, live catalogues and indexes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore import Dataset, catalogue, dcmread
from dicomcore.catalogue.compiling import compile_identifier
from dicomcore.catalogue.zones import moved, moved_set, offset_from_utc

BASE = Path(pydicom.data.__file__).parent / "test_files" / "MR_small.dcm"

PAIRS = {  # name: (own zone, zone of the query, date, time, date then, time then)
    "forward within the day": ("+0000", "+0100", "20240105", "101500", "20240105", "111500"),
    "over midnight": ("-0500", "+0100", "20240105", "2330", "20240106", "0530"),
    "back over midnight and the year": ("+0900", "-0800", "20240101", "093000.5", "20231231", "163000.5"),
    "two days": ("-1200", "+1400", "20240105", "2330", "20240107", "0130"),
    "over a leap day": ("+0000", "+0200", "20240228", "2300", "20240229", "0100"),
    "half an hour": ("+0530", "+0000", "20240105", "10", "20240105", "0430"),
    "an hour stays an hour": ("+0100", "+0000", "20240105", "10", "20240105", "09"),
    "a time alone goes round the clock": ("+0000", "+0200", "", "2300", "", "0100"),
    "a date alone stays": ("+0000", "+0900", "20240105", "", "20240105", ""),
    "as people wrote once": ("+0000", "+0100", "2024.01.05", "23:30:00", "20240106", "003000"),
    "a leap second": ("+0000", "+0100", "20240105", "225960", "20240105", "235960"),
    "no time": ("+0000", "+0100", "20240105", "noon", "20240105", "noon"),
    "no date": ("+0000", "+0100", "20241399", "1000", "20241399", "1000"),
    "before the first year": ("+0000", "-0100", "00010101", "0000", "00010101", "0000"),
    "an unknown zone": ("", "+0100", "20240105", "2330", "20240105", "2330"),
    "a zone that is none": ("CET", "+0100", "20240105", "2330", "20240105", "2330"),
}


@pytest.mark.parametrize(("own", "zone", "date", "time", "day", "hour"), PAIRS.values(), ids=PAIRS)
def test_a_time_moves_with_its_date(own: str, zone: str, date: str, time: str, day: str, hour: str) -> None:
    row = moved({"StudyDate": date, "StudyTime": time, "TimezoneOffsetFromUTC": own}, zone)
    assert (row["StudyDate"], row["StudyTime"]) == (day, hour)
    assert row["TimezoneOffsetFromUTC"] == (zone if own.startswith(("+", "-")) else "")
    ds = Dataset()
    ds.StudyDate, ds.StudyTime = date, time
    if own:
        ds.TimezoneOffsetFromUTC = own
    made = moved_set(ds, zone)
    assert (str(made.StudyDate or ""), str(made.StudyTime or "")) == (day, hour)
    assert (str(ds.StudyDate or ""), str(ds.StudyTime or "")) == (date, time), "a copy"


def test_what_stays() -> None:
    row = {
        "TimezoneOffsetFromUTC": "+0000", "PatientBirthDate": "19700101", "PatientBirthTime": "2330",
        "ScheduledProcedureStepStartDateTime": "20240105233000+0300", "ContentDate": "20240105", "StudyID": "2330",
    }  # fmt: skip
    assert moved(row, "+0900") == {**row, "TimezoneOffsetFromUTC": "+0900"}


def test_moments_several_values_and_items_move() -> None:
    row = {
        "TimezoneOffsetFromUTC": "-0500",
        "AcquisitionDateTime": "20240105233000.25",
        "StudyDate": "20240105\\20240106", "StudyTime": "2300\\1000",
        "ScheduledProcedureStepSequence": [
            {"ScheduledProcedureStepStartDate": "20240105", "ScheduledProcedureStepStartTime": "2330"},
        ],
    }  # fmt: skip
    made = moved(row, "+0000")
    assert made["AcquisitionDateTime"] == "20240106043000.25"
    assert (made["StudyDate"], made["StudyTime"]) == ("20240106\\20240106", "0400\\1500")
    assert made["ScheduledProcedureStepSequence"] == [
        {"ScheduledProcedureStepStartDate": "20240106", "ScheduledProcedureStepStartTime": "0430"},
    ]
    assert moved(made, "+0000") == made
    assert moved(made, "-0500")["ScheduledProcedureStepSequence"] == row["ScheduledProcedureStepSequence"]


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes().filter(lambda at: 1 < at.year < 9998), st.integers(-12 * 60, 14 * 60), st.integers(-12 * 60, 14 * 60)
)
def test_there_and_back(at: Any, own: int, other: int) -> None:
    zones = [f"{'-' if one < 0 else '+'}{abs(one) // 60:02}{abs(one) % 60:02}" for one in (own, other)]
    row = {"StudyDate": f"{at.year:04}{at.month:02}{at.day:02}",
           "StudyTime": at.strftime("%H%M%S.%f"), "TimezoneOffsetFromUTC": zones[0]}  # fmt: skip
    assert moved(moved(row, zones[1]), zones[0]) == row


FAULTS = ("0100", "+1", "+01:00", "Europe/Berlin", "+1430", "-1230", "+0160", "+01000")


@pytest.mark.parametrize("text", FAULTS)
def test_no_offset(text: str) -> None:
    with pytest.raises(ValueError, match="no offset from UTC"):
        offset_from_utc(text)
    asked = Dataset()
    asked.TimezoneOffsetFromUTC, asked.StudyDate = text, "20240105"
    assert compile_identifier(asked).zone == "", "it says nothing if that was not agreed upon"
    with pytest.raises(ValueError, match="no offset from UTC"):
        compile_identifier(asked, adjusted=True)


MOMENTS = {  # name: (key, value, offset of the object, offset of the query, whether it matches)
    "neither says its own": ("20240105233000", "20240106003000", "+0100", "+0000", True),
    "the key says its own": ("20240105233000+0000", "20240106003000", "+0100", "+0900", True),
    "the value says its own": ("20240106003000", "20240105233000+0000", "-0800", "+0100", True),
    "both say their own": ("20240106003000+0100", "20240105233000+0000", "-0800", "+0900", True),
    "another moment": ("20240105233000", "20240105233000", "+0100", "+0000", False),
    "a range": ("20240105230000-20240106000000", "20240106003000", "+0100", "+0000", True),
    "the object's zone is not known": ("20240105233000", "20240105233000", "", "+0000", True),
}


@pytest.mark.parametrize(("key", "value", "own", "zone", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_moments_in_zones(key: str, value: str, own: str, zone: str, expected: bool) -> None:
    query = catalogue.query({"ScheduledProcedureStepStartDateTime": key}, zone=zone)
    row = {"ScheduledProcedureStepStartDateTime": value, "TimezoneOffsetFromUTC": own}
    assert query.matches(row) is expected


# -- catalogues

STUDIES = {  # study: (zone, date, time)
    "1.1": ("-0500", "20240105", "233000"),
    "1.2": ("+0900", "20240106", "133000"),  # the same moment
    "1.3": ("", "20240106", "043000"),  # as it stands
    "1.4": ("+0000", "20240105", "233000"),
}


def made_files(folder: Path) -> list[Path]:
    paths = []
    for uid, (zone, date, time) in STUDIES.items():
        ds = dcmread(BASE)
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = uid, f"{uid}.1", f"{uid}.1.1"
        ds.PatientID = uid
        for keyword in ("Study", "Series", "Content"):
            setattr(ds, f"{keyword}Date", date)
            setattr(ds, f"{keyword}Time", time)
        if zone:
            ds.TimezoneOffsetFromUTC = zone
        elif "TimezoneOffsetFromUTC" in ds:
            del ds.TimezoneOffsetFromUTC
        paths.append(folder / f"{uid}.dcm")
        ds.save_as(paths[-1])
    return paths


@pytest.fixture(scope="module", params=["live", "index"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("files")
    files = made_files(folder)
    if request.param == "live":
        with catalogue.open(tmp_path_factory.mktemp("store")) as live:
            live.add_all(files)
            yield live
        return
    pytest.importorskip("duckdb")
    archive = pytest.importorskip("dicomcore.archive")
    columns = [*archive.DEFAULT_COLUMNS, "TimezoneOffsetFromUTC", "StudyTime", "SeriesTime", "ContentTime"]
    archive.index(files, columns=list(dict.fromkeys(columns)), out=folder / "index.parquet")
    with catalogue.open(folder / "index.parquet") as table:
        yield table


FOUND = {  # name: (date, time, zone, combined, studies)
    "a moment in UTC": ("20240106", "0430", "+0000", True, {"1.1", "1.2", "1.3"}),
    "the same moment in New York": ("20240105", "2330", "-0500", True, {"1.1", "1.2"}),
    "the same moment in Tokyo": ("20240106", "1330", "+0900", True, {"1.1", "1.2"}),
    "as they stand": ("20240105", "2330", "", True, {"1.1", "1.4"}),
    "a range over midnight": ("20240105-20240106", "2300-0500", "+0000", True, {"1.1", "1.2", "1.3", "1.4"}),
    "times of each day": ("20240105-20240106", "0400-0500", "+0000", False, {"1.1", "1.2", "1.3"}),
    "a day in New York": ("20240105", "", "-0500", True, {"1.1", "1.2", "1.4"}),
    "a day in Tokyo": ("20240106", "", "+0900", True, {"1.1", "1.2", "1.3", "1.4"}),
    "from a day on": ("20240106-", "", "-0500", True, {"1.3"}),
    "a time of any day": ("", "1330", "+0900", True, {"1.1", "1.2"}),
    "no date": ("20241399-", "", "+0900", True, set()),
}


@pytest.mark.parametrize("level", ["STUDY", "SERIES", "IMAGE"])
@pytest.mark.parametrize(("date", "time", "zone", "combined", "studies"), FOUND.values(), ids=FOUND)
def test_what_is_found(
    store: Any, level: str, date: str, time: str, zone: str, combined: bool, studies: set[str]
) -> None:
    name = {"STUDY": "Study", "SERIES": "Series", "IMAGE": "Content"}[level]
    keys = {key: value for key, value in ((f"{name}Date", date), (f"{name}Time", time)) if value}
    query = catalogue.query(keys, level=level, zone=zone, combined=combined)
    rows = list(store.search(query))
    assert {row["StudyInstanceUID"] for row in rows} == studies
    assert {row[0] for row in store.values(query, ["StudyInstanceUID"])} == studies
    assert store.count(query) == len(studies)
    assert {entry.study for entry in store.entries(query)} == studies
    for row in rows:
        own = STUDIES[row["StudyInstanceUID"]][0]
        assert row["TimezoneOffsetFromUTC"] == (own and (zone or own))
        shown = row[f"{name}Date"], row[f"{name}Time"]
        key = {"StudyInstanceUID": row["StudyInstanceUID"]}
        one = catalogue.query(key, level=level, zone=zone)
        (values,) = store.values(one, [f"{name}Time", f"{name}Date", "TimezoneOffsetFromUTC"])
        assert (values[1], values[0]) == shown
        assert values[2] == row["TimezoneOffsetFromUTC"]


def test_pages_are_cut_after_what_was_looked_at(store: Any) -> None:
    query = catalogue.query({"StudyDate": "20240106"}, zone="+0900")
    pages = [store.page(query, limit=2, offset=offset) for offset in (0, 2, 4)]
    assert [len(page.rows) for page in pages] == [2, 2, 0]
    assert [page.has_more for page in pages] == [True, False, False]
    assert len({row["StudyInstanceUID"] for page in pages for row in page.rows}) == 4


def test_each_level_has_its_own_zone(tmp_path: Path) -> None:
    """A report that another machine added to a study says its times in another zone."""
    first, second = dcmread(BASE), dcmread(BASE)
    for ds, zone, time in ((first, "+0000", "100000"), (second, "+0900", "200000")):
        ds.TimezoneOffsetFromUTC, ds.StudyDate, ds.StudyTime = zone, "20240105", "090000"
        ds.SeriesDate, ds.SeriesTime, ds.ContentDate, ds.ContentTime = "20240105", time, "20240105", time
    second.SeriesInstanceUID, second.SOPInstanceUID = "1.9", "1.9.1"
    with catalogue.open(tmp_path / "store") as store:
        for at, ds in enumerate((first, second)):
            ds.save_as(tmp_path / f"{at}.dcm")
            store.add(tmp_path / f"{at}.dcm").result()
        query = catalogue.query({"SeriesDate": "20240105", "SeriesTime": "1000-1100"}, level="SERIES", zone="+0000")
        rows = {row["SeriesInstanceUID"]: row for row in store.search(query)}
        assert {row["SeriesTime"] for row in rows.values()} == {"100000", "110000"}
        assert {row["StudyTime"] for row in rows.values()} == {"090000"}
        assert {row["TimezoneOffsetFromUTC"] for row in rows.values()} == {"+0000"}
        plain = {row["SeriesInstanceUID"]: row for row in store.search(catalogue.query({}, level="SERIES"))}
        assert plain["1.9"]["TimezoneOffsetFromUTC"] == "", "the study's time is of another zone than the series'"
        assert plain[str(first.SeriesInstanceUID)]["TimezoneOffsetFromUTC"] == "+0000"


def test_keys_that_are_read_of_files_are_in_the_zone_too(store: Any) -> None:
    keys = {"StudyInstanceUID": "1.1", "InstanceCreationDate": "", "AcquisitionDateTime": "", "PatientBirthDate": ""}
    (row,) = store.search(catalogue.query(keys, level="IMAGE", zone="+0900"), deep=True)
    ds = moved_set(dcmread(row["path"]), "+0900")
    assert row["InstanceCreationDate"] == str(ds.InstanceCreationDate)
    assert row["PatientBirthDate"] == str(ds.get("PatientBirthDate") or "")


def test_a_catalogue_of_before_is_opened(tmp_path: Path) -> None:
    files = made_files(tmp_path)
    with catalogue.open(tmp_path / "store") as made:
        made.add_all(files)
    database = sqlite3.connect(tmp_path / "store" / "catalogue.sqlite")
    with database:
        database.execute("ALTER TABLE series DROP COLUMN series_zone")
        database.execute("ALTER TABLE instances DROP COLUMN instance_zone")
        database.execute("PRAGMA user_version=3")
    database.close()
    for _ in range(2):
        with catalogue.open(tmp_path / "store") as again:
            query = catalogue.query({"ContentDate": "20240106", "ContentTime": "1330"}, level="IMAGE", zone="+0900")
            assert {row["StudyInstanceUID"] for row in again.search(query)} == {"1.1", "1.2"}
