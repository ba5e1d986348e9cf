"""Unified procedure steps without a network: the tables of PS3.4 CC cell by cell, and what can be missing."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset
from dicomcore.dictionary import keyword_for_tag
from dicomcore.services import Ledger, Workitems, ups_rules
from dicomcore.services.ups import FILTERED, GLOBAL, PUSH, Reply
from dicomcore.services.ups_rules import ATTRIBUTES, STATES, TRANSITIONS, Act
from tests.support import ps34

LOCK, OTHER = "1.2.3.4", "1.2.3.5"
STEP = "1.2.3"

# Table CC.1.1-2: the states null, SCHEDULED, IN PROGRESS, COMPLETED, CANCELED; a word where there is no status.
CELLS = {
    "N-CREATE": "CREATE 0111 0111 0111 0111",
    ("IN PROGRESS", True): "C307 CLAIM C302 C300 C300",
    ("IN PROGRESS", False): "C307 C301 C301 C301 C301",
    ("SCHEDULED", True): "C307 C303 C303 C303 C303",
    ("SCHEDULED", False): "C307 C303 C303 C303 C303",
    ("COMPLETED", True): "C307 C310 COMPLETE B306 C300",
    ("COMPLETED", False): "C307 C301 C301 C301 C301",
    "cancel": "C307 STOP ASK C311 B304",
    ("CANCELED", True): "C307 C310 CANCEL C300 B304",
    ("CANCELED", False): "C307 C301 C301 C301 C301",
}
# What the standard asks of final states, RC apart (table CC.2.5-3).
ALWAYS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "ScheduledProcedureStepPriority",
    "ScheduledProcedureStepModificationDateTime",
    "ScheduledProcedureStepStartDateTime",
    "InputReadinessState",
    "ProcedureStepState",
]
PERFORMED = "UnifiedProcedureStepPerformedProcedureSequence"
WHEN_COMPLETED = [
    PERFORMED,
    *(f"{PERFORMED}.{name}" for name in (
        "PerformedStationNameCodeSequence", "PerformedProcedureStepStartDateTime", "PerformedWorkitemCodeSequence",
        "PerformedProcedureStepEndDateTime", "OutputInformationSequence")),
]  # fmt: skip
PROGRESS = "ProcedureStepProgressInformationSequence"
WHEN_CANCELED = [PROGRESS, f"{PROGRESS}.ProcedureStepCancellationDateTime",
                 f"{PROGRESS}.ProcedureStepDiscontinuationReasonCodeSequence"]  # fmt: skip


def data_set(**values: Any) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


def code(value: str = "110001") -> Dataset:
    return data_set(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning="Image Processing")


def step(**values: Any) -> Dataset:
    return data_set(
        **{
            "ProcedureStepState": "SCHEDULED",
            "ScheduledProcedureStepPriority": "MEDIUM",
            "ProcedureStepLabel": "Read",
            "ScheduledProcedureStepStartDateTime": "20250101120000",
            "InputReadinessState": "READY",
            "PatientName": "DOE^JANE",
            "PatientID": "1",
        }
        | values
    )


def performed(**values: Any) -> Dataset:
    item = {
        "PerformedStationNameCodeSequence": [code()],
        "PerformedProcedureStepStartDateTime": "20250101120000",
        "PerformedWorkitemCodeSequence": [code()],
        "PerformedProcedureStepEndDateTime": "20250101130000",
        "OutputInformationSequence": [],
    } | values
    return data_set(
        UnifiedProcedureStepPerformedProcedureSequence=[
            data_set(**{name: value for name, value in item.items() if value is not None})
        ]
    )


def items_in(state: str, **options: Any) -> Workitems:
    """Workitems with one step in a state, "" for none, whose lock is LOCK."""
    items = Workitems(**options)
    if state:
        assert items.create(step(), STEP).status == 0
    if state not in ("", "SCHEDULED"):
        assert items.change_state(STEP, "IN PROGRESS", LOCK).status == 0
    if state == "COMPLETED":
        assert items.update(STEP, performed(), transaction=LOCK).status == 0
    if state in ("COMPLETED", "CANCELED"):
        assert items.change_state(STEP, state, LOCK).status == 0
    return items


def state_of(items: Workitems) -> str:
    reply = items.retrieve(STEP)
    return "" if reply.dataset is None else str(reply.dataset.ProcedureStepState)


def told(items: Workitems, aet: str = "WATCH") -> list[tuple[int, str]]:
    return [(event.type, str(event.dataset.get("ProcedureStepState") or "")) for event in items.events(aet)]


# -- states


def test_the_table_of_states_is_the_standards() -> None:
    shown = {event: " ".join(cell.name if isinstance(cell, Act) else f"{cell:04X}" for cell in row)
             for event, row in TRANSITIONS.items()}  # fmt: skip
    assert shown == CELLS


@pytest.mark.skipif(bool(ps34.ABSENT), reason=ps34.ABSENT)
def test_the_table_of_states_is_the_standards_text() -> None:
    _, *rows = ps34.table("CC", "Unified Procedure Step State Transition Table")
    found = {}
    for event, *cells in rows:
        asked = re.match(r"N-ACTIONtoChangeStateto(INPROGRESS|SCHEDULED|COMPLETED|CANCELED)", event)
        key: object = "N-CREATE" if event.startswith("N-CREATE") else "cancel"
        if asked is not None:
            key = asked[1].replace("INPROGRESS", "IN PROGRESS"), "withoutcorrect" not in event
        found[key] = [re.sub(r"error|warning", "", cell) for cell in cells]
    found["SCHEDULED", False] = found["SCHEDULED", True]  # one row for both
    words = {
        "CREATE": "CreateSOPInstancewithemptytransactionUID,ChangeStatetoSCHEDULED",
        "CLAIM": "Reportstatechange,RecordtransactionUID,ChangeStatetoINPROGRESS",
        "COMPLETE": "IfFinalStateRequirementsmet,(Reportstatechange,ChangeStatetoCOMPLETED);ElseC304",
        "CANCEL": "IfFinalStateRequirementsmet,(Reportstatechange,ChangeStatetoCANCELED);ElseC304.",
        "STOP": "ReportstatechangetoIN-PROGRESS,ReportstatechangetoCANCELED,ChangeStatetoCANCELED",
        "ASK": "ReportthatanApplicationEntityrequestedacancel.",
    }
    assert {key: row.split() for key, row in CELLS.items()} == {
        key: [next((word for word, text in words.items() if text == cell), cell) for cell in cells]
        for key, cells in found.items()
    }


@pytest.mark.parametrize("state", ["", *STATES])
@pytest.mark.parametrize("event", CELLS, ids=str)
def test_every_event_in_every_state(event: Any, state: str) -> None:
    items = items_in(state)
    items.ledger.set_channel("WATCH", "web")
    items.subscribe(GLOBAL, "WATCH")
    cell = CELLS[event].split()[STATES.index(state) + 1 if state else 0]
    if event == "N-CREATE":
        reply = items.create(step(), STEP)
    elif event == "cancel":
        reply = items.request_cancel(STEP, requester="ME")
    else:
        if cell == "COMPLETE":
            assert items.update(STEP, performed(), transaction=LOCK).status == 0
        wanted, is_right = event
        reply = items.change_state(STEP, wanted, LOCK if is_right else "")
    if cell in Act.__members__:
        after = {"CREATE": "SCHEDULED", "CLAIM": "IN PROGRESS", "COMPLETE": "COMPLETED", "CANCEL": "CANCELED",
                 "STOP": "CANCELED", "ASK": state}[cell]  # fmt: skip
        reports = {
            "STOP": [(2, ""), (1, "IN PROGRESS"), (1, "CANCELED")],
            "ASK": [(2, "")],
        }.get(cell, [(1, after)])
        assert (int(reply.status), state_of(items), told(items)) == (0, after, reports)
    else:
        assert (f"{int(reply.status):04X}", state_of(items), told(items)) == (cell, state, [])


@pytest.mark.parametrize("state", ["IN PROGRESS", "COMPLETED", "CANCELED"])
@pytest.mark.parametrize("wanted", ["IN PROGRESS", "COMPLETED", "CANCELED"])
@pytest.mark.parametrize("given", [OTHER, "", "no uid", "1." * 200, LOCK + "0"])
def test_another_transaction_uid_is_wrong(given: str, wanted: str, state: str) -> None:
    items = items_in(state)
    assert items.change_state(STEP, wanted, given).status == 0xC301
    assert state_of(items) == state


@pytest.mark.parametrize("state", ["", "DONE", "in progress", "CANCELLED", "X" * 9999])
def test_a_state_that_does_not_exist(state: str) -> None:
    assert items_in("SCHEDULED").change_state(STEP, state, LOCK).status == 0x0115


def test_a_canceled_step_says_when_and_why() -> None:
    items = items_in("CANCELED")
    (item,) = items.retrieve(STEP).dataset.ProcedureStepProgressInformationSequence  # type: ignore[union-attr]
    assert item.ProcedureStepCancellationDateTime
    assert item.ProcedureStepDiscontinuationReasonCodeSequence[0].CodeValue == "110513"


def test_who_asks_for_a_cancellation_says_why() -> None:
    items = items_in("SCHEDULED")
    items.subscribe(STEP, "WATCH", channel="web")
    asked = data_set(ReasonForCancellation="Müde", ContactDisplayName="Jörg", ContactURI="tel:1",
                     ProcedureStepDiscontinuationReasonCodeSequence=[code("110501")])  # fmt: skip
    assert items.request_cancel(STEP, asked, requester="ME").status == 0
    _, request, _, last = items.events("WATCH")
    assert (request.dataset.RequestingAE, request.dataset.ReasonForCancellation) == ("ME", "Müde")
    assert last.dataset.ReasonForCancellation == "Müde"
    (item,) = items.retrieve(STEP).dataset.ProcedureStepProgressInformationSequence  # type: ignore[union-attr]
    assert item.ProcedureStepDiscontinuationReasonCodeSequence[0].CodeValue == "110501"
    assert item.ProcedureStepCommunicationsURISequence[0].ContactDisplayName == "Jörg"


@pytest.mark.parametrize(("choice", "status", "after"), [(True, 0, "CANCELED"), (False, 0xC313, "IN PROGRESS")])
def test_the_performer_chooses(choice: bool, status: int, after: str) -> None:
    items = items_in("IN PROGRESS", cancels=lambda uid, ds: choice)
    assert items.request_cancel(STEP).status == status
    assert state_of(items) == after


def test_a_performer_that_nobody_can_tell() -> None:
    assert items_in("IN PROGRESS").request_cancel(STEP).status == 0xC312


# -- attributes


def test_what_final_states_need_is_the_standards() -> None:
    def named(*codes: str) -> list[str]:
        return [".".join(rule.path) for rule in ATTRIBUTES if rule.final in codes]

    assert named("R") == ALWAYS
    assert named("P") == WHEN_COMPLETED
    assert named("X") == WHEN_CANCELED


@pytest.mark.skipif(bool(ps34.ABSENT), reason=ps34.ABSENT)
def test_the_attributes_are_those_of_the_standards_text() -> None:
    found, above = [], [""] * 4
    for row in ps34.table("CC", "UPS SOP Class N-CREATE/N-SET/N-GET/C-FIND"):
        tag = re.fullmatch(r"\((\w{4}),(\w{4})\)", row[1]) if len(row) == 9 else None
        if tag is None:
            continue
        depth = len(re.match(r"[*>]*", row[0])[0].replace("*", ""))  # type: ignore[index]
        above[depth:] = [keyword_for_tag(int(tag[1] + tag[2], 16)), *above[depth + 1 :]]
        kinds = ["no" if cell.lower().startswith("notall") else cell for cell in row[2:4]]
        kinds = [(re.match(r"(\dC?|-)/\dC?", kind) or ["own"])[0] if kind != "no" else kind for kind in kinds]
        found.append((tuple(above[: depth + 1]), *kinds, row[4]))
    assert found == [tuple(rule) for rule in ATTRIBUTES]


def without(items: Workitems, path: str) -> None:
    """Take an attribute from the step behind the back of the rules."""
    ds = items.retrieve(STEP).dataset
    assert ds is not None
    *above, keyword = path.split(".")
    place = ds
    for name in above:
        place = place[name].value[0]
    delattr(place, keyword)
    from dicomcore.services.ledger import packed

    with items.ledger.transaction() as found:
        found.execute("UPDATE workitems SET data=?", (packed(ds),))


@pytest.mark.parametrize("path", [*(path for path in ALWAYS if path != "ProcedureStepState"), *WHEN_COMPLETED])
def test_a_step_that_lacks_something_is_not_completed(path: str) -> None:
    items = items_in("IN PROGRESS")
    assert items.update(STEP, performed(), transaction=LOCK).status == 0
    without(items, path)
    reply = items.change_state(STEP, "COMPLETED", LOCK)
    assert (reply.status, reply.comment) == (0xC304, f"missing: {path}")
    assert state_of(items) == "IN PROGRESS"


@pytest.mark.parametrize("path", WHEN_COMPLETED[1:-1])
def test_neither_is_one_in_which_it_is_empty(path: str) -> None:
    items = items_in("IN PROGRESS")
    name = path.split(".")[1]
    assert (
        items.update(STEP, performed(**{name: [] if name.endswith("Sequence") else ""}), transaction=LOCK).status == 0
    )
    assert items.change_state(STEP, "COMPLETED", LOCK).status == 0xC304


def test_lacking_tells_all_of_it() -> None:
    assert ups_rules.lacking(Dataset(), "CANCELED") == [*ALWAYS[:6], "ProcedureStepState", WHEN_CANCELED[0]]


NEEDED = ["ScheduledProcedureStepPriority", "ProcedureStepLabel", "ScheduledProcedureStepStartDateTime",
          "InputReadinessState"]  # fmt: skip


@pytest.mark.parametrize("keyword", NEEDED)
def test_what_a_new_step_needs(keyword: str) -> None:
    assert [rule.path[0] for rule in ATTRIBUTES if rule.create == "1/1" and len(rule.path) == 1] == [
        *NEEDED,
        "ProcedureStepState",
    ]
    items, made = Workitems(), step()
    delattr(made, keyword)
    reply = items.create(made, STEP)
    assert (reply.status, reply.comment) == (0x0120, f"{keyword} is missing")
    assert items.create(step(**{keyword: ""}), STEP).status == 0x0121
    assert state_of(items) == ""


@pytest.mark.parametrize("state", ["", "IN PROGRESS", "COMPLETED", "scheduled", None])
def test_a_step_is_made_scheduled(state: str | None) -> None:
    made = step(ProcedureStepState=state)
    if state is None:
        del made.ProcedureStepState
    assert Workitems().create(made, STEP).status == 0xC309


@pytest.mark.parametrize("uid", ["1..2", ".1", "x", "1" * 65, GLOBAL, FILTERED, "../x"])
def test_uids_that_a_step_cannot_have(uid: str) -> None:
    assert Workitems().create(step(), uid).status == 0x0117


def test_a_step_without_a_uid_gets_one() -> None:
    items = Workitems()
    reply = items.create(step())
    assert reply.status == 0
    assert items.retrieve(reply.instance).dataset.SOPInstanceUID == reply.instance  # type: ignore[union-attr]


def test_what_the_provider_fills_in() -> None:
    items = Workitems(worklist="MINE")
    assert items.create(step(), STEP).status == 0
    made = items.retrieve(STEP).dataset
    assert made is not None
    assert (made.SOPClassUID, made.WorklistLabel) == (PUSH, "MINE")
    assert len(made.ScheduledProcedureStepModificationDateTime) == 14
    for rule in ATTRIBUTES:
        if len(rule.path) == 1 and rule.create.endswith("/2") and rule.path[0] != "TransactionUID":
            assert rule.path[0] in made, rule.path
    assert "TransactionUID" not in made


@pytest.mark.parametrize(
    "more",
    [{"TransactionUID": OTHER}, {PROGRESS: [data_set(ProcedureStepProgress="5")]}, {"SOPInstanceUID": OTHER},
     {PERFORMED: performed()[PERFORMED].value}],
    ids=["lock", "progress", "instance", "performed"],
)  # fmt: skip
def test_what_may_not_come_with_a_new_step_is_left_out(more: dict[str, Any]) -> None:
    items = Workitems()
    assert items.create(step(**more), STEP).status == 0xB300
    made = items.retrieve(STEP).dataset
    assert made is not None
    assert not made[PROGRESS].value
    assert not made[PERFORMED].value
    assert made.SOPInstanceUID == STEP
    assert items.change_state(STEP, "IN PROGRESS", LOCK).status == 0


# -- updates

UPDATES: dict[str, tuple[str, dict[str, Any], str, int]] = {
    # name: (state, attributes, transaction UID, status)
    "scheduled": ("SCHEDULED", {"WorklistLabel": "B"}, "", 0),
    "scheduled, as if in progress": ("SCHEDULED", {"WorklistLabel": "B"}, LOCK, 0xC310),
    "in progress": ("IN PROGRESS", {"WorklistLabel": "B"}, LOCK, 0),
    "in progress, without the lock": ("IN PROGRESS", {"WorklistLabel": "B"}, "", 0xC301),
    "in progress, with another": ("IN PROGRESS", {"WorklistLabel": "B"}, OTHER, 0xC301),
    "completed": ("COMPLETED", {"WorklistLabel": "B"}, LOCK, 0xC300),
    "canceled": ("CANCELED", {"WorklistLabel": "B"}, "", 0xC300),
    "none": ("", {"WorklistLabel": "B"}, LOCK, 0xC307),
    "a state by N-SET": ("IN PROGRESS", {"ProcedureStepState": "COMPLETED"}, LOCK, 0x0106),
    "SCHEDULED by N-SET": ("IN PROGRESS", {"ProcedureStepState": "SCHEDULED"}, LOCK, 0xC303),
    "the state that it has": ("IN PROGRESS", {"ProcedureStepState": "IN PROGRESS"}, LOCK, 0),
    "another patient": ("IN PROGRESS", {"PatientName": "ROE^RICHARD"}, LOCK, 0x0106),
    "the same patient": ("IN PROGRESS", {"PatientName": "DOE^JANE"}, LOCK, 0),
    "another UID": ("IN PROGRESS", {"SOPInstanceUID": OTHER}, LOCK, 0x0106),
    "empty what needs a value": ("IN PROGRESS", {"InputReadinessState": ""}, LOCK, 0x0121),
    "empty what may be": ("IN PROGRESS", {"ScheduledStationNameCodeSequence": []}, LOCK, 0),
    "nothing": ("IN PROGRESS", {}, LOCK, 0),
    "private": ("IN PROGRESS", {}, LOCK, 0),
}


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("in_data_set", [True, False])
def test_updates(name: str, in_data_set: bool) -> None:
    state, values, lock, status = UPDATES[name]
    items = items_in(state)
    before = items.retrieve(STEP).dataset
    changes = data_set(**values)
    if name == "private":
        changes.add_new(0x00090010, "LO", "ME")
        changes.add_new(0x00091001, "LO", "value")
    if in_data_set and lock:
        changes.TransactionUID = lock
    reply = items.update(STEP, changes, transaction=None if in_data_set else lock)
    assert int(reply.status) == status
    after = items.retrieve(STEP).dataset
    if status:
        assert after == before
    elif name == "private":
        assert after is not None
        assert after[0x00091001].value == "value"
    else:
        assert after is not None
        assert all(after[key].value == value for key, value in values.items())


def test_reports_of_updates() -> None:
    items = items_in("IN PROGRESS")
    items.subscribe(STEP, "WATCH", channel="web")
    for changes in (
        {"InputReadinessState": "UNAVAILABLE"},
        {"ScheduledStationNameCodeSequence": [code()]},
        {PROGRESS: [data_set(ProcedureStepProgress="50", ProcedureStepProgressDescription="half")]},
        {"WorklistLabel": "B"},
    ):
        assert items.update(STEP, data_set(**changes), transaction=LOCK).status == 0
        assert items.update(STEP, data_set(**changes), transaction=LOCK).status == 0  # once more changes nothing
    first, ready, assigned, progress = items.events("WATCH")
    assert [one.type for one in (first, ready, assigned, progress)] == [1, 1, 5, 3]
    assert ready.dataset.InputReadinessState == "UNAVAILABLE"
    assert assigned.dataset.ScheduledStationNameCodeSequence[0].CodeValue == "110001"
    assert progress.dataset.ProcedureStepProgressInformationSequence[0].ProcedureStepProgress == 50


def test_a_new_step_that_is_assigned() -> None:
    items = Workitems()
    items.subscribe(GLOBAL, "WATCH", channel="web")
    person = data_set(HumanPerformerCodeSequence=[code("P1")], HumanPerformerName="A^B", HumanPerformerOrganization="C")
    items.create(step(ScheduledHumanPerformersSequence=[person]))
    state, assigned = items.events("WATCH")
    assert (state.type, assigned.type) == (1, 5)
    assert assigned.dataset.HumanPerformerCodeSequence[0].CodeValue == "P1"
    assert assigned.dataset.HumanPerformerOrganization == "C"
    assert "ScheduledStationNameCodeSequence" not in assigned.dataset


def test_character_sets_meet() -> None:
    items = Workitems()
    made = step(PatientName="Müller^Jörg")
    made.SpecificCharacterSet = "ISO_IR 100"
    from dicomcore.encoding import decode, encode

    assert items.create(decode(encode(made, "1.2.840.10008.1.2"), "1.2.840.10008.1.2"), STEP).status == 0
    changes = data_set(SpecificCharacterSet="ISO_IR 144", ProcedureStepLabel="Чтение")
    assert items.update(STEP, decode(encode(changes, "1.2.840.10008.1.2"), "1.2.840.10008.1.2")).status == 0
    after = items.retrieve(STEP, (0x00100010, 0x00741204)).dataset
    assert after is not None
    sent = decode(encode(after, "1.2.840.10008.1.2.1"), "1.2.840.10008.1.2.1")
    assert (str(sent.PatientName), sent.ProcedureStepLabel) == ("Müller^Jörg", "Чтение")
    (found,) = items.search(
        data_set(SpecificCharacterSet="ISO_IR 192", PatientName="MÜLLER*", ProcedureStepLabel="Чт*")
    )
    assert decode(encode(found, "1.2.840.10008.1.2"), "1.2.840.10008.1.2").ProcedureStepLabel == "Чтение"


# -- searching


def test_search() -> None:
    items = Workitems()
    for number in range(6):
        items.create(
            step(PatientID=str(number), ScheduledProcedureStepStartDateTime=f"2025010{number + 1}120000",
                 ScheduledStationNameCodeSequence=[code(f"S{number % 2}")]), f"1.2.{number}")  # fmt: skip
    items.change_state("1.2.0", "IN PROGRESS", LOCK)

    def found(**keys: Any) -> list[str]:
        return [str(one.SOPInstanceUID) for one in items.search(data_set(SOPInstanceUID="", **keys))]

    assert found() == [f"1.2.{number}" for number in range(6)]
    assert found(ProcedureStepState="IN PROGRESS") == ["1.2.0"]
    assert found(ProcedureStepState="SCHEDULED", PatientID="3") == ["1.2.3"]
    assert found(ScheduledProcedureStepStartDateTime="20250102-20250103235959") == ["1.2.1", "1.2.2"]
    assert found(ScheduledStationNameCodeSequence=[data_set(CodeValue="S1")]) == ["1.2.1", "1.2.3", "1.2.5"]
    assert found(TransactionUID=OTHER, ProcedureStepState="IN PROGRESS") == ["1.2.0"]
    assert [str(one.PatientID) for one in items.search(data_set(PatientID=""), limit=2, offset=3)] == ["3", "4"]
    (whole,) = items.search(data_set(PatientID="4"), whole=True)
    assert whole.ProcedureStepLabel == "Read"
    (part,) = items.search(data_set(PatientID="4", TransactionUID="", ScheduledStationNameCodeSequence=[]))
    assert "TransactionUID" not in part
    assert part.ScheduledStationNameCodeSequence[0].CodeValue == "S0"


# -- subscriptions (table CC.2.3-2): what becomes of a subscription "N", "L" or "W" and whether an event is sent

SUBSCRIPTIONS: dict[str, dict[str, tuple[str, bool]]] = {
    "all, lock": {"N": ("L", True), "L": ("L", False), "W": ("W", False)},
    "all": {"N": ("W", False), "L": ("L", False), "W": ("W", False)},
    "one, lock": {"N": ("L", True), "L": ("L", True), "W": ("L", True)},
    "one": {"N": ("W", True), "L": ("W", True), "W": ("W", True)},
    "leave one": {"N": ("N", False), "L": ("N", False), "W": ("N", False)},
    "leave all": {"N": ("N", False), "L": ("N", False), "W": ("N", False)},
    "suspend": {"N": ("N", False), "L": ("L", False), "W": ("W", False)},
}


@pytest.mark.parametrize("before", "NLW")
@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_subscriptions(name: str, before: str) -> None:
    items = items_in("SCHEDULED")
    if before != "N":
        items.subscribe(STEP, "WATCH", lock=before == "L", channel="web")
    for event in list(items.events("WATCH")):
        items.acknowledge(event.number)
    reply: Reply = {
        "all, lock": lambda: items.subscribe(GLOBAL, "WATCH", lock=True),
        "all": lambda: items.subscribe(GLOBAL, "WATCH"),
        "one, lock": lambda: items.subscribe(STEP, "WATCH", lock=True),
        "one": lambda: items.subscribe(STEP, "WATCH"),
        "leave one": lambda: items.unsubscribe(STEP, "WATCH"),
        "leave all": lambda: items.unsubscribe(GLOBAL, "WATCH"),
        "suspend": lambda: items.suspend("WATCH"),
    }[name]()
    assert reply.status == 0
    after = {None: "N", True: "L", False: "W"}[items.subscribers(STEP).get("WATCH")]
    assert (after, told(items) == [(1, "SCHEDULED")]) == SUBSCRIPTIONS[name][before]
    if name.startswith("all"):
        assert items.subscribers(GLOBAL) == {"WATCH": "lock" in name}
        items.create(step(), OTHER)
        assert items.subscribers(OTHER) == {"WATCH": "lock" in name}
    else:
        items.create(step(), OTHER)
        assert items.subscribers(OTHER) == {}


def test_a_filtered_subscription() -> None:
    items = Workitems()
    items.create(step(WorklistLabel="A"), "1.2.1")
    items.create(step(WorklistLabel="B"), "1.2.2")
    keys = data_set(WorklistLabel="B", PatientID="1")
    assert items.subscribe(FILTERED, "WATCH", keys=keys, lock=True, channel="web").status == 0
    items.create(step(WorklistLabel="A"), "1.2.3")
    items.create(step(WorklistLabel="B"), "1.2.4")
    items.create(step(WorklistLabel="B", PatientID="2"), "1.2.5")
    assert [event.instance for event in items.events("WATCH")] == ["1.2.2", "1.2.4"]
    assert items.subscribe(FILTERED, "WATCH").status == 0x0114


@pytest.mark.parametrize(("what", "status"), [
    (lambda items: items.subscribe("9.9", "WATCH"), 0xC307),
    (lambda items: items.unsubscribe("9.9", "WATCH"), 0xC307),
    (lambda items: items.subscribe(STEP, ""), 0x0114),
    (lambda items: items.suspend("WATCH", STEP), 0xC314),
    (lambda items: items.retrieve("9.9"), 0xC307),
    (lambda items: items.retrieve(STEP, (0x00081195,)), 0x0001),
    (lambda items: items.retrieve(STEP, (0x00100010,)), 0),
])  # fmt: skip
def test_what_does_not_exist(what: Any, status: int) -> None:
    assert what(items_in("SCHEDULED")).status == status


def test_a_lock_that_is_not_granted() -> None:
    items = items_in("SCHEDULED", locks=False)
    assert items.subscribe(STEP, "WATCH", lock=True).status == 0xB301
    assert items.subscribers(STEP) == {"WATCH": False}


def test_deletion_locks_keep_a_step() -> None:
    now = [1e9]
    ledger = Ledger(clock=lambda: now[0])
    items = items_in("CANCELED", ledger=ledger, keep=60)
    items.subscribe(STEP, "A", lock=True, channel="web")
    items.subscribe(STEP, "B", channel="web")
    now[0] += 61
    assert items.clear() == 0
    assert state_of(items) == "CANCELED"
    items.subscribe(STEP, "A", lock=False)
    assert items.clear() == 1
    assert state_of(items) == ""
    assert items.change_state(STEP, "CANCELED", LOCK).status == 0xC307


# -- memory


def test_it_is_all_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        items = items_in("IN PROGRESS", ledger=ledger)
        items.subscribe(GLOBAL, "WATCH", lock=True, channel="web")
    with Ledger(path) as ledger:
        items = Workitems(ledger)
        assert told(items) == [(1, "IN PROGRESS")]
        items.announce("RESTARTED", receivers=("BACK",))
        *_, last = items.events("WATCH")
        assert (last.type, last.dataset.SCPStatus, last.dataset.SubscriptionListStatus) == (
            4,
            "RESTARTED",
            "WARM START",
        )
        assert [event.type for event in items.events("BACK")] == [4]
        assert items.change_state(STEP, "COMPLETED", OTHER).status == 0xC301
        assert items.update(STEP, performed(), transaction=LOCK).status == 0
        assert items.change_state(STEP, "COMPLETED", LOCK).status == 0


def test_listeners_hear_what_was_committed() -> None:
    items = Workitems()
    heard: list[int] = []
    stop = items.listen(lambda event: heard.append(event.type))
    items.subscribe(GLOBAL, "WATCH", channel="web")
    items.create(step(), STEP)
    with suppress(RuntimeError), items.ledger.transaction():
        items.change_state(STEP, "IN PROGRESS", LOCK)
        raise RuntimeError
    assert (heard, state_of(items)) == ([1], "SCHEDULED")
    stop()
    items.change_state(STEP, "IN PROGRESS", LOCK)
    assert heard == [1]


def test_a_reader_that_never_comes_does_not_fill_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomcore.services.ledger.MOST", 5)
    items = items_in("IN PROGRESS")
    items.subscribe(STEP, "WATCH", channel="web")
    for number in range(20):
        items.update(STEP, data_set(InputReadinessState=f"S{number}"), transaction=LOCK)
    kept = list(items.events("WATCH"))
    assert [event.dataset.InputReadinessState for event in kept] == [f"S{number}" for number in range(15, 20)]


def test_a_step_with_values_that_cannot_be_kept() -> None:
    items = Workitems()
    reply = items.create(step(PatientID="\ud800"), STEP)
    assert reply.status == 0x0106
    assert state_of(items) == ""
    huge = step(ScheduledProcessingParametersSequence=[data_set(TextValue="x" * 1000) for _ in range(2000)])
    assert items.create(huge, STEP).status == 0
    assert json.dumps(len(items.retrieve(STEP).dataset.ScheduledProcessingParametersSequence)) == "2000"  # type: ignore[union-attr]


def test_only_one_claims_a_step(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Ledger(tmp_path / "a") as ledger, Ledger(tmp_path / "a") as another:
        both = [Workitems(ledger), Workitems(another)]
        for number in range(20):
            both[0].create(step(), f"1.2.{number}")
        with ThreadPoolExecutor(8) as pool:
            claims = [
                pool.submit(both[turn % 2].change_state, f"1.2.{number}", "IN PROGRESS", f"1.9.{turn}")
                for number in range(20)
                for turn in range(8)
            ]
            statuses = [int(claim.result().status) for claim in claims]
    assert statuses.count(0) == 20
    assert statuses.count(0xC301) == 140


def test_a_listener_that_fails_harms_nobody() -> None:
    items = items_in("SCHEDULED")
    items.subscribe(STEP, "WATCH", channel="web")
    items.listen(lambda event: 1 / 0)
    assert items.change_state(STEP, "IN PROGRESS", LOCK).status == 0
    assert told(items)[-1] == (1, "IN PROGRESS")


def test_a_search_through_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dicomcore.services.ups.AT_A_TIME", 3)
    items = Workitems()
    for number in range(10):
        items.create(step(PatientID=str(number % 2)), f"1.2.{number}")
    found = [str(one.SOPInstanceUID) for one in items.search(data_set(PatientID="1", SOPInstanceUID=""))]
    assert found == [f"1.2.{number}" for number in range(1, 10, 2)]
    assert len(list(items.search(data_set(ProcedureStepState="SCHEDULED")))) == 10


@pytest.mark.parametrize("value", ['a"b', "é ü", "a\\b", "100%", "a_b", "[x]", "'", "\t"])
def test_values_that_look_like_something_else_are_found(value: str) -> None:
    items = Workitems()
    items.create(step(ProcedureStepLabel="other"), "1.2.1")
    items.create(step(ProcedureStepLabel=value.split("\\") if "\\" in value else value), "1.2.2")
    for wanted in value.split("\\"):
        found = list(
            items.search(data_set(SpecificCharacterSet="ISO_IR 192", ProcedureStepLabel=wanted, SOPInstanceUID=""))
        )
        assert [str(one.SOPInstanceUID) for one in found] == (["1.2.2"] if wanted.strip() else ["1.2.1", "1.2.2"])
