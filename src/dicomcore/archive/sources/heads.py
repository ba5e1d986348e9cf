"""Feeding the bulk loop with what is no local path: the heads of a batch's files, asked for ahead of their turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from dicomcore._native.bulk.extract import Extractor
from dicomcore.archive.sources.blob import Blob
from dicomcore.archive.sources.place import Fault, Place, shown

__all__ = ["Heads"]

IN_FLIGHT = 32  # files of one batch that are asked for at a time; each worker has a batch


class Heads:
    """The files of one batch that stand elsewhere, taken in their order."""

    def __init__(self, paths: list[str]) -> None:
        places = [path for path in paths if isinstance(path, Place) and not isinstance(path, Fault)]
        self._coming: Iterator[Place] = iter(places)
        self._asked: deque[tuple[Place, Future[Blob] | None]] = deque()
        self._blob: Blob | None = None
        self._row = -1

    @classmethod
    @contextmanager
    def of(cls, paths: list[str]) -> Iterator[Heads]:
        """The same; what is still on its way at the end is called off."""
        heads = cls(paths)
        try:
            yield heads
        finally:
            for _, future in heads._asked:
                if future is not None:
                    future.cancel()

    def feed(self, rows: Extractor, row: int, place: Place) -> Blob | None:
        """Give the bulk loop the place's bytes, or more of them; a Blob where it can't use them.

        Raises what keeps the place from being read.
        """
        if row != self._row:
            self._row, self._blob = row, None
            self._blob = self._take(place)
        elif self._blob is not None and (missing := rows.missing) is not None:
            self._blob.extend(missing)
        else:
            return self._blob
        rows.give(shown(place), self._blob.size, self._blob.mtime, self._blob.pieces)
        return None

    def _take(self, place: Place) -> Blob:
        while len(self._asked) < IN_FLIGHT and (one := next(self._coming, None)) is not None:
            self._asked.append((one, one.ask()))
        found, future = self._asked.popleft()
        assert found is place, "places are taken in their order"
        return place.open() if future is None else future.result()
