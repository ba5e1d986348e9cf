"""What a file has before its data set (PS3.10 7.1): preamble and File Meta Information."""

from __future__ import annotations

from dicomcore._native.views.dataset import make_dataset
from dicomcore._native.views.state import file_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dicomcore.dataset import Dataset

__all__ = ["DATA_SET", "FILE_META", "ensured_meta", "meta_of", "preamble_of", "set_meta_class"]

DATA_SET, FILE_META = -1, -2  # row numbers of data sets that are not items


def meta_of(data_set: Dataset) -> Dataset | None:
    """The File Meta Information; None for an item or a data set made in memory.

    The rooms ask this function: the property of a subclass may raise AttributeError in place of None, as pydicom's.
    """
    kept = data_set._kept
    index = file_index(data_set)
    if index is not None and "file_meta" not in kept:
        kept.setdefault("file_meta", make_dataset(data_set._meta_class, index, FILE_META))
    meta: Dataset | None = kept.get("file_meta")
    return meta


def ensured_meta(data_set: Dataset) -> Dataset:
    """The File Meta Information; an empty one is added to a data set without it."""
    meta = meta_of(data_set)
    if meta is None:
        data_set.file_meta = meta = data_set._meta_class()
    return meta


def preamble_of(data_set: Dataset) -> bytes | None:
    """The 128 bytes before the DICM prefix; None if the source has no preamble. See `meta_of`."""
    index = file_index(data_set)
    stored: bytes | None = data_set._kept.get("preamble", None if index is None else index.preamble)
    return stored


def set_meta_class(cls: type[Dataset], meta: type[Dataset]) -> None:
    """Make `meta` the class of the File Meta Information of a subclass of Dataset."""
    cls._meta_class = meta
