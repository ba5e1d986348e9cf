"""The server as an ASGI application (PS3.18): what guards every request, and which handler answers it."""

from __future__ import annotations

import inspect
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response
from starlette.routing import Mount

from dicomcore.dataset import Dataset
from dicomcore.errors import DicomError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.web.answering import Sender
from dicomcore.web.bodies import Gone
from dicomcore.web.bulk import bulk, pixel_data
from dicomcore.web.capabilities import capabilities, openapi
from dicomcore.web.commitments import commitment_handler
from dicomcore.web.frames import frames
from dicomcore.web.guarding import Origins, head_size, is_host
from dicomcore.web.limits import DEFAULT_WEB_LIMITS, WebLimits
from dicomcore.web.metadata import metadata
from dicomcore.web.node import Node
from dicomcore.web.notifications import notify
from dicomcore.web.objects import object_handler
from dicomcore.web.operation import health, metrics
from dicomcore.web.problems import Problem, reason
from dicomcore.web.removal import remove
from dicomcore.web.rendered import rendered, thumbnail
from dicomcore.web.requests import Reply, Request, segments
from dicomcore.web.retrieve import instances
from dicomcore.web.routes import OBJECTS, Target, resolve
from dicomcore.web.search import search
from dicomcore.web.store import store as store_instances
from dicomcore.web.uri import is_uri_request, uri
from dicomcore.web.viewing import page
from dicomcore.web.workitems import workitem_handler

if TYPE_CHECKING:
    from dicomcore.audit import Hook
    from dicomcore.web.auditing import WebAuditor

__all__ = ["app"]

logger = logging.getLogger(__name__)

Handler = Callable[[Request, Target], Awaitable[Reply]]
Scope = Mapping[str, Any]
STORES = frozenset({("search", "STUDY"), ("retrieve", "")})

READERS: dict[str, Handler] = {
    "search": search,
    "retrieve": instances,
    "metadata": metadata,
    "frames": frames,
    "bulkdata": bulk,
    "pixeldata": pixel_data,
    "rendered": rendered,
    "thumbnail": thumbnail,
    "wado": uri,
    "viewer": page,
    "health": health,
    "metrics": metrics,
    "openapi.json": openapi,
}
"""What answers GET, by the kind of the target."""
SERVICES: dict[str, Callable[[Request, Target], Any]] = {
    "workitems": workitem_handler,
    "commitment-requests": commitment_handler,
}
"""Services with methods of their own."""


def app(
    catalogue: Any,
    store: bool = True,
    *,
    cors: Collection[str] = (),
    auth: Callable[[StarletteRequest], Any] | None = None,
    base_url: str | None = None,
    limits: WebLimits = DEFAULT_WEB_LIMITS,
    delete: bool = False,
    duplicates: str = "keep",
    reading: Limits = DEFAULT_LIMITS,
    workitems: Any = None,
    viewer: str | os.PathLike[str] | None = None,
    proxied: bool = False,
    hosts: Collection[str] = (),
    audit: Hook | None = None,
    deidentify: Callable[[Dataset], Dataset] | None = None,
) -> Starlette:
    """A DICOMweb server over a catalogue, as an ASGI application that runs alone or is mounted in another.

    Parameters
    ----------
    catalogue : Catalogue
        What `dicomcore.catalogue.open` returns. It stays open when the application ends.
    store : bool
        Whether instances may be stored. A catalogue that is read only stores none.
    cors : collection of str
        The origins of pages that may use the service, as ``https://viewer.example``; ``"*"`` is any. Without it,
        browsers let no page of another origin read, and what changes the store is refused to them.
    auth : callable, optional
        Called with each request, a `starlette.requests.Request`; returns the user, anything that is true, or None to
        refuse (401), or a Starlette response to give in place of the answer. May be async.
    base_url : str, optional
        Where clients find the service, as ``https://pacs.example/dicom-web``. Without it, URLs in answers begin with
        what the client called the service by, and URIs of bulk data are relative.
    limits : WebLimits
        Bounds on requests and on what is done at a time.
    delete : bool
        Whether DELETE of studies, series and instances is allowed, with their files.
    duplicates : {"keep", "replace", "reject", "version"}
        What is done with an instance that is there with other bytes. The same bytes are a success.
    reading : Limits
        Bounds on data sets that are read.
    workitems : services.Workitems, optional
        The worklist that UPS-RS serves.
    viewer : path, optional
        A folder of a viewer's files, whose ``index.html`` is the page at the root; `viewer_folder` has one.
    hosts : collection of str
        The names that clients may call the service by; others are answered 421. None stands for any name.
    proxied : bool
        Whether a proxy stands in front, whose `Forwarded` or `X-Forwarded-Proto`, `-Host` and `-Prefix` fields say what
        clients called, and `Forwarded` or `X-Forwarded-For` the address of the client. Only then are these believed.
    audit : callable, optional
        Called with each event of PS3.15 A.5 from any thread; an `audit.Trail` writes them.
    deidentify : callable, optional
        What makes an instance that the URI service is asked for with ``anonymize=yes``, such as
        ``lambda ds: deid.deidentify(ds, plan)``. Without it, such requests are refused (501).

    Returns
    -------
    Starlette
        The application; further routes and middleware may be added to it.
    """
    node = Node(
        catalogue,
        store=store and not getattr(catalogue, "is_read_only", False),
        duplicates=duplicates,
        delete=delete,
        base_url=base_url or "",
        limits=limits,
        reading=reading,
        workitems=workitems,
        viewer=os.fsdecode(viewer) if viewer is not None else "",
        proxied=proxied,
        hosts=frozenset(one.lower() for one in hosts),
        audit=None if audit is None else _auditor(audit, catalogue),
        deidentify=deidentify,
    )
    return Application(Service(node, Origins(cors), auth), node)


