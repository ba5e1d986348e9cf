"""The input of the tools that work on an index: the index itself, and the files that it or the caller lists."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dicomcore.archive.extra import needs_extra
from dicomcore.archive.sources.place import INSIDE, Fault, Place, local_name, shown
from dicomcore.archive.sources.sources import SourceLike, Sources
from dicomcore.dataset import Dataset
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread, unforced
from dicomcore.part10.special import refuse_special

with needs_extra("pyarrow"):
    import pyarrow as pa

if TYPE_CHECKING:
    import pyarrow.dataset as pds

__all__ = ["IndexLike", "image_paths", "is_away", "is_index", "open_index", "opened", "stored"]

IndexLike = Any
"""An index: pyarrow.Table, pyarrow.dataset.Dataset, or the path of a Parquet or Arrow file or a folder of Parquet."""
ESCAPE = re.compile(r"\\x([89a-f][0-9a-f])")
MAGIC = {b"PAR1": "parquet", b"ARRO": "ipc"}


def open_index(index: IndexLike) -> pds.Dataset:
    """Open an index as a pyarrow dataset, which reads only the columns and rows that are requested.

    Raises OSError if the index does not exist, and ValueError if it is neither Parquet nor Arrow or has no column
    `path`.
    """
    import pyarrow.dataset as pds  # here, as it imports pandas where that is installed

    if isinstance(index, (pa.Table, pa.RecordBatch)):
        rows = pds.dataset(index)
    elif isinstance(index, pds.Dataset):
        rows = index
    else:
        path = os.fsdecode(index)
        kind = _kind(path)
        if kind is None:
            raise ValueError(f"{path} is no index, neither a Parquet nor an Arrow file: `dicomcore index` makes one")
        try:
            rows = pds.dataset(path, format=kind)
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path} can't be read: {error}") from None
    if "path" not in rows.schema.names:
        raise ValueError("no index: it has no column `path`")
    if {"file", "finding"} <= set(rows.schema.names):
        raise ValueError("no index: it is a table of findings, of `check`")
    return rows


def is_index(source: object) -> bool:
    """Whether `source` is a table, or the path of a file or folder that contains a table."""
    import pyarrow.dataset as pds

    if isinstance(source, (pa.Table, pa.RecordBatch, pds.Dataset)):
        return True
    if not isinstance(source, (str, os.PathLike)):
        return False
    path = os.fsdecode(source)
    return (os.path.isfile(path) or os.path.isdir(path)) and _kind(path) is not None


def _kind(path: str) -> str | None:
    """The format of a table's file; "parquet" for a folder that contains nothing but Parquet files; else None."""
    if os.path.isdir(path):
        with os.scandir(path) as entries:
            parts = [entry.name.endswith(".parquet") for entry in entries if entry.name[0] not in "._"]
        return "parquet" if parts and all(parts) else None
    refuse_special(path)
    with open(path, "rb") as file:
        return MAGIC.get(file.read(4))


def stored(path: str) -> str:
    """The file's name as the operating system has it, from the name in an index (see `place.shown`)."""
    path = local_name(path)
    if "\\x" not in path or os.path.lexists(path):
        return path
    name = ESCAPE.sub(lambda match: chr(0xDC00 + int(match[1], 16)), path)
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))


def image_paths(sources: IndexLike | SourceLike | Iterable[SourceLike]) -> Iterator[tuple[int, str]]:
    """The number and path of each file: of an index, the rows that have an image and no error; else every path.

    Folders and archives are walked, and URLs are listed. The number is the row's in an index; otherwise the files are
    counted from 0.
    """
    if is_index(sources):
        return _indexed(open_index(sources))
    return enumerate(Sources(sources))


def opened(path: str, *, limits: Limits | None = None) -> Dataset:
    """Read the data set of a path from `image_paths`: a local file, a member of an archive, or an object at a URL."""
    if isinstance(path, Fault):
        if path.reason.startswith("FileNotFoundError"):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        raise OSError(f"{path}: {path.reason.removeprefix('OSError: ')}")
    with unforced():
        if isinstance(path, Place):
            return dcmread(path.open(), limits=limits)
        refuse_special(path)
        return dcmread(path, limits=limits)


def _indexed(index: pds.Dataset) -> Iterator[tuple[int, str]]:
    filters = [name for name in ("Rows", "error") if name in index.schema.names]
    number = 0
    for batch in index.to_batches(columns=["path", *filters]):
        images = batch["Rows"].is_valid().to_pylist() if "Rows" in filters else [True] * len(batch)
        readable = batch["error"].is_null().to_pylist() if "error" in filters else images
        chosen = [i for i, (image, good) in enumerate(zip(images, readable, strict=True)) if image and good]
        paths = batch["path"].take(pa.array(chosen, pa.int64())).to_pylist()
        for i, path in zip(chosen, _placed(paths), strict=True):
            yield number + i, path
        number += len(batch)


def _placed(paths: list[str]) -> Iterator[str]:
    """The files of an index's paths; members of one archive that follow each other are looked up together."""
    for away, group in groupby(map(stored, paths), is_away):
        names = list(group)
        if not away:
            yield from names
            continue
        places = {shown(place): place for place in Sources(names)}
        yield from (places.get(shown(name)) or Fault(name, "FileNotFoundError: No such file") for name in names)


def is_away(path: str) -> bool:
    """Whether a path of an index leads into an archive or an object store."""
    return (INSIDE in path or "://" in path) and not os.path.lexists(path)
