"""Decoded frames kept for the next pass: in memory up to a size, or in a folder."""

from __future__ import annotations

import os
import threading
import warnings
from collections import OrderedDict
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dicomcore.files import placed

__all__ = ["Cache", "DiskCache", "FrameKey", "MemoryCache", "as_cache"]


class FrameKey(NamedTuple):
    """What a cached frame is of: a file that has since kept its size and mtime (ns), one of its frames."""

    path: str
    size: int
    mtime: int
    frame: int
    raw: bool


class Cache(Protocol):
    """What `frames` takes as a cache; called from several threads at once."""

    def get(self, key: FrameKey) -> NDArray[Any] | None:
        """The samples, not to be written to; None where they aren't there."""

    def put(self, key: FrameKey, array: NDArray[Any]) -> None:
        """Keep the samples, or don't."""


class MemoryCache:
    """The frames last used, `max_bytes` of samples at most."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self._arrays: OrderedDict[FrameKey, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._arrays)

    def get(self, key: FrameKey) -> NDArray[Any] | None:
        """The samples, read-only."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
            return self._arrays.get(key)

    def put(self, key: FrameKey, array: NDArray[Any]) -> None:
        """Keep the samples; those unused for longest make room."""
        if array.nbytes > self.max_bytes:
            return
        with self._lock:
            before = self._arrays.pop(key, None)
            self.held_bytes += array.nbytes - (before.nbytes if before is not None else 0)
            self._arrays[key] = array
            while self.held_bytes > self.max_bytes:
                self.held_bytes -= self._arrays.popitem(last=False)[1].nbytes


class DiskCache:
    """A folder of NPY files, made if need be; nothing is ever removed from it. Several processes may share it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.fsdecode(folder)
        os.makedirs(self._folder, exist_ok=True)
        self._warned = False

    def _place(self, key: FrameKey) -> str:
        name = blake2b(repr(tuple(key)).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        return os.path.join(self._folder, name[:2], f"{name}.npy")

    def get(self, key: FrameKey) -> NDArray[Any] | None:
        """The samples, read-only; a damaged file is none."""
        try:
            found: NDArray[Any] = np.load(self._place(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        found.flags.writeable = False
        return found

    def put(self, key: FrameKey, array: NDArray[Any]) -> None:
        """Write the file whole or not at all; a folder that can't be written to is said once, as a warning."""
        place = self._place(key)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with placed(place, durable=False) as handle, open(handle, "wb", closefd=False) as file:
                np.save(file, array, allow_pickle=False)
        except OSError as error:
            if not self._warned:
                self._warned = True
                warnings.warn(f"frames are not cached: {self._folder}: {error.strerror or error}", stacklevel=2)


def as_cache(cache: Cache | str | os.PathLike[str] | None) -> Cache | None:
    """A cache as it is; of a path the one in that folder."""
    return DiskCache(cache) if isinstance(cache, (str, os.PathLike)) else cache
