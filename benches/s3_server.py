"""moto's S3 server as a process of its own that counts requests and bytes: ``python -m benches.s3_server PORT``.

``GET /-/counts`` gives both since the last such request, as JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

# Parts of objects stay in memory, as the protocol is measured.
os.environ.setdefault("MOTO_S3_DEFAULT_KEY_BUFFER_SIZE", str(1 << 24))

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple


class Counting:
    """moto's application, with a count of requests and bytes."""

    def __init__(self) -> None:
        self._app = DomainDispatcherApplication(create_backend_app)
        self._counts: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/-/counts":
            body = json.dumps(self._counts).encode()
            self._counts = Counter()
            start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]
        self._counts["requests"] += 1
        self._counts[environ["REQUEST_METHOD"]] += 1
        return self._counted(self._app(environ, start_response))

    def _counted(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        for part in parts:
            self._counts["bytes"] += len(part)
            yield part


class KeepAlive(WSGIRequestHandler):
    """Connections that stay open, like S3's."""

    protocol_version = "HTTP/1.1"


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    run_simple("127.0.0.1", int(sys.argv[1]), Counting(), threaded=True, request_handler=KeepAlive)
