"""Catalogues: what instances there are and where, searched by the keys of PS3.4 C.6."""

from dicomcore.catalogue.answers import identifier
from dicomcore.catalogue.compiling import compile_identifier, query
from dicomcore.catalogue.jobs import Again, GiveUp, Job, Jobs, Runner
from dicomcore.catalogue.live import LiveCatalogue
from dicomcore.catalogue.matching import Query
from dicomcore.catalogue.opening import open
from dicomcore.catalogue.places import FramePlaces
from dicomcore.catalogue.protocol import Catalogue, Entry, Page
from dicomcore.catalogue.receiving import Received
from dicomcore.catalogue.records import Conflict, Record, Records
from dicomcore.catalogue.rows import row_of
from dicomcore.catalogue.table import TableCatalogue

__all__ = [
    "Again",
    "Catalogue",
    "Conflict",
    "Entry",
    "FramePlaces",
    "GiveUp",
    "Job",
    "Jobs",
    "LiveCatalogue",
    "Page",
    "Query",
    "Received",
    "Record",
    "Records",
    "Runner",
    "TableCatalogue",
    "compile_identifier",
    "identifier",
    "open",
    "query",
    "row_of",
]
