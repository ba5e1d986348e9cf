"""The exceptions of dicomcore, all under one base that is itself a ValueError."""

from __future__ import annotations

__all__ = [
    "DicomError",
    "EncodeError",
    "InvalidDicomError",
    "LimitError",
    "ParseError",
    "PixelDecodeError",
    "TruncatedError",
    "UnsupportedTransferSyntaxError",
]


class DicomError(ValueError):
    """Root of what dicomcore raises about data (wrong use raises TypeError and ValueError as usual)."""


class InvalidDicomError(DicomError):
    """The input is not DICOM, as far as can be told."""


class ParseError(DicomError):
    """The data set can't be read on; `offset` counts bytes from the source's start, `tag` is where it happened."""

    def __init__(self, message: str, *, offset: int | None = None, tag: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.tag = tag


class TruncatedError(ParseError):
    """A value, item or header claims more bytes than are left."""


class LimitError(ParseError):
    """The input crosses one of the call's Limits."""


class UnsupportedTransferSyntaxError(DicomError):
    """No codec for this transfer syntax is at hand; the message names the extra that brings one."""


class PixelDecodeError(DicomError):
    """A frame can't be decoded; `frame` counts from 0, `offset` from the codestream's first byte.

    `path` is the file's, `message` the text without path and frame, which str() puts in front. All but `message` are
    None where they aren't known.
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


class EncodeError(DicomError):
    """A value or frame can't be encoded; nothing was written.

    `tag` is the element's, None where it is no element's; `character` the one that a character set
    lacks, if that is it.
    """

    def __init__(self, message: str, *, tag: int | None = None, character: str | None = None) -> None:
        super().__init__(message)
        self.tag = tag
        self.character = character
