"""The DICOMweb server beside Orthanc with its DICOMweb plug-in: the same requests over loopback, in turns.

One server process each, one connection, one client for both: plain sockets, so that no client library counts. Orthanc
listens at every address, so the bench is to run in a network namespace where it is there:

    unshare -n bash -c 'ip link set lo up; python -m benches.bench_web_server'

`DICOMCORE_WEB_GB` is the size of the large instance (5), `DICOMCORE_WEB_ONLY` the beginning of a row's name;
``DICOMCORE_WEB_LESS=orthanc`` leaves Orthanc out.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom.data

import dicomcore as dc
from dicomcore import catalogue, web
from dicomcore.web.multipart import PartWriter
from tests.support.servers import free_port

SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ROUNDS = 3
SMALL, BIG, FRAMES = 500, 60, 2000
SLOW = 200
GIGABYTES = float(os.environ.get("DICOMCORE_WEB_GB", "5"))
ONLY = os.environ.get("DICOMCORE_WEB_ONLY", "")
STUDY, SERIES, OTHER = "1.2.826.0.1.1", "1.2.826.0.1.1.1", "1.2.826.0.1.1.2"
DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'


class Served(NamedTuple):
    """A server: where it listens, the path of its service, and its process."""

    name: str
    port: int
    root: str
    process: int


# -- servers


@contextmanager
def ours(folder: Path) -> Iterator[Served]:
    command = [sys.executable, "-m", "benches.bench_web_server", "serve", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Served("dicomcore", int(process.stdout.readline()), "", process.pid)
        process.stdin.close()
        process.wait(timeout=30)


def serve(folder: str) -> None:
    """What the server's process does."""
    with catalogue.open(folder) as held, web.Running(web.app(held)) as running:
        print(running.port, flush=True)
        sys.stdin.read()


@contextmanager
def orthanc(folder: Path) -> Iterator[Served]:
    folder.mkdir()
    port = free_port()
    settings = {
        "StorageDirectory": str(folder / "store"), "Plugins": [str(PLUGIN)], "HttpPort": port,
        "DicomPort": free_port(), "DicomWeb": {"Enable": True, "Root": "/dicom-web/"}, "RemoteAccessAllowed": False,
        "OverwriteInstances": True, "HttpThreadsCount": 50,
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    command = ["Orthanc", str(folder / "settings.json")]
    env = {**os.environ, "TCP_NODELAY": "1"}
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(200):
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.1)
        time.sleep(1)
        yield Served("Orthanc", port, "/dicom-web", process.pid)
        process.terminate()


# -- what is stored


