"""Workitems: unified procedure steps, their states, their subscribers, and reports to these (PS3.4 Annex CC).

This is what DIMSE and DICOMweb have in common. It knows no association and no HTTP: requests come as data sets, answers
go as statuses, and reports are kept for each subscriber until they are delivered.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from dicomcore.catalogue import Query, compile_identifier
from dicomcore.catalogue.zones import moved_set
from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item, text_of
from dicomcore.errors import DicomError
from dicomcore.net.contexts import LONGEST_UID, is_uid
from dicomcore.net.statuses import Status
from dicomcore.services import ups_reports, ups_rules
from dicomcore.services.ledger import Event, Ledger, opened, packed, settled, unpacked
from dicomcore.services.ups_rules import CANCELED, FINAL, IN_PROGRESS, SCHEDULED, STATES, Act, outcome
from dicomcore.services.ups_search import answer, keys_of
from dicomcore.uids import generate_uid

__all__ = ["EVENT", "FILTERED", "GLOBAL", "PULL", "PUSH", "QUERY", "WATCH", "Reply", "Workitems"]

PUSH, WATCH, PULL, EVENT, QUERY = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in range(1, 6))
GLOBAL, FILTERED = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"
EVERYTHING = (GLOBAL, FILTERED)
"""The UIDs that stand for all steps in subscriptions."""

ABSENT_ATTRIBUTE, ABSENT_VALUE, INVALID_VALUE, NOT_THERE = 0x0120, 0x0121, 0x0106, 0x0001
INVALID_ARGUMENT, NO_ARGUMENT = 0x0115, 0x0114
TRANSACTION = 0x00081195
AT_A_TIME = 1000  # steps that a search looks at without giving others a turn
KEPT = 24 * 3600.0  # seconds for which a step in its final state stays
UNSPECIFIED = ("110513", "DCM", "Discontinued for unspecified reason")
EMPTY_AT_FIRST = (
    "TransactionUID",
    "ProcedureStepProgressInformationSequence",
    "UnifiedProcedureStepPerformedProcedureSequence",
)


class Reply(NamedTuple):
    """The answer to a request: its status, a data set if there is one, a comment on what is wrong, and the step."""

    status: Status
    dataset: Dataset | None = None
    comment: str = ""
    instance: str = ""


class _Step(NamedTuple):
    uid: str
    state: str
    owner: str
    dataset: Dataset


class Workitems:
    """The unified procedure steps of a ledger.

    Parameters
    ----------
    ledger : Ledger or path
        Where steps, subscriptions and reports are kept; ``":memory:"`` keeps them as long as the object lives.
    cancels : callable, optional
        ``cancels(uid, step)`` is asked when a peer wants a step in progress to be cancelled: True cancels it, False
        refuses (C313), None leaves it to whoever performs it, who is told by a report.
    keep : float
        Seconds for which a step in its final state stays; a deletion lock makes it stay longer.
    worklist : str
        The Worklist Label of steps that come without one.
    locks : bool
        Whether deletion locks are granted.
    """

    def __init__(
        self,
        ledger: Ledger | str | os.PathLike[str] = ":memory:",
        *,
        cancels: Callable[[str, Dataset], bool | None] | None = None,
        keep: float = KEPT,
        worklist: str = "WORKLIST",
        locks: bool = True,
    ) -> None:
        self.ledger = opened(ledger)
        self._cancels, self._keep, self._worklist, self._locks = cancels, keep, worklist, locks

    # -- steps

    def create(self, ds: Dataset, uid: str | None = None) -> Reply:
        """Make a step (N-CREATE, Create Workitem). Without `uid` it gets that of the data set, or a new one."""
        uid = uid or text_of(ds, "SOPInstanceUID") or generate_uid()
        if not is_uid(uid) or uid in EVERYTHING:
            return _reply(0x0117, "the SOP Instance UID is no UID that a step can have", uid)
        with self.ledger.transaction() as found:
            happens = outcome("N-CREATE", self._state(found, uid))
            if isinstance(happens, int):
                return _reply(happens, "there is a step with this UID", uid)
            step = settled(ds)
            fault = _unfit(step)
            if fault is not None:
                return fault._replace(instance=uid)
            changes = self._completed(step, uid)
            try:
                self._put(found, _Step(uid, SCHEDULED, "", step), is_new=True)
            except DicomError as error:
                return _reply(INVALID_VALUE, str(error), uid)
            for aet, lock in self._meant(found, step):
                self._subscribe(found, uid, aet, lock)
            self._report(uid, ups_reports.STATE, ups_reports.state(step))
            if len(told := ups_reports.assigned(step)):
                self._report(uid, ups_reports.ASSIGNED, told)
            self._clear(found)
        status = ups_rules.WITH_CHANGES if changes else 0
        return Reply(Status(status), comment=f"changed: {', '.join(changes)}" if changes else "", instance=uid)

    def _completed(self, step: Dataset, uid: str) -> list[str]:
        """Fill in what the provider has to; the keywords whose values it took away."""
        changed = [name for name in EMPTY_AT_FIRST if name in step and step.get(name) not in (None, "", [])]
        if (text_of(step, "SOPInstanceUID") or uid) != uid:
            changed.append("SOPInstanceUID")
        for rule in ups_rules.ATTRIBUTES:
            keyword = rule.path[0]
            if len(rule.path) == 1 and rule.create.split("/")[-1][0] == "2" and keyword not in step:
                setattr(step, keyword, [] if keyword.endswith("Sequence") else None)
        for name in EMPTY_AT_FIRST[1:]:
            setattr(step, name, [])
        step.pop(TRANSACTION, None)
        step.SOPClassUID, step.SOPInstanceUID = PUSH, uid
        step.ScheduledProcedureStepModificationDateTime = self._now()
        if not text_of(step, "WorklistLabel"):
            step.WorklistLabel = self._worklist
        return changed

    def retrieve(self, uid: str, tags: tuple[int, ...] = ()) -> Reply:
        """The attributes of a step (N-GET, Retrieve Workitem): those of `tags`, else all. The lock is never told."""
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
        if step is None:
            return _none(uid)
        if not tags:
            return Reply(Status(0), step.dataset, instance=uid)
        made = _in_its_characters(step.dataset)
        missing = [tag for tag in tags if tag not in step.dataset]
        for tag in tags:
            if tag in step.dataset:
                made.add(step.dataset[tag])
        return Reply(Status(NOT_THERE if missing else 0), made, instance=uid)

    def update(self, uid: str, ds: Dataset, *, transaction: str | None = None) -> Reply:
        """Change attributes of a step (N-SET, Update Workitem).

        A step in progress needs its transaction UID, as an argument or in the data set. Sequences are replaced whole.
        """
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
            given = (transaction or text_of(ds, "TransactionUID") or "").strip()
            fault = _not_updated(step, given)
            if fault or step is None:
                return fault or _none(uid)
            changes = settled(ds)
            changes.pop(TRANSACTION, None)
            refused = _refused(step, changes)
            if refused is not None:
                return refused._replace(instance=uid)
            before = step.dataset.copy()
            after = step.dataset
            after.update(changes)
            after.ScheduledProcedureStepModificationDateTime = self._now()
            try:
                self._put(found, step)
            except DicomError as error:
                return _reply(INVALID_VALUE, str(error), uid)
            self._report_changes(uid, before, after)
        return Reply(Status(0), instance=uid)

    def _report_changes(self, uid: str, before: Dataset, after: Dataset) -> None:
        if before.get("InputReadinessState") != after.get("InputReadinessState"):
            self._report(uid, ups_reports.STATE, ups_reports.state(after))
        if any(before.get(name) != after.get(name) for name in (ups_reports.STATIONS, ups_reports.PERFORMERS)):
            self._report(uid, ups_reports.ASSIGNED, ups_reports.assigned(after))
        told = ups_reports.progress(after)
        if told != ups_reports.progress(before):
            self._report(uid, ups_reports.PROGRESS, told)

    def change_state(self, uid: str, state: str, transaction: str) -> Reply:
        """Change the state of a step (N-ACTION 1, Change Workitem State).

        IN PROGRESS claims it: `transaction` is then what every further change has to bring.
        """
        transaction = transaction.strip()
        if state not in STATES:
            return _reply(INVALID_ARGUMENT, f"{state[:24]!r} is no state of a step", uid)
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
            happens = outcome((state, _is_right(step, transaction)), step.state if step else "")
            if isinstance(happens, int) or step is None:
                status = happens if isinstance(happens, int) else ups_rules.NO_WORKITEM
                return _reply(status, "", uid)
            if happens is Act.CLAIM:
                self._put(found, step._replace(state=IN_PROGRESS, owner=transaction))
            else:
                if happens is Act.CANCEL:
                    self._cancelled(step.dataset, Dataset())
                missing = ups_rules.lacking(step.dataset, state)
                if missing:
                    return _reply(ups_rules.NOT_READY, f"missing: {', '.join(missing)}", uid)
                self._put(found, step._replace(state=state))
            self._report(uid, ups_reports.STATE, ups_reports.state(step.dataset))
        return Reply(Status(0), instance=uid)

    def request_cancel(self, uid: str, ds: Dataset | None = None, *, requester: str = "") -> Reply:
        """Ask for a step to be cancelled (N-ACTION 2, Request Cancellation); `requester` is the AE title that asks."""
        asked = settled(ds) if ds is not None else Dataset()
        choice = self._choice(uid)
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
            happens = outcome("cancel", step.state if step else "")
            if isinstance(happens, int) or step is None:
                return _reply(happens if isinstance(happens, int) else ups_rules.NO_WORKITEM, "", uid)
            choice = True if happens is Act.STOP else choice
            if choice is False:
                return _reply(ups_rules.NOT_CANCELLED, "", uid)
            if choice is None and not self._receivers(found, uid):
                return _reply(ups_rules.NOT_REACHED, "nobody is subscribed to the step", uid)
            self._report(uid, ups_reports.CANCEL_REQUESTED, ups_reports.cancel_requested(asked, requester))
            if choice is True:
                self._stop(found, step, asked)
        return Reply(Status(0), instance=uid)

    def _choice(self, uid: str) -> bool | None:
        """What the performer says to the cancellation of a step in progress, None if that is nobody here."""
        if self._cancels is None:
            return None
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
        return self._cancels(uid, step.dataset) if step is not None and step.state == IN_PROGRESS else None

    def _stop(self, found: sqlite3.Connection, step: _Step, asked: Dataset) -> None:
        """Cancel a step by the provider itself: a scheduled one is in progress first."""
        if step.state == SCHEDULED:
            step = step._replace(state=IN_PROGRESS, owner=generate_uid())
            self._put(found, step)
            self._report(step.uid, ups_reports.STATE, ups_reports.state(step.dataset))
        self._cancelled(step.dataset, asked)
        self._put(found, step._replace(state=CANCELED))
        self._report(step.uid, ups_reports.STATE, ups_reports.state(step.dataset))

    def _cancelled(self, step: Dataset, asked: Dataset) -> None:
        """Progress information as a cancelled step has it: when, and why as far as it is known (CC.2.5-3)."""
        item = first_item(step, ups_reports.PROGRESS_INFORMATION) or Dataset()
        if not item.get("ProcedureStepCancellationDateTime"):
            item.ProcedureStepCancellationDateTime = self._now()
        for keyword in ("ReasonForCancellation", ups_reports.CODES):
            if asked.get(keyword):
                item.add(asked[keyword])
        if not item.get(ups_reports.CODES):
            item.ProcedureStepDiscontinuationReasonCodeSequence = [_code(*UNSPECIFIED)]
        if asked.get("ContactURI"):
            contact = Dataset()
            contact.ContactURI = asked.ContactURI
            if asked.get("ContactDisplayName"):
                contact.ContactDisplayName = asked.ContactDisplayName
            item.ProcedureStepCommunicationsURISequence = [contact]
        step.ProcedureStepProgressInformationSequence = [item]

    # -- searching

    def search(
        self,
        identifier: Dataset,
        *,
        whole: bool = False,
        fuzzy: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> Iterator[Dataset]:
        """Steps that match an identifier (C-FIND, Search for Workitems), in the order of their creation.

        A step has the attributes of the identifier, or all of them if `whole`. ValueError for an identifier of too many
        keys, and for dates and times that are none.
        """
        query = compile_identifier(identifier, fuzzy=fuzzy, adjusted=True)
        count = 0
        for step in self._matching(query):
            count += 1
            if count <= offset:
                continue
            if limit is not None and count > offset + limit:
                return
            yield step if whole else answer(identifier, step, query.terms)

    def _matching(self, query: Query) -> Iterator[Dataset]:
        terms = [term for term in query.terms if term.keyword != "TransactionUID"]
        query = Query(query.level, terms, query.asked, query.zone)
        where, values = _narrowed(query)
        sql = f"SELECT rowid, uid, keys FROM workitems WHERE rowid > ?{where} ORDER BY rowid LIMIT {AT_A_TIME}"
        last = 0
        while True:
            with self.ledger.transaction() as found:
                rows = found.execute(sql, (last, *values)).fetchall()
            for row, uid, keys in rows:
                last = row
                if not query.matches(json.loads(keys)):
                    continue
                with self.ledger.transaction() as found:
                    step = self._step(found, uid)
                if step is not None:
                    yield moved_set(step.dataset, query.zone) if query.zone else step.dataset
            if len(rows) < AT_A_TIME:
                return

    # -- subscriptions

    def subscribe(
        self, uid: str, aet: str, *, lock: bool = False, keys: Dataset | None = None, channel: str | None = None
    ) -> Reply:
        """Have changes of a step, or of all with `GLOBAL` or `FILTERED`, reported to an AE title (N-ACTION 3).

        `lock` keeps steps when they are done until the subscription ends. `keys` are those of a filtered one: an
        identifier. `channel` says how reports go, if not as before: ``"dimse"``, or another name such as ``"web"`` for
        reports that are fetched by `events`.
        """
        if not aet:
            return _reply(NO_ARGUMENT, "Receiving AE has no value", uid)
        if uid == FILTERED and not keys:
            return _reply(NO_ARGUMENT, "a filtered subscription has matching keys", uid)
        granted = lock and self._locks
        with self.ledger.transaction() as found:
            if uid not in EVERYTHING and not self._state(found, uid):
                return _none(uid)
            if channel is not None:
                self.ledger.set_channel(aet, channel)
            if uid in EVERYTHING:
                try:
                    self._subscribe_all(found, aet, granted, settled(keys) if keys and uid == FILTERED else None)
                except ValueError as error:
                    return _reply(INVALID_ARGUMENT, str(error), uid)
            else:
                self._subscribe(found, uid, aet, granted)
                self._tell(found, uid, aet)
        if lock and not granted:
            return _reply(ups_rules.NO_LOCK, "", uid)
        return Reply(Status(0), instance=uid)

    def _subscribe_all(self, found: sqlite3.Connection, aet: str, lock: bool, keys: Dataset | None) -> None:
        """Table CC.2.3-2: steps without a subscription get one; those that have one keep it."""
        wanted = None if keys is None else compile_identifier(keys, adjusted=True)
        held = None if keys is None else packed(keys)
        found.execute("INSERT OR REPLACE INTO subscribers VALUES (?, ?, ?)", (aet, lock, held))
        rows = found.execute(
            "SELECT uid, keys FROM workitems "
            "WHERE uid NOT IN (SELECT uid FROM subscriptions WHERE aet=?) ORDER BY rowid",
            (aet,),
        ).fetchall()
        for uid, known in rows:
            if wanted is None or wanted.matches(json.loads(known)):
                self._subscribe(found, uid, aet, lock)
                if lock:
                    self._tell(found, uid, aet)

    def unsubscribe(self, uid: str, aet: str) -> Reply:
        """End the subscription of an AE title to a step, or all that it has with `GLOBAL` (N-ACTION 4)."""
        with self.ledger.transaction() as found:
            if uid in EVERYTHING:
                found.execute("DELETE FROM subscribers WHERE aet=?", (aet,))
                found.execute("DELETE FROM subscriptions WHERE aet=?", (aet,))
            elif not self._state(found, uid):
                return _none(uid)
            else:
                found.execute("DELETE FROM subscriptions WHERE uid=? AND aet=?", (uid, aet))
        return Reply(Status(0), instance=uid)

    def suspend(self, aet: str, uid: str = GLOBAL) -> Reply:
        """Subscribe an AE title to no further steps; subscriptions that it has stay (N-ACTION 5)."""
        if uid not in EVERYTHING:
            return _reply(ups_rules.NOT_APPROPRIATE, "only a global subscription can be suspended", uid)
        with self.ledger.transaction() as found:
            found.execute("DELETE FROM subscribers WHERE aet=?", (aet,))
        return Reply(Status(0), instance=uid)

    def subscribers(self, uid: str = GLOBAL) -> dict[str, bool]:
        """The AE titles that are subscribed to a step, or globally, and whether with a deletion lock."""
        sql, values = ("SELECT aet, lock FROM subscribers", ()) if uid in EVERYTHING else (
            "SELECT aet, lock FROM subscriptions WHERE uid=?", (uid,),
        )  # fmt: skip
        with self.ledger.transaction() as found:
            return {aet: bool(lock) for aet, lock in found.execute(sql, values)}

    # -- reports

    def events(self, aet: str, *, after: int = 0) -> Iterator[Event]:
        """Reports that are kept for an AE title, the oldest first; `after` skips those up to a number."""
        while some := self.ledger.reports(aet, after=after):
            yield from (event for event in some if event.sop_class == PUSH)
            after = some[-1].number

    def acknowledge(self, number: int) -> None:
        """A report was delivered, and need not be kept."""
        self.ledger.delivered(number)

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Have a function called with each report from now on, in the thread that causes it; the result ends that."""

        def told(event: Event) -> None:
            if event.sop_class == PUSH:
                listener(event)

        return self.ledger.listen(told)

    def announce(self, status: str, *, kept: bool = True, receivers: tuple[str, ...] = ()) -> None:
        """Report that the provider was ``"RESTARTED"`` or is ``"GOING DOWN"`` to all subscribers and `receivers`."""
        told = ups_reports.server_status(status, kept=kept)
        with self.ledger.transaction() as found:
            rows = found.execute("SELECT aet FROM subscribers UNION SELECT aet FROM subscriptions").fetchall()
            for aet in dict.fromkeys([*receivers, *(row[0] for row in rows)]):
                self.ledger.post(aet, PUSH, GLOBAL, ups_reports.SERVER_STATUS, told, context=EVENT)

    def clear(self) -> int:
        """Forget steps whose final state is older than `keep` and that have no deletion lock; how many."""
        with self.ledger.transaction() as found:
            return self._clear(found)

    def _clear(self, found: sqlite3.Connection) -> int:
        return found.execute(
            "DELETE FROM workitems WHERE state IN (?, ?) AND changed <= ? AND uid NOT IN "
            "(SELECT uid FROM subscriptions WHERE lock)",
            (*FINAL, self.ledger.clock() - self._keep),
        ).rowcount

    # -- rows

    def _now(self) -> str:
        return datetime.fromtimestamp(self.ledger.clock()).strftime("%Y%m%d%H%M%S")

    def _state(self, found: sqlite3.Connection, uid: str) -> str:
        row = found.execute("SELECT state FROM workitems WHERE uid=?", (uid,)).fetchone()
        return row[0] if row else ""

    def _step(self, found: sqlite3.Connection, uid: str) -> _Step | None:
        row = found.execute("SELECT state, owner, data FROM workitems WHERE uid=?", (uid,)).fetchone()
        return _Step(uid, row[0], row[1], unpacked(row[2])) if row else None

    def _put(self, found: sqlite3.Connection, step: _Step, *, is_new: bool = False) -> None:
        """Write a step; its data set says its state."""
        step.dataset.ProcedureStepState = step.state
        data, keys = packed(step.dataset), json.dumps(keys_of(step.dataset))
        values = step.state, step.owner, self.ledger.clock(), data, keys, step.uid
        if is_new:
            found.execute(
                "INSERT INTO workitems (state, owner, changed, data, keys, uid) VALUES (?, ?, ?, ?, ?, ?)", values
            )
        else:
            found.execute("UPDATE workitems SET state=?, owner=?, changed=?, data=?, keys=? WHERE uid=?", values)

    def _subscribe(self, found: sqlite3.Connection, uid: str, aet: str, lock: bool) -> None:
        found.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?)", (uid, aet, lock))

    def _meant(self, found: sqlite3.Connection, step: Dataset) -> list[tuple[str, bool]]:
        """The AE titles whose global subscription a new step falls under."""
        rows = found.execute("SELECT aet, lock, keys FROM subscribers").fetchall()
        made, known = [], keys_of(step) if rows else {}
        for aet, lock, keys in rows:
            if keys is None or _is_meant(unpacked(keys), known):
                made.append((aet, bool(lock)))
        return made

    def _receivers(self, found: sqlite3.Connection, uid: str) -> list[str]:
        rows = found.execute("SELECT aet FROM subscriptions WHERE uid=? ORDER BY aet", (uid,)).fetchall()
        return [row[0] for row in rows]

    def _report(self, uid: str, event: int, ds: Dataset) -> None:
        with self.ledger.transaction() as found:
            for aet in self._receivers(found, uid):
                self.ledger.post(aet, PUSH, uid, event, ds, context=EVENT)

    def _tell(self, found: sqlite3.Connection, uid: str, aet: str) -> None:
        """The first report to a new subscriber: the state as it is."""
        step = self._step(found, uid)
        if step is not None:
            self.ledger.post(aet, PUSH, uid, ups_reports.STATE, ups_reports.state(step.dataset), context=EVENT)


