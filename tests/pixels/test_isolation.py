"""Foreign codecs in worker processes: the same samples, and a crash or hang loses only its frame."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

import dicomcore as dc
from dicomcore import pixels
from dicomcore.errors import DicomError, LimitError, PixelDecodeError, UnsupportedTransferSyntaxError
from dicomcore.pixels import FrameDescription, decode_frame
from dicomcore.pixels.isolation import pool, process
from tests.support import hostile_codecs
from tests.support.mutate import mutants
from tests.support.peers import without_preloads
from tests.support.worker_processes import shared_memory, workers_of

imagecodecs = pytest.importorskip("imagecodecs")
pydicom = pytest.importorskip("pydicom")
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="kills by signal"),
    pytest.mark.thread_unsafe(reason="kills workers that all share"),
]

HOSTILE, WIDE = "1.2.3.4.5.6.8", "1.2.3.4.5.6.9"
APART = dc.Limits(isolate=True)
RNG = np.random.default_rng(11)
GREY = (np.add.outer(np.arange(40), np.arange(48)) * 20 + RNG.integers(0, 30, (40, 48))).astype(np.uint16)
SMALL = (GREY >> 4).astype(np.uint8)
COLOUR = np.stack([SMALL, SMALL.T.reshape(40, 48), SMALL[::-1]], -1)


def j2k(array, **options):
    return imagecodecs.jpeg2k_encode(array, codecformat="J2K", reversible=True, **options)


def deflated(array):
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(array.tobytes()) + squeeze.flush()


STREAMS = {  # name: (end of the transfer syntax, codestream, picture)
    "JPEG": ("50", imagecodecs.jpeg8_encode(SMALL, level=90), SMALL),
    "JPEG colour": ("50", imagecodecs.jpeg8_encode(COLOUR, level=90), COLOUR),
    "JPEG 12 bits": ("51", imagecodecs.jpeg8_encode(GREY, level=95, bitspersample=12), GREY),
    "JPEG-LS": ("80", imagecodecs.jpegls_encode(GREY), GREY),
    "JPEG-LS colour": ("80", imagecodecs.jpegls_encode(COLOUR), COLOUR),
    "JPEG 2000": ("90", j2k(GREY), GREY),
    "JPEG 2000 signed": ("90", j2k(GREY.astype(np.int16) - 900), GREY.astype(np.int16) - 900),
    "HTJ2K": ("201", imagecodecs.htj2k_encode(GREY, reversible=True), GREY),
    "JPEG XL": ("110", imagecodecs.jpegxl_encode(COLOUR, lossless=True), COLOUR),
    "deflated": ("1.2.840.10008.1.2.8.1", deflated(GREY), GREY),
}


def described(picture, end, **changes) -> FrameDescription:
    fields = {
        "rows": picture.shape[0],
        "columns": picture.shape[1],
        "samples_per_pixel": 1 if picture.ndim == 2 else 3,
        "bits_allocated": 8 * picture.itemsize,
        "pixel_representation": int(picture.dtype.kind == "i"),
        "transfer_syntax": end if "." in end else f"1.2.840.10008.1.2.4.{end}",
    }
    return FrameDescription(**{**fields, **changes})


def file_of(streams: list[bytes], syntax: str, picture: np.ndarray) -> bytes:
    ds = pydicom.Dataset()
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.SOPInstanceUID = "1.2.3"
    ds.Rows, ds.Columns, ds.NumberOfFrames = *picture.shape[:2], len(streams)
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8 * picture.itemsize
    ds.HighBit, ds.PixelRepresentation = ds.BitsAllocated - 1, 0
    padded = [stream + b"\0" * (len(stream) % 2) for stream in streams]
    ends = np.cumsum([0, *(len(stream) + 8 for stream in padded)])[:-1]
    items = [b"".join(struct.pack("<I", end) for end in ends), *padded]
    ds.PixelData = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item for item in items)
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    held = BytesIO()
    pydicom.dcmwrite(held, ds, enforce_file_format=True, implicit_vr=False, little_endian=True)
    return held.getvalue()


@pytest.fixture(autouse=True)
def hostile():
    """Codecs that are registered for one test."""
    before = dict(pixels.coding.registry._CODECS)
    pixels.register(HOSTILE, hostile_codecs.by_first_byte, name="hostile")
    pixels.register(WIDE, hostile_codecs.wide, name="wide")
    yield
    pixels.coding.registry._CODECS.clear()
    pixels.coding.registry._CODECS.update(before)


def attempt(word: bytes, limits=APART, rows=1, **options) -> np.ndarray:
    desc = FrameDescription(rows=rows, columns=2, bits_allocated=8, transfer_syntax=HOSTILE)
    return decode_frame(word, desc, limits=limits, **options).samples


def descendants() -> set[int]:
    command = ["ps", "-o", "pid=", "--ppid", str(os.getpid())]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=without_preloads())
    return {int(pid) for pid in found.stdout.split()}


@pytest.mark.parametrize(("end", "stream", "picture"), STREAMS.values(), ids=STREAMS)
def test_samples_are_the_same(end, stream, picture):
    desc = described(picture, end)
    here, apart = decode_frame(stream, desc), decode_frame(stream, desc, limits=APART)
    assert apart.samples.dtype == here.samples.dtype
    assert (apart.samples == here.samples).all()
    assert (apart.description, apart.info, apart.notes) == (here.description, here.info, here.notes)
    assert apart.samples.flags.writeable
    out = np.zeros(picture.shape, picture.dtype)
    assert decode_frame(stream, desc, limits=APART, out=out).samples is out
    assert (out == here.samples).all()


@pytest.mark.parametrize("bits", [16, 32])
def test_a_wide_container_is_filled_as_in_this_process(bits):
    desc = described(SMALL, "80", bits_allocated=bits, bits_stored=12)
    stream = imagecodecs.jpegls_encode(SMALL)
    here, apart = decode_frame(stream, desc).samples, decode_frame(stream, desc, limits=APART).samples
    assert (here.dtype, here.tolist()) == (apart.dtype, apart.tolist())


def test_samples_wider_than_the_container():
    desc = FrameDescription(rows=2, columns=2, bits_allocated=8, transfer_syntax=WIDE)
    here, apart = decode_frame(b"x", desc).samples, decode_frame(b"x", desc, limits=APART).samples
    assert here.tolist() == apart.tolist() == [[2, 2], [2, 2]]


def test_frames_of_every_size_one_after_the_other():
    """Shared memory grows with the frame, and remains of the previous frame aren't visible."""
    for side in (8, 2000, 16, 3000, 700):
        picture = RNG.integers(0, 32, (side, side), dtype=np.uint8)
        stream = imagecodecs.jpegls_encode(picture)
        assert (decode_frame(stream, described(picture, "80"), limits=APART).samples == picture).all()


