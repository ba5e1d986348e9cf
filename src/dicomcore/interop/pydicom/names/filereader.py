"""pydicom.filereader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

from dicomcore import encoding
from dicomcore._native.views.dataset import make_dataset
from dicomcore.dataset.state import DATA_SET, index_of
from dicomcore.errors import InvalidDicomError
from dicomcore.interop.pydicom.names import config
from dicomcore.interop.pydicom.names.base_dataset import Dataset, FileMetaDataset
from dicomcore.interop.pydicom.names.charset import terms_of
from dicomcore.interop.pydicom.names.dataelem import RawDataElement
from dicomcore.interop.pydicom.names.file_dataset import FileDataset, note_source
from dicomcore.interop.pydicom.names.filebase import DicomBytesIO, DicomFileLike, DicomIO, unwrapped
from dicomcore.interop.pydicom.names.filewriter import DEFAULT_TERMS, syntax_of
from dicomcore.interop.pydicom.names.tag import BaseTag
from dicomcore.interop.pydicom.names.valuerep import EXPLICIT_VR_LENGTH_32
from dicomcore.limits import DEFAULT_LIMITS
from dicomcore.part10.reader import read_as
from dicomcore.tags import UNDEFINED_LENGTH, Tag, TagLike
from dicomcore.uids import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

__all__ = [
    "DicomBytesIO",
    "DicomFileLike",
    "DicomIO",
    "data_element_generator",
    "dcmread",
    "read_dataset",
    "read_file_meta_info",
    "read_partial",
    "read_preamble",
]

OTHER_VR_ENCODING = ("EXPLICIT_IN_IMPLICIT", "IMPLICIT_IN_EXPLICIT")  # codes of issues
FILE_START = bytes(128) + b"DICM"
USUAL_META = 4096
"""Bytes of File Meta Information that are read at first."""
StopWhen = Callable[[BaseTag, str | None, int], bool]


def dcmread(
    fp: Any,
    defer_size: str | float | None = None,
    stop_before_pixels: bool = False,
    force: bool = False,
    specific_tags: Iterable[TagLike] | None = None,
) -> FileDataset:
    """Read a DICOM file or data set, see `dicomcore.dcmread`."""
    if fp is None:
        raise TypeError(f"dcmread: Expected a file path, file-like or readable buffer, but got {type(fp).__name__}")
    source = unwrapped(fp)
    if force and hasattr(source, "seek") and not hasattr(source, "read_at"):
        _rewind(source)
    data_set = read_as(
        FileDataset,
        source,
        DEFAULT_LIMITS,
        stop_before_pixels=stop_before_pixels,
        force=force,
        specific_tags=list(specific_tags or ()) or None,
    )
    note_source(data_set, source)
    if config.settings.reading_validation_mode == config.RAISE:
        _refuse_other_vr_encoding(data_set)
    return data_set


def _refuse_other_vr_encoding(data_set: FileDataset) -> None:
    """Raise InvalidDicomError where implicit VR was labelled explicit, or explicit implicit."""
    for issue in data_set.issues:
        if issue.code in OTHER_VR_ENCODING:
            raise InvalidDicomError(issue.message)


def _rewind(stream: BinaryIO) -> None:
    """Return to the beginning of a stream that is at its end: pydicom does so with `force`."""
    try:
        position = stream.tell()
        if position and not stream.read(1):
            stream.seek(0)
        else:
            stream.seek(position)
    except (OSError, AttributeError):
        return


def read_file_meta_info(filename: Any) -> FileMetaDataset:
    """The File Meta Information of a file."""
    data_set = read_as(FileDataset, filename, DEFAULT_LIMITS, specific_tags=[], force=False)
    meta: FileMetaDataset = data_set.file_meta
    return meta


def _read_file_meta_info(fp: BinaryIO) -> FileMetaDataset:
    """The File Meta Information at a stream's position; the stream then stands behind it."""
    start = fp.tell()
    data = FILE_START + fp.read(USUAL_META)
    body = _body_of(data)
    if body == len(data):
        data += fp.read()
        body = _body_of(data)
    fp.seek(start + body - len(FILE_START))
    elements = data[len(FILE_START) : body]
    return _as(FileMetaDataset, encoding.reading.decode_meta(elements, implicit=False, limits=DEFAULT_LIMITS))


def _body_of(data: bytes) -> int:
    """Where the data set of a file begins, of which these are the first bytes."""
    index = index_of(read_as(FileDataset, data, DEFAULT_LIMITS, specific_tags=[], force=True))
    return len(data) if index is None else index.body


def read_preamble(fp: BinaryIO, force: bool) -> bytes | None:
    """Read preamble and prefix; None, with the stream rewound, for a stream without them if `force`."""
    preamble = fp.read(128)
    if fp.read(4) == b"DICM":
        return preamble
    if not force:
        raise InvalidDicomError(
            "File is missing DICOM File Meta Information header or the 'DICM' prefix is missing from the header. Use"
            " force=True to force reading."
        )
    fp.seek(0)
    return None


