"""Frames of instances, instances without bulk data, and what is sent later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom.data
import pytest

from dicomcore import Dataset, catalogue, dcmread, net, services
from dicomcore.encoding import encode
from dicomcore.errors import NetworkError
from dicomcore.net.commands import Field
from dicomcore.net.operations import Outcome
from dicomcore.net.statuses import Status
from dicomcore.net.suboperations import Counts
from dicomcore.pixels.frames import Frames
from tests.net.test_server import QUICK

FILES = {path.name: path for path in sorted(Path(pydicom.data.__file__).parent.rglob("*.dcm"))}
MANY = ("examples_ybr_color.dcm", "rtdose.dcm", "rtdose_expb.dcm", "rtdose_rle.dcm")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[net.Server, catalogue.LiveCatalogue]]:
    with catalogue.open(tmp_path / "store") as store:
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Query(store), services.Retrieve(store))
        with server:
            yield server, store


def got(server: net.Server, keys: Dataset, ds: Dataset, model: str, level: str, into: Path) -> list[Any]:
    kinds = {(str(ds.SOPClassUID), (str(ds.transfer_syntax),))}
    with net.associate(server.address, timeouts=QUICK) as association:
        return list(association.get(keys, level=level, model=model, into=into, storage=kinds))


LISTS: dict[str, tuple[str, Any, list[int]]] = {
    "simple": ("SimpleFrameList", [2, 5], [2, 5]),
    "simple, one": ("SimpleFrameList", [1], [1]),
    "simple, some beyond": ("SimpleFrameList", [3, 99], [3]),
    "calculated": ("CalculatedFrameList", [1, 9, 3], [1, 4, 7]),
    "calculated, several": ("CalculatedFrameList", [1, 2, 1, 10, 4_000_000_000, 1000], [1, 2, 10]),
}


@pytest.mark.parametrize("name", [name for name in MANY if name in FILES])
@pytest.mark.parametrize(("keyword", "value", "numbers"), LISTS.values(), ids=LISTS)
def test_frames(
    node: tuple[net.Server, catalogue.LiveCatalogue], tmp_path: Path, name: str, keyword: str, value: Any,
    numbers: list[int],
) -> None:  # fmt: skip
    server, store = node
    store.add(FILES[name]).result()
    ds = dcmread(FILES[name])
    if len(Frames(ds)) < 10:
        pytest.skip("it has fewer frames")
    keys = Dataset()
    keys.SOPInstanceUID = ds.SOPInstanceUID
    setattr(keys, keyword, value)
    (outcome,) = got(server, keys, ds, "instance-root", "FRAME", tmp_path / "got")
    assert outcome.status == 0
    made = dcmread(outcome.path)
    assert int(made.NumberOfFrames) == len(numbers)
    assert made.SOPInstanceUID != ds.SOPInstanceUID
    assert made.FrameExtractionSequence[0].MultiFrameSourceSOPInstanceUID == ds.SOPInstanceUID
    old, new = Frames(ds), Frames(made)
    for at, number in enumerate(numbers):
        assert np.array_equal(old[number - 1], new[at])
    groups = ds.get("PerFrameFunctionalGroupsSequence")
    if groups:
        assert len(made.PerFrameFunctionalGroupsSequence) == len(numbers)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no list": ({}, "one of Simple Frame List"),
    "two lists": ({"SimpleFrameList": [1], "CalculatedFrameList": [1, 1, 1]}, "one of Simple Frame List"),
    "no such frame": ({"SimpleFrameList": [999]}, "there are 15 frames"),
    "no triplets": ({"CalculatedFrameList": [1, 2]}, "has triplets"),
    "no step": ({"CalculatedFrameList": [1, 2, 0]}, "is at least 1"),
    "no times": ({"TimeRange": [0.0, 1.0]}, "have no times"),
}


@pytest.mark.parametrize(("values", "why"), WRONG.values(), ids=WRONG)
def test_frames_that_are_not_there(
    node: tuple[net.Server, catalogue.LiveCatalogue], tmp_path: Path, values: dict[str, Any], why: str
) -> None:
    server, store = node
    path = FILES["rtdose.dcm"]
    store.add(path).result()
    ds = dcmread(path)
    keys = Dataset()
    keys.SOPInstanceUID = ds.SOPInstanceUID
    for keyword, value in values.items():
        setattr(keys, keyword, value)
    with pytest.raises(NetworkError, match=why):
        got(server, keys, ds, "instance-root", "FRAME", tmp_path / "got")


def test_without_bulk_data(node: tuple[net.Server, catalogue.LiveCatalogue], tmp_path: Path) -> None:
    server, store = node
    ds = dcmread(FILES["CT_small.dcm"])
    store.add(FILES["CT_small.dcm"]).result()
    keys = Dataset()
    keys.StudyInstanceUID, keys.SeriesInstanceUID = ds.StudyInstanceUID, ds.SeriesInstanceUID
    keys.SOPInstanceUID = ds.SOPInstanceUID
    (outcome,) = got(server, keys, ds, "without-bulk-data", "IMAGE", tmp_path / "got")
    assert outcome.status == 0
    made = dcmread(outcome.path)
    assert "PixelData" not in made
    assert made.PatientName == ds.PatientName
    assert made.SOPInstanceUID == ds.SOPInstanceUID


def test_what_a_move_cannot_deliver_is_sent_later(tmp_path: Path) -> None:
    now = [1000.0]
    with catalogue.open(tmp_path / "store") as store:
        store.jobs.clock = lambda: now[0]
        store.add(FILES["CT_small.dcm"]).result()
        ds = dcmread(FILES["CT_small.dcm"])
        peers = {"THIRD": "127.0.0.1:1"}
        forwarding = services.Forwarding(store, peers, timeouts=QUICK)
        server = net.Server("NODE", timeouts=QUICK)
        server.add(services.Retrieve(store, peers, failed=forwarding.later))
        with server, net.associate(server.address, timeouts=QUICK) as association:
            (*_, last) = association.move({"StudyInstanceUID": ds.StudyInstanceUID}, to="THIRD")
        assert last.status == 0xA702
        (job,) = store.jobs.all()
        assert (job.state, job.payload["to"], job.payload["instances"]) == ("waiting", "THIRD", [ds.SOPInstanceUID])
        assert forwarding.runner.step()
        assert not forwarding.runner.step()  # not due yet
        assert store.jobs.all()[0].due == 1010.0
    with catalogue.open(tmp_path / "store") as store, net.Server("THIRD", folder=tmp_path / "third") as third:
        store.jobs.clock = lambda: now[0]
        forwarding = services.Forwarding(store, {"THIRD": f"127.0.0.1:{third.port}"}, timeouts=QUICK)
        now[0] += 11
        assert forwarding.runner.step()
        (job,) = store.jobs.all()
        assert (job.state, job.attempts, job.result) == ("done", 2, {"stored": 1})
        assert len(list((tmp_path / "third").rglob("*.dcm"))) == 1
        store.jobs.add("forward", {"to": "NOBODY", "calling": "", "instances": [str(ds.SOPInstanceUID)]})
        assert forwarding.runner.step()
        assert store.jobs.all(state="failed")[0].error == "NOBODY is no known peer"


@pytest.fixture
def three(tmp_path: Path) -> Iterator[tuple[net.Server, list[Path]]]:
    """A node with three instances of study 1.2.3, and their files."""
    with catalogue.open(tmp_path / "store") as store, net.Server("THIRD", folder=tmp_path / "third") as third:
        paths = []
        for number in range(3):
            ds = dcmread(FILES["CT_small.dcm"])
            ds.StudyInstanceUID, ds.SOPInstanceUID = "1.2.3", f"1.2.3.{number}"
            paths.append(tmp_path / f"{number}.dcm")
            ds.save_as(paths[-1])
            store.add(paths[-1]).result()
        server = net.Server("NODE", timeouts=QUICK)
        place = f"127.0.0.1:{third.port}"
        server.add(services.Retrieve(store, {"THIRD": place, "GONE": "127.0.0.1:1", "OTHER": f"NOBODY@{place}"}))
        with server:
            yield server, paths


def moved(server: net.Server, to: str) -> Any:
    with net.associate(server.address, timeouts=QUICK) as association:
        (*_, last) = association.move({"StudyInstanceUID": "1.2.3"}, to=to)
    return last


@pytest.mark.parametrize("to", ["GONE", "OTHER"])
def test_a_move_to_where_nobody_is_names_what_failed(three: tuple[net.Server, list[Path]], to: str) -> None:
    last = moved(three[0], to)
    assert (last.status, last.failed, last.completed) == (0xA702, 3, 0)
    assert last.dataset.FailedSOPInstanceUIDList == ["1.2.3.0", "1.2.3.1", "1.2.3.2"]


def test_instances_whose_files_are_gone_are_named(three: tuple[net.Server, list[Path]], tmp_path: Path) -> None:
    """PS3.4 C.4.2.1.4.2: all that failed, those that could not even be read among them."""
    server, paths = three
    paths[1].unlink()
    last = moved(server, "THIRD")
    assert (last.status, last.failed, last.completed) == (0xB000, 1, 2)
    assert last.dataset.FailedSOPInstanceUIDList == "1.2.3.1"
    with net.associate(server.address, timeouts=QUICK) as association:
        found = list(association.get({"StudyInstanceUID": "1.2.3"}, level="STUDY", into=tmp_path / "got"))
    assert {one.sop_instance: one.status.is_success for one in found} == {
        "1.2.3.0": True, "1.2.3.1": False, "1.2.3.2": True,
    }  # fmt: skip


def test_counts_and_lists_beyond_their_elements() -> None:
    """More than 65 535 sub-operations (US), and more UIDs than a value of explicit VR holds."""
    counts = Counts(70_000)
    for number in range(70_000):
        counts.add(Outcome(Status(0x0110), None, "", f"1.2.840.10008.{number:050}"))
    assert counts.values(with_remaining=True) == {
        Field.REMAINING: 0, Field.COMPLETED: 0, Field.FAILED: 65_535, Field.WARNING: 0,
    }  # fmt: skip
    made = counts.identifier()
    assert made is not None
    assert len(encode(made, "1.2.840.10008.1.2.1")) <= 8 + 65_534
    assert list(made.FailedSOPInstanceUIDList)[:1] == [f"1.2.840.10008.{0:050}"]
