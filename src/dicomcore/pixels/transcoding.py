"""The former import path of `dicomcore.transcoding`, kept for existing code."""

from dicomcore.transcoding import NAMES, Transcoded, syntax_named, transcode

__all__ = ["NAMES", "Transcoded", "syntax_named", "transcode"]
