"""Hostile peers of a server with sockets: slow and silent ones, floods, and ends in the middle; others are served."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from dicomcore import Dataset, net
from dicomcore.catalogue import LiveCatalogue
from dicomcore.errors import AssociationRejected, NetworkError
from dicomcore.net.commands import Field, Kind
from dicomcore.net.items import UserInformation
from dicomcore.services import Query, Storage, Worklist
from tests.net.raw_peer import (
    ABORT,
    ABORTED,
    ACCEPTED,
    CT,
    IMPLICIT,
    KEYS,
    REJECTED,
    RELEASE,
    RELEASED,
    Peer,
    asking,
    data_pdu,
    echo,
    finding,
    instance,
    message,
    pdus,
    pdv,
    storing,
    until,
)
from tests.net.test_hostile import files, half_visible
from tests.net.test_server import QUICK
from tests.support import dicom_bytes as raw

HASTY = net.Timeouts(connect=0.4, associate=0.4, pdu=0.4, write=0.4, response=2, store=2, idle=0.4, release=0.4)
MANY = net.NetLimits(associations=1000, associations_a_peer=1000, free_bytes=0)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, and has all of 127.0.0.0/8")


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def is_served(server: net.Server) -> float:
    """The usual time of an echo, in seconds."""
    with net.associate(server.address, timeouts=QUICK) as association:
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            assert association.echo().status == 0
            times.append(time.perf_counter() - begun)
    return median(times)


# -- G: slow and silent


SILENT = {  # what is sent before the silence; the kinds of PDUs that come back before the end
    "nothing": (b"", []),
    "half a header": (asking()[:3], []),
    "half a request": (asking()[:100], []),
    "a request": (asking(), [ACCEPTED, ABORTED]),
    "a request that is rejected": (asking(called="NOBODY"), [REJECTED]),
    "half a header of data": (asking() + b"\4\0\0", None),
    "a release": (RELEASE, None),
}


@pytest.mark.parametrize(("data", "kinds"), SILENT.values(), ids=SILENT)
def test_silence_in_every_state(tmp_path: Path, data: bytes, kinds: list[int] | None) -> None:
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=HASTY, limits=MANY) as server, Peer(server.port) as peer:
        peer.send(data)
        begun = time.monotonic()
        answer = peer.rest()
        assert time.monotonic() - begun < 5
        assert kinds is None or [kind for kind, _ in pdus(answer)] == kinds
        assert until(lambda: server.associations == 0)


@pytest.mark.parametrize(
    "data",
    [
        echo()[:4],
        echo()[:20],
        message(3, storing(), instance())[:-60],
        RELEASE,
        ABORT[:4],
    ],
    ids=["half a header", "half a command set", "half a data set", "a release and no close", "half an abort"],
)
def test_silence_in_an_association(tmp_path: Path, data: bytes) -> None:
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=HASTY, limits=MANY) as server:
        with Peer(server.port, asking()) as peer:
            peer.send(data)
            begun = time.monotonic()
            peer.rest()
            assert time.monotonic() - begun < 5
            assert until(lambda: server.associations == 0)
        assert not files(tmp_path)


def test_one_byte_at_a_time(tmp_path: Path) -> None:
    """A request and a PDU have their time as a whole, however often a byte comes."""
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=HASTY, limits=MANY) as server:
        for before, data in ((b"", asking()), (asking(), data_pdu(pdv(3, 1, bytes(500))))):
            with Peer(server.port, before or None) as peer:
                begun = time.monotonic()
                with suppress(ConnectionError):
                    for at in range(len(data)):
                        peer.send(data[at : at + 1])
                        time.sleep(0.02)
                        if server.associations == 0 or time.monotonic() - begun > 8:
                            break
                assert time.monotonic() - begun < 5
            assert until(lambda: server.associations == 0)


def endless(closed: list[bool]) -> Callable[[net.Request], Iterator[Dataset]]:
    def answer(request: net.Request) -> Iterator[Dataset]:
        ds = Dataset()
        ds.PatientName = "x" * 60
        try:
            while True:
                yield ds
        finally:
            closed.append(True)

    return answer


def never_reading(port: int) -> Peer:
    peer = Peer.__new__(Peer)
    peer.socket, peer._held = socket.socket(), b""
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.socket.settimeout(10)
    peer.socket.connect(("127.0.0.1", port))
    peer.send(asking())
    peer.pdu()
    return peer


@pytest.mark.parametrize("is_async", [False, True], ids=["in a thread", "on the loop"])
def test_a_peer_that_does_not_read_answers(is_async: bool) -> None:
    closed: list[bool] = []
    server = net.Server(ae="SERVER", timeouts=HASTY, limits=MANY, workers=1)
    answer: Any = endless(closed)
    if is_async:

        async def answer(request: net.Request) -> Any:
            try:
                while True:
                    yield Dataset()
                    await asyncio.sleep(0)
            finally:
                closed.append(True)

    server.find(answer)
    with server, never_reading(server.port) as peer:
        peer.send(message(5, finding(), KEYS))
        assert until(lambda: server.associations == 0)
        assert until(lambda: bool(closed))
        assert is_served(server) < 0.5


@LINUX
def test_a_peer_that_floods_and_does_not_read(tmp_path: Path) -> None:
    some = b"".join(echo(identifier) for identifier in range(1, 1000))
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=HASTY, limits=MANY) as server:
        is_served(server)
        before = resident()
        with never_reading(server.port) as peer:
            sent = 0
            with suppress(OSError):
                while sent < 200 << 20:
                    peer.send(some)
                    sent += len(some)
            assert sent < 200 << 20
            assert resident() - before < 60 << 20
        assert until(lambda: server.associations == 0)
        assert is_served(server) < 0.5


def test_a_peer_that_aborts_and_does_not_read(tmp_path: Path) -> None:
    """What waits for it does not keep its connection."""
    closed: list[bool] = []
    slow = net.Timeouts(connect=1, associate=0.4, pdu=1, write=0.4, idle=1)
    server = net.Server(ae="SERVER", timeouts=slow, limits=MANY)
    server.find(endless(closed))
    with server, never_reading(server.port) as peer:
        peer.send(message(5, finding(), KEYS))
        time.sleep(0.1)
        with suppress(OSError):
            peer.send(ABORT)
        assert until(lambda: server.associations == 0)
        assert until(lambda: bool(closed))


def test_others_are_served_meanwhile(tmp_path: Path) -> None:
    closed: list[bool] = []
    server = net.Server(ae="SERVER", folder=tmp_path, timeouts=QUICK, limits=MANY)
    server.find(endless(closed))
    with server:
        silent = [Peer(server.port) for _ in range(100)] + [Peer(server.port, asking()) for _ in range(100)]
        stuck = [never_reading(server.port) for _ in range(3)]
        for one in stuck:
            one.send(message(5, finding(), KEYS))
        over = threading.Event()

        def drip() -> None:
            while not over.wait(0.01):
                for one in silent[:20]:
                    with suppress(OSError):
                        one.send(b"\1")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            assert is_served(server) < 0.05 if os.environ.get("DICOMCORE_STRICT_TIMES") else is_served(server) < 0.5
        finally:
            over.set()
            thread.join()
            for one in (*silent, *stuck):
                one.socket.close()
        assert until(lambda: server.associations == 0)


# -- L: floods


@LINUX
def test_no_more_associations_than_allowed(tmp_path: Path) -> None:
    limits = net.NetLimits(associations=6, associations_a_peer=3, free_bytes=0)
    before = descriptors()
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=QUICK, limits=limits) as server:
        taken = [Peer(server.port, asking(), host=f"127.0.0.{host}") for host in (1, 1, 1, 2, 2, 2)]
        assert [one.answer[0] for one in taken] == [ACCEPTED] * 6
        told = [Peer(server.port, asking(), host=f"127.0.0.{host}") for host in (1, 2, 3)]
        assert [one.answer for one in told] == [(REJECTED, b"\0\2\3\2")] * 3
        closed = 0
        flood = [Peer(server.port, host="127.0.0.4") for _ in range(60)]
        for one in flood:
            with suppress(ConnectionError, EOFError):
                one.send(asking())
                one.pdu()
                continue
            closed += 1
        assert closed >= 50
        assert until(lambda: server.associations <= 12)
        assert descriptors() - before < 150
        taken[0].send(echo())
        assert taken[0].status() == 0
        for one in (*taken, *told, *flood):
            one.socket.close()
        assert until(lambda: server.associations == 0)
        assert is_served(server) < 0.5
    assert until(lambda: descriptors() <= before + 2)


# -- K: what needs handlers that work


def test_more_in_flight_than_was_agreed() -> None:
    go_on = threading.Event()
    seen: list[int] = []

    def answer(request: net.Request) -> list[Dataset]:
        seen.append(request.command.MessageID)
        go_on.wait(10)
        return []

    server = net.Server(ae="SERVER", timeouts=QUICK, limits=MANY)
    server.find(answer)
    with server, Peer(server.port, asking()) as peer:
        for identifier in (1, 2, 3, 4, 1):
            peer.send(message(5, finding(identifier), KEYS))
        assert sorted(peer.status() for _ in range(3)) == [0x0210, 0x0213, 0x0213]
        go_on.set()
        assert [peer.status() for _ in range(2)] == [0, 0]
        assert sorted(seen) == [1, 2]
        peer.send(echo())
        assert peer.status() == 0


def test_requests_and_a_release_that_come_together() -> None:
    with net.Server(ae="SERVER", timeouts=QUICK) as server, Peer(server.port, asking()) as peer:
        peer.send(echo(1) + echo(2) + RELEASE)
        assert [peer.status(), peer.status()] == [0, 0]
        assert peer.pdu()[0] == RELEASED


def test_cancelling_another_message_cancels_nothing() -> None:
    go_on = threading.Event()

    def answer(request: net.Request) -> Iterator[Dataset]:
        go_on.wait(10)
        yield request.dataset

    server = net.Server(ae="SERVER", timeouts=QUICK, limits=MANY)
    server.find(answer)
    with server, Peer(server.port, asking()) as peer:
        peer.send(message(5, finding(7), KEYS))
        peer.send(message(5, {Field.COMMAND: int(Kind.C_CANCEL), Field.RESPONDED_TO: 8}))
        peer.send(message(5, {Field.COMMAND: int(Kind.C_CANCEL)}))
        go_on.set()
        assert [peer.status(), peer.status()] == [0xFF00, 0]
        peer.send(message(5, {Field.COMMAND: int(Kind.C_CANCEL), Field.RESPONDED_TO: 7}) + echo())
        assert peer.status() == 0


# -- C, H: data sets


def sequence_of(tag: int, depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = raw.sequence(tag, raw.item(inner), vr=None)
    return inner


IDENTIFIERS = {
    "empty": b"",
    "no level": raw.element(0x00100010, None, b"A*"),
    "a level that is none": raw.element(0x00080052, None, b"NOWHERE "),
    "a level that is a sequence": raw.sequence(0x00080052, raw.item(), vr="SQ"),
    "text where a sequence was due": KEYS[:14] + raw.element(0x00400275, None, b"text"),
    "a sequence without items": KEYS[:14] + raw.sequence(0x00400275, vr=None),
    "an item without end": KEYS[:14] + raw.element(0x00400275, None, b"\xfe\xff\0\xe0\xff\xff\xff\xff"),
    "sequences in sequences": KEYS[:14] + sequence_of(0x00400275, 500),
    "a length beyond the end": KEYS[:14] + raw.element(0x00100010, None, b"A", length=0xFFFFFFF0),
    "rubbish": bytes(range(256)),
    "stars": KEYS[:14] + raw.element(0x00081030, None, b"*a" * 31 + b"b "),
    "stars in a name": KEYS[:14] + raw.element(0x00100010, None, b"*a" * 31 + b"b "),
    "a range of rubbish": KEYS[:14] + raw.element(0x00080020, None, b"--------"),
    "a time of rubbish": KEYS[:14] + raw.element(0x00080030, None, b"99:99:99-\xff"),
    "many keys": KEYS[:14] + b"".join(raw.element(0x00080100 + n, None, b"x ") for n in range(3000)),
    "many values": KEYS[:14] + raw.element(0x0020000D, None, b"1.2\\" * 40_000),
    "quotes": KEYS[:14] + raw.element(0x00100020, None, b"' OR 1=1 --  "),
}


@pytest.mark.parametrize("identifier", IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_identifiers(tmp_path: Path, identifier: bytes) -> None:
    """Each query ends with a status, soon, and the association goes on."""
    place = tmp_path / "a.dcm"
    names = (raw.element(tag, None, b"a" * 60) for tag in (0x00081030, 0x00100010))
    step = raw.sequence(0x00400100, raw.item(raw.element(0x00400007, None, b"text")), vr=None)
    data = instance()
    place.write_bytes(raw.part10(data[:-26] + b"".join(names) + data[-26:] + step, IMPLICIT))
    with LiveCatalogue(tmp_path) as catalogue:
        catalogue.add(place).result()
        server = net.Server(ae="SERVER", timeouts=QUICK, limits=MANY)
        server.add(Query(catalogue), Worklist(tmp_path))
        with server, Peer(server.port, asking()) as peer:
            begun = time.monotonic()
            peer.send(message(5, finding(), identifier))
            while (status := peer.status()) == 0xFF00:
                pass
            assert status == 0 or status >= 0xA900
            assert time.monotonic() - begun < 5
            peer.send(echo())
            assert peer.status() == 0


# -- services over a catalogue: what is refused is nowhere


def test_what_is_refused_is_neither_in_the_folder_nor_in_the_catalogue(tmp_path: Path) -> None:
    with LiveCatalogue(tmp_path) as catalogue:
        server = net.Server(ae="SERVER", timeouts=QUICK, limits=MANY)
        server.add(Storage(catalogue))
        with server, Peer(server.port, asking()) as peer:
            bad = storing()
            del bad[Field.MESSAGE_ID]
            no_identity = raw.element(0x00080016, None, CT.encode() + b"\0")
            for command, data in (
                (bad, instance()),
                (storing(sop_class="1.2"), instance()),
                (storing(""), instance("")),
                (storing("1.2.4"), instance("1.2.5")),
                (storing(), b"\xff" * 50),
                (storing(), no_identity[:20]),
            ):
                peer.send(message(3, command, data))
                assert peer.status() in (0x0122, 0x0212, 0xA900, 0xC000, 0xA700)
            assert not list(tmp_path.rglob("*.dcm"))
            peer.send(message(3, storing("1.2.4"), instance("1.2.4")))
            assert peer.status() == 0
        assert len(list(tmp_path.rglob("*.dcm"))) == len(list(catalogue.entries(_everything()))) == 1


def _everything() -> Any:
    from dicomcore.catalogue import compile_identifier

    ds = Dataset()
    ds.QueryRetrieveLevel = "IMAGE"
    return compile_identifier(ds, level="IMAGE")


# -- D, I: ends


@LINUX
def test_ends_in_the_middle_leave_nothing(tmp_path: Path) -> None:
    before = descriptors()
    parts = [
        asking(),
        message(3, storing(), instance())[:-40],
        message(3, storing(), instance())[-40:],
        echo(),
        RELEASE,
    ]
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=QUICK, limits=MANY) as server:
        for turn in range(60):
            with Peer(server.port) as peer:
                peer.send(parts[0])
                if turn % 6:
                    peer.pdu()
                for part in parts[1 : turn % 6]:
                    peer.send(part)
                if turn % 3 == 0:  # a reset in place of a close
                    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                elif turn % 3 == 1:
                    peer.send(ABORT)
        assert until(lambda: server.associations == 0)
        assert not half_visible(tmp_path)
        assert is_served(server) < 0.5
        with pytest.raises(AssociationRejected):
            net.associate(f"NOBODY@127.0.0.1:{server.port}", timeouts=QUICK)
    assert until(lambda: descriptors() <= before + 2)


def test_a_release_collision(tmp_path: Path) -> None:
    """The server releases nothing itself: the answer to no release is a fault, and a second release comes too late."""
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=QUICK, limits=MANY) as server:
        with Peer(server.port, asking()) as peer:
            peer.send(RELEASE + RELEASE)
            assert peer.pdu()[0] in (RELEASED, ABORTED)
        with Peer(server.port, asking()) as peer:
            peer.send(b"\6\0\0\0\0\4\0\0\0\0")
            assert peer.pdu()[0] == ABORTED
        assert until(lambda: server.associations == 0)


def test_the_server_stops_in_the_middle(tmp_path: Path) -> None:
    closed: list[bool] = []
    server = net.Server(ae="SERVER", folder=tmp_path, timeouts=QUICK, limits=MANY)
    server.find(endless(closed))
    with server:
        half = Peer(server.port, asking())
        half.send(message(3, storing(), instance())[:-40])
        stuck = never_reading(server.port)
        stuck.send(message(5, finding(), KEYS))
        time.sleep(0.1)
        loop = server._loop
        assert loop is not None
        asyncio.run_coroutine_threadsafe(server.stop(0.2), loop).result(10)
        assert until(lambda: bool(closed))
    half.socket.close()
    stuck.socket.close()
    assert not files(tmp_path)


# -- a hostile acceptor


class Acceptor:
    """Answers one association with bytes that are given."""

    def __init__(self, *answers: bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"X@127.0.0.1:{self._listening.getsockname()[1]}"
        self._answers = answers
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        with suppress(OSError):
            peer, _ = self._listening.accept()
            with peer:
                for answer in self._answers:
                    peer.recv(1 << 16)
                    peer.sendall(answer)
                peer.settimeout(5)
                while peer.recv(1 << 16):
                    pass

    def __enter__(self) -> Acceptor:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()


def accepting(maximum: int = 16384) -> bytes:
    from dicomcore.net.items import ContextAnswer
    from dicomcore.net.pdu import Accept, encode_pdu

    user = UserInformation(maximum_length=maximum, implementation_class_uid="1.2")
    return encode_pdu(Accept("X", "Y", (ContextAnswer(1, 0, IMPLICIT), ContextAnswer(99, 0, IMPLICIT)), user))


def answer_to(identifier: int, kind: int = 0x8030, **other: Any) -> bytes:
    return message(1, {Field.COMMAND: kind, Field.RESPONDED_TO: identifier, Field.STATUS: 0, **other})


ACCEPTORS = {
    "the answer to another message": (accepting(), answer_to(77)),
    "no status": (accepting(), message(1, {Field.COMMAND: 0x8030, Field.RESPONDED_TO: 1})),
    "a context that was not offered": (accepting(), message(99, {Field.COMMAND: 0x8030, Field.RESPONDED_TO: 1})),
    "another context that was not accepted": (accepting(), message(3, {Field.COMMAND: 0x8030, Field.RESPONDED_TO: 1})),
    "PDUs of a byte": (accepting(1),),
    "a length that lies": (accepting(), b"\4\0\xff\xff\xff\xff"),
    "HTTP": (b"HTTP/1.1 400 Bad Request\r\n\r\n",),
    "its own request": (asking(),),
    "half an acceptance": (accepting()[:50],),
    "a release instead of an answer": (accepting(), RELEASE),
    "an abort": (accepting(), ABORT),
    "nothing": (accepting(), b""),
}


@pytest.mark.parametrize("answers", ACCEPTORS.values(), ids=ACCEPTORS)
@pytest.mark.parametrize("is_async", [False, True], ids=["blocking", "asyncio"])
def test_hostile_acceptors(answers: tuple[bytes, ...], is_async: bool) -> None:
    quick = net.Timeouts(connect=1, associate=0.5, pdu=0.5, response=0.5, release=0.5, write=0.5)

    async def work(address: str) -> None:
        from dicomcore.net import aio

        async with aio.associate(address, contexts=[("1.2.840.10008.1.1", [IMPLICIT])], timeouts=quick) as association:
            await association.echo()

    def ask(address: str) -> None:
        net.associate(address, contexts=[("1.2.840.10008.1.1", [IMPLICIT])], timeouts=quick).echo()

    with Acceptor(*answers) as acceptor:
        begun = time.monotonic()
        with pytest.raises(NetworkError):
            asyncio.run(work(acceptor.address)) if is_async else ask(acceptor.address)
        assert time.monotonic() - begun < 5


def test_what_an_acceptor_sends_unasked_is_not_stored(tmp_path: Path) -> None:
    """Only during a C-GET, and only what was agreed."""
    bad = message(1, storing(sop_class="1.2.840.10008.1.1"), instance())
    with Acceptor(accepting(), bad) as acceptor:
        contexts = [("1.2.840.10008.1.1", [IMPLICIT])]
        association = net.associate(acceptor.address, contexts=contexts, timeouts=HASTY)
        association._wire.session.folder = net.Folder(tmp_path, limits=MANY)
        with suppress(NetworkError):
            association.echo()
        association.abort()
    assert not files(tmp_path)


def test_answers_that_nobody_takes_are_not_read() -> None:
    """A caller that is slow keeps the peer waiting, not everything that it could say."""
    told = 0

    def answer(request: net.Request) -> Iterator[Dataset]:
        nonlocal told
        ds = Dataset()
        ds.PatientName = "x" * 60
        while told < 400_000:
            told += 1
            yield ds

    async def work(address: str) -> None:
        from dicomcore.net import aio

        async with aio.associate(address, timeouts=net.Timeouts(response=4, pdu=4)) as association:
            found = association.find({"PatientName": ""}, level="STUDY")
            await anext(found)  # type: ignore[call-overload]
            before = -1
            while before != told:
                before = told
                await asyncio.sleep(0.3)
            assert told < 100_000
            await asyncio.sleep(5)  # longer than a response may take, which does not count meanwhile
            assert association.is_open
            await found.aclose()  # type: ignore[attr-defined]
            assert (await association.echo()).status == 0

    server = net.Server(ae="SERVER", timeouts=QUICK)
    server.find(answer)
    with server:
        asyncio.run(work(server.address))


# -- PS3.7 10.1: what responses of DIMSE-N say

STEP = "1.2.840.10008.3.1.2.3.3"


def test_responses_of_services() -> None:
    server = net.Server(ae="SERVER", timeouts=QUICK)
    made = []

    def create(request: net.Request) -> Dataset:
        made.append(request.sop_instance)
        return Dataset()

    server.service(Kind.N_CREATE, [STEP], create)
    server.service(Kind.N_ACTION, [STEP], lambda request: (0, Dataset()))
    server.service(Kind.N_SET, [STEP], lambda request: 0x0110)
    server.service(Kind.N_DELETE, [STEP], lambda request: 1 / 0)
    with server, net.associate(server.address, timeouts=QUICK) as association:
        given = association.n_create(STEP, instance="1.2.3").command
        assert (given.AffectedSOPClassUID, given.AffectedSOPInstanceUID, given.Status) == (STEP, "1.2.3", 0)
        left = association.n_create(STEP).command
        assert left.AffectedSOPInstanceUID == made[1]
        assert made[1].startswith("2.25.")
        action = association.n_action(STEP, "1.2.3", 7).command
        assert (action.AffectedSOPClassUID, action.AffectedSOPInstanceUID, action.ActionTypeID) == (STEP, "1.2.3", 7)
        changed = association.n_set(STEP, "1.2.3", Dataset()).command
        assert (changed.AffectedSOPInstanceUID, changed.Status, changed.ActionTypeID) == ("1.2.3", 0x0110, None)
        failed = association.n_delete(STEP, "1.2.3").command
        assert (failed.Status, failed.ErrorComment) == (0x0110, "ZeroDivisionError")
        assert association.n_get(STEP, "1.2.3").status == 0x0211


# -- long


@pytest.mark.long
@LINUX
def test_ten_thousand_connections_and_aborts(tmp_path: Path) -> None:
    """At each state in turn; memory and descriptors stay."""
    parts = [b"", asking()[:50], asking(), asking() + ABORT]
    with net.Server(ae="SERVER", folder=tmp_path, timeouts=QUICK, limits=MANY) as server:

        def turn(number: int) -> None:
            with Peer(server.port) as peer, suppress(ConnectionError):
                peer.send(parts[number % 4])
                if number % 4 == 2:
                    peer.pdu()
                    peer.send(message(3, storing(), instance())[: 40 + number % 200])

        for number in range(1000):
            turn(number)
        assert until(lambda: server.associations == 0)
        memory, open_files = resident(), descriptors()
        for number in range(10_000):
            turn(number)
        assert until(lambda: server.associations == 0)
        assert resident() - memory < 8 << 20
        assert descriptors() <= open_files + 4
        assert not half_visible(tmp_path)
        assert is_served(server) < 0.5
