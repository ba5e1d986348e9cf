"""What became of the instances of a store request: the Store Instances Response Module (PS3.18 Annex I)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote

from dicomcore.forms import from_json
from dicomcore.web.media import JSON, XML
from dicomcore.web.requests import Reply
from dicomcore.web.rows import attribute_json
from dicomcore.web.xml import xml_reply

__all__ = ["Failure", "Outcomes"]

MOST_TEXT = 64  # characters of Error Comment (0000,0902 is LO)


class Failure(NamedTuple):
    """An instance that was not stored: the reason as a status of PS3.18 Table I.2-2, and in words."""

    reason: int
    text: str
    sop_class: str = ""
    sop_instance: str = ""


@dataclass(slots=True)
class Outcomes:
    """Instances that were stored, with their warnings; those that were not; and parts that were none.

    `resource` is that of instances that belong to no patient, "" for those that do.
    """

    resource: str = ""
    stored: list[tuple[dict[str, str], int]] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    others: list[Failure] = field(default_factory=list)
    actions: dict[str, str] = field(default_factory=dict)
    """What an audit trail calls what became of stored instances, by UID: see `catalogue.Received.action`."""

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing to store."""
        return not (self.stored or self.failed or self.others)

    @property
    def status(self) -> int:
        """200 if all is stored, 202 if some is or with warnings, else 409."""
        if not self.stored:
            return 409
        return 202 if self.failed or self.others or any(warning for _, warning in self.stored) else 200

    def reply(self, base: str, form: str, study: str = "") -> Reply:
        """The answer."""
        text = "{" + ",".join(attribute_json(name, value) for name, value in self._model(base, study).items()) + "}"
        if form == XML:
            return xml_reply(from_json(text), self.status)
        return Reply(self.status, JSON, text.encode())

    def _model(self, base: str, study: str) -> dict[str, Any]:
        """The attributes, in the order of their tags. UIDs stand as they came, whatever they are."""
        studies = {identity["StudyInstanceUID"] for identity, _ in self.stored}
        single = study or (next(iter(studies)) if len(studies) == 1 else "")
        made: dict[str, Any] = {"RetrieveURL": ""}
        if self.resource and self.stored:
            made["RetrieveURL"] = f"{base}/{self.resource}"
        elif single and self.stored:
            made["RetrieveURL"] = f"{base}/studies/{quote(single, safe='')}"
        if self.failed:
            made["FailedSOPSequence"] = [_failed(one) for one in self.failed]
        if self.stored:
            made["ReferencedSOPSequence"] = [_stored(base, self.resource, *one) for one in self.stored]
        if self.others:
            made["OtherFailuresSequence"] = [_failed(one) for one in self.others]
        return made


def _stored(base: str, resource: str, identity: dict[str, str], warning: int) -> dict[str, str]:
    study, series, instance = (
        quote(identity[name], safe="") for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    )
    place = f"{resource}/{instance}" if resource else f"studies/{study}/series/{series}/instances/{instance}"
    item = {
        "ReferencedSOPClassUID": identity["SOPClassUID"],
        "ReferencedSOPInstanceUID": identity["SOPInstanceUID"],
        "RetrieveURL": f"{base}/{place}",
    }
    return item | ({"WarningReason": str(warning)} if warning else {})


def _failed(failure: Failure) -> dict[str, str]:
    item = {"FailureReason": str(failure.reason), "ErrorComment": failure.text[:MOST_TEXT]}
    if failure.sop_instance:
        item |= {"ReferencedSOPClassUID": failure.sop_class, "ReferencedSOPInstanceUID": failure.sop_instance}
    return item