def _auditor(hook: Hook, catalogue: Any) -> WebAuditor:
    """What tells a hook; applications without one do not load it."""
    from dicomcore.web.auditing import WebAuditor

    return WebAuditor(hook, catalogue)


class Application(Starlette):
    """The application: the service alone, unless routes or middleware were added."""

    def __init__(self, service: Service, node: Node) -> None:
        super().__init__(routes=[Mount("/", app=service)], lifespan=_lifespan)
        self.service, self.node = service, node
        self._plain = len(self.routes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, straight away where nothing was added."""
        is_plain = not self.user_middleware and len(self.routes) == self._plain and not self.exception_handlers
        if is_plain and scope["type"] == "http":
            await self.service(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


@asynccontextmanager
async def _lifespan(application: Any) -> AsyncIterator[None]:
    yield
    application.node.close()


class Service:
    """Answers requests; every one of them passes `_guarded`."""

    def __init__(self, node: Node, origins: Origins, auth: Callable[[StarletteRequest], Any] | None) -> None:
        self.node, self._origins, self._auth = node, origins, auth

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] == "websocket":
            await self._notify(scope, receive, send)
            return
        began = time.perf_counter()
        counts = self.node.metrics
        sender = Sender(self.node, scope, receive, send)
        kind, target = "none", None
        counts.transfers += 1
        request: Request | None = None
        try:
            request = self._request(scope, receive)
            sender.headers += self._origins.headers(request)
            target = resolve(request.path)
            kind = target.kind
            reply = await self._guarded(request, target)
            request.rest()
            await sender.send(request, reply)
        except Problem as problem:
            if self.node.audit is not None and request is not None:
                self.node.audit.refused(request, problem)
            await sender.fail(request, problem)
        except Gone:
            sender.status = 499
        except DicomError as error:
            await sender.fail(request, Problem(500, f"the data cannot be read: {reason(error)}"))
        except ConnectionError:
            raise  # an answer was broken off, or the client is gone
        except FileNotFoundError:
            await sender.fail(request, Problem(410, "the file of an instance is gone"))
        except OSError as error:
            logger.exception("%s %s", scope["method"], scope["path"])
            await sender.fail(request, Problem(500, f"the data cannot be read: {error.strerror or 'it is not there'}"))
        except Exception:
            logger.exception("%s %s", scope["method"], scope["path"])
            await sender.fail(request, Problem(500, "the server has an error"))
        finally:
            counts.transfers -= 1
            if request is not None:
                request.rest()
            counts.count(scope["method"], kind, sender.status, time.perf_counter() - began)
            if self.node.audit is not None and request is not None and target is not None:
                await self.node.audit.answered(request, target, sender.status)

    def _request(self, scope: Scope, receive: Any) -> Request:
        """The request; Problem for one that is too long, or of which too many are there."""
        limits, counts = self.node.limits, self.node.metrics
        if head_size(scope) > limits.head_bytes:
            raise Problem(431, f"the head of the request is longer than {limits.head_bytes} bytes")
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key = name.decode("latin-1")
            headers[key] = f"{headers[key]}, {value.decode('latin-1')}" if key in headers else value.decode("latin-1")
        path, root = scope["path"], scope.get("root_path", "")
        if root and path.startswith(root):
            path = path[len(root) :]
        if self.node.hosts and not is_host(headers.get("host", ""), self.node.hosts):
            problem = Problem(421, "the service has another name")
            if self.node.audit is not None:
                self.node.audit.refused(Request(self.node, scope, receive, scope["method"], (), headers), problem)
            raise problem
        if counts.working >= limits.requests or counts.transfers > limits.transfers:
            raise Problem(503, "too many requests at a time", [("retry-after", "1")])
        counts.working += 1
        return Request(self.node, scope, receive, scope["method"], segments(path), headers)

    async def _notify(self, scope: Scope, receive: Any, send: Any) -> None:
        """Serve a WebSocket; what is refused is refused before it is accepted."""
        message = await receive()
        assert message["type"] == "websocket.connect"
        request: Request | None = None
        try:
            request = self._request({**scope, "method": "GET"}, receive)
            target = resolve(request.path)
            if target.kind != "subscribers" or len(target.rest) != 1 or self.node.workitems is None:
                raise Problem(404, "there is no such resource")
            if self._auth is not None and await self._admit(request) is not None:
                raise Problem(401, "")
            self._origins.check(request)
            request.rest()
            await notify(self.node, target.rest[0], receive, send)
        except Problem as problem:
            if self.node.audit is not None and request is not None:
                self.node.audit.refused(request, problem)
            await send({"type": "websocket.close", "code": 1008})
        finally:
            self.node.metrics.count("WEBSOCKET", "subscribers", 101, 0.0)
            if request is not None:
                request.rest()

    async def _guarded(self, request: Request, target: Target) -> Reply:
        if self._origins.is_preflight(request):
            return Reply(204)
        if self._auth is not None and target.kind != "health":
            refused = await self._admit(request)
            if refused is not None:
                return refused
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            self._origins.check(request)
        return await _handler(request, target)(request, target)

    async def _admit(self, request: Request) -> Reply | None:
        """Ask the hook for the user; what to answer if there is none."""
        assert self._auth is not None
        user = self._auth(StarletteRequest(request.scope))  # type: ignore[arg-type]
        if inspect.isawaitable(user):
            user = await user
        if isinstance(user, Response):
            return Reply(user.status_code, body=bytes(user.body), headers=list(user.headers.items()))
        if not user:
            raise Problem(401, "the request has no valid credentials", [("www-authenticate", "Bearer")])
        request.user = user
        if self.node.audit is not None:
            self.node.audit.admitted(request)
        return None


def _handler(request: Request, target: Target) -> Handler:
    """What answers a request; Problem 405 for a method that the resource does not have."""
    method = "GET" if request.method == "HEAD" else request.method
    if target.kind in OBJECTS and method in ("GET", "DELETE", "POST"):
        return store_instances if method == "POST" else object_handler
    if target.kind in SERVICES and method != "OPTIONS":
        service: Handler = SERVICES[target.kind](request, target)
        return service
    readable = target.kind in READERS or target.kind == "root"
    allowed = ["GET", "HEAD", "OPTIONS"] if readable else ["OPTIONS"]
    if target.kind == "root" and method == "GET":
        if is_uri_request(request):
            return uri
        return page if request.node.viewer and "text/html" in request.headers.get("accept", "") else capabilities
    if method == "OPTIONS":
        return capabilities
    if method == "GET" and readable:
        return READERS[target.kind]
    is_store = (target.kind, target.level) in STORES and not target.study * bool(target.series)
    if is_store:
        allowed.append("POST")
        if method == "POST":
            return store_instances
    if target.kind == "retrieve" and request.node.delete:
        allowed.append("DELETE")
        if method == "DELETE":
            return remove
    raise Problem(405, f"{method[:20]} is not for this resource", [("allow", ", ".join(allowed))])
