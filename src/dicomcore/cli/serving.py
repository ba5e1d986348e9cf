"""The web half of `dicomcore serve`: DICOMweb over the same store."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicomcore.errors import NetworkError

if TYPE_CHECKING:
    import argparse

    from dicomcore.audit import Trail
    from dicomcore.catalogue import Catalogue
    from dicomcore.dataset import Dataset
    from dicomcore.services import Workitems
    from dicomcore.web import Running

__all__ = ["WEB_OPTIONS", "add_web_arguments", "web_beside"]

LOCAL = ("localhost", "127.0.0.1", "::1")
WEB_OPTIONS = ("http", "cors", "base_url", "delete", "viewer", "http_token", "http_anyone", "proxied", "deid_key")


def add_web_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the web half."""
    web = parser.add_argument_group("DICOMweb", "needs the extra web")
    web.add_argument("--http", type=int, metavar="PORT", help="serve DICOMweb at this port (0 takes a free one)")
    web.add_argument("--cors", action="append", metavar="ORIGIN", help="an origin whose pages may use it, * for any")
    web.add_argument("--base-url", metavar="URL", help="where clients find it, if that is not what they call")
    web.add_argument("--proxied", action="store_true", default=None,
                     help="a proxy stands in front, whose Forwarded fields are believed")  # fmt: skip
    web.add_argument("--delete", action="store_true", default=None, help="allow DELETE of instances")
    web.add_argument("--viewer", metavar="DIR", help="a folder of a viewer's files, served at / (none: no viewer)")
    web.add_argument("--http-token", metavar="FILE", help="a file with the bearer token that clients have to send")
    web.add_argument("--deid-key", metavar="FILE",
                     help="de-identify, with this key, what is asked for with anonymize=yes")  # fmt: skip
    web.add_argument("--http-anyone", action="store_true", default=None,
                     help="serve without a token at other addresses than this machine's own")  # fmt: skip


@contextmanager
def web_beside(
    options: dict[str, Any],
    store: Catalogue,
    host: str,
    workitems: Workitems | None,
    trail: Trail | None = None,
) -> Iterator[Running | None]:
    """Serve the web half while the block runs, if it is asked for. ValueError for options that do not go together.

    `workitems` are those of the DIMSE half; a store that is read only has none. `trail` takes what is audited.
    """
    if options.get("http") is None:
        yield None
        return
    from dicomcore import web

    token = _token(options, host)
    application = web.app(
        store,
        cors=options.get("cors") or (),
        base_url=options.get("base_url"),
        delete=bool(options.get("delete")),
        duplicates=options.get("duplicates", "keep"),
        auth=None if token is None else lambda request: _is_allowed(request, token),
        workitems=workitems,
        viewer=_viewer(options),
        proxied=bool(options.get("proxied")),
        hosts=_hosts(options, host, token),
        audit=trail,
        deidentify=_deidentifying(options.get("deid_key")),
    )
    try:
        running = web.Running(
            application, options["http"], host=host, certificate=options.get("certificate"), key=options.get("key")
        )
    except OSError as error:
        raise NetworkError(f"cannot listen at {host}:{options['http']}: {error.strerror or error}") from None
    with running:
        yield running


def _deidentifying(path: str | None) -> Callable[[Dataset], Dataset] | None:
    """What de-identifies, with the key of a file; ValueError if it holds none."""
    if path is None:
        return None
    from dicomcore import deid

    plan = deid.Plan(key=deid.Key.load(path))
    return lambda ds: deid.deidentify(ds, plan)


def _token(options: dict[str, Any], host: str) -> str | None:
    """The token that clients send; ValueError if others than this machine could come without one."""
    path = options.get("http_token")
    if path:
        token = Path(path).read_text(encoding="utf-8").strip()
        if not token:
            raise ValueError(f"{path}: the file of the token is empty")
        return token
    if not options.get("http_anyone") and not _is_loopback(host):
        raise ValueError(f"--http at {host} needs --http-token, or --http-anyone to serve whoever comes")
    return None


def _hosts(options: dict[str, Any], host: str, token: str | None) -> tuple[str, ...]:
    """The names of a service that is for this machine alone, so that no page of another name reaches it."""
    is_open = token or options.get("proxied") or options.get("base_url") or options.get("http_anyone")
    return () if is_open or not _is_loopback(host) else (*LOCAL, host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_allowed(request: Any, token: str) -> bool:
    scheme, _, sent = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())


def _viewer(options: dict[str, Any]) -> str | None:
    """The folder of the viewer: the given one, or that of the package if there is one."""
    given: str | None = options.get("viewer")
    if given == "none":
        return None
    if given is not None:
        if not Path(given).is_dir():
            raise ValueError(f"{given}: no such folder")
        return given
    from dicomcore import web

    find = getattr(web, "viewer_folder", None)
    return None if find is None else find()
