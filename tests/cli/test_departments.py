"""The commands of workflow and printing against a node of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dicomcore import catalogue, net, services
from dicomcore.cli.program import main
from tests.net.test_server import FILES, QUICK
from tests.services.test_ups import data_set, performed

SOME = [str(path) for path in FILES[:3]]


class Node:
    def __init__(self, folder: Path) -> None:
        self.store = catalogue.open(folder / "store")
        self.peers: dict[str, str] = {}
        self.server = net.Server(ae="NODE", timeouts=QUICK)
        self.server.add(services.Storage(self.store))
        self.departments = services.add_all(
            self.server, self.store, folder / "ledger.sqlite", self.peers, printer=folder / "sheets", notify=["PACS"]
        )


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    made = Node(tmp_path)
    with made.store, made.departments.ledger, made.departments, made.server:
        yield made


def test_commit(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["commit", node.server.address, *SOME, "--wait", "10"]) == 1
    said = capsys.readouterr()
    assert said.out == f"0 of {len(SOME)} kept\n"
    assert "not kept: no such SOP instance (0112)" in said.err
    assert main(["store", node.server.address, *SOME]) == 0
    capsys.readouterr()
    assert main(["commit", node.server.address, *SOME, "--wait", "10", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["path"], line["kept"]) for line in lines] == [(path, True) for path in SOME]


def test_mpps(node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["mpps", node.server.address]
    assert main([*at, "begin", "-k", "PatientName=Müller^Jörg", "-k", "ScheduledProcedureStepID=S1"]) == 0
    uid = capsys.readouterr().out.strip()
    assert main([*at, "show", uid, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["00100010"]["Value"] == [{"Alphabetic": "Müller^Jörg"}]
    assert shown["00400270"]["Value"][0]["00400009"]["Value"] == ["S1"]
    assert main([*at, "complete", uid]) == 0
    assert main([*at, "complete", uid]) == 1
    assert "may no longer be updated" in capsys.readouterr().err
    assert main([*at, "begin", uid]) == 2
    assert main([*at, "show"]) == 2
    assert main([*at, "show", "1.2"]) == 1
    assert [event.type for event in node.departments.ledger.reports("PACS")] == [1, 2]


def test_ups(node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at = ["ups", node.server.address]

    def said(*words: str, code: int = 0) -> str:
        assert main([*at, *words]) == code
        return capsys.readouterr().out.strip()

    uid = said("create", "-k", "ProcedureStepLabel=Lesen", "-k", "PatientID=7")
    found = json.loads(said("find", "-k", "PatientID=7", "--json"))
    assert found["00741204"]["Value"] == ["Lesen"]
    lock = said("claim", uid)
    said("claim", uid, code=1)
    said("complete", uid, "--transaction", lock, code=1)
    (tmp_path / "performed.json").write_text(performed().to_json())
    said("update", uid, "--transaction", lock, "--dataset", str(tmp_path / "performed.json"))
    assert json.loads(said("complete", uid, "--transaction", lock, "--json")) == {
        "sop_instance": uid, "status": 0, "transaction": lock,
    }  # fmt: skip
    assert "COMPLETED" in said("show", uid)
    other = said("create")
    said("subscribe", other, "--receiver", "NOBODY", code=1)
    node.peers["ME"] = "127.0.0.1:1"
    said("subscribe", "--receiver", "ME", "--lock")
    said("request-cancel", other, "-k", "ReasonForCancellation=no")
    assert "CANCELED" in said("show", other)
    said("unsubscribe", "--receiver", "ME")
    said("claim", code=2)
    said("cancel", "1.2.3", "--transaction", lock, code=1)


def test_print(node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image = next(str(path) for path in FILES if path.name == "CT_small.dcm")
    assert main(["print", node.server.address, image, image, image, "--layout", "2,1", "--film", "8INX10IN"]) == 0
    assert capsys.readouterr().out == "2 sheets\n"
    assert main(["print", node.server.address, image, "--colour", "--landscape", "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["sheets"], len(told["jobs"])) == (1, 1)
    assert len(list((tmp_path / "sheets").glob("*.png"))) == 3
    assert main(["print", node.server.address, image, "--layout", "0,0"]) == 2
    assert main(["print", node.server.address, image, "--film", "HUGE"]) == 0
    assert "attribute value out of range" in capsys.readouterr().err


def test_a_node_in_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import re
    import signal
    import subprocess
    import sys

    options = {"--ae": "NODE", "--port": "0", "--store": tmp_path / "a", "--worklist": tmp_path / "list",
               "--sheets": tmp_path / "sheets", "--http": "0"}  # fmt: skip
    command = [sys.executable, "-m", "dicomcore", "serve", *(str(word) for pair in options.items() for word in pair)]
    (tmp_path / "list").mkdir()
    for number in "12":
        item = data_set(PatientName=f"P{number}", StudyInstanceUID=f"1.2.{number}", ScheduledProcedureStepSequence=[
            data_set(ScheduledProcedureStepID="S1", Modality="CT")])  # fmt: skip
        item.save_as(tmp_path / "list" / f"{number}.wl", enforce_standard=False)
    node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert node.stdout is not None
        address = node.stdout.readline().split(": ")[0]
        url = re.sub(r"/$", "", node.stdout.readline().strip())
        assert main(["store", address, *SOME]) == 0
        assert main(["commit", address, *SOME, "--wait", "20"]) == 0
        assert main(["ups", address, "create", "-k", "PatientID=7"]) == 0
        uid = capsys.readouterr().out.split()[-1]
        begin = ["mpps", address, "begin", "-k", "StudyInstanceUID=1.2.1", "-k", "ScheduledProcedureStepID=S1"]
        assert main(begin) == 0
        assert main(["mpps", address, "complete", capsys.readouterr().out.strip()]) == 0
        with net.associate(address) as association:
            left = [str(one.PatientName) for one in association.find({"PatientName": ""}, model="worklist")]
        assert left == ["P2"]
        from dicomcore import web

        with web.Client(url) as client:  # the same step over the web
            assert str(client.workitems.retrieve(uid).PatientID) == "7"
    finally:
        node.send_signal(signal.SIGINT)
        assert node.wait(30) == 0
        node.communicate()
    assert (tmp_path / "a" / "ledger.sqlite").exists()
