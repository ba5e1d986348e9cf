"""Inflate deflated data sets (PS3.5 A.5) as a whole, within the limits of the call."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from dicomcore._native.scan.index import Index
from dicomcore._native.scan.opener import reopen_inflated
from dicomcore.errors import LimitError, ParseError
from dicomcore.limits import Limits

__all__ = ["inflate", "inflated"]

ALL_TAGS = 0xFFFFFFFF
STEP = 1 << 20
KEPT = 16 << 20  # inflated bytes kept before the rest is counted to check the limits


def inflated(index: Index, limits: Limits, stop_tag: int = ALL_TAGS) -> Index:
    """The index; of a deflated data set, a new index of its inflated bytes."""
    if not index.deflated:
        return index
    data, trouble = inflate(index.rest(), limits, index.body)
    return reopen_inflated(index, data, stop_tag=stop_tag, trouble=trouble)


def inflate(data: memoryview | bytes, limits: Limits, offset: int) -> tuple[bytes, str]:
    """Inflate raw deflate `data`, which begins at byte `offset` of its source; the bytes, and the fault or "".

    Of a truncated or damaged stream, the bytes before the fault are returned. Raises ParseError if nothing can be
    inflated, and LimitError beyond `limits.inflated_bytes`, or beyond `limits.inflated_ratio` after 16 MiB. When
    LimitError is raised, at most about 16 MiB of inflated bytes have been kept.
    """
    wbits = -zlib.MAX_WBITS
    try:
        zlib.decompressobj(wbits).decompress(data[:STEP], 1)
    except zlib.error:
        wbits = zlib.MAX_WBITS  # some writers add a zlib header
    inflater = zlib.decompressobj(wbits)
    parts: list[bytes] = []
    total, trouble, counted = 0, "", False
    pending: memoryview | bytes = data
    try:
        while not inflater.eof:
            part = inflater.decompress(pending, STEP)
            pending = inflater.unconsumed_tail
            total += len(part)
            parts.append(part)
            _check(total, len(data), limits, offset)
            if not part and not pending and not inflater.eof:
                trouble = "the deflated data set breaks off"
                break
            if total > KEPT and not counted:
                _count_rest(inflater.copy(), pending, total, len(data), limits, offset)
                counted = True
    except zlib.error as error:
        parts.clear()
        parts.extend(_before_damage(data, wbits))
        if not parts:
            raise ParseError(f"the deflated data set can't be inflated: {error}", offset=offset) from None
        _check(sum(map(len, parts)), len(data), limits, offset)
        trouble = f"the deflated data set is damaged: {error}"
    return b"".join(parts), trouble


def _before_damage(data: memoryview | bytes, wbits: int) -> Iterator[bytes]:
    """Inflate a damaged stream once more, in smaller and smaller steps up to the damage.

    The last byte before it may be lost: zlib goes on to the damage in the call that would give it.
    """
    inflater, pending, step = zlib.decompressobj(wbits), data, STEP
    while step:
        ahead = inflater.copy()
        try:
            part = ahead.decompress(pending, step)
        except zlib.error:
            step //= 2
            continue
        if not part:
            return
        inflater, pending = ahead, ahead.unconsumed_tail
        yield part


def _count_rest(inflater: zlib._Decompress, pending: bytes, total: int, size: int, limits: Limits, offset: int) -> None:
    # Inflate the rest without keeping it, so that a data set beyond the limits is refused before it fills the memory.
    while not inflater.eof:
        try:
            part = inflater.decompress(pending, STEP)
        except zlib.error:
            return  # the caller meets it again, after the bytes before it are kept
        pending = inflater.unconsumed_tail
        total += len(part)
        _check(total, size, limits, offset)
        if not part and not pending:
            return


def _check(total: int, size: int, limits: Limits, offset: int) -> None:
    if total > limits.inflated_bytes:
        raise LimitError(
            f"{size} deflated bytes inflate to more than Limits.inflated_bytes, {limits.inflated_bytes}", offset=offset
        )
    if total > KEPT and total > limits.inflated_ratio * size:
        raise LimitError(
            f"{size} deflated bytes inflate to more than {limits.inflated_ratio} times as many, Limits.inflated_ratio",
            offset=offset,
        )
