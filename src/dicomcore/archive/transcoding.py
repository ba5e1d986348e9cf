"""The former path of `dicomcore.archive.organizing.transcoding`, kept for code that imports it."""

from dicomcore.archive.organizing.transcoding import Outcome, Summary, transcode_folder

__all__ = ["Outcome", "Summary", "transcode_folder"]
