"""Bulk work over folders of DICOM files: `index` makes one table of their headers, `iter_batches` streams it."""

from typing import TYPE_CHECKING

from dicomcore.later import later

if TYPE_CHECKING:
    from dicomcore.archive.checking.run import check
    from dicomcore.archive.checking.summary import check_summary
    from dicomcore.archive.imaging.cache import DiskCache, MemoryCache
    from dicomcore.archive.imaging.stream import FrameRecord, frames
    from dicomcore.archive.imaging.volume import Volume, series_volume
    from dicomcore.archive.organizing.organize import Organized, Outcome, organize
    from dicomcore.archive.organizing.transcoding import transcode_folder
    from dicomcore.archive.reporting.page import report
    from dicomcore.archive.reporting.sql import query
    from dicomcore.archive.sources.lists import PathList
    from dicomcore.archive.tables.columns import DEFAULT_COLUMNS
    from dicomcore.archive.tables.run import index, iter_batches

__all__ = [
    "DEFAULT_COLUMNS",
    "DiskCache",
    "FrameRecord",
    "MemoryCache",
    "Organized",
    "Outcome",
    "PathList",
    "Volume",
    "check",
    "check_summary",
    "frames",
    "index",
    "iter_batches",
    "organize",
    "query",
    "report",
    "series_volume",
    "transcode_folder",
]

HOMES = {
    ".checking.run": ("check",),
    ".checking.summary": ("check_summary",),
    ".imaging.cache": ("DiskCache", "MemoryCache"),
    ".imaging.stream": ("FrameRecord", "frames"),
    ".imaging.volume": ("Volume", "series_volume"),
    ".organizing.organize": ("Organized", "Outcome", "organize"),
    ".organizing.transcoding": ("transcode_folder",),
    ".reporting.page": ("report",),
    ".reporting.sql": ("query",),
    ".sources.lists": ("PathList",),
    ".tables.columns": ("DEFAULT_COLUMNS",),
    ".tables.run": ("index", "iter_batches"),
}

# pyarrow and all of the engine take 0.4 s.
__getattr__, __dir__ = later(__name__, HOMES)
