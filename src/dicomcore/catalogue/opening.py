"""open: a catalogue from a folder."""

from __future__ import annotations

import os

from dicomcore.catalogue.live import LiveCatalogue
from dicomcore.limits import Limits

__all__ = ["open"]


def open(
    folder: str | os.PathLike[str], *, limits: Limits | None = None, durable: str | bool = "none"
) -> LiveCatalogue:
    """The catalogue of a folder, which is made with it if need be.

    The options are those of `LiveCatalogue`. Raises OSError if the folder cannot be made, DicomError if its catalogue
    is of a later version.
    """
    return LiveCatalogue(folder, limits=limits, durable=durable)
