"""Bulk work over folders of DICOM files: `index` makes one table of their headers, `iter_batches` streams it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

LAZY = {  # most rooms that take sources need neither tables nor pictures
    "DEFAULT_COLUMNS": "tables.columns",
    "DiskCache": "imaging.cache",
    "FrameRecord": "imaging.stream",
    "MemoryCache": "imaging.cache",
    "Organized": "organizing.organize",
    "Outcome": "organizing.organize",
    "PathList": "sources.lists",
    "Volume": "imaging.volume",
    "check": "checking.run",
    "check_summary": "checking.summary",
    "frames": "imaging.stream",
    "index": "tables.run",
    "iter_batches": "tables.run",
    "organize": "organizing.organize",
    "query": "reporting.sql",
    "report": "reporting.page",
    "series_volume": "imaging.volume",
    "transcode_folder": "organizing.transcoding",
}


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LAZY[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
