"""Audit messages: the XML of PS3.15 A.5.1, and the same as a line of JSON."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from xml.etree import ElementTree as ET

from dicomcore.audit.codes import Code
from dicomcore.audit.events import Event, Object, Party, Study

__all__ = ["Source", "as_json", "as_xml"]

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
NAME, ADDRESS = "1", "2"  # NetworkAccessPointTypeCode


@dataclass(frozen=True, slots=True)
class Source:
    """Who reports (AuditSourceIdentification): a name that is unique at its site, and what it is (A.5.1.2.1)."""

    id: str
    site: str = ""
    type: str = "4"  # an application server


def as_xml(event: Event, source: Source) -> bytes:
    """The message of an event, in UTF-8, without an XML declaration."""
    root = ET.Element("AuditMessage")
    about = _element(root, "EventIdentification", {
        "EventActionCode": event.action_code,
        "EventDateTime": event.time.isoformat(),
        "EventOutcomeIndicator": str(event.outcome),
    })  # fmt: skip
    _coded(about, "EventID", event.id)
    if event.type_code is not None:
        _coded(about, "EventTypeCode", event.type_code)
    if event.reason:
        _text(about, "EventOutcomeDescription", event.reason)
    for party, role in event.participants():
        _participant(root, party, role)
    _source(root, source)
    for one in event.objects():
        _object(root, one)
    return ET.tostring(root, encoding="utf-8", xml_declaration=False)


def _clean(text: str) -> str:
    """A text without the characters that XML cannot hold: values of peers may have any."""
    return FORBIDDEN.sub("\ufffd", text)


def _element(parent: ET.Element, name: str, attributes: Mapping[str, str]) -> ET.Element:
    return ET.SubElement(parent, name, {key: _clean(value) for key, value in attributes.items()})


def _text(parent: ET.Element, name: str, text: str) -> None:
    _element(parent, name, {}).text = _clean(text)


def _coded(parent: ET.Element, name: str, code: Code) -> None:
    _element(parent, name, {"csd-code": code.value, "codeSystemName": code.scheme, "originalText": code.meaning})


def _participant(root: ET.Element, party: Party, role: Code | None) -> None:
    attributes = {
        "UserID": party.user or ";".join(party.titles) or party.host,
        "UserIsRequestor": "true" if party.is_requestor else "false",
    }
    if party.titles:
        attributes["AlternativeUserID"] = f"AETITLES={';'.join(party.titles)}"
    if party.name:
        attributes["UserName"] = party.name
    if party.host:
        attributes["NetworkAccessPointID"] = party.host
        attributes["NetworkAccessPointTypeCode"] = ADDRESS if _is_address(party.host) else NAME
    made = _element(root, "ActiveParticipant", attributes)
    if role is not None:
        _coded(made, "RoleIDCode", role)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _source(root: ET.Element, source: Source) -> None:
    attributes = {"AuditSourceID": source.id}
    if source.site:
        attributes["AuditEnterpriseSiteID"] = source.site
    made = _element(root, "AuditSourceIdentification", attributes)
    if source.type:
        _element(made, "AuditSourceTypeCode", {"csd-code": source.type})


def _object(root: ET.Element, one: Object) -> None:
    attributes = {"ParticipantObjectID": one.id, "ParticipantObjectTypeCode": str(one.type)}
    if one.role is not None:
        attributes["ParticipantObjectTypeCodeRole"] = str(one.role)
    made = _element(root, "ParticipantObjectIdentification", attributes)
    _coded(made, "ParticipantObjectIDTypeCode", one.id_type)
    if one.query is None:
        _text(made, "ParticipantObjectName", one.name)
    else:
        _text(made, "ParticipantObjectQuery", b64encode(one.query).decode())
    for kind, value in one.details:
        _element(made, "ParticipantObjectDetail", {"type": kind, "value": b64encode(value).decode()})
    if one.study is not None:
        _described(made, one.study)


def _described(parent: ET.Element, study: Study) -> None:
    if not study.accession and not study.instances:
        return
    made = _element(parent, "ParticipantObjectDescription", {})
    if study.accession:
        _element(made, "Accession", {"Number": study.accession})
    for one in study.instances:
        attributes = {"UID": one.sop_class} if one.sop_class else {}
        counted = _element(made, "SOPClass", attributes | {"NumberOfInstances": str(one.number)})
        for uid in one.uids:
            _element(counted, "Instance", {"UID": uid})


def as_json(event: Event, source: Source) -> bytes:
    """The message of an event as one line of JSON in ASCII, which a line feed ends.

    The names are those of the message's elements and attributes; bytes stand in base64. What is empty is left out.
    """
    model: dict[str, Any] = {
        "event": event.id.meaning,
        "type": event.type_code.meaning if event.type_code is not None else "",
        "time": event.time.isoformat(),
        "outcome": event.outcome,
        "reason": event.reason,
        "action": event.action_code,
        "source": source.id,
        "site": source.site,
        "participants": [_party(party, role) for party, role in event.participants()],
        "objects": [_about(one) for one in event.objects()],
    }
    return json.dumps(_filled(model, keep=("outcome",))).encode() + b"\n"


def _filled(model: Mapping[str, Any], *, keep: tuple[str, ...] = ()) -> dict[str, Any]:
    return {key: value for key, value in model.items() if value or key in keep}


def _party(party: Party, role: Code | None) -> dict[str, Any]:
    made = party._asdict() | {"role": role.meaning if role is not None else ""}
    return _filled(made)


def _about(one: Object) -> dict[str, Any]:
    study = one.study
    made = {
        "id": one.id,
        "kind": one.id_type.meaning,
        "name": one.name,
        "query": b64encode(one.query).decode() if one.query is not None else "",
        "details": {kind: value.decode("utf-8", "replace") for kind, value in one.details},
        "accession": study.accession if study is not None else "",
        "instances": [_filled(counted._asdict()) for counted in study.instances] if study is not None else [],
    }
    return _filled(made, keep=("id",))
