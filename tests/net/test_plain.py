"""Plain requests that a thread serves by itself: files and answers are those of the loop, all else is left alone."""

from __future__ import annotations

import os
import random
import socket
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomcore import net
from dicomcore._native.net.commands import answer
from dicomcore._native.net.plain import Plain
from dicomcore.errors import NetworkError
from dicomcore.net.commands import Field, Kind, decode, encode
from dicomcore.net.exchange import Context
from dicomcore.net.limits import NetLimits
from dicomcore.net.storing import Folder
from tests.net.raw_peer import (
    CT,
    IMPLICIT,
    VERIFICATION,
    Peer,
    asking,
    data_pdu,
    echo,
    instance,
    message,
    pdv,
    storing,
    until,
)

CONTEXTS = (
    Context(1, VERIFICATION, IMPLICIT, as_scp=True),
    Context(3, CT, IMPLICIT, as_scp=True),
    Context(5, CT, IMPLICIT, as_scp=False),
    Context(7, CT, "1.2.840.10008.1.2.2", as_scp=True),
)
LONGEST, COMMAND_BYTES = 4096, 1024

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files without a name are Linux's")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "store", limits=NetLimits(file_bytes=1 << 20))
    if not made._has_unnamed:
        pytest.skip("this system makes no files without a name")
    return made


def served(folder: Folder, *parts: bytes, closed: bool = True) -> tuple[bytes, bytes, int]:
    """What is left of bytes that come in parts, what was answered, and how many requests were served."""
    plain = folder.plain(
        CONTEXTS, sender="PEER", receiver="SERVER", longest=LONGEST, fragment=LONGEST, command_bytes=COMMAND_BYTES
    )
    assert plain is not None
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        if len(parts) == 1:
            theirs.sendall(parts[0])
        else:
            threading.Thread(target=lambda: [theirs.sendall(part) for part in parts]).start()
        if closed and len(parts) == 1:
            theirs.shutdown(socket.SHUT_WR)
        rest, answers = plain.serve(ours.fileno())
        assert not answers
        ours.close()
        got = b""
        while some := theirs.recv(1 << 16):
            got += some
    return rest, got, plain.served


def paths(folder: Folder) -> list[str]:
    return sorted(
        os.path.relpath(os.path.join(root, name), folder.root)
        for root, _, names in os.walk(folder.root)
        for name in names
    )


def expected(number: int, command: dict[int, object]) -> bytes:
    made = answer(command, number, 0, None)
    assert made is not None
    return made


def store(uid: str, identifier: int = 1, **other: str) -> bytes:
    return message(3, storing(uid, identifier), instance(uid, **other))


def test_the_files_and_answers_are_those_of_the_loop(folder: Folder, tmp_path: Path) -> None:
    uids = [f"1.2.3.{number}" for number in range(20)]
    sent = b"".join(store(uid, number, series=f"1.2.{number // 7}") for number, uid in enumerate(uids)) + echo(77)
    rest, answers, count = served(folder, sent)
    assert (rest, count) == (b"", 21)
    wanted = [expected(3, storing(uid, number)) for number, uid in enumerate(uids)]
    wanted.append(expected(1, {Field.COMMAND: 0x30, Field.MESSAGE_ID: 77, Field.AFFECTED_SOP_CLASS: VERIFICATION}))
    assert answers == b"".join(wanted)
    careful = Folder(tmp_path / "careful")
    for number, uid in enumerate(uids):
        sink = careful.sink(CONTEXTS[1], net_command(storing(uid)), sender="PEER", receiver="SERVER")
        data = instance(uid, series=f"1.2.{number // 7}")
        sink.write(memoryview(data), [(3, 2, 0, len(data))])
        stored = sink.finish()
        assert stored.status == 0  # type: ignore[attr-defined]
    assert paths(folder) == paths(careful)
    for path in paths(folder):
        assert Path(folder.root, path).read_bytes() == Path(careful.root, path).read_bytes()


def net_command(values: dict[int, object]) -> object:
    return decode(encode({**values, Field.DATA_SET_TYPE: 0}))


def test_any_split_of_the_bytes(folder: Folder) -> None:
    for at in range(1, len(store("1.2.3.0")) * 2, 7):
        sent = store(f"1.2.3.{at}", 1) + store(f"1.2.4.{at}", 2)
        rest, answers, count = served(folder, sent[:at], sent[at:])
        assert (rest, count) == (b"", 2)
        assert answers == expected(3, storing(f"1.2.3.{at}", 1)) + expected(3, storing(f"1.2.4.{at}", 2))


