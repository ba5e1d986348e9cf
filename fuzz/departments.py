"""Targets of workflow and printing: what peers say about procedure steps, workitems, sheets of film."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from dicomcore import Dataset, services
from dicomcore.encoding import decode, encode
from dicomcore.services.commitment import committed, references_in
from dicomcore.services.ledger import packed, settled, unpacked
from dicomcore.services.print_sheet import Density, Lut, boxes_of, film_size, paint, picture_of
from dicomcore.services.ups import FILTERED, GLOBAL, Reply
from dicomcore.services.ups_rules import FINAL, STATES
from fuzz.target import LIMITS, FuzzInput, Target

EXPLICIT = "1.2.840.10008.1.2.1"
STEP, LOCK = "1.2.3", "1.2.3.4"


def made(**values: Any) -> Dataset:
    ds = Dataset()
    ds.validation = "ignore"
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def good_step() -> Dataset:
    return made(
        ProcedureStepState="SCHEDULED", ScheduledProcedureStepPriority="HIGH", ProcedureStepLabel="Read",
        ScheduledProcedureStepStartDateTime="20250102120000", InputReadinessState="READY", PatientName="Müller^Jörg",
        SpecificCharacterSet="ISO_IR 100",
    )  # fmt: skip


def workitems(data: bytes) -> None:
    """Any data set in any request about a workitem: a status, and afterwards a step that can be read and is legal."""
    taken = FuzzInput(data)
    before, action, is_right = taken.byte() % 5, taken.byte() % 7, bool(taken.byte() & 1)
    ds = decode(taken.left, EXPLICIT, limits=LIMITS)
    items = services.Workitems()
    items.subscribe(GLOBAL, "WATCH", channel="web")
    if before:
        assert items.create(good_step(), STEP).status == 0
    if before > 1:
        assert items.change_state(STEP, "IN PROGRESS", LOCK).status == 0
    if before > 2:
        assert items.request_cancel(STEP).status == 0
    lock = LOCK if is_right else ""
    state = _state(items)
    reply: Any = (
        lambda: items.create(ds, STEP),
        lambda: items.update(STEP, ds, transaction=lock),
        lambda: items.change_state(STEP, STATES[len(taken.left) % 4], lock),
        lambda: items.request_cancel(STEP, ds, requester="ME"),
        lambda: items.subscribe(FILTERED, "OTHER", keys=ds, channel="web"),
        lambda: items.retrieve(STEP, tuple(int(element.tag) for element in ds)),
        lambda: list(items.search(ds)) if action == 6 else None,
    )[action]()
    after = _state(items)
    if isinstance(reply, Reply) and not reply.status.is_success:
        assert after == state
    assert after in ("", *STATES)
    assert state not in FINAL or after == state
    for event in items.events("WATCH"):
        encode(event.dataset, EXPLICIT)
    found = items.retrieve(STEP).dataset
    if found is not None:
        assert "TransactionUID" not in found
        encode(found, EXPLICIT)


def _state(items: services.Workitems) -> str:
    found = items.retrieve(STEP).dataset
    return "" if found is None else str(found.ProcedureStepState)


def steps(data: bytes) -> None:
    """Any data set in a performed procedure step, an availability notification, or a result of a commitment."""
    ds = decode(data, EXPLICIT, limits=LIMITS)
    held = services.PerformedProcedureSteps()
    reply = held.create(ds, STEP)
    if not reply.status.is_success:
        good = made(
            ScheduledStepAttributesSequence=[made(StudyInstanceUID="1.2")], PerformedProcedureStepID="1", Modality="CT",
            PerformedStationAETitle="A", PerformedProcedureStepStartDate="20250102", PatientID="1",
            PerformedProcedureStepStartTime="12", PerformedProcedureStepStatus="IN PROGRESS",
        )  # fmt: skip
        assert held.create(good, STEP).status == 0
        held.update(STEP, ds)
        assert held.retrieve(STEP).dataset.PatientID == "1"  # type: ignore[union-attr]
    encode(held.retrieve(STEP).dataset, EXPLICIT)  # type: ignore[arg-type]
    list(held.applied_to(lambda: [ds])())
    services.Availability().create(ds)
    references_in(ds)
    committed(ds)
    kept = settled(ds)
    assert unpacked(packed(kept)) == unpacked(packed(unpacked(packed(kept))))


def sheets(data: bytes) -> None:
    """Any data set as an image or a presentation LUT, any text as a layout or a film: nothing is painted outside."""
    taken = FuzzInput(data)
    text = taken.part().decode("latin-1")
    boxes = boxes_of(text, 8, 10, 20)
    size = film_size(text)
    assert size is None or 0 < size[0] <= size[1]
    sheet = np.zeros((200, 160), np.uint8)
    for box in boxes or ():
        assert sheet[box.top : box.top + box.rows, box.left : box.left + box.columns].size
    ds = decode(taken.left, EXPLICIT, limits=LIMITS)
    density = Density()
    try:
        lut = Lut(ds)
    except (ValueError, TypeError):
        lut = None
    picture, status, _ = picture_of(ds)
    assert (picture is None) == bool(status)
    if picture is not None and picture.size < 1 << 16 and boxes and picture.ndim == 2:
        shown = picture if lut is None else lut.apply(picture, density)
        assert np.isfinite(shown).all()
        box = boxes[0]
        paint(sheet, box, shown, aspect=1 + taken.byte() / 16)
        sheet[box.top : box.top + box.rows, box.left : box.left + box.columns] = 0
        assert not sheet.any()


def requests() -> Iterator[bytes]:
    told = (
        good_step(),
        made(TransactionUID=LOCK, ProcedureStepState="COMPLETED"),
        made(ReasonForCancellation="no", ContactURI="tel:1"),
        made(ProcedureStepProgressInformationSequence=[made(ProcedureStepProgress="5")]),
        made(PatientName="M*", ScheduledStationNameCodeSequence=[made(CodeValue="1", CodingSchemeDesignator="99")]),
        Dataset(),
    )
    for at, ds in enumerate(told):
        for before in range(4):
            yield bytes((before, at + before, at)) + encode(ds, EXPLICIT)


def performed() -> Iterator[bytes]:
    refers = made(ReferencedSOPClassUID="1.2", ReferencedSOPInstanceUID="1.2.3", FailureReason=0x0112)
    for ds in (
        made(PerformedProcedureStepStatus="COMPLETED", PerformedSeriesSequence=[made(SeriesInstanceUID="1.2")]),
        made(TransactionUID="1.2", ReferencedSOPSequence=[refers], FailedSOPSequence=[refers]),
        made(ScheduledProcedureStepSequence=[made(ScheduledProcedureStepID="1")], StudyInstanceUID="1.2"),
    ):
        yield encode(ds, EXPLICIT)


def printed() -> Iterator[bytes]:
    image = made(
        SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME1", Rows=2, Columns=4, BitsAllocated=8, BitsStored=8,
        HighBit=7, PixelRepresentation=0, PresentationLUTShape="LIN OD",
    )  # fmt: skip
    image.add_new(0x7FE00010, "OW", bytes(range(8)))
    for text in (b"STANDARD\\2,3", b"ROW\\1,2", b"COL\\2,1", b"14INX17IN", b"24CMX30CM"):
        yield bytes([len(text)]) + text + encode(image, EXPLICIT)


TARGETS = {
    "workitem": Target(workitems, requests, 4096),
    "step": Target(steps, performed, 4096),
    "sheet": Target(sheets, printed, 4096),
}
