"""Frames decoded ahead of the caller: threads, a queue, ordered or not, and a limit on the memory of its frames."""

from __future__ import annotations

import os
import threading
from bisect import insort
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicomcore.archive.imaging.cache import Cache, FrameKey
from dicomcore.archive.listing import opened
from dicomcore.archive.sources.place import Place
from dicomcore.errors import PixelDecodeError
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.pixels.coding.video import VIDEO_SYNTAXES
from dicomcore.pixels.frames import Frames

__all__ = ["Ahead", "FrameRecord"]

RECORD_BYTES = 4096  # assumed cost of a record besides its samples, so that the limit counts many tiny frames too


class FrameRecord(NamedTuple):
    """One frame: its file's `path`, the `frame` number from 0, and its samples in `array`, or None and the `error`.

    `row` is the file's row in the index, or its number among the paths. `issues` are the known issues of the frame, and
    of its file's pixel data as a whole: samples that were filled in, contradictions that were resolved.
    """

    path: str
    frame: int
    array: NDArray[Any] | None
    error: Exception | None
    row: int
    issues: tuple[Issue, ...] = ()


class _File:
    """A file whose frames are being decoded; `number` is its number among the files, from 0."""

    def __init__(self, number: int, row: int, path: str, cached: bool, limits: Limits | None) -> None:
        self.number, self.row, self.path = number, row, path
        self.facts = _facts(path) if cached else (0, 0)
        self.frames: Frames = opened(path, limits=limits).frames
        if not len(self.frames):
            raise PixelDecodeError("there are no frames in the pixel data")
        self.frame_bytes = int(np.prod(self.frames.description.shape)) * self.frames.dtype.itemsize
        # One thread decodes all frames in turn: of a video, and of an archive's member, which is inflated while read.
        self.in_turn = isinstance(path, Place) or self.frames.stated.transfer_syntax in VIDEO_SYNTAXES
        self.next = 0


def _name(path: str) -> str:
    return str(path) if isinstance(path, Place) else os.path.abspath(path)


def _facts(path: str) -> tuple[int, int]:
    """Size and mtime (ns), from which a cache detects that a file has changed."""
    if isinstance(path, Place):
        return path.size or 0, (path.mtime or 0) * 1000
    facts = os.stat(path)
    return facts.st_size, facts.st_mtime_ns


