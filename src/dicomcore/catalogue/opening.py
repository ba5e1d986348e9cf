"""open: a catalogue from a folder."""

from __future__ import annotations

import os

from dicomcore.catalogue.live import LiveCatalogue
from dicomcore.limits import Limits

__all__ = ["open"]


def open(folder: str | os.PathLike[str], *, limits: Limits | None = None, durable: bool = False) -> LiveCatalogue:
    """The catalogue of a folder, which is made with it if need be.

    `durable` waits for the disk with each group that is written. Raises OSError if the folder cannot be made,
    DicomError if its catalogue is of another version.
    """
    return LiveCatalogue(folder, limits=limits, durable=durable)
