"""Modality performed procedure steps and availability: states, what devices leave out, the worklist, pynetdicom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset, net, services
from dicomcore.dictionary import keyword_for_tag
from dicomcore.net.commands import Field
from dicomcore.services import availability as notices
from dicomcore.services import procedure_step
from dicomcore.services.procedure_step import MAY_BE_EMPTY, NOT_SET, NOTIFICATION, REQUIRED, RETRIEVE, STEP
from tests.net.test_server import QUICK
from tests.support import ps34

UID = "1.2.3"
STUDY = "1.2.840.1"


def data_set(**values: Any) -> Dataset:
    made = Dataset()
    made.validation = "ignore"
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def scheduled(**values: Any) -> Dataset:
    return data_set(StudyInstanceUID=STUDY, ScheduledProcedureStepID="S1", **values)


def step(**values: Any) -> Dataset:
    return data_set(
        **{
            "ScheduledStepAttributesSequence": [scheduled()],
            "PerformedProcedureStepID": "P1",
            "PerformedStationAETitle": "CT1",
            "PerformedProcedureStepStartDate": "20250101",
            "PerformedProcedureStepStartTime": "1200",
            "PerformedProcedureStepStatus": "IN PROGRESS",
            "Modality": "CT",
            "PatientName": "DOE^JANE",
        }
        | values
    )


def series(**values: Any) -> Dataset:
    made = {
        "ProtocolName": "Head",
        "SeriesInstanceUID": "1.2.3.1",
        "ReferencedImageSequence": [data_set(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2",
                                             ReferencedSOPInstanceUID="1.2.3.1.1")],
    }  # fmt: skip
    return data_set(**made | values)


def done(state: str = "COMPLETED", **values: Any) -> Dataset:
    return data_set(
        **{
            "PerformedProcedureStepStatus": state,
            "PerformedProcedureStepEndDate": "20250101",
            "PerformedProcedureStepEndTime": "1300",
            "PerformedSeriesSequence": [series()],
        }
        | values
    )


@pytest.fixture
def node() -> Iterator[tuple[net.Association, services.PerformedProcedureSteps]]:
    steps = services.PerformedProcedureSteps(notify=["PACS"])
    server = net.Server(ae="RIS", timeouts=QUICK)
    server.add(steps)
    with server, net.associate(server.address, calling="CT1", timeouts=QUICK) as association:
        yield association, steps


def test_the_life_of_a_step(node: tuple[net.Association, services.PerformedProcedureSteps]) -> None:
    association, steps = node
    assert association.n_create(STEP, step(), instance=UID).status == 0
    assert association.n_create(STEP, step(), instance=UID).status == 0x0111
    told = data_set(SpecificCharacterSet="ISO_IR 100", PerformedProcedureStepDescription="Kopf, größer")
    assert association.n_set(STEP, UID, told).status == 0
    assert association.n_set(STEP, UID, done()).status == 0
    for state in ("IN PROGRESS", "DISCONTINUED", "COMPLETED"):
        late = association.n_set(STEP, UID, done(state))
        assert (int(late.status), late.comment, late.command.get(Field.ERROR_ID)) == (
            0x0110, "Performed Procedure Step Object may no longer be updated", 0xA710,
        )  # fmt: skip
    got = association.n_get(RETRIEVE, UID)
    assert got.dataset is not None
    assert got.dataset.PerformedProcedureStepDescription == "Kopf, größer"
    assert got.dataset.PerformedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.1.1"
    part = association.n_get(RETRIEVE, UID, [0x00400252, 0x00100010])
    assert part.status == 0
    assert [element.keyword for element in part.dataset or ()] == [
        "SpecificCharacterSet", "PatientName", "PerformedProcedureStepStatus",
    ]  # fmt: skip
    assert association.n_get(RETRIEVE, UID, [0x00321032]).status == 0x0001
    assert association.n_get(RETRIEVE, "1.2.4").status == 0x0112
    assert association.n_set(STEP, "1.2.4", done()).status == 0x0112
    assert steps.delete(UID)
    assert not steps.delete(UID)
    assert [(event.type, event.instance, event.sop_class) for event in steps.ledger.reports("PACS")] == [
        (number, UID, NOTIFICATION) for number in (1, 4, 2, 5)
    ]


def test_a_step_without_a_uid_gets_one(node: tuple[net.Association, services.PerformedProcedureSteps]) -> None:
    association, steps = node
    response = association.n_create(STEP, step())
    ((uid, _),) = steps
    assert (response.status, response.command.AffectedSOPInstanceUID) == (0, uid)


@pytest.mark.parametrize("keyword", REQUIRED)
def test_what_a_step_needs(keyword: str) -> None:
    steps, made = services.PerformedProcedureSteps(), step()
    delattr(made, keyword)
    reply = steps.create(made, UID)
    assert (reply.status, reply.comment) == (0x0120, f"{keyword} is missing")
    assert steps.create(step(**{keyword: [] if keyword.endswith("Sequence") else ""}), UID).status == 0x0121
    assert list(steps) == []


@pytest.mark.parametrize("state", ["COMPLETED", "DISCONTINUED", "in progress", "X"])
def test_a_step_begins_in_progress(state: str) -> None:
    assert services.PerformedProcedureSteps().create(step(PerformedProcedureStepStatus=state), UID).status == 0x0106


@pytest.mark.parametrize("uid", ["1..2", "x", "../x", "1" * 65])
def test_uids_that_a_step_cannot_have(uid: str) -> None:
    assert services.PerformedProcedureSteps().create(step(), uid).status == 0x0117


def test_what_may_be_left_out_is_there_and_empty() -> None:
    steps = services.PerformedProcedureSteps()
    assert steps.create(step(), UID).status == 0
    ((_, made),) = steps
    assert set(MAY_BE_EMPTY) <= {element.keyword for element in made}


@pytest.mark.parametrize("keyword", NOT_SET)
def test_what_may_not_be_changed_is_not(keyword: str) -> None:
    steps = services.PerformedProcedureSteps()
    steps.create(step(), UID)
    before = steps.retrieve(UID).dataset
    value: Any = [data_set(PatientID="2")] if keyword.endswith("Sequence") else "19000101"
    reply = steps.update(UID, data_set(**{keyword: value, "PerformedProcedureStepDescription": "B"}))
    assert (reply.status, reply.comment) == (0x0107, f"not changed: {keyword}")
    after = steps.retrieve(UID).dataset
    assert after is not None
    assert before is not None
    assert (after.get(keyword), after.PerformedProcedureStepDescription) == (before.get(keyword), "B")
    same = data_set(**{keyword: before.get(keyword)}) if keyword in before else Dataset()
    assert steps.update(UID, same).status == 0


@pytest.mark.parametrize("state", ["DONE", "", "completed"])
def test_states_that_do_not_exist(state: str) -> None:
    steps = services.PerformedProcedureSteps()
    steps.create(step(), UID)
    assert steps.update(UID, done(state)).status == 0x0106
    assert steps.update(UID, done()).status == 0


LACKING: dict[str, tuple[dict[str, Any], int]] = {
    "no series": ({"PerformedSeriesSequence": []}, 0x0121),
    "no end date": ({"PerformedProcedureStepEndDate": ""}, 0x0121),
    "no end time": ({"PerformedProcedureStepEndTime": ""}, 0x0121),
    "no protocol": ({"PerformedSeriesSequence": [series(ProtocolName="")]}, 0x0121),
    "no UID": ({"PerformedSeriesSequence": [series(SeriesInstanceUID="")]}, 0x0121),
}


@pytest.mark.parametrize("state", ["COMPLETED", "DISCONTINUED"])
@pytest.mark.parametrize("name", LACKING)
def test_the_end_of_a_step_that_lacks_something(name: str, state: str) -> None:
    values, status = LACKING[name]
    for strict, wanted in ((False, 0), (True, status)):
        steps = services.PerformedProcedureSteps(strict=strict)
        steps.create(step(), UID)
        assert steps.update(UID, done(state, **values)).status == wanted
        found = steps.retrieve(UID).dataset
        assert found is not None
        assert found.PerformedProcedureStepStatus == ("IN PROGRESS" if wanted else state)
        if not wanted:
            assert found.PerformedProcedureStepEndDate
            assert found.PerformedProcedureStepEndTime


@pytest.mark.skipif(bool(ps34.ABSENT), reason=ps34.ABSENT)
def test_the_tables_are_the_standards_text() -> None:
    needed, empty, fixed = [], [], []
    for row in ps34.table("F", "Modality Performed Procedure Step SOP Class N-CREATE, N-SET and Final State"):
        tag = re.fullmatch(r"\((\w{4}),(\w{4})\)", row[1])
        if tag is None or row[0].startswith(">"):
            continue
        keyword = keyword_for_tag(int(tag[1] + tag[2], 16))
        if row[2].startswith("1/1"):
            needed.append(keyword)
        if row[2].startswith("2/2"):
            empty.append(keyword)
        if row[3].lower() == "notallowed":
            fixed.append(keyword)
    assert sorted(needed) == sorted(REQUIRED)
    assert sorted(empty) == sorted(MAY_BE_EMPTY)
    assert sorted(fixed) == sorted(NOT_SET)
    _, *rows = ps34.table("F", "Performed Procedure Step Notification Event Information")
    assert {row[0].removeprefix("PerformedProcedureStep"): int(row[1]) for row in rows} == {
        "InProgress": 1, "Completed": 2, "Discontinued": 3, "Updated": 4, "Deleted": 5,
    }  # fmt: skip
    assert (procedure_step.EVENTS, procedure_step.UPDATED, procedure_step.DELETED) == (
        {"IN PROGRESS": 1, "COMPLETED": 2, "DISCONTINUED": 3}, 4, 5,
    )  # fmt: skip


def test_the_worklist_follows(tmp_path: Path) -> None:
    ledger = services.Ledger(tmp_path / "ledger.sqlite")
    steps = services.PerformedProcedureSteps(ledger)
    items = [
        data_set(PatientName=f"P{number}", StudyInstanceUID=f"{STUDY}.{number}", ScheduledProcedureStepSequence=[
            data_set(ScheduledProcedureStepID="S1", ScheduledProcedureStepStatus="SCHEDULED", Modality="CT")])
        for number in range(3)
    ]  # fmt: skip
    for number in range(3):
        made = data_set(StudyInstanceUID=f"{STUDY}.{number}", ScheduledProcedureStepID="S1")
        assert steps.create(step(ScheduledStepAttributesSequence=[made]), f"1.2.{number}").status == 0
    assert steps.update("1.2.0", done()).status == 0
    assert steps.update("1.2.2", done("DISCONTINUED")).status == 0
    server = net.Server(ae="RIS", timeouts=QUICK)
    server.add(services.Worklist(steps.applied_to(lambda: items)))
    asked = data_set(PatientName="", ScheduledProcedureStepSequence=[data_set(ScheduledProcedureStepStatus="")])
    with server, net.associate(server.address, timeouts=QUICK) as association:
        found = {
            str(one.PatientName): one.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStatus
            for one in association.find(asked, model="worklist")
        }
    assert found == {"P1": "STARTED", "P2": "SCHEDULED"}
    assert items[1].ScheduledProcedureStepSequence[0].ScheduledProcedureStepStatus == "SCHEDULED"


def test_notifications_are_sent() -> None:
    from dicomcore.net.commands import Kind

    got: list[tuple[Any, ...]] = []
    pacs = net.Server(ae="PACS", timeouts=QUICK)

    def take(request: net.Request) -> int:
        got.append((request.sop_class, request.sop_instance, request.command.EventTypeID, len(request.dataset)))
        return 0

    pacs.service(Kind.N_EVENT_REPORT, [NOTIFICATION], take)
    steps = services.PerformedProcedureSteps(notify=["PACS"])
    with pacs:
        reporter = services.Reporter(steps.ledger, {"PACS": pacs.address}, calling="RIS", timeouts=QUICK)
        steps.create(step(), UID)
        steps.update(UID, done())
        assert reporter.deliver() == 2
    assert got == [(NOTIFICATION, UID, 1, 0), (NOTIFICATION, UID, 2, 0)]


def test_pynetdicom_performs(node: tuple[net.Association, services.PerformedProcedureSteps]) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pydicom.dataset import Dataset as Theirs

    association, steps = node
    entity = pynetdicom.AE("CT1")
    for uid in (STEP, RETRIEVE):
        entity.add_requested_context(uid)
    there = entity.associate("127.0.0.1", int(association.peer.rsplit(":", 1)[1]), ae_title="RIS")
    assert there.is_established
    made = Theirs()
    inner = Theirs()
    inner.StudyInstanceUID = STUDY
    made.ScheduledStepAttributesSequence = [inner]
    for keyword in REQUIRED[1:]:
        setattr(made, keyword, step()[keyword].value)
    status, _ = there.send_n_create(made, STEP, UID)
    assert status.Status == 0
    end = Theirs()
    end.PerformedProcedureStepStatus = "COMPLETED"
    status, _ = there.send_n_set(end, STEP, UID)
    assert status.Status == 0
    status, _ = there.send_n_set(end, STEP, UID)
    assert (status.Status, status.ErrorComment, status.ErrorID) == (
        0x0110, "Performed Procedure Step Object may no longer be updated", 0xA710,
    )  # fmt: skip
    status, got = there.send_n_get([0x00400252], RETRIEVE, UID)
    assert (status.Status, got.PerformedProcedureStepStatus) == (0, "COMPLETED")
    there.release()
    assert len(list(steps)) == 1


def test_pynetdicom_is_performed_for() -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    from pydicom.dataset import Dataset as Theirs
    from pynetdicom import evt

    kept: dict[str, Any] = {}

    def create(event: Any) -> Any:
        kept[event.request.AffectedSOPInstanceUID] = event.attribute_list
        return 0x0000, event.attribute_list

    def change(event: Any) -> Any:
        kept[event.request.RequestedSOPInstanceUID].update(event.modification_list)
        return 0x0000, Theirs()

    entity = pynetdicom.AE("RIS")
    entity.add_supported_context(STEP)
    handlers = [(evt.EVT_N_CREATE, create), (evt.EVT_N_SET, change)]
    listening = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        with net.associate(f"RIS@127.0.0.1:{listening.server_address[1]}", timeouts=QUICK) as association:
            assert association.n_create(STEP, step(), instance=UID).status == 0
            assert association.n_set(STEP, UID, done()).status == 0
    finally:
        listening.shutdown()
    assert kept[UID].PerformedProcedureStepStatus == "COMPLETED"
    assert kept[UID].PatientName == "DOE^JANE"


# -- availability


ROWS = [
    {"StudyInstanceUID": STUDY, "SeriesInstanceUID": f"{STUDY}.{number // 2}",
     "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "SOPInstanceUID": f"{STUDY}.9.{number}"} for number in range(4)
]  # fmt: skip


def test_availability_is_announced() -> None:
    heard: list[str] = []
    held = services.Availability(changed=lambda uid, ds: heard.append(uid))
    server = net.Server(ae="MANAGER", timeouts=QUICK)
    server.add(held)
    notice = notices.availability(ROWS, "PACS", steps=[(STEP, UID)])
    with server, net.associate(server.address, timeouts=QUICK) as association:
        assert notices.announce(association, notice, "1.2.3.4").status == 0
        assert notices.announce(association, notice, "1.2.3.4").status == 0x0111
        assert notices.announce(association, notice).status == 0
    assert heard[0] == "1.2.3.4"
    (uid, kept), _ = held
    assert (uid, kept) == ("1.2.3.4", notice)
    assert [len(one.ReferencedSOPSequence) for one in kept.ReferencedSeriesSequence] == [2, 2]


@pytest.mark.parametrize(("change", "status"), [
    (lambda ds: delattr(ds, "StudyInstanceUID"), 0x0120),
    (lambda ds: setattr(ds, "StudyInstanceUID", ""), 0x0121),
    (lambda ds: delattr(ds, "ReferencedSeriesSequence"), 0x0120),
    (lambda ds: setattr(ds, "ReferencedSeriesSequence", []), 0x0121),
    (lambda ds: delattr(ds.ReferencedSeriesSequence[1], "SeriesInstanceUID"), 0x0120),
    (lambda ds: delattr(ds.ReferencedSeriesSequence[1], "ReferencedSOPSequence"), 0x0120),
    *((lambda ds, name=name: delattr(ds.ReferencedSeriesSequence[1].ReferencedSOPSequence[0], name), 0x0120)
      for name in ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "InstanceAvailability", "RetrieveAETitle")),
    (lambda ds: setattr(ds.ReferencedSeriesSequence[0].ReferencedSOPSequence[0], "InstanceAvailability", "X"), 0x0106),
    (lambda ds: delattr(ds, "ReferencedPerformedProcedureStepSequence"), 0),
])  # fmt: skip
def test_notifications_that_lack_something(change: Any, status: int) -> None:
    notice = notices.availability(ROWS, "PACS")
    for one in notice.ReferencedSeriesSequence:
        for item in one.ReferencedSOPSequence:
            item.validation = "ignore"
    change(notice)
    assert services.Availability().create(notice).status == status


def test_notifications_that_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="one study, not 0"):
        notices.availability([], "PACS")
    with pytest.raises(ValueError, match="one study, not 2"):
        notices.availability([*ROWS, ROWS[0] | {"StudyInstanceUID": "1.9"}], "PACS")
    with pytest.raises(ValueError, match="no instance availability"):
        notices.availability(ROWS, "PACS", state="HERE")
