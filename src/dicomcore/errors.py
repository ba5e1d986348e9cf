"""The exceptions of dicomcore. All derive from DicomError, which is a ValueError."""

from __future__ import annotations

__all__ = [
    "AssociationAborted",
    "AssociationRejected",
    "DeidError",
    "DicomError",
    "EncodeError",
    "InvalidDicomError",
    "LimitError",
    "MissingReferenceError",
    "NetworkError",
    "NetworkTimeout",
    "ParseError",
    "PixelDecodeError",
    "TruncatedError",
    "UnsupportedStateError",
    "UnsupportedTransferSyntaxError",
    "WebError",
]


class DicomError(ValueError):
    """Base of all exceptions about data. Wrong arguments raise TypeError and ValueError as usual."""


class InvalidDicomError(DicomError):
    """The input does not look like DICOM: it has no DICM prefix and no file meta information.

    `may_be_dicom` is True for a damaged, truncated or empty file and for a bare data set. It is False for another kind
    of file, such as a text or a picture.
    """

    def __init__(self, message: str = "the input does not look like DICOM", *, may_be_dicom: bool = False) -> None:
        super().__init__(message)
        self.may_be_dicom = may_be_dicom


class ParseError(DicomError):
    """The data set cannot be read further: at byte `offset` of the source, in the element `tag`."""

    def __init__(self, message: str, *, offset: int | None = None, tag: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.tag = tag


class TruncatedError(ParseError):
    """A value, an item or a header claims more bytes than the input has left."""


class LimitError(ParseError):
    """The input exceeds one of the `Limits` of the call."""


class UnsupportedTransferSyntaxError(DicomError):
    """No installed codec handles this transfer syntax; the message names the extra that provides one."""


class PixelDecodeError(DicomError):
    """A frame cannot be decoded.

    `frame` is its index, from 0; `offset` counts bytes from the start of its codestream; `path` is the file's. Each is
    None where it is not known. `message` is the text without path and frame; ``str(error)`` puts both in front of it.
    """

    def __init__(self, message: str, *, frame: int | None = None, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.frame = frame
        self.offset = offset
        self.path: str | None = None

    def __str__(self) -> str:
        place = [self.path] if self.path is not None else []
        place += [f"frame {self.frame}"] if self.frame is not None else []
        return f"{', '.join(place)}: {self.message}" if place else self.message


class UnsupportedStateError(DicomError):
    """A presentation state cannot be rendered; the message says what it needs that is missing."""


class MissingReferenceError(DicomError):
    """Objects that a data set references were not given: `uids` are their SOP Instance UIDs."""

    def __init__(self, message: str, *, uids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.uids = uids


class EncodeError(DicomError):
    """A value or a frame cannot be encoded; nothing was written.

    `tag` is the element's tag, or None where no element is concerned. `character` is the character that is missing from
    the character set, if that is the reason.
    """

    def __init__(self, message: str, *, tag: int | None = None, character: str | None = None) -> None:
        super().__init__(message)
        self.tag = tag
        self.character = character


class NetworkError(DicomError):
    """An association could not be opened, or ended before its work was done.

    `peer` is the other side's ``AET@host:port`` as far as it is known.
    """

    def __init__(self, message: str, *, peer: str = "") -> None:
        super().__init__(f"{peer}: {message}" if peer else message)
        self.peer = peer


class AssociationRejected(NetworkError):
    """The peer rejected the association (PS3.8 9.3.4): `result`, `source` and `reason` are its numbers."""

    def __init__(self, message: str, *, result: int, source: int, reason: int, peer: str = "") -> None:
        super().__init__(message, peer=peer)
        self.result = result
        self.source = source
        self.reason = reason


class AssociationAborted(NetworkError):
    """The association was aborted, or its connection was lost (PS3.8 9.3.8).

    `source` and `reason` are the numbers of the A-ABORT, or None if the connection ended without one.
    """

    def __init__(self, message: str, *, source: int | None = None, reason: int | None = None, peer: str = "") -> None:
        super().__init__(message, peer=peer)
        self.source = source
        self.reason = reason


class NetworkTimeout(NetworkError):
    """The peer took longer than one of the `Timeouts`; the message names it."""


class WebError(DicomError):
    """A DICOMweb server refused a request, gave an answer that cannot be read, or could not be reached.

    `status` is the HTTP status, 0 if no answer came; `text` what the server said, or what went wrong; `url` the
    resource, without a query, which may name patients.
    """

    def __init__(self, text: str, *, status: int = 0, url: str = "") -> None:
        self.status = status
        self.text = text
        self.url = url.partition("?")[0]
        said = f"the server answered {status}" if status else ""
        super().__init__(": ".join(part for part in (self.url, said, text) if part))


class DeidError(DicomError):
    """An input cannot be de-identified; nothing was written.

    The message names elements by their tags and bytes by their offsets, and never a value of the input. `tag` is the
    element's tag, or None where no element is concerned.
    """

    def __init__(self, message: str, *, tag: int | None = None) -> None:
        super().__init__(message)
        self.tag = tag
