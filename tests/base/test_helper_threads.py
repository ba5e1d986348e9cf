"""Helper threads: each piece of work is done once or not at all, and no thread waits for ever."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from time import sleep

import pytest

from dicomcore import threads
from dicomcore.threads import hand_out, run_over


@pytest.mark.parametrize("count", [1, 2, 5])
def test_each_item_once(count):
    seen, places = [], []
    run_over("abcdefghij" * 20, lambda place, item: (seen.append(item), places.append(place)), count)
    assert sorted(places) == list(range(200))
    assert sorted(seen) == sorted("abcdefghij" * 20)


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_error_stops_the_remaining_work(count):
    done = []

    def work(place, item):
        if item == 5:
            raise KeyError(item)
        sleep(0.001)
        done.append(item)

    with pytest.raises(KeyError):
        run_over(range(1000), work, count)
    assert len(done) < 20


def test_an_error_in_a_helper_is_raised_in_the_caller():
    begun = threading.Event()

    def work():
        begun.set()
        raise KeyError("there")

    wait = hand_out(work)
    assert begun.wait(10)
    for _ in range(2):
        with pytest.raises(KeyError, match="there"):
            wait()


def test_helpers_stay_for_the_next_call(monkeypatch):
    monkeypatch.setattr(threads, "_HELPERS", threads._Helpers())  # those of tests before would take turns
    names = set()
    for _ in range(20):
        begun = threading.Event()
        wait = hand_out(lambda begun=begun: (names.add(threading.current_thread().name), begun.set()))
        assert begun.wait(10)
        wait()
    assert len(names) < 20


def test_nested_work_does_not_deadlock(monkeypatch):
    monkeypatch.setattr(threads, "MOST_HELPERS", 2)
    monkeypatch.setattr(threads, "_HELPERS", threads._Helpers())
    done = []

    def work(_, depth):
        if depth:
            run_over([depth - 1] * 3, work, 3)
        done.append(depth)

    run_over([3] * 3, work, 3)
    assert len(done) == 3 + 9 + 27 + 81


FORK = """
import os, sys, threading
from dicomcore.threads import hand_out, run_over
seen = []
run_over(range(50), lambda _, item: seen.append(item), 3)
assert any(thread.name.startswith("dicomcore") for thread in threading.enumerate())
child = os.fork()
assert not any(thread.name.startswith("dicomcore") for thread in threading.enumerate())
run_over(range(50), lambda _, item: seen.append(item), 3)
assert len(seen) == 100
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_fork():
    """The child of a fork has no helper threads; both processes start new ones when they need them."""
    subprocess.run([sys.executable, "-W", "error", "-c", FORK], check=True, timeout=60)
