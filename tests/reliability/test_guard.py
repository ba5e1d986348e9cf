"""Kernels with input and output that end right before an inaccessible page of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# Runs in a process of its own, which a read beyond the end kills. `guarded` puts bytes before an inaccessible page.
PREPARE = """
import base64, ctypes, itertools, json, mmap, struct, sys
import numpy as np
import dicomcore as dc
from dicomcore import codecs
from dicomcore._native.pixels import blend, colour, jpegdct, lut, planes, resample, unpack
from dicomcore._native.bulk import digest, stat
from dicomcore._native.jpegll import codec as jpegll, tail as jpegll_tail
from dicomcore._native.base import number, swap

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

def words(count, kind):
    return guarded(bytes(count * struct.calcsize(kind))).cast(kind)

def image_of(values):
    return np.frombuffer(guarded(values.tobytes()), values.dtype).reshape(values.shape)

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
    for planar in (False, True)[: image.ndim - 1]:
        image = np.ascontiguousarray(np.moveaxis(image, 2, 0)) if planar else image
        coded = codecs.rle_encode(image_of(image), planar=planar)
        options = dict(rows=shape[0], columns=shape[1], samples_per_pixel=(*shape, 1)[2], planar=planar)
        options["bits_allocated"] = 8 * image.itemsize
        out = guarded(bytes(image.nbytes))
        codecs.rle_decode(guarded(coded), out=out, **options)
        assert bytes(out) == image.tobytes()
        for cut in range(0, len(coded), 3):
            for partial in (False, True):
                out = guarded(bytes(image.nbytes))
                attempt(codecs.rle_decode, guarded(coded[:cut]), out=out, partial=partial, **options)
            held.clear()
""",
    "jpeg lossless": """
for shape, dtype in (((9, 31), "u1"), ((40, 64), "u2"), ((7, 5, 3), "u1"), ((1, 300), "u2")):
    image = rng.integers(0, 200, shape).astype(dtype)
    for selection in (1, 4, 7):
        coded = codecs.jpeg_lossless_encode(image_of(image), selection_value=selection)
        out = guarded(bytes(image.nbytes))
        codecs.jpeg_lossless_decode(guarded(coded), out=out)
        assert bytes(out) == image.tobytes()
        for cut in range(0, len(coded), 7):
            attempt(codecs.jpeg_lossless_info, guarded(coded[:cut]))
            attempt(codecs.jpeg_lossless_decode, guarded(coded[:cut]), out=guarded(bytes(image.nbytes)), partial=True)
            held.clear()
""",
    "jpeg lossless, every small shape": """
for *shape, kind in itertools.product((1, 2, 5, 6), (1, 2, 3, 4, 5, 9), (1, 2, 3, 4), ("u1", "u2")):
    image = rng.integers(0, 200, shape).astype(kind)
    for selection in range(1, 8):
        coded = codecs.jpeg_lossless_encode(image_of(image), selection_value=selection)
        out = guarded(bytes(image.nbytes))
        codecs.jpeg_lossless_decode(guarded(coded), out=out)
        assert bytes(out) == image.tobytes()
        for cut in (len(coded) - 3, len(coded) - 5):
            attempt(codecs.jpeg_lossless_decode, guarded(coded[:cut]), out=guarded(bytes(image.nbytes)), partial=True)
        held.clear()
""",
    "scan": """
