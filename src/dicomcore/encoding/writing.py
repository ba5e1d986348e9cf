"""encode: a data set as bytes in a transfer syntax, without a file around them (PS3.5)."""

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
    """How a data set is encoded: the options of `dcmwrite` that concern its elements."""

    lengths: Lengths | None
    repair: bool
    widen: Widen | None
    validate: Validation | None


DIRECTORY_RECORDS = 0x00040000  # the first group that may stand in a data set


def encode(ds: Dataset, transfer_syntax: str, **options: Unpack[Options]) -> bytes:
    """Encode a data set in a transfer syntax (PS3.5 7), without preamble, prefix or file meta information.

    What was read in this transfer syntax and not changed keeps its bytes. All else is encoded by its VR, and from one
    uncompressed transfer syntax to another byte order and VRs are converted. Elements of group 0002 belong to a file,
    those of group 0000 to a command set: EncodeError where `ds` has any, unless `repair` leaves them out.

    Parameters
    ----------
    transfer_syntax
        A UID, a keyword or a short name (`dicomcore.uids.NAMES`). It is what the bytes are in, whatever the data set is
        called; pixel data is never decoded, encoded or relabelled for it.
    lengths, repair, widen, validate
        As for `dcmwrite`.

    Raises EncodeError, which names the element, for a value that can't be encoded and for pixel data that can't be in
    this transfer syntax; ValueError for what is no transfer syntax.
    """
    return encoded(ds, transfer_syntax, **options).whole()


def encode_into(
    target: bytearray | BinaryIO | int, ds: Dataset, transfer_syntax: str, **options: Unpack[Options]
) -> int:
    """Encode a data set at the end of a bytearray, into a binary stream, or into the descriptor of an open file.

    The latter two are written from where they stand. All of it is encoded before the first byte goes out, but for what
    is copied from a source, in little memory. Gives the number of bytes; options and errors are those of `encode`.
    """
    out = encoded(ds, transfer_syntax, **options)
    emit(target, out)
    return len(out)


def encode_buffers(ds: Dataset, transfer_syntax: str, **options: Unpack[Options]) -> Iterator[memoryview | bytes]:
    """Encode a data set as buffers in order, not joined, such as ``socket.sendmsg`` takes.

    What is in memory is not copied but viewed: it must not change meanwhile. What is copied from a file is read when
    its turn comes, at most 1 MiB at a time. All that can be wrong with the data set is found before the first buffer;
    options and errors are those of `encode`.
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
    """All that is to be written, checked; sources are read only when it is."""
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
