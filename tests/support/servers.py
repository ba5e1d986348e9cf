"""Servers on this machine for tests of remote sources: HTTP with ranges and with faults, and S3 by moto."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

RANGE = re.compile(r"bytes=(\d+)-(\d+)")


def free_port() -> int:
    """A port of this machine at which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


class Asked(NamedTuple):
    """A request in the server's log: method, path, status, bytes of the answer's body."""

    method: str
    path: str
    status: int
    sent: int


class WebServer:
    """Files by path under `url`. `faults` by path: "reset", "stall", "cut", a status for every request, or a list of
    faults for successive requests, None for no fault; "no ranges" answers with the whole file."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, Any] = {}
        self.log: list[Asked] = []
        self.released = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.answer(self)

            do_HEAD = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.lstrip("/")
        fault = self.faults.get(path)
        if isinstance(fault, list):
            fault = fault.pop(0) if fault else None
        if fault == "reset":
            self.log.append(Asked(request.command, path, 0, 0))
            request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            request.connection.close()
            request.close_connection = True
            return
        if fault == "stall":
            self.log.append(Asked(request.command, path, 0, 0))
            self.released.wait(20)
            request.close_connection = True
            return
        if isinstance(fault, int) or path not in self.files:
            self._send(request, path, fault or 404, b"no", {})
            return
        data = self.files[path]
        found = RANGE.fullmatch(request.headers.get("Range", ""))
        if found is None or fault == "no ranges":
            self._send(request, path, 200, data, {})
            return
        start, stop = int(found[1]), min(int(found[2]) + 1, len(data))
        if start >= len(data):
            self._send(request, path, 416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        headers = {"Content-Range": f"bytes {start}-{stop - 1}/{len(data)}", "ETag": '"e1"'}
        headers["Last-Modified"] = "Wed, 21 Oct 2015 07:28:00 GMT"
        self._send(request, path, 206, data[start:stop], headers, cut=fault == "cut")

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        path: str,
        status: int,
        data: bytes,
        headers: dict[str, str],
        cut: bool = False,
    ) -> None:
        body = data[: len(data) // 2] if cut else data
        # Before anything is sent: an answer without a body is complete with its headers.
        self.log.append(Asked(request.command, path, status, len(body)))
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.close_connection = request.close_connection or cut
        if request.command != "HEAD":
            try:
                request.wfile.write(body)
            except OSError:  # the client closed the connection
                request.close_connection = True


@contextmanager
def web_server() -> Iterator[WebServer]:
    """A running WebServer."""
    server = WebServer()
    thread = threading.Thread(target=server.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.server.shutdown()
        server.server.server_close()


class S3Server(NamedTuple):
    """moto's server; `log` grows by one entry a request."""

    url: str
    log: list[Asked]


LINE = re.compile(r'"(\w+) /(\S*) HTTP/[\d.]+" (\d+)')


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """moto's S3 server, in a thread."""
    from moto.server import ThreadedMotoServer

    log: list[Asked] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found = LINE.search(re.sub(r"\x1b\[\d*m", "", record.getMessage()))
            if found is not None:
                log.append(Asked(found[1], found[2], int(found[3]), -1))

    listener = Listener()
    logger = logging.getLogger("werkzeug")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=True)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3Server(f"http://{host}:{port}", log)
    finally:
        server.stop()
        logger.removeHandler(listener)
        logger.setLevel(level)


def wait_until(ready: Any, seconds: float = 5) -> None:
    """Wait until `ready()` is true or the time is over: logs are written a moment after the answer."""
    end = time.monotonic() + seconds
    while not ready() and time.monotonic() < end:
        time.sleep(0.01)
