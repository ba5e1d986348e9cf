"""One transfer syntax to another: pixel data decoded and encoded frame by frame, and what describes it kept true."""

from dicomcore.transcoding.files import Transcoded, transcode
from dicomcore.uids import NAMES, syntax_named

__all__ = ["NAMES", "Transcoded", "syntax_named", "transcode"]
