"""Lists of sources in a file: a text file with one source a line, or the column `path` of a Parquet file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from dicomcore.archive.extra import needs_extra

__all__ = ["PathList"]

ROWS = 10_000  # rows of a Parquet file that are read at a time


class PathList:
    """The sources that a file lists, read while they are needed, so that a list may have any length.

    A text file has one source a line, in UTF-8 (bytes that are not UTF-8 are kept as they are); empty lines are
    skipped, and "-" is the standard input. A Parquet file, recognized by its suffix, has the sources in `column`; an
    index is such a file. Relative paths are relative to the working folder. The list may contain every kind of
    source, but a URL in it is taken for one object, without a request that asks whether it is a folder, unless it
    ends in "/".
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
        from dicomcore.archive.arrow_files import arrow_file  # that needs it, too

        with arrow_file(self.path) as source, pq.ParquetFile(source) as file:
            if self.column not in file.schema_arrow.names:
                raise ValueError(f"{self.path} has no column {self.column!r}")
            if self.column == "path" and {"file", "finding"} <= set(file.schema_arrow.names):
                raise ValueError(f"{self.path} is a table of findings, whose files are in the column 'file'")
            for batch in file.iter_batches(ROWS, columns=[self.column]):
                yield from _filled(path for path in batch.column(0).to_pylist() if path is not None)


def _filled(lines: Iterator[str]) -> Iterator[str]:
    return (text for line in lines if (text := line.rstrip("\r\n")))
