"""Modality performed procedure steps: made, updated, retrieved and notified (PS3.4 Annex F)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of, text_of
from dicomcore.errors import DicomError
from dicomcore.net import Request, Server, Status
from dicomcore.net.commands import Field, Kind
from dicomcore.net.contexts import is_uid
from dicomcore.services.ledger import Ledger, opened, packed, settled, unpacked
from dicomcore.services.ups import Reply
from dicomcore.services.ups_service import answered
from dicomcore.uids import generate_uid

__all__ = ["PerformedProcedureSteps"]

STEP, RETRIEVE, NOTIFICATION = (f"1.2.840.10008.3.1.2.3.{number}" for number in (3, 4, 5))
IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"
FINAL = (COMPLETED, DISCONTINUED)
EVENTS = {IN_PROGRESS: 1, COMPLETED: 2, DISCONTINUED: 3}
UPDATED, DELETED = 4, 5
INVALID_VALUE, ATTRIBUTE_LIST, PROCESSING_FAILURE, DUPLICATE = 0x0106, 0x0107, 0x0110, 0x0111
NO_SUCH_INSTANCE, INVALID_INSTANCE, NO_SUCH_CLASS, ABSENT_ATTRIBUTE, ABSENT_VALUE = (
    0x0112,
    0x0117,
    0x0118,
    0x0120,
    0x0121,
)
NOT_THERE = 0x0001
NO_LONGER, NO_LONGER_ID = "Performed Procedure Step Object may no longer be updated", 0xA710
STARTED = "STARTED"  # Scheduled Procedure Step Status of a step that is being performed

# Table F.7.2-1, the attributes at the top: those of type 1 and of type 2 for N-CREATE, and those that N-SET may change.
REQUIRED = (
    "ScheduledStepAttributesSequence",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "PerformedProcedureStepStatus",
    "Modality",
)
MAY_BE_EMPTY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "ReferencedPatientSequence",
    "PerformedStationName",
    "PerformedLocation",
    "PerformedProcedureStepDescription",
    "PerformedProcedureTypeDescription",
    "ProcedureCodeSequence",
    "PerformedProcedureStepEndDate",
    "PerformedProcedureStepEndTime",
    "StudyID",
    "PerformedProtocolCodeSequence",
    "PerformedSeriesSequence",
)
NOT_SET = (
    "ScheduledStepAttributesSequence",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "OtherPatientIDsSequence",
    "PatientBirthDate",
    "PatientSex",
    "ReferencedPatientSequence",
    "AdmissionID",
    "IssuerOfAdmissionIDSequence",
    "ServiceEpisodeID",
    "IssuerOfServiceEpisodeIDSequence",
    "ServiceEpisodeDescription",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedStationName",
    "PerformedLocation",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "Modality",
    "StudyID",
)


class PerformedProcedureSteps:
    """The procedure steps that modalities perform, as a service and for programs.

    What devices leave out is made up for: a step without a UID gets one, missing attributes of type 2 are empty, and
    the end of a step that does not say when it ended is now. An attribute that may not be changed is passed over in an
    update, with the warning 0107.

    Parameters
    ----------
    ledger : Ledger or path
        Where steps are kept.
    notify : iterable of str
        AE titles that are told of changes (the Notification SOP Class); a `Reporter` of the ledger sends them.
    changed : callable, optional
        ``changed(uid, step)`` is called with each step that was made or updated.
    strict : bool
        Refuse a step whose final state lacks what table F.7.2-1 wants, by 0120 or 0121.
    """

    def __init__(
        self,
        ledger: Ledger | str | os.PathLike[str] = ":memory:",
        *,
        notify: Iterable[str] = (),
        changed: Callable[[str, Dataset], object] | None = None,
        strict: bool = False,
    ) -> None:
        self.ledger = opened(ledger)
        self._notify, self._changed, self._strict = tuple(notify), changed, strict

    # -- steps

    def create(self, ds: Dataset, uid: str | None = None) -> Reply:
        """Make a step (N-CREATE); without a UID it gets one."""
        uid = uid or generate_uid()
        if not is_uid(uid):
            return _reply(INVALID_INSTANCE, "the SOP Instance UID is no UID", uid)
        step = settled(ds)
        fault = _unfit(step)
        if fault is not None:
            return fault._replace(instance=uid)
        for keyword in MAY_BE_EMPTY:
            if keyword not in step:
                setattr(step, keyword, [] if keyword.endswith("Sequence") else None)
        with self.ledger.transaction() as found:
            if self._step(found, uid) is not None:
                return _reply(DUPLICATE, "there is a step with this UID", uid)
            try:
                self._put(found, uid, step)
            except DicomError as error:
                return _reply(INVALID_VALUE, str(error), uid)
            self._report(uid, EVENTS[IN_PROGRESS])
        self._tell(uid, step)
        return Reply(Status(0), instance=uid)

    def update(self, uid: str, ds: Dataset) -> Reply:
        """Change a step that is in progress (N-SET). Sequences are replaced whole."""
        changes = settled(ds)
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
            if step is None:
                return _reply(NO_SUCH_INSTANCE, "", uid)
            if text_of(step, "PerformedProcedureStepStatus") != IN_PROGRESS:
                return _reply(PROCESSING_FAILURE, NO_LONGER, uid)
            status = text_of(changes, "PerformedProcedureStepStatus")
            if "PerformedProcedureStepStatus" in changes and status not in EVENTS:
                return _reply(INVALID_VALUE, "Performed Procedure Step Status has a value that does not exist", uid)
            ignored = _without_fixed(changes, step)
            step.update(changes)
            if status in FINAL:
                fault = self._finished(step)
                if fault is not None:
                    return fault._replace(instance=uid)
            try:
                self._put(found, uid, step)
            except DicomError as error:
                return _reply(INVALID_VALUE, str(error), uid)
            self._report(uid, EVENTS[status] if status in FINAL else UPDATED)
        self._tell(uid, step)
        if ignored:
            return _reply(ATTRIBUTE_LIST, f"not changed: {', '.join(ignored)}", uid)
        return Reply(Status(0), instance=uid)

    def _finished(self, step: Dataset) -> Reply | None:
        """What a step lacks for its end; what can be made up for is."""
        now = datetime.fromtimestamp(self.ledger.clock())
        series = items_of(step, "PerformedSeriesSequence")
        if self._strict:
            if not series:
                return _reply(ABSENT_VALUE, "PerformedSeriesSequence has no value", "")
            places = [(step, name) for name in ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime")]
            places += [(item, name) for item in series for name in ("ProtocolName", "SeriesInstanceUID")]
            for place, name in places:
                if not place.get(name):
                    return _reply(ABSENT_VALUE if name in place else ABSENT_ATTRIBUTE, f"{name} has no value", "")
        if not step.get("PerformedProcedureStepEndDate"):
            step.PerformedProcedureStepEndDate = now.strftime("%Y%m%d")
        if not step.get("PerformedProcedureStepEndTime"):
            step.PerformedProcedureStepEndTime = now.strftime("%H%M%S")
        return None

    def retrieve(self, uid: str, tags: tuple[int, ...] = ()) -> Reply:
        """The attributes of a step (N-GET), those of `tags` or all."""
        with self.ledger.transaction() as found:
            step = self._step(found, uid)
        if step is None:
            return _reply(NO_SUCH_INSTANCE, "", uid)
        if not tags:
            return Reply(Status(0), step, instance=uid)
        made = Dataset()
        if "SpecificCharacterSet" in step:
            made.SpecificCharacterSet = step.SpecificCharacterSet
        for tag in tags:
            if tag in step:
                made.add(step[tag])
        is_whole = all(tag in step for tag in tags)
        return Reply(Status(0 if is_whole else NOT_THERE), made, instance=uid)

    def delete(self, uid: str) -> bool:
        """Forget a step, and notify that it was deleted; whether there was one."""
        with self.ledger.transaction() as found:
            is_there = found.execute("DELETE FROM steps WHERE uid=?", (uid,)).rowcount > 0
            if is_there:
                self._report(uid, DELETED)
        return is_there

    def __iter__(self) -> Iterator[tuple[str, Dataset]]:
        """The steps, in the order in which they were made: UID and data set."""
        with self.ledger.transaction() as found:
            rows = found.execute("SELECT uid, data FROM steps ORDER BY rowid").fetchall()
        return ((uid, unpacked(data)) for uid, data in rows)

    def applied_to(self, items: Callable[[], Iterable[Dataset]]) -> Callable[[], Iterator[Dataset]]:
        """A worklist without the steps that are done; those that are being performed have the status STARTED.

        A performed step belongs to a scheduled one of the same Study Instance UID and Scheduled Procedure Step ID.
        """

        def remaining() -> Iterator[Dataset]:
            known: dict[tuple[str, str], str] = {}
            for _, step in self:
                for scheduled in items_of(step, "ScheduledStepAttributesSequence"):
                    key = (
                        text_of(scheduled, "StudyInstanceUID") or "",
                        text_of(scheduled, "ScheduledProcedureStepID") or "",
                    )
                    known[key] = text_of(step, "PerformedProcedureStepStatus") or ""
            for item in items():
                study = text_of(item, "StudyInstanceUID") or ""
                kept, states = [], []
                for step in items_of(item, "ScheduledProcedureStepSequence"):
                    states.append(known.get((study, text_of(step, "ScheduledProcedureStepID") or ""), ""))
                    if states[-1] == COMPLETED:
                        continue
                    kept.append(step)
                    if states[-1] == IN_PROGRESS:
                        kept[-1] = step.copy()
                        kept[-1].ScheduledProcedureStepStatus = STARTED
                if any(states):
                    item = item.copy()
                    item.ScheduledProcedureStepSequence = kept
                if kept or not states:
                    yield item

        return remaining

    # -- rows

    def _step(self, found: sqlite3.Connection, uid: str) -> Dataset | None:
        row = found.execute("SELECT data FROM steps WHERE uid=?", (uid,)).fetchone()
        return unpacked(row[0]) if row else None

    def _put(self, found: sqlite3.Connection, uid: str, step: Dataset) -> None:
        found.execute(
            "INSERT INTO steps VALUES (?1, ?2, ?3, ?4) ON CONFLICT (uid) DO UPDATE SET status=?2, changed=?3, data=?4",
            (uid, text_of(step, "PerformedProcedureStepStatus"), self.ledger.clock(), packed(step)),
        )

    def _report(self, uid: str, event: int) -> None:
        for aet in self._notify:
            self.ledger.post(aet, NOTIFICATION, uid, event, Dataset())

    def _tell(self, uid: str, step: Dataset) -> None:
        if self._changed is not None:
            self._changed(uid, step)

    # -- the service

    def join(self, server: Server) -> None:
        """Serve."""
        server.service(Kind.N_CREATE, [STEP], self._create)
        server.service(Kind.N_SET, [STEP], self._set)
        server.service(Kind.N_GET, [STEP, RETRIEVE], self._get)

    def _create(self, request: Request) -> int:
        if request.sop_class != STEP:
            return NO_SUCH_CLASS
        return answered(request, self.create(request.dataset, request.sop_instance))

    def _set(self, request: Request) -> int:
        if request.sop_class != STEP:
            return NO_SUCH_CLASS
        reply = self.update(request.sop_instance, request.dataset)
        if reply.comment == NO_LONGER:
            request.response[Field.ERROR_ID] = NO_LONGER_ID
        return answered(request, reply)

    def _get(self, request: Request) -> tuple[int, Dataset | None] | int:
        if request.sop_class not in (STEP, RETRIEVE):
            return NO_SUCH_CLASS
        reply = self.retrieve(request.sop_instance, request.command.get(Field.ATTRIBUTES) or ())
        return answered(request, reply), reply.dataset


def _reply(status: int, comment: str, uid: str) -> Reply:
    return Reply(Status(status), comment=comment or Status(status).text, instance=uid)


def _unfit(step: Dataset) -> Reply | None:
    """What is wrong with a step to be made, None if nothing is."""
    for keyword in REQUIRED:
        if keyword not in step:
            return _reply(ABSENT_ATTRIBUTE, f"{keyword} is missing", "")
        if step.get(keyword) in (None, "", []):
            return _reply(ABSENT_VALUE, f"{keyword} has no value", "")
    if text_of(step, "PerformedProcedureStepStatus") != IN_PROGRESS:
        return _reply(INVALID_VALUE, "Performed Procedure Step Status is not IN PROGRESS", "")
    return None


def _without_fixed(changes: Dataset, step: Dataset) -> list[str]:
    """Take away what N-SET may not change; the keywords whose values would have been others."""
    ignored = []
    for keyword in NOT_SET:
        if keyword in changes:
            if changes.get(keyword) != step.get(keyword):
                ignored.append(keyword)
            delattr(changes, keyword)
    return ignored
