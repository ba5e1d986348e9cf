"""The network beside DCMTK and pynetdicom: the same objects over loopback, in turns, files written on both sides.

DCMTK runs with TCP_NODELAY=1 and the same PDU size, which is its best; rows say what is as shipped. Each turn has a
server of its own, which got two objects before the clock began. The time that a client takes for one object, with the
start of its process and the association, is taken off, for all alike; so a rate is that of one object after the other.
Processor time is that of both processes, in microseconds an object. Folders are in shared memory where the system has
it. `python -m benches.bench_net [part …]`, with the parts stores, window, tls, several, echoes, finds, memory.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pydicom.data

import dicomcore as dc
from benches.bench_net_peers import (
    AS_SHIPPED,
    NODELAY,
    RAW_PYNETDICOM,
    RAW_SERVER,
    Client,
    Running,
    Spent,
    dcmqrscp,
    delayed,
    our_catalogue,
    our_server,
    ours,
    plain_sockets,
    pynetdicom_sends,
    qrscp,
    ready_bytes,
    scripted,
    storescp,
    storescu,
    timed,
    wait_for,
)
from dicomcore import net
from tests.support.servers import free_port

warnings.simplefilter("ignore")

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
KINDS = {"0.5 MB": (300, 512 << 10), "10 KB": (2000, 9 << 10)}
VERIFICATION = "1.2.840.10008.1.1"
FOUND, FEWER = 10_000, 2000  # answers to a C-FIND: of ours, of dcmqrscp
PATIENT = net.Timeouts(response=300.0)


class Rate(NamedTuple):
    """Objects a second, and microseconds of processor time an object: of the client, of the server."""

    rate: float
    client: float = 0.0
    server: float = 0.0


class Line(NamedTuple):
    """One row of the table."""

    work: str
    rates: dict[str, Rate]


class Objects(NamedTuple):
    """Files of one series: two by themselves, for the server to warm up and for the time of one, and the others."""

    warming: list[str]
    one: list[str]
    many: list[str]


def make_files(folder: Path, count: int, size: int, first: int = 1) -> list[str]:
    """Instances of one series, of so many bytes each."""
    folder.mkdir(parents=True)
    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    if size > 20_000:
        ds.Rows, ds.Columns = 512, size // 1024
        ds.PixelData = os.urandom(512 * (size // 1024) * 2)
    paths = []
    for number in range(first, first + count):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number}"
        paths.append(str(folder / f"{number}.dcm"))
        ds.save_as(paths[-1])
    return paths


def make_objects(root: Path, count: int, size: int) -> Objects:
    folder = Path(tempfile.mkdtemp(dir=root))
    return Objects(
        make_files(folder / "warming", 1, size, 1),
        make_files(folder / "one", 1, size, 2),
        make_files(folder / "many", count, size, 3),
    )


def best(turns: dict[str, Callable[[], Rate]], rounds: int = ROUNDS) -> dict[str, Rate]:
    """The best of each, in turns."""
    found: dict[str, Rate] = {}
    for _ in range(rounds):
        for name, turn in turns.items():
            try:
                found[name] = max(found.get(name, Rate(0.0)), turn())
            except RuntimeError as error:
                print(f"{name}: {error}", file=sys.stderr)
    return found


def fresh(root: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=root)) / "out"


def store(server: AbstractContextManager[Running], client: Client, objects: Objects, folder: Path) -> Rate:
    """One turn: what was stored is counted, and removed."""
    with server as running:
        client(running.port, objects.warming)
        one = client(running.port, objects.one)
        before = running.seconds()
        many = client(running.port, objects.many)
        served = running.seconds() - before
    count = len(objects.many)
    assert sum(len(files) for _, _, files in os.walk(folder)) >= count
    shutil.rmtree(folder)
    return Rate(
        (count - 1) / (many.seconds - one.seconds),
        (many.processor - one.processor) / (count - 1) * 1e6,
        served / count * 1e6,
    )


def stores(root: Path, kind: str) -> Line:
    count, size = KINDS[kind]
    objects, few = make_objects(root, count, size), make_objects(root, max(count // 20, 30), size)

    def turn(
        server: Callable[..., AbstractContextManager[Running]],
        client: Client,
        what: Objects = objects,
        **options: object,
    ) -> Callable[[], Rate]:
        def run() -> Rate:
            folder = fresh(root)
            return store(server(folder, **options), client, what, folder)

        return run

    def pynetdicom_server(folder: Path) -> AbstractContextManager[Running]:
        return scripted(RAW_PYNETDICOM, folder)

    found = best({
        "ours to storescp": turn(storescp, ours()),
        "storescu to storescp": turn(storescp, storescu()),
        "messages made before, to storescp": turn(storescp, ready_bytes),
        "ours to ours": turn(our_server, ours()),
        "ours to ours, window of 8": turn(our_server, ours(window=8)),
        "storescu to ours": turn(our_server, storescu()),
        "plain sockets": turn(lambda folder: scripted(RAW_SERVER, folder), plain_sockets),
    })  # fmt: skip
    found |= best({
        "ours to ours, as shipped": turn(our_server, ours(window=8, pdu=0), pdu=0),
        "pynetdicom to storescp": turn(storescp, pynetdicom_sends(), few),
        "pynetdicom to storescp, with TCP_NODELAY": turn(storescp, pynetdicom_sends(with_nagle=False), few),
        "ours to pynetdicom": turn(pynetdicom_server, ours(), few),
        "storescu to storescp, as shipped": turn(storescp, storescu(AS_SHIPPED, pdu=0), few, env=AS_SHIPPED, pdu=0),
    }, rounds=1)  # fmt: skip
    return Line(f"C-STORE of {count} objects of {kind}", found)


def windows(root: Path) -> list[Line]:
    """One or eight operations at a time, where bytes take 5 ms each way."""
    lines = []
    for kind, count in (("0.5 MB", 60), ("10 KB", 200)):
        objects = make_objects(root, count, KINDS[kind][1])

        def turn(window: int, objects: Objects = objects) -> Rate:
            folder = fresh(root)
            with our_server(folder) as running, delayed(running.port, 0.005) as front:
                client = ours(window=window)
                client(front, objects.warming)
                one = client(front, objects.one)
                many = client(front, objects.many)
            shutil.rmtree(folder)
            return Rate((len(objects.many) - 1) / (many.seconds - one.seconds))

        turns = {"window of 1": lambda: turn(1), "window of 8": lambda: turn(8)}
        lines.append(Line(f"C-STORE of {kind} at 10 ms round trip", best(turns, 2)))
    return lines


def secured(root: Path) -> list[Line]:
    """TLS 1.3, without client certificates."""
    pem = str(root / "both.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=IP:127.0.0.1", "-keyout", f"{pem}.key", "-out", f"{pem}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    Path(pem).write_bytes(Path(f"{pem}.key").read_bytes() + Path(f"{pem}.crt").read_bytes())
    lines = []
    for kind, (count, size) in KINDS.items():
        objects = make_objects(root, count, size)

        def turn(is_ours: bool, objects: Objects = objects) -> Rate:
            folder = fresh(root)
            server = our_server(folder, tls=pem) if is_ours else storescp(folder, tls=pem)
            client = ours(tls=f"{pem}.crt") if is_ours else storescu(tls=pem)
            return store(server, client, objects, folder)

        turns = {"ours to ours": lambda: turn(True), "storescu to storescp": lambda: turn(False)}
        lines.append(Line(f"C-STORE over TLS of {count} objects of {kind}", best(turns, 3)))
    return lines


CLIENT = """
import sys
from dicomcore import net
port, folder = sys.argv[1:3]
import os
paths = sorted(os.path.join(folder, name) for name in os.listdir(folder))
with net.associate(f"ANY@127.0.0.1:{port}", limits=net.NetLimits(invoking=1)) as association:
    list(association.store(paths[:1]))
    print("ready", flush=True)
    sys.stdin.readline()
    assert all(one.status == 0 for one in association.store(paths[1:]))
