"""Kernels on input and into output that end where memory ends: a byte further is a page that can't be touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: a read too far ends it. `guarded` puts bytes right before a page without any rights.
PREPARE = """
import ctypes, mmap, sys
import numpy as np
import dicomcore as dc
from dicomcore import codecs
from dicomcore._native import colour, planes, swap, unpack

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
held = []

def guarded(data):
    data = bytes(data)
    size = -(-max(len(data), 1) // PAGE) * PAGE
    area = mmap.mmap(-1, size + PAGE)
    held.append(area)
    start = ctypes.addressof(ctypes.c_char.from_buffer(area))
    assert libc.mprotect(start + size, PAGE, 0) == 0
    view = memoryview(area)[size - len(data):size]
    view[:] = data
    return view

def attempt(run, *given, **options):
    try:
        return run(*given, **options)
    except dc.DicomError:
        return None

rng = np.random.default_rng(3)
"""

CASES = {
    "rle": """
for shape, dtype in (((9, 31), "u1"), ((16, 64), "u2"), ((7, 5, 3), "u1"), ((5, 33), "u4")):
    image = rng.integers(0, 3, shape).astype(dtype)
    coded = codecs.rle_encode(guarded(image.tobytes()) and image)
    options = dict(rows=shape[0], columns=shape[1], samples_per_pixel=(*shape, 1)[2], bits_allocated=8 * image.itemsize)
    out = guarded(bytes(image.nbytes))
    codecs.rle_decode(guarded(coded), out=out, **options)
    assert bytes(out) == image.tobytes()
    for cut in range(0, len(coded), 3):
        attempt(codecs.rle_decode, guarded(coded[:cut]), out=guarded(bytes(image.nbytes)), **options)
        held.clear()
""",
    "jpeg lossless": """
for shape, dtype in (((9, 31), "u1"), ((40, 64), "u2"), ((7, 5, 3), "u1"), ((1, 300), "u2")):
    image = rng.integers(0, 200, shape).astype(dtype)
    for selection in (1, 4, 7):
        coded = codecs.jpeg_lossless_encode(image, selection_value=selection)
        out = guarded(bytes(image.nbytes))
        codecs.jpeg_lossless_decode(guarded(coded), out=out)
        assert bytes(out) == image.tobytes()
        for cut in range(0, len(coded), 7):
            attempt(codecs.jpeg_lossless_decode, guarded(coded[:cut]), out=guarded(bytes(image.nbytes)), partial=True)
            held.clear()
""",
    "scan": """
data = open(sys.argv[1], "rb").read()
data = data[:3000]
for cut in range(132, len(data), 5):
    read = attempt(dc.dcmread, guarded(data[:cut]), force=True)
    if read is not None:
        [(element.value, element.array) for element in read.iterall()]
    held.clear()
""",
    "samples": """
for n in (*range(1, 70), 255, 4097):
    swap.swap_words(guarded(bytes(2 * n)), guarded(bytes(2 * n)), 2)
    swap.swap_words(guarded(bytes(4 * n)), guarded(bytes(4 * n)), 4)
    colour.ybr_full_to_rgb(guarded(bytes(3 * n)), guarded(bytes(3 * n)))
    colour.spread_422(guarded(bytes(4 * n)), guarded(bytes(6 * n)))
    planes.interleave(guarded(bytes(3 * n)), guarded(bytes(3 * n)), 3, 1)
    planes.interleave(guarded(bytes(6 * n)), guarded(bytes(6 * n)), 3, 2)
    unpack.unpack_bits(guarded(bytes(-(-n // 8))), guarded(bytes(n)), 0)
    unpack.unpack_bits(guarded(bytes(-(-(n + 5) // 8))), guarded(bytes(n)), 5)
    held.clear()
""",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for the page")
@pytest.mark.parametrize("case", CASES)
def test_nothing_beyond_the_end_is_touched(case: str):
    pydicom = pytest.importorskip("pydicom")
    path = Path(pydicom.__file__).parent / "data" / "test_files" / "rtplan.dcm"
    said = subprocess.run(
        [sys.executable, "-c", PREPARE + CASES[case] + "print('good')", str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.stdout == "good\n", f"exit code {said.returncode}\n{said.stderr[-2000:]}"