def test_fragments(folder: Folder) -> None:
    data = instance("1.2.9") + b"\xe0\x7f\x10\0" + struct.pack("<I", 8000) + bytes(range(250)) * 32
    head = message(3, {**storing("1.2.9"), Field.DATA_SET_TYPE: 0}, None)
    parts = [data_pdu(pdv(3, 0, data[:2000]), pdv(3, 0, data[2000:3000]))]
    parts += [data_pdu(pdv(3, 0, data[at : at + 1000])) for at in range(3000, len(data) - 1000, 1000)]
    done = 3000 + 1000 * (len(parts) - 1)
    parts.append(data_pdu(pdv(3, 2, data[done:])))
    command = encode({**storing("1.2.9"), Field.DATA_SET_TYPE: 0})
    whole = data_pdu(pdv(3, 3, command)) + b"".join(parts)
    assert len(head) == len(data_pdu(pdv(3, 3, command)))
    rest, _, count = served(folder, whole)
    assert (rest, count) == (b"", 1)
    assert Path(folder.root, "1.2", "1.2.1", "1.2.9.dcm").read_bytes().endswith(data)


def element(number: int, value: bytes, group: int = 0) -> bytes:
    return struct.pack("<HHI", group, number, len(value)) + value


UID = b"1.2.3\0"
CLASS = element(2, CT.encode() + b"\0" * (len(CT) & 1))
PLAIN = [
    CLASS, element(0x100, b"\1\0"), element(0x110, b"\1\0"), element(0x700, b"\0\0"), element(0x800, b"\0\0"),
    element(0x1000, UID),
]  # fmt: skip


def command(*elements: bytes) -> bytes:
    return data_pdu(pdv(3, 3, b"".join(elements)))


DATA = data_pdu(pdv(3, 2, instance()))
LEFT = {
    "another PDU": b"\5\0\0\0\0\4\0\0\0\0",
    "no PDU": b"GET / HTTP/1.1\r\n\r\n",
    "an empty PDU": b"\4\0\0\0\0\0",
    "a PDU that is too long": b"\4\0" + struct.pack(">I", LONGEST + 1) + bytes(100),
    "a value that is longer than its PDU": b"\4\0" + struct.pack(">IIBB", 100, 97, 3, 3) + bytes(98),
    "a value without a header": b"\4\0" + struct.pack(">IIBB", 100, 1, 3, 3) + bytes(98),
    "a data set without a command": DATA,
    "a command in two fragments": data_pdu(pdv(3, 1, b"".join(PLAIN[:3])), pdv(3, 3, b"".join(PLAIN[3:]))) + DATA,
    "another context's data set": command(*PLAIN) + data_pdu(pdv(1, 2, instance())),
    "two commands": command(*PLAIN) + command(*PLAIN),
    "a context that is not there": data_pdu(pdv(9, 3, b"".join(PLAIN))) + data_pdu(pdv(9, 2, instance())),
    "an even context": data_pdu(pdv(2, 3, b"".join(PLAIN))) + data_pdu(pdv(2, 2, instance())),
    "a context without the role": message(5, storing(), instance()),
    "big endian": message(7, storing(), instance()),
    "two messages in a PDU": data_pdu(
        pdv(3, 3, b"".join(PLAIN)), pdv(3, 2, instance()), pdv(3, 3, b"".join(PLAIN)), pdv(3, 2, instance())
    ),
    "an empty fragment": command(*PLAIN) + data_pdu(pdv(3, 0, b""), pdv(3, 2, instance())),
    "too many fragments": command(*PLAIN) + data_pdu(*[pdv(3, 0, instance()[:2])] * 100),
    "another request": message(3, {**storing(), Field.COMMAND: int(Kind.C_FIND)}, instance()),
    "a response": message(3, {**storing(), Field.COMMAND: 0x8001}, instance()),
    "a C-STORE without a data set": message(3, storing()),
    "a C-ECHO with a data set": message(1, {Field.COMMAND: 0x30, Field.MESSAGE_ID: 1}, b"\0\0"),
    "another SOP class": message(3, storing(sop_class="1.2.840.10008.5.1.4.1.1.4"), instance()),
    "no SOP instance": command(*PLAIN[:-1]) + DATA,
    "a SOP instance that is a path": command(*PLAIN[:-1], element(0x1000, b"../../a\0")) + DATA,
    "a SOP instance with two dots": command(*PLAIN[:-1], element(0x1000, b"1..2")) + DATA,
    "a SOP instance that ends with a dot": command(*PLAIN[:-1], element(0x1000, b"1.2.3.")) + DATA,
    "a SOP instance that is too long": command(*PLAIN[:-1], element(0x1000, b"1" * 66)) + DATA,
    "no message ID": command(*PLAIN[:2], *PLAIN[3:]) + DATA,
    "a message ID of four bytes": command(*PLAIN[:2], element(0x110, b"\1\0\0\0"), *PLAIN[3:]) + DATA,
    "elements out of order": command(*PLAIN[:2], PLAIN[3], PLAIN[2], *PLAIN[4:]) + DATA,
    "an element twice": command(CLASS, *PLAIN) + DATA,
    "another group": command(element(2, b"", 8), *PLAIN) + DATA,
    "an element that is unknown": command(*PLAIN, element(0x2000, b"\0\0")) + DATA,
    "an element that is cut": command(*PLAIN, b"\0\0\0") + DATA,
    "a length that lies": command(*PLAIN, struct.pack("<HHI", 0, 0x1031, 1 << 31)) + DATA,
    "a long command": command(*PLAIN, element(0x1030, b"A" * 1024)) + DATA,
    "another instance's data set": message(3, storing("1.2.3"), instance("1.2.4")),
    "a data set without a study": message(3, storing(), instance(study="")),
    "a study that is a path": message(3, storing(), instance(study="..")),
    "a data set that is damaged": message(3, storing(), instance()[:-3] + b"\xff\xff\xff"),
    "a data set of one byte": message(3, storing(), b"\x08"),
}  # fmt: skip