"""


def several(root: Path) -> list[Line]:
    """Four associations of four processes with one server, beside one association."""
    lines = []
    for kind, (count, size) in KINDS.items():
        places = [root / f"several{kind[0]}{number}" for number in range(4)]
        for number, place in enumerate(places):
            make_files(place, count // 2 + 1, size, number * count + 1)

        def turn(clients: int, places: list[Path] = places, count: int = count) -> Rate:
            folder = fresh(root)
            with our_server(folder) as running:
                command = [sys.executable, "-c", CLIENT, str(running.port)]
                started = [
                    subprocess.Popen([*command, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                    for place in places[:clients]
                ]
                for one in started:
                    assert one.stdout is not None
                    one.stdout.readline()
                begun, before = time.perf_counter(), running.seconds()
                for one in started:
                    one.communicate("go\n")
                took, served = time.perf_counter() - begun, running.seconds() - before
            shutil.rmtree(folder)
            return Rate(clients * (count // 2) / took, 0.0, served / (clients * (count // 2)) * 1e6)

        turns = {"1 association": lambda: turn(1), "4 associations": lambda: turn(4)}
        lines.append(Line(f"C-STORE of {kind}, several associations", best(turns, 3)))
    return lines


def echoes(root: Path) -> list[Line]:
    count, number = 3000, 500

    def our_echo(port: int) -> Spent:
        with net.associate(f"ANY@127.0.0.1:{port}", contexts=[VERIFICATION]) as association:
            return timed(lambda: [association.echo() for _ in range(count)])

    def echoscu(port: int) -> Spent:
        def run(times: int) -> Spent:
            command = ["echoscu", "--repeat", str(times), "127.0.0.1", str(port)]
            return timed(lambda: subprocess.run(command, env=NODELAY, check=True), resource.RUSAGE_CHILDREN)

        one, many = run(1), run(count + 1)
        return Spent(many.seconds - one.seconds, many.processor - one.processor)

    def pynetdicom_echo(port: int) -> Spent:
        from pynetdicom import AE

        entity = AE()
        entity.add_requested_context(VERIFICATION)
        association = entity.associate("127.0.0.1", port)
        spent = timed(lambda: [association.send_c_echo() for _ in range(count // 30)])
        association.release()
        return Spent(spent.seconds * 30, spent.processor * 30)

    def turn(is_ours: bool, client: Callable[[int], Spent]) -> Rate:
        folder = fresh(root)
        with our_server(folder) if is_ours else storescp(folder) as running:
            client(running.port)
            before = running.seconds()
            spent = client(running.port)
            return Rate(
                count / spent.seconds, spent.processor / count * 1e6, (running.seconds() - before) / count * 1e6
            )

    def associations(is_ours: bool) -> Rate:
        def work() -> None:
            for _ in range(number):
                with net.associate(f"ANY@127.0.0.1:{running.port}", contexts=[VERIFICATION]) as association:
                    association.echo()

        with our_server(fresh(root)) if is_ours else scripted(RAW_PYNETDICOM, fresh(root)) as running:
            before = running.seconds()
            spent = timed(work)
            served = running.seconds() - before
        return Rate(number / spent.seconds, spent.processor / number * 1e6, served / number * 1e6)

    return [
        Line("C-ECHO", best({
            "ours to storescp": lambda: turn(False, our_echo),
            "echoscu to storescp": lambda: turn(False, echoscu),
            "ours to ours": lambda: turn(True, our_echo),
        }) | best({"pynetdicom to storescp": lambda: turn(False, pynetdicom_echo)}, 1)),
        Line("association, echo and release", best({"ours to ours": lambda: associations(True)})
             | best({"ours to pynetdicom": lambda: associations(False)}, 1)),
    ]  # fmt: skip


def finds(root: Path) -> list[Line]:
    """Answers of a catalogue, and those of dcmqrscp and qrscp, to our client; the latter have fewer instances."""
    paths = make_files(root / "found", FOUND, 9 << 10)
    first = dc.dcmread(paths[0])
    keys = {
        "StudyInstanceUID": first.StudyInstanceUID,
        "SeriesInstanceUID": first.SeriesInstanceUID,
        **dict.fromkeys(("SOPInstanceUID", "InstanceNumber", "Modality", "PatientName", "StudyDate"), ""),
    }

    def turn(make: Callable[[Path, Sequence[str]], AbstractContextManager[Running]], some: Sequence[str]) -> Rate:
        count = len(some)
        with make(fresh(root), some) as running:
            with net.associate(f"NODE@127.0.0.1:{running.port}", timeouts=PATIENT) as association:
                list(association.find(keys | {"SOPInstanceUID": "1.2.826.0.1.1"}, level="IMAGE"))
                before = running.seconds()
                spent = timed(lambda: list(association.find(keys, level="IMAGE")))
                found = len(list(association.find(keys, level="IMAGE")))
            if found != count:
                raise RuntimeError(f"{found} answers, not {count}")
            served = (running.seconds() - before) / 2
        return Rate(count / spent.seconds, spent.processor / count * 1e6, served / count * 1e6)

    found = best({f"ours, {FOUND} answers": lambda: turn(our_catalogue, paths)}, 3)
    if shutil.which("dcmqrscp"):
        found |= best({f"dcmqrscp, {FEWER} answers": lambda: turn(dcmqrscp, paths[:FEWER])}, 2)
    if find_spec("sqlalchemy"):
        found |= best({f"qrscp, {FEWER // 2} answers": lambda: turn(qrscp, paths[: FEWER // 2])}, 1)
    return [Line("C-FIND, our client", found)]


def memory(root: Path) -> list[Line]:
    """Resident memory of a server that receives 2 GB, and of one with 1 000 idle associations."""
    path = root / "large.dcm"
    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    ds.Rows = ds.Columns = 16_384
    ds.NumberOfFrames = "4"
    ds.PixelData = bytes(64)
    ds.save_as(path)
    index = dc.scan(str(path))
    offset = int(index[index["tag"] == 0x7FE00010]["offset"][0])
    with open(path, "r+b") as file:
        size = 16_384 * 16_384 * 2 * 4
        file.seek(offset - 4)
        file.write((size & 0xFFFFFFFE).to_bytes(4, "little"))
        file.truncate(offset + size)
    port = free_port()
    code = (
        "import sys\nfrom dicomcore import net\nlimits = net.NetLimits(associations=2000, associations_a_peer=2000)\n"
        "net.Server('', f'127.0.0.1:{sys.argv[1]}', folder=sys.argv[2], limits=limits).serve()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(port), str(fresh(root))]) as running:
        wait_for(port)
        with net.associate(f"ANY@127.0.0.1:{port}") as association:
            association.echo()
        before = resident(running.pid)
        begun = time.perf_counter()
        with net.associate(f"ANY@127.0.0.1:{port}") as association:
            (outcome,) = association.store(str(path))
        assert outcome.status == 0, outcome
        took = time.perf_counter() - begun
        more = (resident(running.pid, peak=True) - before) / 1024
        large = Line("2 GB object", {"MB more resident": Rate(more), "GB/s": Rate(size / 1e9 / took)})
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        before = resident(running.pid)
        idle = [net.associate(f"ANY@127.0.0.1:{port}", contexts=[VERIFICATION]) for _ in range(1000)]
        each = (resident(running.pid) - before) / 1000
        for one in idle:
            one.abort()
        running.terminate()
    return [large, Line("1 000 idle associations", {"KB each": Rate(each)})]


def resident(pid: int, *, peak: bool = False) -> int:
    """Resident memory in KB."""
    name = "VmHWM" if peak else "VmRSS"
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def main() -> None:
    """Run all parts, or those that are named, and print the table."""
    parts: dict[str, Callable[[Path], list[Line]]] = {
        "stores": lambda root: [stores(root, kind) for kind in KINDS],
        "window": windows,
        "tls": secured,
        "several": several,
        "echoes": echoes,
        "finds": finds,
        "memory": memory,
    }
    place = "/dev/shm" if os.path.isdir("/dev/shm") else None
    print("| work | who | a second | processor time: client | server |\n|---|---|---|---|---|")
    for name in sys.argv[1:] or parts:
        root = Path(tempfile.mkdtemp(dir=place, prefix="bench-net-"))
        try:
            for line in parts[name](root):
                for at, (who, found) in enumerate(line.rates.items()):
                    spent = [f"{one:,.0f} µs" if one else "" for one in (found.client, found.server)]
                    print(
                        f"| {line.work if not at else ''} | {who} | {found.rate:,.1f} | {' | '.join(spent)} |",
                        flush=True,
                    )
        finally:
            shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
