"""Bad input gives a data set with issues or a DicomError: never a crash, a hang or memory out of proportion."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomcore as dc
from tests.support import dicom_bytes as raw
from tests.support.corpus import ABSENT, Real, small_files
from tests.support.mutate import mutants, read_lightly, touch

SMALL = small_files(8192)
EVERY_SMALL = pytest.mark.parametrize("one", SMALL, ids=[one.name for one in SMALL])
TINY_LIMIT = 0xFFFFFFFE


# ---- real files, damaged -----------------------------------------------------------------------------------------


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@EVERY_SMALL
def test_cut_short_at_every_byte(one: Real):
    data = one.data()
    for size in range(len(data)):
        read_lightly(data[:size])
    for size in range(0, len(data), 97):
        touch(data[:size])


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@EVERY_SMALL
def test_damaged(one: Real):
    for made in mutants(one.data(), seed=one.line["size"], count=60):
        touch(made)


@pytest.mark.long
@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
def test_damaged_for_long():
    """``pytest -m long``; DICOMCORE_FUZZ_SECONDS says how long."""
    end, seed = time.monotonic() + float(os.environ.get("DICOMCORE_FUZZ_SECONDS", "600")), time.time_ns()
    while time.monotonic() < end:
        for one in small_files(40_000):
            seed += 1
            for made in mutants(one.data(), seed, 10):
                touch(made)


@pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
@pytest.mark.parametrize("one", [one for one in SMALL if one.line["size"] < 3000][::7], ids=lambda one: one.name)
def test_cut_short_on_disk(one: Real, tmp_path: Path):
    """A truncated file on disk is read like its bytes."""
    data = one.data()
    path = tmp_path / "cut.dcm"
    for size in range(0, len(data), 37):
        path.write_bytes(data[:size])
        try:
            expected = dc.scan(data[:size]).tobytes()
        except dc.DicomError as error:
            with pytest.raises(type(error)):
                dc.dcmread(path)
        else:
            assert dc.scan(path).tobytes() == expected


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes(data: bytes):
    touch(data)
    touch(raw.PREAMBLE + data)
    touch(raw.part10(data))
    touch(raw.part10(data, raw.IMPLICIT))
    touch(raw.part10(data, raw.BIG_ENDIAN))


HEADERS = st.builds(
    lambda tag, vr, length, value: (
        raw.header(tag, vr, length & 0xFFFF if vr and vr not in raw.LONG else length) + value
    ),
    st.sampled_from(
        [
            0x00080005,
            0x00100010,
            0x00081140,
            0x00280103,
            0x00281101,
            0x00283006,
            0x00091001,
            0x00090010,
            0x7FE00010,
            raw.ITEM,
            raw.ITEM_END,
            raw.SEQUENCE_END,
            0xFFFCFFFC,
            0x60003000,
        ]
    ),
    st.sampled_from([None, "SQ", "UN", "OB", "OW", "LO", "PN", "US", "DS", "IS", "AT", "UT", "FD", "??", "ZZ", "\0\0"]),
    st.one_of(st.integers(0, 40), st.sampled_from([raw.UNDEFINED, 0xFFFFFFFE, 0x80000000, 0x10000])),
    st.binary(max_size=12),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(HEADERS, max_size=12), st.sampled_from([raw.EXPLICIT, raw.IMPLICIT, raw.BIG_ENDIAN, None]))
def test_any_headers(parts: list[bytes], syntax: str | None):
    touch(raw.part10(b"".join(parts), syntax))


# ---- input that kills or bloats peers -----------------------------------------------------------------------------


def nested(depth: int, *, undefined: bool, inside: bytes = b"") -> bytes:
    """Nested sequences; defined lengths are correct."""
    if undefined:
        opened = raw.header(0x00081140, "SQ", raw.UNDEFINED) + raw.header(raw.ITEM, None, raw.UNDEFINED)
        closed = raw.header(raw.ITEM_END, None, 0) + raw.header(raw.SEQUENCE_END, None, 0)
        return opened * depth + inside + closed * depth
    made = [
        raw.header(0x00081140, "SQ", 20 * i + 8) + raw.header(raw.ITEM, None, 20 * i) for i in reversed(range(depth))
    ]
    return b"".join(made)


def quickly(seconds: float = 2.0):
    """A limit on processor time, which only a hang or quadratic work exceeds, however busy the machine is."""

    class Clock:
        def __enter__(self) -> None:
            self.start = time.process_time()

        def __exit__(self, *_: object) -> None:
            assert time.process_time() - self.start < seconds

    return Clock()


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("on_disk", [False, True], ids=["memory", "path"])
def test_a_hundred_thousand_nested_sequences(undefined: bool, on_disk: bool, tmp_path: Path):
    data = raw.part10(nested(100_000, undefined=undefined))
    path = tmp_path / "nested.dcm"
    path.write_bytes(data)
    with quickly(), pytest.raises(dc.LimitError, match="depth") as caught:
        dc.dcmread(path if on_disk else data)
    assert 0 < caught.value.offset < len(data)


@pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])
def test_nesting_as_deep_as_the_limit_allows(undefined: bool):
    data = raw.part10(nested(100_000, undefined=undefined))
    with quickly():
        data_set = dc.dcmread(data, limits=dc.Limits(depth=1_000_000))
        count = sum(1 for _ in data_set.iterall())
    assert count == 100_000


@pytest.mark.thread_unsafe(reason="time and open files of the process")
def test_context_is_found_without_recursion():
    """A value's character set and sign may be stated a million sequences further out."""
    inside = raw.element(0x00100010, "PN", "é^".encode("latin-1") + b" ") + raw.element(0x00281101, "US", b"\1\0" * 3)
    data = raw.part10(nested(1_000_000, undefined=True, inside=inside))
    with quickly(20):
        *_, name, descriptor = dc.dcmread(data, limits=dc.Limits(depth=1 << 30)).iterall()
        assert descriptor.value == [1, 1, 1]
        assert name.value