@pytest.mark.parametrize("sent", LEFT.values(), ids=LEFT)
def test_what_is_not_plain_is_left_as_it_is(folder: Folder, sent: bytes) -> None:
    before = store("1.9.9", 9)
    rest, answers, count = served(folder, before + sent)
    assert (rest, count) == (sent, 1)
    assert answers == expected(3, storing("1.9.9", 9))
    assert paths(folder) == ["1.2/1.2.1/1.9.9.dcm"]


def test_truncated_everywhere(folder: Folder) -> None:
    sent = store("1.2.3")
    for size in range(len(sent)):
        assert served(folder, sent[:size]) == (sent[:size], b"", 0)
    assert not paths(folder)


def test_a_peer_that_stays_silent_in_the_middle(folder: Folder) -> None:
    sent = store("1.2.3")
    assert served(folder, sent[:100], closed=False) == (sent[:100], b"", 0)


def test_an_instance_that_is_there_is_left(folder: Folder) -> None:
    assert served(folder, store("1.2.3"))[2] == 1
    assert served(folder, store("1.2.3")) == (store("1.2.3"), b"", 0)


def test_a_disk_without_room_is_left(tmp_path: Path) -> None:
    folder = Folder(tmp_path, limits=NetLimits(free_bytes=1 << 62))
    assert served(folder, store("1.2.3")) == (store("1.2.3"), b"", 0)
    assert not paths(folder)


def test_a_folder_that_cannot_be_made_is_left(folder: Folder) -> None:
    Path(folder.root, "1.2").write_bytes(b"a file")
    assert served(folder, store("1.2.3")) == (store("1.2.3"), b"", 0)


def test_a_data_set_beyond_the_bound_is_left(tmp_path: Path) -> None:
    folder = Folder(tmp_path, limits=NetLimits(file_bytes=10))
    assert served(folder, store("1.2.3")) == (store("1.2.3"), b"", 0)


def test_a_folder_with_a_rule_of_its_own_serves_nothing_by_itself(tmp_path: Path) -> None:
    class Other(Folder):
        def place(self, study: str, series: str, instance: str) -> str:
            return self.new_name()

    made = Other(tmp_path).plain(CONTEXTS, sender="A", receiver="B", longest=100, fragment=100, command_bytes=100)
    assert made is None


# -- in a server


def is_direct(server: net.Server) -> bool:
    return server._direct > 0


