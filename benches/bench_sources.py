"""Headers from archives and object stores beside pydicom: default columns, the same files for all.

zip: 20 000 deflated members, pydicom through zipfile. S3: 5 000 objects on a server that is a process of its own on
this machine and counts requests and bytes: moto's, and one that takes little time itself, without and with a network's
latency. pydicom through s3fs with stop_before_pixels, one object after the other, once with the blocks that s3fs reads
by default and once with blocks of 64 KiB.
pydicom, which would take minutes, gets an even sample of each. Values are compared before a time counts.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pydicom

from benches.bench_index import real_files
from benches.table import Row, machine, markdown
from dicomcore.archive import DEFAULT_COLUMNS, index

COMPARED = ("PatientID", "SOPInstanceUID", "Modality", "Rows")
RESULTS = Path(__file__).parent / "results" / "sources.json"
SHARE = 10  # pydicom gets one file in this number
PIXELS = 512 * 512 * 2  # bytes behind a header in the store: a CT slice as scanners send it


def header_of(stream: Any) -> dict[str, Any]:
    data_set = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(DEFAULT_COLUMNS))
    return {name: data_set.get(name) for name in DEFAULT_COLUMNS}


def check(table: pa.Table, theirs: dict[str, dict[str, Any]]) -> None:
    """Compare our values with pydicom's, by the end of the path."""
    assert table["error"].null_count == table.num_rows, table["error"].drop_null()[0]
    rows = {row["path"]: row for row in table.select(["path", *COMPARED]).to_pylist()}
    for path, values in theirs.items():
        for name in COMPARED:
            assert str(values[name] if values[name] is not None else "") == str(
                rows[path][name] if rows[path][name] is not None else ""
            ), (path, name)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


# ---- zip -------------------------------------------------------------------------------------------------------------


def bench_zip(count: int, rounds: int) -> Row:
    files = real_files()
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as folder:
        path = os.path.join(folder, "archive.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(count):
                archive.writestr(f"{i // 500:03}/IM{i % 500:04}.dcm", files[i % len(files)])
        size = os.path.getsize(path)

        def with_pydicom() -> dict[str, dict[str, Any]]:
            found = {}
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist()[::SHARE]:
                    with archive.open(name) as member:
                        found[f"{path}!/{name}"] = header_of(member)
            return found

        best = {"dicomcore": float("inf"), "pydicom + zipfile": float("inf")}
        for _ in range(rounds):
            spent, table = seconds(lambda: index(path, workers=2))
            best["dicomcore"] = min(best["dicomcore"], spent / count)
            spent, theirs = seconds(with_pydicom)
            best["pydicom + zipfile"] = min(best["pydicom + zipfile"], spent / len(theirs))
            check(table, theirs)
    row = Row(f"zip, {count:,} deflated members", best, 1, "file")
    row.notes.append(f"{len(files)} different files, {size // count:,} bytes each on average once deflated")
    row.notes.append(f"{1 / best['dicomcore']:,.0f} files/s on 2 threads, listing included")
    row.at_least(10, "pydicom + zipfile")
    return row


# ---- S3 --------------------------------------------------------------------------------------------------------------


SERVERS = {  # name: (module and arguments behind the port, the ratio to reach)
    "moto on loopback": (("benches.s3_server",), 8),
    "a lean server on loopback": (("benches.s3_lean", "0"), 8),
    "a lean server, 10 ms away": (("benches.s3_lean", "0.01"), 8),
}


@contextmanager
def server(module: str, *options: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", module, str(port), *options])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                counts(url)
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def counts(url: str) -> dict[str, int]:
    """Requests and bytes since the last call."""
    with urllib.request.urlopen(f"{url}/-/counts") as answer:
        found: dict[str, int] = json.load(answer)
    return found


def objects() -> list[bytes]:
    """Real headers with as many pixels as a CT slice has."""
    made = []
    for data in real_files():
        data_set = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        if data_set.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1" and len(data) < 40_000:
            data_set.add_new(0x7FE00010, "OW", os.urandom(PIXELS))
            stream = io.BytesIO()
            data_set.save_as(stream)
            made.append(stream.getvalue())
    return made


def bench_s3(name: str, count: int, rounds: int) -> Row:
    os.environ.update(AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_DEFAULT_REGION="us-east-1")
    import s3fs

    command, reach = SERVERS[name]
    with server(*command) as url:
        options = {"endpoint_url": url}
        fs = s3fs.S3FileSystem(**options)
        fs.call_s3("create_bucket", Bucket="archive")
        files = objects()
        for i in range(len(files)):
            fs.pipe_file(f"archive/templates/{i}", files[i])
        for i in range(count):
            fs.cp_file(f"archive/templates/{i % len(files)}", f"archive/study/{i:06}.dcm")

        def with_pydicom(**reading: Any) -> dict[str, dict[str, Any]]:
            found = {}
            reader = s3fs.S3FileSystem(**options, skip_instance_cache=True)
            for path in reader.find("archive/study")[::SHARE]:
                with reader.open(path, **reading) as stream:
                    found[f"s3://{path}"] = header_of(stream)
            return found

        peers = {"pydicom + s3fs": {}, "pydicom + s3fs, 64 KiB blocks": {"block_size": 1 << 16}}
        best = dict.fromkeys(("dicomcore", *peers), float("inf"))
        asked: dict[str, dict[str, int]] = {}
        for _ in range(rounds):
            counts(url)
            spent, table = seconds(lambda: index("s3://archive/study", storage_options=options))
            asked["dicomcore"] = counts(url)
            best["dicomcore"] = min(best["dicomcore"], spent / count)
            for peer, reading in peers.items():
                spent, theirs = seconds(partial(with_pydicom, **reading))
                asked[peer] = counts(url)
                best[peer] = min(best[peer], spent / len(theirs))
                check(table, theirs)
        assert table.num_rows == count
    row = Row(f"S3 ({name}), {count:,} objects of {sum(map(len, files)) // len(files) // 1000} KB", best, 1, "file")
    for who, found in asked.items():
        each = count if who == "dicomcore" else len(theirs)
        row.notes.append(
            f"{who}: {found['requests'] / each:.3f} requests and {found['bytes'] / each / 1024:.1f} KiB a file, "
            "lists included"
        )
    row.at_least(reach, "pydicom + s3fs")
    row.at_most(1.1, "requests a file", asked["dicomcore"]["requests"] / count)
    row.at_most(64, "KiB a file", asked["dicomcore"]["bytes"] / count / 1024)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    count, rounds = (500, 1) if quick else (5_000, 2)
    rows = [bench_zip(2_000 if quick else 20_000, 3), *(bench_s3(name, count, rounds) for name in SERVERS)]
    packages = ("pydicom", "s3fs", "obstore", "aiobotocore", "moto", "pyarrow")
    print(markdown(rows))
    print(machine(packages))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"rows": [row.record() for row in rows], "machine": machine(packages)}, indent=1))


if __name__ == "__main__":
    main()
