"""Deflated data sets (PS3.5 A.5): inflated whole, within the call's Limits."""

from __future__ import annotations

import zlib

from dicomcore._native.scan.index import Index
from dicomcore._native.scan.opener import reopen_inflated
from dicomcore.errors import LimitError, ParseError
from dicomcore.limits import Limits

__all__ = ["inflate", "inflated"]

ALL_TAGS = 0xFFFFFFFF
STEP = 1 << 20
KEPT = 16 << 20  # inflated bytes that are held before it is asked whether all of them may be


def inflated(index: Index, limits: Limits, stop_tag: int = ALL_TAGS) -> Index:
    """The index itself; where its data set is deflated, the index of the inflated one."""
    if not index.deflated:
        return index
    data, trouble = inflate(index.rest(), limits, index.body)
    return reopen_inflated(index, data, stop_tag=stop_tag, trouble=trouble)


def inflate(data: memoryview | bytes, limits: Limits, offset: int) -> tuple[bytes, str]:
    """The inflated bytes of raw deflate `data`, which begins at byte `offset` of its source, and what was wrong.

    A stream that breaks off gives what came before. Raises ParseError where nothing can be inflated, LimitError past
    `limits.inflated_bytes`, or past `limits.inflated_ratio` once 16 MiB are there; what was inflated until then is all
    that was ever held.
    """
    wbits = -zlib.MAX_WBITS
    try:
        zlib.decompressobj(wbits).decompress(data[:STEP], 1)
    except zlib.error:
        wbits = zlib.MAX_WBITS  # some writers leave the zlib header on
    inflater = zlib.decompressobj(wbits)
    parts: list[bytes] = []
    held, trouble, counted = 0, "", False
    pending: memoryview | bytes = data
    try:
        while not inflater.eof:
            part = inflater.decompress(pending, STEP)
            pending = inflater.unconsumed_tail
            held += len(part)
            parts.append(part)
            _check(held, len(data), limits, offset)
            if not part and not pending and not inflater.eof:
                trouble = "the deflated data set breaks off"
                break
            if held > KEPT and not counted:
                _count_rest(inflater.copy(), pending, held, len(data), limits, offset)
                counted = True
    except zlib.error as error:
        if not held:
            raise ParseError(f"the deflated data set can't be inflated: {error}", offset=offset) from None
        trouble = f"the deflated data set is damaged: {error}"
    return b"".join(parts), trouble


def _count_rest(inflater: zlib._Decompress, pending: bytes, held: int, size: int, limits: Limits, offset: int) -> None:
    # Inflate what is left without keeping it, so that a data set past the limits is refused before it is held.
    while not inflater.eof:
        part = inflater.decompress(pending, STEP)
        pending = inflater.unconsumed_tail
        held += len(part)
        _check(held, size, limits, offset)
        if not part and not pending:
            return


def _check(held: int, size: int, limits: Limits, offset: int) -> None:
    if held > limits.inflated_bytes:
        raise LimitError(
            f"{size} deflated bytes inflate to more than Limits.inflated_bytes, {limits.inflated_bytes}", offset=offset
        )
    if held > KEPT and held > limits.inflated_ratio * size:
        raise LimitError(
            f"{size} deflated bytes inflate to more than {limits.inflated_ratio} times as many, Limits.inflated_ratio",
            offset=offset,
        )
