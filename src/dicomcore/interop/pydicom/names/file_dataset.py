"""`FileDataset`: the data set of a file, with where it comes from."""

from __future__ import annotations

import io
import os
from typing import Any

from dicomcore.interop.pydicom.names.base_dataset import Dataset, FileMetaDataset


class FileDataset(Dataset):
    """The data set of a file."""

    def __init__(
        self,
        filename_or_obj: Any,
        dataset: Any,
        preamble: bytes | None = None,
        file_meta: FileMetaDataset | None = None,
        is_implicit_VR: bool = True,
        is_little_endian: bool = True,
    ) -> None:
        super().__init__(dataset)
        self.preamble = preamble
        self.file_meta = FileMetaDataset() if file_meta is None else file_meta
        self._kept["implicit"], self._kept["little"] = is_implicit_VR, is_little_endian
        self._kept["original_encoding"] = (is_implicit_VR, is_little_endian)
        note_source(self, filename_or_obj)

    def __deepcopy__(self, memo: dict[int, Any]) -> FileDataset:
        # A stream can't be copied: the copy has none.
        opened = self._kept.get("opened")
        if opened is not None and not isinstance(opened, (str, os.PathLike)):
            memo[id(opened)] = io.BytesIO(opened.getvalue()) if _is_open_memory(opened) else None
        copied: FileDataset = super().__deepcopy__(memo)
        copied.filename = self.filename
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        restore, (cls, state, kept, own) = super().__reduce__()
        opened = (kept or {}).get("opened")
        if opened is not None and not isinstance(opened, (str, os.PathLike)):
            kept = {**kept, "opened": None, "filename": self.filename}
        return restore, (cls, state, kept, own)

    @property
    def filename(self) -> Any:
        """The path that the data set was read from, or what was set."""
        kept = self._kept
        return kept["filename"] if "filename" in kept else _path_of(kept.get("opened"))

    @filename.setter
    def filename(self, value: Any) -> None:
        self._kept["filename"] = value

    @property
    def buffer(self) -> Any:
        """The stream that the data set was read from, if it is not a file."""
        opened = self._kept.get("opened")
        return None if _is_file(opened) else opened

    @buffer.setter
    def buffer(self, value: Any) -> None:
        self._kept["opened"] = value

    @property
    def fileobj_type(self) -> Any:
        """`open`, or the type of the stream that the data set was read from."""
        opened = self._kept.get("opened")
        stated = self._kept.get("fileobj_type")
        return stated or (open if _is_file(opened) else type(opened))

    @fileobj_type.setter
    def fileobj_type(self, value: Any) -> None:
        self._kept["fileobj_type"] = value

    @property
    def timestamp(self) -> float | None:
        """When the file that the data set was read from was changed last; None without a file."""
        if "timestamp" in self._kept:
            return self._kept["timestamp"]  # type: ignore[no-any-return]
        path = self.filename
        return os.stat(path).st_mtime if path and os.path.exists(path) else None

    @timestamp.setter
    def timestamp(self, value: float | None) -> None:
        self._kept["timestamp"] = value


def _is_open_memory(opened: Any) -> bool:
    return isinstance(opened, io.BytesIO) and not opened.closed


def _is_file(opened: Any) -> bool:
    return opened is None or isinstance(opened, (str, os.PathLike, io.BufferedReader))


def _path_of(opened: Any) -> Any:
    if isinstance(opened, os.PathLike):
        return os.fspath(opened)
    if isinstance(opened, str) or opened is None:
        return opened
    return getattr(opened, "name", None) or getattr(opened, "filename", None)


def note_source(data_set: FileDataset, source: Any) -> None:
    """Note where a data set comes from, for `filename`, `buffer`, `fileobj_type` and `timestamp`."""
    data_set.buffer = source
