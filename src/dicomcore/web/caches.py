"""Bounded: what is kept ready, the least recently used of it forgotten first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Bounded"]

Kept = TypeVar("Kept")


class Bounded(Generic[Kept]):
    """Values by key, up to a total weight. Any thread may use it."""

    def __init__(self, most: int) -> None:
        self._most, self._weight = most, 0
        self._held: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Hashable) -> Kept | None:
        """The value of a key, None if it is not there."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: Kept, weight: int = 1) -> None:
        """Keep a value, in place of others; one heavier than all together is not kept."""
        with self._lock:
            self._drop(key)
            if weight > self._most:
                return
            self._held[key] = value, weight
            self._weight += weight
            while self._weight > self._most:
                self._weight -= self._held.popitem(last=False)[1][1]

    def _drop(self, key: Hashable) -> None:
        old = self._held.pop(key, None)
        if old is not None:
            self._weight -= old[1]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._held.clear()
            self._weight = 0
