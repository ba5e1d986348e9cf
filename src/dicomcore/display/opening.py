"""Opens what is to be displayed: paths and data sets, one or several."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import text_of
from dicomcore.limits import DEFAULT_LIMITS, Limits

__all__ = ["Source", "limits_of", "open_data_set", "opened", "uid_of"]

Source = str | os.PathLike[str] | Dataset
"""A path or a data set."""


def open_data_set(source: Source) -> Dataset:
    """Return a data set as it is, or read the file at a path."""
    if isinstance(source, Dataset):
        return source
    from dicomcore.part10.reader import dcmread

    data_set: Dataset = dcmread(source)
    return data_set


def opened(sources: Source | Iterable[Source]) -> list[Dataset]:
    """Open one source or several."""
    if isinstance(sources, (str, os.PathLike, Dataset)):
        return [open_data_set(sources)]
    return [open_data_set(source) for source in sources]


def uid_of(image: Dataset) -> str:
    """SOP Instance UID, or an empty text."""
    return text_of(image, "SOPInstanceUID") or ""


def limits_of(image: Any) -> Limits:
    """The limits that a data set was read with."""
    limits = getattr(image.frames, "limits", None)
    return limits if isinstance(limits, Limits) else DEFAULT_LIMITS
