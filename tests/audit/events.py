"""An event of each kind, with all that it can say, and a hook that keeps events."""

from __future__ import annotations

from typing import TypeVar

from dicomcore import audit
from dicomcore.audit import codes

CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
Kind = TypeVar("Kind", bound=audit.Event)


class Told(list[audit.Event]):
    """A hook that keeps events."""

    def __call__(self, event: audit.Event) -> None:
        self.append(event)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The events of a kind."""
        return [event for event in self if isinstance(event, kind)]


PEER = audit.Party("joe", ("VIEWER",), "Joe", "192.0.2.7", is_requestor=True)
NODE = audit.Party("4711", ("PACS", "OLD"), "dicomcore", "pacs.example")
OTHER = audit.Party("ct1", ("CT1",), host="2001:db8::1")
PATIENT = audit.Patient("4711 & <1>", 'Doe^Jane "J" äöü山田')
STUDIES = (
    audit.Study("1.2.3", (audit.Instances(CT, 2, ("1.2.3.1", "1.2.3.2")), audit.Instances(MR, 300)), "A1", "Thorax"),
    audit.Study("1.2.4"),
)
ABOUT = {"studies": STUDIES, "patient": PATIENT}

EVENTS: dict[str, tuple[str, audit.Event]] = {
    "start": ("A.5.3.1", audit.ApplicationActivity(application=NODE, launcher=PEER)),
    "stop": ("A.5.3.1", audit.ApplicationActivity(application=NODE, is_start=False)),
    "begin": ("A.5.3.3", audit.BeginTransferring(source=NODE, destination=OTHER, others=(PEER,), **ABOUT)),
    "accessed": ("A.5.3.6", audit.InstancesAccessed(parties=(PEER,), **ABOUT)),
    "some deleted": ("A.5.3.6", audit.InstancesAccessed(parties=(PEER, NODE), action="D", **ABOUT)),
    "transferred": ("A.5.3.7", audit.InstancesTransferred(source=PEER, destination=NODE, action="C", **ABOUT)),
    "not transferred": (
        "A.5.3.7",
        audit.InstancesTransferred(source=PEER, destination=NODE, outcome=audit.MINOR, reason="no room", **ABOUT),
    ),
    "study deleted": ("A.5.3.8", audit.StudyDeleted(parties=(PEER,), **ABOUT)),
    "attached": ("A.5.3.9", audit.NetworkEntry(node=NODE)),
    "detached": ("A.5.3.9", audit.NetworkEntry(node=NODE, is_attached=False)),
    "C-FIND": (
        "A.5.3.10",
        audit.Query(
            source=PEER,
            destination=NODE,
            query=b"\x08\x00\x52\x00CS\x06\x00STUDY ",
            sop_class="1.2.840.10008.5.1.4.1.2.2.1",
            transfer_syntax="1.2.840.10008.1.2.1",
        ),
    ),
    "QIDO-RS": ("A.5.3.10", audit.Query(source=PEER, destination=NODE, query=b"PatientID=1", resource="/studies")),
    "alert": (
        "A.5.3.11",
        audit.SecurityAlert(
            kind=codes.NODE_AUTHENTICATION,
            outcome=audit.MINOR,
            reporter=NODE,
            performer=PEER,
            subject="192.0.2.7",
            description="no TLS",
        ),
    ),
    "login": ("A.5.3.12", audit.UserAuthentication(user=PEER, node=NODE)),
    "logout": ("A.5.3.12", audit.UserAuthentication(user=PEER, node=NODE, is_login=False)),
}
