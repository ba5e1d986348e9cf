"""DICOMweb (PS3.18): a server as an ASGI application, and clients. Needs the extra ``web``."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dicomcore.web.limits import WebLimits
from dicomcore.web.problems import Problem

if TYPE_CHECKING:
    from dicomcore.web.application import app

__all__ = ["Problem", "WebLimits", "app"]

LAZY = {"app": "dicomcore.web.application"}


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
