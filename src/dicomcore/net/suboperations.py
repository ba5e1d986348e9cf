"""C-MOVE and C-GET as a server performs them: C-STORE sub-operations and their counts (PS3.4 C.4.2, C.4.3)."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dicomcore.dataset import Dataset
from dicomcore.encoding import encode
from dicomcore.errors import DicomError, NetworkError
from dicomcore.net.commands import Field, Kind
from dicomcore.net.instances import Instance, open_instance
from dicomcore.net.operations import Outcome, Storing

if TYPE_CHECKING:
    from dicomcore.net.answering import Answering

__all__ = ["Counts", "send_instances"]

MOST = 0xFFFF  # of the elements that count (US)
LONGEST_LIST = 0xFFFE  # bytes of a UI in explicit VR
UNKNOWN_DESTINATION, ALL_FAILED, SOME_FAILED, CANCELLED = 0xA801, 0xA702, 0xB000, 0xFE00


class Counts:
    """Sub-operations by what became of them; the elements of a response saturate at 65 535."""

    def __init__(self, total: int) -> None:
        self.remaining, self.completed, self.failed, self.warning = total, 0, 0, 0
        self.failed_uids: list[str] = []

    def add(self, outcome: Outcome) -> None:
        """Count one."""
        self.remaining = max(self.remaining - 1, 0)
        category = outcome.status.category
        if category == "success":
            self.completed += 1
        elif category == "warning":
            self.warning += 1
        else:
            self.failed += 1
            if outcome.sop_instance:
                self.failed_uids.append(outcome.sop_instance)

    def values(self, *, with_remaining: bool) -> dict[int, Any]:
        """The elements of a response."""
        made: dict[int, Any] = {
            Field.COMPLETED: min(self.completed, MOST),
            Field.FAILED: min(self.failed, MOST),
            Field.WARNING: min(self.warning, MOST),
        }
        return {Field.REMAINING: min(self.remaining, MOST), **made} if with_remaining else made

    def status(self) -> int:
        """The status of the last response."""
        if not self.failed:
            return SOME_FAILED if self.warning and not self.completed else 0
        return SOME_FAILED if self.completed or self.warning else ALL_FAILED

    def identifier(self) -> Dataset | None:
        """The Failed SOP Instance UID List, with as many as a value of 16 bits of length holds."""
        size, fitting = 0, 0
        for uid in self.failed_uids:
            size += len(uid) + 1
            if size > LONGEST_LIST:
                break
            fitting += 1
        if not fitting:
            return None
        made = Dataset()
        made.FailedSOPInstanceUIDList = self.failed_uids[:fitting]
        return made


def send_instances(answering: Answering, result: Any) -> None:
    """Perform the sub-operations of a request, in a thread."""
    if answering.message.command.kind == Kind.C_MOVE:
        _move(answering, iter(() if result is None else result))
    else:
        _perform(answering, list(iter(() if result is None else result)), None)


def _move(answering: Answering, results: Iterator[Any]) -> None:
    destination = next(results, None)
    if destination is None:
        answering.over(UNKNOWN_DESTINATION, None, {})
        return
    sources: list[Any] = []
    for one in results:
        if isinstance(one, Dataset | str) or not isinstance(one, Iterable):
            sources.append(one)
        else:
            sources += one
    _perform(answering, sources, destination)


def _perform(answering: Answering, sources: list[Any], destination: str | None) -> None:
    counts = Counts(len(sources))
    outcomes = _over_own(answering, sources) if destination is None else _over_other(answering, sources, destination)
    stored: set[str] = set()
    auditor = answering.session.offering.audit
    transfer = None if auditor is None else auditor.retrieved(answering.request, sources, destination)
    try:
        for outcome in outcomes:
            counts.add(outcome)
            if outcome.status.category in ("success", "warning"):
                stored.add(outcome.sop_instance)
            if answering.request.is_cancelled:
                break
            if counts.remaining:
                answering.pending(counts.values(with_remaining=True))
    except DicomError:  # the other association is lost: what remains has failed
        counts.failed, counts.remaining = counts.failed + counts.remaining, 0
    finally:
        outcomes.close()
        if answering.request.settled is not None:
            answering.request.settled(stored)
        if transfer is not None:
            transfer.over(stored)
    if counts.failed and answering.request.meant and not answering.request.is_cancelled:
        counts.failed_uids = [uid for uid in answering.request.meant if uid not in stored]
    identifier = counts.identifier()
    data = None if identifier is None else encode(identifier, answering.message.context.transfer_syntax)
    if answering.request.is_cancelled:
        answering.over(CANCELLED, data, counts.values(with_remaining=True))
    else:
        answering.over(counts.status(), data, counts.values(with_remaining=False))


def _over_other(answering: Answering, sources: list[Any], destination: str) -> Any:
    """C-MOVE: send over an association with the destination."""
    from dicomcore.net.blocking import associate

    peer, offering = answering.request.peer, answering.session.offering
    originator = peer.calling, answering.message.command.get(Field.MESSAGE_ID, 0)
    with associate(
        destination, calling=peer.called, timeouts=offering.timeouts, limits=offering.limits, reading=offering.reading
    ) as association:
        yield from association.store(sources, originator=originator, transcode="lossless")


def _over_own(answering: Answering, sources: list[Any]) -> Any:
    """C-GET: send over the association that the request came on."""
    results: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
    operation = _Handed(_opened(sources), results)
    answering.call(_start, answering, operation)
    while True:
        outcome = results.get()
        if outcome is None:
            break
        try:
            yield outcome
        except GeneratorExit:
            answering.call(operation.stop)
            raise
    if operation.failure is not None:
        raise NetworkError(f"the instances can't be sent: {operation.failure}") from operation.failure


def _opened(sources: list[Any]) -> Iterator[Any]:
    for source in sources:
        try:
            yield source if isinstance(source, Instance) else open_instance(source)
        except (DicomError, OSError):
            yield source  # the operation says why


def _start(answering: Answering, operation: _Handed) -> None:
    answering.session.start(operation)
    answering._connection.flush()


class _Handed(Storing):
    """Storing whose outcomes go to a queue, for a thread that is not the owner of the association."""

    def __init__(self, sources: Iterable[Any], results: queue.SimpleQueue[Outcome | None]) -> None:
        super().__init__(sources, transcode="lossless")
        self._queue = results

    def next(self, contexts: Iterable[Any]) -> Any:
        """The next request."""
        invocation = super().next(contexts)
        self._empty()
        return invocation

    def answered(self, message: Any, token: Any) -> bool:
        """The response to one instance."""
        is_last = super().answered(message, token)
        self._empty()
        return is_last

    def fail(self, error: Exception) -> None:
        """The operation cannot go on."""
        super().fail(error)
        self._empty()

    def _empty(self) -> None:
        while self.results:
            self._queue.put(self.results.popleft())
        if self.is_done:
            self._queue.put(None)
