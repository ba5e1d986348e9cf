"""pydicom.filewriter."""

from __future__ import annotations

from typing import Any, BinaryIO

from dicomcore._native.write.output import Output
from dicomcore.dataset import Dataset as _Dataset
from dicomcore.dataset.meta import meta_of
from dicomcore.dataset.state import touched
from dicomcore.encoding.composing import put_elements
from dicomcore.encoding.syntax import encoding_of
from dicomcore.interop.pydicom.names.ambiguous import correct_ambiguous_vr, correct_ambiguous_vr_element
from dicomcore.interop.pydicom.names.base_dataset import Dataset, FileMetaDataset, validate_file_meta
from dicomcore.interop.pydicom.names.buffered import with_bytes
from dicomcore.interop.pydicom.names.charset import default_encoding, terms_of
from dicomcore.interop.pydicom.names.filebase import DicomBytesIO, DicomFile, DicomFileLike, DicomIO, unwrapped
from dicomcore.part10 import writer
from dicomcore.part10.meta import put_head
from dicomcore.part10.target import write_out
from dicomcore.tags import UNDEFINED_LENGTH
from dicomcore.uids import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = [
    "DicomBytesIO",
    "DicomFile",
    "DicomFileLike",
    "DicomIO",
    "correct_ambiguous_vr",
    "correct_ambiguous_vr_element",
    "dcmwrite",
    "write_data_element",
    "write_dataset",
    "write_file_meta_info",
]


CHARSET, AFTER_CHARSET = 0x00080005, 0x00080006
PIXEL_DATA, DIRECTORY_RECORDS = 0x7FE00010, 0x00041220
DEFAULT_TERMS = ((), terms_of(default_encoding))


def dcmwrite(
    filename: Any,
    dataset: Any,
    /,
    __write_like_original: bool | None = None,
    *,
    implicit_vr: bool | None = None,
    little_endian: bool | None = None,
    enforce_file_format: bool = False,
    force_encoding: bool = False,
    overwrite: bool = True,
    **kwargs: Any,
) -> None:
    """Write a data set to a path or a stream, by default as it is.

    Parameters
    ----------
    filename : path or binary stream
        The target.
    dataset : Dataset
        The data set.
    implicit_vr, little_endian : bool, optional
        The encoding of a data set that states no transfer syntax.
    enforce_file_format : bool
        Complete preamble and file meta information; otherwise they are written as they are.
    force_encoding : bool
        Use `implicit_vr` and `little_endian` whatever the transfer syntax says.
    overwrite : bool
        Replace an existing file; otherwise FileExistsError.

    Raises
    ------
    ValueError
        The encoding is unknown or contradicts the transfer syntax, or an element cannot be written.
    AttributeError
        `enforce_file_format`, and file meta information lacks what a file must have.
    """
    like_original = _like_original(__write_like_original, kwargs)
    if like_original is not None:
        enforce_file_format = not like_original
    _refuse_groups(dataset)
    if force_encoding and enforce_file_format:
        raise ValueError("'force_encoding' cannot be used with 'enforce_file_format'")
    preamble = getattr(dataset, "preamble", None)
    if preamble and len(preamble) != 128:
        raise ValueError(f"'{type(dataset).__name__}.preamble' must be 128-bytes long")
    meta = meta_of(dataset)
    stated = meta.get("TransferSyntaxUID") if meta is not None else None
    implicit, little = encoding_for(dataset, stated, implicit_vr, little_endian, force_encoding)
    syntax = stated or syntax_of(implicit, little)
    if enforce_file_format:
        _check_meta(dataset, meta, syntax)
    if (implicit, little) == (True, False):
        raise NotImplementedError("dicomcore writes no implicit VR in big endian: no transfer syntax has it")
    target = unwrapped(filename)
    if stated and not stated.is_transfer_syntax and not force_encoding:  # a private one, which states no encoding
        out = Output()
        put_head(dataset, out, stated, enforce_file_format)
        encoding = encoding_of(syntax_of(implicit, little))._replace(encapsulated=_is_encapsulated(dataset))
        put_elements(with_bytes(dataset), out, encoding)
        return write_out(target, out, overwrite=overwrite, durable=False)
    writer.dcmwrite(
        target,
        with_bytes(dataset),
        transfer_syntax=syntax_of(implicit, little) if force_encoding else syntax,
        enforce_standard=enforce_file_format,
        overwrite=overwrite,
        durable=False,
    )


