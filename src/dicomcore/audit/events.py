"""What is audited (PS3.15 A.5.3): a dataclass for each kind of event, with its participants and objects."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar, NamedTuple

from dicomcore.audit import codes
from dicomcore.audit.codes import Code

__all__ = [
    "FAILURE",
    "MAJOR",
    "MINOR",
    "SUCCESS",
    "ApplicationActivity",
    "BeginTransferring",
    "Event",
    "Instances",
    "InstancesAccessed",
    "InstancesTransferred",
    "NetworkEntry",
    "Object",
    "Party",
    "Patient",
    "Query",
    "SecurityAlert",
    "Study",
    "StudyDeleted",
    "UserAuthentication",
    "refusal",
    "this_process",
]

SUCCESS, MINOR, FAILURE, MAJOR = 0, 4, 8, 12
PERSON, SYSTEM_OBJECT = 1, 2  # ParticipantObjectTypeCode
AS_PATIENT, AS_REPORT, AS_RESOURCE = 1, 3, 13  # ParticipantObjectTypeCodeRole (A.5.1.2.2)


def refusal(kind: Code, reporter: Party, performer: Party, why: str) -> SecurityAlert:
    """The alert of somebody who was refused, and of whose node it is about."""
    return SecurityAlert(
        kind=kind, outcome=MINOR, reporter=reporter, performer=performer, subject=performer.host, description=why
    )


def _now() -> datetime:
    return datetime.now(UTC)


class Party(NamedTuple):
    """Who takes part: a person, a process or a node (A.5.2).

    `user` is the login of a person or the number of a process, `titles` are AE titles, `host` is an address or a name.
    """

    user: str = ""
    titles: tuple[str, ...] = ()
    name: str = ""
    host: str = ""
    is_requestor: bool = False


def this_process(*titles: str, is_requestor: bool = False) -> Party:
    """This process as a participant, under its AE titles."""
    return Party(str(os.getpid()), titles, "dicomcore", _host(), is_requestor)


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname()


class Patient(NamedTuple):
    """A patient; each is empty where it is not known."""

    id: str = ""
    name: str = ""


class Instances(NamedTuple):
    """Instances of a SOP class: how many, and which, if these are told."""

    sop_class: str
    number: int
    uids: tuple[str, ...] = ()


class Study(NamedTuple):
    """A study, and those of its instances that an event is about."""

    uid: str
    instances: tuple[Instances, ...] = ()
    accession: str = ""
    description: str = ""


class Object(NamedTuple):
    """What an event is about, in the words of the message (ParticipantObjectIdentification)."""

    id: str
    id_type: Code
    type: int
    role: int | None = None
    name: str = ""
    query: bytes | None = None
    details: tuple[tuple[str, bytes], ...] = ()
    study: Study | None = None


UNKNOWN = Patient()
Participants = Iterator[tuple[Party, Code | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event. `outcome` is 0 for a success, 4, 8 or 12 for a minor, serious or major failure; `reason` says why."""

    id: ClassVar[Code]
    outcome: int = SUCCESS
    reason: str = ""
    time: datetime = field(default_factory=_now, compare=False)

    @property
    def action_code(self) -> str:
        """Create, read, update, delete or execute, by its first letter."""
        return "E"

    @property
    def type_code(self) -> Code | None:
        """What kind of such an event it is."""
        return None

    def participants(self) -> Participants:
        """Who takes part, in which role."""
        raise NotImplementedError

    def objects(self) -> Iterator[Object]:
        """What it is about."""
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationActivity(Event):
    """An application starts or stops (A.5.3.1)."""

    id: ClassVar[Code] = codes.ACTIVITY
    application: Party
    launcher: Party | None = None
    is_start: bool = True

    @property
    def type_code(self) -> Code | None:
        return codes.START if self.is_start else codes.STOP

    def participants(self) -> Participants:
        yield self.application, codes.APPLICATION
        if self.launcher is not None:
            yield self.launcher, codes.LAUNCHER


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkEntry(Event):
    """A node begins or ends to serve on the network (A.5.3.9)."""

    id: ClassVar[Code] = codes.NETWORK
    node: Party
    is_attached: bool = True

    @property
    def type_code(self) -> Code | None:
        return codes.ATTACH if self.is_attached else codes.DETACH

    def participants(self) -> Participants:
        yield self.node, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Event):
    """A query (A.5.3.10): a C-FIND identifier as it was encoded, or the path and parameters of a request of PS3.18.

    `sop_class` and `transfer_syntax` are those of a C-FIND, and empty for a request.
    """

    id: ClassVar[Code] = codes.QUERY
    source: Party
    destination: Party
    query: bytes
    sop_class: str = ""
    transfer_syntax: str = ""
    resource: str = ""

    def participants(self) -> Participants:
        yield self.source, codes.SOURCE
        yield self.destination, codes.DESTINATION

    def objects(self) -> Iterator[Object]:
        if self.sop_class:
            syntax = (("TransferSyntax", self.transfer_syntax.encode()),)
            yield Object(self.sop_class, codes.SOP_CLASS_UID, SYSTEM_OBJECT, AS_REPORT, "", self.query, syntax)
        else:
            yield Object(self.resource, codes.SEARCH_CRITERIA, SYSTEM_OBJECT, AS_REPORT, "", self.query)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfPatient(Event):
    """An event about studies of one patient."""

    studies: tuple[Study, ...] = ()
    patient: Patient = UNKNOWN

    def objects(self) -> Iterator[Object]:
        for one in self.studies:
            name = one.description or one.accession or one.uid
            yield Object(one.uid, codes.STUDY_UID, SYSTEM_OBJECT, AS_REPORT, name, study=one)
        yield Object(self.patient.id, codes.PATIENT_NUMBER, PERSON, AS_PATIENT, self.patient.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Transfer(_OfPatient):
    """Instances go from one node to another. `others` are third parties, such as who asked for it."""

    source: Party
    destination: Party
    others: tuple[Party, ...] = ()

    def participants(self) -> Participants:
        yield self.source, codes.SOURCE
        yield self.destination, codes.DESTINATION
        for one in self.others:
            yield one, None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Access(_OfPatient):
    """Something is done to what a node holds."""

    parties: tuple[Party, ...]

    def participants(self) -> Participants:
        for one in self.parties:
            yield one, None


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginTransferring(_Transfer):
    """Instances of a patient are about to be sent (A.5.3.3). `others` are third parties, such as who asked for it."""

    id: ClassVar[Code] = codes.BEGIN


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancesTransferred(_Transfer):
    """Instances of a patient were sent and received (A.5.3.7).

    `action` is "C" if the receiver did not have them, "U" if they replace what it had, "R" if it had them already, and
    where the sender, which does not know, reports.
    """

    id: ClassVar[Code] = codes.TRANSFERRED
    action: str = "R"

    @property
    def action_code(self) -> str:
        return self.action


@dataclass(frozen=True, slots=True, kw_only=True)
class InstancesAccessed(_Access):
    """Instances of a patient were looked at ("R"), changed ("U") or deleted ("D") (A.5.3.6)."""

    id: ClassVar[Code] = codes.ACCESSED
    action: str = "R"

    @property
    def action_code(self) -> str:
        return self.action


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyDeleted(_Access):
    """Whole studies of a patient were deleted (A.5.3.8)."""

    id: ClassVar[Code] = codes.DELETED

    @property
    def action_code(self) -> str:
        return "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityAlert(Event):
    """Something that whoever looks after security should know (A.5.3.11).

    `kind` is one of CID 403, `subject` the node it is about, or a URI if `is_uri`.
    """

    id: ClassVar[Code] = codes.ALERT
    kind: Code
    reporter: Party
    performer: Party | None = None
    subject: str = ""
    is_uri: bool = False
    description: str = ""

    @property
    def type_code(self) -> Code | None:
        return self.kind

    def participants(self) -> Participants:
        yield self.reporter, None
        if self.performer is not None:
            yield self.performer._replace(is_requestor=False), None

    def objects(self) -> Iterator[Object]:
        if self.subject:
            kind, name = codes.URI if self.is_uri else codes.NODE_ID, self.subject
            described = (("Alert Description", self.description.encode()),)
            yield Object(self.subject, kind, SYSTEM_OBJECT, AS_RESOURCE, name, None, described)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAuthentication(Event):
    """A user logged in or out, or tried to (A.5.3.12)."""

    id: ClassVar[Code] = codes.AUTHENTICATION
    user: Party
    node: Party | None = None
    is_login: bool = True

    @property
    def type_code(self) -> Code | None:
        return codes.LOGIN if self.is_login else codes.LOGOUT

    def participants(self) -> Participants:
        yield self.user, None
        if self.node is not None:
            yield self.node, None
