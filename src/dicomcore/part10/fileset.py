"""The former path of `dicomcore.fileset`, kept for code that imports it."""

from dicomcore.fileset import (
    PROFILES,
    FileInstance,
    FileSet,
    Finding,
    Profile,
    Record,
    Verdict,
    to_mail,
    to_zip,
    to_zip_mail,
    unpack,
)

__all__ = [
    "PROFILES",
    "FileInstance",
    "FileSet",
    "Finding",
    "Profile",
    "Record",
    "Verdict",
    "to_mail",
    "to_zip",
    "to_zip_mail",
    "unpack",
]
