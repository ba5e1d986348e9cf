"""Items of A-ASSOCIATE PDUs: presentation contexts and user information (PS3.8 9.3.2, Annex D; PS3.7 Annex D.3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

__all__ = [
    "APPLICATION_CONTEXT",
    "Answer",
    "Common",
    "ContextAnswer",
    "ContextOffer",
    "Extended",
    "Identity",
    "IdentityType",
    "Role",
    "UserInformation",
]

APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"


class Answer(IntEnum):
    """What the acceptor says of a presentation context (PS3.8 9.3.3.2)."""

    ACCEPTED = 0
    USER_REJECTION = 1
    NO_REASON = 2
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


class IdentityType(IntEnum):
    """Kinds of user identity (PS3.7 D.3.3.7)."""

    USERNAME = 1
    PASSCODE = 2
    KERBEROS = 3
    SAML = 4
    JWT = 5


@dataclass(frozen=True, slots=True)
class ContextOffer:
    """A presentation context as it is proposed: an odd number, an abstract syntax and transfer syntaxes."""

    number: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContextAnswer:
    """What became of a presentation context; the transfer syntax has no meaning unless it is accepted."""

    number: int
    result: int
    transfer_syntax: str = ""


@dataclass(frozen=True, slots=True)
class Role:
    """SCP/SCU role selection for an abstract syntax (PS3.7 D.3.3.4)."""

    sop_class: str
    scu: bool
    scp: bool


@dataclass(frozen=True, slots=True)
class Extended:
    """Extended negotiation of a SOP class: its service class application information (PS3.7 D.3.3.5)."""

    sop_class: str
    information: bytes


@dataclass(frozen=True, slots=True)
class Common:
    """Common extended negotiation of a SOP class (PS3.7 D.3.3.6)."""

    sop_class: str
    service_class: str
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's identity (PS3.7 D.3.3.7). Its fields are secrets, which `repr` does not show."""

    kind: int
    primary: bytes = field(repr=False)
    secondary: bytes = field(default=b"", repr=False)
    wants_answer: bool = False


@dataclass(frozen=True, slots=True)
class UserInformation:
    """The user information item; what a peer leaves out has the values here.

    `maximum_length` is the longest P-DATA-TF PDU that its sender accepts, 0 for any. `window` is the asynchronous
    operations window, invoked and performed, in which 0 is unlimited; None stands for one operation at a time.
    `others` holds items of unknown types, which are passed over.
    """

    maximum_length: int = 0
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    window: tuple[int, int] | None = None
    roles: tuple[Role, ...] = ()
    extended: tuple[Extended, ...] = ()
    common: tuple[Common, ...] = ()
    identity: Identity | None = None
    identity_answer: bytes | None = None
    others: tuple[tuple[int, bytes], ...] = ()
