"""Caches of decoded frames for the next pass: in memory up to a size, or in a folder."""

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
    """The key of a cached frame: the file's path, size and mtime (ns), the frame's number, and `raw`."""

    path: str
    size: int
    mtime: int
    frame: int
    raw: bool


class Cache(Protocol):
    """The interface of a cache for `frames`, which several threads call at once."""

    def get(self, key: FrameKey) -> NDArray[Any] | None:
        """The samples, which the caller does not modify; None if they are not cached."""

    def put(self, key: FrameKey, array: NDArray[Any]) -> None:
        """Store the samples; a cache may ignore them."""


class MemoryCache:
    """A cache in memory of the frames used last, of at most `max_bytes` of samples."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held_bytes = 0
        self._arrays: OrderedDict[FrameKey, NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._arrays)

    def get(self, key: FrameKey) -> NDArray[Any] | None:
        """The samples, read-only; None if they are not cached."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
            return self._arrays.get(key)

    def put(self, key: FrameKey, array: NDArray[Any]) -> None:
        """Store the samples; the frames that were not used for the longest time are removed."""
        if array.nbytes > self.max_bytes:
            return
        with self._lock:
            before = self._arrays.pop(key, None)
            self.held_bytes += array.nbytes - (before.nbytes if before is not None else 0)
            self._arrays[key] = array
            while self.held_bytes > self.max_bytes:
                self.held_bytes -= self._arrays.popitem(last=False)[1].nbytes


class DiskCache:
    """A cache of NPY files in `folder`, which is created if it does not exist. Several processes may share it; no file
    is ever removed."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = os.fsdecode(folder)
        os.makedirs(self._folder, exist_ok=True)
        self._warned = False

    def _place(self, key: FrameKey) -> str:
        name = blake2b(repr(tuple(key)).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        return os.path.join(self._folder, name[:2], f"{name}.npy")

    def get(self, key: FrameKey) -> NDArray[Any] | None:
        """The samples, read-only; None if their file does not exist or is damaged."""
        try:
            array: NDArray[Any] = np.load(self._place(key), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        array.flags.writeable = False
        return array

    def put(self, key: FrameKey, array: NDArray[Any]) -> None:
        """Write the samples to a complete file or not at all; if the folder can't be written to, warn once."""
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
    """The cache itself; for a path, a DiskCache in that folder."""
    return DiskCache(cache) if isinstance(cache, (str, os.PathLike)) else cache
