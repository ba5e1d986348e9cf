"""The programs that `bench_net` runs: ours, DCMTK's, pynetdicom's, and plain sockets; and a slow network."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from dicomcore import net
from tests.support.servers import free_port

PDU = 131_072
TICKS = os.sysconf("SC_CLK_TCK")
NODELAY = {**os.environ, "TCP_NODELAY": "1"}
AS_SHIPPED = {name: value for name, value in os.environ.items() if name != "TCP_NODELAY"}
HEADER = 8  # bytes of a length, of plain sockets

OUR_SERVER = """
import sys
from dicomcore import net
port, folder, pdu, certificate = sys.argv[1:5]
tls = net.tls_context(server=True, certificate=certificate, key=certificate, mutual=False) if certificate else None
limits = net.NetLimits(pdu=int(pdu) or 262144, associations=2000, associations_a_peer=2000)
net.Server("", f"127.0.0.1:{port}", folder=folder, tls=tls, limits=limits).serve()
"""
OUR_CATALOGUE = """
import sys
from dicomcore import catalogue, net, services
server = net.Server("NODE", f"127.0.0.1:{sys.argv[1]}")
server.add(services.Query(catalogue.open(sys.argv[2])))
server.serve()
"""
RAW_PYNETDICOM = """
import sys
from pathlib import Path
from pynetdicom import AE, AllStoragePresentationContexts, VerificationPresentationContexts, evt
def keep(event):
    Path(sys.argv[2], str(event.request.AffectedSOPInstanceUID)).write_bytes(event.encoded_dataset())
    return 0
entity = AE()
entity.supported_contexts = AllStoragePresentationContexts + VerificationPresentationContexts
entity.maximum_pdu_size = int(sys.argv[3])
entity.start_server(("127.0.0.1", int(sys.argv[1])), evt_handlers=[(evt.EVT_C_STORE, keep)])
"""
RAW_SERVER = """
import os, socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
held, number = bytearray(512 << 10), 0
while True:
    peer, _ = server.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    left = 0
    while got := peer.recv_into(held):
        data = memoryview(held)[:got]
        if not left:
            left, number, data = int.from_bytes(data[:8], "big"), number + 1, data[8:]
            file = os.open(f"{sys.argv[2]}/{number}", os.O_CREAT | os.O_WRONLY)
        os.write(file, data)
        left -= len(data)
        if not left:
            os.close(file)
            peer.sendall(b"ok")
"""


class Running(NamedTuple):
    """A server."""

    port: int
    pid: int

    def seconds(self) -> float:
        """Its processor time."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


class Spent(NamedTuple):
    """What something took: by the clock, and of the processor's time."""

    seconds: float
    processor: float


Client = Callable[[int, Sequence[str]], Spent]


# -- servers


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not listen")


@contextmanager
def process(command: Sequence[str], port: int, env: dict[str, str]) -> Iterator[Running]:
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            wait_for(port)
            yield Running(port, running.pid)
        finally:
            running.terminate()


@contextmanager
def storescp(folder: Path, env: dict[str, str] = NODELAY, *, pdu: int = PDU, tls: str = "") -> Iterator[Running]:
    port = free_port()
    folder.mkdir(exist_ok=True)
    secure = ["+tls", tls, tls, "-ic"] if tls else []
    command = ["storescp", *secure, "+B", *(["-pdu", str(pdu)] if pdu else []), "-od", str(folder), str(port)]
    with process(command, port, env) as running:
        yield running


@contextmanager
def our_server(folder: Path, *, pdu: int = PDU, tls: str = "") -> Iterator[Running]:
    port = free_port()
    with process([sys.executable, "-c", OUR_SERVER, str(port), str(folder), str(pdu), tls], port, AS_SHIPPED) as one:
        yield one


@contextmanager
def scripted(code: str, folder: Path) -> Iterator[Running]:
    port = free_port()
    folder.mkdir(exist_ok=True)
    with process([sys.executable, "-c", code, str(port), str(folder), str(PDU)], port, AS_SHIPPED) as running:
        yield running


@contextmanager
def our_catalogue(folder: Path, paths: Sequence[str]) -> Iterator[Running]:
    """A server of queries, with instances in its catalogue."""
    from dicomcore import catalogue

    store = catalogue.open(folder)
    store.add_all(paths)
    store.close()
    port = free_port()
    with process([sys.executable, "-c", OUR_CATALOGUE, str(port), str(folder)], port, AS_SHIPPED) as running:
        yield running


@contextmanager
def dcmqrscp(folder: Path, paths: Sequence[str]) -> Iterator[Running]:
    port, settings = free_port(), folder.with_suffix(".cfg")
    folder.mkdir()
    settings.write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = {PDU}\nMaxAssociations = 16\n"
        "HostTable BEGIN\nHostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\nNODE {folder} RW (20000, 1024mb) ANY\nAETable END\n"
    )
    for begin in range(0, len(paths), 500):
        subprocess.run(["dcmqridx", str(folder), *paths[begin : begin + 500]], check=True, capture_output=True)
    with process(["dcmqrscp", "--single-process", "-c", str(settings)], port, NODELAY) as running:
        yield running


