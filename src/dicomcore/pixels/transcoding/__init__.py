"""One transfer syntax to another: pixel data decoded and encoded frame by frame, and what describes it kept true."""

from dicomcore.pixels.transcoding.names import NAMES, syntax_named
from dicomcore.pixels.transcoding.transcode import Transcoded, transcode

__all__ = ["NAMES", "Transcoded", "syntax_named", "transcode"]