ENDS = {  # name: (command, message)
    "segmentation fault": (b"S", "SIGSEGV"),
    "killed": (b"K", "SIGKILL"),
    "abort": (b"A", "SIGABRT"),
    "exit": (b"X", "exit code 0"),
    "more memory than there is": (b"M", "decode_bytes"),
    "exception": (b"E", "nothing like a frame"),
    "wrong shape": (b"W", r"shape \(3, 3\)"),
}


@pytest.mark.parametrize(("word", "said"), ENDS.values(), ids=ENDS)
def test_only_the_failing_frame_is_lost(word, said):
    with pytest.raises(PixelDecodeError, match=said) as caught:
        attempt(word, frame=7)
    assert caught.value.frame == 7
    assert attempt(b"g").tolist() == [[103, 103]]


@pytest.mark.parametrize("word", [b"L", b"H"], ids=["at work", "deaf to signals"])
def test_a_hang_ends_when_time_is_up(word):
    start = time.monotonic()
    with pytest.raises(PixelDecodeError, match=r"longer than 0\.3 seconds") as caught:
        attempt(word, dc.Limits(isolate=True, decode_seconds=0.3), frame=2)
    assert caught.value.frame == 2
    assert time.monotonic() - start < 20
    assert attempt(b"g").tolist() == [[103, 103]]


