"""Instance availability: one application tells another which instances it can retrieve, and from where (PS3.4 R)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import items_of
from dicomcore.net import Association, Request, Response, Server, Status
from dicomcore.net.commands import Kind
from dicomcore.net.contexts import is_uid
from dicomcore.services.ledger import Ledger, opened, packed, settled, unpacked
from dicomcore.services.ups import Reply
from dicomcore.services.ups_service import answered
from dicomcore.uids import generate_uid

__all__ = ["Availability", "announce", "availability"]

NOTIFICATION = "1.2.840.10008.5.1.4.33"
STATES = ("ONLINE", "NEARLINE", "OFFLINE", "UNAVAILABLE")
INVALID_VALUE, DUPLICATE, INVALID_INSTANCE, NO_SUCH_CLASS, ABSENT_ATTRIBUTE, ABSENT_VALUE = (
    0x0106, 0x0111, 0x0117, 0x0118, 0x0120, 0x0121,
)  # fmt: skip
# Table R.3.2-1: attributes of type 1, by the sequence they stand in.
REQUIRED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((), ("StudyInstanceUID", "ReferencedSeriesSequence")),
    (("ReferencedSeriesSequence",), ("SeriesInstanceUID", "ReferencedSOPSequence")),
    (
        ("ReferencedSeriesSequence", "ReferencedSOPSequence"),
        ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "InstanceAvailability", "RetrieveAETitle"),
    ),
)


def availability(
    rows: Iterable[Mapping[str, Any]], retrieve: str, *, state: str = "ONLINE", steps: Iterable[tuple[str, str]] = ()
) -> Dataset:
    """A notification for the instances of a study.

    `rows` have the Study, Series, SOP Class and SOP Instance UIDs by keyword, as those of a catalogue's IMAGE level do;
    `retrieve` is the AE title that gives the instances, `steps` the performed procedure steps (SOP class, UID) that
    they belong to. ValueError for instances of several studies, or of none.
    """
    if state not in STATES:
        raise ValueError(f"{state!r} is no instance availability; they are {', '.join(STATES)}")
    series: dict[str, list[Dataset]] = {}
    studies: set[str] = set()
    for row in rows:
        studies.add(row["StudyInstanceUID"])
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = row["SOPClassUID"], row["SOPInstanceUID"]
        item.InstanceAvailability, item.RetrieveAETitle = state, retrieve
        series.setdefault(row["SeriesInstanceUID"], []).append(item)
    if len(studies) != 1:
        raise ValueError(f"a notification is for one study, not {len(studies)}")
    made = Dataset()
    made.ReferencedPerformedProcedureStepSequence = [_step(*one) for one in steps]
    made.StudyInstanceUID = studies.pop()
    made.ReferencedSeriesSequence = [_series(uid, items) for uid, items in series.items()]
    return made


def _step(sop_class: str, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    item.PerformedWorkitemCodeSequence = []
    return item


def _series(uid: str, items: list[Dataset]) -> Dataset:
    made = Dataset()
    made.SeriesInstanceUID, made.ReferencedSOPSequence = uid, items
    return made


def announce(association: Association, notification: Dataset, uid: str | None = None) -> Response:
    """Send a notification (N-CREATE)."""
    return association.n_create(NOTIFICATION, notification, instance=uid or generate_uid())


class Availability:
    """Takes notifications of other applications, and keeps them in a ledger.

    `changed` is called with the UID and the data set of each.
    """

    def __init__(
        self,
        ledger: Ledger | str | os.PathLike[str] = ":memory:",
        *,
        changed: Callable[[str, Dataset], object] | None = None,
    ) -> None:
        self.ledger, self._changed = opened(ledger), changed

    def create(self, ds: Dataset, uid: str | None = None) -> Reply:
        """Take a notification (N-CREATE)."""
        uid = uid or generate_uid()
        if not is_uid(uid):
            return Reply(Status(INVALID_INSTANCE), comment="the SOP Instance UID is no UID", instance=uid)
        notice = settled(ds)
        status, comment = _fault(notice)
        if status:
            return Reply(Status(status), comment=comment, instance=uid)
        with self.ledger.transaction() as found:
            if found.execute("SELECT 1 FROM notices WHERE uid=?", (uid,)).fetchone():
                return Reply(Status(DUPLICATE), comment="there is a notification with this UID", instance=uid)
            found.execute("INSERT INTO notices VALUES (?, ?, ?)", (uid, self.ledger.clock(), packed(notice)))
        if self._changed is not None:
            self._changed(uid, notice)
        return Reply(Status(0), instance=uid)

    def __iter__(self) -> Iterator[tuple[str, Dataset]]:
        """The notifications in the order in which they came: UID and data set."""
        with self.ledger.transaction() as found:
            rows = found.execute("SELECT uid, data FROM notices ORDER BY rowid").fetchall()
        return ((uid, unpacked(data)) for uid, data in rows)

    def join(self, server: Server) -> None:
        """Serve."""
        server.service(Kind.N_CREATE, [NOTIFICATION], self._create)

    def _create(self, request: Request) -> int:
        if request.sop_class != NOTIFICATION:
            return NO_SUCH_CLASS
        return answered(request, self.create(request.dataset, request.sop_instance))


def _fault(notice: Dataset) -> tuple[int, str]:
    """What is wrong with a notification: a status and why; 0 if nothing is."""
    for path, keywords in REQUIRED:
        places = [notice]
        for keyword in path:
            places = [item for place in places for item in items_of(place, keyword)]
        for place in places:
            for keyword in keywords:
                if keyword not in place:
                    return ABSENT_ATTRIBUTE, f"{keyword} is missing"
                if place.get(keyword) in (None, "", []):
                    return ABSENT_VALUE, f"{keyword} has no value"
            state = place.get("InstanceAvailability")
            if state is not None and state not in STATES:
                return INVALID_VALUE, "Instance Availability has a value that does not exist"
    return 0, ""
