"""The audit trail of `dicomcore serve`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dicomcore.cli.network import check_files

if TYPE_CHECKING:
    import argparse
    import ssl

    from dicomcore.audit import Trail

__all__ = ["AUDIT_OPTIONS", "add_audit_arguments", "trail_of"]

AUDIT_OPTIONS = ("audit", "audit_trust", "audit_site")


def add_audit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the audit trail."""
    group = parser.add_argument_group("audit trail", "PS3.15 A.5; the messages name patients")
    group.add_argument("--audit", action="append", metavar="PLACE",
                       help="where audit messages go: a file of JSON lines, syslog+tls://HOST:PORT or "
                       "syslog+udp://HOST:PORT; may be repeated")  # fmt: skip
    group.add_argument("--audit-trust", metavar="PEM",
                       help="certificates that sign that of the syslog server (default: those of --trust)")  # fmt: skip
    group.add_argument("--audit-site", metavar="NAME", help="the site that the messages name")


@contextmanager
def trail_of(options: dict[str, Any]) -> Iterator[Trail | None]:
    """The trail while the block runs, None if none is asked for. ValueError for a place that is none."""
    places = options.get("audit")
    if not places:
        yield None
        return
    from dicomcore import audit

    title = options.get("ae", "DICOMCORE")
    sinks = [audit.sink_of(place, lambda: _tls(options)) for place in places]
    with audit.Trail(*sinks, source=title, site=options.get("audit_site", ""), titles=(title,)) as trail:
        yield trail


def _tls(options: dict[str, Any]) -> ssl.SSLContext:
    """TLS with a syslog server; the certificate of this side is that of the node (PS3.15 A.6)."""
    from dicomcore import net

    trust = options.get("audit_trust") or options.get("trust")
    if not trust:
        raise ValueError("--audit syslog+tls://… needs --audit-trust, the certificates that sign that of the server")
    check_files(options.get("certificate"), options.get("key"), trust)
    return net.tls_context(trust=trust, certificate=options.get("certificate"), key=options.get("key"))
