"""Processes that work on inputs beside this one, in whose Python no two threads can run at once."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import IO, Any, Self

from dicomcore.deid.journal import Journal
from dicomcore.deid.working import Done, Result, Task

__all__ = ["Crew", "crew_for", "main"]

BOOT = "import sys; sys.path[:] = sys.argv[2:]; from dicomcore.deid.crew import main; main(sys.argv[1])"
LENGTH = 8  # bytes of the length in front of each message
READY = b"ready"
AHEAD = 2  # lists that a process has: it goes on with the next one while this one reads what became of the last
WINDOW = 8  # lists for each process that are begun and not yet yielded
GONE = "the process that worked on it ended"

Numbered = tuple[int, str]


@dataclass
class _Part:
    """Some inputs that are given to a process together, and what is known of them."""

    inputs: list[Numbered]
    found: dict[int, Result]
    left: int = 0
    """How many lists of them processes have."""

    @property
    def results(self) -> list[Result]:
        return [self.found[number] for number, _ in self.inputs]


class Crew:
    """Some processes, each of which takes a list of inputs at a time; a context manager that ends them."""

    def __init__(self, task: Task, job: bytes, size: int) -> None:
        self._task, self._job = task, job
        self._answers: SimpleQueue[tuple[_Member, bytes | None]] = SimpleQueue()
        self._members: list[_Member] = []
        self._processes: list[_Process] = []
        try:
            self._members += self._started(size)
            for _ in self._members:
                if self._answers.get()[1] != READY:
                    raise _Ended
        except BaseException:
            self.close()
            raise

    def _started(self, size: int) -> list[_Member]:
        """So many processes more. Where the system can, one is started, which makes the others of itself."""
        sizes = [size] if hasattr(os, "fork") else [1] * size
        made = [_Process(one) for one in sizes]
        self._processes += made
        return [_Member(*pipes, self._job, self._answers) for process in made for pipes in process.pipes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes, even if they are busy."""
        for process in self._processes:
            process.end()
        for member in self._members:
            member.close()
        self._processes.clear()
        self._members.clear()

    def results(self, lists: Iterable[list[Numbered]], journal: Journal) -> Iterator[list[Result]]:
        """The results of each list, in order; what the work on one raised is raised."""
        begun: deque[_Part] = deque()
        for inputs in lists:
            begun.append(self._begin(inputs, journal))
            while self._is_busy() or len(begun) >= WINDOW * len(self._members):
                if not begun[0].left:
                    yield begun.popleft().results
                else:
                    self._take()
            while begun and not begun[0].left:
                yield begun.popleft().results
        while begun:
            while begun[0].left:
                self._take()
            yield begun.popleft().results

    def _begin(self, inputs: list[Numbered], journal: Journal) -> _Part:
        part = _Part(inputs, {})
        local = []
        for one in inputs:
            known = journal.known(one)
            if known is None and type(one[1]) is str:
                local.append(one)
            else:  # what is in an archive or behind a URL is read here
                part.found[one[0]] = known or self._task.work(one)
        if local:
            self._give(part, local)
        return part

    def _is_busy(self) -> bool:
        return all(len(member.given) >= AHEAD for member in self._members)

    def _give(self, part: _Part, inputs: list[Numbered]) -> None:
        """Send some inputs to the process that has least to do."""
        part.left += 1
        min(self._members, key=lambda member: len(member.given)).give(part, inputs)

    def _take(self) -> None:
        """Wait for an answer."""
        member, message = self._answers.get()
        if message is None:
            self._replace(member)
        if not message or message == READY:
            return
        part, inputs = member.given.popleft()
        part.left -= 1
        answer = pickle.loads(message)
        if isinstance(answer, BaseException):
            raise answer
        for (number, _), result in zip(inputs, answer, strict=True):
            part.found[number] = result

    def _replace(self, gone: _Member) -> None:
        """Start another process for one that ended. One of the first inputs that it had ended it; which is tried."""
        place = self._members.index(gone)
        gone.close()
        (self._members[place],) = self._started(1)
        for number, (part, inputs) in enumerate(gone.given):
            part.left -= 1
            if number:
                self._give(part, inputs)
            elif len(inputs) > 1:
                for one in inputs:
                    self._give(part, [one])
            else:
                ((at, source),) = inputs
                part.found[at] = Result(Done(at, "failed", "", GONE, None, source))


def crew_for(task: Task, size: int) -> Crew | None:
    """A crew for a task; None where other processes cannot do it."""
    if not sys.executable or getattr(sys, "frozen", False):
        return None
    try:
        job = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        return Crew(task, job, size)
    except (pickle.PicklingError, AttributeError, TypeError, OSError, _Ended):
        return None  # such as a function without a name


