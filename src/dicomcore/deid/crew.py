"""Processes that work on inputs beside this one, in whose Python no two threads can run at once."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any, Self

from dicomcore.deid.journal import Journal
from dicomcore.deid.working import Done, Result, Task

__all__ = ["Crew", "crew_for", "main"]

BOOT = "import sys; sys.path[:] = sys.argv[1:]; from dicomcore.deid.crew import main; main()"
LENGTH = 8  # bytes of the length in front of each message
READY = b"ready"
GONE = "the process that worked on it ended"

Numbered = tuple[int, str]


class Crew:
    """Some processes, each of which takes a list of inputs at a time; a context manager that ends them."""

    def __init__(self, task: Task, job: bytes, size: int) -> None:
        self._task, self._job = task, job
        self._idle: deque[_Member] = deque()
        try:
            for _ in range(size):
                self._idle.append(_Member(job))
            for member in self._idle:
                member.wait()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        while self._idle:
            self._idle.popleft().close()

    def work(self, inputs: Sequence[Numbered], journal: Journal) -> list[Result]:
        """The results of some inputs, in their order. As many threads may call it as there are processes."""
        found = {number: journal.known((number, place)) for number, place in inputs}
        left = [one for one in inputs if found[one[0]] is None]
        local = [one for one in left if type(one[1]) is str]
        for result in self._by_process(local) if local else ():
            found[result.done.number] = result
        return [found[number] or self._task.work((number, place)) for number, place in inputs]

    def _by_process(self, inputs: list[Numbered]) -> list[Result]:
        member = self._idle.popleft()
        try:
            return member.work(inputs)
        except _Ended:
            member.close()
            member = _Member(self._job)
            member.wait()
            if len(inputs) == 1:
                number, place = inputs[0]
                return [Result(Done(number, "failed", "", GONE, None, place))]
        except BaseException:
            member.close()  # it may be in the middle of an answer
            raise
        finally:
            self._idle.append(member)
        return [result for one in inputs for result in self._by_process([one])]


def crew_for(task: Task, size: int) -> Crew | None:
    """A crew for a task; None where other processes cannot do it."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    try:
        return Crew(task, pickle.dumps(task, pickle.HIGHEST_PROTOCOL), size)
    except (pickle.PicklingError, AttributeError, TypeError, OSError, _Ended):
        return None  # such as a function without a name, or of a program that cannot be imported


class _Ended(Exception):
    """A process has ended."""


class _Member:
    """One process, from here."""

    def __init__(self, job: bytes) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOT, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what Python says of a crash has values in it
            env=environment,
        )
        self._send(job)

    def _send(self, message: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # the answer will be missing
            self._process.stdin.write(len(message).to_bytes(LENGTH, "little") + message)
            self._process.stdin.flush()

    def _receive(self) -> bytes:
        assert self._process.stdout is not None
        message = _received(self._process.stdout)
        if message is None:
            raise _Ended
        return message

    def wait(self) -> None:
        """Wait until the process has understood its task."""
        if self._receive() != READY:
            raise _Ended

    def work(self, inputs: list[Numbered]) -> list[Result]:
        """The results of some inputs; what their work raised is raised."""
        self._send(pickle.dumps(inputs, pickle.HIGHEST_PROTOCOL))
        answer = pickle.loads(self._receive())
        if isinstance(answer, BaseException):
            raise answer
        results: list[Result] = answer
        return results

    def close(self) -> None:
        """End the process, even if it is busy."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def _received(pipe: IO[bytes]) -> bytes | None:
    """The next message; None at the end of the pipe."""
    head = pipe.read(LENGTH)
    if len(head) < LENGTH:
        return None
    size = int.from_bytes(head, "little")
    message = pipe.read(size)
    return message if len(message) == size else None


def main() -> None:
    """Serve the process that started this one until it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends this one
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a function of the plan prints is no message
    task: Any = None
    while (message := _received(sys.stdin.buffer)) is not None:
        if task is None:
            task = pickle.loads(message)
            answer = READY
        else:
            answer = _answer(task, pickle.loads(message))
        with suppress(BrokenPipeError):
            out.write(len(answer).to_bytes(LENGTH, "little") + answer)
            out.flush()


def _answer(task: Task, inputs: list[Numbered]) -> bytes:
    try:
        return pickle.dumps([task.work(one) for one in inputs], pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # a function of the plan may raise anything
        try:
            return pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        except Exception:
            return pickle.dumps(RuntimeError(f"{type(error).__name__} in another process"))
