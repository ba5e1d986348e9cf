"""Information object definitions (PS3.3): what an object of a SOP class consists of, what is wrong with one, and what
can be added to it."""

from dicomcore.iod.checking import check
from dicomcore.iod.completion import Added, complete
from dicomcore.iod.definitions import Attribute, Iod, Module, Values, describe, sop_classes
from dicomcore.iod.report import Finding, Report

__all__ = [
    "Added",
    "Attribute",
    "Finding",
    "Iod",
    "Module",
    "Report",
    "Values",
    "check",
    "complete",
    "describe",
    "sop_classes",
]
