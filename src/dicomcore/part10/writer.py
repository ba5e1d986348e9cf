"""dcmwrite: write a data set to a path, a stream or bytes."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dicomcore._native.write.judge import is_untouched
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import file_index, index_of, meta_of
from dicomcore.encoding.composing import Lengths, plan_for, put_body
from dicomcore.encoding.widen import Widen, widened
from dicomcore.errors import DicomError
from dicomcore.part10.meta import put_head
from dicomcore.part10.target import Target, write_out
from dicomcore.uids import MediaStorageDirectoryStorage

if TYPE_CHECKING:
    from dicomcore.dataset.validation import Validation

__all__ = ["composed", "dcmwrite", "to_bytes"]

RECORDS = 0x00041220  # Directory Record Sequence


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

    Unchanged elements are copied byte for byte, whatever their size, with little memory; changed elements are encoded
    by their VR. A changed element is in the file once and a deleted element is not in it, even if the source repeats
    the element behind its pixel data, against PS3.5 7.1.

    Parameters
    ----------
    target : path, binary stream or bytearray
        A stream is written from its position, a bytearray is extended. A file is written beside its path and renamed
        when it is complete. The path may be the one that `ds` was read from; `ds` then continues to read the old file.
    ds : Dataset
        The data set.
    transfer_syntax : str, optional
        A UID, keyword or short name (`dicomcore.uids.NAMES`); by default the data set's own, which is the one in
        `file_meta` if it was set there. Pixel data is never decoded or encoded, and is refused if the transfer syntax
        requires it. Private elements keep their VR if it is known.
    enforce_standard : bool
        Complete preamble and file meta information and make them agree with the data set. Otherwise they are written
        as they are.
    lengths : {"defined", "undefined"}, optional
        The form of the lengths of all sequences and items; by default each keeps the form that it was read in.
    repair : bool
        Correct the deviations of structure that ``ds.issues`` lists: order, duplicates, lengths, delimiters, headers,
        encoding, odd lengths. Bytes that cannot be read are left out.
    widen : {"utf-8", "iso2022"}, optional
        If the declared character set lacks a character of the text, write all text in UTF-8, or declare further
        character sets by code extensions. Specific Character Set is changed accordingly.
    validate : {"warn", "raise", "ignore"}, optional
        Warn or raise for values that were set in `ds` and that their VR does not allow.
    overwrite : bool
        Replace an existing file; otherwise FileExistsError.
    durable : bool
        Wait until the disk holds the file.

    Raises
    ------
    EncodeError
        An element cannot be written; the message names it. `target` is unchanged.
    LimitError
        The data set was changed, and the source's elements behind the pixel data exceed the limits that it was read
        with.
    OSError
        As open() and write() raise it; a file at the path is unchanged.
    """
    if isinstance(target, (str, os.PathLike)):
        _keep_source_open(ds, target)
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
    """Return the bytes of the file that `dcmwrite` would write, with the same options."""
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
    """Compose and check the whole file; bytes that are copied from a source are read only when it is written."""
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
        _warn_of_links(ds, out)
    return out


def _is_changed_directory(ds: Dataset) -> bool:
    if is_untouched(ds):
        return False
    meta = meta_of(ds)
    return meta is not None and meta.get("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage


def _warn_of_links(ds: Dataset, out: Output) -> None:
    """Warn of broken links: a DICOMDIR links its records by byte offsets (PS3.3 F.2.2), which edits shift."""
    from dicomcore.fileset.directory import read_directory
    from dicomcore.part10.reader import dcmread

    whole = out.whole()
    written = dcmread(whole)
    if _has_records_of_source(ds, written, whole):
        return
    broken = [issue for issue in read_directory(written).issues if issue.code == "RECORD_LINK"]
    if broken:
        message = f"the DICOMDIR's records are not linked any more: {broken[0].message}; "
        warnings.warn(message + "make changes with FileSet, or repair it with FileSet(path).write()", stacklevel=5)


def _has_records_of_source(ds: Dataset, written: Dataset, whole: bytes) -> bool:
    """Whether a written DICOMDIR is the source's byte for byte to the end of its records: then all links are, too.

    Elements behind the records shift nothing, and comparing bytes is much faster than following every link.
    """
    index = file_index(ds)
    if index is None or index.packed is not None or RECORDS not in written:
        return False
    records = written[RECORDS]
    if records.offset is None or records.length is None or records.is_undefined_length:
        return False
    source, end = index.source, records.offset + records.length
    if end > source.size - source.first:
        return False
    old = Output()
    old.add_source(source, source.first, end)
    return old.whole() == whole[:end]


def _keep_source_open(ds: Dataset, target: Any) -> None:
    """If `target` is the file that `ds` still reads from, keep the old file open."""
    index = index_of(ds)
    source = None if index is None else index.packed or index.source
    if source is None or source.path is None or os.name != "posix":
        return
    with suppress(OSError, DicomError):  # `target` is new, or the source was replaced: no file needs to stay open
        if os.path.samestat(os.stat(target), os.stat(source.path)):
            source.keep_open()