def made(count: int, series: str, size: int = 0) -> list[bytes]:
    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, series
    if size:
        ds.Rows, ds.Columns = 512, size // 1024
        ds.PixelData = os.urandom(512 * (size // 1024) * 2)
    files = []
    for number in range(count):
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{series}.{number + 1}"
        ds.InstanceNumber = number + 1
        files.append(ds.to_bytes())
    return files


def cine() -> bytes:
    """A file of 2 000 frames in JPEG, 256 × 256."""
    import imagecodecs

    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = STUDY, OTHER, f"{OTHER}.1"
    ds.Rows = ds.Columns = 256
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    random = np.random.default_rng(1)
    noise = [random.normal(128, 12, (256, 256)).clip(0, 255).astype(np.uint8) for _ in range(8)]
    coded = [imagecodecs.jpeg8_encode(one, level=60) for one in noise]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cine.dcm"
        with dc.FrameWriter(path, ds, transfer_syntax="jpeg", frames=FRAMES) as writer:
            for number in range(FRAMES):
                writer.append(coded[number % len(coded)])
        return path.read_bytes()


def message(files: list[bytes]) -> tuple[bytes, str]:
    writer = PartWriter("application/dicom")
    parts = [piece for one in files for piece in (writer.head(), one)]
    return b"".join([*parts, writer.tail()]), writer.content_type


# -- asking


def ask(served: Served, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, int]:
    """The status of an answer and the bytes of its body."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=600)
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, served.root + path, body=body, headers=fields)
    answer = connection.getresponse()
    size = 0
    while piece := answer.read(1 << 20):
        size += len(piece)
    connection.close()
    if answer.status not in (200, 202):
        raise RuntimeError(f"{served.name}: {method} {path[:80]} was answered {answer.status}")
    return answer.status, size


def timed(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


class Raw:
    """One connection for many small requests."""

    def __init__(self, served: Served) -> None:
        self._socket = socket.create_connection(("127.0.0.1", served.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._root = served.root
        self._held = b""

    def get(self, path: str, accept: str) -> int:
        head = f"GET {self._root}{path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n"
        self._socket.sendall(head.encode())
        while (at := self._held.find(b"\r\n\r\n")) < 0:
            self._held += self._socket.recv(1 << 16)
        fields = self._held[:at].lower()
        assert fields.split(b" ", 2)[1] == b"200", fields
        size = int(fields.split(b"content-length:")[1].split(b"\r\n")[0])
        left = size - (len(self._held) - at - 4)
        while left > 0:
            left -= len(self._socket.recv(1 << 16))
        self._held = b""
        return size


def resident(process: int) -> float:
    """MB that a process has in memory, without pages of files."""
    with open(f"/proc/{process}/status") as status:
        return sum(int(line.split()[1]) for line in status if line.startswith(("RssAnon:", "RssShmem:"))) / 1024


@contextmanager
def watched(process: int) -> Iterator[Callable[[], float]]:
    """How many MB more than at first a process has had in memory."""
    first, most, over = resident(process), [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], resident(process) - first)

    thread = threading.Thread(target=look)
    thread.start()
    yield lambda: most[0]
    over.set()
    thread.join()


# -- rows


def row(work: str, who: str, figure: str) -> None:
    print(f"| {work} | {who} | {figure} |", flush=True)


def wanted(name: str) -> bool:
    return name.startswith(ONLY)


def compare(servers: list[Served]) -> None:
    """Work that both do; each row has the rates in turns."""
    place = f"/studies/{STUDY}/series/{SERIES}"
    small = message(made(SMALL, SERIES))
    big = [message(made(BIG, f"{OTHER}.{turn}", 512 << 10)) for turn in range(ROUNDS)]
    for served in servers:
        ask(served, "POST", "/studies", small[0], content_type=small[1])
    works: dict[str, tuple[int, Callable[[Served], Any]]] = {
        f"WADO-RS, a series of {SMALL} small": (SMALL, lambda one: ask(one, "GET", place, accept=DICOM)),
        f"metadata of a series of {SMALL}": (SMALL, lambda one: ask(one, "GET", f"{place}/metadata")),
        f"QIDO-RS, {SMALL} instances": (SMALL, lambda one: ask(one, "GET", f"{place}/instances?limit={SMALL}")),
    }
    for name, (count, work) in works.items():
        if wanted(name):
            for served in servers:
                row(name, served.name, f"{count / timed(lambda work=work, served=served: work(served)):,.0f}/s")
    name = f"STOW-RS, {BIG} of 0.5 MB"
    if wanted(name):
        best = dict.fromkeys((one.name for one in servers), float("inf"))
        for body, kind in big:
            for served in servers:
                seconds = timed(lambda s=served, b=body, k=kind: ask(s, "POST", "/studies", b, content_type=k), 1)
                best[served.name] = min(best[served.name], seconds)
        for who, seconds in best.items():
            row(name, who, f"{BIG / seconds:,.0f}/s")


def first_metadata(folder: Path) -> None:
    """Metadata of a series that nobody has asked for: the processor's time of this process, without HTTP."""
    from dicomcore.web.metadata import _metadata
    from dicomcore.web.requests import Request
    from dicomcore.web.routes import Target

    with catalogue.open(folder) as held:
        for data in made(SMALL, SERIES):
            path = held.part()
            Path(path).write_bytes(data)
            stored = held.receive(path)
        stored.result()
        node = web.app(held).node  # type: ignore[attr-defined]
        scope = {"query_string": b"", "headers": []}
        request = Request(node, scope, None, "GET", (), {"accept-encoding": "gzip"})  # type: ignore[arg-type]
        best = float("inf")
        for _ in range(ROUNDS):
            node.metadata.clear()
            began = time.process_time()
            _metadata(request, Target("metadata", STUDY, SERIES), "application/dicom+json")
            best = min(best, time.process_time() - began)
        node.close()
    row(f"first metadata of a series of {SMALL}", "dicomcore", f"{best / SMALL * 1e6:.0f} µs of processor each")


def frames(served: Served) -> None:
    """Frames of one file, one request each; Orthanc takes seconds for each of them, and is left out."""
    body, kind = message([cine()])
    place = f"/studies/{STUDY}/series/{OTHER}/instances/{OTHER}.1/frames"
    accept = 'multipart/related; type="image/jpeg"; transfer-syntax=*'
    ask(served, "POST", "/studies", body, content_type=kind)
    raw = Raw(served)
    raw.get(f"{place}/1", accept)

    def all_of() -> None:
        for number in range(1, FRAMES + 1):
            raw.get(f"{place}/{number}", accept)

    row(f"frames of {FRAMES:,}, one request each", served.name, f"{FRAMES / timed(all_of):,.0f}/s")
    waits = []
    due = time.perf_counter()
    for number in range(1000):
        due += 1 / 200
        time.sleep(max(due - time.perf_counter(), 0))
        began = time.perf_counter()
        raw.get(f"{place}/{number + 1}", accept)
        waits.append(time.perf_counter() - began)
    row("frames at 200/s: p99", served.name, f"{1000 * statistics.quantiles(waits, n=100)[98]:.1f} ms")


def slow_clients(served: Served) -> None:
    """One client beside 200 that take a few bytes a second of a large answer."""
    place = f"/studies/{STUDY}/series/{SERIES}"
    alone = timed(lambda: ask(served, "GET", place, accept=DICOM), 5)
    others = []
    for _ in range(SLOW):
        one = socket.create_connection(("127.0.0.1", served.port))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(f"GET {served.root}{place} HTTP/1.1\r\nHost: x\r\nAccept: {DICOM}\r\n\r\n".encode())
        others.append(one)
    over = threading.Event()

    def sip() -> None:
        while not over.wait(0.5):
            for one in others:
                one.recv(64)

    thread = threading.Thread(target=sip)
    thread.start()
    time.sleep(2)
    beside = timed(lambda: ask(served, "GET", place, accept=DICOM), 5)
    over.set()
    thread.join()
    for one in others:
        one.close()
    row(f"one client beside {SLOW} slow ones", served.name, f"{beside / alone:.2f} × its time alone")


def large(served: Served) -> None:
    """An instance of several GB in and out."""
    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    uid = "1.2.826.0.1.9"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{uid}.1", f"{uid}.2"
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
    del ds.PixelData
    ds.file_meta.TransferSyntaxUID = dc.UID(dc.uids.JPEG2000)
    fragment = bytes(1 << 20)
    count = int(GIGABYTES * 1024)
    writer = PartWriter("application/dicom")
    head = writer.head() + ds.to_bytes() + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    head += struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(fragment)) + fragment
    tail = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) + writer.tail()

    def body() -> Iterator[bytes]:
        yield head
        for _ in range(count):
            yield item
        yield tail

    work = f"{GIGABYTES:g} GB"
    with watched(served.process) as more:
        seconds = timed(lambda: ask(served, "POST", "/studies", body(), content_type=writer.content_type), 1)
        row(f"STOW-RS of {work}", served.name, f"+{more():.1f} MB resident, {GIGABYTES / seconds:.2f} GB/s")
    with watched(served.process) as more:
        seconds = timed(lambda: ask(served, "GET", f"/studies/{uid}.1", accept=DICOM), 1)
        row(f"WADO-RS of {work}", served.name, f"+{more():.1f} MB resident, {GIGABYTES / seconds:.2f} GB/s")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="dicomcore-bench-"))
    print("| work | who | measured |\n|---|---|---|")
    try:
        with ours(folder / "ours") as own:
            if (
                PLUGIN.exists()
                and shutil.which("Orthanc")
                and "orthanc" not in os.environ.get("DICOMCORE_WEB_LESS", "")
            ):
                with orthanc(folder / "orthanc") as other:
                    compare([own, other])
            else:
                compare([own])
            if wanted("first"):
                first_metadata(folder / "first")
            if wanted("frames"):
                frames(own)
            if wanted("one client"):
                slow_clients(own)
        if wanted("large"):
            with ours(folder / "large") as own:
                large(own)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2])
    else:
        main()
