"""Information object definitions (PS3.3): what an object of a SOP class consists of."""

from dicomcore.iod.definitions import Attribute, Iod, Module, Values, describe, sop_classes

__all__ = ["Attribute", "Iod", "Module", "Values", "describe", "sop_classes"]
