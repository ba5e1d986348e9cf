"""decode: a data set from bytes in a transfer syntax that is stated (PS3.5)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from dicomcore._native.scan.opener import open_data_set, open_group
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.encoding.inflate import inflated
from dicomcore.encoding.sources import Source, openable
from dicomcore.errors import ParseError, TruncatedError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.uids import ExplicitVRLittleEndian, ImplicitVRLittleEndian, syntax_named

__all__ = ["decode", "decode_as", "decode_meta", "raise_first"]

CUT_SHORT = ("LENGTH_BEYOND_END", "TRAILING_BYTES", "DEFLATE")


def decode(
    data: Source, transfer_syntax: str, *, offset: int = 0, length: int | None = None, limits: Limits | None = None
) -> Dataset:
    """Decode a bare data set (PS3.5 7): no preamble, no prefix, no file meta information.

    The transfer syntax is stated, and nothing is guessed: a data set in another one comes out as issues, or wrong. As
    with `dcmread`, elements are indexed at once and decoded when they are asked for, what deviates is in ``issues``,
    and pixel data stays where it is until a frame is asked for.

    ``transfer_syntax`` of the data set is the one stated, ``file_meta`` is empty. Byte offsets in issues and errors
    count from the first byte of `data`, whatever `offset` is; in a deflated data set they count inflated bytes.

    Parameters
    ----------
    data
        What `dcmread` takes: a path, bytes-like, a binary stream, which is read from where it stands, or an object with
        `size` and ``read_at(offset, length)``. A path is read by position; the file is to stay as it is.
    transfer_syntax
        A UID, a keyword or a short name (`dicomcore.uids.NAMES`). A UID that PS3.6 doesn't register, as private ones,
        stands for explicit VR little endian (PS3.5 10).
    offset, length
        The data set is `length` bytes from byte `offset` on, by default all that follow. What lies around them is not
        looked at.
    limits
        Bounds on what is taken from the input. ``Limits(strict=True)`` raises for the first deviation.

    Raises TruncatedError where `offset` and `length` reach beyond `data`, LimitError beyond `limits`, ParseError where
    nothing can be inflated (and what deviates, when strict), ValueError for what is no transfer syntax, and OSError as
    open() does.
    """
    if offset < 0 or (length is not None and length < 0):
        raise ValueError(f"offset and length are counts of bytes, not {offset} and {length}")
    limits = DEFAULT_LIMITS if limits is None else limits
    given = openable(data, "decode", None if length is None else offset + length)
    index = open_data_set(given, _named(transfer_syntax), limits=limits, offset=offset, length=length)
    made = make_dataset(Dataset, inflated(index, limits), DATA_SET)
    if limits.strict:
        raise_first(made)
    return made


@lru_cache(maxsize=64)
def _named(transfer_syntax: str) -> str:
    return str(syntax_named(transfer_syntax))


def decode_as(data: Any, transfer_syntax: str, *, implicit: bool, big: bool, limits: Limits) -> Dataset:
    """Decode bytes in an encoding that is known, of a data set that is said to be in `transfer_syntax`."""
    index = open_data_set(data, transfer_syntax, limits=limits, mode=implicit | big << 1)
    return make_dataset(Dataset, index, DATA_SET)


def decode_meta(data: Any, *, implicit: bool, limits: Limits) -> Dataset:
    """Decode elements of group 0002 alone, which are in little endian (PS3.10 7.1)."""
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return make_dataset(Dataset, open_group(data, 2, str(syntax), limits=limits), DATA_SET)


def raise_first(data_set: Dataset) -> None:
    """Raise the first deviation of a data set, if it has any."""
    for issue in data_set.issues:
        kind = TruncatedError if issue.code in CUT_SHORT else ParseError
        raise kind(issue.message, offset=issue.offset, tag=issue.tag)
