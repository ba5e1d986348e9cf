"""Unified procedure steps over associations: the UPS Push, Pull, Watch, Event and Query SOP classes (PS3.4 CC)."""

from __future__ import annotations

from collections.abc import Iterator

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.net import Failure, Request, Server, Status
from dicomcore.net.commands import Field, Kind
from dicomcore.net.contexts import UNCOMPRESSED
from dicomcore.services.reporter import Reporter
from dicomcore.services.ups import EVENT, PULL, PUSH, QUERY, WATCH, Reply, Workitems
from dicomcore.services.ups_rules import NO_REPORTS, UNKNOWN_RECEIVER

__all__ = ["UnifiedProcedureSteps", "answered"]

CHANGE_STATE, REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND = 1, 2, 3, 4, 5
ACTIONS = {PUSH: (REQUEST_CANCEL,), PULL: (CHANGE_STATE,), WATCH: (REQUEST_CANCEL, SUBSCRIBE, UNSUBSCRIBE, SUSPEND)}
CLASSES = frozenset({PUSH, WATCH, PULL, EVENT, QUERY})
NO_SUCH_CLASS, NO_SUCH_ACTION, NO_ARGUMENT, INVALID_ARGUMENT, UNABLE = 0x0118, 0x0123, 0x0114, 0x0115, 0xC000
LOCKS = {"TRUE": True, "FALSE": False, "": False}
NOT_KEYS = ("ReceivingAE", "DeletionLock")
HIDDEN = ("SOPClassUID", "SOPInstanceUID")  # N-GET gives them in its command set


class UnifiedProcedureSteps:
    """Serves `Workitems`. With a reporter, peers may subscribe, and what happens is reported to them."""

    def __init__(self, workitems: Workitems, reporter: Reporter | None = None) -> None:
        self._items, self._reporter = workitems, reporter

    def join(self, server: Server) -> None:
        """Serve."""
        server.service(Kind.N_CREATE, [PUSH], self._create)
        server.service(Kind.N_GET, [PUSH, PULL, WATCH], self._get)
        server.service(Kind.N_SET, [PULL], self._set)
        server.service(Kind.N_ACTION, list(ACTIONS), self._act)
        server.find(self._find, model=["ups", "ups-watch", "ups-query"])
        server.offering.syntaxes[EVENT] = UNCOMPRESSED

    def _create(self, request: Request) -> int:
        if request.sop_class not in CLASSES:
            return NO_SUCH_CLASS
        return answered(request, self._items.create(request.dataset, request.sop_instance))

    def _get(self, request: Request) -> tuple[int, Dataset | None] | int:
        if request.sop_class not in CLASSES:
            return NO_SUCH_CLASS
        reply = self._items.retrieve(request.sop_instance, request.command.get(Field.ATTRIBUTES) or ())
        if reply.dataset is not None:
            for keyword in HIDDEN:
                if keyword in reply.dataset:
                    delattr(reply.dataset, keyword)
        return answered(request, reply), reply.dataset

    def _set(self, request: Request) -> int:
        if request.sop_class not in CLASSES:
            return NO_SUCH_CLASS
        return answered(request, self._items.update(request.sop_instance, request.dataset))

    def _act(self, request: Request) -> int:
        if request.sop_class not in CLASSES:
            return NO_SUCH_CLASS
        action, told, uid = request.command.get(Field.ACTION_TYPE), request.dataset, request.sop_instance
        if action not in ACTIONS[request.context.abstract_syntax]:
            return NO_SUCH_ACTION
        if action == CHANGE_STATE:
            state = text_of(told, "ProcedureStepState") or ""
            if not state:
                return answered(request, self._fault(NO_ARGUMENT, "Procedure Step State is missing"))
            return answered(request, self._items.change_state(uid, state, text_of(told, "TransactionUID") or ""))
        if action == REQUEST_CANCEL:
            return answered(request, self._items.request_cancel(uid, told, requester=request.peer.calling))
        return answered(request, self._subscription(request, action, told))

    def _subscription(self, request: Request, action: int, told: Dataset) -> Reply:
        aet, uid = (text_of(told, "ReceivingAE") or "").strip(), request.sop_instance
        lock = LOCKS.get((text_of(told, "DeletionLock") or "").strip())
        if not aet:
            return self._fault(NO_ARGUMENT, "Receiving AE is missing")
        if action == UNSUBSCRIBE:
            return self._items.unsubscribe(uid, aet)
        if action == SUSPEND:
            return self._items.suspend(aet, uid)
        if lock is None:
            return self._fault(INVALID_ARGUMENT, "Deletion Lock is TRUE or FALSE")
        if self._reporter is None:
            return self._fault(NO_REPORTS)
        if self._reporter.place(aet) is None:
            return self._fault(UNKNOWN_RECEIVER)
        keys = told.copy()
        for keyword in NOT_KEYS:
            if keyword in keys:
                delattr(keys, keyword)
        return self._items.subscribe(uid, aet, lock=lock, keys=keys, channel="dimse")

    def _fault(self, status: int, comment: str = "") -> Reply:
        return Reply(Status(status), comment=comment or Status(status).text)

    def _find(self, request: Request) -> Iterator[Dataset]:
        try:
            yield from self._items.search(request.dataset)
        except ValueError as error:
            raise Failure(UNABLE, str(error)) from None


def answered(request: Request, reply: Reply) -> int:
    """The status of a reply; what is wrong goes into the response as Error Comment."""
    if reply.comment and reply.status:
        request.response[Field.ERROR_COMMENT] = reply.comment[:64]
    return int(reply.status)
