"""DICOMweb (PS3.18): a server as an ASGI application, and clients. Needs the extra ``web``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

LAZY = {
    "AsyncClient": "dicomcore.web.client_async",
    "Client": "dicomcore.web.client",
    "ClientLimits": "dicomcore.web.client_operations",
    "Commitment": "dicomcore.web.client_workitems",
    "Problem": "dicomcore.web.problems",
    "Running": "dicomcore.web.running",
    "WebLimits": "dicomcore.web.limits",
    "app": "dicomcore.web.application",
    "viewer_folder": "dicomcore.web.pages",
    "Outcome": "dicomcore.web.client_receivers",
    "Retries": "dicomcore.web.client_retries",
    "Retrieved": "dicomcore.web.client_operations",
    "Stored": "dicomcore.web.client_storing",
}


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(LAZY[name]), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("dicomcore"):
            raise
        message = f'{error.name} is not installed; pip install "dicomcore[web]" brings it'
        raise ModuleNotFoundError(message, name=error.name) from None
