"""Storage commitment: whether instances are kept safely, asked by N-ACTION and told by N-EVENT-REPORT (PS3.4 J)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from time import monotonic
from typing import Any, NamedTuple, Protocol

from dicomcore.catalogue.matching import Query, Term
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, number_of, text_of
from dicomcore.errors import NetworkError
from dicomcore.net import Association, Outcome, Request, Server, associate
from dicomcore.net.commands import Field, Kind
from dicomcore.net.contexts import is_uid
from dicomcore.services.ledger import Ledger
from dicomcore.services.reporter import Reporter
from dicomcore.uids import StorageCommitmentPushModel, StorageCommitmentPushModelInstance, generate_uid

__all__ = ["Commitment", "CommitmentReceiver", "Committed", "Reference", "check", "commit", "request_commitment"]

PUSH_MODEL, INSTANCE = StorageCommitmentPushModel, StorageCommitmentPushModelInstance
REQUEST = 1  # action type
SUCCESSFUL, FAILURES_EXIST = 1, 2  # event types
NO_SUCH_CLASS, NO_SUCH_INSTANCE, NO_SUCH_ACTION = 0x0118, 0x0112, 0x0123
NO_ARGUMENT, INVALID_ARGUMENT = 0x0114, 0x0115
# Failure Reason (PS3.3 C.14.1.1)
PROCESSING_FAILURE, NOT_HERE, CONFLICT = 0x0110, 0x0112, 0x0119
AT_A_TIME = 500  # instances that are looked up together
AGAIN = 60.0  # seconds until a result is sent by the reporter if it could not be sent at once
TICK = 0.2  # seconds between looks at the two ways a result may come
CALLING, WAIT, LISTEN = "DICOMCORE", 60.0, "127.0.0.1:0"


class Reference(NamedTuple):
    """An instance: its SOP class and its UID."""

    sop_class: str
    sop_instance: str


class Searched(Protocol):
    """What a catalogue offers here."""

    def search(self, query: Query) -> Iterator[dict[str, Any]]:
        """Rows that match."""


# -- the provider


def check(catalogue: Searched, references: Iterable[Reference]) -> dict[Reference, int]:
    """Whether instances are in a catalogue and their files where it says: 0 for each, or a Failure Reason."""
    wanted = list(dict.fromkeys(references))
    result: dict[Reference, int] = {}
    for begin in range(0, len(wanted), AT_A_TIME):
        some = wanted[begin : begin + AT_A_TIME]
        uids = tuple(one.sop_instance for one in some)
        query = Query("IMAGE", [Term("SOPInstanceUID", "UI", "equal", uids)])
        rows = {row["SOPInstanceUID"]: row for row in catalogue.search(query)}
        for one in some:
            result[one] = _reason(one, rows.get(one.sop_instance))
    return result


def _reason(reference: Reference, row: Mapping[str, Any] | None) -> int:
    if row is None:
        return NOT_HERE
    if row.get("SOPClassUID") != reference.sop_class:
        return CONFLICT
    try:
        size = os.path.getsize(row["path"])
    except OSError:
        return PROCESSING_FAILURE
    return 0 if not row.get("size") or size == row["size"] else PROCESSING_FAILURE


def result_of(transaction: str, reasons: Mapping[Reference, int], retrieve: str = "") -> tuple[int, Dataset]:
    """The event type and the data set of a result; `retrieve` is the AE title that gives the instances."""
    made = Dataset()
    made.TransactionUID = transaction
    if retrieve:
        made.RetrieveAETitle = retrieve
    good = [_item(one) for one, reason in reasons.items() if not reason]
    bad = [_item(one, reason) for one, reason in reasons.items() if reason]
    if good:
        made.ReferencedSOPSequence = good
    if bad:
        made.FailedSOPSequence = bad
    return (FAILURES_EXIST if bad else SUCCESSFUL), made


def _item(reference: Reference, reason: int = 0) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
    if reason:
        item.FailureReason = reason
    return item


def references_in(ds: Dataset, keyword: str = "ReferencedSOPSequence") -> list[Reference]:
    """The instances that a sequence refers to."""
    found = []
    for item in items_of(ds, keyword):
        sop_class, uid = text_of(item, "ReferencedSOPClassUID"), text_of(item, "ReferencedSOPInstanceUID")
        if sop_class and uid:
            found.append(Reference(sop_class, uid))
    return found


class Commitment:
    """The Storage Commitment Push Model as a service over a catalogue.

    A result is kept in the ledger before the request is answered, so that it survives the process. It goes over an
    association of its own to a peer whose address the reporter knows, and over the one of the request to others.

    Parameters
    ----------
    catalogue : Catalogue
        Where instances are looked up; their files have to be there with their size.
    ledger : Ledger
        Where results wait.
    reporter : Reporter, optional
        Sends results over associations of its own, and again if the peer cannot be reached.
    same : bool
        Try the association of the request first, also for peers whose address is known.
    """

    def __init__(
        self, catalogue: Searched, ledger: Ledger, reporter: Reporter | None = None, *, same: bool = False
    ) -> None:
        self._catalogue, self._ledger, self._reporter, self._same = catalogue, ledger, reporter, same
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="dicomcore-commitment")

    def join(self, server: Server) -> None:
        """Serve."""
        self._title = min(server.offering.titles, default="")
        server.service(Kind.N_ACTION, [PUSH_MODEL], self._act)

    def _act(self, request: Request) -> int:
        if request.sop_class != PUSH_MODEL:
            return NO_SUCH_CLASS
        if request.sop_instance != INSTANCE:
            return NO_SUCH_INSTANCE
        if request.command.get(Field.ACTION_TYPE) != REQUEST:
            return NO_SUCH_ACTION
        ds = request.dataset
        transaction, references = text_of(ds, "TransactionUID") or "", references_in(ds)
        if not transaction or "ReferencedSOPSequence" not in ds:
            return self._refused(request, NO_ARGUMENT, "Transaction UID or Referenced SOP Sequence is missing")
        if not is_uid(transaction) or not references or len(references) != len(ds.ReferencedSOPSequence):
            return self._refused(request, INVALID_ARGUMENT, "a reference or the Transaction UID has no valid UIDs")
        event, result = result_of(transaction, check(self._catalogue, references), self._title)
        aet = request.peer.calling
        number = self._ledger.post(aet, PUSH_MODEL, INSTANCE, event, result, delay=AGAIN)
        request.afterwards.append(lambda: self._report(request, number, event, result))
        return 0

    def _refused(self, request: Request, status: int, why: str) -> int:
        request.response[Field.ERROR_COMMENT] = why[:64]
        return status

    def _report(self, request: Request, number: int, event: int, result: Dataset) -> None:
        """Send a result when the request is answered."""
        aet = request.peer.calling
        is_known = self._reporter is not None and self._reporter.place(aet) is not None
        if self._same or not is_known:
            self._threads.submit(self._over_own, request, number, event, result, is_known)
        else:
            self._soon(aet)

    def _soon(self, aet: str) -> None:
        self._ledger.retry(aet)
        if self._reporter is not None:
            self._reporter.wake()

    def _over_own(self, request: Request, number: int, event: int, result: Dataset, is_known: bool) -> None:
        assert request.association is not None
        try:
            response = request.association.n_event_report(PUSH_MODEL, INSTANCE, event, result)
        except NetworkError:
            response = None
        if response is not None and response.status.is_success:
            self._ledger.delivered(number)
        elif is_known:
            self._soon(request.peer.calling)


# -- the user


class Committed(NamedTuple):
    """The result of a commitment: its transaction UID, instances that are kept, and Failure Reasons of the others."""

    transaction: str
    kept: tuple[Reference, ...]
    failed: dict[Reference, int]

    @property
    def is_whole(self) -> bool:
        """Whether all instances are kept."""
        return not self.failed


def committed(ds: Dataset) -> Committed:
    """The result that an event report tells."""
    failed = {}
    for item in items_of(ds, "FailedSOPSequence"):
        sop_class, uid = text_of(item, "ReferencedSOPClassUID"), text_of(item, "ReferencedSOPInstanceUID")
        failed[Reference(sop_class or "", uid or "")] = int(number_of(item, "FailureReason", PROCESSING_FAILURE))
    return Committed(text_of(ds, "TransactionUID") or "", tuple(references_in(ds)), failed)


def request_commitment(association: Association, references: Iterable[Any], transaction: str | None = None) -> str:
    """Ask for a commitment (N-ACTION), and return the transaction UID; NetworkError if the peer refuses.

    `references` are `Reference`, tuples of SOP class and UID, data sets, or outcomes of `store`.
    """
    asked = Dataset()
    asked.TransactionUID = transaction = transaction or generate_uid()
    asked.ReferencedSOPSequence = [_item(one) for one in dict.fromkeys(map(reference_of, references))]
    response = association.n_action(PUSH_MODEL, INSTANCE, REQUEST, asked)
    if not response.status.is_success:
        raise NetworkError(
            f"the commitment was refused: {response.comment or response.status.text}", peer=association.peer
        )
    return str(transaction)


def reference_of(one: Any) -> Reference:
    """A reference from a data set, an outcome, or a tuple of SOP class and UID."""
    if isinstance(one, Dataset):
        return Reference(str(one.SOPClassUID), str(one.SOPInstanceUID))
    if isinstance(one, Outcome):
        return Reference(one.sop_class, one.sop_instance)
    sop_class, uid = one
    return Reference(str(sop_class), str(uid))


class CommitmentReceiver:
    """Takes results of commitments that come over associations of the provider's, as a service of a server.

    `handler`, if given, is called with each `Committed`.
    """

    def __init__(self, handler: Callable[[Committed], object] | None = None) -> None:
        self._handler = handler
        self._known: dict[str, Committed] = {}
        self._changed = threading.Condition()

    def join(self, server: Server) -> None:
        """Serve."""
        server.service(Kind.N_EVENT_REPORT, [PUSH_MODEL], self._take)

    def _take(self, request: Request) -> int:
        if request.command.get(Field.EVENT_TYPE) not in (SUCCESSFUL, FAILURES_EXIST):
            return 0x0113
        self.take(committed(request.dataset))
        return 0

    def take(self, result: Committed) -> None:
        """A result has come."""
        with self._changed:
            self._known[result.transaction] = result
            self._changed.notify_all()
        if self._handler is not None:
            self._handler(result)

    def result(self, transaction: str, seconds: float = 0.0) -> Committed | None:
        """The result of a transaction; waits for it so many seconds at most. It is told once."""
        with self._changed:
            self._changed.wait_for(lambda: transaction in self._known, seconds)
            return self._known.pop(transaction, None)


def commit(
    address: str,
    references: Iterable[Any],
    *,
    calling: str = CALLING,
    listen: str | None = None,
    wait: float = WAIT,
    **options: Any,
) -> Committed:
    """Have a peer commit itself to keep instances, and wait for its result.

    Parameters
    ----------
    address : str
        The peer: ``AET@host:port``.
    references : iterable
        `Reference`, tuples of SOP class and UID, data sets, or outcomes of `store`.
    calling : str
        The AE title of this side; the peer has to know where it is, unless it answers over the same association.
    listen : str, optional
        ``host:port`` where results are awaited that come over an association of the peer's. Without it the result has
        to come over the association of the request.
    wait : float
        Seconds to wait for the result.
    options
        Of `net.associate`.

    Raises
    ------
    NetworkError
        The peer cannot be reached, refuses, or says nothing in time.
    """
    receiver, transaction = CommitmentReceiver(), generate_uid()
    until = monotonic() + wait
    server = Server(ae=calling, bind=listen or LISTEN)
    server.add(receiver)
    with server if listen else nullcontext():
        with associate(address, calling=calling, **options) as association:
            request_commitment(association, references, transaction)
            while association.is_open and monotonic() < until:
                report = association.report(TICK)
                if report is not None:
                    receiver.take(committed(report.dataset))
                result = receiver.result(transaction)
                if result is not None:
                    return result
        result = receiver.result(transaction, max(0.0, until - monotonic()) if listen else 0.0)
        if result is not None:
            return result
    raise NetworkError(f"no result of the commitment in {wait:g} s", peer=address)