@pytest.mark.parametrize("seconds", [float("inf"), 1e30, 0.5])
def test_any_timeout_is_accepted(seconds):
    assert attempt(b"g", dc.Limits(isolate=True, decode_seconds=seconds)).tolist() == [[103, 103]]


def test_a_crash_in_a_file_loses_one_frame():
    for syntax, word in ((HOSTILE, b"S"), (HOSTILE, b"E")):
        streams = [b"a", b"b", word, b"d"]
        frames = dc.dcmread(file_of(streams, syntax, SMALL[:2]), limits=APART).frames
        for i, stream in enumerate(streams):
            if stream == word:
                with pytest.raises(PixelDecodeError) as caught:
                    frames[i]
                assert caught.value.frame == i
            else:
                assert (frames[i] == stream[0]).all()
        with pytest.raises(PixelDecodeError) as caught:
            frames.array(workers=3)
        assert caught.value.frame == 2


@pytest.mark.parametrize("bad", [0, 3, 5, 13], ids="frame {}".format)
@pytest.mark.parametrize("word", [b"S", b"X", b"E", b"W", b"L"], ids=bytes.decode)
def test_a_frame_of_several_in_one_request(word, bad, monkeypatch):
    """Frames go to a worker six at a time here; the error names the failing frame, and its neighbours are decoded."""
    asked = []
    decode = process.Worker.decode

    def counted(self, job, codestreams, *rest, **options):
        asked.append(len(codestreams))
        return decode(self, job, codestreams, *rest, **options)

    monkeypatch.setattr(process.Worker, "decode", counted)
    streams = [bytes([65 + 32 + i]) for i in range(14)]
    good = dc.dcmread(file_of(streams, HOSTILE, SMALL[:2]), limits=APART).frames.array(workers=1)
    assert [int(frame.max()) for frame in good] == [stream[0] for stream in streams] == good[:, 0, 0].tolist()
    assert max(asked) > 1
    assert sum(asked) == 14
    streams[bad] = word
    frames = dc.dcmread(file_of(streams, HOSTILE, SMALL[:2]), limits=dc.Limits(isolate=True, decode_seconds=0.5)).frames
    with pytest.raises(PixelDecodeError) as caught:
        frames.array(workers=1)
    assert caught.value.frame == bad
    assert (frames[:bad] == good[:bad]).all()
    assert (frames[bad + 1 :] == good[bad + 1 :]).all()


def test_a_frame_that_ignores_signals_among_several():
    """The timeout is that of one frame, not of all together."""
    streams = [b"a", b"b", b"H", *[b"c"] * 29]
    frames = dc.dcmread(file_of(streams, HOSTILE, SMALL[:2]), limits=dc.Limits(isolate=True, decode_seconds=1)).frames
    start = time.monotonic()
    with pytest.raises(PixelDecodeError, match="longer than 1 seconds") as caught:
        frames.array(workers=1)
    assert caught.value.frame == 2
    assert time.monotonic() - start < 14  # not the 18 of sixteen frames


def test_frames_of_several_kinds_together():
    """Codestreams of different formats or precisions go in several requests."""
    streams = [STREAMS["JPEG-LS"][1], STREAMS["JPEG 2000"][1], imagecodecs.jpegls_encode(SMALL.astype(np.uint16))] * 4
    data = file_of(streams, "1.2.840.10008.1.2.4.80", GREY)
    here, apart = dc.dcmread(data).frames, dc.dcmread(data, limits=APART).frames
    assert (apart.array(workers=1) == here.array()).all()
    assert apart.notes == here.notes != ()


