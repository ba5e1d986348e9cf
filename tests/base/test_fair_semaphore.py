"""FairSemaphore: it admits at most the given number of threads, in the order in which they arrive."""

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
def test_at_most_n_threads_are_inside(places: int):
    semaphore, inside, most = FairSemaphore(places), [], []

    def visit(number: int) -> None:
        for _ in range(50):
            with semaphore:
                inside.append(number)
                most.append(len(inside))
                time.sleep(1e-4)
                inside.remove(number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(visit, range(8)))
    assert max(most) == places
    assert not inside


def test_threads_enter_in_order_of_arrival():
    semaphore, order = FairSemaphore(1), []

    def visit(number: int) -> None:
        with semaphore:
            order.append(number)

    threads = [threading.Thread(target=visit, args=[number]) for number in range(6)]
    with semaphore:
        for at, thread in enumerate(threads, 1):
            thread.start()
            until(lambda at=at: len(semaphore._waiting) == at)
    for thread in threads:
        thread.join()
    assert order == list(range(6))


def test_a_thread_that_reenters_waits_behind_the_others():
    """A plain queue fails here: the running thread takes the free place again before the waiting one wakes up."""
    semaphore, over, visits = FairSemaphore(1), threading.Event(), [0]

    def busy() -> None:
        while not over.is_set():
            with semaphore:
                visits[0] += 1
                time.sleep(1e-4)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(20):
            before = visits[0]
            with semaphore:
                assert visits[0] - before < 20_000  # a loaded machine may leave this thread unscheduled for a while
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_an_exception_releases_the_place():
    semaphore = FairSemaphore(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), semaphore:
            raise ZeroDivisionError
    with semaphore:
        pass


@pytest.mark.thread_unsafe(reason="a signal to the one main thread")
@pytest.mark.skipif(sys.platform == "win32", reason="no signal to one thread")
def test_ctrl_c_while_waiting_leaves_the_queue():
    semaphore, held, over = FairSemaphore(1), threading.Event(), threading.Event()

    def hold() -> None:
        with semaphore:
            held.set()
            over.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    main = threading.main_thread().ident
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a parallel test runner may ignore SIGINT
    try:
        threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt), semaphore:
            pytest.fail("the place was taken")
    finally:
        signal.signal(signal.SIGINT, before)
    assert not semaphore._waiting
    over.set()
    holder.join()
    with semaphore:
        pass


def test_a_place_handed_to_an_interrupted_thread_is_passed_on():
    """The thread is interrupted after it was given the place and before it noticed."""
    semaphore = FairSemaphore(1)
    turn = threading.Lock()
    semaphore.__enter__()
    semaphore._withdraw(turn)  # no longer in the queue: this thread has the place
    with ThreadPoolExecutor(1) as threads:
        threads.submit(semaphore.__enter__).result(10)