class _Ended(Exception):
    """A process has ended before it understood its task."""


class _Process:
    """A process that was started, and those that it makes of itself; `pipes` are a way to each and a way back."""

    def __init__(self, size: int) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        ways = [(*os.pipe(), *os.pipe()) for _ in range(size - 1)]  # from here, to there; from there, to here
        theirs = [handle for read, _, _, write in ways for handle in (read, write)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", BOOT, ",".join(map(str, theirs)), *sys.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # what Python says of a crash has values in it
                env=environment,
                pass_fds=theirs,
                start_new_session=hasattr(os, "killpg"),
            )
        except BaseException:
            for way in ways:
                for handle in (way[1], way[2]):
                    os.close(handle)
            raise
        finally:
            for handle in theirs:
                os.close(handle)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.pipes: list[tuple[IO[bytes], IO[bytes]]] = [(self._process.stdin, self._process.stdout)]
        self.pipes += [(os.fdopen(there, "wb"), os.fdopen(back, "rb")) for _, there, back, _ in ways]

    def end(self) -> None:
        """End it and what it made, even if they are busy. Until then no other process can get its number."""
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        self._process.wait()


class _Member:
    """One process that works, from here; a thread puts its answers into a queue, and None at its end."""

    def __init__(
        self, there: IO[bytes], back: IO[bytes], job: bytes, answers: SimpleQueue[tuple[_Member, bytes | None]]
    ) -> None:
        self._there, self._back, self._answers = there, back, answers
        self.given: deque[tuple[_Part, list[Numbered]]] = deque()
        """What it was sent and has not answered."""
        self._reader = threading.Thread(target=self._read, daemon=True, name="dicomcore-deid")
        self._reader.start()
        self._send(job)

    def _read(self) -> None:
        while (message := _received(self._back)) is not None:
            self._answers.put((self, message))
        self._answers.put((self, None))

    def _send(self, message: bytes) -> None:
        with suppress(BrokenPipeError):  # the answer will be missing
            _send(self._there, message)

    def give(self, part: _Part, inputs: list[Numbered]) -> None:
        """Send inputs of a part."""
        self.given.append((part, inputs))
        self._send(pickle.dumps(inputs, pickle.HIGHEST_PROTOCOL))

    def close(self) -> None:
        """Close the pipes of a process that has ended."""
        self._reader.join()
        for pipe in (self._there, self._back):
            with suppress(OSError):
                pipe.close()


def _send(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(LENGTH, "little") + message)
    pipe.flush()


def _received(pipe: IO[bytes]) -> bytes | None:
    """The next message; None at the end of the pipe."""
    head = pipe.read(LENGTH)
    if len(head) < LENGTH:
        return None
    size = int.from_bytes(head, "little")
    message = pipe.read(size)
    return message if len(message) == size else None


def main(more: str) -> None:
    """Serve the process that started this one until it closes the pipe; `more` are pipes of processes to be made."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends this one
    nowhere = os.open(os.devnull, os.O_RDWR)
    own = os.dup(0), os.dup(1)
    os.dup2(nowhere, 0)  # a function of the plan neither takes messages
    os.dup2(nowhere, 1)  # nor is what it prints one
    handles = [int(handle) for handle in more.split(",") if handle]
    waiting = [own, *zip(handles[::2], handles[1::2], strict=True)]
    gc.freeze()  # what is loaded stays
    while len(waiting) > 1:
        pair = waiting.pop()
        if not os.fork():  # no thread has been started yet, and nothing of the task been loaded
            for handle in (handle for other in waiting for handle in other):
                os.close(handle)
            waiting = [pair]
            break
        for handle in pair:
            os.close(handle)
    (pair,) = waiting
    _serve(os.fdopen(pair[0], "rb"), os.fdopen(pair[1], "wb"))


def _serve(pipe: IO[bytes], out: IO[bytes]) -> None:
    task: Any = None
    while (message := _received(pipe)) is not None:
        if task is None:
            task = pickle.loads(message)
            answer = READY
        else:
            answer = _answer(task, pickle.loads(message))
        with suppress(BrokenPipeError):
            _send(out, answer)


def _answer(task: Task, inputs: list[Numbered]) -> bytes:
    try:
        return pickle.dumps([task.work(one) for one in inputs], pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # a function of the plan may raise anything
        try:
            return pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        except Exception:
            return pickle.dumps(RuntimeError(f"{type(error).__name__} in another process"))
