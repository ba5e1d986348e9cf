"""Memory stays what it is however often files are read, decoded and written; a process for each kind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pydicom = pytest.importorskip("pydicom")
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
    "isolated": """
limits = dc.Limits(isolate=True)
def run(data, turn):
    dc.dcmread(data, limits=limits).pixel_array
grow(run, named("MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"))
""",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for the resident memory")
@pytest.mark.parametrize("turns", [400, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays(kind: str, turns: int):
    said = subprocess.run(
        [sys.executable, "-c", PREPARE + KINDS[kind], str(turns), str(FILES)],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr[-2000:]
    assert int(said.stdout) < MOST_GROWTH
