"""Memory doesn't grow however often files are read, decoded and written; each kind of work has its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pydicom = pytest.importorskip("pydicom")
pytestmark = pytest.mark.thread_unsafe(reason="processes of their own")

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
MOST_GROWTH = 1 << 20
"""Bytes that a run may leave behind: under 105 a turn of the long one."""

PREPARE = """
import ctypes, gc, os, random, resource, sys, tempfile
from pathlib import Path
import numpy as np
import dicomcore as dc

turns, files = int(sys.argv[1]), Path(sys.argv[2])
libc = ctypes.CDLL(None)

def resident():
    gc.collect()
    libc.malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

def named(*names):
    return [(files / name).read_bytes() for name in names]

def grow(run, items):
    for turn in range(max(200, turns // 10)):
        run(items[turn % len(items)], turn)
    before = resident()
    for turn in range(turns):
        run(items[turn % len(items)], turn)
    print(resident() - before)
"""

SMALL = '"rtplan.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm", "reportsi.dcm", "UN_sequence.dcm"'
KINDS = {
    "reading": f"""
def run(data, turn):
    read = dc.dcmread(data, force=True)
    for element in read.iterall():
        element.value, element.array
    read.copy(), str(read) if turn % 16 == 0 else None
grow(run, named({SMALL}))
""",
    "reading paths": f"""
def run(path, turn):
    read = dc.dcmread(path, force=True)
    read.get("PatientName"), read.issues, len(read)
    dc.scan(path, force=True)
grow(run, [files / name for name in ({SMALL})])
""",
    "writing": f"""
def run(data, turn):
    read = dc.dcmread(data, force=True)
    read.PatientName = f"Name^{{turn}}"
    read.to_bytes(enforce_standard=False)
    dc.Dataset.from_json(read.to_json())
    if turn % 16 == 0:
        dc.Dataset.from_xml(read.to_xml())
grow(run, named({SMALL}))
""",
    "damage": """
rng = random.Random(1)
def run(data, turn):
    made = bytearray(data)
    for _ in range(4):
        made[rng.randrange(min(len(made), 3000))] = rng.randrange(256)
    try:
        read = dc.dcmread(bytes(made[:rng.randrange(200, len(made))]), force=True)
        for element in read.iterall():
            element.value
        read.pixel_array
    except (dc.DicomError, AttributeError):
        pass
grow(run, named("rtplan.dcm", "MR_small_RLE.dcm", "reportsi.dcm"))
""",
    "own codecs": """
from dicomcore import codecs
picture = np.arange(24 * 31, dtype=np.uint16).reshape(24, 31) % 1000
def run(kind, turn):
    if kind == "rle":
        coded = codecs.rle_encode(picture)
        codecs.rle_decode(coded, rows=24, columns=31, samples_per_pixel=1, bits_allocated=16)
    elif kind == "jpeg":
        coded = codecs.jpeg_lossless_encode(picture, selection_value=1 + turn % 7)
        codecs.jpeg_lossless_decode(coded)
    else:
        coded = codecs.jpeg_lossless_encode(picture)[: turn % 300]
        try:
            codecs.jpeg_lossless_decode(coded)
        except dc.DicomError:
            pass
grow(run, ["rle", "jpeg", "damaged"])
""",
    "frames": """
def run(data, turn):
    read = dc.dcmread(data)
    read.pixel_array
    read.frames.render(0)
grow(run, named("MR_small_RLE.dcm", "SC_rgb_small_odd.dcm", "MR_small_jp2klossless.dcm",
                "MR_small_jpeg_ls_lossless.dcm"))
""",
    "deflate": """
def run(data, turn):
    read = dc.dcmread(data)
    read.to_bytes(transfer_syntax="1.2.840.10008.1.2.1.99", enforce_standard=False)
    dc.dcmread(data[: 340 + turn % 3000], force=True).get("PatientName")
grow(run, named("image_dfl.dcm"))
""",
    "json": f"""
def run(data, turn):
    read = dc.dcmread(data, force=True)
    text = read.to_json(bulk_data_element_handler=lambda element: "a:b")
    dc.Dataset.from_json(text if turn % 4 else text[: len(text) // 2] + "}}") if turn % 8 else read.to_json_dict()
def calm(data, turn):
    try:
        run(data, turn)
    except dc.DicomError:
        pass
grow(calm, named({SMALL}))
""",
    "xml": f"""
def run(data, turn):
    text = dc.dcmread(data, force=True).to_xml()
    dc.Dataset.from_xml(text)
    try:
        dc.Dataset.from_xml(text[: len(text) // 2])
    except dc.DicomError:
        pass
grow(run, named({SMALL}))
""",
    "patching": f"""
with tempfile.TemporaryDirectory() as folder:
    paths = []
    for number, data in enumerate(named({SMALL})):
        paths.append(Path(folder, str(number)))
        paths[-1].write_bytes(data)
    def run(path, turn):
        dc.patch(path, {{"PatientID": str(turn % 7) * (1 + turn % 9)}}, durable=False)
        dc.dcmwrite(path, dc.dcmread(path), enforce_standard=False, durable=False)
    grow(run, paths)
""",
    "file-sets": """
def run(name, turn):
    found = dc.FileSet(files / "dicomdirtests" / name)
    found.find(Modality="CT"), found.find_values("PatientID"), found.to_bytes()
    made = dc.FileSet()
    made.add(files / "CT_small.dcm")
    made.to_bytes()
grow(run, ["DICOMDIR", "DICOMDIR-implicit"])
""",
    "structured reports": """
from dicomcore import sr
def run(data, turn):
    report = sr.read(dc.dcmread(data))
    report.outline(), sr.html(report.root)
    sr.read(report.write()).write().to_bytes(enforce_standard=False)
grow(run, named("test-SR.dcm", "reportsi.dcm"))
""",
    "transcoding": """
def run(to, turn):
    dc.transcode(data, bytearray(), to, verify=turn % 4 == 0)
[data] = named("SC_rgb_small_odd.dcm")
grow(run, ["implicit", "big-endian", "deflated", "deflated-frames", "encapsulated", "rle", "jpeg-lossless", "jpeg-ls",
           "1.2.840.10008.1.2.4.90", "htj2k"])
""",
    "indexing": """
import pyarrow as pa
from dicomcore import archive
pa.set_memory_pool(pa.system_memory_pool())
with tempfile.TemporaryDirectory() as folder:
    for number, data in enumerate(named("rtplan.dcm", "MR_small.dcm", "image_dfl.dcm", "reportsi.dcm", "README.txt",
                                        "MR_small_RLE.dcm", "rtplan_truncated.dcm")):
        Path(folder, str(number)).write_bytes(data)
    def run(level, turn):
        assert archive.index(folder, level=level, workers=1 + turn % 2).num_rows > 5
    grow(run, ["file", "frame", "file"])
""",
    "pydicom": """
def run(data, turn):
    dc.from_pydicom(dc.dcmread(data).to_pydicom()).to_bytes(enforce_standard=False)
grow(run, named("rtplan.dcm", "MR_small.dcm", "reportsi.dcm"))
""",
    "isolated": """
limits = dc.Limits(isolate=True)
def run(data, turn):
    dc.dcmread(data, limits=limits).pixel_array
grow(run, named("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"))
""",
}

SYNTAXES = {
    "own RLE": "rle",
    "own JPEG Lossless": "jpeg-lossless",
    "deflated frames": "deflated-frames",
    "JPEG Baseline": "jpeg",
    "JPEG Extended": "jpeg-extended",
    "JPEG-LS Lossless": "jpeg-ls",
    "JPEG-LS Near-Lossless": "1.2.840.10008.1.2.4.81",
    "JPEG 2000 Lossless": "1.2.840.10008.1.2.4.90",
    "JPEG 2000": "1.2.840.10008.1.2.4.91",
    "HTJ2K Lossless": "htj2k",
    "HTJ2K": "1.2.840.10008.1.2.4.203",
    "JPEG XL Lossless": "jpeg-xl",
    "JPEG XL": "1.2.840.10008.1.2.4.112",
}
CODECS = {
    f"{name} {what}": f"""
[data] = named("SC_rgb_small_odd.dcm")
coded = bytearray()
dc.transcode(data, coded, {to!r})
def decode(coded, turn):
    read = dc.dcmread(coded)
    read.pixel_array
    if turn % 4 == 0:
        damaged = bytearray(coded)
        damaged[-20 - turn % 200] ^= 1 << turn % 8
        try:
            dc.dcmread(damaged).frames[0]
        except dc.DicomError:
            pass
def encode(data, turn):
    dc.transcode(data, bytearray(), {to!r})
grow({what}, [bytes(coded) if {what!r} == "decode" else data])
"""
    for name, to in SYNTAXES.items()
    for what in ("decode", "encode")
}
"""Each codec alone; only in the long run: the short one has them all in a few kinds."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for the resident memory")
@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays(kind: str):
    assert growth(KINDS[kind], 400) < MOST_GROWTH


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for the resident memory")
@pytest.mark.long
@pytest.mark.parametrize("kind", [*KINDS, *CODECS])
def test_memory_stays_over_ten_thousand(kind: str):
    grown = growth({**KINDS, **CODECS}[kind], 10_000)
    print(f"{kind}: {grown >> 10} KiB")
    assert grown < MOST_GROWTH


def growth(code: str, turns: int) -> int:
    """Growth of resident memory in bytes after `turns` repetitions, in a process of their own."""
    said = subprocess.run(
        [sys.executable, "-c", PREPARE + code, str(turns), str(FILES)],
        capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-2000:]
    return int(said.stdout)