def read_partial(
    fileobj: BinaryIO,
    stop_when: StopWhen | None = None,
    defer_size: Any = None,
    force: bool = False,
    specific_tags: Iterable[TagLike] | None = None,
) -> FileDataset:
    """Read a file up to the first element for which ``stop_when(tag, VR, length)`` is true."""
    start = fileobj.tell()
    data_set = dcmread(fileobj, force=force, specific_tags=specific_tags)
    stop = _stop_tag(data_set, stop_when)
    if stop is None:
        return data_set
    fileobj.seek(start + _offset_of(data_set, stop))
    for tag in [tag for tag in data_set.keys() if tag >= stop]:  # noqa: SIM118
        del data_set[tag]
    return data_set


def read_dataset(
    fp: BinaryIO,
    is_implicit_VR: bool,
    is_little_endian: bool,
    bytelength: int | None = None,
    stop_when: StopWhen | None = None,
    defer_size: Any = None,
    parent_encoding: Any = None,
    specific_tags: Iterable[TagLike] | None = None,
    at_top_level: bool = True,
) -> Dataset:
    """Read a bare data set at a stream's position, of at most `bytelength` bytes, up to an element if `stop_when`."""
    fp = unwrapped(fp)
    start = fp.tell()
    data = fp.read() if bytelength is None else fp.read(bytelength)
    data_set = _as(Dataset, _decoded(data, is_implicit_VR, is_little_endian))
    prefix = b""
    if parent_encoding and "SpecificCharacterSet" not in data_set:
        prefix = _charset_element(parent_encoding, is_implicit_VR, is_little_endian)
        tags = frozenset(data_set.keys())
        data_set = _as(Dataset, _decoded(prefix + data, is_implicit_VR, is_little_endian), tags)
    stop = _stop_tag(data_set, stop_when)
    wanted = None if specific_tags is None else {int(Tag(tag)) for tag in specific_tags} | {0x00080005}
    if stop is not None:
        fp.seek(start + _offset_of(data_set, stop) - len(prefix))
    for tag in data_set.keys():  # noqa: SIM118
        if (stop is not None and tag >= stop) or (wanted is not None and tag not in wanted):
            del data_set[tag]
    return data_set


def data_element_generator(
    fp: BinaryIO,
    is_implicit_VR: bool,
    is_little_endian: bool,
    stop_when: StopWhen | None = None,
    defer_size: Any = None,
    encoding: Any = None,
    specific_tags: Iterable[TagLike] | None = None,
) -> Iterator[Any]:
    """The elements of a bare data set at a stream's position: raw ones, but for sequences."""
    start = fp.tell()
    data_set = read_dataset(fp, is_implicit_VR, is_little_endian, stop_when=stop_when, specific_tags=specific_tags)
    for element in data_set:
        if element.VR == "SQ" or element.raw is None or element.offset is None:
            yield element
            continue
        length = UNDEFINED_LENGTH if element.is_undefined_length else element.length or 0
        stated = None if is_implicit_VR else element.VR
        place = start + element.offset
        yield RawDataElement(element.tag, stated, length, bytes(element.raw), place, is_implicit_VR, is_little_endian)


def _decoded(data: bytes, implicit: bool, little: bool) -> Any:
    if implicit and not little:
        return encoding.reading.decode_as(
            data, str(ImplicitVRLittleEndian), implicit=True, big=True, limits=DEFAULT_LIMITS
        )
    return encoding.decode(
        data, ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    )


def _charset_element(codecs: Any, implicit: bool, little: bool) -> bytes:
    """Specific Character Set with the terms of Python's codecs; nothing for the default ones."""
    terms = terms_of(codecs)
    if terms in DEFAULT_TERMS:
        return b""
    stated = Dataset()
    stated.validation = "ignore"  # Python's names will do
    stated.SpecificCharacterSet = list(terms)
    return encoding.encode(stated, syntax_of(implicit, little))


def _as(cls: type[Any], data_set: Any, tags: frozenset[int] | None = None) -> Any:
    """The same rows as a data set of another class, all or those with these tags."""
    index = index_of(data_set)
    assert index is not None
    return make_dataset(cls, index, DATA_SET, tags)


def _stop_tag(data_set: Any, stop_when: StopWhen | None) -> BaseTag | None:
    if stop_when is None:
        return None
    return next((e.tag for e in data_set if stop_when(e.tag, e.VR, e.length or 0)), None)


def _offset_of(data_set: Any, tag: BaseTag) -> int:
    """The offset of an element's header."""
    element = data_set[tag]
    return int(element.offset) - (12 if not data_set.is_implicit_VR and element.VR in EXPLICIT_VR_LENGTH_32 else 8)


def _end_of(data_set: Any, syntax: str) -> int:
    last = max(data_set, key=lambda element: element.offset or 0, default=None)
    return 0 if last is None else last.offset + last.length