def _like_original(positional: bool | None, kwargs: dict[str, Any]) -> bool | None:
    given: bool | None = kwargs.pop("write_like_original", None)
    if kwargs:
        raise TypeError(f"Invalid keyword argument(s) for dcmwrite(): {', '.join(kwargs)}")
    if given is not None and positional is not None:
        raise TypeError("'write_like_original' cannot be used as both a positional and keyword argument")
    return given if positional is None else positional


def _refuse_groups(dataset: Any) -> None:
    if not isinstance(dataset, _Dataset):
        raise AttributeError(f"'{type(dataset).__name__}' object is no data set")
    # Those that were set: a file's reader has put what it read into File Meta Information.
    groups = {tag >> 16 for tag, element in touched(dataset).items() if element is not None and tag < 0x00030000}
    if 0 in groups:
        raise ValueError(
            "Command Set elements (0000,eeee) are not allowed when using dcmwrite(), use write_dataset() instead"
        )
    if 2 in groups:
        raise ValueError(
            "File Meta Information Group elements (0002,eeee) must be in a FileMetaDataset instance in the"
            f" '{type(dataset).__name__}.file_meta' attribute"
        )


def _check_meta(dataset: Any, meta: Any, syntax: str) -> None:
    """Raise AttributeError if a file's File Meta Information would lack something."""
    whole = FileMetaDataset() if meta is None else meta.copy()
    whole.TransferSyntaxUID = syntax
    for keyword in ("SOPClassUID", "SOPInstanceUID"):
        own = dataset.get(keyword)
        if own:
            setattr(whole, f"MediaStorage{keyword}", own)
    validate_file_meta(whole)


def encoding_for(
    ds: Any, syntax: UID | None, implicit_vr: bool | None, little_endian: bool | None, forced: bool
) -> tuple[bool, bool]:
    """(implicit VR, little endian) to write in: of the transfer syntax, the arguments, the data set, as it was read."""
    if forced:
        if implicit_vr is None or little_endian is None:
            raise ValueError("'implicit_vr' and 'little_endian' are required if 'force_encoding' is used")
        return implicit_vr, little_endian
    if implicit_vr is not None and little_endian is None:
        little_endian = True
    given = (implicit_vr, little_endian)
    pairs = (given, (ds.is_implicit_VR, ds.is_little_endian), getattr(ds, "original_encoding", (None, None)))
    fallback = next((pair for pair in pairs if None not in pair), None)
    if not syntax:
        if fallback is None:
            raise ValueError(
                "Unable to determine the encoding to use for writing the dataset, please set the file meta's Transfer"
                " Syntax UID or use the 'implicit_vr' and 'little_endian' arguments"
            )
        chosen: Any = fallback
    elif not syntax.is_transfer_syntax:
        if not syntax.is_private:
            raise ValueError(f"The Transfer Syntax UID '{syntax.name}' is not a valid transfer syntax")
        if fallback is None:
            raise ValueError(
                "The 'implicit_vr' and 'little_endian' arguments are required when using a private transfer syntax"
            )
        chosen = fallback
    else:
        chosen = (syntax.is_implicit_VR, syntax.is_little_endian)
        for name, arg, is_so in (("implicit_vr", given[0], chosen[0]), ("little_endian", given[1], chosen[1])):
            if arg is not None and arg != is_so:
                raise ValueError(f"'{name}={arg}' is not consistent with the transfer syntax '{syntax.name}'")
    if chosen == (True, False):
        raise ValueError("Implicit VR and big endian is not a valid encoding combination")
    return chosen  # type: ignore[no-any-return]


