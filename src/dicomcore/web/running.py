"""Run an application: uvicorn with httptools in a thread, beside whatever else a process does."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from functools import partial
from typing import Any, Self

import uvicorn

from dicomcore.web.limits import DEFAULT_WEB_LIMITS, WebLimits
from dicomcore.web.patience import Patience

__all__ = ["Running"]

LOOPBACK = "127.0.0.1"
BACKLOG = 2048
STOPPING = 10  # seconds that requests under way may take


class Running:
    """An application that is served, as a context manager; it listens when the block begins.

    Parameters
    ----------
    application : ASGI application
        What `app` returns, or another that it is mounted in.
    port : int
        The port; 0 takes a free one.
    host : str
        The address to listen at; by default this machine alone.
    certificate, key : path, optional
        PEM files; with them the server speaks TLS.
    stopping : float
        Seconds that requests under way may take when the block ends.
    limits : WebLimits, optional
        How long clients may take for heads of requests, and to take answers; by default those of what `app` returned.
    """

    def __init__(
        self,
        application: Any,
        port: int = 0,
        *,
        host: str = LOOPBACK,
        certificate: str | os.PathLike[str] | None = None,
        key: str | os.PathLike[str] | None = None,
        stopping: float = STOPPING,
        limits: WebLimits | None = None,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # asyncio sets TCP_NODELAY only on connections of a socket that names its protocol; without it, the body of an
        # answer waits for the acknowledgement of its head.
        self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((host, port))
            self._socket.listen(BACKLOG)
        except OSError:
            self._socket.close()
            raise
        self.host, self.port = self._socket.getsockname()[:2]
        self._scheme = "https" if certificate else "http"
        if limits is None:
            limits = getattr(getattr(application, "node", None), "limits", DEFAULT_WEB_LIMITS)
        config = uvicorn.Config(
            application,
            http=partial(Patience, limits=limits),  # type: ignore[arg-type]
            ws="websockets-sansio",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=max(int(stopping), 1),
            ssl_certfile=certificate,
            ssl_keyfile=key,
            ssl_version=ssl.PROTOCOL_TLS_SERVER,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="dicomcore-web-server", daemon=True)

    @property
    def url(self) -> str:
        """Where the application is, for clients of this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self._scheme}://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End: no more connections, requests under way are answered, then all is closed."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        finally:
            self._server.ready.set()
            self._socket.close()


class _Server(uvicorn.Server):
    """Uvicorn's server, which says when it listens; signals are for the main thread."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen."""
        await super().startup(sockets)
        self.ready.set()
