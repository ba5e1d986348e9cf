"""Capabilities (PS3.18 8.9): what the server offers, for programs."""

from __future__ import annotations

import json

from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target

__all__ = ["capabilities", "openapi"]


async def capabilities(request: Request, target: Target) -> Reply:
    """Answer OPTIONS, and GET of the root."""
    return Reply(200, "application/json", json.dumps({"store": request.node.store}).encode())


async def openapi(request: Request, target: Target) -> Reply:
    """The description of the service."""
    return Reply(200, "application/json", b"{}")
