"""Storage into a catalogue: a thread that serves by itself does what the loop does, and answers what is committed."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dicomcore import catalogue, dcmread, net, services
from dicomcore.catalogue.receiving import DUPLICATES
from dicomcore.net.commands import Field, decode
from dicomcore.net.exchange import Context
from tests.net.raw_peer import CT, IMPLICIT, USER, Peer, asking, instance, message, storing, until
from tests.net.test_plain import conversation, net_command
from tests.net.test_tls import contexts, pair

__all__ = ["pair"]

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a thread serves by itself on Linux")


def rows(store: catalogue.LiveCatalogue) -> list[tuple[Any, ...]]:
    """The instances that a catalogue has, but for the time that they came."""
    found = store._connection.execute("SELECT * FROM instances ORDER BY id")
    names = [one[0] for one in found.description]
    left_out = {names.index(name) for name in ("path", "arrived")}
    return [tuple(value for at, value in enumerate(row) if at not in left_out) for row in found]


@pytest.mark.parametrize("duplicates", DUPLICATES)
def test_a_thread_and_the_loop_store_the_same(tmp_path: Path, duplicates: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    sent = conversation(DUPLICATES.index(duplicates))
    for name, few in (("thread", 0), ("loop", 1 << 30)):
        monkeypatch.setattr("dicomcore.net.server.FEW", few or 2)
        folder, got = tmp_path / name, b""
        with catalogue.open(folder) as store:
            server = net.Server("SERVER")
            server.add(services.Storage(store, duplicates=duplicates))
            with server, Peer(server.port, asking()) as peer:
                chance = random.Random(duplicates)
                for one in sent:
                    at = 0
                    while at < len(one):
                        size = chance.randrange(1, 9000)
                        peer.send(one[at : at + size])
                        at += size
                    kind, body = peer.pdu()
                    got += bytes((kind,)) + body
            files = sorted((path.relative_to(folder), path.read_bytes()) for path in folder.rglob("*.dcm"))
            assert [one for one in os.listdir(folder / ".incoming") if one.endswith(".part")] == []
            found.append((got, files, rows(store)))
    assert found[0] == found[1]
    assert found[0][1]


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files of one series."""
    folder = net.Folder(tmp_path_factory.mktemp("series"))
    context, made = Context(3, CT, IMPLICIT, as_scp=True), []
    for number in range(80):
        data = instance(f"1.2.3.{number}")
        sink = folder.sink(context, net_command(storing(f"1.2.3.{number}")))  # type: ignore[arg-type]
        sink.write(memoryview(data), [(3, 2, 0, len(data))])
        made.append(sink.finish().path)  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize("is_secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("durable", ["none", "group", "each"])
@pytest.mark.parametrize("window", [1, 8])
def test_a_catalogue_is_served_directly(
    tmp_path: Path, window: int, durable: str, is_secure: bool, series: list[str], request: pytest.FixtureRequest
) -> None:
    if is_secure and shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    ours, theirs = contexts(request.getfixturevalue("pair")) if is_secure else (None, None)
    with catalogue.open(tmp_path / "store", durable=durable) as store:
        server, counted = net.Server("S", tls=ours), []
        server.add(services.Storage(store))
        serve = server.serve_directly

        def counting(*some: Any) -> None:
            counted.append(1)
            serve(*some)

        server.serve_directly = counting  # type: ignore[method-assign]
        with server:
            limits = net.NetLimits(invoking=window)
            with net.associate(server.address, limits=limits, tls=theirs) as association:
                for begin in (0, 40):
                    for outcome in association.store(series[begin : begin + 40]):
                        assert outcome.status == 0
                        key = {"SOPInstanceUID": outcome.sop_instance}
                        assert list(store.search(catalogue.query(key, level="IMAGE")))  # it is committed
                assert [one.status for one in association.store(series[:3])] == [0, 0, 0]  # they are there
            assert until(lambda: server.associations == 0)
        assert counted
        assert len(store) == 80
        assert {path.name for path in (tmp_path / "store" / ".incoming").iterdir()} == {".lock"}


def test_a_full_database_is_told(tmp_path: Path) -> None:
    with catalogue.open(tmp_path) as store:
        server = net.Server("SERVER")
        server.add(services.Storage(store))
        with server, Peer(server.port, asking()) as peer:
            for number in range(5):
                peer.send(message(3, storing(f"1.2.3.{number}", number), instance(f"1.2.3.{number}")))
                assert peer.status() == 0
            pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
            store._connection.execute(f"PRAGMA max_page_count={pages}")
            found = []
            for number in range(5, 300):
                peer.send(message(3, storing(f"1.2.3.{number}", number), instance(f"1.2.3.{number}")))
                found.append(peer.status())
            assert set(found) == {0, 0xA700}
            store._connection.execute("PRAGMA max_page_count=1073741823")
            peer.send(message(3, storing("1.2.4", 1), instance("1.2.4")))
            assert peer.status() == 0
        assert len(store) == 5 + found.count(0) + 1
        assert len(list(tmp_path.rglob("*.dcm"))) == len(store)
        assert store.renew() == (0, 0)


NODE = """
import sys
from dicomcore import catalogue, net, services
server = net.Server("SERVER")
server.add(services.Storage(catalogue.open(sys.argv[1], durable=sys.argv[2])))
server.serve(lambda: print(server.port, flush=True))
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_while_a_peer_stores(tmp_path: Path, seed: int) -> None:
    """What was answered is there; of the rest, what has its place is known, and all else is gone."""
    chance = random.Random(seed)
    command = [sys.executable, "-c", NODE, str(tmp_path), chance.choice(["none", "group"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        with Peer(int(process.stdout.readline()), asking(user=dataclasses.replace(USER, window=(8, 1)))) as peer:
            sent = answered = 0
            for _ in range(chance.randrange(10, 60)):
                while sent < answered + 8:
                    peer.send(message(3, storing(f"1.2.3.{sent}", sent), instance(f"1.2.3.{sent}")))
                    sent += 1
                values = decode(peer.pdu()[1][6:])
                assert (values[Field.RESPONDED_TO], values[Field.STATUS]) == (answered, 0)
                answered += 1
            process.send_signal(signal.SIGKILL)
            process.wait(20)
    with catalogue.open(tmp_path) as store:
        known = {row["SOPInstanceUID"]: row["path"] for row in store.search(catalogue.query(level="IMAGE"))}
        assert {f"1.2.3.{number}" for number in range(answered)} <= set(known)
        assert set(known.values()) == {str(path) for path in tmp_path.rglob("*.dcm")}
        for uid, path in known.items():
            assert str(dcmread(path).SOPInstanceUID) == uid
        assert not list((tmp_path / ".incoming").glob("*.part"))
        assert store.renew() == (0, 0)


def test_a_closed_catalogue_answers(tmp_path: Path) -> None:
    store = catalogue.open(tmp_path)
    server = net.Server("SERVER")
    server.add(services.Storage(store))
    with server, Peer(server.port, asking()) as peer:
        for number in range(5):
            peer.send(message(3, storing(f"1.2.3.{number}", number), instance(f"1.2.3.{number}")))
            assert peer.status() == 0
        store.close()
        peer.send(message(3, storing("1.2.4", 1), instance("1.2.4")))
        assert peer.status() == 0xA700
    assert not list((tmp_path / ".incoming").glob("*.part"))
    with closing(sqlite3.connect(tmp_path / "catalogue.sqlite")) as database:
        assert database.execute("SELECT COUNT(*) FROM instances").fetchone() == (5,)
