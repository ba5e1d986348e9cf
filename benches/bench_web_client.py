"""The DICOMweb client beside dicomweb-client: one server of canned answers in a process of its own, in turns.

The server only sends bytes, so that the clients are what is measured. Results are compared before a time counts.
`python -m benches.bench_web_client`; dicomweb-client is left out where it is not installed.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pydicom.data

import dicomcore as dc
from dicomcore import web
from dicomcore.web.multipart import PartWriter

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
SHIPPED = Path(pydicom.data.__file__).parent / "test_files"
ROUNDS = 5
MB = 1 << 20
CHUNK = os.urandom(MB)
SERIES = {"1": (500, 9 << 10), "2": (60, 512 << 10)}
"""Instances, and bytes of each, by Series Instance UID."""


def made_file(number: int, size: int) -> bytes:
    """An instance of so many bytes."""
    ds = dc.dcmread(SHIPPED / "MR_small.dcm")
    if size > 20_000:
        ds.Rows, ds.Columns = 512, size // 1024
        ds.PixelData = os.urandom(512 * (size // 1024) * 2)
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.{number}"
    return ds.to_bytes()


def canned() -> dict[str, tuple[str, Callable[[], Iterator[bytes]], int]]:
    """Answers by the last word of their path: content type, what gives the body, and its length."""
    answers = {}
    for name, (count, size) in SERIES.items():
        writer = PartWriter("application/dicom")
        body = b"".join([writer.head() + made_file(number, size) for number in range(count)] + [writer.tail()])
        answers[name] = (writer.content_type, lambda body=body: iter([body]), len(body))
    heads = [dc.dcmread(made_file(number, 9 << 10), stop_before_pixels=True) for number in range(500)]
    text = ("[" + ",".join(ds.to_json() for ds in heads) + "]").encode()
    for name in ("metadata", "instances"):
        answers[name] = ("application/dicom+json", lambda text=text: iter([text]), len(text))
    for name in ("64", "512", "5120"):
        answers[name] = long_part(int(name))
    return answers


def long_part(size: int) -> tuple[str, Callable[[], Iterator[bytes]], int]:
    """An instance whose pixel data are fragments of 1 MB, `size` of them, which are never held together."""
    ds = dc.dcmread(SHIPPED / "MR_small_RLE.dcm")
    whole = ds.to_bytes()
    start = whole[: whole.index(b"\xe0\x7f\x10\x00OB") + 12] + b"\xfe\xff\x00\xe0\0\0\0\0"
    fragment = b"\xfe\xff\x00\xe0" + MB.to_bytes(4, "little") + CHUNK
    writer = PartWriter("application/dicom")
    head, tail = writer.head() + start, b"\xfe\xff\xdd\xe0\0\0\0\0" + writer.tail()

    def pieces() -> Iterator[bytes]:
        yield head
        yield from (fragment for _ in range(size))
        yield tail

    return writer.content_type, pieces, len(head) + size * len(fragment) + len(tail)


def serve(ready: Any) -> None:
    """Answer requests until the process is ended."""
    answers = canned()
    listener = socket.create_server(("127.0.0.1", 0))
    ready.put(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=converse, args=(connection, answers), daemon=True).start()


def converse(connection: socket.socket, answers: dict[str, Any]) -> None:
    """The requests of one connection."""
    with connection, suppress(OSError):
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                more = connection.recv(65536)
                if not more:
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            path = head.split(b" ")[1].partition(b"?")[0].decode()
            kind, pieces, size = answers[path.rpartition("/")[2]]
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\n\r\n".encode())
            for piece in pieces():
                connection.sendall(piece)


@contextmanager
def server() -> Iterator[str]:
    """The URL of the server."""
    context = multiprocessing.get_context("spawn")
    ready = context.Queue()
    running = context.Process(target=serve, args=(ready,), daemon=True)
    running.start()
    try:
        yield f"http://127.0.0.1:{ready.get(timeout=120)}"
    finally:
        running.terminate()
        running.join()


def race(works: dict[str, Callable[[], Any]], rounds: int = ROUNDS) -> dict[str, tuple[float, float]]:
    """The best seconds of each, by the clock and of the processor, in turns; results must agree."""
    best: dict[str, tuple[float, float]] = {}
    results = {}
    for _ in range(rounds):
        for name, work in works.items():
            clock, processor = time.perf_counter(), time.process_time()
            results[name] = work()
            spent = (time.perf_counter() - clock, time.process_time() - processor)
            best[name] = min(best.get(name, spent), spent)
    assert len(set(map(str, results.values()))) == 1, f"they disagree: {results}"
    return best


def resident() -> float:
    """The most memory that this process had, in MB."""
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (MB if sys.platform == "darwin" else 1024)


def shown(work: str, count: int, unit: str, best: dict[str, tuple[float, float]]) -> None:
    """Rows of the table."""
    ours = best["dicomcore"]
    for name, (clock, processor) in best.items():
        ratio = "" if name == "dicomcore" else f"{clock / ours[0]:.1f} × ({processor / ours[1]:.1f} × processor)"
        print(f"| {work} | {name} | {count / clock:,.0f} {unit} | {ratio} |", flush=True)


def main() -> None:
    """Print the tables."""
    with server() as url, web.Client(url, timeout=300) as ours:
        peer = peer_of(url)
        print("| work | client | a second | dicomcore is faster by |\n|---|---|---|---|")
        for name, (count, size) in SERIES.items():
            works = {"dicomcore": lambda name=name: [str(ds.SOPInstanceUID) for ds in ours.retrieve("1", name)]}
            if peer:
                works["dicomweb-client"] = lambda name=name: [
                    str(ds.SOPInstanceUID) for ds in peer.retrieve_series("1", name)
                ]
            kind = "0.5 MB" if size > MB // 4 else "10 KB"
            shown(f"series of {count} of {kind}, data sets", count, "instances", race(works))
        works = {"dicomcore": lambda: len(list(ours.metadata("1", "2", bulk="leave")))}
        if peer:
            works["dicomweb-client"] = lambda: len(peer.retrieve_series_metadata("1", "2"))
        shown("metadata of 500 instances", 500, "instances", race(works))
        works = {"dicomcore": lambda: len(list(ours.instances(page=None)))}
        if peer:
            works["dicomweb-client"] = lambda: len(peer.search_for_instances())
        shown("search for instances, 500 of 90 attributes", 500, "instances", race(works))
        files(ours)


def files(ours: web.Client) -> None:
    """Time and memory of large parts that become files."""
    print("\n| part into a file | seconds | MB a second | MB more resident |\n|---|---|---|---|")
    times = {}
    for size in (64, 512, 5120):
        for _ in range(1 if size > 1000 else 3):
            with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
                before, began = resident(), time.perf_counter()
                assert ours.retrieve("1", str(size), into=folder)
                spent = time.perf_counter() - began
                more = resident() - before
            times[size] = min(times.get(size, spent), spent)
        print(f"| {size} MB | {times[size]:.2f} | {size / times[size]:,.0f} | {more:.1f} |", flush=True)
    print(f"\n512 MB take {times[512] / times[64]:.1f} times as long as 64 MB.")


def peer_of(url: str) -> Any:
    """dicomweb-client, None if it is not installed."""
    try:
        from dicomweb_client.api import DICOMwebClient
    except ModuleNotFoundError:
        return None
    return DICOMwebClient(url)


if __name__ == "__main__":
    main()
