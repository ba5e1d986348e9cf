"""File-sets and their DICOMDIR (PS3.3 Annex F, PS3.10 8, PS3.11, PS3.12)."""

from dicomcore.fileset.check import Finding, Verdict
from dicomcore.fileset.fileset import FileSet
from dicomcore.fileset.instance import FileInstance
from dicomcore.fileset.package import to_mail, to_zip, to_zip_mail, unpack
from dicomcore.fileset.profiles import PROFILES, Profile
from dicomcore.fileset.records import Record

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
