"""Reads of up to 1 MiB: httpcore takes 64 KiB from a socket at a time, and each time costs it more than the bytes do.

The streams of a pool are wrapped, which is no public way into httpx: where it does not fit, reads stay as they are.
"""

from __future__ import annotations

from typing import Any

__all__ = ["widen"]

READ = 1 << 20


class _Wide:
    """A network stream that reads more at a time."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.write, self.get_extra_info = inner.write, inner.get_extra_info

    def read(self, max_bytes: int, timeout: float | None = None) -> Any:
        """The next bytes; of an asynchronous stream, an awaitable."""
        return self._inner.read(max(max_bytes, READ), timeout=timeout)


class _WideStream(_Wide):
    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def start_tls(self, *arguments: Any, **options: Any) -> _WideStream:
        """The stream behind TLS."""
        return _WideStream(self._inner.start_tls(*arguments, **options))


class _WideAsyncStream(_Wide):
    async def aclose(self) -> None:
        """Close it."""
        await self._inner.aclose()

    async def start_tls(self, *arguments: Any, **options: Any) -> _WideAsyncStream:
        """The stream behind TLS."""
        return _WideAsyncStream(await self._inner.start_tls(*arguments, **options))


class _Backend:
    """What opens streams."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.sleep = inner.sleep

    def connect_tcp(self, *arguments: Any, **options: Any) -> Any:
        """A connection to a host."""
        return _WideStream(self._inner.connect_tcp(*arguments, **options))

    def connect_unix_socket(self, *arguments: Any, **options: Any) -> Any:
        """A connection to a socket of this machine."""
        return _WideStream(self._inner.connect_unix_socket(*arguments, **options))


class _AsyncBackend(_Backend):
    async def connect_tcp(self, *arguments: Any, **options: Any) -> Any:
        """A connection to a host."""
        return _WideAsyncStream(await self._inner.connect_tcp(*arguments, **options))

    async def connect_unix_socket(self, *arguments: Any, **options: Any) -> Any:
        """A connection to a socket of this machine."""
        return _WideAsyncStream(await self._inner.connect_unix_socket(*arguments, **options))


def widen(client: Any, *, is_async: bool) -> None:
    """Let an httpx client read more at a time."""
    pool: Any = getattr(getattr(client, "_transport", None), "_pool", None)
    backend = getattr(pool, "_network_backend", None)
    if pool is not None and backend is not None:
        pool._network_backend = (_AsyncBackend if is_async else _Backend)(backend)
