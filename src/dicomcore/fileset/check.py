"""Checks of a file-set against PS3.3 Annex F and PS3.10 8, and against the application profiles of PS3.11."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from dicomcore.dataset import Dataset
from dicomcore.dataset.lookup import first_item
from dicomcore.dataset.state import preamble_of
from dicomcore.dictionary import tag_for_keyword
from dicomcore.errors import DicomError
from dicomcore.fileset.fileid import DICOMDIR, Medium, file_id_faults, shown
from dicomcore.fileset.keys import RECORD_TYPES, RETIRED_TYPES, ROOT, Key
from dicomcore.fileset.profiles import ANY, MULTI_FRAME, PROFILES, Content, Profile, Values, profile_named
from dicomcore.fileset.records import Record, active
from dicomcore.part10.reader import dcmread
from dicomcore.uids import UID

if TYPE_CHECKING:
    from dicomcore.fileset.fileset import FileSet
    from dicomcore.fileset.instance import FileInstance

IDENTITY = ("SOPClassUID", "SOPInstanceUID")

__all__ = ["Finding", "Verdict", "check", "check_profile", "check_profiles", "content_findings"]


class Finding(NamedTuple):
    """One fault: a stable `code`, the record or file that has it (`where`), and a `message` for people."""

    code: str
    where: str
    message: str


class Verdict(NamedTuple):
    """The result of checking a file-set against an application profile: the findings, none if it meets the profile."""

    profile: Profile
    findings: tuple[Finding, ...]

    @property
    def meets(self) -> bool:
        """Whether the file-set meets the profile."""
        return not self.findings


def check(file_set: FileSet, *, files: bool = True) -> tuple[Finding, ...]:
    """Find the faults of a file-set that count in every profile (PS3.3 F.2 to F.5, PS3.10 8).

    Links, record types, keys and File IDs are checked and, with `files`, the files themselves, each of which is opened.
    """
    stated = [issue for issue in file_set.issues if issue.code != "DUPLICATE_INSTANCE"]  # its file was not added
    findings = [Finding(issue.code, DICOMDIR, issue.message) for issue in stated]
    for record in active(file_set.roots):
        findings += _record_findings(record)
    findings += _uniqueness(file_set)
    if files:
        for instance in file_set:
            findings += _file_findings(instance)
        findings += _unreferenced(file_set)
    return tuple(findings)


def check_profile(file_set: FileSet, profile: str | Profile, *, files: bool = True) -> Verdict:
    """Check a file-set against an application profile of PS3.11, by its records and, with `files`, the files' headers.

    The choices that a profile leaves to applications or their conformance statements, and the physical media, are not
    checked.
    """
    return _verdict(file_set, profile_named(profile), files, {})


def check_profiles(file_set: FileSet, *, files: bool = True) -> dict[str, Verdict]:
    """The verdict on each application profile, by name. Each file is opened at most once."""
    headers: dict[int, Dataset | None] = {}
    return {name: _verdict(file_set, profile, files, headers) for name, profile in PROFILES.items()}


# -- by PS3.3 and PS3.10


def _where(record: Record) -> str:
    if record.file_id:
        return shown(record.file_id)
    return " / ".join(f"{one.type} {_identity(one)}".strip() for one in record.chain())


def _identity(record: Record) -> str:
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID"):
        if keyword in record.keys:
            return str(record.keys.get(keyword) or "")
    return ""


def _record_findings(record: Record) -> Iterator[Finding]:
    known = RECORD_TYPES.get(record.type)
    where = _where(record)
    if known is None and record.type in RETIRED_TYPES:
        yield Finding("RECORD_RETIRED", where, f"the record type {record.type} is retired (PS3.3 F.5)")
    elif known is None and record.type != "PRIVATE":
        yield Finding("RECORD_TYPE", where, f"PS3.3 F.4 has no record type {record.type!r}")
    elif record.type == "PRIVATE" and not record.keys.get("PrivateRecordUID"):
        yield Finding("KEY_MISSING", where, "a PRIVATE record must have a PrivateRecordUID (PS3.3 F.3.2.2)")
    if known is not None:
        parent = ROOT if record.parent is None else record.parent.type
        if parent not in known.parents:
            place = f"below {parent}" if parent else "in the root entity"
            yield Finding("RECORD_PLACE", where, f"a {record.type} record stands {place} (PS3.3 Table F.4-1)")
        yield from _key_findings(record, known.keys, "PS3.3 F.5", [])
    if not record.file_id:
        return
    for fault in file_id_faults(record.file_id):
        yield Finding("FILE_ID", where, f"the File ID {fault} (PS3.10 8.2)")
    for keyword in (
        "ReferencedSOPClassUIDInFile",
        "ReferencedSOPInstanceUIDInFile",
        "ReferencedTransferSyntaxUIDInFile",
    ):
        if not record.keys.get(keyword):
            message = f"{keyword} is missing; a record with a file must have it (PS3.3 F.3.2.2)"
            yield Finding("KEY_MISSING", where, message)


def _key_findings(
    record: Record, keys: tuple[Key, ...], clause: str, headers: list[Dataset | None]
) -> Iterator[Finding]:
    """A finding for each missing key. A key of type 1C must be present if one of `headers` has a value for it."""
    where = _where(record)
    for key in keys:
        value = record.keys.get(key.keyword)
        absent = key.keyword not in record.keys
        empty = absent or value is None or (isinstance(value, (str, bytes, list)) and len(value) == 0)
        if key.keyword == "StudyInstanceUID" and record.sop_instance_uid:  # the file has the key instead (PS3.3 F.5.2)
            continue
        if key.type == "1" and empty:
            state = "is missing" if absent else "is empty"
            yield Finding("KEY_MISSING", where, f"the {record.type} record's {key.keyword} {state} ({clause})")
        elif key.type == "2" and absent:
            yield Finding("KEY_MISSING", where, f"the {record.type} record's {key.keyword} is missing ({clause})")
        elif key.type == "1C" and empty and any(one is not None and _has(one, key.keyword) for one in headers):
            message = f"a file has {key.keyword}, which the {record.type} record lacks ({clause})"
            yield Finding("KEY_MISSING", where, message)


def _has(header: Dataset, keyword: str) -> bool:
    value = header.get(keyword)
    return value is not None and not (isinstance(value, (str, bytes, list)) and len(value) == 0)


def _uniqueness(file_set: FileSet) -> Iterator[Finding]:
    files: set[tuple[str, ...]] = set()
    uids: set[str] = set()
    for record in active(file_set.roots):
        if not record.file_id:
            continue
        if record.file_id in files:
            yield Finding("FILE_TWICE", _where(record), "more than one record refers to the file (PS3.3 F.2.1)")
        files.add(record.file_id)
        uid = str(record.sop_instance_uid or "")
        if uid and uid in uids:
            yield Finding("INSTANCE_TWICE", _where(record), f"more than one record refers to the instance {uid}")
        uids.add(uid)


def _file_findings(instance: FileInstance) -> Iterator[Finding]:
    record = instance.record
    where, file_set_path = _where(record), instance.file_set.path
    try:
        path = instance.path
        header = instance.load() if path is None else dcmread(path, specific_tags=IDENTITY)
    except FileNotFoundError:
        yield Finding("FILE_MISSING", where, "the file is missing (PS3.3 F.2.1)")
        return
    except DicomError as error:
        yield Finding("FILE_FORMAT", where, f"the file can't be read: {error}")
        return
    except OSError as error:
        yield Finding("FILE_UNREADABLE", where, f"the file can't be read: {error.strerror or error}")
        return
    if path is not None and file_set_path and not instance.is_staged:
        name = os.path.relpath(path, file_set_path).replace(os.sep, "\\")
        if name.upper() != where:
            yield Finding("FILE_NAME", where, f"the file has another name on disk, {name} (PS3.10 8.2)")
    facts = (
        ("SOP class", record.sop_class_uid, header.get("SOPClassUID")),
        ("SOP instance", record.sop_instance_uid, header.get("SOPInstanceUID")),
        ("transfer syntax", record.transfer_syntax_uid, header.transfer_syntax),
    )
    for name, stated, actual in facts:
        if stated and actual and stated != actual:
            yield Finding("FILE_DIFFERS", where, f"the record's {name} is {stated}, the file's {actual}")
    if instance.path is not None and preamble_of(header) is None:
        yield Finding("FILE_FORMAT", where, "the file is no DICOM file: it has no preamble and prefix (PS3.10 7.1)")


def _unreferenced(file_set: FileSet) -> Iterator[Finding]:
    """DICOM files in the folder that no record refers to (PS3.3 F.2.1 e)."""
    if file_set.path is None:
        return
    known = set()
    medium = Medium(file_set.path)
    for record in active(file_set.roots):
        try:
            known.add(medium.find(record.file_id) if record.file_id else "")
        except DicomError:
            continue
    for folder, folders, names in os.walk(file_set.path):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            if path in known or (name.upper() == DICOMDIR and folder == file_set.path) or not _is_dicom(path):
                continue
            where = os.path.relpath(path, file_set.path).replace(os.sep, "\\")
            yield Finding("FILE_UNREFERENCED", where, "a DICOM file that no record refers to (PS3.3 F.2.1)")


def _is_dicom(path: str) -> bool:
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


# -- by PS3.11


def _verdict(file_set: FileSet, profile: Profile, files: bool, headers: dict[int, Dataset | None]) -> Verdict:
    findings: list[Finding] = []
    clause = f"PS3.11 Annex {profile.clause}"
    records = list(active(file_set.roots))
    if profile.secure:
        message = f"its files must be Secure DICOM Files, which these are not ({clause})"
        findings.append(Finding("PROFILE_SECURE", profile.name, message))
    if profile.directory and not records:
        findings.append(Finding("PROFILE_DIRECTORY", profile.name, f"the directory is empty ({clause})"))
    if profile.one_record_a_patient:
        findings += _patients(records, clause)
    added = profile.keys_by_type()
    for record in records:
        keys = added.get(record.type, ())
        header = _header(file_set, record, headers) if files and record.file_id else None
        # A record without a file must have the conditional keys that any file below it has.
        below = active([record]) if files and not record.file_id and keys else ()
        file_headers = [_header(file_set, leaf, headers) for leaf in below if leaf.file_id] or [header]
        findings += _key_findings(record, keys, clause, file_headers)
        if record.file_id:
            findings += _content_findings(record, profile, header, clause)
        if record.type == "IMAGE":
            findings += _icon_findings(record, profile, clause)
    return Verdict(profile, tuple(findings))


def _header(file_set: FileSet, record: Record, headers: dict[int, Dataset | None]) -> Dataset | None:
    if id(record) not in headers:
        headers[id(record)] = None
        source = file_set._pending.get(id(record))
        try:
            if isinstance(source, Dataset):
                headers[id(record)] = source
            elif source is not None or file_set.path is not None:
                path = source or Medium(file_set.path or "").find(record.file_id)
                headers[id(record)] = dcmread(path, specific_tags=_profile_tags())
        except (DicomError, OSError):  # check() reports it
            pass
    return headers[id(record)]


def _profile_tags() -> list[int]:
    """The tags of all elements that any profile has a rule for."""
    keywords = {"NumberOfFrames"}
    for profile in PROFILES.values():
        keywords |= {key.keyword for _, key in profile.keys if key.keyword != "IconImageSequence"}
        keywords |= {rule.keyword for rule in profile.values}
    return [int(tag) for tag in map(tag_for_keyword, sorted(keywords)) if tag is not None]


def _patients(records: list[Record], clause: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for record in records:
        if record.type == "PATIENT":
            patient_id = str(record.keys.get("PatientID") or "")
            if patient_id in seen:
                message = f"more than one PATIENT record has this Patient ID ({clause})"
                yield Finding("PROFILE_PATIENT", patient_id, message)
            seen.add(patient_id)


def content_findings(file_set: FileSet, record: Record) -> tuple[Finding, ...]:
    """The reasons why the file-set's profile doesn't allow the instance of a record; empty if it does."""
    profile = file_set.profile
    header = _header(file_set, record, {})
    return tuple(_content_findings(record, profile, header, f"PS3.11 Annex {profile.clause}"))


def _content_findings(record: Record, profile: Profile, header: Dataset | None, clause: str) -> Iterator[Finding]:
    where = _where(record)
    sop_class, syntax = record.sop_class_uid, record.transfer_syntax_uid
    if sop_class is None:
        return
    allowed = [content for content in profile.contents if _covers(content, record, header)]
    if not allowed:
        message = f"{UID(sop_class).name} is not among the profile's SOP classes ({clause})"
        yield Finding("PROFILE_CLASS", where, message)
        return
    syntaxes = {one for content in allowed for one in content.syntaxes}
    if syntaxes and syntax not in syntaxes:
        name = UID(syntax).name if syntax else "none"
        message = f"the profile doesn't allow the transfer syntax {name} for this SOP class ({clause})"
        yield Finding("PROFILE_SYNTAX", where, message)
    if header is not None:
        for rule in profile.values:
            if sop_class in rule.sop_classes:
                yield from _value_findings(where, rule, header, clause)


def _covers(content: Content, record: Record, header: Dataset | None) -> bool:
    if ANY in content.sop_classes:
        return True
    if MULTI_FRAME in content.sop_classes:
        frames = header.get("NumberOfFrames") if header is not None else record.keys.get("NumberOfFrames")
        return record.type == "IMAGE" and frames is not None
    return record.sop_class_uid in content.sop_classes


def _value_findings(where: str, rule: Values, header: Dataset, clause: str) -> Iterator[Finding]:
    if rule.only_if is not None and header.get(rule.only_if[0]) != rule.only_if[1]:
        return
    value: Any = header.get(rule.keyword)
    if value is None or value == "":
        if rule.required:
            yield Finding("PROFILE_VALUE", where, f"{rule.keyword} is missing ({clause})")
    elif rule.allowed and value not in rule.allowed:
        wanted = ", ".join(map(str, rule.allowed))
        yield Finding("PROFILE_VALUE", where, f"{rule.keyword} is {value}, allowed are {wanted} ({clause})")
    elif rule.most is not None and isinstance(value, int) and value > rule.most:
        yield Finding("PROFILE_VALUE", where, f"{rule.keyword} is {value}, at most {rule.most} is allowed ({clause})")


def _icon_findings(record: Record, profile: Profile, clause: str) -> Iterator[Finding]:
    icon = first_item(record.keys, "IconImageSequence")
    size = profile.icon_size or profile.icon_fixed
    if not size:
        return
    if icon is None:
        if profile.icon_size:
            yield Finding("PROFILE_ICON", _where(record), f"the record has no icon image ({clause})")
        return
    if (icon.get("Rows"), icon.get("Columns")) != (size, size) or icon.get("BitsAllocated") != 8:
        message = f"the icon image must have {size} × {size} pixels of 8 bits ({clause})"
        yield Finding("PROFILE_ICON", _where(record), message)
