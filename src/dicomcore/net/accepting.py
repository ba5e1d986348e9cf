"""The acceptor's side of a session: which associations it takes, and what becomes of each request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from dicomcore.errors import LimitError
from dicomcore.limits import Limits
from dicomcore.net.commands import Command, Field, Kind
from dicomcore.net.connection import Accepted, Connection, Requested
from dicomcore.net.contexts import UNCOMPRESSED, VERIFICATION, answer
from dicomcore.net.exchange import Context, Message
from dicomcore.net.items import APPLICATION_CONTEXT, Extended, Identity, Role, UserInformation
from dicomcore.net.limits import DEFAULT_NET_LIMITS, DEFAULT_TIMEOUTS, NetLimits, Timeouts
from dicomcore.net.pdu import Accept, Reject
from dicomcore.net.pdu import Request as AssociateRequest
from dicomcore.net.requests import Peer, SpoolSink
from dicomcore.net.session import Session, windows
from dicomcore.net.sinks import FileSink, Nowhere, Sink
from dicomcore.net.states import State
from dicomcore.net.storing import Folder, Stored, Told
from dicomcore.part10.meta import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from dicomcore.uids import UID

if TYPE_CHECKING:
    from dicomcore._native.net.fragments import Fragment
    from dicomcore._native.net.plain import Plain
    from dicomcore.net.auditing import Auditor

__all__ = ["AcceptorSession", "Offering", "Refusal", "storage_class"]

NOT_SUPPORTED, DUPLICATE_INVOCATION, MISTYPED, RESOURCE_LIMITATION = 0x0122, 0x0210, 0x0212, 0x0213
OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0xA700, 0xC000
C_STORE, COMMAND, MESSAGE_ID = int(Kind.C_STORE), int(Field.COMMAND), int(Field.MESSAGE_ID)
AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE = int(Field.AFFECTED_SOP_CLASS), int(Field.AFFECTED_SOP_INSTANCE)
MOST_PLAIN_BYTES = 768 << 10  # of the data set of a plain request
MOST_PLAIN = 10  # elements of the command set of a plain request
WITH_DATA = frozenset({Kind.C_FIND, Kind.C_MOVE, Kind.C_GET})
REJECTED, TRANSIENT = 1, 2
USER, PRESENTATION = 1, 3
CALLED_TITLE, APPLICATION = 7, 2
LOCAL_LIMIT = 2


class Refusal(Exception):
    """Raised by `accept` functions to reject an association: `reason` is that of a service user (PS3.8 9.3.4)."""

    def __init__(self, message: str = "", *, reason: int = 1, transient: bool = False) -> None:
        super().__init__(message)
        self.reason, self.transient = reason, transient


class Stranger(Refusal):
    """A user who is not known."""


def storage_class(uid: str) -> bool:
    """Whether a SOP class stands for stored instances: PS3.6 says so, or it is none of PS3.6, as private ones are."""
    known = UID(uid)
    return known.keyword.endswith("Storage") if known.type else not uid.startswith("1.2.840.10008.")


@dataclass(slots=True)
class Offering:
    """What a server offers to all its associations."""

    titles: frozenset[str]
    limits: NetLimits = DEFAULT_NET_LIMITS
    timeouts: Timeouts = DEFAULT_TIMEOUTS
    reading: Limits | None = None
    folder: Folder | None = None
    has_store: bool = False
    many: Callable[[Peer, list[str], Told], None] | None = None
    """Takes files in place of the function for C-STORE."""
    syntaxes: dict[str, Sequence[str]] = field(default_factory=dict)
    """Transfer syntaxes by abstract syntax; an empty sequence stands for any."""
    scp_roles: set[str] = field(default_factory=set)
    """SOP classes in which a peer may be the SCP."""
    reported: set[str] = field(default_factory=set)
    """SOP classes whose events a peer may report, in the role of SCP."""
    extended: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    """What is said to the extended negotiation of SOP classes."""
    accept: Callable[[AssociateRequest, tuple[Any, ...]], None] | None = None
    authenticate: Callable[[Identity, AssociateRequest], Any] | None = None
    audit: Auditor | None = None

    def supported(self, abstract: str) -> Sequence[str] | None:
        """The transfer syntaxes of an abstract syntax, None if it is not offered."""
        if abstract == VERIFICATION:
            return UNCOMPRESSED
        if abstract in self.syntaxes:
            return self.syntaxes[abstract]
        return () if (self.has_store or self.scp_roles) and storage_class(abstract) else None

    def roles(self, proposed: Role) -> Role | None:
        """The roles that are granted of those a peer proposes (PS3.7 D.3.3.4)."""
        uid = proposed.sop_class
        is_stored = uid not in self.syntaxes and uid != VERIFICATION and storage_class(uid)
        may_be_scu = self.has_store if is_stored else self.supported(uid) is not None
        may_be_scp = bool(self.scp_roles) if is_stored else uid in self.scp_roles | self.reported
        return Role(uid, proposed.scu and may_be_scu, proposed.scp and may_be_scp)


class AcceptorSession(Session):
    """A session of the side that was asked. Requests go to `handle_request`, but for those that are answered here."""

    def __init__(
        self,
        offering: Offering,
        address: tuple[Any, ...],
        number: int,
        scratch: bytearray,
        handle_request: Callable[[AcceptorSession, Message], None],
    ) -> None:
        connection = Connection(is_acceptor=True, limits=offering.limits, timeouts=offering.timeouts, scratch=scratch)
        super().__init__(
            connection,
            peer=f"{address[0]}:{address[1]}",
            limits=offering.limits,
            timeouts=offering.timeouts,
            serve=self._requested,
            sink_for=self._sink,
            whole_for=None if offering.folder is None else self._whole,
        )
        self.offering, self.address, self.number = offering, address, number
        self.request: AssociateRequest | None = None
        self.known: Peer | None = None
        self.underway: set[int] = set()  # message IDs of requests that handlers work on
        self.is_refused = False  # one association too many
        self.plain_requests = 0  # how many came in a row that need no handler and nothing special
        self._handle_request = handle_request
        self._arriving: FileSink | None = None  # the last instance that came in parts
        self._checked: tuple[Command | None, int] = None, 0  # the last command whose data set was begun, and its fault

    # -- the association

    def associating(self, event: Requested | Accepted, now: float) -> None:
        """Accept or reject an association."""
        if isinstance(event, Accepted) or self.connection.state != State.AWAITING_LOCAL_RESPONSE:
            return  # bytes behind the request have ended it already
        request = event.request
        refused = self._refused(request)
        if refused is not None:
            if self.offering.audit is not None and refused.reason == CALLED_TITLE:
                why = f"an association with {shown(request.called)!r}, which is not served here"
                self.offering.audit.refused(str(self.address[0]), request.calling, why)
            self.connection.reject(refused, now)
            return
        offering = self.offering
        try:
            if offering.accept is not None:
                offering.accept(request, self.address)
            principal = self._principal(request)
        except Refusal as refusal:
            if offering.audit is not None and not isinstance(refusal, Stranger):
                offering.audit.refused(str(self.address[0]), request.calling, f"no association: {refusal}")
            kind = TRANSIENT if refusal.transient else REJECTED
            self.connection.reject(Reject(kind, USER, refusal.reason), now)
            return
        self._accept(request, principal, now)

    def _refused(self, request: AssociateRequest) -> Reject | None:
        if self.is_refused:
            return Reject(TRANSIENT, PRESENTATION, LOCAL_LIMIT)
        if request.application_context != APPLICATION_CONTEXT:
            return Reject(REJECTED, USER, APPLICATION)
        if self.offering.titles and request.called not in self.offering.titles:
            return Reject(REJECTED, USER, CALLED_TITLE)
        return None

    def _principal(self, request: AssociateRequest) -> Any:
        if self.offering.authenticate is None:
            return None
        identity = request.user.identity
        principal = None if identity is None else self.offering.authenticate(identity, request)
        if principal is None:
            if self.offering.audit is not None:
                self.offering.audit.denied(str(self.address[0]), request)
            raise Stranger("no user identity" if identity is None else "the user is not known")
        return principal

    def _accept(self, request: AssociateRequest, principal: Any, now: float) -> None:
        offering, limits = self.offering, self.limits
        answers, roles, contexts = answer(request, offering.supported, offering.roles)
        asked = request.user.window
        window = None if asked is None else (
            min(asked[0] or limits.performing, limits.performing), min(asked[1] or limits.invoking, limits.invoking),
        )  # fmt: skip
        identity = request.user.identity
        user = UserInformation(
            maximum_length=limits.pdu,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
            window=window,
            roles=roles,
            extended=self._extended(request, contexts),
            identity_answer=b"" if identity is not None and identity.wants_answer and principal is not None else None,
        )
        self.request = request
        self.known = Peer(self.address, request.calling, request.called, principal, self.number)
        self.known.extended = {one.sop_class: one.information for one in user.extended}
        self.peer = f"{shown(request.calling)}@{self.peer}"
        if offering.audit is not None:
            offering.audit.associated(self.known)
        self.connection.accept(Accept(request.called, request.calling, answers, user), now)
        performing, invoking = windows(asked, window, limits)
        self.establish(contexts, request.user.maximum_length, invoking, performing, now)

    def _extended(self, request: AssociateRequest, contexts: dict[int, Context]) -> tuple[Extended, ...]:
        """What is said to extended negotiation, of SOP classes that were accepted."""
        accepted = {context.abstract_syntax for context in contexts.values()}
        known = self.offering.extended
        return tuple(
            Extended(one.sop_class, known[one.sop_class](one.information))
            for one in request.user.extended
            if one.sop_class in accepted and one.sop_class in known
        )

    # -- requests

    def _sink(self, context: Context, command: Command) -> Sink | None:
        if command.kind != Kind.C_STORE or command.is_response or not self.offering.has_store:
            return None
        fault = self._fault(context, command)
        self._checked = command, fault
        if fault:
            return Nowhere()
        if len(self.underway) > self.performing:
            raise LimitError("more operations are outstanding than were agreed")
        assert self.request is not None
        sender, receiver = self.request.calling, self.request.called
        if self.offering.folder is not None:
            self._arriving = self.offering.folder.sink(context, command, sender=sender, receiver=receiver)
            return self._arriving
        return SpoolSink(context, command, self.limits.file_bytes, sender, receiver)

    def _whole(self, context: Context, command: Command, data: memoryview, run: list[Fragment]) -> Stored | None:
        """Keep an instance that is here as a whole; None leaves it, and what may be wrong with it, to a sink."""
        folder = self.offering.folder
        if folder is None or command.get(COMMAND) != C_STORE or not self.offering.has_store:
            return None
        fault = self._fault(context, command)
        self._checked = command, fault
        if fault or len(self.underway) > self.performing:
            return None
        assert self.request is not None
        kept = folder.keep(context, command, data, run, sender=self.request.calling, receiver=self.request.called)
        if kept is not None:
            self.plain_requests += 1
        return kept

    def plain(self) -> Plain | None:
        """What serves plain requests of this association without the GIL, if that is possible."""
        offering, limits = self.offering, self.limits
        if offering.folder is None or self._exchange is None or limits.command_elements < MOST_PLAIN:
            return None
        if offering.audit is not None and offering.many is None:
            return None  # nobody would tell of the instances
        assert self.request is not None
        assert self.known is not None
        return offering.folder.plain(
            self.contexts.values(),
            sender=self.request.calling,
            receiver=self.request.called,
            longest=self.connection.longest_pdu,
            fragment=self._exchange.fragment,
            command_bytes=limits.command_bytes,
            hand=None if offering.many is None else partial(offering.many, self.known),
            most=self.performing,
        )

    def _requested(self, message: Message) -> None:
        command = message.command
        kind = command.kind
        if kind == Kind.C_CANCEL:
            self._handle_request(self, message)
            return
        checked, fault = self._checked
        if checked is not command:
            fault = self._fault(message.context, command)
        self._checked = None, 0
        if fault:
            self.respond(message, fault)
        elif kind == Kind.C_ECHO:
            self.plain_requests += 1
            self.respond(message, 0)
        elif message.failure is not None:
            self.respond(message, OUT_OF_RESOURCES, values={Field.ERROR_COMMENT: str(message.failure)})
        elif kind == Kind.C_STORE and message.data is None:  # what was the matter is over by now
            self.respond(message, DUPLICATE_INVOCATION)
        elif kind != Kind.C_STORE and len(self.underway) > self.performing:
            self.respond(message, RESOURCE_LIMITATION)
        else:
            if isinstance(message.data, Stored) and message.data.is_new and self._arriving is not None:
                self.plain_requests += self._arriving.size <= MOST_PLAIN_BYTES
            self._arriving = None
            self._handle_request(self, message)

    def _fault(self, context: Context, command: Command) -> int:
        """The status of a request that is not performed whatever its data set is, 0 for others."""
        kind, identifier = command.kind, command.get(MESSAGE_ID)
        if identifier is None or not kind:
            return MISTYPED
        if identifier in self.underway:
            return DUPLICATE_INVOCATION
        if not context.as_scp and kind != Kind.N_EVENT_REPORT:
            return NOT_SUPPORTED
        if kind == C_STORE:
            if command.get(AFFECTED_SOP_CLASS) != context.abstract_syntax:
                return NOT_SUPPORTED  # another than was agreed for the context
            has_all = command.has_data_set and command.get(AFFECTED_SOP_INSTANCE)
            return 0 if has_all else CANNOT_UNDERSTAND
        if kind in WITH_DATA and not command.has_data_set:
            return CANNOT_UNDERSTAND
        return 0

    def idled(self, now: float) -> None:
        """An association whose requests are being performed does not rest."""
        if self.underway:
            self.rest(now)
        else:
            super().idled(now)

    def stored(self, message: Message) -> Stored | None:
        """What the folder made of a C-STORE; None if there is no folder."""
        return message.data if isinstance(message.data, Stored) else None


def shown(title: str) -> str:
    """An AE title for messages and logs, in which no character of a peer's begins a new line."""
    return "".join(one if one.isprintable() else "?" for one in title)
