"""The viewer: a page at the root and its files, from a folder."""

from __future__ import annotations

import os
from mimetypes import guess_type

from dicomcore.web.problems import Problem
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.sending import OpenFile, span_reply

__all__ = ["page"]

POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self' blob: data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'; object-src 'none'"
)
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


async def page(request: Request, target: Target) -> Reply:
    """Answer a request for a file of the viewer."""
    if not request.node.viewer:
        raise Problem(404, "there is no such resource")
    return await request.node.work(_file, request, target.rest or ("index.html",))


def _file(request: Request, parts: tuple[str, ...]) -> Reply:
    for part in parts:
        if part in ("", ".", "..") or part.startswith(".") or set(part) & set("/\\\0:"):
            raise Problem(404, "there is no such resource")
    path = os.path.join(request.node.viewer, *parts)
    root = os.path.realpath(request.node.viewer)
    if not os.path.isfile(path) or os.path.commonpath([root, os.path.realpath(path)]) != root:
        raise Problem(404, "there is no such resource")
    file = OpenFile(path)
    tag = f'"{file.tag}"'
    if request.has_tag(tag):
        return Reply(304, headers=[("etag", tag), ("content-security-policy", POLICY)])  # it replaces the kept one
    ending = os.path.splitext(path)[1].lower()
    media = TYPES.get(ending) or guess_type(path)[0] or "application/octet-stream"
    reply = span_reply(request, file, [(0, file.size)], media, tag)
    reply.headers = [*reply.headers, ("content-security-policy", POLICY)]
    return reply