def test_workers_killed_while_they_wait():
    attempt(b"g")
    for worker in list(pool.POOL._idle):
        os.kill(worker._process.pid, signal.SIGKILL)
    assert attempt(b"h").tolist() == [[104, 104]]


def test_workers_killed_at_any_time():
    """Each frame is right, or a PixelDecodeError with its number, whichever worker is killed."""
    data = file_of([STREAMS["JPEG 2000"][1]] * 60, "1.2.840.10008.1.2.4.90", GREY)
    frames = dc.dcmread(data, limits=APART).frames
    good = frames[0]
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.05):
            for pid in descendants():
                with contextlib.suppress(OSError):
                    if "dicomcore.pixels.isolation" in Path(f"/proc/{pid}/cmdline").read_text():
                        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    right = 0
    try:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for i in range(60):
                try:
                    assert (frames[i] == good).all()
                    right += 1
                except PixelDecodeError as error:
                    assert error.frame == i
                except DicomError as error:
                    assert "start" in str(error)
    finally:
        done.set()
        killer.join()
    assert (frames.array() == good).all()
    assert right


def test_frames_are_decoded_in_parallel():
    desc = FrameDescription(rows=1, columns=1, bits_allocated=32, transfer_syntax=HOSTILE)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda _: int(decode_frame(b"P", desc, limits=APART).samples[0, 0]), range(12)))
    assert len(set(found)) > 1
    assert os.getpid() not in found
    data = file_of([b"P"] * 8, HOSTILE, np.zeros((1, 1), np.uint32))
    stacked = dc.dcmread(data, limits=APART).frames.array(workers=2)
    assert len(np.unique(stacked)) == 2


def test_the_same_from_many_threads():
    streams = [(described(picture, end), stream) for end, stream, picture in STREAMS.values()]
    wanted = [decode_frame(stream, desc).samples for desc, stream in streams]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            found = threads.map(lambda one: decode_frame(one[1], one[0], limits=APART).samples, streams * 4)
            for i, samples in enumerate(found):
                assert (samples == wanted[i % len(wanted)]).all()


def test_own_codecs_run_in_this_process(monkeypatch):
    monkeypatch.setattr(pool, "Worker", None)
    picture = SMALL
    for end, stream in (("5", dc.codecs.rle_encode(picture)), ("4.70", dc.codecs.jpeg_lossless_encode(picture))):
        desc = described(picture, "", transfer_syntax=f"1.2.840.10008.1.2.{end}")
        assert (decode_frame(stream, desc, limits=APART).samples == picture).all()


def test_a_codec_that_no_other_process_can_import_is_reported():
    pixels.register(HOSTILE, lambda *_: None, name="nameless")
    with pytest.raises(UnsupportedTransferSyntaxError, match=r"nameless can't be isolated.*trusted=True"):
        attempt(b"g")
    pixels.register(HOSTILE, lambda data, desc, out: np.full(desc.shape, data[0], np.uint8), name="mine", trusted=True)
    assert attempt(b"g").tolist() == [[103, 103]]


def test_limits_are_checked_first():
    with pytest.raises(LimitError):
        attempt(b"g", dc.Limits(isolate=True, frame_pixels=5), rows=3)


def run(script: str, **options) -> subprocess.CompletedProcess[str]:
    head = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
    return subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(script)], capture_output=True, text=True, timeout=60, check=False,
        **options,
    )  # fmt: skip


PREPARE = """
    import os, subprocess, dicomcore as dc
    from dicomcore import pixels
    from tests.support import hostile_codecs
    pixels.register("1.2.3", hostile_codecs.by_first_byte, name="hostile")
    desc = pixels.FrameDescription(rows=1, columns=1, bits_allocated=32, transfer_syntax="1.2.3")
    def attempt(word):
        return int(pixels.decode_frame(word, desc, limits=dc.Limits(isolate=True)).samples[0, 0])
"""


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except OSError:
            return True
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0] == "Z":
                return True
        time.sleep(0.05)
    return False


