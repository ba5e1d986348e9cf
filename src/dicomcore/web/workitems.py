"""Worklist service, UPS-RS (PS3.18 11): requests over the workitems of a department."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from dicomcore.dataset import DataElement, Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.dictionary import dictionary_VR, tag_for_keyword
from dicomcore.errors import DicomError
from dicomcore.forms import from_json, from_xml, to_json
from dicomcore.forms.json_parser import parse_json
from dicomcore.services.ups import FILTERED, GLOBAL
from dicomcore.web.bodies import whole_body
from dicomcore.web.media import JSON, SPELLINGS, XML
from dicomcore.web.multipart import media_type, read_parts
from dicomcore.web.problems import Problem, reason
from dicomcore.web.queries import attribute_path
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.search import chosen_form
from dicomcore.web.xml import xml_parts

__all__ = ["body_data_set", "workitem_handler"]

Handler = Callable[[Request, Target], Any]
STATUSES = {
    0x0111: 409, 0x0117: 400, 0x0106: 400, 0x0120: 400, 0x0121: 400, 0x0114: 400, 0x0115: 400, 0x0110: 500,
    0xC307: 404, 0xC314: 404, 0xC309: 400,
}  # fmt: skip
"""HTTP codes of what DIMSE calls failures; all others are conflicts (PS3.18 Tables 11.4.3-1 and following)."""
TRANSACTION = frozenset({"transaction-uid", "transactionuid", "transaction", "transaction_uid", "00081195"})
"""How the transaction UID is spelled in queries, in lower case: it changed over the editions."""
PAGING = frozenset({"limit", "offset", "fuzzymatching", "includefield", "accept", "charset"})
MOST = 1000
MATCHED_AS_SUCH = frozenset({"DA", "DT", "PN", "TM", "UI"})
"""VRs that match in their own way (PS3.4 C.2.2.2); all others do as text."""
SUBSCRIBERS = "subscribers"
LONGEST_TITLE = 16


def workitem_handler(request: Request, target: Target) -> Handler:
    """What answers a request below ``/workitems``; Problem 404 or 405 if nothing does."""
    if request.node.workitems is None:
        raise Problem(404, "this service has no worklist")
    rest = target.rest
    shape = tuple("*" if at in (0, 2) else one for at, one in enumerate(rest))
    methods = ROUTES.get(shape)
    if methods is None:
        raise Problem(404, "there is no such resource")
    handler = methods.get("GET" if request.method == "HEAD" else request.method)
    if handler is None:
        allowed = ", ".join([*methods, "OPTIONS"])
        raise Problem(405, f"{request.method[:20]} is not for this resource", [("allow", allowed)])
    return handler


async def body_data_set(request: Request) -> Dataset:
    """The data set of a body in JSON or XML; Problem 400 or 415 if it is none."""
    content_type = request.headers.get("content-type", "")
    try:
        essence = media_type(content_type).essence if content_type else JSON
    except DicomError:
        raise Problem(415, "the Content-Type cannot be read") from None
    essence = SPELLINGS.get(essence, essence)
    data = await whole_body(request, request.node.limits.json_bytes)
    return await request.node.work(_parsed, request, essence, content_type, data)


def _parsed(request: Request, essence: str, content_type: str, data: bytes) -> Dataset:
    limits = request.node.reading
    try:
        if essence == "multipart/related":
            parts = list(read_parts([data], content_type))
            if len(parts) != 1:
                raise Problem(400, "one part is wanted")
            essence, data = parts[0][0].media_type.essence, bytes(parts[0][1])
        if essence == XML:
            made: Dataset = from_xml(data, limits=limits)
            return made
        if essence != JSON:
            raise Problem(415, f"a workitem comes as {JSON} or {XML}")
        model = parse_json(data, limits) if data else {}
        if isinstance(model, list):
            if len(model) != 1:
                raise Problem(400, "one data set is wanted")
            model = model[0]
        if not isinstance(model, dict):
            raise Problem(400, "DICOM JSON is an object of attributes")
        made = from_json(model, limits=limits)
        return made
    except (DicomError, TypeError) as error:
        raise Problem(400, f"the data set cannot be read: {reason(error)}") from None


def _settled(request: Request, reply: Any, good: int = 200, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """The answer to what the workitems say; Problem for a failure."""
    status = reply.status
    said = reply.comment or status.text
    if not status.is_success and int(status) != 1:
        code = STATUSES.get(int(status), 409)
        raise Problem(code, said, [("warning", f"299 {request.base}: {said}")])
    extra = [("warning", f"299 {request.base}: {said}")] if int(status) else []
    return Reply(good, headers=[*headers, *extra])


def _uid_in_query(request: Request) -> str:
    """A UID that stands alone behind the question mark, or under one of its names."""
    for name, value in request.query:
        if name.lower() in TRANSACTION or name.lower() in ("workitem", "uid"):
            return value
    lone = [name for name, value in request.query if not value and name[:1].isdigit()]
    return lone[0] if len(lone) == 1 else ""


async def create(request: Request, target: Target) -> Reply:
    """Create a workitem (11.4)."""
    ds = await body_data_set(request)
    uid = _uid_in_query(request) or text_of(ds, "SOPInstanceUID") or ""
    reply = await request.node.work(request.node.workitems.create, ds, uid or None)
    place = f"{request.base}/workitems/{quote(reply.instance or uid, safe='')}"
    return _settled(request, reply, 201, [("location", place), ("content-location", place)])


async def retrieve(request: Request, target: Target) -> Reply:
    """Retrieve a workitem (11.5)."""
    form = chosen_form(request)
    reply = await request.node.work(request.node.workitems.retrieve, target.rest[0])
    answer = _settled(request, reply)
    made = xml_parts([reply.dataset]) if form == XML else Reply(200, JSON, _array([reply.dataset]), is_text=True)
    made.headers = answer.headers
    return made


def _array(data_sets: Sequence[Dataset]) -> bytes:
    return f"[{','.join(to_json(one) for one in data_sets)}]".encode()


async def update(request: Request, target: Target) -> Reply:
    """Update a workitem (11.6)."""
    ds = await body_data_set(request)
    transaction = _uid_in_query(request) or None
    work = request.node.workitems.update
    reply = await request.node.work(lambda: work(target.rest[0], ds, transaction=transaction))
    return _settled(request, reply, 200, [("content-location", f"{request.base}/workitems/{quote(target.rest[0])}")])


async def change_state(request: Request, target: Target) -> Reply:
    """Change the state of a workitem (11.7)."""
    ds = await body_data_set(request)
    state, transaction = text_of(ds, "ProcedureStepState") or "", text_of(ds, "TransactionUID") or ""
    if not state:
        raise Problem(400, "Procedure Step State is wanted")
    if not transaction:
        raise Problem(400, "the Transaction UID is missing", [("warning", _missing(request))])
    reply = await request.node.work(request.node.workitems.change_state, target.rest[0], state, transaction)
    return _settled(request, reply)


def _missing(request: Request) -> str:
    return f"299 {request.base}: The Transaction UID is missing."


async def request_cancel(request: Request, target: Target) -> Reply:
    """Ask for a workitem to be cancelled (11.8)."""
    ds = await body_data_set(request)
    work = request.node.workitems.request_cancel
    reply = await request.node.work(lambda: work(target.rest[0], ds if len(ds) else None))
    return _settled(request, reply, 202)


async def search_workitems(request: Request, target: Target) -> Reply:
    """Search for workitems (11.9)."""
    form = chosen_form(request)
    return await request.node.work(_search, request, form)


def _search(request: Request, form: str) -> Reply:
    identifier = Dataset()
    options: dict[str, Any] = {"limit": MOST, "offset": 0, "fuzzy": False, "whole": True}
    for name, value in request.query:
        low = name.lower()
        if low in ("limit", "offset"):
            if not value.isascii() or not value.isdigit() or len(value) > 9:
                raise Problem(400, f"{low} is a number from 0")
            options[low] = min(int(value), MOST) if low == "limit" else int(value)
        elif low == "fuzzymatching":
            options["fuzzy"] = value.lower() == "true"
        elif low not in PAGING:
            _put(identifier, attribute_path(name), value)
    wanted = options["limit"]
    options["limit"] = wanted + 1
    try:
        found = list(request.node.workitems.search(identifier, **options))
    except ValueError as error:
        raise Problem(400, reason(error)) from None
    headers = []
    if len(found) > wanted:
        found = found[:wanted]
        headers.append(("warning", f"299 {request.base}: There are additional results that can be requested"))
    if not found:
        return Reply(204, headers=headers)
    made = xml_parts(found) if form == XML else Reply(200, JSON, _array(found), is_text=True)
    made.headers = headers
    return made


def _put(ds: Dataset, path: Sequence[str], value: str) -> None:
    """Set a key of an identifier, in items if it is nested."""
    for keyword in path[:-1]:
        if keyword not in ds or not ds[keyword].value:
            setattr(ds, keyword, [Dataset()])
        ds = ds[keyword].value[0]
    tag = tag_for_keyword(path[-1])
    assert tag is not None
    vr = dictionary_VR(tag)
    if vr == "SQ":
        setattr(ds, path[-1], [])
        return
    ds.add(DataElement(tag, vr if vr in MATCHED_AS_SUCH else "LO", value.split(",") if vr == "UI" else value))


# -- subscriptions


def _title(target: Target) -> str:
    title = target.rest[2].strip()
    if not title or len(title) > LONGEST_TITLE or not title.isascii() or not title.isprintable():
        raise Problem(400, "an AE title has 1 to 16 characters")
    return title


async def subscribe(request: Request, target: Target) -> Reply:
    """Subscribe to the reports of a workitem, or of all (11.10)."""
    title, uid = _title(target), target.rest[0]
    lock = (request.parameter("deletionlock") or "false").lower() == "true"
    keys: Dataset | None = None
    if uid == FILTERED:
        keys = Dataset()
        for name, value in request.query:
            if name.lower() == "filter":
                for piece in value.split(","):
                    key, _, wanted = piece.partition("=")
                    _put(keys, attribute_path(key.strip()), wanted)
            elif name.lower() not in ("deletionlock", *PAGING):
                _put(keys, attribute_path(name), value)
    work = request.node.workitems.subscribe
    reply = await request.node.work(lambda: work(uid, title, lock=lock, keys=keys, channel="web"))
    place = request.base.replace("http", "ws", 1) + f"/subscribers/{quote(title, safe='')}"
    return _settled(request, reply, 201, [("content-location", place)])


async def unsubscribe(request: Request, target: Target) -> Reply:
    """End a subscription (11.11)."""
    reply = await request.node.work(request.node.workitems.unsubscribe, target.rest[0], _title(target))
    return _settled(request, reply)


async def suspend(request: Request, target: Target) -> Reply:
    """Subscribe to no more new workitems (11.12)."""
    if target.rest[0] not in (GLOBAL, FILTERED):
        raise Problem(400, "only subscriptions of all workitems are suspended")
    reply = await request.node.work(request.node.workitems.suspend, _title(target), target.rest[0])
    return _settled(request, reply)


ROUTES: dict[tuple[str, ...], dict[str, Handler]] = {
    (): {"GET": search_workitems, "POST": create},
    ("*",): {"GET": retrieve, "POST": update},
    ("*", "state"): {"PUT": change_state},
    ("*", "cancelrequest"): {"POST": request_cancel},
    ("*", SUBSCRIBERS, "*"): {"POST": subscribe, "DELETE": unsubscribe},
    ("*", SUBSCRIBERS, "*", "suspend"): {"POST": suspend},
}
