"""FairSemaphore: never more threads inside than places, and each in its turn."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dicomcore.threads import FairSemaphore


def until(reached: Callable[[], bool]) -> None:
    for _ in range(1000):
        if reached():
            return
        time.sleep(0.01)
    pytest.fail("not reached within ten seconds")


@pytest.mark.parametrize("places", [1, 2, 5])
def test_never_more_at_once(places: int):
    room, inside, most = FairSemaphore(places), [], []

    def visit(number: int) -> None:
        for _ in range(50):
            with room:
                inside.append(number)
                most.append(len(inside))
                time.sleep(1e-4)
                inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(visit, range(8)))
    assert max(most) == places
    assert not inside


def test_who_waits_longest_goes_first():
    room, order = FairSemaphore(1), []

    def visit(number: int) -> None:
        with room:
            order.append(number)

    threads = [threading.Thread(target=visit, args=[number]) for number in range(6)]
    with room:
        for at, thread in enumerate(threads, 1):
            thread.start()
            until(lambda at=at: len(room._waiting) == at)
    for thread in threads:
        thread.join()
    assert order == list(range(6))


def test_who_leaves_and_comes_back_waits_behind_the_others():
    """As a queue of places does not: the thread at work took the free place again before the other one woke up."""
    room, over, visits = FairSemaphore(1), threading.Event(), [0]

    def busy() -> None:
        while not over.is_set():
            with room:
                visits[0] += 1
                time.sleep(1e-4)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            before = visits[0]
            with room:
                assert visits[0] - before < 20_000  # a loaded machine may leave it aside for a while
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_an_exception_leaves_the_place():
    room = FairSemaphore(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), room:
            raise ZeroDivisionError
    with room:
        pass


@pytest.mark.thread_unsafe(reason="a signal to the one main thread")
@pytest.mark.skipif(sys.platform == "win32", reason="no signal to one thread")
def test_ctrl_c_while_waiting_gives_the_turn_up():
    room, held, over = FairSemaphore(1), threading.Event(), threading.Event()

    def hold() -> None:
        with room:
            held.set()
            over.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    main = threading.main_thread().ident
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs tests side by side has it ignored
    try:
        threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt), room:
            pytest.fail("the place was taken")
    finally:
        signal.signal(signal.SIGINT, before)
    assert not room._waiting
    over.set()
    holder.join()
    with room:
        pass


def test_a_turn_that_came_while_it_was_given_up_goes_on():
    """Interrupted after the place was handed over, and before that was noticed."""
    room = FairSemaphore(1)
    turn = threading.Lock()
    room.__enter__()
    room._withdraw(turn)  # no longer among those who wait: it has the place
    with ThreadPoolExecutor(1) as threads:
        threads.submit(room.__enter__).result(10)
