"""Audit trails (PS3.15 A.5): events of services as messages, to a file of JSON lines or a syslog server.

`net.Server` and `web.app` take a function, `audit`, that they call with each event; a `Trail` is one that writes them.
Nothing is audited without it.
"""

from dicomcore.audit.codes import Code
from dicomcore.audit.events import (
    FAILURE,
    MAJOR,
    MINOR,
    SUCCESS,
    ApplicationActivity,
    BeginTransferring,
    Event,
    Instances,
    InstancesAccessed,
    InstancesTransferred,
    NetworkEntry,
    Object,
    Party,
    Patient,
    Query,
    SecurityAlert,
    Study,
    StudyDeleted,
    UserAuthentication,
    refusal,
    this_process,
)
from dicomcore.audit.gathering import Gatherer, Hook, Repeats, Subject, tell
from dicomcore.audit.messages import Source, as_json, as_xml
from dicomcore.audit.sinks import JsonLines, Sink, Syslog, Undeliverable, sink_of
from dicomcore.audit.trail import Trail

__all__ = [
    "FAILURE",
    "MAJOR",
    "MINOR",
    "SUCCESS",
    "ApplicationActivity",
    "BeginTransferring",
    "Code",
    "Event",
    "Gatherer",
    "Hook",
    "Instances",
    "InstancesAccessed",
    "InstancesTransferred",
    "JsonLines",
    "NetworkEntry",
    "Object",
    "Party",
    "Patient",
    "Query",
    "Repeats",
    "SecurityAlert",
    "Sink",
    "Source",
    "Study",
    "StudyDeleted",
    "Subject",
    "Syslog",
    "Trail",
    "Undeliverable",
    "UserAuthentication",
    "as_json",
    "as_xml",
    "refusal",
    "sink_of",
    "tell",
    "this_process",
]
