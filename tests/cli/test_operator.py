"""What newcomers and operators meet with the commands of the network: one line on stderr, and the right exit code."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dicomcore import catalogue, dcmread, net, services
from dicomcore.cli.program import main
from dicomcore.net.limits import NetLimits
from tests.catalogue.test_zones import BASE as MR


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with catalogue.open(tmp_path_factory.mktemp("store")) as store:
        store.add(MR).result()
        server = net.Server("NODE")
        server.add(services.Query(store), services.Retrieve(store), services.Worklist(lambda: ()))
        with server:
            yield server.address


@pytest.fixture
def taken() -> Iterator[int]:
    """A port at which somebody listens."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dicomcore ")
    return line.partition(": ")[2]


WRONG = {  # name: (arguments behind `find PEER`, what is said)
    "a keyword that is none": (["-k", "PatientsName=x"], "PatientsName is no keyword of the dictionary (PS3.6)"),
    "a tag that is none": (["-k", "00190010=x"], "00190010 is no tag of the dictionary (PS3.6)"),
    "a date that is none": (["-k", "StudyDate=2025-01-01"], "StudyDate=2025-01-01: a date is YYYYMMDD"),
    "a word for a date": (["-k", "StudyDate=today"], "StudyDate=today: a date is YYYYMMDD"),
    "a time that is none": (["-k", "StudyTime=noon"], "StudyTime=noon: a time is HHMMSS"),
    "a level that is none": (["--level", "FOO"], "'FOO' is no level of the model"),
    "a model that is none": (["--model", "FOO"], "'FOO' is no query model"),
    "an AE title that is too long": (["--calling", "TOOLONGAETITLE12345"], "is no AE title"),
}


