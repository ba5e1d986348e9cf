"""The network: associations, DIMSE messages and their services (PS3.7, PS3.8)."""

from dicomcore.net.blocking import Association, associate
from dicomcore.net.items import Common, Extended, Identity
from dicomcore.net.limits import NetLimits, Timeouts
from dicomcore.net.operations import Outcome, Response
from dicomcore.net.server import Server
from dicomcore.net.statuses import Status

__all__ = [
    "Association",
    "Common",
    "Extended",
    "Identity",
    "NetLimits",
    "Outcome",
    "Response",
    "Server",
    "Status",
    "Timeouts",
    "associate",
]
