"""The network: associations, DIMSE messages and their services (PS3.7, PS3.8)."""

from dicomcore.later import later
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


# asyncio's face and the reader of captures, which not every program needs
__getattr__, __dir__ = later(__name__, {".tracing": ("trace",)}, modules=["aio"])
