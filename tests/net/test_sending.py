"""send: folders, several associations, lost associations, and going on."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dicomcore import dcmread, net
from dicomcore.errors import NetworkError
from dicomcore.net import sending
from tests.net.test_server import FILES, QUICK, body, identity, stored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    for path in FILES:
        shutil.copy(path, made / path.name)
    (made / "README.txt").write_text("no DICOM")
    return made


def test_a_folder_goes_over_several_associations(folder: Path, tmp_path: Path) -> None:
    seen: list[net.Outcome] = []
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        sent = net.send(folder, server.address, workers=3, each=seen.append, timeouts=QUICK)
    assert sent
    assert (sent.stored, sent.passed_over, len(seen)) == (len(FILES), 1, len(FILES))
    assert {uid: body(path) for uid, path in stored(tmp_path / "out").items()} == {
        identity(path): body(path) for path in FILES
    }


def test_a_second_run_sends_what_is_new(folder: Path, tmp_path: Path) -> None:
    journal = tmp_path / "sent.jsonl"
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        first = net.send(sorted(folder.glob("*.dcm"))[:5], server.address, resume=journal, timeouts=QUICK)
        with open(journal, "a") as half:
            half.write('{"path": "/cut')
        second = net.send(folder, server.address, resume=journal, timeouts=QUICK)
    assert (first.stored, second.stored, second.skipped) == (5, len(FILES) - 5, 5)
    assert len([line for line in journal.read_text().splitlines() if line.endswith("}")]) >= len(FILES) - 1


def test_a_lost_association_is_opened_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSE", 0.01)
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        relay = Relay(server.port, [60_000, 150_000])
        with relay:
            sent = net.send(folder, f"SERVER@127.0.0.1:{relay.port}", workers=1, timeouts=QUICK)
    assert sent.failures == []
    assert set(stored(tmp_path / "out")) == {identity(path) for path in FILES}
    assert relay.cut == 2


def test_more_contexts_than_an_association_holds(tmp_path: Path) -> None:
    count = 300
    paths = []
    for number in range(count):
        ds = dcmread(FILES[0])
        ds.SOPClassUID = f"1.2.826.0.1.3680043.2.{number}"
        ds.SOPInstanceUID = f"1.2.3.{number}"
        ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
            ds.SOPClassUID,
            ds.SOPInstanceUID,
        )
        paths.append(tmp_path / f"{number}.dcm")
        ds.save_as(paths[-1])
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        sent = net.send(paths, server.address, workers=1, timeouts=QUICK)
    assert (sent.stored, sent.failures) == (count, [])


def test_nobody_there_is_an_error_and_a_missing_file_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NetworkError):
        net.send(FILES[0], f"X@127.0.0.1:{port}")
    with pytest.raises(FileNotFoundError):
        net.send(tmp_path / "missing", f"X@127.0.0.1:{port}")


def test_what_cannot_be_sent_is_a_failure(tmp_path: Path) -> None:
    bad = tmp_path / "bad.dcm"
    bad.write_bytes(bytes(128) + b"DICM")
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        sent = net.send([bad, FILES[0]], server.address, timeouts=QUICK)
    assert sent.stored == 1
    (failure,) = sent.failures
    assert failure.path == str(bad)
    assert failure.error
    assert not sent
    json.dumps(failure.error)


class Relay:
    """Passes bytes on to a port, and cuts its first connections after so many bytes."""

    def __init__(self, port: int, after: list[int]) -> None:
        self._target, self._after = port, list(after)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.cut = 0

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self._server.accept()
            except OSError:
                return
            other = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._pass, args=(one, other, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(other, one, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, is_counted: bool) -> None:
        total = 0
        try:
            while data := source.recv(16384):
                total += len(data)
                if is_counted and self._after and total > self._after[0]:
                    self._after.pop(0)
                    self.cut += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def test_a_release_with_messages_that_wait(tmp_path: Path) -> None:
    """What can no longer be sent does not keep the release."""
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        association = net.associate(server.address, timeouts=QUICK)
        session = association._wire.session
        (context,) = [one for one in association.contexts if one.abstract_syntax == "1.2.840.10008.1.1"]
        session.connection.release(0.0)
        session.send(context.number, {0x0002: context.abstract_syntax, 0x0100: 0x30, 0x0110: 1})
        association._wire.flush()
        association.abort()


def test_sources_that_wait_are_not_asked_ahead(tmp_path: Path) -> None:
    """A generator that waits for the outcome of one file before it gives the next gets it."""
    seen: list[net.Outcome] = []

    def sources() -> Iterator[Path]:
        for number in range(4):
            assert len(seen) == number
            yield FILES[0]

    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        limits = net.NetLimits(invoking=1)
        head = dcmread(FILES[0], stop_before_pixels=True)
        offer = [(str(head.SOPClassUID), (str(head.file_meta.TransferSyntaxUID),))]
        with net.associate(server.address, contexts=offer, limits=limits, timeouts=QUICK) as association:
            for outcome in association.store(sources()):
                seen.append(outcome)
    assert len(seen) == 4


def test_a_source_that_is_none_fails_the_operation(tmp_path: Path) -> None:
    with net.Server(ae="SERVER", folder=tmp_path / "out") as server:
        limits = net.NetLimits(invoking=1)
        with net.associate(server.address, limits=limits, timeouts=QUICK) as association:
            outcomes = association.store([FILES[0], 5.5, FILES[1]])
            with pytest.raises((TypeError, ValueError, AttributeError)):
                list(outcomes)
            assert association.echo().status == 0
