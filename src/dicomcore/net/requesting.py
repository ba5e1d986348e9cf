"""The requestor's side of a session: what it asks for, and what an operation needs, for both faces."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dicomcore._native.base.dictionary import registered_uids
from dicomcore.dataset import Dataset
from dicomcore.errors import NetworkError
from dicomcore.limits import Limits
from dicomcore.net.asking import Asking
from dicomcore.net.commands import Field, Kind
from dicomcore.net.connection import Accepted, Connection, Requested
from dicomcore.net.contexts import MOST, Offer, agreed, offers
from dicomcore.net.exchange import Context, Message
from dicomcore.net.items import ContextOffer, Role
from dicomcore.net.limits import NetLimits
from dicomcore.net.models import model_of
from dicomcore.net.operations import Outcome, Query, Retrieval, Single
from dicomcore.net.pdu import Request
from dicomcore.net.session import Session, windows
from dicomcore.net.sinks import Nowhere, Sink
from dicomcore.net.statuses import Status
from dicomcore.net.storing import Folder, Stored
from dicomcore.syntaxes import SYNTAXES
from dicomcore.uids import UID

if TYPE_CHECKING:
    pass

__all__ = ["RequestorSession", "identifier_of", "query", "retrieval", "retrieve_offers", "single"]

STANDARD = "1.2.840.10008."
RECEIVED_SYNTAXES = tuple(
    row.uid for row in SYNTAXES if (row.encoder or row.format == "native") and row.uid.startswith(STANDARD)
)
NOT_SUPPORTED, UNRECOGNIZED, RESOURCE_LIMITATION, OUT_OF_RESOURCES = 0x0122, 0x0211, 0x0213, 0xA700
IDENTITY = (Field.AFFECTED_SOP_CLASS, Field.AFFECTED_SOP_INSTANCE)
MOST_REPORTS = 64


class RequestorSession(Session):
    """A session of the side that asked for it. `folder` takes the instances that C-GET brings."""

    def __init__(self, asking: Asking, request: Request, scratch: bytearray | None = None) -> None:
        connection = Connection(limits=asking.limits, timeouts=asking.timeouts, scratch=scratch)
        super().__init__(
            connection,
            peer=str(asking.address._replace(title=asking.called)),
            limits=asking.limits,
            timeouts=asking.timeouts,
            serve=self._requested,
            sink_for=self._sink,
        )
        self.request = request
        self.accept: Any = None
        self.folder: Folder | None = None
        self.retrieving: Retrieval | None = None
        self.reports: list[Message] = []

    def associating(self, event: Requested | Accepted, now: float) -> None:
        """The peer accepted."""
        if not isinstance(event, Accepted):
            return
        self.accept = event.accept
        own, theirs = self.request.user, event.accept.user
        invoking, performing = windows(own.window, theirs.window, self.limits)
        self.establish(agreed(self.request, event.accept), theirs.maximum_length, invoking, performing, now)

    def _sink(self, context: Context, command: Any) -> Sink | None:
        if command.kind != Kind.C_STORE or command.is_response or not context.as_scp:
            return None
        if self.folder is None or self.retrieving is None:
            return Nowhere()
        if command.get(Field.AFFECTED_SOP_CLASS) != context.abstract_syntax or Field.MESSAGE_ID not in command:
            return Nowhere()
        return self.folder.sink(context, command, sender=self.request.called, receiver=self.request.calling)

    def _requested(self, message: Message) -> None:
        """A request of the peer: C-STORE during a C-GET, or a report."""
        kind = message.command.kind
        if kind == Kind.C_STORE and self.retrieving is not None and isinstance(message.data, Stored):
            stored = message.data
            self.respond(message, stored.status, values={Field.ERROR_COMMENT: stored.comment[:64] or None})
            error = "" if stored.status.is_success else stored.comment or stored.status.text
            self.retrieving.came(
                Outcome(
                    stored.status,
                    stored.path,
                    stored.sop_class,
                    stored.sop_instance,
                    error,
                    message.context.transfer_syntax,
                )
            )
        elif kind == Kind.C_STORE and message.failure is not None:
            self.respond(message, OUT_OF_RESOURCES)
            if self.retrieving is not None:
                sop_class, instance = (str(message.command.get(name) or "") for name in IDENTITY)
                reason = getattr(message.failure, "strerror", None) or str(message.failure)
                self.retrieving.came(
                    Outcome(
                        Status(OUT_OF_RESOURCES), None, sop_class, instance, reason, message.context.transfer_syntax
                    )
                )
        elif kind == Kind.C_STORE and self.retrieving is not None:
            self.respond(message, NOT_SUPPORTED)
        elif kind == Kind.C_ECHO:
            self.respond(message, 0)
        elif kind == Kind.N_EVENT_REPORT:
            if len(self.reports) >= MOST_REPORTS:
                self.respond(message, RESOURCE_LIMITATION)
                return
            self.reports.append(message)
            self.respond(message, 0, values={Field.EVENT_TYPE: message.command.get(Field.EVENT_TYPE)})
        elif kind != Kind.C_CANCEL:
            self.respond(message, UNRECOGNIZED)


# -- operations from what callers say


def identifier_of(keys: Dataset | Mapping[str, Any], level: str | None) -> Dataset:
    """An identifier from keys by keyword, with its Query/Retrieve Level. A data set is copied, not changed."""
    made = keys.copy() if isinstance(keys, Dataset) else Dataset()
    if not isinstance(keys, Dataset):
        for key, value in keys.items():
            setattr(made, key, value)
    if level is not None:
        made.QueryRetrieveLevel = level
    if any(isinstance(value, str) and not value.isascii() for value in _texts(made)):
        made.SpecificCharacterSet = made.get("SpecificCharacterSet") or "ISO_IR 192"
    return made


def _texts(ds: Dataset) -> Iterable[Any]:
    for element in ds:
        value = element.value
        yield from map(str, value if isinstance(value, list) else [value])


def _level(model: str, level: str | None) -> str | None:
    levels = model_of(model).levels
    if not levels:
        return None
    level = level or levels[0]
    if level.upper() not in levels:
        raise ValueError(f"{level!r} is no level of the model {model!r}; they are {', '.join(levels)}")
    return level.upper()


def query(keys: Dataset | Mapping[str, Any], level: str | None, model: str, limits: Limits | None) -> Query:
    """C-FIND in a model."""
    sop_class = model_of(model).find
    if not sop_class:
        raise ValueError(f"the model {model!r} has no query")
    return Query(sop_class, identifier_of(keys, _level(model, level)), limits=limits)


def retrieval(
    kind: Kind, keys: Dataset | Mapping[str, Any], level: str | None, model: str, to: str | None, limits: Limits | None
) -> Retrieval:
    """C-MOVE or C-GET in a model."""
    found = model_of(model)
    sop_class = found.move if kind == Kind.C_MOVE else found.get
    if not sop_class:
        raise ValueError(f"the model {model!r} has no {kind.name.replace('_', '-')}")
    return Retrieval(kind, sop_class, identifier_of(keys, _level(model, level)), to=to, limits=limits)


def retrieve_offers(sop_class: str, storage: Iterable[Offer] | None) -> tuple[tuple[ContextOffer, ...], list[Role]]:
    """Contexts and roles of an association for C-GET: the peer sends instances of the storage classes over it."""
    wanted: list[Offer] = [sop_class]
    for one in _usual_storage() if storage is None else storage:
        wanted.append((one, RECEIVED_SYNTAXES) if isinstance(one, str) else one)
    made = offers(wanted)
    return made, [Role(uid, False, True) for uid in dict.fromkeys(offer.abstract_syntax for offer in made[1:])]


def _usual_storage() -> list[str]:
    """Storage classes of patients' objects, as many as fit beside the query."""
    skipped = ("MediaStorage", "Trial", "Protocol", "Palette", "Template", "Inventory", "Approval", "Private")
    classes = [uid for uid in map(UID, registered_uids()) if uid.type == "SOP Class" and not uid.is_retired]
    stores = [uid for uid in classes if uid.keyword.endswith("Storage")]
    return [str(uid) for uid in stores if not any(word in uid.keyword for word in skipped)][: MOST - 1]


