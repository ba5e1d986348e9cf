"""frames: every frame of many files, decoded on threads ahead of the loop that takes them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Literal

from dicomcore.archive.imaging.ahead import Ahead, FrameRecord
from dicomcore.archive.imaging.cache import Cache, as_cache
from dicomcore.archive.listing import IndexLike, image_paths
from dicomcore.archive.sources.place import NOT_REGULAR, Fault
from dicomcore.archive.sources.sources import SourceLike
from dicomcore.errors import PixelDecodeError
from dicomcore.limits import Limits
from dicomcore.threads import cpus

__all__ = ["FrameRecord", "frames"]

AHEAD_BYTES = 256 << 20


def frames(
    sources: IndexLike | SourceLike | Iterable[SourceLike],
    *,
    workers: int | None = None,
    order: Literal["input", "any"] = "input",
    cache: Cache | str | os.PathLike[str] | None = None,
    errors: Literal["raise", "yield"] = "raise",
    raw: bool = False,
    ahead: int = AHEAD_BYTES,
    limits: Limits | None = None,
) -> Iterator[FrameRecord]:
    """Decode the frames of many files on threads, ahead of the loop that takes them.

    `sources` is an index (a pyarrow.Table, or a Parquet or Arrow file; its rows with an image are taken), or files and
    folders. Each record has `path`, `frame` (from 0), `array`, which is what ``ds.frames[frame]`` gives, (rows,
    columns) or (rows, columns, samples), `error`, and `row`, the file's row in the index or place among the paths.

    `workers` is the number of threads, all processors by default. With `order` "any" frames come as they are ready,
    those of one file too. At most `ahead` bytes of samples are held that were not taken yet, more only for a single
    frame that is larger. `cache` keeps decoded frames for the next pass: a `MemoryCache`, a folder, or what has `get`
    and `put`; its arrays are read-only. A file or frame that can't be read raises its DicomError or OSError at its
    place, or with `errors` "yield" comes as a record whose `array` is None; a pipe, socket or device in a folder isn't
    opened, and is a warning or such a record. Leaving the loop ends the threads. `limits`
    are each file's, as in `dcmread`: ``Limits(isolate=True)`` decodes in worker processes.

    Raises ValueError for what is none of these options.
    """
    if order not in ("input", "any"):
        raise ValueError(f"order is 'input' or 'any', not {order!r}")
    if errors not in ("raise", "yield"):
        raise ValueError(f"errors is 'raise' or 'yield', not {errors!r}")
    if workers is not None and workers < 1:
        raise ValueError(f"workers is a number of threads from 1 on, not {workers}")
    if ahead < 1:
        raise ValueError(f"ahead is a number of bytes from 1 on, not {ahead}")
    listed, kept = image_paths(sources), as_cache(cache)
    if errors == "raise":
        listed = _without_special(listed)

    def taken() -> Iterator[FrameRecord]:
        decoding = Ahead(
            listed,
            workers=workers or cpus(),
            ordered=order == "input",
            budget=ahead,
            raw=raw,
            cache=kept,
            limits=limits,
        )
        try:
            while (record := decoding.take()) is not None:
                if record.error is not None and errors == "raise":
                    if not isinstance(record.error, PixelDecodeError):  # which names them itself
                        record.error.add_note(f"{record.path}, frame {record.frame}")
                    raise record.error
                yield record
        finally:
            decoding.stop()

    return taken()


def _without_special(listed: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The files without pipes, sockets and devices that were met in folders, of which a warning tells."""
    for row, path in listed:
        if isinstance(path, Fault) and path.reason == NOT_REGULAR:
            warnings.warn(f"passed over: {path} is a pipe, a socket or a device, not a file", stacklevel=2)
            continue
        yield row, path