@pytest.mark.parametrize("outer", ["UN", "private"])
def test_nested_sequences_indexed_on_access(outer: str):
    """UN of defined length in UN of defined length: each is indexed on access, and counts towards the same depth."""
    content = raw.element(0x00100010, "PN", b"A^B ")
    for _ in range(3000):
        content = raw.element(0x00081140 if outer == "UN" else 0x00091001, "UN", raw.item(content))
    data = raw.part10(raw.element(0x00090010, "LO", b"X ") + content)
    with quickly(5):
        touch(data)
        if outer == "UN":
            with pytest.raises(dc.LimitError, match="512"):
                list(dc.dcmread(data).iterall())


@pytest.mark.thread_unsafe(reason="time and open files of the process")
def test_a_million_empty_items(tmp_path: Path):
    data = raw.part10(raw.sequence(0x00081140, raw.item() * 1_000_000) + raw.element(0x00100010, "PN", b"A^B "))
    with quickly():
        rows = dc.scan(data)
        assert len(rows) == 4 + 1_000_001 + 1 - 1
        data_set = dc.dcmread(data)
        assert data_set.PatientName == "A^B"
    with quickly(10):
        assert len(data_set[0x00081140].value) == 1_000_000
        assert sum(1 for _ in data_set.iterall()) == 2


MANY = 40_000
CROWDS = {  # name: many elements that each look something up in their data set, or each have an issue
    "private": b"".join(raw.element((0x0009 << 16) + 0x1000 + i, None, b"ab") for i in range(MANY)),
    "US or SS": raw.element(0x00280106, None, b"ab") * MANY,
    "twice": raw.element(0x00100010, None, b"A ") * MANY,
    "no number": raw.element(0x00101030, None, b"ab") * MANY,
    "no character set": raw.sequence(0x00081140, raw.item(raw.element(0x00081030, None, b"\xe9 ")) * MANY, vr=None),
    "late sequences": b"".join(raw.sequence(0x00081140, raw.item(), vr=None) for _ in range(MANY)),
}


