"""dicomcore: a DICOM parser and codec engine. ``import dicomcore as dc``, and start with `dcmread`."""

from __future__ import annotations

from dicomcore.dataset import DataElement, Dataset, Sequence
from dicomcore.dataset.advice import module_advice
from dicomcore.errors import (
    DeidError,
    DicomError,
    EncodeError,
    InvalidDicomError,
    LimitError,
    ParseError,
    PixelDecodeError,
    TruncatedError,
    UnsupportedTransferSyntaxError,
)
from dicomcore.issues import Issue
from dicomcore.limits import Limits
from dicomcore.part10.reader import dcmread
from dicomcore.tags import Tag
from dicomcore.uids import UID, new_uid
from dicomcore.values import PersonName
from dicomcore.version import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dicomcore.fileset import FileSet
    from dicomcore.interop.pydicom import from_pydicom
    from dicomcore.part10.patching import patch
    from dicomcore.part10.rows import scan
    from dicomcore.part10.writer import dcmwrite
    from dicomcore.pixels.frame_writer import FrameWriter
    from dicomcore.transcoding import transcode

__all__ = [
    "UID",
    "DataElement",
    "Dataset",
    "DeidError",
    "DicomError",
    "EncodeError",
    "FileSet",
    "FrameWriter",
    "InvalidDicomError",
    "Issue",
    "LimitError",
    "Limits",
    "ParseError",
    "PersonName",
    "PixelDecodeError",
    "Sequence",
    "Tag",
    "TruncatedError",
    "UnsupportedTransferSyntaxError",
    "dcmread",
    "dcmwrite",
    "from_pydicom",
    "new_uid",
    "patch",
    "scan",
    "transcode",
]


LAZY_PACKAGES = frozenset(
    (
        "archive",
        "catalogue",
        "cli",
        "codecs",
        "deid",
        "display",
        "fileset",
        "forms",
        "interop",
        "iod",
        "net",
        "objects",
        "pixels",
        "services",
        "sr",
        "transcoding",
        "web",
    )
)


# Names by the modules of Part 10 that reading a file does without.
LAZY_NAMES = {"dcmwrite": "writer", "patch": "patching", "scan": "rows"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    # Packages that not every program needs, and those that need pydicom, are imported when they are first used.
    if name in LAZY_PACKAGES:
        return import_module(f"dicomcore.{name}")
    if name in LAZY_NAMES:
        found = globals()[name] = getattr(import_module(f"dicomcore.part10.{LAZY_NAMES[name]}"), name)
        return found
    if name == "FileSet":
        from dicomcore.fileset import FileSet

        return FileSet
    if name == "from_pydicom":
        from dicomcore.interop.pydicom import from_pydicom

        return from_pydicom
    if name == "FrameWriter":
        from dicomcore.pixels.frame_writer import FrameWriter

        return FrameWriter
    if name == "transcode":
        from dicomcore.transcoding import transcode

        return transcode
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{module_advice(name)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