ENDINGS = {"at its end": "", "by _exit": "os._exit(0)", "by a signal": "os.kill(os.getpid(), 9)"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")
@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_nothing_is_left_when_the_process_ends(ending):
    before = shared_memory()
    said = run(PREPARE + f"    print(attempt(b'P'), flush=True)\n    {ending}")
    assert said.stderr == ""
    assert gone(int(said.stdout))
    assert shared_memory() <= before


def test_ctrl_c_reaches_only_the_caller():
    said = run(
        PREPARE
        + """
    import signal, threading
    signal.signal(signal.SIGINT, signal.default_int_handler)    # who runs tests side by side has it ignored
    attempt(b"g")
    threading.Timer(0.5, lambda: os.killpg(0, signal.SIGINT)).start()
    try:
        attempt(b"L")
    except KeyboardInterrupt:
        print("interrupted", attempt(b"g"))
    """,
        start_new_session=True,
    )
    assert said.stdout == "interrupted 103\n"
    assert said.stderr == ""


def test_after_a_fork():
    said = run(
        PREPARE
        + """
    attempt(b"g")
    pid = os.fork()
    if not pid:
        attempt(b"h")
        os._exit(attempt(b"i"))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), attempt(b"g"))
    """
    )
    assert said.stdout == "105 103\n"


def decode_one() -> int:
    end, stream, picture = STREAMS["JPEG-LS"]
    return int(decode_frame(stream, described(picture, end), limits=APART).samples.sum())


KEPT = {"80": 40, "90": 120, "201": 140, "110": 12}
"""Bytes at the front of a codestream, its headers by and large, that every second mutant keeps: the rest is decoded.

Of a JPEG these are all up to the first scan's."""
CUT_OFF = 20.0


@pytest.mark.parametrize("count", [60, pytest.param(2000, marks=pytest.mark.long)])
@pytest.mark.parametrize(("end", "stream", "picture"), STREAMS.values(), ids=STREAMS)
def test_damaged_codestreams(end, stream, picture, count, request):
    """Samples or our errors, in time; undamaged frames in between are right. Nothing is left behind."""
    desc = described(picture, end)
    good = decode_frame(stream, desc).samples
    limits = dc.Limits(isolate=True, decode_seconds=CUT_OFF, decode_bytes=1 << 30)
    sos = stream.find(b"\xff\xda") if end in ("50", "51") else -1
    head = stream[: KEPT.get(end, 0) if sos < 0 else sos + 10]
    whole, behind = mutants(stream, len(stream), count), mutants(stream[len(head) :], len(stream), count)
    shared = shared_memory()
    told: Counter[str] = Counter()
    slowest = 0.0
    for i in range(count):
        damaged = head + next(behind) if i % 2 else next(whole)
        start = time.monotonic()
        try:
            assert decode_frame(damaged, desc, limits=limits, frame=i).samples.shape[:2] == picture.shape[:2]
            told["decoded"] += 1
        except PixelDecodeError as error:
            assert error.frame == i
            told[
                "process ended" if "ended its process" in str(error) or "longer than" in str(error) else "refused"
            ] += 1
        except LimitError:
            told["refused"] += 1
        slowest = max(slowest, time.monotonic() - start)
        if i % 20 == 0:
            assert (decode_frame(stream, desc, limits=limits).samples == good).all()
    assert (decode_frame(stream, desc, limits=limits).samples == good).all()
    assert slowest < CUT_OFF + 30  # and starting a worker, on a machine that has other work
    assert len(workers_of(os.getpid())) <= pool.workers()
    assert shared_memory() <= shared
    print(f"{request.node.callspec.id}: {dict(told)}, slowest {slowest:.2f} s")
