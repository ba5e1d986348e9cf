"""Capabilities (PS3.18 8.9): what the server offers, as WADL, and as OpenAPI for programs and test tools."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any, NamedTuple

from dicomcore.version import __version__
from dicomcore.web.media import DICOM, JSON, OCTETS, XML
from dicomcore.web.node import Node
from dicomcore.web.problems import MEDIA
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import OBJECTS, Target

__all__ = ["capabilities", "openapi"]

WADL = "application/vnd.sun.wadl+xml"
NAMESPACE = "http://wadl.dev.java.net/2009/02"
STUDY, SERIES = "/studies/{study}", "/studies/{study}/series/{series}"
INSTANCE = SERIES + "/instances/{instance}"
LEVELS = (STUDY, SERIES, INSTANCE)
PLACES = re.compile(r"{(\w+)}")
MULTIPART = "multipart/related"
METADATA = (JSON, MULTIPART)
SEARCH = {"limit": "integer", "offset": "integer", "includefield": "string", "fuzzymatching": "boolean",
          "emptyvaluematching": "boolean", "multiplevaluematching": "boolean", "PatientID": "string"}  # fmt: skip
RENDERING = {"viewport": "string", "window": "string", "quality": "integer", "annotation": "string",
             "iccprofile": "string", "accept": "string"}  # fmt: skip
PICTURES = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/jp2",
    "text/html",
    "text/plain",
    "application/pdf",
    MULTIPART,
)
STORED = (DICOM, MULTIPART)


class Offer(NamedTuple):
    """A method of a resource: what it does, its parameters, what comes back, with which statuses, and what is sent."""

    path: str
    method: str
    name: str
    media: tuple[str, ...] = ()
    parameters: dict[str, str] = {}  # noqa: RUF012  never changed
    statuses: tuple[int, ...] = (200, 404)
    sends: tuple[str, ...] = ()


def _offers(node: Node) -> Iterator[Offer]:
    """All that an application serves."""
    for path in ("/studies", STUDY + "/series", STUDY + "/instances", SERIES + "/instances", "/series", "/instances"):
        yield Offer(path, "get", "search", METADATA, SEARCH, (200, 204))
    for path in LEVELS:
        yield Offer(path, "get", "retrieve", STORED, {"accept": "string"})
        yield Offer(path + "/metadata", "get", "retrieve metadata", METADATA)
        yield Offer(path + "/pixeldata", "get", "retrieve pixel data", (MULTIPART,))
        yield Offer(path + "/bulkdata", "get", "retrieve bulk data", (MULTIPART,))
        yield Offer(path + "/rendered", "get", "render", PICTURES, RENDERING)
        yield Offer(path + "/thumbnail", "get", "render a thumbnail", PICTURES[:4], {"viewport": "string"})
        if node.delete:
            yield Offer(path, "delete", "delete", (), {}, (204, 404))
    frames = INSTANCE + "/frames/{frames}"
    yield Offer(frames, "get", "retrieve frames", (MULTIPART, OCTETS, "image/jpeg", "image/jls", "image/jp2"))
    yield Offer(frames + "/rendered", "get", "render frames", (*PICTURES[:4], MULTIPART), RENDERING)
    yield Offer(frames + "/thumbnail", "get", "render a thumbnail", PICTURES[:4], {"viewport": "string"})
    uids = dict.fromkeys(("requestType", "studyUID", "seriesUID", "objectUID", "contentType"), "string")
    yield Offer("/wado", "get", "the URI service", (*PICTURES, DICOM), uids)
    if node.store:
        for path in ("/studies", STUDY):
            yield Offer(path, "post", "store", (JSON, XML), {}, (200, 202, 409), STORED)
    for name in sorted(OBJECTS):
        yield Offer(f"/{name}", "get", "search", METADATA, {"limit": "integer", "offset": "integer"}, (200, 204))
        yield Offer(f"/{name}/{{instance}}", "get", "retrieve", (*STORED, JSON), {"accept": "string"})
        if node.store:
            yield Offer(f"/{name}", "post", "store", (JSON, XML), {}, (200, 202, 409), STORED)
            yield Offer(f"/{name}/{{instance}}", "post", "store", (JSON, XML), {}, (200, 202, 409), STORED)
    yield from _services(node)
    yield Offer("/health", "get", "whether it works", ("application/json",), {}, (200,))
    yield Offer("/metrics", "get", "counters", ("text/plain",), {}, (200,))
    yield Offer("/openapi.json", "get", "this description", ("application/json",), {}, (200,))


def _services(node: Node) -> Iterator[Offer]:
    yield Offer("/commitment-requests/{transaction}", "get", "storage commitment result", (JSON, XML))
    yield Offer("/commitment-requests/{transaction}", "post", "request storage commitment", (), {}, (202, 404), (JSON,))
    if node.workitems is None:
        return
    step, subscriber = "/workitems/{workitem}", "/workitems/{workitem}/subscribers/{aetitle}"
    yield Offer(
        "/workitems", "get", "search workitems", METADATA, {"limit": "integer", "offset": "integer"}, (200, 204)
    )
    yield Offer("/workitems", "post", "create a workitem", (), {}, (201, 409), (JSON, XML))
    yield Offer(step, "get", "retrieve a workitem", METADATA)
    yield Offer(step, "post", "update a workitem", (), {"transaction-uid": "string"}, (200, 404, 409), (JSON, XML))
    yield Offer(step + "/state", "put", "change the state", (), {}, (200, 404, 409), (JSON, XML))
    yield Offer(step + "/cancelrequest", "post", "request cancellation", (), {}, (202, 404, 409), (JSON, XML))
    yield Offer(subscriber, "post", "subscribe", (), {"deletionlock": "boolean"}, (201, 404, 409))
    yield Offer(subscriber, "delete", "unsubscribe", (), {}, (200, 404, 409))
    yield Offer(subscriber + "/suspend", "post", "suspend", (), {}, (200, 404, 409))


async def capabilities(request: Request, target: Target) -> Reply:
    """Answer OPTIONS, and GET of the root."""
    accept = request.headers.get("accept", "")
    if request.method == "OPTIONS" and "json" not in accept:
        return Reply(200, WADL, _wadl(request).encode(), is_text=True)
    return await openapi(request, target)


async def openapi(request: Request, target: Target) -> Reply:
    """The description of the service."""
    return Reply(200, "application/json", json.dumps(_model(request)).encode(), is_text=True)


def _model(request: Request) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for offer in _offers(request.node):
        paths.setdefault(offer.path, {})[offer.method] = _operation(offer)
    return {
        "openapi": "3.1.0",
        "info": {"title": "DICOMweb (PS3.18)", "version": __version__},
        "servers": [{"url": request.base}],
        "paths": paths,
    }


def _operation(offer: Offer) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in PLACES.findall(offer.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": kind}} for name, kind in offer.parameters.items()]
    answers: dict[str, Any] = {}
    for status in offer.statuses:
        has_body = status in (200, 202, 409)
        content: dict[str, Any] = {media: {} for media in offer.media} if has_body else {}
        if status >= 400:
            content[MEDIA] = {}
        answers[str(status)] = {"description": offer.name, **({"content": content} if content else {})}
    answers["default"] = {"description": "what is wrong", "content": {MEDIA: {}}}
    made: dict[str, Any] = {"summary": offer.name, "parameters": parameters, "responses": answers}
    if offer.sends:
        made["requestBody"] = {"required": True, "content": {media: {} for media in offer.sends}}
    return made


def _wadl(request: Request) -> str:
    by_path: dict[str, list[Offer]] = {}
    for offer in _offers(request.node):
        by_path.setdefault(offer.path, []).append(offer)
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<application xmlns="{NAMESPACE}"><resources base="{escape(request.base)}/">',
    ]
    for path, offers in by_path.items():
        lines.append(f'<resource path="{escape(path[1:])}">')
        lines += [f'<param name="{name}" style="template" required="true"/>' for name in PLACES.findall(path)]
        lines += [line for offer in offers for line in _method(offer)]
        lines.append("</resource>")
    return "\n".join([*lines, "</resources></application>\n"])


def _method(offer: Offer) -> Iterator[str]:
    yield f'<method name="{offer.method.upper()}" id="{escape(offer.name)}"><request>'
    for name in offer.parameters:
        yield f'<param name="{name}" style="query"/>'
    for media in offer.sends:
        yield f'<representation mediaType="{media}"/>'
    yield f'</request><response status="{" ".join(map(str, offer.statuses))}">'
    for media in offer.media:
        yield f'<representation mediaType="{media}"/>'
    yield "</response></method>"
