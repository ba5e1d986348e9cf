"""Bulk work over folders of DICOM files: `index` makes one table of their headers, `iter_batches` streams it."""

from dicomcore.archive.columns import DEFAULT_COLUMNS
from dicomcore.archive.lists import PathList
from dicomcore.archive.run import index, iter_batches

__all__ = ["DEFAULT_COLUMNS", "PathList", "index", "iter_batches"]