def single(kind: Kind, sop_class: str, ds: Dataset | None, values: dict[int, Any], limits: Limits | None) -> Single:
    """A service of DIMSE-N, or C-ECHO."""
    as_scp = kind == Kind.N_EVENT_REPORT
    return Single(kind, sop_class, values, ds, as_scp=as_scp, limits=limits)


def received_folder(into: str | os.PathLike[str] | Folder, limits: NetLimits) -> Folder:
    """Where C-GET puts instances."""
    return into if isinstance(into, Folder) else Folder(into, limits=limits)


def lost(error: OSError, peer: str) -> NetworkError:
    """The exception for a connection that cannot be made."""
    return NetworkError(f"no connection: {error.strerror or error}", peer=peer)


def requested_values(sop_class: str, instance: str) -> dict[int, Any]:
    """Elements that name an instance in a request of DIMSE-N."""
    return {Field.REQUESTED_SOP_CLASS: sop_class, Field.REQUESTED_SOP_INSTANCE: instance}


def event_values(sop_class: str, instance: str, event: int) -> dict[int, Any]:
    """Elements of an N-EVENT-REPORT."""
    return {
        Field.AFFECTED_SOP_CLASS: sop_class,
        Field.AFFECTED_SOP_INSTANCE: instance,
        Field.EVENT_TYPE: event,
    }
