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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benches.bench_net import NODELAY, best, free_port, make_files, process, rate
from dicomcore import net

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
def our_store(folder: Path, durable: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "dicomcore", "serve", "--ae", "STORE", "--port", str(port), "--store"]
    with process([*command, str(folder), "--durability", durable], port, dict(os.environ)):
        yield port


@contextmanager
def dcmqrscp(folder: Path) -> Iterator[int]:
    port = free_port()
    folder.mkdir(parents=True)
    config = folder.parent / "dcmqrscp.cfg"
    config.write_text(DCMQRSCP.format(port=port, folder=folder))
    with process(["dcmqrscp", "-c", str(config)], port, NODELAY):
        yield port


@contextmanager
def orthanc(folder: Path) -> Iterator[int]:
    """Orthanc listens on all addresses: it runs in a network namespace only if the caller makes one."""
    port = free_port()
    folder.mkdir(parents=True)
    config = folder / "orthanc.json"
    config.write_text(json.dumps({
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "HttpServerEnabled": False,
        "DicomPort": port, "DicomAet": "STORE", "DicomCheckCalledAet": False, "DicomAlwaysAllowStore": True,
    }))  # fmt: skip
    with process(["Orthanc", str(config)], port, NODELAY):
        yield port


def send(port: int, paths: list[str], workers: int) -> None:
    sent = net.send(paths, f"STORE@127.0.0.1:{port}", workers=workers)
    assert sent.stored == len(paths), sent


def main() -> None:
    """Run all, and print the table."""
    root = Path(tempfile.mkdtemp(prefix="bench-ingest-", dir=os.environ.get("BENCH_DISK")))
    paths = make_files(root / "files", COUNT, 9 << 10)
    number = iter(range(10_000))

    def turn(open_store: Callable[[Path], object], count: int, workers: int) -> Callable[[], float]:
        def run() -> float:
            with open_store(root / f"store{next(number)}" / "out") as port:  # type: ignore[attr-defined]
                return rate(count, lambda: send(port, paths[:count], workers))

        return run

    turns: dict[str, Callable[[], float]] = {}
    for durable in ("none", "group", "each"):
        for workers in (1, 4):
            name = f"ours, durable: {durable}, {workers} association{'s' * (workers > 1)}"
            turns[name] = turn(lambda folder, durable=durable: our_store(folder, durable), COUNT, workers)
    if shutil.which("dcmqrscp"):
        turns["dcmqrscp"] = turn(dcmqrscp, COUNT // 4, 1)
    if shutil.which("Orthanc"):
        turns["Orthanc"] = turn(orthanc, COUNT, 1)
    try:
        found = best(turns, int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    print("| work | who | a second |\n|---|---|---|")
    for place, (name, value) in enumerate(found.items()):
        print(f"| {f'C-STORE of {COUNT} objects of 10 KB' if not place else ''} | {name} | {value:,.1f} |")


if __name__ == "__main__":
    main()
