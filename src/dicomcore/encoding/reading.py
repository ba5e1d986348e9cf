"""decode: read a bare data set in a transfer syntax that the caller states (PS3.5)."""

from __future__ import annotations

from functools import lru_cache

from dicomcore._native.scan.opener import open_data_set, open_group
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import DATA_SET
from dicomcore.encoding.inflate import inflated
from dicomcore.encoding.sources import openable
from dicomcore.errors import ParseError, TruncatedError
from dicomcore.limits import DEFAULT_LIMITS, Limits
from dicomcore.uids import ExplicitVRLittleEndian, ImplicitVRLittleEndian, syntax_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dicomcore.encoding.sources import Source

__all__ = ["decode", "decode_as", "decode_meta", "raise_first"]

TRUNCATED = ("LENGTH_BEYOND_END", "TRAILING_BYTES", "DEFLATE")


def decode(
    data: Source, transfer_syntax: str, *, offset: int = 0, length: int | None = None, limits: Limits | None = None
) -> Dataset:
    """Decode a bare data set (PS3.5 7), which has no preamble, prefix or file meta information.

    The caller states the transfer syntax and nothing is guessed: data in another one gives issues or wrong values. As
    with `dcmread`, the elements are indexed at once and decoded when they are first used, deviations are in ``issues``,
    and pixel data is read when a frame is used.

    ``transfer_syntax`` of the data set is the stated one and ``file_meta`` is empty. Byte offsets in issues and errors
    count from the first byte of `data`, whatever `offset` is; in a deflated data set they count inflated bytes.

    Parameters
    ----------
    data : path, bytes-like, binary stream, or object with `size` and ``read_at(offset, length)``
        The input. A stream is read from its position. A file is read by position and must not change meanwhile.
    transfer_syntax : str
        A UID, a keyword or a short name (`dicomcore.uids.NAMES`). A UID that PS3.6 does not register, such as a private
        one, is read as explicit VR little endian (PS3.5 10).
    offset, length : int
        The data set has `length` bytes from byte `offset` on; by default it reaches to the end. Bytes around it are
        ignored.
    limits : Limits, optional
        Bounds on what is accepted from the input. ``Limits(strict=True)`` raises for the first deviation.

    Returns
    -------
    Dataset

    Raises
    ------
    TruncatedError
        `offset` and `length` reach beyond `data`; with strict limits also for truncated elements.
    LimitError
        The input exceeds `limits`.
    ParseError
        A deflated data set cannot be inflated; with strict limits also for other deviations.
    ValueError
        `transfer_syntax` is not a transfer syntax, or `offset` or `length` is negative.
    OSError
        As open() raises it.
    """
    if offset < 0 or (length is not None and length < 0):
        raise ValueError(f"offset and length are counts of bytes, not {offset} and {length}")
    limits = DEFAULT_LIMITS if limits is None else limits
    source = openable(data, "decode", None if length is None else offset + length)
    index = open_data_set(source, _named(transfer_syntax), limits=limits, offset=offset, length=length)
    data_set = make_dataset(Dataset, inflated(index, limits), DATA_SET)
    if limits.strict:
        raise_first(data_set)
    return data_set


@lru_cache(maxsize=64)
def _named(transfer_syntax: str) -> str:
    return str(syntax_named(transfer_syntax))


def decode_as(data: Any, transfer_syntax: str, *, implicit: bool, big: bool, limits: Limits) -> Dataset:
    """Decode bytes in the encoding of `implicit` and `big`, of a data set whose label is `transfer_syntax`."""
    index = open_data_set(data, transfer_syntax, limits=limits, mode=implicit | big << 1)
    return make_dataset(Dataset, index, DATA_SET)


def decode_meta(data: Any, *, implicit: bool, limits: Limits) -> Dataset:
    """Decode bytes that contain elements of group 0002 only, in little endian (PS3.10 7.1)."""
    syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return make_dataset(Dataset, open_group(data, 2, str(syntax), limits=limits), DATA_SET)


def raise_first(data_set: Dataset) -> None:
    """Raise ParseError or TruncatedError for the first issue of a data set, if it has any."""
    for issue in data_set.issues:
        error = TruncatedError if issue.code in TRUNCATED else ParseError
        raise error(issue.message, offset=issue.offset, tag=issue.tag)
