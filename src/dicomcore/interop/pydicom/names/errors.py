"""pydicom.errors."""

from dicomcore.errors import InvalidDicomError, ParseError

__all__ = ["BytesLengthException", "InvalidDicomError"]

BytesLengthException = ParseError
