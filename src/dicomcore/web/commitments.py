"""Storage commitment (PS3.18 13): whether instances are kept, asked for once and answered as often as wanted."""

from __future__ import annotations

from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.forms import from_json, to_json
from dicomcore.services.commitment import Reference, check, references_in, result_of
from dicomcore.web.media import JSON, XML
from dicomcore.web.problems import Problem
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import LONGEST_UID, Target
from dicomcore.web.search import chosen_form
from dicomcore.web.workitems import body_data_set
from dicomcore.web.xml import xml_reply

__all__ = ["commitment_handler"]

KIND = "commitment-request"
METHODS = "GET, HEAD, POST, OPTIONS"


def commitment_handler(request: Request, target: Target) -> Any:
    """What answers a request below ``/commitment-requests``; Problem 404 or 405 if nothing does."""
    if len(target.rest) != 1 or not _is_uid(target.rest[0]):
        raise Problem(404, "there is no such resource")
    if request.method == "POST":
        return ask
    if request.method in ("GET", "HEAD"):
        return result
    raise Problem(405, f"{request.method[:20]} is not for this resource", [("allow", METHODS)])


def _is_uid(text: str) -> bool:
    return 0 < len(text) <= LONGEST_UID and text.replace(".", "").isdigit() and text.isascii()


async def ask(request: Request, target: Target) -> Reply:
    """Take a request (13.4): it is looked at in the background, and the result asked for later."""
    ds = await body_data_set(request)
    wanted = references_in(ds)
    if not wanted:
        raise Problem(400, "the request refers to no instance")
    node, uid = request.node, target.rest[0]
    models = [[one.sop_class, one.sop_instance] for one in wanted]
    put = node.catalogue.records.put
    await node.work(lambda: put(KIND, uid, {"asked": models}))
    node.begin(_look, request, uid)
    place = f"{request.base}/commitment-requests/{uid}"
    return Reply(202, headers=[("location", place), ("content-location", place)])


def _look(request: Request, uid: str) -> dict[str, Any] | None:
    """Find out what is kept, and remember it; None if nobody asked."""
    records = request.node.catalogue.records
    found = records.get(KIND, uid)
    if found is None:
        return None
    value: dict[str, Any] = found.value
    if "result" not in value:
        wanted = [Reference(*one) for one in value["asked"]]
        _, ds = result_of(uid, check(request.node.catalogue, wanted))
        value = value | {"result": to_json(ds)}
        records.put(KIND, uid, value)
    return value


async def result(request: Request, target: Target) -> Reply:
    """Give the result (13.5)."""
    form = chosen_form(request)
    value = await request.node.work(_look, request, target.rest[0])
    if value is None:
        raise Problem(404, "there is no such request")
    if form == XML:
        made: Dataset = from_json(value["result"])
        return xml_reply(made)
    return Reply(200, JSON, value["result"].encode())
