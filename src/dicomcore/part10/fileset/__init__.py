"""File-sets and their DICOMDIR (PS3.3 Annex F, PS3.10 8, PS3.11, PS3.12)."""

from dicomcore.part10.fileset.check import Finding, Verdict
from dicomcore.part10.fileset.fileset import FileSet
from dicomcore.part10.fileset.instance import FileInstance
from dicomcore.part10.fileset.package import to_mail, to_zip, to_zip_mail, unpack
from dicomcore.part10.fileset.profiles import PROFILES, Profile
from dicomcore.part10.fileset.records import Record

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
