"""What the tools that stand on an index read: the index itself, and the files that it, or their user, names."""

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
    """An index as a pyarrow dataset, of which only what is asked for is read.

    Raises OSError where there is none, ValueError for what is neither Parquet nor Arrow or has no column `path`.
    """
    import pyarrow.dataset as pds  # here, as it imports pandas where that is installed

    if isinstance(index, (pa.Table, pa.RecordBatch)):
        found = pds.dataset(index)
    elif isinstance(index, pds.Dataset):
        found = index
    else:
        path = os.fsdecode(index)
        kind = _kind(path)
        if kind is None:
            raise ValueError(f"{path} is no index, neither a Parquet nor an Arrow file: `dicomcore index` makes one")
        try:
            found = pds.dataset(path, format=kind)
        except pa.ArrowInvalid as error:
            raise ValueError(f"{path} can't be read: {error}") from None
    if "path" not in found.schema.names:
        raise ValueError("no index: it has no column `path`")
    return found


def is_index(source: object) -> bool:
    """Whether this is a table, or the path of a file that holds one."""
    import pyarrow.dataset as pds

    if isinstance(source, (pa.Table, pa.RecordBatch, pds.Dataset)):
        return True
    if not isinstance(source, (str, os.PathLike)):
        return False
    path = os.fsdecode(source)
    return (os.path.isfile(path) or os.path.isdir(path)) and _kind(path) is not None


def _kind(path: str) -> str | None:
    """The format of the file; of a folder, whether it holds Parquet files and nothing else."""
    if os.path.isdir(path):
        with os.scandir(path) as entries:
            parts = [entry.name.endswith(".parquet") for entry in entries if entry.name[0] not in "._"]
        return "parquet" if parts and all(parts) else None
    refuse_special(path)
    with open(path, "rb") as file:
        return MAGIC.get(file.read(4))


def stored(path: str) -> str:
    """The file's name as the system has it, from what an index shows of it (see `place.shown`)."""
    path = local_name(path)
    if "\\x" not in path or os.path.lexists(path):
        return path
    name = ESCAPE.sub(lambda found: chr(0xDC00 + int(found[1], 16)), path)
    return os.fsdecode(name.encode("utf-8", "surrogateescape"))


def image_paths(sources: IndexLike | SourceLike | Iterable[SourceLike]) -> Iterator[tuple[int, str]]:
    """The number and path of each file: rows of an index that have an image and no error, or paths as they come.

    Folders and archives among paths are walked, URLs listed. With an index the number is the row's, else it counts
    the files.
    """
    if is_index(sources):
        return _indexed(open_index(sources))
    return enumerate(Sources(sources))


def opened(path: str, *, limits: Limits | None = None) -> Dataset:
    """The data set of a file as `image_paths` names it: local, a member of an archive, or behind a URL."""
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
    asked = [name for name in ("Rows", "error") if name in index.schema.names]
    number = 0
    for batch in index.to_batches(columns=["path", *asked]):
        images = batch["Rows"].is_valid().to_pylist() if "Rows" in asked else [True] * len(batch)
        readable = batch["error"].is_null().to_pylist() if "error" in asked else images
        chosen = [i for i, (image, good) in enumerate(zip(images, readable, strict=True)) if image and good]
        paths = batch["path"].take(pa.array(chosen, pa.int64())).to_pylist()
        for i, path in zip(chosen, _placed(paths), strict=True):
            yield number + i, path
        number += len(batch)


def _placed(paths: list[str]) -> Iterator[str]:
    """Paths of an index as files: members of archives are looked up together, an archive at a time."""
    for away, several in groupby(map(stored, paths), is_away):
        names = list(several)
        if not away:
            yield from names
            continue
        places = {shown(place): place for place in Sources(names)}
        yield from (places.get(shown(name)) or Fault(name, "FileNotFoundError: No such file") for name in names)


def is_away(path: str) -> bool:
    """Whether a path of an index leads into an archive or a store."""
    return (INSIDE in path or "://" in path) and not os.path.lexists(path)
