"""Small objects into a store with its catalogue: ours, DCMTK's dcmqrscp and Orthanc, over loopback, in turns.

The load is our own SCU with a window of operations, which is faster than each of them. Peers run with TCP_NODELAY=1.
`python -m benches.bench_ingest`.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benches.bench_net import Rate, best, make_files
from benches.bench_net_peers import NODELAY, Running, process
from dicomcore import net
from tests.support.servers import free_port

COUNT = 2000
DCMQRSCP = """NetworkTCPPort = {port}
MaxPDUSize = 131072
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
STORE {folder} RW (1000000, 1024gb) ANY
AETable END
"""


@contextmanager
def our_store(folder: Path, durability: str) -> Iterator[Running]:
    port = free_port()
    command = [sys.executable, "-m", "dicomcore", "serve", "--ae", "STORE", "--port", str(port), "--store"]
    with process([*command, str(folder), "--durability", durability], port, dict(os.environ)) as running:
        yield running


@contextmanager
def dcmqrscp(folder: Path) -> Iterator[Running]:
    port = free_port()
    folder.mkdir(parents=True)
    config = folder.parent / "dcmqrscp.cfg"
    config.write_text(DCMQRSCP.format(port=port, folder=folder))
    with process(["dcmqrscp", "-c", str(config)], port, NODELAY) as running:
        yield running


@contextmanager
def orthanc(folder: Path) -> Iterator[Running]:
    """Orthanc listens on all addresses: it is in a network namespace only if the caller made one."""
    port = free_port()
    folder.mkdir(parents=True)
    config = folder / "orthanc.json"
    config.write_text(json.dumps({
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "HttpServerEnabled": False,
        "DicomPort": port, "DicomAet": "STORE", "DicomCheckCalledAet": False, "DicomAlwaysAllowStore": True,
    }))  # fmt: skip
    with process(["Orthanc", str(config)], port, NODELAY) as running:
        yield running


def turn(
    opened: Callable[[Path], AbstractContextManager[Running]], root: Path, paths: list[str], workers: int
) -> Callable[[], Rate]:
    """Send files over so many associations: objects a second, and processor time of both sides for each."""

    def run() -> Rate:
        folder = Path(tempfile.mkdtemp(dir=root)) / "out"
        with opened(folder) as running:
            served, spent, begun = running.seconds(), time.process_time(), time.perf_counter()
            sent = net.send(paths, f"STORE@127.0.0.1:{running.port}", workers=workers)
            took, spent, served = (
                time.perf_counter() - begun, time.process_time() - spent, running.seconds() - served,
            )  # fmt: skip
        assert sent.stored == len(paths), sent
        shutil.rmtree(folder)
        return Rate(len(paths) / took, spent / len(paths) * 1e6, served / len(paths) * 1e6)

    return run


def main() -> None:
    """Run all, and print the table."""
    root = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=os.environ.get("BENCH_DISK")))
    paths = make_files(root / "files", COUNT, 9 << 10)
    turns: dict[str, Callable[[], Rate]] = {}
    for durability in ("none", "group", "each"):
        for workers in (1, 4):

            def opened(folder: Path, durability: str = durability) -> AbstractContextManager[Running]:
                return our_store(folder, durability)

            name = f"ours, durability {durability}, associations: {workers}"
            turns[name] = turn(opened, root, paths, workers)
    if shutil.which("dcmqrscp"):
        turns["dcmqrscp"] = turn(dcmqrscp, root, paths[: COUNT // 4], 1)
    if shutil.which("Orthanc"):
        turns["Orthanc"] = turn(orthanc, root, paths, 1)
    try:
        found = best(turns, int(os.environ.get("ROUNDS", "3")))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print("| who | objects a second | µs of the sender | µs of the store |\n|---|---|---|---|")
    for name, (rate, client, server) in found.items():
        print(f"| {name} | {rate:,.0f} | {client:,.0f} | {server:,.0f} |")


if __name__ == "__main__":
    main()
