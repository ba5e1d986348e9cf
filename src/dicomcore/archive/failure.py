"""Why a file has no values in the table: the kind of the failure, and its reason in words."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from gzip import BadGzipFile
from typing import Literal, NamedTuple

from dicomcore.errors import InvalidDicomError, LimitError
from dicomcore.part10.reader import without_force

__all__ = ["DAMAGED", "LIMIT", "NOT_DICOM", "UNREACHABLE", "Failure", "Kind", "failure_of", "kind_of", "reason_of"]

Kind = Literal["not DICOM", "damaged", "limit", "unreachable"]
NOT_DICOM: Kind = "not DICOM"
"""The file is of another kind, for example a README: nothing is missing from the table."""
DAMAGED: Kind = "damaged"
"""The bytes were read, but they are neither a DICOM file nor a complete archive."""
LIMIT: Kind = "limit"
"""Reading would have crossed one of the call's Limits."""
UNREACHABLE: Kind = "unreachable"
"""The bytes were not read: the file does not exist, or the system, the object store or the archive refused it."""

UNSOUND = (ValueError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError, BadGzipFile)
"""The exceptions that the bytes of a file or an archive cause; a DicomError is a ValueError."""


class Failure(NamedTuple):
    """The values of the columns `error` and `error_kind` for one file."""

    reason: str
    kind: Kind


def failure_of(error: Exception, path: str) -> Failure:
    """Describe an exception that was raised while `path` was read."""
    return Failure(reason_of(error, path), kind_of(error))


def kind_of(error: Exception) -> Kind:
    """The kind of a failure; "not DICOM" only if the file's first bytes rule out a damaged DICOM file."""
    if isinstance(error, InvalidDicomError):
        return DAMAGED if error.may_be_dicom else NOT_DICOM
    if isinstance(error, LimitError):
        return LIMIT
    return DAMAGED if isinstance(error, UNSOUND) else UNREACHABLE


def reason_of(error: Exception, path: str) -> str:
    """The reason in words, without the path, which the table shows in its own column."""
    if isinstance(error, OSError):
        return f"{type(error).__name__}: {error.strerror or error}"
    text = str(error).removeprefix(repr(path)).removeprefix(f"{path}, ")
    return f"{type(error).__name__}: {without_force(text).strip()}"