@pytest.mark.parametrize("window", [1, 8])
def test_a_server_serves_directly_and_goes_on_afterwards(tmp_path: Path, window: int) -> None:
    made = Folder(tmp_path / "sent")
    files = []
    for number in range(300):
        data = instance(f"1.2.3.{number}")
        sink = made.sink(CONTEXTS[1], net_command(storing(f"1.2.3.{number}")))
        sink.write(memoryview(data), [(3, 2, 0, len(data))])
        files.append(sink.finish().path)  # type: ignore[attr-defined]
    with net.Server("S", folder=tmp_path / "got") as server:
        counted: list[int] = []
        serve = server.serve_directly
        server.serve_directly = lambda *some: (counted.append(1), serve(*some))  # type: ignore[method-assign, assignment, func-returns-value]
        limits = net.NetLimits(invoking=window)
        with net.associate(server.address, contexts=[CT, VERIFICATION], limits=limits) as association:
            for begin in (0, 150):
                assert all(one.status == 0 for one in association.store(files[begin : begin + 150]))
                assert association.echo().status == 0
            assert [one.status for one in association.store(files[:3])] == [0, 0, 0]  # they are there
        assert until(lambda: server.associations == 0)
        assert counted
        assert not is_direct(server)
    assert len(list((tmp_path / "got").rglob("*.dcm"))) == 300


def begin_directly(server: net.Server, association: net.Association) -> None:
    def echoed() -> bool:
        association.echo()
        return is_direct(server)

    assert until(echoed)


