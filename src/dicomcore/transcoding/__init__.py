"""Conversion to another transfer syntax: frames are decoded and encoded, and their attributes updated."""

from dicomcore.transcoding.files import Transcoded, transcode
from dicomcore.uids import NAMES, syntax_named

__all__ = ["NAMES", "Transcoded", "syntax_named", "transcode"]
