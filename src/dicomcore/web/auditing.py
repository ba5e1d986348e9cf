"""What a web service tells an audit trail (PS3.15 A.5): the same events as the DIMSE services, of requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicomcore import audit
from dicomcore.audit import codes
from dicomcore.catalogue import Catalogue, query
from dicomcore.net.auditing import user_of
from dicomcore.web.caches import Bounded
from dicomcore.web.requests import Request, forwarded_for
from dicomcore.web.routes import VIEWS, Target

if TYPE_CHECKING:
    from dicomcore.web.outcomes import Outcomes
    from dicomcore.web.problems import Problem

__all__ = ["WebAuditor"]

HOUR = 3600.0
MOST_SUBJECTS = 4096
LOOKED_AT = VIEWS | {"frames"}
ABSENT = frozenset({400, 401, 403, 404, 405, 406, 410, 412, 413, 415, 416, 421, 431, 501, 503})
"""Statuses of requests that nothing was done for."""
NO_USER, NOT_ALLOWED, OTHER_NAME = 401, 403, 421
BROKEN_OFF = 499


class WebAuditor:
    """Tells a hook of the events of one application."""

    def __init__(self, hook: audit.Hook, catalogue: Catalogue) -> None:
        self._hook, self._catalogue = hook, catalogue
        self.own = audit.this_process()
        self._gathered = audit.Gatherer(hook)
        self._alerts, self._users = audit.Repeats(hook), audit.Repeats(hook, seconds=HOUR)
        self._subjects: Bounded[tuple[int, audit.Subject]] = Bounded(MOST_SUBJECTS)

    def close(self) -> None:
        """Tell what is left."""
        self._gathered.close()

    # -- who comes

    def party(self, request: Request) -> audit.Party:
        """Who sends a request."""
        host = forwarded_for(request) if request.node.proxied else ""
        host = host or str((request.scope.get("client") or ("",))[0])
        return audit.Party(user_of(request.user) or host, host=host, is_requestor=True)

    def admitted(self, request: Request) -> None:
        """A user was let in; told once an hour for each, since every request says who sends it."""
        self._users.tell(audit.UserAuthentication(user=self.party(request), node=self.own))

    def refused(self, request: Request, problem: Problem) -> None:
        """A request was answered with a problem."""
        party = self.party(request)
        if problem.status == NO_USER:
            self._alerts.tell(
                audit.UserAuthentication(user=party, node=self.own, outcome=audit.MINOR, reason=problem.text)
            )
        elif problem.status in (NOT_ALLOWED, OTHER_NAME):
            self._alerts.tell(audit.refusal(codes.RESTRICTED_FUNCTION, self.own, party, problem.text))

    # -- what is done

    async def answered(self, request: Request, target: Target, status: int) -> None:
        """A request was answered. What there is to look up is looked up in a thread."""
        if request.method not in ("GET", "POST") or status in ABSENT or not status:
            return
        if target.kind in LOOKED_AT and self._held(target.study) is not None:
            self._viewed(request, target, status)
        elif target.kind in LOOKED_AT or target.kind in ("search", "retrieve", "wado", "root", "workitems"):
            await request.node.work(self._answered, request, target, status)

    def _answered(self, request: Request, target: Target, status: int) -> None:
        if request.outcomes is not None:
            self._stored(request, request.outcomes)
        elif request.method != "GET":
            return
        elif target.kind == "search" or (target.kind == "workitems" and not target.rest):
            self._searched(request, status)
        elif target.kind == "retrieve":
            self._sent(request, target, status)
        elif target.kind in LOOKED_AT:
            self._viewed(request, target, status)
        elif request.parameter("objectUID"):
            self._by_uri(request, status)

    def _searched(self, request: Request, status: int) -> None:
        asked = request.scope.get("query_string", b"")
        audit.tell(
            self._hook,
            audit.Query(
                source=self.party(request),
                destination=self.own,
                query=bytes(asked),
                resource="/" + "/".join(request.path),
                **_outcome(status),
            ),
        )

    def _viewed(self, request: Request, target: Target, status: int) -> None:
        event = audit.InstancesAccessed(parties=(self.party(request),), **_outcome(status))
        self._gathered.add(event, self.subject(target.study))

    def _sent(self, request: Request, target: Target, status: int) -> None:
        event = audit.InstancesTransferred(source=self.own, destination=self.party(request), **_outcome(status))
        for entry in self._catalogue.instances(**target.uids):
            self._gathered.add(event, self.subject(entry.study), entry.sop_class, entry.sop_instance)

    def _by_uri(self, request: Request, status: int) -> None:
        study, series, instance = (request.parameter(name) or "" for name in ("studyUID", "seriesUID", "objectUID"))
        target = Target("wado", study, series, instance)
        if request.parameter("contentType") == "application/dicom":
            self._sent(request, target, status)
        else:
            self._viewed(request, target, status)

    def _stored(self, request: Request, outcomes: Outcomes) -> None:
        source = self.party(request)
        for identity, _ in outcomes.stored:
            uid = identity["SOPInstanceUID"]
            event = audit.InstancesTransferred(
                source=source, destination=self.own, action=outcomes.actions.get(uid, "C")
            )
            self._gathered.add(event, self.subject(identity["StudyInstanceUID"]), identity["SOPClassUID"], uid)
        for failure in (*outcomes.failed, *outcomes.others):
            event = audit.InstancesTransferred(
                source=source, destination=self.own, outcome=audit.MINOR, reason=failure.text
            )
            self._gathered.add(event, audit.Subject(), failure.sop_class, failure.sop_instance)

    def deleted(self, request: Request, target: Target, subject: audit.Subject) -> None:
        """Instances of a study were deleted: a whole study, if nothing is left of it."""
        parties = (self.party(request),)
        study = audit.Study(subject.study, (), subject.accession, subject.description)
        kept = self._catalogue.instances(study=target.study)
        about: dict[str, Any] = {"parties": parties, "studies": (study,), "patient": subject.patient}
        event = audit.InstancesAccessed(action="D", **about) if kept else audit.StudyDeleted(**about)
        audit.tell(self._hook, event)

    def subject(self, study: str) -> audit.Subject:
        """A study and its patient, as the catalogue has them."""
        held, changed = self._held(study), self._catalogue.changed
        if held is not None:
            return held
        row = next(self._catalogue.search(query({"StudyInstanceUID": study}), limit=1), None) if study else None
        if row is None:
            return audit.Subject(study)
        patient = audit.Patient(_text(row, "PatientID"), _text(row, "PatientName"))
        made = audit.Subject(study, patient, _text(row, "AccessionNumber"), _text(row, "StudyDescription"))
        self._subjects.put(study, (changed, made))
        return made

    def _held(self, study: str) -> audit.Subject | None:
        """What was found before, if nothing has changed since."""
        found = self._subjects.get(study)
        return found[1] if found is not None and found[0] == self._catalogue.changed else None


def _text(row: dict[str, Any], name: str) -> str:
    return str(row.get(name) or "")


def _outcome(status: int) -> dict[str, Any]:
    """Outcome and reason of an event, by the status of an answer."""
    if status == BROKEN_OFF:
        return {"outcome": audit.MINOR, "reason": "the client left before the answer's end"}
    return {"outcome": audit.FAILURE, "reason": f"HTTP {status}"} if status >= 500 else {}
