"""Index files with an unusual beginning beside the usual one, by the bulk loop and by dcmread: processor time a file.

Each kind is made of the same real CT image: without preamble, bare, without a transfer syntax, deflated. A kind's rows
must be the same on both paths before a time counts.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from time import process_time

from benches.race import machine
from dicomcore.archive.tables.batch import read_batch
from dicomcore.archive.tables.columns import DEFAULT_COLUMNS, Columns
from dicomcore.archive.tables.table import schema_of

COPIES = 1000
SYNTAX = b"\2\0\x10\0UI"
EXPLICIT, DEFLATED = b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99\0\0"


def made(head: bytes, syntax: bytes, body: bytes) -> bytes:
    """A file with this transfer syntax, or without one if it is empty."""
    group = SYNTAX + len(syntax).to_bytes(2, "little") + syntax if syntax else b"\2\0\x01\0OB\0\0\2\0\0\0\0\1"
    return head + b"\2\0\0\0UL\4\0" + len(group).to_bytes(4, "little") + group + body


def deflated(body: bytes) -> bytes:
    packer = zlib.compressobj(6, wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


HEAD = bytes(128) + b"DICM"
KINDS: dict[str, Callable[[bytes], bytes]] = {
    "usual": lambda body: made(HEAD, EXPLICIT, body),
    "without preamble": lambda body: made(b"", EXPLICIT, body),
    "without file meta information": lambda body: HEAD + body,
    "bare data set": lambda body: body,
    "without transfer syntax": lambda body: made(HEAD, b"", body),
    "deflated": lambda body: made(HEAD, DEFLATED, deflated(body)),
}


def microseconds(paths: list[str], columns: Columns, *, bulk: bool, rounds: int) -> float:
    schema = schema_of(columns)
    best = float("inf")
    for _ in range(rounds):
        start = process_time()
        read_batch(paths, columns, schema, bulk=bulk)
        best = min(best, process_time() - start)
    return best / len(paths) * 1e6


def main() -> None:
    import pydicom.data

    rounds = 3 if "--quick" in sys.argv else 15
    data = (Path(pydicom.data.__file__).parent / "test_files" / "CT_small.dcm").read_bytes()
    body = data[144 + int.from_bytes(data[140:144], "little") :]
    columns = Columns(DEFAULT_COLUMNS)
    print("| file | bulk loop, µs | dcmread, µs | of the usual rate |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="dicomcore-bench-") as folder:
        usual = 0.0
        for number, (kind, make) in enumerate(KINDS.items()):
            path = Path(folder) / f"{number}.dcm"
            path.write_bytes(make(body))
            both = [read_batch([str(path)], columns, schema_of(columns), bulk=bulk) for bulk in (True, False)]
            assert both[0].equals(both[1]), f"{kind}: the paths disagree"
            bulk = microseconds([str(path)] * COPIES, columns, bulk=True, rounds=rounds)
            slow = microseconds([str(path)] * COPIES, columns, bulk=False, rounds=min(rounds, 3))
            usual = usual or bulk
            print(f"| {kind} | {bulk:.1f} | {slow:.0f} | {usual / bulk:.2f} |")
    print(machine("pydicom", "pyarrow"))


if __name__ == "__main__":
    main()