def _reply(status: int, comment: str, uid: str) -> Reply:
    return Reply(Status(status), comment=comment or Status(status).text, instance=uid)


def _is_meant(keys: Dataset, step: dict[str, Any]) -> bool:
    """Whether a step falls under the keys of a subscription; none does under keys that cannot be understood."""
    try:
        return compile_identifier(keys, adjusted=True).matches(step)
    except ValueError:  # kept by an earlier version
        return False


def _narrowed(query: Query) -> tuple[str, list[str]]:
    """A condition in SQL that all matches fulfil: a value that is to be equal stands somewhere in a step's keys."""
    where, values = "", []
    for term in query.terms:
        if term.kind == "equal" and term.vr != "PN":
            where += f" AND ({' OR '.join(['instr(keys, ?)'] * len(term.values))})"
            values += [json.dumps(value)[1:-1] for value in term.values]
    return where, values


def _none(uid: str) -> Reply:
    return _reply(ups_rules.NO_WORKITEM, "", uid)


def _in_its_characters(step: Dataset) -> Dataset:
    """An empty data set for values of a step, which says their character set if one has to."""
    made = Dataset()
    if "SpecificCharacterSet" in step:
        made.SpecificCharacterSet = step.SpecificCharacterSet
    return made


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, meaning
    return made


