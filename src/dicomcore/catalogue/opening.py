"""open: a catalogue of a folder, or of an index."""

from __future__ import annotations

import os
from typing import Any

from dicomcore.catalogue.live import NAME, LiveCatalogue
from dicomcore.catalogue.table import TableCatalogue
from dicomcore.limits import Limits

__all__ = ["is_index", "open"]


def open(place: str | os.PathLike[str], *, limits: Limits | None = None, durable: str | bool = "none") -> Any:
    """The catalogue of a folder or of an index.

    Parameters
    ----------
    place : path
        A folder, which is made if need be, gives a `LiveCatalogue`. An index that `dicomcore index` wrote, a file or a
        folder of nothing but Parquet files, gives a `TableCatalogue`, which is read only.
    limits : Limits
        Bounds on what is read of a file.
    durable : {"none", "group", "each"} or bool
        When what is added to a live catalogue counts; see there.

    Returns
    -------
    LiveCatalogue or TableCatalogue

    Raises
    ------
    OSError
        The folder cannot be made, or the index cannot be read.
    ValueError
        The file is no index.
    DicomError
        The catalogue is of a later version.
    """
    if is_index(place):
        return TableCatalogue(place, limits=limits)
    return LiveCatalogue(place, limits=limits, durable=durable)


def is_index(place: str | os.PathLike[str]) -> bool:
    """Whether a path is a file, or a folder of nothing but Parquet files."""
    path = os.fsdecode(place)
    if not os.path.isdir(path):
        return os.path.exists(path)
    if os.path.exists(os.path.join(path, NAME)):
        return False
    with os.scandir(path) as entries:
        names = [entry.name for entry in entries if entry.name[0] not in "._"]
    return bool(names) and all(name.endswith(".parquet") for name in names)
