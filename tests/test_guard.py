"""Kernels on input and into output that end where memory ends: a byte further is a page that can't be touched."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# In a process of its own: a read too far ends it. `guarded` puts bytes right before a page without any rights.
PREPARE = """
import base64, ctypes, json, mmap, struct, sys
import numpy as np
import dicomcore as dc
from dicomcore import codecs
from dicomcore._native import colour, lut, number, planes, swap, unpack

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
    "cells and tables": """
def words(count, kind):
    return guarded(bytes(count * struct.calcsize(kind))).cast(kind)

for n in (*range(1, 70), 255, 4097):
    unpack.pack_bits(guarded(bytes(n)), guarded(bytes(-(-n // 8))))
    unpack.unpack_12(guarded(bytes(-(-12 * n // 8))), words(n, "H"))
    unpack.unpack_12(guarded(bytes(-(-(12 * n + 4) // 8))), words(n, "H"), 4)
    unpack.unpack_24(guarded(bytes(3 * n)), words(n, "I"))
    for bits in (1, 5, 13, 31, 32):
        unpack.unpack_cells(guarded(bytes(-(-(bits * n + 3) // 8))), words(n, "I"), bits, 3)
    for width in (1, 2, 4, 8):
        unpack.extend_samples(guarded(bytes(width * n)), width, 2, 5, True)
        unpack.extract_bit(guarded(bytes(width * n)), guarded(bytes(n)), width, 7)
    for width, size in ((1, 3), (2, 1), (2, 6), (4, 8), (2, 2)):
        table = guarded(bytes(7 * {3: 4, 6: 8}.get(size, size)))
        lut.lookup(guarded(b"\\xff" * (width * n)), width, False, table, 3, guarded(bytes(size * n)), size)
    lut.rescale(words(n, "d"), words(n, "d"), 2.0, 1.0)
    lut.window(words(n, "d"), words(n, "d"), 5.0, 9.0, 0.0, 255.0)
    lut.to_bytes(words(n, "d"), guarded(bytes(n)))
    planes.separate(guarded(bytes(3 * n)), guarded(bytes(3 * n)), 3, 1)
    colour.rgb_to_ybr_full(guarded(bytes(3 * n)), guarded(bytes(3 * n)))
    colour.ybr_partial_to_rgb(guarded(bytes(3 * n)), guarded(bytes(3 * n)))
    colour.ybr_full_to_rgb_deep(words(3 * n, "H"), words(3 * n, "H"), 12)
    colour.ybr_rct_to_rgb(words(3 * n, "i"), words(3 * n, "i"))
    held.clear()
""",
    "numbers": """
slash = bytes([0x5C])
texts = (b"1.5", b"-2e3", b" 7 ", b"123456789012.5", b"", b"+45", b"2147483647 ", b"1e", b"-", b"1234567890123456")
texts += (slash.join(texts), 4 * slash)
for text in texts:
    for cut in range(1, len(text) + 1):
        for read in (number.decimals, number.integers, number.decimal, number.integer):
            try:
                read(guarded(text[:cut]))
            except (ValueError, OverflowError):
                pass
        held.clear()
""",
    "writing": """
data = open(sys.argv[1], "rb").read()
data = data[:2400]
forms = [{}, {"transfer_syntax": "1.2.840.10008.1.2"}, {"transfer_syntax": "1.2.840.10008.1.2.2"}]
for cut in (*range(700, len(data), 23), len(data)):
    read = attempt(dc.dcmread, guarded(data[:cut]), force=True)
    if read is None:
        continue
    for options in forms:
        attempt(read.to_bytes, **options)
    attempt(read.to_json)
    attempt(read.to_xml)
    read.PatientName = "changed"
    attempt(read.to_bytes)
    held.clear()
""",
    "base64": """
for n in (*range(0, 100, 2), *range(370, 400, 2), *range(760, 780, 2), 4096, 5000):
    value = rng.bytes(n)
    for vr, form in ((b"OB", "<HH2sHI"), (b"OW", "<HH2sHI")):
        read = dc.dcmread(guarded(struct.pack(form, 0x42, 0x11, vr, 0, n) + value), force=True)
        inline = json.loads(read.to_json())["00420011"].get("InlineBinary", "")
        assert inline == base64.b64encode(value).decode()
        held.clear()
""",
    "many frames": """
for ends, encode in (("5", codecs.rle_encode), ("4.70", codecs.jpeg_lossless_encode)):
    image = rng.integers(0, 3, (9, 31)).astype("u2")
    coded = encode(image)
    coded += bytes(len(coded) % 2)
    item = b"\\xfe\\xff\\x00\\xe0" + struct.pack("<I", len(coded)) + coded
    plain = struct.pack("<HH2sHH", 0x28, 2, b"US", 2, 1) + struct.pack("<HH2sH", 0x28, 4, b"CS", 12) + b"MONOCHROME2 "
    plain += struct.pack("<HH2sH", 0x28, 8, b"IS", 2) + b"6 "
    for element, value in ((0x10, 9), (0x11, 31), (0x100, 16), (0x101, 16), (0x102, 15), (0x103, 0)):
        plain += struct.pack("<HH2sHH", 0x28, element, b"US", 2, value)
    meta = b"1.2.840.10008.1.2." + ends.encode()
    meta += bytes(len(meta) % 2)
    data = bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"UI", len(meta)) + meta + plain
    data += struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + b"\\xfe\\xff\\x00\\xe0" + bytes(4) + 6 * item
    for cut in (*range(len(data) - 2 * len(item), len(data), 3), len(data)):
        frames = attempt(lambda: dc.dcmread(guarded(data[:cut])).frames)
        if frames is None:
            continue
        out = guarded(bytes(frames.description.samples * 2 * len(frames)))
        got = attempt(frames.array, out=np.frombuffer(out, "u2").reshape(-1, 9, 31), workers=1)
        assert cut < len(data) or (got == image).all()
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