def _is_right(step: _Step | None, transaction: str) -> bool:
    """Whether a transaction UID is right: any for a step that nobody has claimed, else that of who claimed it."""
    if step is None or not 0 < len(transaction) <= LONGEST_UID:
        return False
    return step.state == SCHEDULED or transaction == step.owner


def _unfit(step: Dataset) -> Reply | None:
    """What is wrong with a step to be made, None if nothing is."""
    if text_of(step, "ProcedureStepState") != SCHEDULED:
        return _reply(ups_rules.NOT_SCHEDULED, "", "")
    for rule in ups_rules.ATTRIBUTES:
        keyword = rule.path[-1]
        if len(rule.path) > 1 or rule.create != "1/1":
            continue
        if keyword not in step:
            return _reply(ABSENT_ATTRIBUTE, f"{keyword} is missing", "")
        if step.get(keyword) in (None, "", []):
            return _reply(ABSENT_VALUE, f"{keyword} has no value", "")
    return None


def _not_updated(step: _Step | None, given: str) -> Reply | None:
    """Why a step may not be changed by who brings this transaction UID, None if it may (CC.2.6.3)."""
    if step is None:
        return None
    if step.state in FINAL:
        return _reply(ups_rules.NO_LONGER, "", step.uid)
    if step.state == SCHEDULED and given:
        return _reply(ups_rules.NOT_IN_PROGRESS, "", step.uid)
    if step.state == IN_PROGRESS and given != step.owner:
        return _reply(ups_rules.WRONG_TRANSACTION, "", step.uid)
    return None


def _refused(step: _Step, changes: Dataset) -> Reply | None:
    """Why changes are refused. What may not be changed is passed over if it comes with the value that the step has."""
    for rule in ups_rules.ATTRIBUTES:
        keyword = rule.path[0]
        if len(rule.path) > 1 or keyword not in changes:
            continue
        value: Any = changes.get(keyword)
        if rule.set == "no":
            if keyword == "ProcedureStepState" and value == SCHEDULED != step.state:
                return _reply(ups_rules.ONLY_CREATED, "", "")
            if value != step.dataset.get(keyword):
                return _reply(INVALID_VALUE, f"{keyword} cannot be changed", "")
            delattr(changes, keyword)
        elif rule.set.endswith("/1") and value in (None, "", []):
            return _reply(ABSENT_VALUE, f"{keyword} has no value", "")
    return None