@pytest.mark.thread_unsafe(reason="time and open files of the process")
@pytest.mark.parametrize("name", CROWDS)
def test_many_elements_are_read_in_linear_time(name: str):
    with quickly(5):
        data_set = dc.dcmread(raw.part10(CROWDS[name], raw.IMPLICIT))
        _ = [(element.VR, element.value, element.name) for element in data_set.iterall()]
        _ = data_set.issues


def test_310_bytes_that_state_four_gigabytes():
    data = raw.part10(raw.element(0x00100010, "PN", b"A^B ") + raw.element(0x7FE00010, "OW", b"", length=TINY_LIMIT))
    data += bytes(310 - len(data))
    with quickly():
        data_set = dc.dcmread(data)
        assert data_set.PatientName == "A^B"
        assert len(data_set[0x7FE00010].value) == data_set[0x7FE00010].length < 310
    (issue,) = data_set.issues
    assert issue.code == "LENGTH_BEYOND_END"
    assert issue.tag == 0x7FE00010
    assert str(TINY_LIMIT) in issue.message
    assert f"{data_set[0x7FE00010].length} are left" in issue.message
    with pytest.raises(dc.TruncatedError) as caught:
        dc.dcmread(data, strict=True)
    assert caught.value.offset == issue.offset
    assert caught.value.tag == 0x7FE00010


DEFLATE_BOMB = """
import sys
import dicomcore as dc
try:
    dc.dcmread(sys.argv[1])
except dc.LimitError as error:
    assert "inflate" in str(error) and error.offset > 0, error
else:
    raise SystemExit("was not refused")
print(*[line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")])
"""


def inflating(size: int) -> bytes:
    """A deflated file of one element, whose value is `size` zero bytes (a multiple of 16 MiB)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(raw.header(0x7FE00010, "OW", size)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)  # the same at any position
    return raw.part10(head + block * (size >> 24) + packer.flush(), raw.DEFLATED)


def test_two_megabytes_that_inflate_to_two_gigabytes(tmp_path: Path):
    path = tmp_path / "bomb.dcm"
    path.write_bytes(inflating(1 << 31))
    assert path.stat().st_size < 2_200_000
    said = subprocess.run(
        [sys.executable, "-c", DEFLATE_BOMB, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert said.returncode == 0, said.stderr + said.stdout
    if said.stdout.strip():
        assert int(said.stdout) < 100_000  # KiB


def test_inflate_limits_are_the_callers():
    data = inflating(1 << 25)
    with pytest.raises(dc.LimitError):
        dc.dcmread(data)  # more than a thousand times smaller than its content
    data_set = dc.dcmread(data, limits=dc.Limits(inflated_ratio=2000))
    assert data_set[0x7FE00010].length == 1 << 25
    with pytest.raises(dc.LimitError, match=r"inflated_bytes"):
        dc.dcmread(data, limits=dc.Limits(inflated_ratio=2000, inflated_bytes=1 << 24))


MEMORY_BOUND = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import dicomcore as dc
from tests.support.dicom_bytes import part10, header, ITEM, UNDEFINED
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
for vr, tag in (("OB", 0x7FE00010), ("UN", 0x00091001), ("UT", 0x0040A160), ("SQ", 0x00081140), ("OV", 0x7FE00001)):
    for length in (0x7FFFFFFF, 0x80000000, 0xFFFFFFFE):
        ds = dc.dcmread(part10(header(tag, vr, length) + b"abcd"))
        [element.value for element in ds.iterall()]
        assert ds.issues
print("good")
"""