data = open(sys.argv[1] + "test_files/rtplan.dcm", "rb").read()
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
data = open(sys.argv[1] + "test_files/rtplan.dcm", "rb").read()
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
    "jpeg lossless, components apart and on two threads": """
image = rng.integers(0, 200, (90, 70, 3)).astype("u1")
coded = codecs.jpeg_lossless_encode(image)
for cut in (*range(0, len(coded), len(coded) // 60), len(coded)):
    out = guarded(bytes(image.nbytes))
    attempt(jpegll.decode_frame, guarded(coded[:cut]), out, 1, True, cut % 2 == 0)
    held.clear()
assert bytes(out) == np.moveaxis(image, 2, 0).tobytes()
image = (rng.integers(0, 9, (700, 500)).cumsum(1) % 4000).astype("u2")
for selection in (1, 6):
    coded = codecs.jpeg_lossless_encode(image, selection_value=selection)
    whole = guarded(bytes(image.nbytes))
    for cut in (*range(len(coded) // 3, len(coded), len(coded) // 20), len(coded)):
        tail = jpegll_tail.Tail(guarded(coded[:cut]))
        out = guarded(bytes(image.nbytes))
        if tail:
            attempt(jpegll_tail.decode_frame, tail, out, 2, tail.run, True)
    assert tail
    assert bytes(out) == image.tobytes()
    del tail
    held.clear()
""",
    "scans of a JPEG by DCT": """
from io import BytesIO
from PIL import Image
image = (rng.integers(0, 40, (75, 50, 3)).cumsum(1) % 256).astype("u1")
for progressive, blocks in ((False, 0), (True, 0), (False, 3), (True, 2)):
    options = {"progressive": progressive, "restart_marker_blocks": blocks}
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=95, **options)
    coded = file.getvalue()
    for cut in (*range(1, len(coded), 11), len(coded)):
        damaged = bytearray(coded[:cut])
        jpegdct.count_mcus(guarded(damaged))
        for place in rng.integers(0, cut, 3):
            damaged[place] = rng.integers(256)
        done, due, _ = jpegdct.count_mcus(guarded(damaged))
        assert 0 <= done <= due
        held.clear()
    done, due, ended = jpegdct.count_mcus(guarded(coded))
    assert done == due > 0 and ended
""",
    "encodings": """
for name in ("rtplan.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "reportsi.dcm", "UN_sequence.dcm",
             "image_dfl.dcm", "chrH31.dcm", "chrX2.dcm", "chrGerm.dcm", "chrKoreanMulti.dcm", "chrSQEncoding1.dcm"):
    folder = "charset_files/" if name.startswith("chr") else "test_files/"
    with open(sys.argv[1] + folder + name, "rb") as file:
        data = file.read(4000)
    for cut in range(132, len(data) + 1, 41):
        given = guarded(data[:cut])
        attempt(dc.scan, given, force=True)
        read = attempt(dc.dcmread, given, force=True)
        if read is not None:
            [(element.value, element.array) for element in read.iterall()]
            read.to_json(bulk_data_element_handler=lambda element: "a:b"), str(read)
        held.clear()
""",
    "last values": """
fills = (b"1", b"0.5e-3" + bytes([92]), bytes([255]), bytes([27]) + b"$B^=", b"12345678^", bytes(2), b" ")
terms = b"ISO 2022 IR 6" + bytes([92]) + b"ISO 2022 IR 87"
vrs = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
for vr in vrs.split():
    wide = vr in ("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV")
    for n in (*range(12), 16, 17, 40):
        for fill in fills:
            value = (fill * 40)[:n]
            for end in "<", ">":
                head = struct.pack(end + "HH2s" + ("xxI" if wide else "H"), 0x9, 0x1001, vr.encode(), n)
                charset = struct.pack(end + "HH2sH", 8, 5, b"CS", len(terms)) + terms
                read = attempt(dc.dcmread, guarded(charset + head + value), force=True)
                if read is None:
                    continue
                for element in read.iterall():
                    attempt(lambda: (element.value, element.array))
                attempt(read.to_json)
                attempt(read.to_bytes, transfer_syntax="1.2.840.10008.1.2.1", enforce_standard=False)
            held.clear()
""",
    "values to write": """
for vr, width in (("OB", 1), ("OW", 2), ("OL", 4), ("OF", 4), ("OV", 8), ("OD", 8), ("UN", 1)):
    for n in (*range(0, 12), 4096):
        for end in ("", ".1", ".2"):
            made = dc.Dataset()
            made.add_new(0x00091001, vr, guarded(bytes(width * n)))
            attempt(made.to_bytes, transfer_syntax="1.2.840.10008.1.2" + end, enforce_standard=False)
        held.clear()
for n in range(0, 40):
    for start in (b"\\xfe\\xff\\x00\\xe0" + bytes(4), b""):
        for ending in (b"\\xfe\\xff\\xdd\\xe0" + bytes(4), b""):
            made = dc.Dataset()
            made.add_new(0x7FE00010, "OB", guarded(start + bytes(n) + ending))
            attempt(made.to_bytes, transfer_syntax="1.2.840.10008.1.2.5", enforce_standard=False)
    held.clear()
""",
    "native frames": """
for name in ("MR_small.dcm", "MR_small_bigendian.dcm", "SC_rgb_small_odd.dcm", "SC_rgb_small_odd_big_endian.dcm",
             "liver_1frame.dcm", "liver_expb_1frame.dcm", "SC_ybr_full_422_uncompressed.dcm",
             "ExplVR_BigEnd.dcm", "rtdose_1frame.dcm"):
    with open(sys.argv[1] + "test_files/" + name, "rb") as file:
        data = file.read()
    whole = dc.dcmread(data)
    expected = whole.frames.array()
    start, length = whole[0x7FE00010].offset, whole[0x7FE00010].length
    for cut in (start + length, start + length - 1, start + length // 2, start + 5):
        for workers in (1, 2):
            read = dc.dcmread(guarded(data[:cut]))
            out = np.frombuffer(guarded(bytes(expected.nbytes)), expected.dtype).reshape(expected.shape)
            got = attempt(read.frames.array, out=out, workers=workers)
            assert got is None or cut < start + length or (got == expected).all()
            for index in range(len(read.frames)):
                attempt(read.frames.decode, index, raw=True)
            del got, out, read
        held.clear()
""",
    "hashes": """
for n in range(1, 40):
    lengths = rng.integers(0, 30, n)
    starts = words(n + 1, "i")
    for i in range(n):
        starts[i + 1] = starts[i] + int(lengths[i])
    text, out = guarded(rng.bytes(starts[n])), words(n, "Q")
    digest.digest_texts(text, starts, out, 1, 2)
    met, marks = digest.Met(), guarded(bytes(n))
    met.mark(text, starts, marks)
    assert len(met) == len({bytes(text[starts[i]:starts[i + 1]]) for i in range(n)} - {b""})
    stat.survey([sys.argv[1]] * n, words(n, "Q"), words(n, "q"), words(n, "q"), 1, 2)
    for short in range(3):
        rooms = [n - (short == one) for one in range(3)]
        try:
            stat.survey(["a"] * n, words(rooms[0], "Q"), words(rooms[1], "q"), words(rooms[2], "q"), 1, 2)
        except ValueError:
            pass
        else:
            raise AssertionError("no room, no error")
    held.clear()
""",
    "blending": """
for n in (*range(1, 40), 1023):
    blend.foreground(guarded(bytes(4 * n)), guarded(b"\\xff" * (4 * n)), guarded(bytes(4 * n)), 0.3)
    blend.accumulate(guarded(b"\\xff" * (4 * n)), words(4 * n, "H"))
    blend.equal(words(4 * n, "H"), guarded(bytes(4 * n)))
    blend.drop_opacity(guarded(bytes(4 * n)), guarded(bytes(3 * n)))
    held.clear()
""",
    "scaling": """
for trial in range(1500):
    high, wide, rows, columns = (int(number) for number in rng.integers(1, 20, 4))
    samples, size = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    left, top = rng.normal(0, wide), rng.normal(0, high)
    box = left, top, left + abs(rng.normal(0, wide)) + 1e-3, top + abs(rng.normal(0, high)) + 1e-3
    source, target = guarded(bytes(high * wide * samples * size)), guarded(bytes(rows * columns * samples * size))
    resample.resample(source, high, wide, samples, size, target, rows, columns, *map(float, box))
    held.clear()
""",
    "segmented tables": """
for trial in range(3000):
    n = int(rng.integers(1, 14))
    coded = words(n, "H")
    for i in range(n):
        coded[i] = int(rng.integers(0, 5) if rng.random() < 0.8 else rng.integers(0, 1 << 16))
    attempt(lut.expand_segments, coded, 1 + trial % 2, words(int(rng.integers(1, 60)), "H"))
    held.clear()
""",
    "widths": """
for n in (*range(1, 40), 1023):
    for width in (1, 2, 4, 8):
        swap.swap_words(guarded(bytes(width * n)), guarded(bytes(width * n)), width) if width > 1 else None
        for samples in (2, 3, 4):
            size = samples * width * n
            planes.interleave(guarded(bytes(size)), guarded(bytes(size)), samples, width)
            planes.separate(guarded(bytes(size)), guarded(bytes(size)), samples, width)
    for planar in (False, True):
        for plain in (False, True):
            colour.ybr_full_to_rgb(guarded(bytes(3 * n)), guarded(bytes(3 * n)), planar, plain)
    lut.window(words(n, "d"), words(n, "d"), 5.0, 9.0, 0.0, 255.0, True)
    for bits in range(1, 33):
        for start in range(8):
            unpack.unpack_cells(guarded(bytes(-(-(bits * n + start) // 8))), words(n, "I"), bits, start)
        held.clear()
    for start in range(8):
        unpack.unpack_bits(guarded(bytes(-(-(n + start) // 8))), guarded(bytes(n)), start)
        held.clear()
""",
}


def run(code: str) -> subprocess.CompletedProcess[str]:
    pydicom = pytest.importorskip("pydicom")
    return subprocess.run(
        [sys.executable, "-c", PREPARE + code + "print('good')", f"{Path(pydicom.__file__).parent / 'data'}/"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux for the page"),
    pytest.mark.thread_unsafe(reason="processes of their own"),
]


@pytest.mark.parametrize("case", CASES)
def test_kernels_touch_nothing_beyond_the_end(case: str):
    said = run(CASES[case])
    assert said.stdout == "good\n", f"exit code {said.returncode}\n{said.stderr[-2000:]}"


@pytest.mark.parametrize("size", [1, 4096])
def test_an_access_beyond_the_end_ends_the_process(size: int):
    said = run(f"view = np.frombuffer(guarded(bytes({size})), 'u1'); ctypes.string_at(view.ctypes.data, {size + 1})")
    assert said.returncode != 0
    assert not said.stdout
    assert "Traceback" not in said.stderr
