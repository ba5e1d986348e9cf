"""Person names, dates, times and large integers."""

import copy
import pickle
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore.values import (
    PersonName,
    format_date,
    format_datetime,
    format_time,
    parse_date,
    parse_datetime,
    parse_integer,
    parse_time,
)

COMPONENTS = ("family_name", "given_name", "middle_name", "name_prefix", "name_suffix")
PARTS = (*COMPONENTS, "alphabetic", "ideographic", "phonetic")
NAMES = {  # text: PARTS
    "": ("", "", "", "", "", "", "", ""),
    "Doe": ("Doe", "", "", "", "", "Doe", "", ""),
    "Adams^John Robert Quincy^^Rev.^B.A. M.Div.": (
        "Adams", "John Robert Quincy", "", "Rev.", "B.A. M.Div.", "Adams^John Robert Quincy^^Rev.^B.A. M.Div.", "", "",
    ),
    "Hong^Gildong=洪^吉洞=홍^길동": ("Hong", "Gildong", "", "", "", "Hong^Gildong", "洪^吉洞", "홍^길동"),
    "=洪": ("", "", "", "", "", "", "洪", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), NAMES.items())
def test_parts_of_a_name(text, parts):
    name = PersonName(text)
    assert tuple(getattr(name, part) for part in PARTS) == parts
    assert name == text
    assert hash(name) == hash(text)
    assert not hasattr(name, "__dict__")


@pytest.mark.parametrize("text", [*NAMES, "Doe^John==", "A=B="])
def test_names_equal_pydicom(text):
    theirs = pytest.importorskip("pydicom.valuerep").PersonName(text)
    ours = PersonName(text)
    assert [getattr(ours, part) for part in PARTS] == [getattr(theirs, part) for part in PARTS]
    assert ours.components == theirs.components
    assert ours.family_comma_given() == theirs.family_comma_given()
    template = "%(name_prefix)s %(given_name)s %(family_name)s / %(ideographic)s / %(phonetic)s"
    assert ours.formatted(template) == theirs.formatted(template)
    assert bool(ours) == bool(theirs)


@pytest.mark.parametrize(("given", "text"), [
    (b"Doe^J", "Doe^J"), ("M\u00fcller".encode(), "M\u00fcller"), (b"M\xfcller", "M\u00fcller"), (None, ""), ("A", "A"),
], ids=repr)  # fmt: skip
def test_names_from_bytes_and_from_nothing(given, text):
    assert PersonName(given) == text
    assert PersonName(given).family_name == text.split("^")[0]
    assert copy.copy(pickle.loads(pickle.dumps(PersonName(given)))) == text


def test_names_are_made_of_parts():
    assert PersonName.from_named_components("Doe", "John") == "Doe^John"
    name = PersonName.from_named_components(
        family_name="Hong", given_name="Gildong", family_name_ideographic="洪", given_name_phonetic="길동"
    )
    assert name == "Hong^Gildong=洪=^길동"
    assert isinstance(name, PersonName)
    assert PersonName.from_named_components_veterinary(responsible_party_name="ABC Farms", patient_name="Running") == (
        "ABC Farms^Running"
    )
    with pytest.raises(ValueError, match="part of a name"):
        PersonName.from_named_components(family_name="a^b")
    with pytest.raises(TypeError, match="nick_name"):
        PersonName.from_named_components(nick_name="a")


DATES = {"20240229": date(2024, 2, 29), "1994.12.31": date(1994, 12, 31), "20240101 ": date(2024, 1, 1)}
TIMES = {
    "10": time(10),
    "1015": time(10, 15),
    "101530": time(10, 15, 30),
    "101530.5 ": time(10, 15, 30, 500000),
    "101530.123456": time(10, 15, 30, 123456),
    "235960": time(23, 59, 59),
    "10:15:30.25": time(10, 15, 30, 250000),
}
DATETIMES = {
    "2024": datetime(2024, 1, 1),
    "202402": datetime(2024, 2, 1),
    "2024022910": datetime(2024, 2, 29, 10),
    "20240229101530.123+0000": datetime(2024, 2, 29, 10, 15, 30, 123000, UTC),
    "20240229101530-0330": datetime(2024, 2, 29, 10, 15, 30, 0, timezone(-timedelta(hours=3, minutes=30))),
    "2024+0100": datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=1))),
}
PARSED = [(parse_date, DATES), (parse_time, TIMES), (parse_datetime, DATETIMES)]


@pytest.mark.parametrize(("parse", "text", "value"), [(p, t, v) for p, table in PARSED for t, v in table.items()])
def test_dates_and_times(parse, text, value):
    assert parse(text) == value
    assert parse(text).tzinfo == value.tzinfo if parse is parse_datetime else True


REFUSED = {
    parse_date: ["", "2024", "20241301", "20240230", "20240101-20240201", "2024-01-01", "２０２４０１０１", "00000101"],
    parse_time: ["", "1", "24", "1060", "10153", "101530.", "101530.1234567", "10-11", "1015.5"],
    parse_datetime: ["", "202", "20241", "2024-2025", "20240229-20240301", "2024.5", "20240101+2500"],
}


@pytest.mark.parametrize(("parse", "text"), [(parse, text) for parse, texts in REFUSED.items() for text in texts])
def test_invalid_dates_and_times_are_refused(parse, text):
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


ZONES = st.sampled_from([None, UTC, timezone(-timedelta(hours=5, minutes=30))])


@given(st.dates(), st.times(), st.datetimes(timezones=ZONES))
def test_format_then_parse_is_the_identity(day, hour, moment):
    assert parse_date(format_date(day)) == day
    assert parse_time(format_time(hour)) == hour
    assert parse_datetime(format_datetime(moment)) == moment


def test_a_utc_offset_with_seconds_is_refused():
    with pytest.raises(ValueError, match="offset"):
        format_datetime(datetime(2024, 1, 1, tzinfo=timezone(timedelta(seconds=30))))


def test_large_integers():
    assert parse_integer(" +1.0 \0") == 1
    assert parse_integer("9" * 30) == 10**30 - 1
    assert parse_integer("15e30") == 15 * 10**30


@pytest.mark.parametrize("text", ["", "1.5", "1_0", "nan", "inf", "1e999999999", "0x10", "１"])
def test_invalid_integers_are_refused(text):
    with pytest.raises(ValueError, match="IS value"):
        parse_integer(text)


def test_names_pickle_and_copy():
    name = PersonName("Hong^Gildong=洪^吉洞")
    for twin in (pickle.loads(pickle.dumps(name)), copy.copy(name), copy.deepcopy(name)):
        assert twin == name
        assert type(twin) is PersonName
