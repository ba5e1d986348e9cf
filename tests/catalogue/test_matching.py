"""Matching by PS3.4 C.2.2.2: a table of cases, and SQL against Python on random queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicomcore import Dataset, catalogue
from dicomcore.catalogue.attributes import COLUMNS, LEVELS
from dicomcore.catalogue.compiling import compile_identifier
from dicomcore.catalogue.matching import time_bounds
from dicomcore.dictionary import dictionary_VR

CASES = {  # name: (keyword, key, value, whether it matches)
    "everything": ("PatientID", "", "17", True),
    "a star is everything": ("PatientID", "*", "17", True),
    "a missing value and no key": ("PatientID", "", "", True),
    "single value": ("PatientID", "17", "17", True),
    "single value, other case": ("PatientID", "a17", "A17", False),
    "single value, other": ("PatientID", "17", "170", False),
    "star": ("PatientID", "1*", "17", True),
    "star in the middle": ("PatientID", "A*Z", "ABCZ", True),
    "question mark": ("PatientID", "1?", "17", True),
    "question mark wants a character": ("PatientID", "17?", "17", False),
    "brackets mean themselves": ("PatientID", "[1]*", "[1]7", True),
    "stars in a row take no time": ("PatientID", "*" * 40 + "x", "y" * 60, False),
    "stars between letters take no time": ("PatientID", "*a" * 31 + "b", "a" * 64, False),
    "what stands between stars is where it comes first": ("PatientID", "*ab*ab", "abxab", True),
    "what stands between stars does not overlap": ("PatientID", "*aba*aba", "xababa", False),
    "a wildcard in a UID means itself": ("StudyInstanceUID", "1.2*", "1.2.3", False),
    "one of several UIDs": ("StudyInstanceUID", ["1.2", "1.3"], "1.3", True),
    "one of several values of the object": ("ModalitiesInStudy", "MR", "CT\\MR", True),
    "part of a value is none": ("ModalitiesInStudy", "M", "CT\\MR", False),
    "date": ("StudyDate", "20240105", "20240105", True),
    "date range": ("StudyDate", "20240101-20240131", "20240115", True),
    "date range, its end": ("StudyDate", "20240101-20240131", "20240131", True),
    "date range, outside": ("StudyDate", "20240101-20240131", "20240201", False),
    "from a date on": ("StudyDate", "20240101-", "20991231", True),
    "up to a date": ("StudyDate", "-20240101", "20240102", False),
    "an old date": ("StudyDate", "20240101-20240131", "2024.01.15", True),
    "no date": ("StudyDate", "20240101-", "", False),
    "date range, with blanks": ("StudyDate", "20240101 - 20240131", "20240101", True),
    "date range, with blanks, its end": ("StudyDate", "20240101 - 20240131", "20240131", True),
    "from a date on, with a blank": ("StudyDate", "20240101 -", "20240101", True),
    "time range, with blanks": ("StudyTime", "1000 - 1200", "1000", True),
    "time range": ("StudyTime", "1000-1200", "110000.5", True),
    "time range, the last minute": ("StudyTime", "1000-1200", "120030", True),
    "time range, outside": ("StudyTime", "1000-1200", "120100", False),
    "a time of an hour": ("StudyTime", "10", "1059", True),
    "name, other case": ("PatientName", "doe^john", "Doe^John", True),
    "name, accents": ("PatientName", "muller*", "Müller^Jörg", True),
    "name, empty components": ("PatientName", "Doe^John", "Doe^John^^^", True),
    "name, a component more": ("PatientName", "Doe^John", "Doe^John^M", False),
    "name in another group": ("PatientName", "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
    "name with its groups": ("PatientName", "Yamada*=山田*", "Yamada^Tarou=山田^太郎", True),
    "name with a wrong group": ("PatientName", "Yamada*=田*", "Yamada^Tarou=山田^太郎", False),
    "an empty value": ("AccessionNumber", '""', "", True),
    "an empty value, and one": ("AccessionNumber", '""', "1", False),
}


@pytest.mark.parametrize(("keyword", "key", "value", "expected"), CASES.values(), ids=CASES)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_cases(keyword: str, key: object, value: str, expected: bool) -> None:
    ds = Dataset()
    setattr(ds, keyword, key)
    assert compile_identifier(ds, level="STUDY").matches({keyword: value}) is expected


def test_fuzzy_names() -> None:
    ds = Dataset()
    ds.PatientName = "jo do"
    query = compile_identifier(ds, fuzzy=True)
    assert query.matches({"PatientName": "Doe^John"})
    assert not query.matches({"PatientName": "Doe^Jane"})


FUZZY = {  # name: (key, name, whether it matches)
    "a star behind": ("doe*", "Doe^John", True),
    "stars on both sides": ("*oe*", "Doe^John", True),
    "stars on both sides, of another word": ("*ohn*", "Doe^John", True),
    "a star before": ("*hn", "Doe^John", True),
    "a question mark": ("d?e", "Doe^John", True),
    "another letter": ("*oa*", "Doe^John", False),
    "two words, one with a star": ("jo do*", "Doe^John", True),
    "two words, one of which is not there": ("*jo* *da*", "Doe^John", False),
    "a star alone is everything": ("*", "", True),
    "stars as components are everything": ("*^*", "", True),
    "a component that is empty": ("^jo", "Doe^John", True),
    "one of two names": ("smith\\doe", "Doe^John", True),
    "neither of two names": ("smith\\jones", "Doe^John", False),
    "accents": ("*mull*", "Müller^Jörg", True),
}


@pytest.mark.parametrize(("key", "name", "expected"), FUZZY.values(), ids=FUZZY)
def test_fuzzy_names_with_wildcards(store: catalogue.LiveCatalogue, key: str, name: str, expected: bool) -> None:
    """Viewers put stars round what is typed, and ask for fuzzy matching too."""
    query = catalogue.query({"PatientName": key}, fuzzy=True)
    assert query.matches({"PatientName": name}) is expected
    everything = list(store.search(catalogue.query({}, fuzzy=True)))
    assert list(store.search(query)) == [row for row in everything if query.matches(row)]


MANY = {  # name: (keyword, values)
    "UIDs": ("StudyInstanceUID", [f"2.{number}" for number in range(40_000)]),
    "texts": ("PatientID", [f"x{number}" for number in range(40_000)]),
    "patterns": ("PatientID", [f"x{number}*" for number in range(3000)]),
    "codes": ("ModalitiesInStudy", [f"X{number}" for number in range(3000)]),
    "names": ("PatientName", [f"x{number}" for number in range(3000)]),
    "patterns of names": ("PatientName", [f"x{number}*" for number in range(3000)]),
    "dates": ("StudyDate", [f"1{number:07}" for number in range(3000)]),
    "a long pattern": ("PatientID", ["*" + "x" * 60_000]),
    "a long name": ("PatientName", ["?" * 60_000]),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("keyword", "values"), MANY.values(), ids=MANY)
def test_more_keys_than_a_database_takes(store: catalogue.LiveCatalogue, keyword: str, values: list[str]) -> None:
    assert list(store.search(catalogue.query({keyword: values}))) == []
    row = next(row for row in store.search(catalogue.query({})) if row[keyword])
    also = str(row[keyword]).split("\\")[0]
    found = list(store.search(catalogue.query({keyword: [*values, also]})))
    assert row in found


def test_a_key_in_a_sequence() -> None:
    item, ds = Dataset(), Dataset()
    item.ScheduledProcedureStepID = "S1"
    ds.RequestAttributesSequence = [item]
    query = compile_identifier(ds)
    assert query.matches({"RequestAttributesSequence": [{"ScheduledProcedureStepID": "S1"}]})
    assert not query.matches({"RequestAttributesSequence": [{"ScheduledProcedureStepID": "S2"}]})
    assert not query.matches({"RequestAttributesSequence": []})


def test_the_keys_of_an_item_are_those_of_one_item() -> None:
    query = catalogue.query({
        "RequestAttributesSequence.ScheduledProcedureStepID": "S1",
        "RequestAttributesSequence.RequestedProcedureID": "R*",
    }, level="SERIES")  # fmt: skip
    first, second = {"ScheduledProcedureStepID": "S1"}, {"RequestedProcedureID": "R2"}
    assert not query.matches({"RequestAttributesSequence": [first, second]})
    assert query.matches({"RequestAttributesSequence": [second, {**first, **second}]})


MOMENTS = {  # name: (dates, times, date, time, whether they match together, and apart)
    "both within": ("20240101-20240103", "1000-1200", "20240102", "1100", True, True),
    "a time outside, on a day within": ("20240101-20240103", "1000-1200", "20240102", "1500", True, False),
    "before it begins": ("20240101-20240103", "1000-1200", "20240101", "0959", False, False),
    "when it begins": ("20240101-20240103", "1000-1200", "20240101", "1000", True, True),
    "after it ends": ("20240101-20240103", "1000-1200", "20240103", "1201", False, False),
    "an open end": ("20240101-", "1000-1200", "20990101", "2300", True, False),
    "an open beginning": ("-20240101", "1000-1200", "19700101", "0000", True, False),
    "times without an end": ("20240101-20240103", "1000-", "20240103", "2359", True, True),
    "no time, a day within": ("20240101-20240103", "1000-1200", "20240102", "", True, False),
    "no time, the first day": ("20240101-20240103", "1000-1200", "20240101", "", True, False),
    "an old date": ("20240101-20240103", "10:00-12:00", "2024.01.02", "15:00", True, False),
    "one time is no range": ("20240101-20240103", "1000", "20240102", "1100", False, False),
    "one day": ("20240102", "1000-1200", "20240102", "1100", True, True),
    "no date": ("20240101-", "1000-", "", "1100", False, False),
}


@pytest.mark.parametrize(("dates", "times", "date", "time", "together", "apart"), MOMENTS.values(), ids=MOMENTS)
def test_moments(dates: str, times: str, date: str, time: str, together: bool, apart: bool) -> None:
    row = {"StudyDate": date, "StudyTime": time}
    keys = {"StudyDate": dates, "StudyTime": times}
    assert catalogue.query(keys).matches(row) is together
    assert catalogue.query(keys, combined=False).matches(row) is apart


OFFSETS = {  # name: (key, value, whether it matches)
    "the same moment elsewhere": ("20240101120000+0000", "20240101070000-0500", True),
    "the same digits elsewhere": ("20240101120000+0000", "20240101120000-0500", False),
    "within, elsewhere": ("20240101120000+0000-20240101130000+0000", "20240101203000+0800", True),
    "before, elsewhere": ("20240101120000+0000-", "20240101120000+0100", False),
    "over midnight": ("20240101233000+0000-20240102003000+0000", "20240102010000+0100", True),
    "a value without an offset": ("20240101120000-0500-20240101130000-0500", "20240101123000", True),
    "a key without an offset": ("20240101120000-20240101130000", "20240101123000+0900", True),
    "no moment": ("20240101120000+0000-", "20241399999999-0500", True),
    "no offsets": ("2024-", "20231231", False),
}


@pytest.mark.parametrize(("key", "value", "expected"), OFFSETS.values(), ids=OFFSETS)
def test_offsets_from_utc(key: str, value: str, expected: bool) -> None:
    query = catalogue.query({"ScheduledProcedureStepStartDateTime": key})
    assert query.matches({"ScheduledProcedureStepStartDateTime": value}) is expected


NAMED: dict[str, tuple[dict[str, Any], str]] = {  # name: (keys, what the error names)
    "no keyword": ({"PatientsName": "x"}, "PatientsName"),
    "half a tag": ({"001000": "x"}, "001000"),
    "through a text": ({"PatientName.PatientID": "x"}, "PatientName is no sequence"),
    "a private group that is even": ({"0010xx01:ACME": "x"}, "is odd"),
    "too deep": ({".".join(["RequestAttributesSequence"] * 20): "x"}, "more than 16 sequences"),
}


@pytest.mark.parametrize(("keys", "said"), NAMED.values(), ids=NAMED)
def test_names_that_are_none(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        catalogue.query(keys)


def test_names_of_every_kind() -> None:
    query = catalogue.query(
        {"0020000D": "1.2,1.3", "0008,0060": "CT", "00080050": ["A", "B"], "0009xx01:ACME": "x", "00091002": "y",
         "00400275.00400009": "S1"},
        level="SERIES", include=["SeriesDescription", "RequestAttributesSequence.CodeValue"],
    )  # fmt: skip
    row = {"StudyInstanceUID": "1.3", "Modality": "CT", "AccessionNumber": "B", "0009xx01:ACME": "x", "00091002": "y",
           "RequestAttributesSequence": [{"ScheduledProcedureStepID": "S1"}]}  # fmt: skip
    assert query.matches(row)
    assert not query.matches({**row, "00091002": "z"})
    assert {"SeriesDescription", "RequestAttributesSequence", "Modality"} <= {
        element.keyword for element in query.asked
    }
    inner = query.asked.RequestAttributesSequence[0]
    assert {element.keyword for element in inner} == {"ScheduledProcedureStepID", "CodeValue"}


def test_several_values_are_divided_where_that_is_wanted() -> None:
    row = {"Modality": "MR", "PatientName": "Doe, John"}
    assert catalogue.query({"Modality": "CT,MR"}, level="SERIES", multiple=True).matches(row)
    assert catalogue.query({"Modality": "CT,MR"}, level="SERIES").matches(row), "codes have no commas"
    assert catalogue.query({"Modality": "CT\\MR"}, level="SERIES").matches(row)
    study = {"StudyID": "B"}
    assert catalogue.query({"StudyID": "A,B"}, multiple=True).matches(study)
    assert not catalogue.query({"StudyID": "A,B"}).matches(study)
    assert catalogue.query({"PatientName": "doe, john"}, level="SERIES").matches(row)


def test_too_many_keys() -> None:
    ds = Dataset()
    for number in range(600):
        ds.add_new(0x60000000 + (number % 8 << 17) + 0x1100 + number, "LO", "x")
        ds.add_new(0x00080001 + number, "LO", "x")
    item = Dataset()
    for keyword in (one for level in LEVELS for one in COLUMNS[level]):
        if dictionary_VR(keyword) in ("LO", "SH"):
            setattr(item, keyword, "x")
    assert compile_identifier(item).terms


BOUNDS = {
    "2024-": ("DT", ("20240101000000.000000", "")),
    "-2024": ("DT", ("", "20241231235959.999999")),
    "20240101120000-0500": ("DT", ("20240101120000.000000-0500", "20240101120000.999999-0500")),
    "20240101120000-0500-20240102": ("DT", ("20240101120000.000000-0500", "20240102235959.999999")),
    "20240101 - 20240131": ("DA", ("20240101", "20240131")),
    "20240101120000-0500 - 20240102": ("DT", ("20240101120000.000000-0500", "20240102235959.999999")),
    "20240101120000 - 20240102": ("DT", ("20240101120000.000000", "20240102235959.999999")),
    "10-": ("TM", ("100000.000000", "")),
}


@pytest.mark.parametrize("text", BOUNDS)
def test_bounds(text: str) -> None:
    vr, expected = BOUNDS[text]
    assert time_bounds(vr, text) == expected


FAULTY = {  # keys of dates and times that are none: they would match nothing
    "StudyDate": ("2024-01-01", "2024", "today", "2024*", "20240101-today", "20240101-20240102-", "\u0662" * 8),
    "StudyTime": ("7:30", "noon", "10:3", "1030-noon", "10.5"),
    "AcquisitionDateTime": ("2024-01-01", "202", "20240101T10", "20240101-x", "20240101+01"),
}


@pytest.mark.parametrize(("keyword", "text"), [(one, text) for one, texts in FAULTY.items() for text in texts])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_date_or_time_is_refused(keyword: str, text: str) -> None:
    ds, item, outer = Dataset(), Dataset(), Dataset()
    ds.add_new(keyword, dictionary_VR(keyword), text)
    item.add_new(keyword, dictionary_VR(keyword), text)
    outer.ScheduledProcedureStepSequence = [item]
    for one in (ds, outer):
        with pytest.raises(ValueError, match=f"^{keyword} has "):
            compile_identifier(one)
    with pytest.raises(ValueError, match=f"^{keyword} has "):
        catalogue.query({keyword: text})


# -- SQL against Python


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> catalogue.LiveCatalogue:
    made = catalogue.open(tmp_path_factory.mktemp("catalogue"))
    made.add_all(sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm")))
    return made


TEXTS = st.text(alphabet="*?[]^=\\ ABCDMRTct0123456789.-'\"%_é", max_size=12)
DATES = st.from_regex(r"[0-9]{8}|[0-9]{4}\.[0-9]{2}\.[0-9]{2}|(19[0-9]{6})? ?- ?(20[0-9]{6})?|\*", fullmatch=True)
TIMES = st.from_regex(r"[0-9]{2}(:?[0-9]{2}(:?[0-9]{2}(\.[0-9]{1,6})?)?)?|([01][0-9])? ?- ?([0-9]{4})?", fullmatch=True)
TIMED = {"DA": DATES, "TM": TIMES}
KEYWORDS = st.sampled_from(
    [
        one
        for level in LEVELS
        for one in COLUMNS[level]
        if dictionary_VR(one) in ("LO", "PN", "CS", "DA", "TM", "UI", "SH")
    ]
)


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    level=st.sampled_from(LEVELS), keys=st.dictionaries(KEYWORDS, TEXTS, max_size=3), real=st.booleans(), data=st.data()
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_database_finds_what_python_finds(
    store: catalogue.LiveCatalogue, level: str, keys: dict[str, str], real: bool, data: st.DataObject
) -> None:
    everything = list(store.search(catalogue.Query(level)))
    ds = Dataset()
    for keyword, text in keys.items():
        values = sorted({str(row[keyword]) for row in everything if row.get(keyword)})
        vr = dictionary_VR(keyword)
        if vr in TIMED:  # another text is refused
            text = data.draw(TIMED[vr])
        elif real and values:
            text = data.draw(st.sampled_from(values))
            cut = data.draw(st.integers(0, len(text)))
            text = data.draw(st.sampled_from([text, text[:cut] + "*", "*" + text[cut:]]))
        ds.add_new(keyword, vr, text)
    query = compile_identifier(ds, level=level)
    names = {name for one in LEVELS[: LEVELS.index(level) + 1] for name in COLUMNS[one]}
    supported = catalogue.Query(level, [term for term in query.terms if term.keyword in names])
    assert [row for row in everything if supported.matches(row)] == list(store.search(query))
