"""Lists of sources in a file: a text with one a line, or the column `path` of a Parquet file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from dicomcore.archive.extra import needs_extra

__all__ = ["PathList"]

ROWS = 10_000  # of a Parquet file at a time


class PathList:
    """The sources that a file lists, taken as they are needed however many they are.

    A text has one a line, in UTF-8 (bytes that are none stay what they are), empty lines left out; "-" is the
    standard input. A Parquet file, known by its name's end, has them in `column`: an index is one. Relative paths
    count from the working folder. What is listed may be anything that a source may be, but a URL stands for one
    object, and is not asked whether it is a folder, unless it ends in "/".
    """

    def __init__(self, path: str | os.PathLike[str], *, column: str = "path") -> None:
        self.path = os.fsdecode(path)
        self.column = column

    def __iter__(self) -> Iterator[str]:
        return self._rows() if self.path.lower().endswith((".parquet", ".pq")) else self._lines()

    def __repr__(self) -> str:
        return f"PathList({self.path!r})"

    def _lines(self) -> Iterator[str]:
        if self.path == "-":
            yield from _filled(os.fsdecode(line) for line in sys.stdin.buffer)
            return
        with open(self.path, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
            yield from _filled(lines)

    def _rows(self) -> Iterator[str]:
        with needs_extra("pyarrow"):
            import pyarrow.parquet as pq
        with pq.ParquetFile(self.path) as file:
            if self.column not in file.schema_arrow.names:
                raise ValueError(f"{self.path} has no column {self.column!r}")
            for batch in file.iter_batches(ROWS, columns=[self.column]):
                yield from _filled(one for one in batch.column(0).to_pylist() if one is not None)


def _filled(lines: Iterator[str]) -> Iterator[str]:
    return (text for line in lines if (text := line.rstrip("\r\n")))
