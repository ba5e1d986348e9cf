"""`frames`: every frame of many files, decoded on threads ahead of the caller's loop."""

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
    """Decode the frames of many files on threads, ahead of the caller's loop. Leaving the loop ends the threads.

    Parameters
    ----------
    sources : index, path, URL, PathList, or an iterable of these
        An index (a pyarrow.Table, or a Parquet or Arrow file), of which the rows with an image are read; or sources as
        for `index`, such as files and folders.
    workers : int, optional
        Number of threads; by default as many as there are processors.
    order : {"input", "any"}
        With "any", frames are yielded as soon as they are decoded, also out of order within a file.
    cache : MemoryCache, path, or object with `get` and `put`, optional
        Stores decoded frames for the next pass; a path is the folder of a `DiskCache`. Its arrays are read-only.
    errors : {"raise", "yield"}
        "raise" raises the DicomError or OSError of a file or frame that can't be read, in its turn; "yield" yields a
        record whose `array` is None. A pipe, socket or device in a folder is not opened: it gives a warning with
        "raise", a record with "yield".
    raw : bool
        Return the samples as they are encoded, without colour conversion, as in `Frames.decode`.
    ahead : int
        Bytes of samples that may be decoded ahead of the caller; exceeded only by a single frame that is larger.
    limits : Limits, optional
        Limits for each file, as in `dcmread`: ``Limits(isolate=True)`` decodes in worker processes.

    Returns
    -------
    Iterator[FrameRecord]
        A record for each frame. Its `array` equals ``ds.frames[frame]``: (rows, columns) or (rows, columns, samples).

    Raises
    ------
    ValueError
        An option has an unknown value.
    """
    if order not in ("input", "any"):
        raise ValueError(f"order is 'input' or 'any', not {order!r}")
    if errors not in ("raise", "yield"):
        raise ValueError(f"errors is 'raise' or 'yield', not {errors!r}")
    if workers is not None and workers < 1:
        raise ValueError(f"workers has to be a number of threads from 1 on, not {workers}")
    if ahead < 1:
        raise ValueError(f"ahead has to be a number of bytes from 1 on, not {ahead}")
    listed, frame_cache = image_paths(sources), as_cache(cache)
    if errors == "raise":
        listed = _without_special(listed)

    def records() -> Iterator[FrameRecord]:
        decoding = Ahead(
            listed,
            workers=workers or cpus(),
            ordered=order == "input",
            budget=ahead,
            raw=raw,
            cache=frame_cache,
            limits=limits,
        )
        try:
            while (record := decoding.take()) is not None:
                if record.error is not None and errors == "raise":
                    if not isinstance(record.error, PixelDecodeError):  # a PixelDecodeError names path and frame itself
                        record.error.add_note(f"{record.path}, frame {record.frame}")
                    raise record.error
                yield record
        finally:
            decoding.stop()

    return records()


def _without_special(listed: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """The files without the pipes, sockets and devices in folders; each of these gives a warning."""
    for row, path in listed:
        if isinstance(path, Fault) and path.reason == NOT_REGULAR:
            warnings.warn(f"passed over: {path} is a pipe, a socket or a device, not a file", stacklevel=2)
            continue
        yield row, path
