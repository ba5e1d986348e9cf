"""Information object definitions (PS3.3): what an object of a SOP class consists of, and what is wrong with one."""

from dicomcore.iod.checking import check
from dicomcore.iod.definitions import Attribute, Iod, Module, Values, describe, sop_classes
from dicomcore.iod.report import Finding, Report

__all__ = ["Attribute", "Finding", "Iod", "Module", "Report", "Values", "check", "describe", "sop_classes"]