@pytest.mark.parametrize(("arguments", "what"), WRONG.values(), ids=WRONG)
def test_wrong_use(node: str, arguments: list[str], what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", node, *arguments]) == 2
    assert what in said(capsys)


RIGHT = ("StudyDate=20040101-", "StudyDate=-20991231", "StudyDate=20040101 - 20991231", "StudyDate=2004.08.26",
         "StudyDate=*", "StudyTime=18-19", "StudyTime=18:50:59", "StudyDate", "0010,0020=4MR1", "(0010,0020)=4MR1",
         "00100020=4MR1", "StudyInstanceUID=", "PatientName=*mr1*")  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("key", RIGHT)
def test_keys_that_find(node: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", node, "-k", key, "-k", "PatientID"]) == 0
    assert "4MR1" in capsys.readouterr().out


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("key", ["StudyInstanceUID=*", 'StudyDate=""', "SeriesNumber=1*", "Modality=ct"])
def test_a_key_may_have_what_a_value_may_not(node: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", node, "-k", key]) == 0
    assert capsys.readouterr().err == ""


def test_a_retrieval_without_its_unique_key_is_refused(
    node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """PS3.4 C.4.2.1.4.1: other keys choose nothing, and no instance is no success."""
    for keys in ([], ["-k", "PatientName=*"], ["-k", "StudyInstanceUID="]):
        assert main(["get", node, *keys, "-o", str(tmp_path / "out")]) == 1
        assert "the identifier has no StudyInstanceUID" in said(capsys)
    series = ["--level", "SERIES", "-k", f"StudyInstanceUID={dcmread(MR).StudyInstanceUID}"]
    assert main(["get", node, *series, "-o", str(tmp_path / "out")]) == 1
    assert "the identifier has no SeriesInstanceUID" in said(capsys)


def test_a_disk_without_room_is_ours_and_not_the_peers(
    node: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicomcore.net.storing.no_space", lambda *_: True)
    keys = ["-k", f"StudyInstanceUID={dcmread(MR).StudyInstanceUID}"]
    assert main(["get", node, *keys, "-o", str(tmp_path / "out")]) == 1
    first, *_ = capsys.readouterr().err.splitlines()
    assert f"less than {NetLimits().free_bytes} bytes are left on the disk" in first
    assert str(dcmread(MR).SOPInstanceUID) in first


def test_the_date_of_a_worklist(node: str, capsys: pytest.CaptureFixture[str]) -> None:
    for date in ("20250101", "20250101-", "-20250101", "20250101-20250131", "20250101 - 20250131"):
        assert main(["worklist", node, "--date", date]) == 0
    for date in ("tomorrow", "2025"):
        with pytest.raises(SystemExit) as caught:
            main(["worklist", node, "--date", date])
        assert caught.value.code == 2
        assert f"'{date}': " in capsys.readouterr().err


def test_the_other_side_is_another(node: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = node.partition("@")[2]
    assert main(["echo", f"OTHER@{place}"]) == 1
    assert "the called AE title is not recognized" in said(capsys)


def test_a_file_of_certificates_that_is_not_there(node: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["echo", node, "--tls", "--trust", "/no/such.pem"]) == 2
    assert said(capsys) == "/no/such.pem: No such file or directory"


def test_a_port_in_use(taken: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--store", str(tmp_path / "s"), "--port", str(taken)]) == 1
    assert said(capsys) == f"cannot listen at 127.0.0.1:{taken}: Address already in use"
    pytest.importorskip("uvicorn")
    assert main(["serve", "--store", str(tmp_path / "s"), "--port", "0", "--http", str(taken)]) == 1
    assert said(capsys) == f"cannot listen at 127.0.0.1:{taken}: Address already in use"


SERVE = {  # name: (options, what is said)
    "an AE title that is too long": (["--ae", "TOO LONG AE TITLE"], "'TOO LONG AE TITLE' is no AE title"),
    "a title of a peer": (["--peer", "A\\B@127.0.0.1:104"], "is no AE title"),
    "an empty title": (["--ae", " "], "' ' is no AE title"),
    "a peer without a title": (["--peer", "127.0.0.1:104"], "a destination is AET@HOST:PORT"),
    "a certificate": (["--certificate", "/no/such.pem"], "/no/such.pem: No such file or directory"),
    "a worklist": (["--worklist", "/no/such"], "/no/such: no such folder"),
    "a port": (["--port", "70000"], "has no port between 0 and 65535"),
}


@pytest.mark.parametrize(("options", "what"), SERVE.values(), ids=SERVE)
def test_a_node_that_cannot_begin(
    tmp_path: Path, options: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    port = [] if "--port" in options else ["--port", "0"]
    assert main(["serve", "--store", str(tmp_path / "s"), *port, *options]) == 2
    assert what in said(capsys)


def test_a_file_of_options_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "node.toml"
    path.write_text("ae = \n")
    assert main(["serve", "--config", str(path), "--store", str(tmp_path / "s")]) == 2
    assert said(capsys).startswith(f"{path}: Invalid value")


@pytest.mark.parametrize("line", [
    'port = "11112"', "ae = 5", "peers = 5", "peers = {PACS = 5}", 'delete = "no"', 'http_anyone = "false"', "deep = 1",
    "notify = 3", "cors = [1]", "audit = 5", "certificate = 1", 'http = "8080"', "port = true", "store = true",
])  # fmt: skip
def test_an_option_of_another_kind_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(line)
    assert main(["serve", "--config", str(path), "--store", str(tmp_path / "s")]) == 2
    assert f"{path}: {line.split()[0]} is " in capsys.readouterr().err


def test_a_store_that_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such as one on a full disk, whose error comes from the database."""
    for name in ("catalogue.sqlite", "state.sqlite"):
        (tmp_path / name).write_text("this is no database, and long enough to be looked at")
    assert main(["serve", "--store", str(tmp_path), "--port", "0"]) == 1
    assert said(capsys) == f"{tmp_path}: file is not a database"
    assert main(["jobs", str(tmp_path)]) == 1
    assert said(capsys) == f"{tmp_path / 'state.sqlite'}: file is not a database"
    shutil.rmtree(tmp_path)