class Ahead:
    """Decodes the frames of the listed files on `workers` threads, up to `budget` bytes ahead of the caller."""

    def __init__(
        self,
        listed: Iterator[tuple[int, str]],
        *,
        workers: int,
        ordered: bool,
        budget: int,
        raw: bool,
        cache: Cache | None,
        limits: Limits | None = None,
    ) -> None:
        self._listed = enumerate(listed)
        self._listing = threading.Lock()
        self._ordered, self._budget, self._raw, self._cache = ordered, budget, raw, cache
        self._limits = limits
        self._changed = threading.Condition()  # guards the attributes below
        self._ready: dict[tuple[int, int], tuple[FrameRecord, int]] = {}
        # Files with frames that no thread has taken, by number: if a later file went first, all threads could end up
        # waiting for an earlier one.
        self._started: list[_File] = []
        self._counts: dict[int, int] = {}
        self._wanted = (0, 0)
        self._bytes = 0
        self._stopped = False
        self._failure: BaseException | None = None
        self._alive = workers
        # Daemon threads: a caller who leaves the loop without closing the iterator can still end the process.
        self._threads = [
            threading.Thread(target=self._run, name=f"dicomcore-frames-{i}", daemon=True) for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def take(self) -> FrameRecord | None:
        """Wait for the next record; None when there are no more."""
        with self._changed:
            while True:
                if self._failure is not None:
                    raise self._failure
                key = self._next_ready()
                if key is not None:
                    record, cost = self._ready.pop(key)
                    self._bytes -= cost
                    self._changed.notify_all()
                    return record
                if not self._alive and not self._ready:
                    return None
                self._changed.wait()

    def stop(self) -> None:
        """End the threads; a thread that is decoding finishes its frame first."""
        with self._changed:
            self._stopped = True
            self._ready.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _next_ready(self) -> tuple[int, int] | None:
        if not self._ordered:
            return next(iter(self._ready), None)
        number, frame = self._wanted
        while self._counts.get(number) == frame:
            del self._counts[number]
            number, frame = number + 1, 0
        if (number, frame) != self._wanted:
            self._wanted = number, frame
            self._changed.notify_all()
        if self._wanted not in self._ready:
            return None
        self._wanted = number, frame + 1
        return number, frame

    # -- on the threads

    def _run(self) -> None:
        try:
            while (drawn := self._draw()) is not None:
                file, frames = drawn
                for frame in frames:
                    self._decode(file, frame)
        except BaseException as error:  # an error of the listing, or our own: those of files are in their records
            with self._changed:
                self._failure = self._failure or error
        finally:
            with self._changed:
                self._alive -= 1
                self._changed.notify_all()

    def _draw(self) -> tuple[_File, range] | None:
        """The next frame that no thread has taken, of the first started file, or else of a new file."""
        while True:
            with self._changed:
                if self._stopped or self._failure is not None:
                    return None
                if self._started:
                    file = self._started[0]
                    first, file.next = file.next, file.next + 1
                    if file.next == len(file.frames):
                        del self._started[0]
                    return file, range(first, first + 1)
            with self._listing:
                numbered = next(self._listed, None)
            if numbered is None:
                return None
            started = self._begin(*numbered)
            if started is not None:
                return started

    def _begin(self, number: int, listed: tuple[int, str]) -> tuple[_File, range] | None:
        """Open a file and take its first frame; any thread may take the others. None if the file can't be read."""
        row, path = listed
        try:
            file = _File(number, row, path, self._cache is not None, self._limits)
        except Exception as error:
            with self._changed:
                self._counts[number] = 1
            self._reserve((number, 0), RECORD_BYTES)
            self._put((number, 0), FrameRecord(path, 0, None, error, row), RECORD_BYTES)
            return None
        count = len(file.frames)
        with self._changed:
            self._counts[number] = count
            if file.in_turn:
                return file, range(count)
            file.next = 1
            if count > 1:
                insort(self._started, file, key=lambda started: started.number)
                self._changed.notify_all()
        return file, range(1)

    def _decode(self, file: _File, frame: int) -> None:
        key, cost = (file.number, frame), file.frame_bytes + RECORD_BYTES
        if not self._reserve(key, cost):
            return
        array, error = None, None
        try:
            array = self._samples(file, frame)
        except Exception as raised:
            error = raised
        issues = file.frames.issues_of(frame)
        self._put(key, FrameRecord(file.path, frame, array, error, file.row, issues), cost)

    def _samples(self, file: _File, frame: int) -> NDArray[Any]:
        if self._cache is None or file.frames.limits.strict:  # a cached frame may come from a call without strict
            return file.frames.decode(frame, raw=self._raw)
        key = FrameKey(_name(file.path), *file.facts, frame, self._raw)
        cached = self._cache.get(key)
        if cached is not None and cached.shape == file.frames.description.shape and cached.dtype == file.frames.dtype:
            return cached
        decoded = file.frames.decode(frame, raw=self._raw)
        if any(note.frame == frame for note in file.frames.notes):
            return decoded  # the frame has an issue, which a cached array could not report to a later caller
        decoded.flags.writeable = False  # the cache and the caller share the array
        self._cache.put(key, decoded)
        return decoded

    def _reserve(self, key: tuple[int, int], cost: int) -> bool:
        """Reserve `cost` bytes of the budget, waiting until they are free; False once stopped.

        A frame that the caller is waiting for, or the only one, gets its bytes at once.
        """
        with self._changed:
            while self._bytes and self._bytes + cost > self._budget and not (self._ordered and key == self._wanted):
                if self._stopped or self._failure is not None:
                    return False
                self._changed.wait()
            self._bytes += cost
            return not self._stopped

    def _put(self, key: tuple[int, int], record: FrameRecord, cost: int) -> None:
        with self._changed:
            if not self._stopped:
                self._ready[key] = record, cost
                self._changed.notify_all()
