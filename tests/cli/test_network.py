"""The commands of the network against a server of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomcore import Dataset, dcmread, net
from dicomcore.cli.program import main
from tests.net.test_server import FILES, body, identity, stored


@pytest.fixture
def server(tmp_path: Path) -> Iterator[net.Server]:
    made = net.Server(ae="PACS", folder=tmp_path / "stored")

    @made.find(model=("patient", "study", "worklist"))
    def find(request: net.Request) -> Iterator[Dataset]:
        for number in range(3):
            ds = request.dataset.copy()
            ds.PatientID = f"P{number}"
            yield ds

    made.get(lambda request: FILES[:2])
    made.move(lambda request: iter([None]))
    with made:
        yield made


def test_echo(server: net.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echo", server.address]) == 0
    assert " answers in " in capsys.readouterr().out
    assert main(["echo", server.address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["status"] == 0


def test_a_peer_by_name(
    server: net.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    peers = tmp_path / "peers.toml"
    peers.write_text(f'pacs = "{server.address}"\n[other]\naddress = "{server.address}"\ncalling = "ME"\n')
    monkeypatch.setenv("DICOMCORE_PEERS", str(peers))
    assert main(["echo", "pacs"]) == 0
    assert main(["echo", "other"]) == 0
    assert main(["echo", "nobody"]) == 2
    assert "nobody is no peer in" in capsys.readouterr().err


def test_store(server: net.Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["store", server.address, *map(str, FILES)]) == 0
    assert capsys.readouterr().out == f"{len(FILES)} instances stored\n"
    assert set(stored(tmp_path / "stored")) == {identity(path) for path in FILES}
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(bytes(132))
    assert main(["store", server.address, str(bad)]) == 1
    said = capsys.readouterr()
    assert "1 failed" in said.out
    assert str(bad) in said.err
    assert main(["store", server.address, str(tmp_path / "missing")]) == 2


def test_find(server: net.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", server.address, "-k", "PatientName=A*", "-k", "PatientID", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["00100020"]["Value"] for line in lines] == [["P0"], ["P1"], ["P2"]]
    assert main(["find", server.address, "-k", "PatientName=A*", "--most", "1"]) == 0
    assert capsys.readouterr().out.count("(0010,0020)") == 1
    assert main(["find", server.address, "-k", "Nonsense=1"]) == 2


def test_worklist(server: net.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["worklist", server.address, "--modality", "CT", "--date", "20250101-", "--json"]) == 0
    (first, *_) = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["00400100"]["Value"][0]["00080060"]["Value"] == ["CT"]


def test_get(server: net.Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "got"
    assert main(["get", server.address, "-k", "StudyInstanceUID=1.2", "-o", str(out)]) == 0
    assert capsys.readouterr().out == "2 instances retrieved\n"
    found = stored(out)
    for path in FILES[:2]:
        if dcmread(found[identity(path)]).file_meta.TransferSyntaxUID == dcmread(path).file_meta.TransferSyntaxUID:
            assert body(found[identity(path)]) == body(path)


def test_move(server: net.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["move", server.address, "--to", "NOBODY", "-k", "StudyInstanceUID=1.2"]) == 1
    assert "the move destination is unknown" in capsys.readouterr().err


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echo", "X@127.0.0.1:1", "--timeout", "2"]) == 1
    assert "no connection" in capsys.readouterr().err
    assert main(["echo", "X@127.0.0.1:99999"]) == 2
