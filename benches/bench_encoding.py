"""Bare data sets: decode beside dcmread, encode beside to_bytes, and pydicom's read_dataset and write_dataset.

`--quick` for a small run. A full run writes encoding.md beside this file.
"""

from __future__ import annotations

import io
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from time import thread_time
from typing import Any

from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset
from pydicom.filewriter import write_dataset

import dicomcore as dc
from benches.inputs import real_files
from benches.table import OURS, Row, machine, markdown
from dicomcore import encoding

warnings.simplefilter("ignore")
HERE = Path(__file__).parent
PIXEL_DATA = 0x7FE00010
AROUND = bytes(1000)
ROUNDS, RUNS = 100, 50

HEAD = """# Bare data sets

Written by `python -m benches.bench_encoding`: a CT image's header (CT_small.dcm, {elements} elements) without its pixel
data, in explicit VR little endian, and the command set of a C-STORE request. A data set is decoded and one of its
values asked for. All took turns on the same bytes in one run, and said the same. Figures are for ratios.

{processor}, {cores} cores, {system}, Python {python}; pydicom {pydicom}.

"""


def turns(contestants: Mapping[str, Callable[[], Any]], quick: bool) -> dict[str, float]:
    """Best seconds of processor time of one run of each contestant; a turn is many runs, and results must be equal."""
    answers = [run() for run in contestants.values()]
    assert all(answer == answers[0] for answer in answers), f"contestants disagree: {list(contestants)}"
    best = dict.fromkeys(contestants, float("inf"))
    for _ in range(ROUNDS // 10 if quick else ROUNDS):
        for name, run in contestants.items():
            run()  # otherwise the next contestant would pay for caches that pydicom filled
            start = thread_time()
            for _ in range(RUNS):
                run()
            best[name] = min(best[name], (thread_time() - start) / RUNS)
    return best


def ct_header() -> tuple[bytes, bytes]:
    """A file without pixel data, and its data set alone."""
    path = next(path for path in real_files() if path.name == "CT_small.dcm")
    ds = dc.dcmread(path, stop_before_pixels=True)[:PIXEL_DATA]
    ds.file_meta = dc.dcmread(path).file_meta
    return ds.to_bytes(), encoding.encode(ds, "explicit")


def decoding(quick: bool, folder: Path) -> list[Row]:
    file, body = ct_header()
    path = folder / "received"
    path.write_bytes(AROUND + body + AROUND)
    name = {
        OURS: lambda: str(encoding.decode(body, "explicit").PatientName),
        "dcmread of the file's bytes": lambda: str(dc.dcmread(file).PatientName),
        "pydicom.read_dataset": lambda: str(read_dataset(io.BytesIO(body), False, True).PatientName),
    }
    row = Row("decode a CT header from memory", turns(name, quick), unit="data set")
    row.at_most(1, "× dcmread of the file's bytes", row.seconds[OURS] / row.seconds["dcmread of the file's bytes"])
    alone = folder / "alone"
    alone.write_bytes(file)
    place = {
        OURS: lambda: str(encoding.decode(path, "explicit", offset=len(AROUND), length=len(body)).PatientName),
        "dcmread of the file": lambda: str(dc.dcmread(alone).PatientName),
    }
    where = Row("decode it amid a file", turns(place, quick), unit="data set")
    where.at_most(1.1, "× dcmread of the file", where.seconds[OURS] / where.seconds["dcmread of the file"])
    return [row, where]


def by_pydicom(ds: Any) -> bytes:
    stream = DicomBytesIO()
    stream.is_implicit_VR, stream.is_little_endian = False, True
    write_dataset(stream, ds)
    return stream.getvalue()


def encoded(quick: bool) -> list[Row]:
    file, body = ct_header()
    ds, whole = encoding.decode(body, "explicit"), dc.dcmread(file)
    theirs = read_dataset(io.BytesIO(body), False, True)
    head = len(file) - len(body)
    unchanged = {
        OURS: lambda: encoding.encode(ds, "explicit"),
        "to_bytes of the file": lambda: whole.to_bytes(enforce_standard=False)[head:],
        "pydicom.write_dataset": lambda: by_pydicom(theirs),
    }
    row = Row("encode it, nothing changed", turns(unchanged, quick), unit="data set")
    row.at_most(1, "× to_bytes of the file", row.seconds[OURS] / row.seconds["to_bytes of the file"])
    for one in (ds, whole):
        one.PatientID = "A1B2"
    theirs.PatientID = "A1B2"
    changed = {
        OURS: lambda: encoding.encode(ds, "explicit"),
        "to_bytes of the file": lambda: whole.to_bytes(enforce_standard=False)[head:],
        "pydicom.write_dataset": lambda: by_pydicom(theirs),
    }
    again = Row("encode it, an element changed", turns(changed, quick), unit="data set")
    again.at_most(1, "× to_bytes of the file", again.seconds[OURS] / again.seconds["to_bytes of the file"])
    converted = {
        OURS: lambda: encoding.encode(ds, "big-endian"),
        "to_bytes of the file": lambda: whole.to_bytes(enforce_standard=False, transfer_syntax="big-endian")[head:],
    }
    big = Row("encode it in big endian", turns(converted, quick), unit="data set")
    big.at_most(1, "× to_bytes of the file", big.seconds[OURS] / big.seconds["to_bytes of the file"])
    return [row, again, big]


def commands(quick: bool) -> list[Row]:
    ds = dc.Dataset()
    ds.AffectedSOPClassUID, ds.AffectedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    ds.CommandField, ds.MessageID, ds.Priority, ds.CommandDataSetType = 1, 7, 0, 1
    data = encoding.encode_command(ds)
    read = {
        OURS: lambda: encoding.decode_command(data).MessageID,
        "pydicom.read_dataset": lambda: read_dataset(io.BytesIO(data), True, True).MessageID,
    }
    theirs = read_dataset(io.BytesIO(data), True, True)

    def write() -> bytes:
        stream = DicomBytesIO()
        stream.is_implicit_VR, stream.is_little_endian = True, True
        write_dataset(stream, theirs)
        return stream.getvalue()

    written = {OURS: lambda: encoding.encode_command(ds), "pydicom.write_dataset, length given": write}
    return [
        Row("decode a command set", turns(read, quick), unit="command"),
        Row("encode a command set", turns(written, quick), unit="command"),
    ]


def rows(quick: bool = False) -> list[Row]:
    """All rows of the table."""
    with tempfile.TemporaryDirectory() as folder:
        return [*decoding(quick, Path(folder)), *encoded(quick), *commands(quick)]


def main() -> None:
    quick = "--quick" in sys.argv
    about = machine(["pydicom"])
    elements = len(encoding.decode(ct_header()[1], "explicit"))
    table = HEAD.format(**about, elements=elements, pydicom=about["versions"]["pydicom"]) + markdown(rows(quick))
    print(table)
    if not quick:
        (HERE / "encoding.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
