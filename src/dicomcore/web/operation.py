"""What those who run a server ask: whether it works, and how much."""

from __future__ import annotations

import json

from dicomcore.version import __version__
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target

__all__ = ["health", "metrics"]


async def health(request: Request, target: Target) -> Reply:
    """Whether the catalogue answers."""
    count = await request.node.work(len, request.node.catalogue)
    model = {"status": "ok", "instances": count, "version": __version__}
    return Reply(200, "application/json", json.dumps(model).encode())


async def metrics(request: Request, target: Target) -> Reply:
    """Counters for Prometheus."""
    count = await request.node.work(len, request.node.catalogue)
    return Reply(200, "text/plain; version=0.0.4; charset=utf-8", request.node.metrics.text(count).encode())
