"""dcmwrite: a data set to a path, a stream or bytes."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dicomcore._native.write.judge import is_untouched
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import index_of
from dicomcore.encoding.composing import Lengths, plan_for, put_body
from dicomcore.encoding.widen import Widen, widened
from dicomcore.errors import DicomError
from dicomcore.part10.meta import put_head
from dicomcore.part10.target import Target, write_out
from dicomcore.uids import MediaStorageDirectoryStorage

if TYPE_CHECKING:
    from dicomcore.dataset.validation import Validation

__all__ = ["composed", "dcmwrite", "to_bytes"]


def dcmwrite(
    target: Target,
    ds: Dataset,
    *,
    transfer_syntax: str | None = None,
    enforce_standard: bool = True,
    lengths: Lengths | None = None,
    repair: bool = False,
    widen: Widen | None = None,
    validate: Validation | None = None,
    overwrite: bool = True,
    durable: bool = True,
) -> None:
    """Write a data set as a DICOM file (PS3.10 7, PS3.5 7).

    `target` is a path, a binary stream (written from where it stands) or a bytearray (written at its end). A path is
    replaced only by a complete file, which is written beside it and renamed; it may be the one that `ds` was read from,
    which `ds` then goes on reading from. What was not changed is copied byte for byte, whatever its size, in little
    memory; what was is encoded by its VR. An element that was changed stands once in the file, and one that was deleted
    nowhere, even if the source repeats it, against PS3.5 7.1, behind its pixel data.

    `transfer_syntax`: the data set's own by default; any other without encapsulated pixel data may be asked for, by its
    UID, keyword or short name (`dicomcore.uids.NAMES`), and private elements keep their VR as far as it is known.
    One that was set in `file_meta` becomes its own; pixel data that can't be in it is refused.
    `enforce_standard` completes preamble and file meta information and makes them agree with the data set; without it
    they are written as they are. `lengths` makes those of all sequences and items "defined" or "undefined"; they stay
    as they stood by default. `repair` mends what ``ds.issues`` lists of structure: order, duplicates, lengths,
    delimiters, headers, encoding, odd lengths; what can't be read is left out. `widen`: where text has characters that
    the declared character set lacks, all text is written in "utf-8", or in further sets by "iso2022" code extensions,
    and Specific Character Set says so. `validate`: "warn" or "raise" for values set here that their VR doesn't allow.
    `overwrite=False` refuses a path that exists; `durable=False` doesn't wait for the disk.

    Raises EncodeError, which names the element that can't be written, before anything of `target` changes; LimitError
    where what stands behind the pixel data of a changed data set passes the limits that it was read with; OSError as
    open() and write() do, when a path stays what it was.
    """
    if isinstance(target, (str, os.PathLike)):
        _hold_on(ds, target)
    out = composed(
        ds,
        transfer_syntax=transfer_syntax,
        enforce_standard=enforce_standard,
        lengths=lengths,
        repair=repair,
        widen=widen,
        validate=validate,
    )
    write_out(target, out, overwrite=overwrite, durable=durable)


def to_bytes(ds: Dataset, **options: Any) -> bytes:
    """The file's bytes that `dcmwrite` would write, with its options."""
    return composed(ds, **options).whole()


def composed(
    ds: Dataset,
    *,
    transfer_syntax: str | None = None,
    enforce_standard: bool = True,
    lengths: Lengths | None = None,
    repair: bool = False,
    widen: Widen | None = None,
    validate: Validation | None = None,
) -> Output:
    """All that is to be written, encoded and checked; sources are read only when it is."""
    plan = plan_for(ds, transfer_syntax, lengths=lengths, repair=repair, validate=validate)

    def put(out: Output, terms: tuple[str, ...] | None) -> None:
        put_head(ds, out, plan.syntax, enforce_standard, repair)
        put_body(ds, out, plan, forced=terms, as_found=True)

    if widen is None:
        out = Output()
        put(out, None)
    else:
        out = widened(ds, widen, put)
    if _is_changed_directory(ds):
        _warn_of_links(out)
    return out


def _is_changed_directory(ds: Dataset) -> bool:
    if is_untouched(ds):
        return False
    meta = ds.file_meta
    return meta is not None and meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage


def _warn_of_links(out: Output) -> None:
    """Records of a DICOMDIR are linked by where they stand (PS3.3 F.2.2): what shifts them breaks the links."""
    from dicomcore.fileset.directory import read_directory
    from dicomcore.part10.reader import dcmread

    broken = [issue for issue in read_directory(dcmread(out.whole())).issues if issue.code == "RECORD_LINK"]
    if broken:
        message = f"the DICOMDIR's records are not linked any more: {broken[0].message}; make "
        warnings.warn(message + "changes by FileSet, or have FileSet(path).write() mend it", stacklevel=5)


def _hold_on(ds: Dataset, target: Any) -> None:
    """Where a file replaces the one that `ds` still reads from, keep the old one open."""
    index = index_of(ds)
    source = None if index is None else index.packed or index.source
    if source is None or source.path is None or os.name != "posix":
        return
    with suppress(OSError, DicomError):  # another target, or another file by now: there is nothing to hold on to
        if os.path.samefile(source.path, target):
            source.keep_open()