def syntax_of(implicit: bool, little: bool) -> UID:
    """The native transfer syntax of an encoding."""
    return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def write_dataset(fp: Any, dataset: Any, parent_encoding: Any = None) -> int:
    """Write a bare data set in the encoding of `fp`, a `DicomIO`; return the number of bytes.

    `parent_encoding` is Python's codec, or several, of the text of a data set without Specific Character Set.
    """
    data = _encoded(with_bytes(dataset), fp, parent_encoding, _is_encapsulated(dataset))
    fp.write(data)
    return len(data)


def _is_encapsulated(dataset: Any) -> bool:
    pixels = dataset.get(PIXEL_DATA)
    return pixels is not None and bool(pixels.is_undefined_length)


def _encoded(dataset: Any, fp: Any, codecs: Any, encapsulated: bool) -> bytes:
    encoding = encoding_of(syntax_of(*_encoding_of(fp, dataset)))._replace(encapsulated=encapsulated)
    _drop_group_lengths(dataset.get(DIRECTORY_RECORDS))
    out = Output()
    terms = terms_of(codecs or ())
    if "SpecificCharacterSet" in dataset or terms in DEFAULT_TERMS:
        put_elements(dataset, out, encoding)
        return out.whole()
    stated = dataset.copy()
    stated.SpecificCharacterSet = list(terms)
    put_elements(stated[:CHARSET], out, encoding)
    start = len(out.whole())
    put_elements(stated[:AFTER_CHARSET], whole := Output(), encoding)
    put_elements(stated, complete := Output(), encoding)
    return complete.whole()[:start] + complete.whole()[len(whole.whole()) :]


def _encoding_of(fp: Any, dataset: Any) -> tuple[bool, bool]:
    """(implicit VR, little endian) that a stream states, else the data set's; the stream then states it too."""
    stated = getattr(fp, "_implicit", None), getattr(fp, "_little", None)
    pairs = (stated, (dataset.is_implicit_VR, dataset.is_little_endian), dataset.original_encoding)
    implicit, little = next((pair for pair in pairs if None not in pair), (None, None))
    if implicit is not None and little is not None:
        fp.is_implicit_VR, fp.is_little_endian = implicit, little
    return fp.is_implicit_VR, fp.is_little_endian


def _drop_group_lengths(records: Any) -> None:
    """Delete retired group lengths from directory records: who counts the records' offsets does so without them."""
    for record in () if records is None else records.value:
        for tag in [tag for tag in record.keys() if tag.element == 0]:  # noqa: SIM118
            del record[tag]


def write_data_element(fp: Any, elem: Any, encodings: Any = None) -> None:
    """Write an element in the encoding of `fp`, a `DicomIO`."""
    alone = Dataset()
    alone.validation = "ignore"
    alone.add(elem)
    encapsulated = elem.tag == PIXEL_DATA and (
        elem.length == UNDEFINED_LENGTH if elem.is_raw else elem.is_undefined_length
    )
    fp.write(_encoded(with_bytes(alone), fp, encodings, encapsulated))


def write_file_meta_info(fp: BinaryIO, file_meta: Any, enforce_standard: bool = True) -> None:
    """Write File Meta Information; with `enforce_standard` completed, and with its group length."""
    from dicomcore.part10.meta import put_meta

    validate_file_meta(file_meta, enforce_standard)
    if enforce_standard and "FileMetaInformationGroupLength" not in file_meta:
        file_meta.FileMetaInformationGroupLength = 0
    out = Output()
    with_length = enforce_standard or "FileMetaInformationGroupLength" in file_meta
    put_meta(file_meta, out, with_length)
    data = out.whole()
    if with_length:
        file_meta.FileMetaInformationGroupLength = int.from_bytes(data[8:12], "little")
    fp.write(data)