def test_claims_allocate_nothing():
    said = subprocess.run(
        [sys.executable, "-c", MEMORY_BOUND, str(Path(__file__).parents[2])],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert said.stdout == "good\n", said.stderr


# ---- sources that are no DICOM file ------------------------------------------------------------------------------


def test_missing_path(tmp_path: Path):
    with pytest.raises(FileNotFoundError) as caught:
        dc.dcmread(tmp_path / "absent.dcm")
    assert "absent.dcm" in str(caught.value)


def test_directory(tmp_path: Path):
    with pytest.raises(IsADirectoryError) as caught:
        dc.dcmread(tmp_path)
    assert "directory" in str(caught.value)


@pytest.mark.parametrize("force", [False, True])
def test_empty_file(tmp_path: Path, force: bool):
    path = tmp_path / "empty.dcm"
    path.write_bytes(b"")
    if force:
        assert len(dc.dcmread(path, force=True)) == 0
        return
    with pytest.raises(dc.InvalidDicomError, match="empty"):
        dc.dcmread(path)
    with pytest.raises(dc.InvalidDicomError, match="empty"):
        dc.dcmread(b"")


@pytest.mark.parametrize("data", [b"x", b"GIF89a" + bytes(300), b"%PDF-1.7\n" * 40], ids=["one byte", "GIF", "PDF"])
def test_not_dicom(tmp_path: Path, data: bytes):
    path = tmp_path / "picture.gif"
    path.write_bytes(data)
    with pytest.raises(dc.InvalidDicomError, match=r"picture\.gif.*not DICOM.*force=True"):
        dc.dcmread(path)
    with pytest.raises(dc.InvalidDicomError):
        dc.dcmread(data)


def test_no_permission(tmp_path: Path):
    path = tmp_path / "locked.dcm"
    path.write_bytes(raw.part10(b""))
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(PermissionError, match=r"locked\.dcm"):
        dc.dcmread(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_fifo(tmp_path: Path):
    """A pipe can't be read by position: it is read whole."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    data = raw.part10(raw.element(0x00100010, "PN", b"A^B "))
    writer = subprocess.Popen([sys.executable, "-c", f"open({str(path)!r}, 'wb').write({data!r})"])
    try:
        with quickly(20):
            assert dc.dcmread(path).PatientName == "A^B"
    finally:
        writer.wait(20)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_socket(tmp_path: Path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        with pytest.raises(OSError, match="s"):
            dc.dcmread(path)


def test_wrong_kinds_of_source():
    with pytest.raises(TypeError, match="path, bytes or a binary stream"):
        dc.dcmread(5)  # type: ignore[arg-type]
    with open(__file__) as stream, pytest.raises(TypeError, match="binary"):
        dc.dcmread(stream)  # type: ignore[arg-type]


def test_a_file_that_changed_is_an_error_not_garbage(tmp_path: Path):
    path = tmp_path / "changing.dcm"
    pixels = raw.element(0x7FE00010, "OW", b"\1\2" * 400_000)
    path.write_bytes(raw.part10(raw.element(0x00100010, "PN", b"A^B ") + pixels))
    data_set = dc.dcmread(path)
    path.write_bytes(raw.part10(raw.element(0x00100010, "PN", b"C^D ")))
    with pytest.raises(dc.DicomError, match="changed"):
        _ = data_set[0x7FE00010].value
    assert data_set.PatientName == "A^B"


@pytest.mark.thread_unsafe(reason="time and open files of the process")
def test_no_file_stays_open(tmp_path: Path):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc here")
    path = tmp_path / "one.dcm"
    path.write_bytes(raw.part10(raw.element(0x7FE00010, "OW", bytes(500_000))))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = len(os.listdir("/proc/self/fd"))
    held = [dc.dcmread(path) for _ in range(50)]
    assert [len(one[0x7FE00010].value) for one in held] == [500_000] * 50
    assert len(os.listdir("/proc/self/fd")) == before, (soft, hard)
