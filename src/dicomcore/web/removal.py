"""Delete studies, series and instances, where the server allows it, as other servers do; PS3.18 has no such thing."""

from __future__ import annotations

import asyncio

from dicomcore.web.problems import Problem
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target

__all__ = ["remove"]


async def remove(request: Request, target: Target) -> Reply:
    """Answer a request to delete."""
    node = request.node
    subject = None if node.audit is None else await node.work(node.audit.subject, target.study)
    gone = node.live.delete(study=target.study, series=target.series, instance=target.instance)
    count = await asyncio.wrap_future(gone)
    if not count:
        raise Problem(404, "there is no such resource")
    if node.audit is not None and subject is not None:
        await node.work(node.audit.deleted, request, target, subject)
    return Reply(204)
