"""Bulk work over folders of DICOM files: `index` makes one table of their headers, `iter_batches` streams it."""

from dicomcore.archive.cache import DiskCache, MemoryCache
from dicomcore.archive.columns import DEFAULT_COLUMNS
from dicomcore.archive.lists import PathList
from dicomcore.archive.organizing import Organized, Outcome, organize
from dicomcore.archive.page import report
from dicomcore.archive.run import index, iter_batches
from dicomcore.archive.sql import query
from dicomcore.archive.stream import FrameRecord, frames
from dicomcore.archive.volume import Volume, series_volume

__all__ = [
    "DEFAULT_COLUMNS",
    "DiskCache",
    "FrameRecord",
    "MemoryCache",
    "Organized",
    "Outcome",
    "PathList",
    "Volume",
    "frames",
    "index",
    "iter_batches",
    "organize",
    "query",
    "report",
    "series_volume",
]
