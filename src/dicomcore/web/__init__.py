"""DICOMweb (PS3.18): a server as an ASGI application, and clients. Needs the extra ``web``."""

from typing import TYPE_CHECKING

from dicomcore.later import later

if TYPE_CHECKING:
    from dicomcore.web.application import app
    from dicomcore.web.client import Client
    from dicomcore.web.client_async import AsyncClient
    from dicomcore.web.client_operations import ClientLimits, Retrieved
    from dicomcore.web.client_receivers import Outcome
    from dicomcore.web.client_retries import Retries
    from dicomcore.web.client_storing import Stored
    from dicomcore.web.client_workitems import Commitment
    from dicomcore.web.limits import WebLimits
    from dicomcore.web.pages import viewer_folder
    from dicomcore.web.problems import Problem
    from dicomcore.web.running import Running

__all__ = [
    "AsyncClient",
    "Client",
    "ClientLimits",
    "Commitment",
    "Outcome",
    "Problem",
    "Retries",
    "Retrieved",
    "Running",
    "Stored",
    "WebLimits",
    "app",
    "viewer_folder",
]

HOMES = {
    ".application": ("app",),
    ".client": ("Client",),
    ".client_async": ("AsyncClient",),
    ".client_operations": ("ClientLimits", "Retrieved"),
    ".client_receivers": ("Outcome",),
    ".client_retries": ("Retries",),
    ".client_storing": ("Stored",),
    ".client_workitems": ("Commitment",),
    ".limits": ("WebLimits",),
    ".pages": ("viewer_folder",),
    ".problems": ("Problem",),
    ".running": ("Running",),
}

__getattr__, __dir__ = later(__name__, HOMES, extra="web")
