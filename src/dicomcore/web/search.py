"""Search (PS3.18 10.6): rows of the catalogue, by its keys, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from dicomcore.catalogue import Query
from dicomcore.catalogue.attributes import COLUMNS, COUNTED, LEVELS
from dicomcore.forms import from_json
from dicomcore.web.media import ANY, JSON, XML
from dicomcore.web.problems import Problem
from dicomcore.web.queries import Search, read_search
from dicomcore.web.requests import Reply, Request
from dicomcore.web.routes import Target
from dicomcore.web.rows import Rows
from dicomcore.web.xml import xml_parts

__all__ = ["chosen_form", "search"]

KNOWN = frozenset(name for level in LEVELS for name in (*COLUMNS[level], *COUNTED[level]))


def chosen_form(request: Request) -> str:
    """JSON or XML, as the client takes it; Problem 406 if it takes neither."""
    for one in request.accepted:
        if one.takes(JSON) or one.media == ANY:
            return JSON
        if one.takes(XML):
            return XML
    raise Problem(406, f"this resource comes as {JSON} or as multipart/related of {XML}")


async def search(request: Request, target: Target) -> Reply:
    """Answer a search."""
    form = chosen_form(request)
    return await request.node.work(_search, request, target, read_search(request, target), form)


def _search(request: Request, target: Target, wanted: Search, form: str) -> Reply:
    node = request.node
    most = node.limits.results
    limit = most if wanted.limit is None else min(wanted.limit, most)
    query = wanted.compiled()
    deep = bool(wanted.private) or any(name not in KNOWN for name in wanted.include)
    if deep:
        limit = min(limit, node.limits.deep_reads)
    warnings = []
    if wanted.ignored:
        warnings.append(f"These attributes are not matched: {', '.join(wanted.ignored)}")
    rows: list[dict[str, Any]] = []
    has_more = limit == 0
    if limit:
        page = node.catalogue.page(query, limit=limit, offset=wanted.offset, deep=deep)
        rows, has_more = page.rows, page.has_more
        _keep_matching_items(rows, query)
    headers = []
    if has_more:
        count = node.catalogue.count(query)
        remaining = count - wanted.offset - len(rows)
        headers.append(("x-total-count", str(count)))
        if remaining > 0:
            warnings.append(f"There are {remaining} additional results that can be requested")
    headers += [("warning", f"299 {request.base}: {text}") for text in warnings]
    if not rows:
        return Reply(204, headers=headers)
    reply = _answer(request, target, wanted, rows, form)
    reply.headers = headers
    return reply


def _keep_matching_items(rows: Iterable[dict[str, Any]], query: Query) -> None:
    """Leave the items that match in sequences that were matched (PS3.4 C.2.2.2.6)."""
    for term in query.terms:
        if term.kind != "items":
            continue
        for row in rows:
            items = row.get(term.keyword)
            if isinstance(items, list):
                row[term.keyword] = [one for one in items if all(inner.is_matched_by(one) for inner in term.inner)]


def _answer(request: Request, target: Target, wanted: Search, rows: Sequence[dict[str, Any]], form: str) -> Reply:
    base = request.base
    made = Rows(wanted.keywords(target), wanted.private)
    objects = []
    for row in rows:
        row["RetrieveURL"] = base + _place(row, wanted.level)
        row["InstanceAvailability"] = "ONLINE"
        objects.append(made.object(row))
    if form == XML:
        return xml_parts([from_json(text) for text in objects])
    return Reply(200, JSON, f"[{','.join(objects)}]".encode(), is_text=True)


def _place(row: dict[str, Any], level: str) -> str:
    """The path of a resource below the root."""
    path = f"/studies/{quote(row['StudyInstanceUID'] or '', safe='')}"
    if level in ("SERIES", "IMAGE"):
        path += f"/series/{quote(row['SeriesInstanceUID'] or '', safe='')}"
    if level == "IMAGE":
        path += f"/instances/{quote(row['SOPInstanceUID'] or '', safe='')}"
    return path