ENDS: dict[str, Callable[[net.Association], None]] = {
    "release": lambda association: association.release(),
    "abort": lambda association: association.abort(),
    "closed": lambda association: association._wire.close(),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_peer_ends_while_it_is_served_directly(tmp_path: Path, end: Callable[[net.Association], None]) -> None:
    with net.Server("S", folder=tmp_path) as server:
        association = net.associate(server.address, contexts=[VERIFICATION])
        begin_directly(server, association)
        end(association)
        assert until(lambda: server.associations == 0 and not is_direct(server))
        association.abort()


def test_the_server_stops_while_it_serves_directly(tmp_path: Path) -> None:
    server = net.Server("S", folder=tmp_path)
    with server:
        association = net.associate(server.address, contexts=[VERIFICATION])
        begin_directly(server, association)
    with pytest.raises(NetworkError):
        association.echo()
    association.abort()


def test_idle_time_counts_after_it(tmp_path: Path) -> None:
    with net.Server("S", folder=tmp_path, timeouts=net.Timeouts(idle=0.3, associate=0.3)) as server:
        association = net.associate(server.address, contexts=[VERIFICATION])
        begin_directly(server, association)
        assert until(lambda: server.associations == 0)
        association.abort()


def test_what_a_thread_leaves_stays_in_order(tmp_path: Path) -> None:
    with net.Server("SERVER", folder=tmp_path) as server, Peer(server.port, asking()) as peer:
        for identifier in range(1, 10):
            peer.send(store("1.2.3", identifier))  # the first is new, the others are there
            assert peer.status() == 0
        for turn in range(5):
            for identifier in range(1, 10):
                peer.send(echo(identifier))
                assert peer.status() == 0
            sent = [store("1.2.3", 1), *(echo(identifier) for identifier in range(2, 9000))]
            begun = threading.Thread(target=peer.send, args=(b"".join(sent),))
            begun.start()
            found = [decode(peer.pdu()[1][6:])[Field.RESPONDED_TO] for _ in sent]
            assert found == list(range(1, 9000)), turn
            begun.join()


def conversation(seed: int) -> list[bytes]:
    """Messages of many kinds, most of them plain; none ends the association."""
    chance = random.Random(seed)
    some: list[bytes] = []
    for number in range(1, 120):
        uid, series = f"1.2.3.{chance.randrange(60)}", f"1.2.{chance.randrange(3)}"
        data = instance(uid, series=series) + b"\xe0\x7f\x10\0" + struct.pack("<I", 5000) + chance.randbytes(5000)
        head = data_pdu(pdv(3, 3, encode({**storing(uid, number), Field.DATA_SET_TYPE: 0})))
        cuts = sorted(chance.sample(range(2, len(data), 2), 3))
        parts = [data[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        pdus = [data_pdu(pdv(3, 2 if part is parts[-1] else 0, part)) for part in parts]
        kinds = {
            "plain": message(3, storing(uid, number), data),
            "parts": head + b"".join(pdus),
            "echo": echo(number),
            "same": message(3, storing("1.2.3.999", number), instance("1.2.3.999")),
            "mismatch": message(3, storing(uid, number), instance("1.2.9")),
            "class": message(3, storing(uid, number, sop_class=VERIFICATION), data),
            "broken": message(3, storing(uid, number), b"\xff" * 20),
            "unknown": message(1, {Field.COMMAND: 0x0130, Field.MESSAGE_ID: number}),
        }
        weights = (20, 20, 20, 3, 2, 2, 2, 1)
        some.append(kinds[chance.choices(list(kinds), weights)[0]])
    return some


@pytest.mark.parametrize("seed", range(6))
def test_a_thread_and_the_loop_do_the_same(tmp_path: Path, seed: int) -> None:
    found = []
    sent = conversation(seed)
    for name, few in (("thread", 0), ("loop", 1 << 30)):
        server = net.Server("SERVER", folder=tmp_path / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dicomcore.net.server.FEW", few or 2)
            with server, Peer(server.port, asking()) as peer:
                chance, held, got = random.Random(seed), b"", b""
                for one in sent:
                    held += one
                    while len(held) > 9000 or (held and chance.random() < 0.7):
                        size = chance.randrange(1, 9000)
                        peer.send(held[:size])
                        held = held[size:]
                peer.send(held)
                for _ in sent:
                    kind, body = peer.pdu()
                    got += bytes((kind,)) + body
        kept = sorted(
            (path.relative_to(tmp_path / name), path.read_bytes()) for path in (tmp_path / name).rglob("*.dcm")
        )
        found.append((got, kept))
    assert found[0] == found[1]


def test_a_handler_for_instances_is_called_for_each(tmp_path: Path) -> None:
    server, seen = net.Server("S", folder=tmp_path), []
    server.store(lambda request: seen.append(request.sop_instance))
    with server, net.associate(server.address, contexts=[VERIFICATION]) as association:
        for _ in range(10):
            association.echo()
            assert not is_direct(server)


# -- instances that are handed over


Tell = Callable[[list[tuple[int, str]]], None]


class Taker:
    """Takes files, and tells nothing by itself."""

    def __init__(self) -> None:
        self.given: list[tuple[list[str], Tell]] = []
        self.came = threading.Semaphore(0)

    def __call__(self, paths: list[str], tell: Tell) -> None:
        self.given.append((paths, tell))
        for _ in paths:
            self.came.release()

    def wait(self, count: int) -> list[str]:
        """The paths of the next so many files."""
        for _ in range(count):
            assert self.came.acquire(timeout=20)
        return [path for paths, _ in self.given for path in paths]


def handing(folder: Folder, taker: Callable[[list[str], Tell], None], most: int = 8) -> Plain:
    plain = folder.plain(
        CONTEXTS,
        sender="PEER",
        receiver="SERVER",
        longest=LONGEST,
        fragment=LONGEST,
        command_bytes=COMMAND_BYTES,
        hand=taker,
        most=most,
    )
    assert plain is not None
    return plain


class Thread:
    """A thread that serves one end of a pair of sockets; the other is `peer`."""

    def __init__(self, plain: Plain) -> None:
        self.peer, self._ours = socket.socketpair()
        self.peer.settimeout(20)
        self.left: tuple[bytes, bytes] | None = None
        self._thread = threading.Thread(target=self._run, args=(plain,))
        self._thread.start()

    def _run(self, plain: Plain) -> None:
        self.left = plain.serve(self._ours.fileno())
        self._ours.close()

    def answers(self, count: int) -> list[tuple[int, int, str]]:
        """Message ID, status and comment of the next responses."""
        found = []
        for _ in range(count):
            head = self._exactly(6)
            values = decode(self._exactly(int.from_bytes(head[2:], "big"))[6:])
            found.append((values[Field.RESPONDED_TO], values[Field.STATUS], values.get(Field.ERROR_COMMENT, "")))
        return found

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            some = self.peer.recv(count - len(data))
            assert some
            data += some
        return data

    def end(self) -> tuple[bytes, bytes]:
        """What the thread left, after the peer has ended."""
        self.peer.shutdown(socket.SHUT_WR)
        self._thread.join(20)
        self.peer.close()
        assert self.left is not None
        return self.left


def test_what_is_handed_over_is_answered_in_order_and_not_before(folder: Folder, tmp_path: Path) -> None:
    taker = Taker()
    thread = Thread(handing(folder, taker))
    sent = [store(f"1.2.3.{number}", number) for number in range(3)]
    thread.peer.sendall(b"".join(sent) + echo(50))
    paths_given = taker.wait(3)
    thread.peer.sendall(store("1.2.3.3", 3))  # more comes while they wait
    assert len(taker.wait(1)) == 4
    thread.peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        thread.peer.recv(1)
    thread.peer.settimeout(20)
    results = dict.fromkeys(range(4), (0, "")) | {1: (0xB000, "other\\data\n\xe9" + "x" * 80)}
    numbers = {path: number for number, path in enumerate(taker.wait(0))}
    for some, tell in reversed(taker.given):  # whoever is told first, the order stays
        tell([results[numbers[path]] for path in some])
    comment = ("other?data??" + "x" * 80)[:64]
    assert thread.answers(5) == [(0, 0, ""), (1, 0xB000, comment), (2, 0, ""), (50, 0, ""), (3, 0, "")]
    assert thread.end() == (b"", b"")
    careful = Folder(tmp_path / "careful")
    for number, path in enumerate(paths_given[:3]):
        sink = careful.sink(CONTEXTS[1], net_command(storing(f"1.2.3.{number}")), sender="PEER", receiver="SERVER")
        data = instance(f"1.2.3.{number}")
        sink.write(memoryview(data), [(3, 2, 0, len(data))])
        stored = sink.finish()
        assert Path(path).read_bytes() == Path(stored.path).read_bytes()  # type: ignore[attr-defined]
        assert os.path.dirname(path) == os.path.join(folder.root, ".incoming")


def test_no_more_wait_than_may(folder: Folder) -> None:
    taker = Taker()
    thread = Thread(handing(folder, taker, 2))
    thread.peer.sendall(b"".join(store(f"1.2.3.{number}", number) for number in range(20)))
    told = 0
    while told < 20:
        taker.wait(1)
        some, tell = taker.given[0]
        for _ in some[1:]:
            taker.wait(1)
        assert len(os.listdir(os.path.join(folder.root, ".incoming"))) <= told + 2
        taker.given.pop(0)
        tell([(0, "")] * len(some))
        told += len(some)
    assert thread.answers(20) == [(number, 0, "") for number in range(20)]
    assert thread.end() == (b"", b"")


def test_a_message_id_that_waits_is_a_duplicate(folder: Folder) -> None:
    taker = Taker()
    thread = Thread(handing(folder, taker))
    thread.peer.sendall(store("1.2.3", 7) + store("1.2.4", 7) + echo(7) + echo(8))
    taker.wait(1)
    assert len(os.listdir(os.path.join(folder.root, ".incoming"))) == 1
    taker.given[0][1]([(0, "")])
    assert thread.answers(4) == [(7, 0, ""), (7, 0x0210, ""), (7, 0x0210, ""), (8, 0, "")]
    assert thread.end() == (b"", b"")


def test_what_is_not_plain_waits_for_what_is_handed_over(folder: Folder) -> None:
    taker = Taker()
    plain = handing(folder, taker)
    thread = Thread(plain)
    other = message(3, storing("1.2.3.9", 9), instance("1.2.9"))  # another UID in the data set
    thread.peer.sendall(store("1.2.3", 1) + other)
    taker.wait(1)
    assert plain.waiting == 1
    assert thread.left is None
    taker.given[0][1]([(0xA700, "no room for it")])
    assert thread.answers(1) == [(1, 0xA700, "no room for it")]
    assert thread.end() == (other, b"")


def test_a_peer_that_ends_with_something_outstanding_gets_its_answer(folder: Folder) -> None:
    taker = Taker()
    thread = Thread(handing(folder, taker))
    thread.peer.sendall(store("1.2.3", 1) + store("1.2.4", 2)[:50])
    thread.peer.shutdown(socket.SHUT_WR)
    taker.wait(1)
    taker.given[0][1]([(0, "")])
    assert thread.answers(1) == [(1, 0, "")]
    assert thread.end() == (store("1.2.4", 2)[:50], b"")


def test_one_who_does_not_take_files(folder: Folder) -> None:
    def refuse(_: list[str], __: Tell) -> None:
        raise RuntimeError("no")

    thread = Thread(handing(folder, refuse))
    thread.peer.sendall(store("1.2.3", 1))
    assert thread.answers(1) == [(1, 0xA700, "it could not be written")]
    assert thread.end() == (b"", b"")
    assert paths(folder) == []


def test_a_full_disk_leaves_what_is_to_be_handed_over(tmp_path: Path) -> None:
    full = Folder(tmp_path / "store", limits=NetLimits(free_bytes=1 << 60))
    if not full._has_unnamed:
        pytest.skip("this system makes no files without a name")
    thread = Thread(handing(full, Taker()))
    thread.peer.sendall(store("1.2.3", 1))
    assert thread.end() == (store("1.2.3", 1), b"")
    assert paths(full) == []
