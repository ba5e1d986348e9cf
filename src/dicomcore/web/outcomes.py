"""What became of the instances of a store request: the Store Instances Response Module (PS3.18 Annex I)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote

from dicomcore.dataset import Dataset
from dicomcore.forms import to_json
from dicomcore.web.media import JSON, XML
from dicomcore.web.requests import Reply
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
    """Instances that were stored, with their warnings; those that were not; and parts that were none."""

    stored: list[tuple[dict[str, str], int]] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    others: list[Failure] = field(default_factory=list)

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
        model = self._model(base, study)
        if form == XML:
            return xml_reply(model, self.status)
        return Reply(self.status, JSON, to_json(model).encode())

    def _model(self, base: str, study: str) -> Dataset:
        made = Dataset()
        studies = {identity["StudyInstanceUID"] for identity, _ in self.stored}
        single = study or (next(iter(studies)) if len(studies) == 1 else "")
        made.RetrieveURL = f"{base}/studies/{quote(single, safe='')}" if single and self.stored else None
        if self.failed:
            made.FailedSOPSequence = [_failed(one) for one in self.failed]
        if self.stored:
            made.ReferencedSOPSequence = [_stored(base, *one) for one in self.stored]
        if self.others:
            made.OtherFailuresSequence = [_failed(one) for one in self.others]
        return made


def _stored(base: str, identity: dict[str, str], warning: int) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = identity["SOPClassUID"]
    item.ReferencedSOPInstanceUID = identity["SOPInstanceUID"]
    study, series, instance = (
        quote(identity[name], safe="") for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    )
    item.RetrieveURL = f"{base}/studies/{study}/series/{series}/instances/{instance}"
    if warning:
        item.WarningReason = warning
    return item


def _failed(failure: Failure) -> Dataset:
    item = Dataset()
    if failure.sop_instance:
        item.ReferencedSOPClassUID = failure.sop_class or None
        item.ReferencedSOPInstanceUID = failure.sop_instance
    item.FailureReason = failure.reason
    item.ErrorComment = failure.text[:MOST_TEXT]
    return item