@contextmanager
def qrscp(folder: Path, paths: Sequence[str]) -> Iterator[Running]:
    """pynetdicom's archive, which instances are sent to."""
    port, settings = free_port(), folder.with_suffix(".ini")
    folder.mkdir()
    settings.write_text(
        f"[DEFAULT]\nae_title: NODE\nport: {port}\nmax_pdu: {PDU}\nacse_timeout: 300\ndimse_timeout: 300\n"
        f"network_timeout: 300\nbind_address: 127.0.0.1\n"
        f"instance_location: {folder}\ndatabase_location: {folder}.sqlite\n"
    )
    command = [sys.executable, "-m", "pynetdicom", "qrscp", "-c", str(settings)]
    with process(command, port, AS_SHIPPED) as running:
        with net.associate(f"NODE@127.0.0.1:{port}") as association:
            assert all(one.status == 0 for one in association.store(list(paths)))
        yield running


# -- clients


def timed(work: Callable[[], object], who: int = resource.RUSAGE_SELF) -> Spent:
    before, begun = resource.getrusage(who), time.perf_counter()
    work()
    took, after = time.perf_counter() - begun, resource.getrusage(who)
    return Spent(took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def ours(*, window: int = 1, tls: str = "", pdu: int = PDU) -> Client:
    context = net.tls_context(trust=tls) if tls else None
    limits = net.NetLimits(invoking=window, longest_pdu=max(pdu or 0, 1 << 20))

    def send(port: int, paths: Sequence[str]) -> Spent:
        def work() -> None:
            with net.associate(f"ANY@127.0.0.1:{port}", limits=limits, tls=context) as association:
                assert all(one.status == 0 for one in association.store(list(paths)))

        return timed(work)

    return send


def storescu(env: dict[str, str] = NODELAY, *, tls: str = "", pdu: int = PDU) -> Client:
    secure = ["+tla", "-ic"] if tls else []

    def send(port: int, paths: Sequence[str]) -> Spent:
        size = ["-pdu", str(pdu)] if pdu else []
        command = ["storescu", *secure, *size, "--scan-directories", "127.0.0.1", str(port), os.path.dirname(paths[0])]
        options = {"env": env, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return timed(lambda: subprocess.run(command, **options), resource.RUSAGE_CHILDREN)  # type: ignore[call-overload]

    return send


def pynetdicom_sends(*, with_nagle: bool = True) -> Client:
    from pynetdicom import AE

    def send(port: int, paths: Sequence[str]) -> Spent:
        entity = AE()
        entity.maximum_pdu_size = PDU
        entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4")

        def work() -> None:
            association = entity.associate("127.0.0.1", port)
            assert association.is_established
            if not with_nagle:
                association.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for path in paths:
                if association.send_c_store(path).get("Status") != 0:
                    raise RuntimeError("pynetdicom lost an answer (its issue 875)")
            association.release()

        return timed(work)

    return send


def plain_sockets(port: int, paths: Sequence[str]) -> Spent:
    """The same bytes, one answer each: what the system allows a client that waits for each answer."""

    def work() -> None:
        with socket.create_connection(("127.0.0.1", port)) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for path in paths:
                file = os.open(path, os.O_RDONLY)
                data = os.read(file, os.fstat(file).st_size)
                os.close(file)
                sent = peer.sendmsg([len(data).to_bytes(HEADER, "big"), data]) - HEADER
                if sent < len(data):
                    peer.sendall(memoryview(data)[sent:])
                peer.recv(2)

    return timed(work)


def ready_bytes(port: int, paths: Sequence[str]) -> Spent:
    """Messages that were made before the clock began, one answer each: more than any client can reach."""
    from dicomcore.net.blocking import Wire
    from dicomcore.net.instances import open_instance

    instances = [open_instance(path, to_send=True) for path in paths]
    offer = [(instances[0].sop_class, (instances[0].transfer_syntax,))]
    with net.associate(f"ANY@127.0.0.1:{port}", contexts=offer, limits=net.NetLimits(invoking=1)) as association:
        wire: Wire = association._wire
        session, peer = wire.session, wire._socket
        (context,) = session.contexts.values()
        made = []
        for number, one in enumerate(instances, 1):
            values = {0x0002: one.sop_class, 0x0100: 1, 0x0110: number, 0x0700: 0, 0x1000: one.sop_instance}
            assert session._exchange is not None
            data = one.as_it_is(context.transfer_syntax)
            made.append(b"".join(session._exchange.message(context.number, values, data)))
        answer = bytearray(4096)

        def work() -> None:
            for message in made:
                peer.sendall(message)
                got = peer.recv_into(answer)
                while got < HEADER or got < 6 + int.from_bytes(answer[2:6], "big"):
                    more = peer.recv_into(memoryview(answer)[got:])
                    assert more
                    got += more

        return timed(work)


# -- a slow network


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """A port that leads to another, where bytes take so long each way; in a process of its own."""
    front = free_port()
    code = f"from benches.bench_net_peers import relay; relay({front}, {port}, {seconds})"
    with process([sys.executable, "-c", code], front, AS_SHIPPED):
        yield front


def relay(front: int, port: int, seconds: float) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
        loop = asyncio.get_running_loop()
        for one in (writer, back_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        async def carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(1 << 20):
                loop.call_later(seconds, target.write, data)
            loop.call_later(seconds, target.close)

        with suppress(ConnectionError):
            await asyncio.gather(carry(reader, back_writer), carry(back_reader, writer))

    async def run() -> None:
        await (await asyncio.start_server(serve, "127.0.0.1", front, limit=4 << 20)).serve_forever()

    asyncio.run(run())
