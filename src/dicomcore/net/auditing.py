"""What a server tells an audit trail (PS3.15 A.5): who came, what was asked for, and what was transferred."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicomcore import audit
from dicomcore.audit import codes
from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.net.commands import Field, Kind
from dicomcore.net.instances import Instance
from dicomcore.net.statuses import Status, status_of
from dicomcore.part10.reader import dcmread

if TYPE_CHECKING:
    from dicomcore.net.items import Identity
    from dicomcore.net.pdu import Request as AssociateRequest
    from dicomcore.net.requests import Peer, Request
    from dicomcore.net.storing import Stored

__all__ = ["Auditor", "Transfer", "party_at", "party_of", "subject_of", "user_of"]

STORED = ("success", "warning")
WANTED = ("StudyInstanceUID", "PatientID", "PatientName", "AccessionNumber", "StudyDescription")


def user_of(principal: Any) -> str:
    """The name of a user, as `authenticate` and `auth` functions give one; "" for one that has none."""
    if isinstance(principal, str):
        return principal
    for name in ("username", "user_id", "display_name", "name"):
        found = getattr(principal, name, None)
        if isinstance(found, str) and found:
            return found
    return ""


def party_of(peer: Peer) -> audit.Party:
    """A peer as a participant, which asks for what happens."""
    return audit.Party(user_of(peer.principal) or peer.calling, (peer.calling,), host=peer.host, is_requestor=True)


def subject_of(source: Any) -> audit.Subject:
    """The study and the patient of an instance: a data set, or the path of its file. Empty for what cannot be read."""
    try:
        ds = source if isinstance(source, Dataset) else dcmread(source, specific_tags=WANTED)
        values = [str(ds.get(name) or "").strip() for name in WANTED]
    except (DicomError, OSError, ValueError):
        return audit.Subject()
    return audit.Subject(values[0], audit.Patient(values[1], values[2]), values[3], values[4])


class Auditor:
    """Tells a hook of the events of one server."""

    def __init__(self, hook: audit.Hook, titles: Iterable[str]) -> None:
        self.hook = hook
        self.own = audit.this_process(*sorted(titles))
        self.gathered = audit.Gatherer(hook)
        self._repeats = audit.Repeats(hook)

    def tell(self, event: audit.Event) -> None:
        """Tell the hook of an event."""
        audit.tell(self.hook, event)

    # -- the node

    def entered(self) -> None:
        """The server listens."""
        self.tell(audit.NetworkEntry(node=self.own))

    def left(self) -> None:
        """The server has ended."""
        self.gathered.close()
        self.tell(audit.NetworkEntry(node=self.own, is_attached=False))

    # -- associations

    def refused(self, host: str, title: str, why: str) -> None:
        """A node was not taken for what it says it is, or has no business here."""
        performer = audit.Party(title or host, (title,) if title else (), host=host)
        self._repeats.tell(audit.refusal(codes.NODE_AUTHENTICATION, self.own, performer, why))

    def denied(self, host: str, request: AssociateRequest) -> None:
        """A user was not let in."""
        user = audit.Party(_claimed(request.user.identity), (request.calling,), host=host, is_requestor=True)
        self._repeats.tell(
            audit.UserAuthentication(user=user, node=self.own, outcome=audit.MINOR, reason="the user is not known")
        )

    def associated(self, peer: Peer) -> None:
        """An association has begun."""
        if peer.principal is not None:
            self.tell(audit.UserAuthentication(user=party_of(peer), node=self.own))

    def ended(self, peer: Peer) -> None:
        """An association has ended."""
        self.gathered.flush(peer.number)
        if peer.principal is not None:
            self.tell(audit.UserAuthentication(user=party_of(peer), node=self.own, is_login=False))

    # -- requests

    def answered(self, request: Request, status: int, values: Mapping[int, Any] | None) -> None:
        """A request has its last response."""
        if request.command.kind == Kind.C_FIND:
            self._queried(request, status)
        elif request.subject is not None:
            self.stored(
                request.peer,
                request.subject,
                request.sop_class,
                request.sop_instance,
                status,
                action=request.action,
                comment=str((values or {}).get(Field.ERROR_COMMENT) or ""),
            )

    def subject(self, request: Request) -> audit.Subject:
        """Whose instance a C-STORE brings."""
        try:
            return subject_of(request.dataset)
        except (DicomError, OSError):
            return audit.Subject()

    def subjects(self, paths: Iterable[str]) -> list[audit.Subject]:
        """Whose instances files hold."""
        return [subject_of(path) for path in paths]

    def kept(self, peer: Peer, stored: Stored) -> None:
        """An instance has come into a folder, or was not taken."""
        subject = audit.Subject() if stored.path is None else subject_of(stored.path)
        self.stored(
            peer,
            subject,
            stored.sop_class,
            stored.sop_instance,
            stored.status,
            action="C" if stored.is_new else "R",
            comment=stored.comment,
        )

    def _queried(self, request: Request, status: int) -> None:
        is_done = status_of(status).category in (*STORED, "cancel")
        context = request.context
        self.tell(
            audit.Query(
                source=party_of(request.peer),
                destination=self.own,
                query=request.encoded,
                sop_class=context.abstract_syntax,
                transfer_syntax=context.transfer_syntax,
                outcome=audit.SUCCESS if is_done else audit.FAILURE,
                reason="" if is_done else Status(status).text,
            )
        )

    def stored(
        self,
        peer: Peer,
        subject: audit.Subject,
        sop_class: str,
        sop_instance: str,
        status: int,
        *,
        action: str = "C",
        comment: str = "",
    ) -> None:
        """An instance has come by C-STORE; told with the others of its association and patient."""
        is_stored = status_of(status).category in STORED
        event = audit.InstancesTransferred(
            source=party_of(peer),
            destination=self.own,
            action=action if is_stored else "R",
            outcome=audit.SUCCESS if is_stored else audit.MINOR,
            reason="" if is_stored else comment or Status(status).text,
        )
        self.gathered.add(event, subject, sop_class, sop_instance, owner=peer.number)

    def retrieved(self, request: Request, sources: Sequence[Any], destination: str | None) -> Transfer:
        """Instances are about to be sent for a C-MOVE to a destination, or for a C-GET if that is None."""
        asking = party_of(request.peer)
        if destination is None:
            return Transfer(self.hook, self.own, asking, sources)
        return Transfer(self.hook, self.own, party_at(destination), sources, (asking,))


def _claimed(identity: Identity | None) -> str:
    """Who a user says to be. What else there is proves it, and is a secret."""
    if identity is None or identity.kind not in (1, 2):  # a user name, alone or with a passcode (PS3.7 D.3.3.7)
        return ""
    return bytes(identity.primary).decode("utf-8", "replace")


def party_at(address: str) -> audit.Party:
    """A node as a participant, by its ``AET@host:port``."""
    title, _, place = address.rpartition("@")
    return audit.Party(title, (title,), host=place.rpartition(":")[0].strip("[]"))


class Transfer:
    """Instances that are sent together: told when that begins, and when it has ended."""

    def __init__(
        self,
        hook: audit.Hook,
        source: audit.Party,
        destination: audit.Party,
        sources: Sequence[Any],
        others: tuple[audit.Party, ...] = (),
    ) -> None:
        self._hook = hook
        self._parties: dict[str, Any] = {"source": source, "destination": destination, "others": others}
        self._instances = [_identified(one) for one in sources]
        gathered = audit.Gatherer(hook)
        event = audit.BeginTransferring(**self._parties)
        for subject, sop_class, uid in self._instances:
            gathered.add(event, subject, sop_class, uid)
        gathered.close()

    def over(self, stored: Collection[str]) -> None:
        """It has ended; `stored` are the UIDs of the instances that have arrived."""
        gathered = audit.Gatherer(self._hook)
        arrived = audit.InstancesTransferred(**self._parties)
        failed = replace(arrived, outcome=audit.MINOR, reason="the instances were not stored")
        for subject, sop_class, uid in self._instances:
            gathered.add(arrived if uid in stored else failed, subject, sop_class, uid)
        gathered.close()


def _identified(source: Any) -> tuple[audit.Subject, str, str]:
    """Subject, SOP class and instance of what is sent: a path, a data set, or an instance that is open."""
    kept = source.source if isinstance(source, Instance) else source
    try:
        ds = kept if isinstance(kept, Dataset) else dcmread(kept, stop_before_pixels=True)
        return subject_of(ds), str(ds.get("SOPClassUID") or ""), str(ds.get("SOPInstanceUID") or "")
    except (DicomError, OSError):
        return audit.Subject(), "", ""
