"""Deflated data sets (PS3.5 A.5) of a batch, inflated no further than their headers need."""

from __future__ import annotations

import os
import zlib

from dicomcore._native.bulk.extract import Extractor

__all__ = ["Deflated"]

HEAD = 4 * 1024  # bytes inflated at first: most headers fit, and every byte costs time
READ = 16 * 1024  # bytes read at a time
MOST = 1 << 20  # bytes of the longest header that is inflated here
UNKNOWN = 1 << 62  # bytes of a data set of which only the beginning is inflated


class Deflated:
    """Passes the inflated beginnings of local files to the bulk loop, one file after the other.

    Damage behind the header is not noticed, as in files that are not deflated.
    """

    def __init__(self) -> None:
        self._row = -1
        self._data = b""
        self._at = 0
        self._pending = b""
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)

    def feed(self, rows: Extractor, row: int, path: str) -> bool:
        """Pass the file's beginning, or more of it, to the bulk loop; False if the loop has to leave the row."""
        start, missing = rows.deflated, rows.missing
        if row != self._row and start is not None:
            self._row, wanted = row, start + HEAD
        elif row == self._row and missing is not None and not self._inflater.eof:
            start, wanted = None, max(missing + HEAD, 2 * len(self._data))
        else:
            return False
        try:
            file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
            try:
                facts = os.fstat(file)
                if start is not None:
                    self._begin(file, start)
                held = self._inflate(file, wanted)
            finally:
                os.close(file)
        except (OSError, zlib.error):  # read as a whole, which says what is wrong
            return False
        if not held:
            return False
        whole = len(self._data) if self._inflater.eof else UNKNOWN
        rows.give(path, facts.st_size, facts.st_mtime_ns, [(0, self._data)], whole)
        return True

    def _begin(self, file: int, start: int) -> None:
        """Take the head of the file, which ends at `start`."""
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        first = _read_at(file, 0, start + READ)
        self._data, self._pending, self._at = first[:start], first[start:], len(first)

    def _inflate(self, file: int, wanted: int) -> bool:
        """Inflate up to byte `wanted` of head and data set; False if there are too many, or they break off."""
        if wanted > MOST:
            return False
        parts, held = [self._data], len(self._data)
        while held < wanted and not self._inflater.eof:
            if not self._pending:
                self._pending = _read_at(file, self._at, READ)
                self._at += len(self._pending)
            if not self._pending:
                return False
            parts.append(self._inflater.decompress(self._pending, wanted - held))
            self._pending = self._inflater.unconsumed_tail
            held += len(parts[-1])
        self._data = b"".join(parts)
        return True


def _read_at(file: int, offset: int, length: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file, length, offset)
    os.lseek(file, offset, os.SEEK_SET)
    return os.read(file, length)
