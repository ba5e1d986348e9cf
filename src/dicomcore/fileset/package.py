"""A file-set as one ZIP file or e-mail, and back (PS3.12 Annexes K, V and W; PS3.11 Annexes G and L)."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import SMTP, default
from io import BytesIO
from typing import Any, BinaryIO

from dicomcore.errors import DicomError, LimitError
from dicomcore.files import write_path
from dicomcore.fileset.fileid import DICOMDIR, Medium, file_id_faults, path_of, shown
from dicomcore.fileset.fileset import FileSet

__all__ = ["to_mail", "to_zip", "to_zip_mail", "unpack"]

MOST_BYTES = 64 << 30
MOST_FILES = 1 << 20
STEP = 1 << 20
SUBJECT = "DICOM-ZIP"  # the text that a subject line must contain (PS3.11 L.3.2)
ATTACHED = "DICOM.ZIP"
BAD_ZIP = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error)


def _files(file_set: FileSet) -> Iterator[tuple[tuple[str, ...], str]]:
    """The File ID and path of every file of the set except the DICOMDIR, the descriptor file included."""
    if file_set.path is None or file_set.is_staged:
        raise DicomError("a file-set is packed from its folder, and changes are not written yet: call write() first")
    seen: set[tuple[str, ...]] = set()
    medium = Medium(file_set.path)
    for instance in file_set:
        file_id = instance.record.file_id
        faults = file_id_faults(file_id)
        if faults:
            raise DicomError(f"File ID {shown(file_id)!r} {faults[0]}: no other system could unpack it")
        if file_id not in seen:
            yield file_id, medium.find(file_id)
        seen.add(file_id)
    descriptor = file_set.descriptor_file_id
    if descriptor and descriptor not in seen and not file_id_faults(descriptor):
        yield descriptor, medium.find(descriptor)


def to_zip(file_set: FileSet, target: str | os.PathLike[str] | BinaryIO, *, compress: bool = True) -> None:
    """Write a file-set as a ZIP file: the DICOMDIR at its root and the files by their File IDs (PS3.12 Annex V).

    A file at a path appears complete or not at all; a stream need not be seekable. Raises DicomError if changes are not
    written yet, and OSError if a file is missing.
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    if isinstance(target, (str, os.PathLike)):

        def fill(file: int) -> None:
            with os.fdopen(os.dup(file), "wb") as stream:
                _fill_zip(file_set, stream, method)

        write_path(target, fill)
    else:
        _fill_zip(file_set, target, method)


def _fill_zip(file_set: FileSet, stream: Any, method: int) -> None:
    with zipfile.ZipFile(stream, "w", method) as packed:
        files = list(_files(file_set))
        packed.write(os.path.join(file_set.path or "", DICOMDIR), DICOMDIR)
        for file_id, path in files:
            packed.write(path, "/".join(file_id))


