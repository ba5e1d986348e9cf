"""Delete studies, series and instances, where the server allows it, as other servers do; PS3.18 has no such thing."""

from __future__ import annotations

import asyncio

from dicomcore.web.problems import Problem
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target

__all__ = ["remove"]


async def remove(request: Request, target: Target) -> Reply:
    """Answer a request to delete."""
    wanted = {name: uid for name, uid in target.uids.items() if uid}
    count = await asyncio.wrap_future(request.node.live.delete(**wanted))
    if not count:
        raise Problem(404, "there is no such resource")
    return Reply(204)
