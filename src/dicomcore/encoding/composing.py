"""Compose the elements of a data set into an Output, for files, bare data sets and command sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from dicomcore._native.scan.index import Index
from dicomcore._native.write.compose import compose
from dicomcore._native.write.judge import is_untouched
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import file_index, touched
from dicomcore.encoding.syntax import (
    Encoding,
    encoding_of,
    is_as_labelled,
    own_syntax,
    refuse_relabelling,
    refuse_transcoding,
)
from dicomcore.errors import EncodeError
from dicomcore.uids import UID, syntax_named

if TYPE_CHECKING:
    from dicomcore.dataset.validation import Validation

__all__ = ["Lengths", "Plan", "plan_for", "put_body", "put_elements", "refuse_set_groups"]

Lengths = Literal["defined", "undefined"]
FIRST_OF_DATA_SETS, DIRECTORY = 0x00080000, 4


class Plan(NamedTuple):
    """How one call writes a data set: from which transfer syntax, into which, and with which options."""

    own: UID
    syntax: UID
    lengths: Lengths | None
    repair: bool

    def keeps(self, ds: Dataset, index: Index) -> bool:
        """Whether the elements are written in the transfer syntax that they were read in."""
        # A damaged header may spell the transfer syntax otherwise than `ds.transfer_syntax` gives it.
        if self.repair:
            return False
        stated = index.transfer_syntax
        return self.syntax == (stated or self.own) or (self.syntax == self.own and is_as_labelled(ds))


def plan_for(
    ds: Dataset,
    transfer_syntax: str | None,
    *,
    lengths: Lengths | None = None,
    repair: bool = False,
    validate: Validation | None = None,
) -> Plan:
    """Check the options of a call; EncodeError if the pixel data does not suit the transfer syntax."""
    if lengths not in (None, "defined", "undefined"):
        raise ValueError(f"lengths are 'defined', 'undefined' or None, not {lengths!r}")
    if validate is not None:
        from dicomcore.dataset.validation import check_before_writing  # imported late: its patterns take time

        check_before_writing(validate, ds)
    own = own_syntax(ds)
    syntax = own if transfer_syntax is None else syntax_named(transfer_syntax)
    if syntax != own:
        refuse_transcoding(ds, own, syntax)
    refuse_relabelling(ds, syntax)
    return Plan(own, syntax, lengths, repair)


def put_body(
    ds: Dataset, out: Output, plan: Plan, *, forced: tuple[str, ...] | None = None, as_found: bool = False
) -> None:
    """Append the elements of `ds` to `out`, deflated if the transfer syntax is.

    Unchanged elements that stay in their transfer syntax are copied. `forced` are the terms of the character set in
    which all text is written. `as_found` keeps the encoding that a data set was read in, even if it is not the one of
    its transfer syntax.
    """
    wanted = encoding_of(plan.syntax)
    index = file_index(ds)
    if index is not None and plan.keeps(ds, index):
        implicit, big = bool(index.mode & 1), bool(index.mode & 2)
        same = (implicit, big) == (wanted.implicit, wanted.big)
        if as_found and not same:
            wanted, same = wanted._replace(implicit=implicit, big=big), True
        packed = index.packed if same and plan.lengths is None and forced is None else None
        if packed is not None and is_untouched(ds):
            out.add_source(packed, index.packed_at, packed.size - index.packed_at)
            return
    body = Output() if wanted.deflated else out
    put_elements(ds, body, wanted, lengths=plan.lengths, repair=plan.repair, forced=forced)
    if wanted.deflated:
        _deflate(body, out)


def put_elements(
    ds: Dataset,
    out: Output,
    encoding: Encoding,
    *,
    lengths: Lengths | None = None,
    repair: bool = False,
    forced: tuple[str, ...] | None = None,
) -> None:
    """Append the elements of `ds` to `out` in `encoding`, not deflated, whatever they were read in."""
    compose(
        ds,
        out,
        implicit=encoding.implicit,
        big=encoding.big,
        encapsulated=encoding.encapsulated,
        lengths=lengths,
        repair=repair,
        forced=forced,
    )


def refuse_set_groups(ds: Dataset) -> None:
    """Raise if elements of file meta information or of command sets were set in the data set."""
    for tag, element in touched(ds).items():
        if tag < FIRST_OF_DATA_SETS and element is not None and tag >> 16 != DIRECTORY:
            raise EncodeError(f"{element.tag} can't stand in a file's data set (PS3.10 7.1, PS3.7 6.3)", tag=tag)


def _deflate(body: Output, out: Output) -> None:
    """Append the deflated data set, padded to even length (PS3.5 A.5)."""
    import zlib

    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = 0
    for chunk in body.chunks():
        part = deflater.compress(chunk)
        size += len(part)
        out.add(part)
    part = deflater.flush()
    out.add(part + b"\0" * ((size + len(part)) % 2))
