"""Answers to queries: the planned way gives the bytes of the general one, and no value of a file stops a query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicomcore import Dataset, catalogue, dcmread, uids
from dicomcore.catalogue.answers import Answers, identifier
from dicomcore.catalogue.attributes import COLUMNS, COUNTED, LEVELS
from dicomcore.dictionary import dictionary_VR, tag_for_keyword
from dicomcore.encoding import decode, encode
from tests.catalogue.test_live import FILES

SYNTAXES = (
    uids.ImplicitVRLittleEndian,
    uids.ExplicitVRLittleEndian,
    uids.ExplicitVRBigEndian,
    uids.DeflatedExplicitVRLittleEndian,
)
KEPT = sorted({name for table in (COLUMNS, COUNTED) for names in table.values() for name in names})
OTHERS = ["SpecificCharacterSet", "PixelPaddingValue", "LengthToEnd", "ReferencedStudySequence", "PatientAge"]
CHARSETS = [None, "ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"], "GB18030", "ISO_IR 9"]
OWN = {"RetrieveAETitle": "NODE", "InstanceAvailability": "ONLINE"}
TEXT = st.one_of(
    st.sampled_from(["", "1", "12", "65536", "-1", "A^B=Ä", "CT\\MR", " x ", "é", "1\\é", "山田^太郎", "a\n", "x\0"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x1b"), max_size=12),
)


def asked_for(names: list[str]) -> Dataset:
    asked = Dataset()
    for name in names:
        tag = tag_for_keyword(name)
        assert tag is not None
        asked.add_new(tag, dictionary_VR(tag).split(" or ")[0], None)
    return asked


def value_of(name: str) -> st.SearchStrategy[Any]:
    if name == "RequestAttributesSequence":
        return st.lists(st.dictionaries(st.sampled_from(["RequestedProcedureID", "AccessionNumber"]), TEXT), max_size=2)
    if name == "TimezoneOffsetFromUTC":
        return st.sampled_from([None, "", "+0100", "-0530", "+2500", 0])
    if dictionary_VR(name) in ("IS", "DS"):  # the general way writes 00 as 0, the plan as it is kept
        return st.one_of(st.none(), st.integers(0, 100_000), st.sampled_from(["", "1", "12", "65536", "1\\2", "x"]))
    return st.one_of(st.none(), st.integers(0, 100_000), TEXT)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.keyword)
def test_the_plan_gives_the_bytes_of_the_general_way(syntax: str, data: st.DataObject) -> None:
    level = data.draw(st.sampled_from(LEVELS))
    asked = asked_for(data.draw(st.lists(st.sampled_from(KEPT + OTHERS), max_size=8, unique=True)))
    charset = data.draw(st.sampled_from(CHARSETS))
    if charset is not None:
        asked.SpecificCharacterSet = charset
    answers = Answers(asked, level, syntax, **OWN)
    for _ in range(3):
        row = [data.draw(value_of(name)) for name in answers.keywords]
        values = dict(zip(answers.keywords, row, strict=True))
        assert answers.encoded(row) == encode(identifier(values, asked, level, **OWN), syntax)
        assert answers.encoded(row) == answers.encoded(tuple(row))


def test_a_backslash_in_a_text_is_text() -> None:
    made = identifier({"PatientComments": "a\\b"}, asked_for(["PatientComments"]), "PATIENT")
    assert decode(encode(made, uids.ExplicitVRLittleEndian), uids.ExplicitVRLittleEndian).PatientComments == "a\\b"


def test_values_of_an_attribute_do_not_gather(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomcore.catalogue.answers.REMEMBERED", 4)
    asked = asked_for(["PatientName"])
    answers = Answers(asked, "PATIENT", uids.ExplicitVRLittleEndian, **OWN)
    for number in range(20):
        row = [f"{'Ä' * (number % 2)}{number}" if name == "PatientName" else str(number) for name in answers.keywords]
        values = dict(zip(answers.keywords, row, strict=True))
        expected = encode(identifier(values, asked, "PATIENT", **OWN), uids.ExplicitVRLittleEndian)
        assert answers.encoded(row) == expected
        assert len(answers._foreign) <= 5
        assert all(len(elements) <= 5 for elements in answers._makers)


def test_the_character_set_is_said_only_where_it_is_needed() -> None:
    asked = asked_for(["StudyDescription"])
    for patient, study, expected in (("Ä", "plain", None), ("A", "für", "ISO_IR 192")):
        made = identifier({"PatientName": patient, "StudyDescription": study}, asked, "STUDY")
        assert made.get("SpecificCharacterSet") == expected


BAD = {  # name: (attribute, value of a file that its VR cannot hold, VR of the query, level)
    "a code beyond ASCII": ("Modality", "é", "SERIES"),
    "a number of words": ("Rows", "many", "IMAGE"),
    "a number too high": ("Columns", "70000", "IMAGE"),
}


@pytest.mark.parametrize(("name", "value", "level"), BAD.values(), ids=BAD)
def test_a_value_that_cannot_be_encoded_is_left_empty(name: str, value: str, level: str) -> None:
    asked = asked_for([name, "SOPInstanceUID"])
    answers = Answers(asked, level, uids.ExplicitVRLittleEndian)
    row = [value if keyword == name else "1.2" for keyword in answers.keywords]
    found = decode(answers.encoded(row), uids.ExplicitVRLittleEndian)
    assert not found.get(name)
    assert found.StudyInstanceUID == "1.2"


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"PatientName": "*a*"},
        {"StudyDate": "19000101-", "Modality": "CT"},
        {"StudyDate": "-"},
        {"StudyInstanceUID": "FIRST", "RequestAttributesSequence": ""},
        {"ModalitiesInStudy": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"},
    ],
    ids=str,
)
def test_values_are_those_of_rows(tmp_path: Path, keys: dict[str, str], level: str) -> None:
    with catalogue.open(tmp_path) as store:
        store.add_all(FILES[:60])
        ds = Dataset()
        for keyword, value in keys.items():
            if keyword.endswith("Sequence"):
                ds.add_new(tag_for_keyword(keyword) or 0, "SQ", [])
            else:
                setattr(ds, keyword, str(dcmread(FILES[0]).StudyInstanceUID) if value == "FIRST" else value)
        query = catalogue.compile_identifier(ds, level=level)
        rows = list(store.search(query))
        above = LEVELS[: LEVELS.index(level) + 1]
        names = [name for one in above for name in (*COLUMNS[one], *COUNTED[one])]
        assert [dict(zip(names, one, strict=True)) for one in store.values(query, names)] == [
            {name: row[name] for name in names} for row in rows
        ]
        supported = catalogue.Query(level, [term for term in query.terms if term.keyword in names])
        assert rows == [row for row in store.search(catalogue.Query(level)) if supported.matches(row)]
