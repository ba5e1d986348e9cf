"""Non-patient instances (PS3.18 12): palettes, protocols, templates and inventories, searched and retrieved by kind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from dicomcore.catalogue.attributes import OBJECTS
from dicomcore.dictionary import tag_for_keyword
from dicomcore.forms import from_json, to_json
from dicomcore.part10.reader import dcmread
from dicomcore.web.media import ANY, DICOM, JSON, XML
from dicomcore.web.problems import Problem
from dicomcore.web.queries import Search, read_search
from dicomcore.web.requests import Reply, Request
from dicomcore.web.retrieve import sent
from dicomcore.web.routes import Target
from dicomcore.web.rows import attribute_json
from dicomcore.web.search import chosen_form
from dicomcore.web.xml import xml_parts

__all__ = ["CLASSES", "object_handler", "resource_of"]

MODELS = {
    "color-palettes": ("color-palette",),
    "defined-procedure-protocols": ("defined-procedure-protocol",),
    "hanging-protocols": ("hanging-protocol",),
    "implant-templates": ("generic-implant", "implant-assembly", "implant-group"),
    "inventories": ("inventory",),
    "protocol-approvals": ("protocol-approval",),
}
CLASSES = {name: tuple(str(uid) for model in models for uid in OBJECTS[model]) for name, models in MODELS.items()}
"""The SOP classes of each resource (PS3.18 12.1.1)."""
RESOURCES = {uid: name for name, uids in CLASSES.items() for uid in uids}


def resource_of(sop_class: str) -> str:
    """The resource of the instances of a SOP class, "" for a class of instances that belong to patients."""
    return RESOURCES.get(sop_class, "")


async def object_handler(request: Request, target: Target) -> Reply:
    """Answer a request for instances of no patient, but for one that stores them."""
    if request.method == "DELETE" and target.instance:
        return await _remove(request, target)
    if not target.instance:
        return await request.node.work(_search, request, target, read_search(request, target), chosen_form(request))
    return await request.node.work(_retrieve, request, target)


def _found(request: Request, target: Target) -> Any:
    for entry, _ in request.node.catalogue.objects(CLASSES[target.kind]):
        if entry.sop_instance == target.instance:
            return entry
    raise Problem(404, "there is no such instance")


def _retrieve(request: Request, target: Target) -> Reply:
    entry = _found(request, target)
    for one in request.accepted:
        if one.media == ANY or one.takes(DICOM):
            return sent(request, [entry])
        if one.takes(JSON) or one.takes(XML):
            source = request.node.catalogue.source(entry)
            try:
                ds = dcmread(source, limits=request.node.reading, force=True)
            except FileNotFoundError:
                raise Problem(410, "the file of the instance is gone") from None
            return Reply(200, JSON, f"[{to_json(ds)}]".encode(), is_text=True) if one.takes(JSON) else xml_parts([ds])
    raise Problem(406, f"this resource comes as {DICOM}, {JSON} or {XML}")


async def _remove(request: Request, target: Target) -> Reply:
    if not request.node.delete:
        raise Problem(405, "nothing is deleted here", [("allow", "GET, HEAD, OPTIONS")])
    await request.node.work(_found, request, target)
    await asyncio.wrap_future(request.node.live.delete(instance=target.instance))
    return Reply(204)


def _search(request: Request, target: Target, wanted: Search, form: str) -> Reply:
    query = wanted.compiled()
    found = request.node.catalogue.objects(CLASSES[target.kind])
    rows = [query.seen(row) for _, row in found if query.matches(row)]
    most = request.node.limits.results
    stop = wanted.offset + (most if wanted.limit is None else min(wanted.limit, most))
    page = rows[wanted.offset : stop]
    headers = []
    if len(rows) > stop:
        text = f"There are {len(rows) - stop} additional results that can be requested"
        headers = [("x-total-count", str(len(rows))), ("warning", f"299 {request.base}: {text}")]
    if not page:
        return Reply(204, headers=headers)
    place = f"{request.base}/{target.kind}/"
    objects = [_object(row, wanted, place) for row in page]
    if form == XML:
        reply = xml_parts([from_json(text) for text in objects])
    else:
        reply = Reply(200, JSON, f"[{','.join(objects)}]".encode(), is_text=True)
    reply.headers = headers
    return reply


def _object(row: Mapping[str, Any], wanted: Search, place: str) -> str:
    """A row as an object: its plain attributes, and the sequences that are asked for."""
    asked = {key.partition(".")[0] for key in (*wanted.keys, *wanted.include)}
    everything = wanted.everything
    shown = {name: value for name, value in row.items() if everything or name in asked or type(value) is not list}
    shown |= dict.fromkeys(asked - shown.keys())
    shown |= {"RetrieveURL": place + quote(str(row["SOPInstanceUID"]), safe=""), "InstanceAvailability": "ONLINE"}
    tags = {name: int(tag) for name in shown if (tag := tag_for_keyword(name)) is not None}
    return "{" + ",".join(attribute_json(name, shown[name]) for name in sorted(tags, key=tags.__getitem__)) + "}"
