"""dcmwrite: a data set to a path, a stream or bytes."""

from __future__ import annotations

import os
import warnings
import zlib
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dicomcore._native.write.compose import compose
from dicomcore._native.write.judge import is_untouched
from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset
from dicomcore.dataset.state import file_index, index_of, is_changed
from dicomcore.encoding.widen import Widen, wider_terms
from dicomcore.errors import DicomError, EncodeError
from dicomcore.part10.meta import is_read, put_head
from dicomcore.part10.target import Target, write_out
from dicomcore.syntaxes import syntax_of
from dicomcore.uids import UID, ExplicitVRLittleEndian, GEPrivateImplicitVRBigEndianPixels, syntax_named

if TYPE_CHECKING:
    from dicomcore.dataset.validation import Validation

__all__ = ["composed", "dcmwrite", "to_bytes"]

Lengths = Literal["defined", "undefined"]
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"
PIXEL_DATA = 0x7FE00010
PIXEL_TAGS = (PIXEL_DATA, 0x7FE00008, 0x7FE00009)


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
    if lengths not in (None, "defined", "undefined"):
        raise ValueError(f"lengths are 'defined', 'undefined' or None, not {lengths!r}")
    if validate is not None:
        from dicomcore.dataset.validation import heed  # its patterns take their time to import

        heed(validate, ds)
    own = own_syntax(ds)
    syntax = own if transfer_syntax is None else syntax_named(transfer_syntax)
    if syntax != own:
        refuse_transcoding(ds, own, syntax)
    _refuse_relabelling(ds, syntax)
    plan = _Plan(own, syntax, enforce_standard, lengths, repair)
    forced: tuple[str, ...] | None = None
    while True:
        try:
            out = plan.compose(ds, forced)
            if _is_changed_directory(ds):
                _warn_of_links(out)
            return out
        except EncodeError as error:
            if widen is None or error.character is None:
                raise
            forced = wider_terms(ds, widen, forced, error.character)
            if forced is None:
                raise


def _is_changed_directory(ds: Dataset) -> bool:
    meta = ds.file_meta
    return meta is not None and meta.get("MediaStorageSOPClassUID") == MEDIA_STORAGE_DIRECTORY and not is_untouched(ds)


def _warn_of_links(out: Output) -> None:
    """Records of a DICOMDIR are linked by where they stand (PS3.3 F.2.2): what shifts them breaks the links."""
    from dicomcore.fileset.directory import read_directory
    from dicomcore.part10.reader import dcmread

    broken = [issue for issue in read_directory(dcmread(out.whole())).issues if issue.code == "RECORD_LINK"]
    if broken:
        message = f"the DICOMDIR's records are not linked any more: {broken[0].message}; make "
        warnings.warn(message + "changes by FileSet, or have FileSet(path).write() mend it", stacklevel=5)


class _Plan(NamedTuple):
    """One call's wishes."""

    own: UID
    syntax: UID
    enforce_standard: bool
    lengths: Lengths | None
    repair: bool

    def compose(self, ds: Dataset, forced: tuple[str, ...] | None) -> Output:
        """Head and data set; `forced` are the terms of the character set for all text."""
        index = file_index(ds)
        wanted = encoding_of(self.syntax)
        implicit, big = wanted.implicit, wanted.big
        out = Output()
        put_head(ds, out, self.syntax, self.enforce_standard, self.repair)
        if index is not None and not self.repair and self._is_as_read(ds, index.transfer_syntax):
            implicit, big = bool(index.mode & 1), bool(index.mode & 2)  # as found, whatever the label says
            if index.packed is not None and self.lengths is None and forced is None and is_untouched(ds):
                out.add_source(index.packed, index.packed_at, index.packed.size - index.packed_at)
                return out
        body = Output() if wanted.deflated else out
        compose(
            ds,
            body,
            implicit=implicit,
            big=big,
            encapsulated=wanted.encapsulated,
            lengths=self.lengths,
            repair=self.repair,
            forced=forced,
        )
        if wanted.deflated:
            _deflate(body, out)
        return out

    def _is_as_read(self, ds: Dataset, stated: str) -> bool:
        # A damaged header may state a syntax that isn't, letter by letter, what the data set says it is.
        return self.syntax == (stated or self.own) or (self.syntax == self.own and is_read(ds))


