"""The network: associations, DIMSE messages and their services (PS3.7, PS3.8)."""

from importlib import import_module
from typing import Any

from dicomcore.net.accepting import Refusal
from dicomcore.net.blocking import Association, associate
from dicomcore.net.commands import Kind
from dicomcore.net.items import Common, Extended, Identity, Role
from dicomcore.net.limits import NetLimits, Timeouts
from dicomcore.net.operations import Outcome, Response
from dicomcore.net.requests import Failure, Request
from dicomcore.net.sending import Sent, send
from dicomcore.net.server import Server
from dicomcore.net.statuses import Status
from dicomcore.net.storing import Folder
from dicomcore.net.tls import tls_context

__all__ = [
    "Association",
    "Common",
    "Extended",
    "Failure",
    "Folder",
    "Identity",
    "Kind",
    "NetLimits",
    "Outcome",
    "Refusal",
    "Request",
    "Response",
    "Role",
    "Sent",
    "Server",
    "Status",
    "Timeouts",
    "associate",
    "send",
    "tls_context",
]


def __getattr__(name: str) -> Any:
    if name == "aio":  # asyncio's face, which not every program needs
        return import_module("dicomcore.net.aio")
    if name == "trace":
        return import_module("dicomcore.net.tracing").trace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
