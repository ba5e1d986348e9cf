"""Idle: how long a client may keep the server waiting, without a timer for every piece."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

__all__ = ["Idle"]


class Idle:
    """Raises TimeoutError in its block when one wait, from `begin` to `end`, takes longer than some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None
        self._is_over = False
        self.waited = 0.0
        """Seconds of all waits that are over."""

    def begin(self) -> None:
        """Wait from now on."""
        self._began = self._loop.time()

    def end(self) -> None:
        """The wait is over."""
        if self._began is not None:
            self.waited += self._loop.time() - self._began
        self._began = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._timer = self._loop.call_later(self._seconds, self._look)
        return self

    def _look(self) -> None:
        now = self._loop.time()
        left = self._seconds if self._began is None else self._began + self._seconds - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._is_over = True
            self._task.cancel()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._is_over and kind is asyncio.CancelledError:
            self._task.uncancel()
            raise TimeoutError(f"waited for more than {self._seconds:g} s") from error
