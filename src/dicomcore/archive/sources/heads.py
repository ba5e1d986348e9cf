"""Heads of a batch's files that are not local paths: requested in advance, and passed to the bulk loop in turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import Fault, Place, shown

__all__ = ["Heads"]

IN_FLIGHT = 32  # requests under way for one batch; each worker has a batch


class Heads:
    """The heads of those files of one batch that are Places, in the order of the batch."""

    def __init__(self, paths: list[str]) -> None:
        places = [path for path in paths if isinstance(path, Place) and not isinstance(path, Fault)]
        self._coming: Iterator[Place] = iter(places)
        self._requests: deque[tuple[Place, Future[Blob] | None]] = deque()
        self._blob: Blob | None = None
        self._row = -1

    @classmethod
    @contextmanager
    def of(cls, paths: list[str]) -> Iterator[Heads]:
        """The heads of `paths` as a context, which cancels the requests that are under way at its end."""
        heads = cls(paths)
        try:
            yield heads
        finally:
            for _, future in heads._requests:
                if future is not None:
                    future.cancel()

    def feed(self, rows: Extractor, row: int, place: Place) -> Blob | None:
        """Pass the first bytes of `place`, or more of them, to the bulk loop; a Blob if the loop can't use them.

        Raises whatever exception opening or reading the place raises.
        """
        if row != self._row:
            self._row, self._blob = row, None
            self._blob = self.take(place)
        elif self._blob is not None and (missing := rows.missing) is not None:
            self._blob.extend(missing)
        else:
            return self._blob
        rows.give(shown(place), self._blob.size, self._blob.mtime, self._blob.pieces)
        return None

    def take(self, place: Place) -> Blob:
        """The head of the next Place. Raises whatever exception opening it raises."""
        while len(self._requests) < IN_FLIGHT and (coming := next(self._coming, None)) is not None:
            self._requests.append((coming, coming.ask()))
        first, future = self._requests.popleft()
        assert first is place, "places are taken in their order"
        return place.open() if future is None else future.result()
