"""The former path of `dicomcore.transcoding`, kept for code that imports it."""

from dicomcore.transcoding import NAMES, Transcoded, syntax_named, transcode

__all__ = ["NAMES", "Transcoded", "syntax_named", "transcode"]
