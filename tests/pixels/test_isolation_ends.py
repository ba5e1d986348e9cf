"""Workers and their parents end in every order: decoded frames are right, and no process or memory is left behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import dicomcore as dc
from dicomcore.errors import DicomError, PixelDecodeError
from dicomcore.pixels import decode_frame
from tests.pixels.test_isolation import (
    APART,
    GREY,
    HOSTILE,
    PREPARE,
    STREAMS,
    descendants,
    described,
    file_of,
    gone,
    hostile,  # noqa: F401  the fixture
    run,
)
from tests.support.worker_processes import shared_memory, workers_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and /dev/shm")

SHORT = "dc.Limits(isolate=True, decode_seconds=1)"


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.long)])
def test_workers_killed_under_several_threads(seconds):
    """At random moments; single frames, and runs of them: right, or a PixelDecodeError that names the frame."""
    dice = random.Random(5)
    data = file_of([STREAMS["JPEG 2000"][1]] * 30, "1.2.840.10008.1.2.4.90", GREY)
    good = dc.dcmread(data).frames.array()
    end = time.monotonic() + seconds
    killed, right, wrong = [0], [], []

    def kill() -> None:
        while time.monotonic() < end:
            time.sleep(dice.uniform(0, 0.08))
            for pid in dice.sample(sorted(alive), 1) if (alive := workers_of(os.getpid())) else ():
                with contextlib.suppress(OSError):
                    os.kill(pid, dice.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]))
                    killed[0] += 1

    def decode(number: int) -> None:
        frames, own = dc.dcmread(data, limits=APART).frames, random.Random(number)
        while time.monotonic() < end:
            first = own.randrange(30)
            wanted = range(first, min(30, first + own.choice([1, 1, 8])))
            try:
                found = frames.stack(wanted)
                assert (found == good[wanted.start : wanted.stop]).all()
                right.append(len(wanted))
            except PixelDecodeError as error:
                assert error.frame in wanted
                wrong.append(str(error))
            except DicomError as error:
                assert "start" in str(error)

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(decode, number) for number in range(4)]:
            done.result()
    killer.join()
    assert right
    assert killed[0]
    assert (dc.dcmread(data, limits=APART).frames.array() == good).all()
    assert len(workers_of(os.getpid())) <= dc.pixels.isolation.workers()


def test_more_threads_than_workers_take_turns():
    """A thread that decodes only now and then gets its turn among busy threads; it once waited for minutes."""
    desc = described(np.zeros((1, 1), np.uint32), HOSTILE)
    over, done = threading.Event(), [0]

    def busy():
        while not over.is_set():
            decode_frame(b"h", desc, limits=APART)
            done[0] += 1

    threads = [threading.Thread(target=busy) for _ in range(dc.pixels.isolation.workers() + 1)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            before = done[0]
            decode_frame(b"g", desc, limits=APART)
            assert done[0] - before < 20_000  # a loaded machine may leave this thread unscheduled for a while
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert done[0]


def test_forked_children_decode_on():
    """Forked while workers are busy: children have workers of their own, and the parent's go on."""
    script = (
        PREPARE
        + """
    import multiprocessing, threading, time
    def again(number):
        return attempt(bytes([97 + number]))
    def busy():
        while not over.is_set():
            assert attempt(b"h") == 104
    over = threading.Event()
    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        attempt(b"g")
        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map(again, range(6)))
    finally:
        over.set()
    for thread in threads:
        thread.join()
    print(attempt(b"i"))
    """
    )
    said = run(script)
    assert said.stdout == "[97, 98, 99, 100, 101, 102]\n105\n", said.stderr


def test_a_forked_child_does_not_keep_the_workers_of_its_parent():
    """The parent is killed while one is at work; a child that was forked then lives on, and holds nothing open."""
    script = (
        PREPARE
        + f"""
    import json, signal, threading, time
    from tests.support.worker_processes import shared_memory, workers_of
    def busy():
        while True:
            try:
                pixels.decode_frame(b"L", desc, limits={SHORT})
            except dc.DicomError:
                pass
    attempt(b"g")
    threading.Thread(target=busy, daemon=True).start()
    attempt(b"g")
    time.sleep(0.3)
    own = sorted(workers_of(os.getpid()))
    child = os.fork()
    if not child:
        os.close(1); os.close(2)
        time.sleep(30)
        os._exit(0)
    print(json.dumps([child, own]), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
    """
    )
    said = run(script)
    child, workers = json.loads(said.stdout)
    try:
        assert workers
        assert all(gone(pid) for pid in workers)
        assert not gone_at_once(child)
    finally:
        os.kill(child, signal.SIGKILL)


def gone_at_once(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return True
    return False


ENDINGS = {  # name: (what the workers do, how the process ends)
    "at its end": ("P", ""),
    "at its end, amid hangs": ("L", ""),
    "by _exit, amid hangs": ("L", "os._exit(0)"),
    "by a signal": ("P", "os.kill(os.getpid(), 9)"),
    "by a signal, amid hangs": ("L", "os.kill(os.getpid(), 9)"),
    "by an error": ("P", "1 / 0"),
}


@pytest.mark.parametrize(("word", "ending"), ENDINGS.values(), ids=ENDINGS)
def test_the_process_ends_while_work_is_under_way(word, ending):
    before = shared_memory()
    script = (
        PREPARE
        + f"""
    import threading, time
    from tests.support.worker_processes import shared_memory, workers_of
    def busy():
        while True:
            pixels.decode_frame({word.encode()!r}, desc, limits={SHORT})
    attempt(b"g")
    for _ in range(2):
        threading.Thread(target=busy, daemon=True).start()
    time.sleep(0.4)
    print(*workers_of(os.getpid()), flush=True)
    {ending}
    """
    )
    start = time.monotonic()
    said = run(script)
    workers = [int(pid) for pid in said.stdout.split()]
    assert workers
    assert all(gone(pid) for pid in workers)
    assert time.monotonic() - start < 40
    assert shared_memory() <= before


@pytest.mark.parametrize("method", ["spawn", pytest.param("forkserver", marks=pytest.mark.long)])
def test_children_by_other_start_methods(method):
    script = f"""
        import multiprocessing, os
        from tests.pixels import test_isolation
        if __name__ == "__main__":
            test_isolation.decode_one()
            with multiprocessing.get_context({method!r}).Pool(2) as pool:
                print(pool.starmap(test_isolation.decode_one, [()] * 4))
    """
    said = run(script)
    assert said.stdout == f"{[int(GREY.sum())] * 4}\n", said.stderr


def test_many_threads_share_few_workers():
    """The number of workers doesn't follow that of threads, and afterwards only idle workers are left."""
    end, stream, picture = STREAMS["JPEG-LS"]
    with ThreadPoolExecutor(24) as threads:
        for samples in threads.map(
            lambda _: decode_frame(stream, described(picture, end), limits=APART).samples, range(200)
        ):
            assert (samples == picture).all()
    assert len(workers_of(os.getpid())) <= dc.pixels.isolation.workers()
    assert workers_of(os.getpid()) <= descendants()