def to_mail(file_set: FileSet, *, subject: str = "DICOM file-set") -> EmailMessage:
    """A file-set as a MIME message, one application/dicom part for each file (PS3.12 Annex K, profile STD-GEN-MIME).

    The caller sets sender and recipients. All files are in memory at once.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message.set_content("A DICOM file-set is attached.")
    parts = [((DICOMDIR,), os.path.join(file_set.path or "", DICOMDIR)), *_files(file_set)]
    for file_id, path in parts:
        name = DICOMDIR if file_id == (DICOMDIR,) else f"{file_id[-1]}.dcm"
        with open(path, "rb") as file:
            data = file.read()
        message.add_attachment(
            data, "application", "dicom", filename=name, params={"id": "/".join(file_id), "name": name}
        )
    return message


def to_zip_mail(file_set: FileSet, *, subject: str = SUBJECT) -> EmailMessage:
    """A file-set as an e-mail with a ZIP file attached (PS3.12 Annex W, profile STD-GEN-ZIP-MAIL).

    Raises ValueError for a subject without "DICOM-ZIP", which PS3.11 L.3.2 requires.
    """
    if SUBJECT not in subject:
        raise ValueError(f"the subject must contain {SUBJECT} (PS3.11 L.3.2)")
    packed = BytesIO()
    to_zip(file_set, packed)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    message.set_content("A DICOM file-set is attached.")
    message.add_attachment(
        packed.getvalue(), "application", "zip", filename=ATTACHED, params={"id": ATTACHED, "name": ATTACHED}
    )
    return message


def unpack(
    src: str | os.PathLike[str] | bytes | BinaryIO,
    folder: str | os.PathLike[str],
    *,
    most_bytes: int = MOST_BYTES,
    most_files: int = MOST_FILES,
) -> FileSet:
    """Unpack a file-set from a ZIP file or an e-mail of either kind into a new `folder`, and read it.

    Files whose names are no File IDs are left out, as they could lead out of the folder. If this raises, it removes
    the files that it has unpacked.

    Parameters
    ----------
    src
        A path, the bytes of the package, or a binary stream that can seek.
    folder
        The folder to unpack into; it is created if it doesn't exist.
    most_bytes, most_files
        Limits on the unpacked bytes and on the number of files.

    Returns
    -------
    FileSet
        The file-set that was unpacked.

    Raises
    ------
    FileExistsError
        If the folder has a file-set already.
    LimitError
        If the package exceeds a limit.
    DicomError
        If `src` contains no DICOMDIR.
    """
    place = os.path.abspath(os.fspath(folder))
    if os.path.lexists(os.path.join(place, DICOMDIR)):
        raise FileExistsError(17, "exists already", os.path.join(place, DICOMDIR))
    unpacked: list[str] = []
    try:
        left = most_bytes
        has_directory = False
        for file_id, chunks in _packed(src):
            if len(unpacked) >= most_files:
                raise LimitError(f"more than {most_files} files are packed: limit most_files")
            path = path_of(place, file_id)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb") as file:
                unpacked.append(path)
                for chunk in chunks:
                    left -= len(chunk)
                    if left < 0:
                        raise LimitError(f"more than {most_bytes} bytes are packed: limit most_bytes")
                    file.write(chunk)
            has_directory = has_directory or file_id == (DICOMDIR,)
        if not has_directory:
            raise DicomError("the package contains no DICOMDIR (PS3.12 V.1.2.2)")
        return FileSet(place)
    except BaseException:
        for path in unpacked:
            os.unlink(path)
        raise


def _packed(src: Any) -> Iterator[tuple[tuple[str, ...], Iterable[bytes]]]:
    """File IDs and contents from a ZIP file or an e-mail."""
    if isinstance(src, (str, os.PathLike)):
        with open(src, "rb") as stream:
            yield from _from_stream(stream)
    else:
        yield from _from_stream(BytesIO(src) if isinstance(src, bytes) else src)


def _from_stream(stream: Any) -> Iterator[tuple[tuple[str, ...], Iterable[bytes]]]:
    if zipfile.is_zipfile(stream):
        yield from _from_zip(stream)
        return
    stream.seek(0)
    message: Message = BytesParser(policy=default).parse(stream)
    for part in message.walk():
        if part.get_content_type() == "application/zip":
            yield from _from_zip(BytesIO(_payload(part)))
        elif part.get_content_type() == "application/dicom":
            file_id = tuple(str(part.get_param("id", "")).split("/"))
            if _is_wanted(file_id):
                yield file_id, [_payload(part)]


def _payload(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _from_zip(stream: Any) -> Iterator[tuple[tuple[str, ...], Iterable[bytes]]]:
    try:
        packed = zipfile.ZipFile(stream)
    except BAD_ZIP as error:
        raise DicomError(f"the ZIP file can't be read: {error}") from None
    with packed:
        for entry in packed.infolist():
            file_id = tuple(entry.filename.split("/"))
            if not entry.is_dir() and _is_wanted(file_id):
                yield file_id, _unzipped(packed, entry)


def _unzipped(packed: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with packed.open(entry) as file:
            while chunk := file.read(STEP):
                yield chunk
    except BAD_ZIP as error:
        raise DicomError(f"{entry.filename} can't be unpacked: {error}") from None


def _is_wanted(file_id: tuple[str, ...]) -> bool:
    return file_id == (DICOMDIR,) or not file_id_faults(file_id)
