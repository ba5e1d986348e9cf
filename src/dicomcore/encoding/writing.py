"""encode: write a bare data set as bytes in a transfer syntax (PS3.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, TypedDict, Unpack

from dicomcore._native.write.judge import stray_tag
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.encoding.composing import Lengths, plan_for, put_body, refuse_set_groups
from dicomcore.encoding.emitting import emit
from dicomcore.encoding.widen import Widen, widened
from dicomcore.errors import EncodeError
from dicomcore.tags import Tag

if TYPE_CHECKING:
    from dicomcore.dataset.validation import Validation

__all__ = ["encode", "encode_buffers", "encode_into"]


class Options(TypedDict, total=False):
    """The options of `dcmwrite` that concern the elements of a data set."""

    lengths: Lengths | None
    repair: bool
    widen: Widen | None
    validate: Validation | None


DIRECTORY_RECORDS = 0x00040000  # the first group that a data set may contain


def encode(ds: Dataset, transfer_syntax: str, **options: Unpack[Options]) -> bytes:
    """Encode a data set in a transfer syntax (PS3.5 7), without preamble, prefix or file meta information.

    Unchanged elements that were read in this transfer syntax keep their bytes. All others are encoded by their VR:
    byte order and VRs are converted between uncompressed transfer syntaxes. The options `lengths`, `repair`, `widen`
    and `validate` are those of `dcmwrite`.

    Parameters
    ----------
    ds : Dataset
        The data set. Elements of group 0002 belong to a file and those of group 0000 to a command set: they raise
        EncodeError, or are left out if `repair`.
    transfer_syntax : str
        A UID, a keyword or a short name (`dicomcore.uids.NAMES`). The bytes are in this transfer syntax, whatever the
        data set's own is. Pixel data is never decoded, encoded or relabelled.

    Returns
    -------
    bytes

    Raises
    ------
    EncodeError
        A value cannot be encoded, or the pixel data cannot be in this transfer syntax; the message names the element.
    ValueError
        `transfer_syntax` is not a transfer syntax.
    """
    return encoded(ds, transfer_syntax, **options).whole()


def encode_into(
    target: bytearray | BinaryIO | int, ds: Dataset, transfer_syntax: str, **options: Unpack[Options]
) -> int:
    """Encode a data set to the end of a bytearray, to a binary stream, or to the descriptor of an open file.

    Streams and descriptors are written from their position. Everything is encoded before the first byte is written,
    except bytes that are copied from a source, which needs little memory. Returns the number of bytes. Options and
    errors are those of `encode`.
    """
    out = encoded(ds, transfer_syntax, **options)
    emit(target, out)
    return len(out)


def encode_buffers(ds: Dataset, transfer_syntax: str, **options: Unpack[Options]) -> Iterator[memoryview | bytes]:
    """Encode a data set as buffers in order, not joined, for functions such as ``socket.sendmsg``.

    Buffers of values in memory are views, not copies: the values must not change meanwhile. Bytes that are copied from
    a file are read when their turn comes, at most 1 MiB at a time. Errors of the data set are raised before the first
    buffer. Options and errors are those of `encode`.
    """
    chunks: Iterator[memoryview | bytes] = encoded(ds, transfer_syntax, **options).chunks()
    return chunks


def encoded(
    ds: Dataset,
    transfer_syntax: str,
    *,
    lengths: Lengths | None = None,
    repair: bool = False,
    widen: Widen | None = None,
    validate: Validation | None = None,
) -> Output:
    """Compose and check the whole data set; bytes that are copied from a source are read only when it is written."""
    plan = plan_for(ds, transfer_syntax, lengths=lengths, repair=repair, validate=validate)
    if repair and stray_tag(ds) >= 0:
        ds = ds[DIRECTORY_RECORDS:]
    _refuse_strays(ds)
    if widen is not None:
        return widened(ds, widen, lambda out, terms: put_body(ds, out, plan, forced=terms))
    out = Output()
    put_body(ds, out, plan)
    return out


def _refuse_strays(ds: Dataset) -> None:
    refuse_set_groups(ds)
    stray = stray_tag(ds)
    if stray >= 0:
        belongs = "a command set (PS3.7 6.3.1)" if stray >> 16 == 0 else "a file (PS3.10 7.1)"
        raise EncodeError(f"{Tag(stray)} belongs to {belongs}: delete it, or give repair=True", tag=stray)