class Encoding(NamedTuple):
    """How a transfer syntax encodes data sets (PS3.5 Annex A)."""

    implicit: bool
    big: bool
    encapsulated: bool
    deflated: bool


@lru_cache(maxsize=256)
def encoding_of(syntax: UID) -> Encoding:
    """Those not registered are explicit VR little endian and encapsulated (PS3.5 A.4)."""
    row = syntax_of(syntax)
    return Encoding(row.implicit, row.big_endian, row.encapsulated, row.deflated)


def own_syntax(ds: Dataset) -> UID:
    """The transfer syntax of a data set: what it says or was read in, Explicit VR Little Endian for one made here."""
    return ds.transfer_syntax or ExplicitVRLittleEndian


def refuse_transcoding(ds: Dataset, own: UID, wanted: UID) -> None:
    """Raise where pixel data would have to be decoded or encoded."""
    if GEPrivateImplicitVRBigEndianPixels in (own, wanted) and any(tag in ds for tag in PIXEL_TAGS):
        raise EncodeError(
            f"{GEPrivateImplicitVRBigEndianPixels} has big-endian pixels behind a little-endian header: take the array "
            "from pixel_array and give it to set_pixels()"
        )
    coded, wants_coded = encoding_of(own).encapsulated, encoding_of(wanted).encapsulated
    if (coded or wants_coded) and any(tag in ds for tag in PIXEL_TAGS):
        raise EncodeError(
            f"from {own.name} to {wanted.name} pixel data must be {'decoded' if coded else 'encoded'}, which "
            "dicomcore.transcode() does"
        )


def _refuse_relabelling(ds: Dataset, syntax: UID) -> None:
    """Raise where a transfer syntax was set in the file meta information, and pixel data as read can't be in it.

    A right label in place of a wrong one is what passes: pixel data in fragments becomes JPEG's, or stops being so.
    """
    index = file_index(ds)
    if index is None or syntax == index.transfer_syntax or is_read(ds) or not syntax.is_transfer_syntax:
        return
    pixels = ds[PIXEL_DATA] if PIXEL_DATA in ds else None  # noqa: SIM401 - get() gives its value
    if pixels is None or is_changed(pixels) or pixels.offset is None or not pixels.length:
        return  # what was set is looked at where it is written
    if index.transfer_syntax == GEPrivateImplicitVRBigEndianPixels:
        refuse_transcoding(ds, GEPrivateImplicitVRBigEndianPixels, syntax)
    if pixels.is_undefined_length != syntax.is_encapsulated:
        found, how = ("is", "decodes") if pixels.is_undefined_length else ("is not", "encodes")
        raise EncodeError(
            f"{pixels.tag} {pixels.keyword}: {found} encapsulated, so that the file can't be called {syntax.name}: "
            f"dicomcore.transcode() {how} it",
            tag=pixels.tag,
        )


def _deflate(body: Output, out: Output) -> None:
    """Put the data set deflated, padded to even length (PS3.5 A.5)."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = 0
    for chunk in body.chunks():
        part = deflater.compress(chunk)
        size += len(part)
        out.add(part)
    part = deflater.flush()
    out.add(part + b"\0" * ((size + len(part)) % 2))


def _hold_on(ds: Dataset, target: Any) -> None:
    """Where a file replaces the one that `ds` still reads from, keep the old one open."""
    index = index_of(ds)
    source = None if index is None else index.packed or index.source
    if source is None or source.path is None or os.name != "posix":
        return
    with suppress(OSError, DicomError):  # another target, or another file by now: there is nothing to hold on to
        if os.path.samefile(source.path, target):
            source.keep_open()
