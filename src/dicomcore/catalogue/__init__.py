"""Catalogues: what instances there are and where, searched by the keys of PS3.4 C.6."""

from dicomcore.catalogue.live import Entry, LiveCatalogue
from dicomcore.catalogue.matching import Query, compile_identifier
from dicomcore.catalogue.opening import open

__all__ = ["Entry", "LiveCatalogue", "Query", "compile_identifier", "open"]
