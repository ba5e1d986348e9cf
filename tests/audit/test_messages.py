"""Audit messages beside PS3.15 A.5: the schema of A.5.1, and the fields and codes that A.5.3 asks of each event."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomcore import audit
from tests.audit.events import ABOUT, EVENTS, NODE, PATIENT, PEER
from tests.support.standard import ABSENT, load

SOURCE = audit.Source("PACS", "Hospital")
CODED = frozenset({"EventID", "EventTypeCode", "RoleIDCode", "ParticipantObjectIDTypeCode"})
needs_standard = pytest.mark.skipif(bool(ABSENT), reason=ABSENT or "")


def read(event: audit.Event) -> ET.Element:
    return ET.fromstring(audit.as_xml(event, SOURCE))


@pytest.fixture(scope="module")
def standard() -> dict[str, Any]:
    return load("audit")


def allowed(times: str, count: int) -> bool:
    """Whether so many fit a number of the schema."""
    least, _, most = times.partition(",")[0].partition("-")
    if " or " in times:
        return count <= 1
    return count >= int(least) and (most == "n" or count <= int(most or least))


@needs_standard
@pytest.mark.parametrize("name", EVENTS)
def test_schema(standard: dict[str, Any], name: str) -> None:
    children: dict[str, dict[str, str]] = {}
    attributes: dict[str, dict[str, str]] = {}
    for element, what, of, times in standard["structure"]:
        where = attributes if what.startswith("attribute") else children
        where.setdefault(element, {})[of.removesuffix(" (base64)")] = times
    values = {name: {value for value, _ in rows} for name, rows in standard["value_sets"].items()}
    for element in read(EVENTS[name][1]).iter():
        kind = "coded value" if element.tag in CODED else element.tag
        if kind == "AuditSourceTypeCode":
            assert element.attrib["csd-code"] in values[kind]
            continue
        may = {key.removesuffix(" (base64)"): times for key, times in attributes.get(kind, {}).items()}
        assert set(element.attrib) <= set(may), element.tag
        assert all(allowed(times, key in element.attrib) for key, times in may.items()), element.tag
        counts = Counter(child.tag for child in element)
        assert set(counts) <= set(children.get(kind, {})), element.tag
        assert all(allowed(times, counts[key]) for key, times in children.get(kind, {}).items()), element.tag
        for key, value in element.attrib.items():
            assert key not in values or value in values[key], (key, value)
    for one in read(EVENTS[name][1]).iter("ParticipantObjectIdentification"):
        assert (one.find("ParticipantObjectName") is None) != (one.find("ParticipantObjectQuery") is None)


def value(element: ET.Element, field: str) -> str | None:
    """A field of a row of A.5.3: an attribute, the code of a child, or its text."""
    if field in element.attrib:
        return element.attrib[field]
    child = element.find(field)
    if child is None:
        return None
    return child.attrib.get("csd-code", child.text or child.attrib.get("value", ""))


def fits(element: ET.Element, rows: list[list[Any]]) -> bool:
    """Whether an element has what rows ask for."""
    for _, _, _, _, field, optionality, constraint in rows:
        found = value(element, field)
        if field == "ParticipantObjectDetail" and value(element, "ParticipantObjectIDTypeCode") == "10":
            continue  # a query that is no C-FIND has no transfer syntax
        if optionality == "M" and found is None:
            return False
        if (
            found is None
            or not constraint
            or (element.tag == "ParticipantObjectIdentification" and field.endswith(("ObjectID", "Query", "Detail")))
        ):
            continue
        terms = {code[2] for code in constraint.get("codes", ())} | set(constraint.get("values", ()))
        free = any(code[0] == "DT" for code in constraint.get("codes", ()))
        if terms and found not in terms and not (free and field == "ParticipantObjectIDTypeCode"):
            return False
    return True


@needs_standard
@pytest.mark.parametrize("name", EVENTS)
def test_fields(standard: dict[str, Any], name: str) -> None:
    clause, event = EVENTS[name]
    rows: dict[tuple[str, str | None, str | None], list[list[Any]]] = {}
    for row in standard["fields"]:
        if row[0] == clause:
            rows.setdefault((row[1], row[2], row[3]), []).append(row)
    message = read(event)
    for (entity, _, times), asked in rows.items():
        found = [one for one in message.findall(entity) if fits(one, asked)]
        assert len(found) >= int((times or "1")[0]), (entity, times)
    for entity in ("ActiveParticipant", "ParticipantObjectIdentification"):
        asked_of = [asked for key, asked in rows.items() if key[0] == entity]
        assert all(any(fits(one, asked) for asked in asked_of) for one in message.findall(entity)), entity


def test_what_it_says() -> None:
    message = read(EVENTS["transferred"][1])
    patient = message.findall("ParticipantObjectIdentification")[-1]
    assert patient.get("ParticipantObjectID") == PATIENT.id
    assert patient.findtext("ParticipantObjectName") == PATIENT.name
    peer, node = message.findall("ActiveParticipant")
    assert (peer.get("AlternativeUserID"), node.get("AlternativeUserID")) == ("AETITLES=VIEWER", "AETITLES=PACS;OLD")
    assert (peer.get("NetworkAccessPointTypeCode"), node.get("NetworkAccessPointTypeCode")) == ("2", "1")
    counts = [(one.get("NumberOfInstances"), len(one)) for one in message.iter("SOPClass")]
    assert counts == [("2", 2), ("300", 0)]
    query = read(EVENTS["C-FIND"][1]).find("ParticipantObjectIdentification")
    assert query is not None
    assert b64decode(query.findtext("ParticipantObjectQuery") or "") == b"\x08\x00\x52\x00CS\x06\x00STUDY "
    detail = query.find("ParticipantObjectDetail")
    assert detail is not None
    assert b64decode(detail.get("value") or "") == b"1.2.840.10008.1.2.1"


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_peers_send_is_a_message(name: str, identifier: str) -> None:
    event = replace(EVENTS["transferred"][1], patient=audit.Patient(identifier, name), reason=name)  # type: ignore[call-arg]
    assert read(event).tag == "AuditMessage"
    line = audit.as_json(event, SOURCE)
    assert line.count(b"\n") == 1
    assert line.isascii()
    said = json.loads(line)
    assert said["objects"][-1].get("name", "") == name
    assert said["objects"][-1]["id"] == identifier


@pytest.mark.parametrize("name", EVENTS)
def test_lines_say_the_same(name: str) -> None:
    event = EVENTS[name][1]
    said, message = json.loads(audit.as_json(event, SOURCE)), read(event)
    coded = message.find("EventIdentification/EventID")
    assert coded is not None
    assert said["event"] == coded.get("originalText")
    assert said["time"] == message.find("EventIdentification").get("EventDateTime")  # type: ignore[union-attr]
    assert [one["id"] for one in said.get("objects", [])] == [
        one.get("ParticipantObjectID") for one in message.findall("ParticipantObjectIdentification")
    ]
    assert [one.get("is_requestor", False) for one in said["participants"]] == [
        one.get("UserIsRequestor") == "true" for one in message.findall("ActiveParticipant")
    ]


def test_events_are_alike_whenever_they_are() -> None:
    one, two = (audit.StudyDeleted(parties=(PEER, NODE), **ABOUT) for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
