"""What users of other toolkits suffered from, over one association with our node: each a row of what is promised."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dicomcore import Dataset, catalogue, dcmread, net, services
from dicomcore.dictionary import dictionary_VR
from dicomcore.errors import NetworkError
from dicomcore.net import aio
from tests.catalogue.test_zones import BASE
from tests.net.test_server import QUICK


def row(number: int) -> Dataset:
    made = Dataset()
    made.PatientID = str(number)
    return made


def test_both_ends_send_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's algorithm and delayed acknowledgements cost 40 ms a message elsewhere."""
    set_so: list[int] = []
    known = socket.socket.setsockopt

    def spy(self: socket.socket, level: int, option: int, *value: Any) -> None:
        if level == socket.IPPROTO_TCP and option == socket.TCP_NODELAY:
            set_so.append(self.fileno())
        known(self, level, option, *value)

    monkeypatch.setattr(socket.socket, "setsockopt", spy)
    with net.Server("NODE") as server, net.associate(server.address, timeouts=QUICK) as association:
        assert association.echo().status == 0
        assert len(set(set_so)) >= 2


def inheritable() -> set[int]:
    """The descriptors of this process that a child would have, too."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # others come and go
            if os.get_inheritable(int(name)):
                found.add(int(name))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_no_descriptor_is_for_children(tmp_path: Path) -> None:
    before = inheritable()
    with (
        net.Server("NODE", folder=tmp_path) as server,
        net.associate(server.address, timeouts=QUICK) as association,
    ):
        assert [one.status for one in association.store([BASE])] == [0]
        assert inheritable() <= before


def test_ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with net.Server("NODE", "[::1]:0") as server:
        assert server.address.startswith("NODE@[::1]:")
        with net.associate(server.address, timeouts=QUICK) as association:
            assert association.echo().status == 0


def test_a_server_performs_at_the_same_time_what_a_window_lets_in() -> None:
    """Each handler waits for the other: one after the other, neither would end."""
    both = threading.Barrier(2, timeout=20)
    server = net.Server("NODE", timeouts=QUICK)

    @server.find(model="study")
    def find(request: net.Request) -> Iterator[Dataset]:
        both.wait()
        yield row(1)

    async def work() -> list[int]:
        async with aio.associate(server.address, timeouts=QUICK) as association:

            async def one() -> int:
                return len([ds async for ds in association.find({"PatientID": ""})])

            return list(await asyncio.gather(one(), one()))

    with server:
        assert asyncio.run(work()) == [1, 1]


@pytest.mark.parametrize("how", ["abort", "cancel", "close"])
def test_a_handler_hears_that_nobody_listens_any_more(how: str) -> None:
    """A generator is closed when its peer aborts, cancels, or goes, however many answers it would still have."""
    closed = threading.Event()
    server = net.Server("NODE", timeouts=QUICK)

    @server.find(model="study")
    def find(request: net.Request) -> Iterator[Dataset]:
        try:
            for number in range(1 << 40):
                yield row(number)
        finally:
            closed.set()

    with server:
        association = net.associate(server.address, timeouts=QUICK)
        association.__enter__()
        found = association.find({"PatientID": ""})
        assert next(found).PatientID == "0"
        if how == "cancel":
            found.close()  # type: ignore[attr-defined]
            assert association.echo().status == 0, "the association goes on"
            association.__exit__(None, None, None)
        elif how == "abort":
            association.abort()
        else:
            del found
            association.__exit__(None, None, None)
        assert closed.wait(20)


def test_no_answer_waits_for_one_that_takes_long() -> None:
    """The first go out one by one, more and more at a time: what is there goes out whatever the next one takes."""
    steps = 6
    server = net.Server("NODE", timeouts=QUICK)
    asked = threading.Semaphore(0)

    @server.find(model="study")
    def find(request: net.Request) -> Iterator[Dataset]:
        for number in range(steps):
            asked.acquire(timeout=60)
            yield row(number)

    with server, net.associate(server.address, timeouts=net.Timeouts(response=30)) as association:
        found = association.find({"PatientID": ""})
        for number in range(steps):
            asked.release()
            assert next(found).PatientID == str(number)
        assert list(found) == []


def test_an_association_that_others_reject_says_why() -> None:
    refused: list[str] = []
    with net.Server("NODE", timeouts=QUICK) as server:
        for address in (f"OTHER@127.0.0.1:{server.port}", "NODE@127.0.0.1:1"):
            with pytest.raises(NetworkError) as caught, net.associate(address, timeouts=QUICK):
                pass
            refused.append(str(caught.value))
    assert "called AE title is not recognized" in refused[0]
    assert "no connection" in refused[1]


def test_queries_of_every_level_carry_what_the_standard_wants(tmp_path: Path) -> None:
    """PS3.4 C.4.1.1.3.2: the level, where it can be retrieved, and the unique keys, whatever was asked for."""
    with catalogue.open(tmp_path) as store:
        store.add(BASE).result()
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Query(store))
        keys = {"PATIENT": 1, "STUDY": 2, "SERIES": 3, "IMAGE": 4}
        names = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        with server, net.associate(server.address, timeouts=QUICK) as association:
            for level, count in keys.items():
                (found,) = association.find({names[count - 1]: ""}, level=level, model="patient")
                assert found.QueryRetrieveLevel == level
                assert found.RetrieveAETitle == "NODE"
                assert all(found.get(name) for name in names[:count])


def test_an_answer_of_a_worklist_has_the_step_that_matches() -> None:
    """PS3.4 C.2.2.2.6 and K.6.1.2: a device reads the first step of an answer, whatever else stands there."""
    item = Dataset()
    item.AccessionNumber = "A1"
    item.ScheduledProcedureStepSequence = []
    for modality, number in (("CT", "1"), ("US", "2"), ("US", "3")):
        step = Dataset()
        step.Modality, step.ScheduledProcedureStepID = modality, number
        item.ScheduledProcedureStepSequence.append(step)
    server = net.Server("RIS", timeouts=QUICK)
    server.add(services.Worklist(lambda: [item]))

    def found(modality: str) -> list[list[str]]:
        key, keys = Dataset(), Dataset()
        key.Modality, key.ScheduledProcedureStepID = modality, ""
        keys.AccessionNumber, keys.ScheduledProcedureStepSequence = "", [key]
        rows = association.find(keys, model="worklist")
        return [[one.ScheduledProcedureStepID for one in ds.ScheduledProcedureStepSequence] for ds in rows]

    with server, net.associate(server.address, timeouts=QUICK) as association:
        assert found("US") == [["2"], ["3"]]
        assert found("CT") == [["1"]]
        assert found("MR") == []
        assert found("") == [["1"], ["2"], ["3"]]
    assert len(item.ScheduledProcedureStepSequence) == 3


def test_a_workitem_is_answered_with_the_items_that_match() -> None:
    """PS3.4 C.2.2.2.6, where several stations may perform a step."""
    from tests.services.test_ups import step

    items, ds = services.Workitems(), step()
    ds.ScheduledStationNameCodeSequence = []
    for value in ("DEVICE1", "DEVICE2"):
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "99X", value
        ds.ScheduledStationNameCodeSequence.append(code)
    assert items.create(ds, "1.2.3").status == 0
    for value in ("DEVICE1", "DEVICE2"):
        key, keys = Dataset(), Dataset()
        key.CodeValue = value
        keys.ScheduledStationNameCodeSequence = [key]
        (found,) = items.search(keys)
        assert [one.CodeValue for one in found.ScheduledStationNameCodeSequence] == [value]


def test_an_answer_about_a_series_has_the_request_that_matches(tmp_path: Path) -> None:
    """PS3.4 C.2.2.2.6: the items that match, with what was asked for."""
    ds = dcmread(BASE)
    ds.RequestAttributesSequence = []
    for number in ("1", "2"):
        item = Dataset()
        item.RequestedProcedureID, item.ScheduledProcedureStepID = f"R{number}", f"S{number}"
        ds.RequestAttributesSequence.append(item)
    ds.save_as(tmp_path / "one.dcm")
    with catalogue.open(tmp_path / "store") as store:
        store.add(tmp_path / "one.dcm").result()
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Query(store))
        with server, net.associate(server.address, timeouts=QUICK) as association:
            for wanted, shown in (("R2", ["R2"]), ("R*", ["R1", "R2"]), ("", ["R1", "R2"])):
                key, keys = Dataset(), Dataset()
                key.RequestedProcedureID, keys.RequestAttributesSequence = wanted, [key]
                (found,) = association.find(keys, level="SERIES")
                assert [one.RequestedProcedureID for one in found.RequestAttributesSequence] == shown
                assert all("ScheduledProcedureStepID" not in one for one in found.RequestAttributesSequence)
            keys = Dataset()
            keys.RequestAttributesSequence = []
            (found,) = association.find(keys, level="SERIES")
            assert [one.ScheduledProcedureStepID for one in found.RequestAttributesSequence] == ["S1", "S2"]


FAULTY = {  # what the peer is asked for: (model, level, keys); the key that is wrong is named
    "a study": ("study", "STUDY", {"StudyDate": "2024-01-01"}),
    "a birth date": ("patient", "PATIENT", {"PatientBirthDate": "1970"}),
    "a time": ("study", "SERIES", {"SeriesTime": "noon"}),
    "an object of no patient": ("hanging-protocol", None, {"HangingProtocolCreationDateTime": "2024-01-01"}),
    "a step": ("worklist", None, {"ScheduledProcedureStepStartDate": "2024-01-01"}),
    "a workitem": ("ups", None, {"ScheduledProcedureStepStartDateTime": "2024-01-01"}),
}


@pytest.mark.parametrize(("model", "level", "keys"), FAULTY.values(), ids=FAULTY)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_date_that_is_none_is_refused_by_name(
    tmp_path: Path, model: str, level: str | None, keys: dict[str, str]
) -> None:
    """It would match nothing, which looks like an empty archive."""
    asked, (name,) = Dataset(), keys
    for keyword, text in keys.items():
        asked.add_new(keyword, dictionary_VR(keyword), text)
    if model == "worklist":
        inner, asked = asked, Dataset()
        asked.ScheduledProcedureStepSequence = [inner]
    with catalogue.open(tmp_path / "store") as store:
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Query(store), services.Worklist(list), services.UnifiedProcedureSteps(services.Workitems()))
        with server, net.associate(server.address, timeouts=QUICK) as association:
            with pytest.raises(NetworkError, match=rf"\({name} has .*C000$"):
                list(association.find(asked, level=level, model=model))
            association.echo()
