"""The bytes that the scanner reads of a file: of large values only the headers, and no more than needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import dicomcore as dc
from tests.support import dicom_bytes as raw

AFTER = raw.element(0x00100010, "PN", b"A^B ")


# ---- large files -------------------------------------------------------------------------------------------------


@pytest.fixture
def sparse(tmp_path: Path):
    """Make a sparse file of parts: bytes, or a number of bytes to skip."""

    def make(*parts: bytes | int) -> Path:
        path = tmp_path / "large.dcm"
        try:
            with path.open("wb") as made:
                for part in parts:
                    made.write(part) if isinstance(part, bytes) else made.seek(part, os.SEEK_CUR)
                made.truncate()
        except OSError as error:
            pytest.skip(f"no sparse files here: {error}")
        if path.stat().st_blocks * 512 > 1 << 28:
            pytest.skip("this file system fills holes")
        return path

    return make


READ_LESS = """
import sys
import dicomcore as dc
def hwm():
    return int(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
def read():
    return int(*[line.split()[1] for line in open("/proc/self/io") if line.startswith("rchar")])
memory, count = hwm(), read()
ds = dc.dcmread(sys.argv[1])
tail = ds[0xFFFAFFFA].value if 0xFFFAFFFA in ds else b""
print(len(ds), ds[int(sys.argv[2])].length, ds[int(sys.argv[2])].offset, ds.PatientName, tail, len(ds.issues))
print(hwm() - memory, read() - count)
"""


def read_elsewhere(path: Path, tag: int) -> tuple[list[str], int, int]:
    """The result of a fresh process, its peak memory (KiB), and the bytes it read."""
    if not Path("/proc/self/io").exists():
        pytest.skip("no /proc here to count bytes with")
    said = subprocess.run(
        [sys.executable, "-c", READ_LESS, str(path), str(tag)], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 0, said.stderr
    facts, counts = said.stdout.splitlines()
    memory, count = map(int, counts.split())
    return facts.split(), memory, count


def test_over_4_gib_with_an_element_behind_a_3_gib_value(sparse):
    size = 3 << 30
    head = raw.part10(AFTER + raw.header(0x00420011, "OB", size))
    second = raw.header(0x7FE00010, "OW", size)
    path = sparse(head, size, second, size, raw.element(0xFFFAFFFA, "OB", b"last"))
    assert path.stat().st_size > 6 << 30
    facts, memory, count = read_elsewhere(path, 0x7FE00010)
    assert facts == ["4", str(size), str(len(head) + size + len(second)), "A^B", "b'last'", "0"]
    assert memory < 4 << 10
    assert count < 200_000


def test_a_fragmented_file_over_4_gib(sparse):
    """Fragment headers are read, fragments are not."""
    size = (2 << 30) - 2
    opened = raw.part10(AFTER + raw.header(0x7FE00010, "OB", raw.UNDEFINED) + raw.item(), raw.JPEG_BASELINE)
    piece = raw.header(raw.ITEM, None, size)
    path = sparse(opened, piece, size, piece, size, piece, size, raw.header(raw.SEQUENCE_END, None, 0))
    rows = dc.scan(path)
    assert [int(r["length"]) for r in rows[-3:]] == [size] * 3
    facts, memory, count = read_elsewhere(path, 0x7FE00010)
    assert facts[1] == str(8 + 3 * (8 + size))
    assert memory < 4 << 10
    assert count < 200_000


def test_many_fragments_cost_their_headers_alone(tmp_path: Path):
    fragments = (raw.header(raw.ITEM, None, 60_000) + bytes(60_000)) * 1000
    path = tmp_path / "many.dcm"
    pixels = raw.header(0x7FE00010, "OB", raw.UNDEFINED) + raw.header(raw.ITEM, None, 0)
    end = raw.header(raw.SEQUENCE_END, None, 0)
    path.write_bytes(
        raw.part10(AFTER + pixels + fragments + end + raw.element(0xFFFAFFFA, "OB", b"last"), raw.JPEG_BASELINE)
    )
    facts, memory, count = read_elsewhere(path, 0x00100010)
    assert facts[0] == "3"
    assert facts[4:] == ["b'last'", "0"]
    assert memory < 2 << 10
    assert count < 400_000


class Listed:
    """Bytes behind read_at(), with a list of the lengths that were asked for."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size, self.lengths = data, len(data), []

    def read_at(self, offset: int, length: int) -> bytes:
        self.lengths.append(length)
        return self.data[offset : offset + length]


SMALL, LARGE = [100] * 5000, [60_000] * 30
SIZES = {  # name: (lengths of fragments, how often is read at most, and how many bytes)
    "small": (SMALL, 20, 5000 * 108),
    "large": (LARGE, 33, 33 * 256),
    "large behind small": (SMALL + LARGE, 53, 5000 * 108 + (1 << 17)),
    "small behind large": (LARGE + SMALL, 53, 5000 * 108 + (1 << 17)),
    "in turns": ([100, 60_000] * 30, 33, 33 * 1024),
    "one": ([400_000], 3, 600),
}


@pytest.mark.parametrize(("lengths", "times", "count"), SIZES.values(), ids=SIZES)
def test_neighbouring_headers_are_read_together(lengths, times, count):
    fragments = [raw.item(bytes(length)) for length in lengths]
    pixels = raw.sequence(0x7FE00010, raw.item(), *fragments, vr="OB", undefined=True)
    data = raw.part10(AFTER + pixels + raw.element(0xFFFAFFFA, "OB", b"last"), raw.JPEG_BASELINE)
    source = Listed(data)
    ds = dc.dcmread(source)
    source.lengths.clear()
    assert len(ds) == 3
    assert len(source.lengths) <= times
    assert sum(source.lengths) <= count
    assert dc.scan(Listed(data)).tobytes() == dc.scan(data).tobytes()


# ---- reading no more than is needed ------------------------------------------------------------------------------


def bytes_read(path: Path, **options: object) -> int:
    code = (
        "import sys, dicomcore as dc\n"
        "def read(): return int(*[s.split()[1] for s in open('/proc/self/io') if s.startswith('rchar')])\n"
        "before = read()\n"
        f"dc.dcmread(sys.argv[1], **{options!r})\n"
        "after = read()\n"
        "print(after - before - (read() - after))"  # without the bytes that reading the counter takes
    )
    if not Path("/proc/self/io").exists():
        pytest.skip("no /proc here to count bytes with")
    said = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    return int(said.stdout)


def test_specific_tags_stop_early(tmp_path: Path):
    path = tmp_path / "long.dcm"
    many = b"".join(raw.element(0x00091000 + i, "OB", bytes(3000)) for i in range(256))
    path.write_bytes(raw.part10(raw.element(0x00080060, "CS", b"MR") + many + AFTER))
    assert bytes_read(path, specific_tags=["Modality"]) <= 16 << 10
    assert bytes_read(path) > 500_000
    data_set = dc.dcmread(path, specific_tags=["Modality", 0x00100010, (0x0009, 0x1002)])
    assert [e.tag for e in data_set] == [0x00080060, 0x00091002, 0x00100010]
    data_set = dc.dcmread(path, specific_tags=["Modality"])
    assert data_set.keys() == [0x00080060]
    assert "PatientName" not in data_set
    assert data_set.file_meta.TransferSyntaxUID == raw.EXPLICIT


def test_specific_tags_bring_the_character_set():
    name = "Müller".encode("latin-1")
    data = raw.part10(raw.element(0x00080005, "CS", b"ISO_IR 100") + raw.element(0x00100010, "PN", name))
    assert dc.dcmread(data, specific_tags=["PatientName"]).PatientName == "Müller"


def test_pixels_are_not_read(tmp_path: Path):
    path = tmp_path / "pixels.dcm"
    path.write_bytes(raw.part10(AFTER + raw.element(0x7FE00010, "OW", bytes(3_000_000))))
    assert bytes_read(path) <= 16 << 10
    assert bytes_read(path, stop_before_pixels=True) <= 16 << 10
    assert len(dc.dcmread(path)[0x7FE00010].value) == 3_000_000
