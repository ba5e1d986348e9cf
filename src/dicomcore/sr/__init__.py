"""Structured reports: content trees as plain objects, read from and written to data sets (PS3.3 C.17.3, PS3.16)."""

from dicomcore.dataset.code import Code
from dicomcore.sr.code_maps import codes
from dicomcore.sr.context_groups import ContextGroup, contexts
from dicomcore.sr.document import make_report
from dicomcore.sr.doors import check, new
from dicomcore.sr.findings import CheckReport, Finding
from dicomcore.sr.html import html
from dicomcore.sr.item import ContentItem, Template
from dicomcore.sr.outline import outline
from dicomcore.sr.reader import read
from dicomcore.sr.report import Report
from dicomcore.sr.table import Cell, Heading, Table
from dicomcore.sr.template_views import TemplateDefinition, templates
from dicomcore.sr.values import Coordinates, ImageReference, Numeric, Reference, TemporalRange, WaveformReference
from dicomcore.sr.writer import write

__all__ = [
    "Cell",
    "CheckReport",
    "Code",
    "ContentItem",
    "ContextGroup",
    "Coordinates",
    "Finding",
    "Heading",
    "ImageReference",
    "Numeric",
    "Reference",
    "Report",
    "Table",
    "Template",
    "TemplateDefinition",
    "TemporalRange",
    "WaveformReference",
    "check",
    "codes",
    "contexts",
    "html",
    "make_report",
    "new",
    "outline",
    "read",
    "templates",
    "write",
]
