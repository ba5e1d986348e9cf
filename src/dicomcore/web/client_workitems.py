"""Workitems (PS3.18 11) and storage commitment (13): operations, without any I/O."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.dataset import Dataset, Sequence
from dicomcore.dataset.lookup import items_of, text_of
from dicomcore.errors import WebError
from dicomcore.uids import generate_uid
from dicomcore.web.client_answers import Answer, check, data_sets_of
from dicomcore.web.client_receivers import Outcome
from dicomcore.web.client_requests import JSON, Call, Result, is_same_origin, resolved
from dicomcore.web.client_storing import Item, outcomes_of

if TYPE_CHECKING:
    from dicomcore.web.client_operations import Core, Operation

__all__ = ["Commitment", "WorkitemCore"]

STATES = ("IN PROGRESS", "COMPLETED", "CANCELED")
GLOBAL, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"


class Commitment(NamedTuple):
    """A request for storage commitment: its UID, whether the server has an answer, and an outcome for each instance.

    While `is_done` is False, ask again with `Client.commitment`. True if the server keeps every instance.
    """

    transaction: str
    is_done: bool
    outcomes: list[Outcome]

    def __bool__(self) -> bool:
        return self.is_done and all(one.state != "failed" for one in self.outcomes)


class WorkitemCore:
    """The operations on workitems of one service."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def _send(
        self, method: str, path: list[str], ds: Dataset | None, params: tuple[tuple[str, str], ...] = ()
    ) -> Generator[Call | Result, Any, Answer]:
        headers = {"Accept": JSON}
        content = None
        if ds is not None:
            headers["Content-Type"] = JSON
            content = ("[" + ds.to_json() + "]").encode()
        call = Call(method, self._core.url(*path), params, headers, content, is_repeatable=method != "POST")
        return check((yield call))

    def create(self, ds: Dataset, uid: str | None) -> Operation:
        """Make a workitem; its UID."""
        uid = uid or text_of(ds, "AffectedSOPInstanceUID") or text_of(ds, "SOPInstanceUID") or str(generate_uid())
        answer = yield from self._send("POST", ["workitems"], ds, (("workitem", uid),))
        location = answer.headers.get("content-location") or answer.headers.get("location") or ""
        return location.rstrip("/").rpartition("/")[2] or uid

    def retrieve(self, uid: str) -> Operation:
        """The attributes of a workitem."""
        answer = check((yield self._core.get_json(self._core.url("workitems", uid))))
        for ds in data_sets_of(answer, self._core.limits.reading):
            return ds
        raise WebError("the server sent no workitem", status=answer.status, url=answer.url)

    def update(self, uid: str, ds: Dataset, transaction: str | None) -> Operation:
        """Change attributes; the warning of the server, if any."""
        params = (("transaction-uid", transaction),) if transaction else ()
        return (yield from self._send("POST", ["workitems", uid], ds, params)).warning

    def state(self, uid: str, state: str, transaction: str) -> Operation:
        """Change the state."""
        if state not in STATES:
            raise ValueError(f"a workitem is changed to {', '.join(STATES)}, not {state!r}")
        ds = Dataset()
        ds.TransactionUID, ds.ProcedureStepState = transaction, state
        return (yield from self._send("PUT", ["workitems", uid, "state"], ds)).warning

    def cancel(self, uid: str, ds: Dataset | None) -> Operation:
        """Ask whoever performs it to cancel."""
        return (yield from self._send("POST", ["workitems", uid, "cancelrequest"], ds)).warning

    def subscribe(self, uid: str, aet: str, *, lock: bool, keys: list[tuple[str, str]]) -> Operation:
        """Ask for events; the URL of the channel that they come on, "" if the server names none."""
        params = (*keys, ("deletionlock", "true" if lock else "false"))
        answer = yield from self._send("POST", ["workitems", uid, "subscribers", aet], None, params)
        return answer.headers.get("content-location", "")

    def unsubscribe(self, uid: str, aet: str) -> Operation:
        """Ask for no more events."""
        yield from self._send("DELETE", ["workitems", uid, "subscribers", aet], None)

    def suspend(self, uid: str, aet: str) -> Operation:
        """Ask for no events of workitems to come."""
        yield from self._send("POST", ["workitems", uid, "subscribers", aet, "suspend"], None)

    def channel(self, aet: str, url: str) -> str:
        """The URL of the WebSocket that events for a title come on."""
        if url.startswith(("ws://", "wss://")):
            url = "http" + url.removeprefix("ws")
        made = resolved(url, self._core.base + "/") if url else self._core.url("subscribers", aet)
        if not is_same_origin(self._core.base, made):
            raise WebError("the channel of events is at another server", url=made)  # it would get the credentials
        return "ws" + made.removeprefix("http")

    # -- storage commitment

    def commit(self, references: Iterable[tuple[str, str]], transaction: str | None) -> Operation:
        """Ask the server to keep instances: (SOP Class UID, SOP Instance UID) of each."""
        ds, items = Dataset(), []
        for sop_class, sop_instance in references:
            item = Dataset()
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, sop_instance
            items.append(item)
        if not items:
            raise ValueError("no instance is named")
        ds.ReferencedSOPSequence = Sequence(items)
        uid = transaction or str(generate_uid())
        path = ["commitment-requests", uid]
        answer = yield from self._send("POST", path, ds)
        return self._committed(answer, uid)

    def commitment(self, transaction: str) -> Operation:
        """Ask for the result."""
        answer = check((yield self._core.get_json(self._core.url("commitment-requests", transaction))))
        return self._committed(answer, transaction)

    def _committed(self, answer: Answer, uid: str) -> Commitment:
        if answer.status == 202:
            return Commitment(uid, False, [])
        said = list(data_sets_of(answer, self._core.limits.reading))
        return Commitment(uid, True, list(outcomes_of(_named(said), said)))


def _named(answers: list[Dataset]) -> list[Item]:
    """The instances that an answer names."""
    found = []
    for ds in answers:
        for keyword in ("ReferencedSOPSequence", "FailedSOPSequence"):
            for item in items_of(ds, keyword):
                names = [text_of(item, f"ReferencedSOP{one}UID") or "" for one in ("Class", "Instance")]
                found.append(Item(None, names[0], names[1], 0, lambda: iter(())))
    return found
