"""The network beside DCMTK and pynetdicom: the same objects over loopback, in turns, files written on both sides.

DCMTK runs with TCP_NODELAY=1 and the same PDU size, which is its best; one row has it as shipped. Folders are in shared
memory where the system has it. `python -m benches.bench_net`.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pydicom.data

import dicomcore as dc
from dicomcore import net

warnings.simplefilter("ignore")

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
ROUNDS = 3
PDU = 131_072
NODELAY = {**os.environ, "TCP_NODELAY": "1"}
KINDS = {"0.5 MB": (300, 512 << 10), "10 KB": (2000, 9 << 10)}


class Line(NamedTuple):
    """One row of the table: objects, exchanges or answers a second of each."""

    work: str
    rates: dict[str, float]
    reach: str


def make_files(folder: Path, count: int, size: int) -> list[str]:
    """Instances of one series, of so many bytes each."""
    folder.mkdir(parents=True)
    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    if size > 20_000:
        ds.Rows, ds.Columns = 512, size // 1024
        ds.PixelData = os.urandom(512 * (size // 1024) * 2)
    paths = []
    for number in range(count):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number}"
        paths.append(str(folder / f"{number}.dcm"))
        ds.save_as(paths[-1])
    return paths


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not listen")


@contextmanager
def process(command: list[str], port: int, env: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            wait_for(port)
            yield
        finally:
            running.terminate()


@contextmanager
def storescp(folder: Path, env: dict[str, str]) -> Iterator[int]:
    port = free_port()
    folder.mkdir(exist_ok=True)
    with process(["storescp", "+B", "-pdu", str(PDU), "-od", str(folder), str(port)], port, env):
        yield port


@contextmanager
def our_server(folder: Path) -> Iterator[int]:
    port = free_port()
    code = (
        "import sys\nfrom dicomcore import net\nnet.Server('', f'127.0.0.1:{sys.argv[1]}', folder=sys.argv[2]).serve()"
    )
    with process([sys.executable, "-c", code, str(port), str(folder)], port, dict(os.environ)):
        yield port


@contextmanager
def pynetdicom_server(folder: Path) -> Iterator[int]:
    port = free_port()
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "pynetdicom", "storescp", str(port), "-od", str(folder)]
    with process(command, port, dict(os.environ)):
        yield port


def ours(port: int, paths: list[str]) -> None:
    with net.associate(f"ANY@127.0.0.1:{port}", limits=net.NetLimits(invoking=1)) as association:
        assert all(one.status == 0 for one in association.store(paths))


def storescu(port: int, paths: list[str], env: dict[str, str]) -> None:
    folder = os.path.dirname(paths[0])
    command = ["storescu", "-pdu", str(PDU), "--scan-directories", "127.0.0.1", str(port), folder]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def pynetdicom_sends(port: int, paths: list[str]) -> None:
    from pynetdicom import AE

    entity = AE()
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4")
    association = entity.associate("127.0.0.1", port)
    assert association.is_established
    for path in paths:
        assert association.send_c_store(path).Status == 0
    association.release()


def rate(count: int, work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return count / (time.perf_counter() - begun)


def best(turns: dict[str, Callable[[], float]], rounds: int = ROUNDS) -> dict[str, float]:
    """The best of each, in turns."""
    found = dict.fromkeys(turns, 0.0)
    for _ in range(rounds):
        for name, turn in turns.items():
            found[name] = max(found[name], turn())
    return found


def fresh(root: Path) -> Path:
    folder = Path(tempfile.mkdtemp(dir=root))
    return folder / "out"


def stores(root: Path, kind: str, lines: list[Line]) -> None:
    count, size = KINDS[kind]
    paths = make_files(root / kind.replace(" ", ""), count, size)
    few = max(count // 20, 10)

    def to_theirs(send: Callable[[int], None], number: int, env: dict[str, str] = NODELAY) -> float:
        with storescp(fresh(root), env) as port:
            return rate(number, lambda: send(port))

    def to_ours(send: Callable[[int], None], number: int) -> float:
        with our_server(fresh(root)) as port:
            return rate(number, lambda: send(port))

    def to_pynetdicom(send: Callable[[int], None], number: int) -> float:
        with pynetdicom_server(fresh(root)) as port:
            return rate(number, lambda: send(port))

    some = make_files(root / f"few{kind.replace(' ', '')}", few, size)
    found = best(
        {
            "ours to storescp": lambda: to_theirs(lambda port: ours(port, paths), count),
            "storescu to storescp": lambda: to_theirs(lambda port: storescu(port, paths, NODELAY), count),
            "ours to ours": lambda: to_ours(lambda port: ours(port, paths), count),
            "storescu to ours": lambda: to_ours(lambda port: storescu(port, paths, NODELAY), count),
        }
    )
    found |= best(
        {
            "pynetdicom to storescp": lambda: to_theirs(lambda port: pynetdicom_sends(port, some), few),
            "ours to pynetdicom": lambda: to_pynetdicom(lambda port: ours(port, some), few),
            "storescu to storescp, as shipped": lambda: to_theirs(
                lambda port: storescu(port, some, dict(os.environ)), few, dict(os.environ)
            ),
        },
        rounds=1,
    )
    found["raw sockets"] = max(raw(paths, fresh(root)) for _ in range(ROUNDS))
    lines.append(Line(f"C-STORE of {count} objects of {kind}", found, ""))


def raw(paths: list[str], folder: Path) -> float:
    """The same bytes over a socket, one answer each, written to files: what the system allows."""
    import threading

    folder.mkdir()
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = server.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = bytearray(256 << 10)
        number = 0
        while head := peer.recv(8, socket.MSG_WAITALL):
            left = int.from_bytes(head, "big")
            file = os.open(folder / str(number), os.O_CREAT | os.O_WRONLY)
            while left:
                got = peer.recv_into(held, min(left, len(held)))
                os.write(file, memoryview(held)[:got])
                left -= got
            os.close(file)
            number += 1
            peer.sendall(b"ok")

    thread = threading.Thread(target=serve)
    thread.start()

    def send() -> None:
        with socket.create_connection(server.getsockname()) as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for path in paths:
                with open(path, "rb", buffering=0) as file:
                    data = file.read()
                peer.sendmsg([len(data).to_bytes(8, "big"), data]) if len(data) < 60_000 else peer.sendall(
                    len(data).to_bytes(8, "big") + data
                )
                peer.recv(2)

    found = rate(len(paths), send)
    thread.join()
    server.close()
    return found


def echoes(root: Path, lines: list[Line]) -> None:
    count = 3000

    def our_echo(port: int) -> None:
        with net.associate(f"ANY@127.0.0.1:{port}", contexts=["1.2.840.10008.1.1"]) as association:
            for _ in range(count):
                association.echo()

    def echoscu(port: int) -> None:
        command = ["echoscu", "--repeat", str(count), "127.0.0.1", str(port)]
        subprocess.run(command, env=NODELAY, check=True, stdout=subprocess.DEVNULL)

    def theirs(send: Callable[[int], None]) -> float:
        with storescp(fresh(root), NODELAY) as port:
            return rate(count, lambda: send(port))

    def own(send: Callable[[int], None]) -> float:
        with our_server(fresh(root)) as port:
            return rate(count, lambda: send(port))

    def associations() -> float:
        number = 500
        with our_server(fresh(root)) as port:
            begun = time.perf_counter()
            for _ in range(number):
                with net.associate(f"ANY@127.0.0.1:{port}", contexts=["1.2.840.10008.1.1"]) as association:
                    association.echo()
            return number / (time.perf_counter() - begun)

    lines.append(Line("C-ECHO", best({
        "ours to storescp": lambda: theirs(our_echo),
        "echoscu to storescp": lambda: theirs(echoscu),
        "ours to ours": lambda: own(our_echo),
    }), "≥ 1.4 × echoscu"))  # fmt: skip
    lines.append(Line("association, echo and release", best({"ours to ours": associations}), "≥ 1 500/s"))


def finds(root: Path, lines: list[Line]) -> None:
    from dicomcore import catalogue, services

    count = 10_000
    folder = root / "catalogue"
    store = catalogue.open(folder)
    paths = make_files(root / "found", count, 9 << 10)
    store.add_all(paths)
    study = str(dc.dcmread(paths[0]).StudyInstanceUID)
    server = net.Server("NODE")
    server.add(services.Query(store))
    keys = {"StudyInstanceUID": study, "SOPInstanceUID": "", "InstanceNumber": "", "Modality": "",
            "PatientName": "", "StudyDate": ""}  # fmt: skip
    with server, net.associate(server.address) as association:

        def ask() -> float:
            return rate(count, lambda: len(list(association.find(keys, level="IMAGE"))))

        lines.append(Line("C-FIND, 10 000 answers of a catalogue, one process", best({"ours": ask}), "≥ 15 000/s"))
    store.close()


def memory(root: Path, lines: list[Line]) -> None:
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
        lines.append(Line("2 GB object: MB more resident", {"ours": more, "GB/s": size / 1e9 / took}, "≤ 8 MB"))
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        before = resident(running.pid)
        idle = [net.associate(f"ANY@127.0.0.1:{port}", contexts=["1.2.840.10008.1.1"]) for _ in range(1000)]
        each = (resident(running.pid) - before) / 1000
        lines.append(Line("1 000 idle associations: KB each", {"ours": each}, "≤ 40 KB"))
        for one in idle:
            one.abort()
        running.terminate()


def resident(pid: int, *, peak: bool = False) -> int:
    """Resident memory in KB."""
    name = "VmHWM" if peak else "VmRSS"
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def main() -> None:
    """Run all, and print the table."""
    place = "/dev/shm" if os.path.isdir("/dev/shm") else None
    root = Path(tempfile.mkdtemp(dir=place, prefix="bench-net-"))
    lines: list[Line] = []
    try:
        for kind in KINDS:
            stores(root, kind, lines)
        echoes(root, lines)
        finds(root, lines)
        memory(root, lines)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print("| work | who | a second | reach |\n|---|---|---|---|")
    for line in lines:
        for place_in, (name, value) in enumerate(line.rates.items()):
            head = line.work if not place_in else ""
            print(f"| {head} | {name} | {value:,.1f} | {line.reach if not place_in else ''} |")


if __name__ == "__main__":
    main()
