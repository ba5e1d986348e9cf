"""The de-identification set: made-up identities, hidden in real files in more than forty places, with an answer key.

``python -m benches.deid_set FOLDER [--seed N] [--people N]`` writes the files below FOLDER/in and the key, an object a
line, to FOLDER/key.jsonl. The ten kinds of action are those of the MIDI-B challenge. What the key asks for is Table
E.1-1 of PS3.15 with the options OPTIONS, and that nothing else is lost: what is to be kept weighs as much as what is
to go. `benches.deid_score` scores the output of any tool.
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pydicom
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from benches.deid_people import Person, UidMaker, da, people, spellings
from benches.inputs import element
from tests.support import corpus, standard

OPTIONS = (
    "clean_descriptors",
    "clean_structured_content",
    "clean_graphics",
    "clean_pixel_data",
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_safe_private",
)
ACTIONS = (
    "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted", "uid_changed", "uid_consistent",
    "patid_consistent", "pixels_hidden", "pixels_retained",
)  # fmt: skip
KEEPING = frozenset(["tag_retained", "text_notnull", "text_retained", "pixels_retained"])
DIRECTORY = "1.2.840.10008.1.3.10"
SMALL = ("CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "MR_small.dcm")
PLAIN_VRS = frozenset(["DS", "IS", "CS", "US", "SS", "FL", "FD", "UL", "SL"])
NOT_PLAIN = frozenset(["00080005", "00200013", "00280300", "00280301", "00280303", "00120062"])


@dataclass(frozen=True)
class Action:
    """One line of the key.

    `path` is where, as ``Sequence#0/Keyword``, ``00100010`` or ``(0019,GEMS_ACQU_01,23)``; empty for the whole file.
    `values` are needles, the words kept, the value kept, the date or the UID. `box` is top, left, height, width.
    """

    file: str
    sop_class: str
    number: int
    action: str
    place: str
    path: str = ""
    values: tuple[str, ...] = ()
    patient: str = ""
    box: tuple[int, ...] = ()
    optional: bool = False


@cache
def ruled() -> frozenset[str]:
    """The tags that Table E.1-1 rules, repeating groups as they stand there."""
    return frozenset(row[0] for row in standard.load("deid")["attributes"])


class File:
    """A file of the set while it is filled: its data set, and its lines of the key."""

    def __init__(self, maker: Maker, name: str, ds: Dataset, person: Person) -> None:
        self.maker, self.name, self.ds, self.person = maker, name, ds, person
        self.number = maker.next_number()
        self.edits: list[Callable[[bytes], bytes]] = []
        self.lines: list[Action] = []

    def line(self, action: str, place: str, path: str = "", *values: str, **more: Any) -> None:
        sop_class = str(self.ds.get("SOPClassUID", DIRECTORY))
        self.lines.append(Action(self.name, sop_class, self.number, action, place, path, values, **more))

    def removed(self, place: str, path: str, *needles: str) -> None:
        """`needles` shall not be found there; parts too short to look for are left out."""
        self.line("text_removed", place, path, *(one for one in needles if len(one) > 3 or (one and not one.isascii())))

    def kept(self, place: str, path: str, *words: str) -> None:
        self.line("text_retained", place, path, *words)

    def tag(self, place: str, path: str, *value: str) -> None:
        self.line("tag_retained", place, path, *value)

    def filled(self, place: str, path: str) -> None:
        self.line("text_notnull", place, path)

    def shifted(self, place: str, path: str, value: str) -> None:
        self.line("date_shifted", place, path, value, patient=self.person.id)

    def uid(self, place: str, path: str, value: str, optional: bool = False) -> None:
        self.line("uid_changed", place, path, value, optional=optional)
        self.line("uid_consistent", place, path, value, optional=optional)

    def hide(self, place: str, path: str, keyword: str, value: Any, *needles: str) -> None:
        """Set an attribute of the data set that has to lose all needles, or its whole value."""
        setattr(self.ds, keyword, value)
        self.removed(place, path or keyword, *(needles or (str(value),)))

    def add(self, tag: int, vr: str, value: Any) -> None:
        one = DataElement(tag, "OB" if vr == "UN" else vr, value)
        one.VR = vr  # pydicom would read a value in UN
        self.ds[tag] = one

    def private(self, group: int, creator: str, low: int, vr: str, value: Any) -> str:
        """Add a private element; its path."""
        self.ds.private_block(group, creator, create=True).add_new(low, vr, value)
        return f"({group:04X},{creator},{low:02X})"

    def bytes(self) -> bytes:
        """The file as it is written."""
        out = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.ds.save_as(out, enforce_file_format=True)
        data = out.getvalue()
        for edit in self.edits:
            data = edit(data)
        return data


class Maker:
    """Writes the set: `person`s, a recipe after another, the key beside them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.uid = UidMaker(seed + 1)
        self.random = Random(seed + 2)
        self.lines: list[Action] = []
        self._number = 0
        self.seen: dict[str, str] = {}

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def open(self, base: str, person: Person, recipe: str) -> File:
        """A real file, given the identity of a person."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ds = pydicom.dcmread(find(base), force=True)
        ds.walk(_decoded)
        return self.identified(ds, person, recipe)

    def made(self, sop_class: str, modality: str, person: Person, recipe: str) -> File:
        """An object without a real file to stand on."""
        ds = Dataset()
        ds.SOPClassUID, ds.Modality, ds.Manufacturer = sop_class, modality, "Example Devices"
        return self.identified(ds, person, recipe)

    def identified(self, ds: Dataset, person: Person, recipe: str) -> File:
        file = File(self, f"{person.number:02}/{recipe}.dcm", ds, person)
        identify(file)
        return file

    def write(self, file: File) -> None:
        place = self.folder / "in" / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.bytes())
        file.removed("any identifier, anywhere in the file", "", *file.person.identifiers)
        self.lines += file.lines


def _decoded(ds: Dataset, element: DataElement) -> None:
    """Reading every value before anything is set, so that no raw bytes of another character set stay."""


def find(name: str) -> Path:
    """A file that pydicom packages, or one of the corpus."""
    for folder in ("test_files", "charset_files"):
        if (corpus.PYDICOM / folder / name).is_file():
            return corpus.PYDICOM / folder / name
    for one in corpus.dicom_files():
        if one.name.endswith("/" + name):
            return one.path
    raise FileNotFoundError(f"{name}: {corpus.ABSENT or 'not in the corpus'}")


def identify(file: File) -> None:
    """What every file has at its root: who, when, where, and UIDs; and a sample of what has to stay."""
    ds, who = file.ds, file.person
    if who.named.charset:
        ds.SpecificCharacterSet = list(who.named.charset) if len(who.named.charset) > 1 else who.named.charset[0]
    elif "SpecificCharacterSet" in ds:
        del ds.SpecificCharacterSet
    for number, keyword in enumerate(("ReferringPhysicianName", "OperatorsName", "PerformingPhysicianName")):
        file.hide("staff", "", keyword, who.staff[number], who.staff[number].split("^")[0])
    file.hide("root attributes", "", "PatientName", who.named.name, *who.named.name.replace("=", "^").split("^"))
    file.hide("root attributes", "", "PatientID", who.id)
    file.line("patid_consistent", "root attributes", "PatientID", who.id)
    file.hide("root attributes", "", "PatientBirthDate", da(who.birth))
    ds.PatientSex = who.sex
    file.tag("patient characteristics", "PatientSex", who.sex)
    ds.PatientAge = who.age
    if int(who.age[:3]) > 89:
        file.removed("ages over 89", "PatientAge", who.age)
    else:
        file.tag("patient characteristics", "PatientAge", who.age)
    file.hide("accession and request", "", "AccessionNumber", who.accession)
    file.hide("accession and request", "", "StudyID", f"SID{who.accession[3:]}")
    file.hide("institution", "", "InstitutionName", who.institution)
    file.hide("institution", "", "InstitutionalDepartmentName", who.department)
    file.hide("device", "", "StationName", who.station)
    file.hide("device", "", "DeviceSerialNumber", who.serial)
    ds.InstanceNumber = file.number
    _uids(file)
    _dates(file)
    _sample(file)


def _uids(file: File) -> None:
    ds = file.ds
    for keyword, value in (
        ("StudyInstanceUID", file.person.study_uid),
        ("SeriesInstanceUID", file.maker.uid()),
        ("SOPInstanceUID", file.maker.uid()),
    ):
        setattr(ds, keyword, value)
        file.uid("UIDs at the root", keyword, value)
    if "FrameOfReferenceUID" in ds:
        ds.FrameOfReferenceUID = file.person.frame_of_reference
        file.uid("UIDs at the root", "FrameOfReferenceUID", ds.FrameOfReferenceUID)
    if not hasattr(ds, "file_meta") or ds.file_meta is None:
        ds.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    file.uid("file meta information", "@MediaStorageSOPInstanceUID", ds.SOPInstanceUID)


def _dates(file: File) -> None:
    day = file.person.study_date
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        if keyword in ("StudyDate", "SeriesDate") or keyword in file.ds:
            setattr(file.ds, keyword, da(day))
            file.shifted("dates at the root", keyword, da(day))
            day += timedelta(days=1)
    file.ds.StudyTime = "104512"


def _sample(file: File) -> None:
    """Numbers and codes that the table doesn't rule: geometry, technique, pixel description."""
    found = [
        one
        for one in file.ds
        if one.VR in PLAIN_VRS
        and not one.tag.is_private
        and f"{int(one.tag):08X}" not in ruled() | NOT_PLAIN
        and one.tag.group not in (0x0010, 0x0012, 0x0040)
        and one.value not in (None, "")
        and one.tag.element
    ]
    for one in sorted(file.maker.random.sample(found, min(8, len(found))), key=lambda one: one.tag):
        file.tag("geometry and technique", f"{int(one.tag):08X}", plain(one.value))
    if "PixelData" in file.ds:
        file.line("pixels_retained", "pixels of files without text")


def plain(value: Any) -> str:
    """A value as the scorer compares it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, (list, tuple, pydicom.multival.MultiValue)):
        return "\\".join(map(plain, value))
    if isinstance(value, (float, pydicom.valuerep.DSfloat)):
        return f"{float(value):.9g}"
    return str(value)


def item(**attributes: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def code(value: str, scheme: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


# ---- recipes: each makes one file of a person


def root(m: Maker, who: Person) -> None:
    """Attributes of the root that the table removes or empties."""
    file = m.open(SMALL[who.number % len(SMALL)], who, "root")
    for place, keyword, value in (
        ("root attributes", "PatientAddress", who.address),
        ("root attributes", "PatientTelephoneNumbers", who.phone),
        ("root attributes", "OtherPatientIDs", who.other_id),
        ("root attributes", "PatientMotherBirthName", "Wolstenholme^Ada"),
        ("root attributes", "PatientBirthTime", "031745"),
        ("root attributes", "MilitaryRank", "Wingcommander"),
        ("root attributes", "CountryOfResidence", "Ruritania"),
        ("root attributes", "IssuerOfPatientID", "WEXMRN"),
        ("staff", "NameOfPhysiciansReadingStudy", who.staff[3]),
        ("staff", "PhysiciansOfRecord", who.staff[4]),
        ("staff", "RequestingPhysician", who.staff[5]),
        ("staff", "ReferringPhysicianTelephoneNumbers", "+44 20 5550178"),
        ("institution", "InstitutionAddress", who.address),
        ("institution", "CurrentPatientLocation", "Ward Kestrel 9"),
        ("device", "GantryID", "GANTRY-77190"),
        ("device", "PlateID", "PLATE-55021"),
        ("accession and request", "AdmissionID", "ADM4410293"),
        ("accession and request", "PlacerOrderNumberImagingServiceRequest", "PON771234"),
        ("accession and request", "FillerOrderNumberImagingServiceRequest", "FON771235"),
    ):
        file.hide(place, "", keyword, value, value.split("^")[0])
    m.write(file)


def characteristics(m: Maker, who: Person) -> None:
    """What the options for patient characteristics and descriptors keep."""
    file = m.open("MR_small.dcm", who, "characteristics")
    for keyword, value in (
        ("PatientSize", "1.72"), ("PatientWeight", "68.5"), ("EthnicGroup", "GROUP 4"), ("SmokingStatus", "NO"),
        ("PregnancyStatus", 4),
    ):  # fmt: skip
        setattr(file.ds, keyword, value)
        file.tag("patient characteristics", keyword, plain(file.ds[keyword].value))
    for keyword, value, words in (
        ("Allergies", f"Penicillin, told by {who.latin}", ("Penicillin",)),
        ("PatientState", "Sedated", ("Sedated",)),
        ("PreMedication", "Metoprolol 5 mg", ("Metoprolol", "5 mg")),
        ("SpecialNeeds", "Wheelchair", ("Wheelchair",)),
    ):
        setattr(file.ds, keyword, value)
        file.kept("clinical text", keyword, *words)
    file.removed("patient characteristics", "Allergies", who.latin)
    m.write(file)


def nested(m: Maker, who: Person) -> None:
    """Identities in items."""
    file = m.open("CT_small.dcm", who, "nested")
    ds = file.ds
    ds.OtherPatientIDsSequence = [
        item(PatientID=who.other_id, IssuerOfPatientID="KARTEI", TypeOfPatientID="TEXT"),
        item(PatientID=who.id, IssuerOfPatientID="KARTEI", TypeOfPatientID="TEXT"),
    ]
    file.removed("other patient IDs", "OtherPatientIDsSequence", who.other_id, who.id)
    ds.RequestAttributesSequence = [
        item(
            ScheduledProcedureStepDescription=f"CT THORAX FOR {who.latin}",
            ScheduledProcedureStepID="SPS88123",
            RequestedProcedureID="RP88124",
            RequestedProcedureDescription="CT THORAX LOW DOSE",
            AccessionNumber=who.accession,
            ReasonForTheRequestedProcedure=f"Seen by Dr {who.staff[1].split('^')[0]} on {spellings(who.study_date)[3]}",
            ScheduledProtocolCodeSequence=[code("CTTHX", "99LOCAL", f"Thorax {who.latin}")],
        )
    ]
    needles = (who.latin, "SPS88123", "RP88124", who.accession, who.staff[1].split("^")[0])
    file.removed("request attributes", "RequestAttributesSequence", *needles, spellings(who.study_date)[3])
    file.kept("request attributes", "RequestAttributesSequence", "THORAX", "LOW DOSE")
    ds.ReferencedStudySequence = [
        item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=who.study_uid)
    ]
    path = "ReferencedStudySequence#0/ReferencedSOPInstanceUID"
    file.uid("referenced studies, series and instances", path, who.study_uid, optional=True)
    other = m.uid()
    ds.ReferencedImageSequence = [
        item(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=other),
    ]
    path = "ReferencedImageSequence#0/ReferencedSOPInstanceUID"
    file.uid("referenced studies, series and instances", path, other, optional=True)
    ds.ReferencedPatientSequence = [
        item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.1.1", ReferencedSOPInstanceUID=m.uid())
    ]
    file.removed(
        "referenced studies, series and instances", "", ds.ReferencedPatientSequence[0].ReferencedSOPInstanceUID
    )
    m.write(file)


def persons(m: Maker, who: Person) -> None:
    """Identification of staff, and codes whose meanings say who."""
    file = m.open("MR_small.dcm", who, "persons")
    name = who.staff[3].split("^")[0]
    person = item(
        PersonIdentificationCodeSequence=[code("STF4471", "99STAFF", name)],
        PersonAddress="3 Lanternhouse Row",
        PersonTelephoneNumbers="+44 20 5550199",
        InstitutionName=who.institution,
    )
    for keyword in ("ReferringPhysicianIdentificationSequence", "OperatorIdentificationSequence"):
        setattr(file.ds, keyword, [person])
        file.removed("nested items", keyword, "STF4471", name, "Lanternhouse", "5550199")
    file.ds.ProcedureCodeSequence = [code("MRHEAD", "99LOCAL", f"MR head, {who.latin} {who.id}")]
    file.removed("code meanings", "ProcedureCodeSequence", who.latin, who.id)
    file.kept("code meanings", "ProcedureCodeSequence", "MRHEAD", "MR head")
    file.ds.AnatomicRegionSequence = [code("69536005", "SCT", "Head")]
    file.kept("code meanings", "AnatomicRegionSequence", "69536005", "Head")
    file.ds.InstitutionCodeSequence = [code("I77", "99LOCAL", who.institution)]
    file.removed("institution", "InstitutionCodeSequence", who.institution)
    file.ds.ContributingEquipmentSequence = [
        item(
            PurposeOfReferenceCodeSequence=[code("109101", "DCM", "Acquisition Equipment")],
            Manufacturer="Example Devices",
            InstitutionName=who.institution,
            InstitutionAddress=who.address,
            StationName=who.station,
            DeviceSerialNumber=who.serial,
            OperatorsName=who.staff[1],
            ContributionDateTime=da(who.study_date) + "101112",
            ContributionDescription=f"Sent for {who.latin}",
        )
    ]
    needles = (who.institution, who.address, who.station, who.serial, who.staff[1].split("^")[0], who.latin)
    file.removed("contributing equipment", "ContributingEquipmentSequence", *needles)
    file.shifted(
        "contributing equipment", "ContributingEquipmentSequence#0/ContributionDateTime", da(who.study_date) + "101112"
    )
    file.kept("contributing equipment", "ContributingEquipmentSequence", "Acquisition Equipment")
    file.ds.OriginalAttributesSequence = [
        item(
            SourceOfPreviousValues="KISTE",
            AttributeModificationDateTime=da(who.study_date) + "101112",
            ModifyingSystem="PACS-OBEN",
            ReasonForTheAttributeModification="CORRECT",
            ModifiedAttributesSequence=[item(PatientName=who.named.name, PatientID=who.id)],
        )
    ]
    needles = (*who.spelled, who.id, "KISTE", "PACS-OBEN")
    file.removed("original attributes", "OriginalAttributesSequence", *needles)
    m.write(file)


def private(m: Maker, who: Person) -> None:
    """Private elements: those of the table of safe ones stay, all others go."""
    file = m.open("CT_small.dcm", who, "private")
    for low in ("23", "24", "27"):
        value = file.ds.private_block(0x0019, "GEMS_ACQU_01")[int(low, 16)].value
        file.tag("private elements known to be safe", f"(0019,GEMS_ACQU_01,{low})", plain(value))
    path = file.private(0x7053, "Philips PET Private Group", 0x00, "DS", "0.000551")
    file.tag("private elements known to be safe", path, plain(0.000551))
    path = file.private(0x2001, "Philips Imaging DD 001", 0x03, "FL", 1000.0)
    file.tag("private elements known to be safe", path, plain(1000.0))
    path = file.private(0x0119, "SIEMENS Ultrasound SC2000", 0x00, "LO", f"Version 4 {who.latin}")
    file.removed("names in private elements known to be safe", path, who.latin)
    uid = m.uid()
    path = file.private(0x0099, "NQHeader", 0x02, "UI", uid)
    file.uid("UIDs in private elements known to be safe", path, uid)
    path = file.private(0x0099, "ACME 3.1", 0x10, "LO", who.named.name.replace("^", " ").replace("=", " "))
    file.removed("private elements not known", path, *who.spelled)
    file.removed("private elements not known", file.private(0x0099, "ACME 3.1", 0x11, "OB", b"SN 0071533 A"), "0071533")
    file.removed("private elements not known", file.private(0x0099, "ACME 3.1", 0x12, "DA", "19991231"), "19991231")
    uid = m.uid()
    file.removed("UIDs in private elements", file.private(0x0099, "ACME 3.1", 0x13, "UI", uid), uid)
    path = file.private(0x0099, "ACME 3.1", 0x14, "PN", who.staff[2])
    file.removed("names in private elements (PN)", path, who.staff[2].split("^")[0])
    path = file.private(0x0019, "GEMS_ACQU_O1", 0x23, "DS", "31415.5")
    file.removed("a safe element's number under another creator", path, "31415.5")
    file.private(0x0055, f"{who.latin.upper()} {who.id}"[:64], 0x01, "LO", "x")
    file.removed("names in private creators", "", f"{who.latin.upper()} {who.id}"[:64])
    inner = item(PatientName=who.named.name, PatientID=who.id, SliceThickness="2.5")
    inner.private_block(0x0099, "ACME 3.1", create=True).add_new(0x01, "SH", who.accession)
    path = file.private(0x0099, "ACME 3.1", 0x20, "SQ", Sequence([inner]))
    file.removed("private sequences", path, *who.spelled, who.id, who.accession)
    m.write(file)


def unread(m: Maker, who: Person) -> None:
    """Values behind VR UN, and elements that no dictionary knows."""
    file = m.open("CT_small.dcm", who, "unread")
    text = f"Call {who.latin} {who.phone}".encode()
    file.add(0x00104000, "UN", padded(text))
    file.removed("text in UN", "00104000", who.latin, who.phone)
    file.add(0x00101001, "UN", padded(f"{who.latin}^X".encode()))
    file.removed("text in UN", "00101001", who.latin)
    thickness = plain(file.ds.SliceThickness)
    file.add(0x00180050, "UN", b"5.000000")
    file.tag("what stays in UN", "SliceThickness", thickness)
    reference = implicit(0x00081150, b"1.2.840.10008.5.1.4.1.1.2\0") + implicit(0x00081155, who.study_uid.encode())
    requested = implicit(0x00400009, b"SPS99231") + implicit(0x00400006, who.staff[4].encode())
    file.add(0x00081140, "UN", implicit_item(reference))
    file.uid("sequences in UN", "00081140#0/00081155", who.study_uid, optional=True)
    file.add(0x00400275, "UN", implicit_item(requested))
    file.removed("sequences in UN", "00400275", "SPS99231", who.staff[4].split("^")[0])
    file.add(0x0018F0F0, "PN", who.named.name)
    file.removed("elements that no dictionary has (PN)", "0018F0F0", *who.spelled)
    uid = m.uid()
    file.add(0x0018F0F2, "UI", uid)
    file.removed("elements that no dictionary has (UI)", "0018F0F2", uid)
    file.add(0x0018F0F4, "DA", da(who.birth))
    file.removed("elements that no dictionary has (DA)", "0018F0F4", da(who.birth))
    uid = m.uid()
    file.ds.VolumeFrameOfReferenceUID = uid
    file.uid("UIDs that no rule names", "VolumeFrameOfReferenceUID", uid)
    file.removed("private sequences in UN", private_un(file, who), who.id, *who.spelled[:1])
    m.write(file)


def private_un(file: File, who: Person) -> str:
    """A private sequence in UN: only a look at its bytes tells that it is one."""
    name = who.named.family[0].encode("utf-8")
    content = implicit(0x00100020, who.id.encode()) + implicit(0x00100010, name)
    return file.private(0x0077, "ACME 3.1", 0x01, "UN", implicit_item(content))


def padded(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


def implicit(tag: int, value: bytes) -> bytes:
    value += b"\0" * (len(value) % 2) if tag & 0xFFFF in (0x1155, 0x1150) else b" " * (len(value) % 2)
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def implicit_item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def around(m: Maker, who: Person) -> None:
    """Bytes that are no value: preamble, group lengths, padding, what is behind a NUL; and file meta information."""
    file = m.open("CT_small.dcm", who, "around")
    meta, ds = file.ds.file_meta, file.ds
    meta.SourceApplicationEntityTitle = "AE" + who.station
    meta.PrivateInformationCreatorUID = m.uid()
    meta.PrivateInformation = f"{who.latin} {who.id}".encode("ascii", "ignore")
    file.removed("file meta information", "@SourceApplicationEntityTitle", "AE" + who.station)
    file.removed("file meta information", "@PrivateInformation", who.id)
    file.removed("file meta information", "", meta.PrivateInformationCreatorUID)
    hidden = f"{who.latin} {who.id}".encode("ascii", "ignore")
    file.removed("preamble", "", "preamble " + who.id)
    file.removed("group lengths", "", f"GL{who.id[2:]}")
    file.removed("data set trailing padding", "", f"pad {who.id}")
    file.add(0xFFFCFFFC, "OB", padded(f"pad {who.id} {'x' * 30}".encode()))
    ds.Laterality = "L"
    ds.SeriesDescription = "THORAX\0" + f"nul {who.id}"
    file.removed("text behind a NUL", "", f"nul {who.id}")
    file.kept("text behind a NUL", "SeriesDescription", "THORAX")
    length = element(0x00100000, "UL", f"GL{who.id[2:]}".ljust(12)[:12].encode())
    file.edits.append(lambda data: (b"preamble " + hidden[-len(who.id) :]).ljust(128, b"\0") + data[128:])
    file.edits.append(lambda data: before(data, b"\x10\0\x10\0PN", length))
    m.write(file)


def before(data: bytes, mark: bytes, piece: bytes) -> bytes:
    """Bytes put in where a mark stands first."""
    at = data.index(mark)
    return data[:at] + piece + data[at:]


def trailing(m: Maker, who: Person) -> None:
    """Bytes behind the data set."""
    file = m.open("MR_small.dcm", who, "trailing")
    file.removed("bytes after the data set", "", f"tail {who.id}")
    file.edits.append(lambda data: data + bytes(16) + f"tail {who.id}".encode().ljust(48, b"\0"))
    m.write(file)


def descriptors(m: Maker, who: Person) -> None:
    """Descriptions with identifiers between clinical words."""
    file = m.open("CT_small.dcm", who, "descriptors")
    birth, studied = spellings(who.birth), spellings(who.study_date)
    number = who.number
    staff = who.staff[1].split("^")
    for keyword, value, needles, words in (
        ("StudyDescription", f"CT THORAX {who.latin.upper()} W CONTRAST", (who.latin,), ("CT THORAX", "W CONTRAST")),
        ("SeriesDescription", f"AX 2.5mm {who.id} LUNG", (who.id,), ("AX 2.5mm", "LUNG")),
        ("ProtocolName", f"5.1 Abdomen {who.latin}", (who.latin,), ("5.1 Abdomen",)),
        ("ImageComments", f"Compared with {studied[number % 10]} and {studied[(number + 3) % 10]}, stable nodule 4 mm",
         (studied[number % 10], studied[(number + 3) % 10]), ("stable nodule 4 mm",)),
        ("PatientComments", f"Born {birth[number % 10]}, phone {who.phone}, mail {who.mail}, hip prosthesis left",
         (birth[number % 10], who.phone, who.mail), ("hip prosthesis left",)),
        ("AdmittingDiagnosesDescription", f"Pneumonia? Ask Dr. {staff[0]}", (staff[0],), ("Pneumonia",)),
        ("AdditionalPatientHistory", f"{who.latin_given} {who.latin}, MRN {who.id}: appendectomy",
         (who.latin, who.latin_given, who.id), ("appendectomy",)),
        ("DerivationDescription", f"MPR of {who.accession}", (who.accession,), ("MPR",)),
        ("AcquisitionDeviceProcessingDescription", f"AIDR 3D STD on {who.station}", (who.station,), ("AIDR 3D STD",)),
        ("RequestedProcedureDescription", f"CT for {who.institution}", (who.institution,), ("CT",)),
        ("PerformedProcedureStepDescription", "CT HEAD W/O 5mm T2", (), ("CT HEAD W/O 5mm T2",)),
        ("CommentsOnThePerformedProcedureStep", "L4/L5 disc, T2 FLAIR, MPR, 120 kV", (),
         ("L4/L5 disc", "T2 FLAIR", "MPR", "120 kV")),
        ("StudyComments", f"{who.latin_given}{who.latin} ok", (who.latin,), ("ok",)),
        ("ReasonForStudy", f"{who.latin}, {who.latin_given[:1]}. cough", (who.latin,), ("cough",)),
    ):  # fmt: skip
        setattr(file.ds, keyword, value)
        if needles:
            file.removed("descriptors", keyword, *needles)
        file.kept("descriptors", keyword, *words)
    file.ds.ContrastBolusAgent = "ISOVUE300/100"
    file.kept("descriptors", "ContrastBolusAgent", "ISOVUE300/100")
    m.write(file)


def scripts(m: Maker, who: Person) -> None:
    """The name in another script than the data set's, and in other groups of the name."""
    file = m.open("MR_small.dcm", who, "scripts")
    native, latin = who.named.family[0], who.named.family[-1]
    file.ds.StudyDescription = f"Knie {native}"
    file.removed("names in the script of the data set", "StudyDescription", native)
    file.kept("names in the script of the data set", "StudyDescription", "Knie")
    file.ds.ImageComments = f"rechts {latin.upper()} T1"
    file.removed("names in another script", "ImageComments", latin)
    file.kept("names in another script", "ImageComments", "rechts", "T1")
    file.ds.OtherPatientNames = who.named.name
    file.removed("names in the script of the data set", "OtherPatientNames", *who.spelled[:1])
    m.write(file)


def texts(m: Maker, who: Person) -> None:
    """UIDs inside texts, and texts that no rule names."""
    file = m.open("MR_small.dcm", who, "texts")
    file.ds.ImageComments = f"see {who.study_uid}"
    file.removed("UIDs inside texts", "ImageComments", who.study_uid)
    file.ds.ManufacturerModelName = "MODEL-T 1.5"
    file.tag("device model", "ManufacturerModelName", "MODEL-T 1.5")
    file.ds.SoftwareVersions = "syngo B17"
    file.tag("device model", "SoftwareVersions", "syngo B17")
    file.ds.SequenceName = "*tfl3d1"
    file.tag("device model", "SequenceName", "*tfl3d1")
    file.ds.FilterType = f"F {who.latin}"[:16]
    file.removed("texts that no rule names", "FilterType", who.latin[:10])
    file.ds.ConvolutionKernel = who.id
    file.removed("texts that no rule names", "ConvolutionKernel", who.id)
    file.ds.ContentDescription = f"Lesion of {who.latin}"
    file.removed("texts that no rule names", "ContentDescription", who.latin)
    m.write(file)


def dates(m: Maker, who: Person) -> None:
    """Dates in every form that the standard has, and some that it has not."""
    file = m.open("CT_small.dcm", who, "dates")
    ds, day = file.ds, who.study_date
    stamp = da(day)
    for keyword, value in (
        ("AcquisitionDateTime", stamp + "235959.123456+0100"),
        ("DateOfSecondaryCapture", da(day + timedelta(days=40))),
        ("PerformedProcedureStepEndDateTime", stamp[:6]),
        ("StartAcquisitionDateTime", stamp[:4]),
        ("EndAcquisitionDateTime", stamp + "11"),
        ("FrameReferenceDateTime", stamp + "101112-0500"),
        ("LastMenstrualDate", da(day - timedelta(days=20))),
        ("ScheduledStudyStartDate", da(date(2020, 2, 29))),
        ("StudyVerifiedDate", da(date(2019, 12, 31))),
    ):
        setattr(ds, keyword, value)
        file.shifted("dates and times of every form", keyword, value)
    file.add(0x00181079, "DT", stamp + "1011")
    file.shifted("dates and times of every form", "00181079", stamp + "1011")
    nested = item(ScheduledProcedureStepStartDate=stamp, ScheduledProcedureStepStartTime="101112")
    ds.ScheduledProcedureStepSequence = [nested]
    file.shifted("dates in items", "ScheduledProcedureStepSequence#0/ScheduledProcedureStepStartDate", stamp)
    for tag, vr, value in (
        (0x00080024, "DA", "20191345"),
        (0x00080025, "DA", "14/03/2019"),
        (0x00203403, "DA", "2019-03-1"),
        (0x00320034, "DA", "20190230"),
        (0x00189516, "DT", "20190399101112"),
        (0x00380020, "DA", "MARCH 14"),
    ):
        ds[tag] = DataElement(tag, vr, value, validation_mode=pydicom.config.IGNORE)
        file.removed("dates that are none", f"{tag:08X}", value)
    ds[0x00400002] = DataElement(0x00400002, "DA", "2019.03.14", validation_mode=pydicom.config.IGNORE)
    file.removed("dates in the form of before 1993", "00400002", "2019.03.14")
    ds[0x00400244] = DataElement(0x00400244, "DA", "20190110-20190211", validation_mode=pydicom.config.IGNORE)
    file.removed("ranges of dates", "00400244", "20190110", "20190211")
    m.write(file)


def trial(m: Maker, who: Person) -> None:
    """Clinical trials."""
    file = m.open("MR_small.dcm", who, "trial")
    for keyword, value in (
        ("ClinicalTrialSponsorName", "Umbrellacorp"), ("ClinicalTrialProtocolID", "PROT-77-X"),
        ("ClinicalTrialProtocolName", "HEPALIFE II"), ("ClinicalTrialSiteID", "SITE-0442"),
        ("ClinicalTrialSiteName", who.institution), ("ClinicalTrialSubjectID", "SUBJ-90210"),
        ("ClinicalTrialCoordinatingCenterName", "Coordina BV"), ("ClinicalTrialTimePointID", "TP-QX3"),
    ):  # fmt: skip
        file.hide("clinical trials", "", keyword, value)
    for keyword in ("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialSubjectID"):
        file.filled("clinical trials", keyword)
    m.write(file)


def frames(m: Maker, who: Person) -> None:
    """Functional groups."""
    file = m.open("23x38x3/multiframe/mf.dcm", who, "frames")
    ds, day = file.ds, da(who.study_date)
    content = "PerFrameFunctionalGroupsSequence#{}/FrameContentSequence#0/"
    for number in range(0, len(ds.PerFrameFunctionalGroupsSequence)):
        inner = ds.PerFrameFunctionalGroupsSequence[number].FrameContentSequence[0]
        inner.FrameAcquisitionDateTime = day + f"1011{number:02}"
        inner.FrameComments = f"frame of {who.latin}, motion"
        path = content.format(number)
        file.shifted("functional groups", path + "FrameAcquisitionDateTime", day + f"1011{number:02}")
        file.removed("functional groups", path + "FrameComments", who.latin)
        file.kept("functional groups", path + "FrameComments", "motion")
    shared = ds.SharedFunctionalGroupsSequence[0]
    shared.private_block(0x2005, "ACME 3.1", create=True).add_new(0x01, "LO", who.latin)
    file.removed("private elements in functional groups", "SharedFunctionalGroupsSequence", who.latin)
    for number in (0, 2):
        position = ds.PerFrameFunctionalGroupsSequence[number].PlanePositionSequence[0].ImagePositionPatient
        path = f"PerFrameFunctionalGroupsSequence#{number}/PlanePositionSequence#0/ImagePositionPatient"
        file.tag("geometry in functional groups", path, plain(position))
    uid = m.uid()
    ds.DimensionOrganizationSequence = [item(DimensionOrganizationUID=uid)]
    file.uid("functional groups", "DimensionOrganizationSequence#0/DimensionOrganizationUID", uid)
    m.write(file)


def segments(m: Maker, who: Person) -> None:
    """A segmentation: labels, and references that have to resolve."""
    file = m.open("liver_1frame.dcm", who, "segments")
    ds = file.ds
    segment = ds.SegmentSequence[0]
    segment.SegmentLabel, segment.SegmentDescription = f"Liver {who.latin}", f"Liver of {who.id}"
    file.removed("segment labels", "SegmentSequence#0/SegmentLabel", who.latin)
    file.removed("segment labels", "SegmentSequence#0/SegmentDescription", who.id)
    file.kept("segment labels", "SegmentSequence#0/SegmentLabel", "Liver")
    file.filled("segment labels", "SegmentSequence#0/SegmentLabel")
    segment.TrackingUID, segment.TrackingID = m.uid(), who.id
    file.uid("segment labels", "SegmentSequence#0/TrackingUID", segment.TrackingUID)
    file.removed("segment labels", "SegmentSequence#0/TrackingID", who.id)
    ds.ContentCreatorName = who.staff[0]
    file.removed("staff", "ContentCreatorName", who.staff[0].split("^")[0])
    uid = m.uid()
    ds.ReferencedSeriesSequence[0].SeriesInstanceUID = uid
    file.uid("referenced studies, series and instances", "ReferencedSeriesSequence#0/SeriesInstanceUID", uid)
    uid = m.uid()
    ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID = uid
    path = "ReferencedSeriesSequence#0/ReferencedInstanceSequence#0/ReferencedSOPInstanceUID"
    file.uid("referenced studies, series and instances", path, uid)
    groups = ds.PerFrameFunctionalGroupsSequence[0]
    groups.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID = uid
    path = "PerFrameFunctionalGroupsSequence#0/DerivationImageSequence#0/SourceImageSequence#0/ReferencedSOPInstanceUID"
    file.uid("functional groups", path, uid, optional=True)
    m.write(file)


def report(m: Maker, who: Person) -> None:
    """Content items of a report."""
    file = m.open("test-SR.dcm", who, "report")
    ds, stamp = file.ds, da(who.study_date)
    staff, image = who.staff[2], m.uid()
    ds.CurrentRequestedProcedureEvidenceSequence = [
        item(
            StudyInstanceUID=who.study_uid,
            ReferencedSeriesSequence=[
                item(
                    SeriesInstanceUID=m.uid(),
                    ReferencedSOPSequence=[
                        item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)
                    ],
                )
            ],
        )
    ]
    path = "CurrentRequestedProcedureEvidenceSequence#0/"
    file.uid("references of reports", path + "StudyInstanceUID", who.study_uid)
    path += "ReferencedSeriesSequence#0/ReferencedSOPSequence#0/ReferencedSOPInstanceUID"
    file.uid("references of reports", path, image)
    finding = f"{who.latin} was seen on {spellings(who.study_date)[3]}: mass of 3 cm in the left lobe, MRN {who.id}"
    own = [
        content("IMAGE", code("121112", "DCM", "Source of Measurement"), ReferencedSOPSequence=[
            item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)]),
        content("DATE", code("111018", "DCM", "Content Date"), Date=stamp),
        content("DATETIME", code("111526", "DCM", "DateTime Started"), DateTime=stamp + "101112"),
        content("NUM", code("103355008", "SCT", "Width"), MeasuredValueSequence=[
            item(NumericValue="31.5", MeasurementUnitsCodeSequence=[code("mm", "UCUM", "mm")])]),
        content("TEXT", code("121071", "DCM", "Finding"), TextValue=finding),
        content("CODE", code("121071", "DCM", "Finding"), ConceptCodeSequence=[
            code("F7", "99LOCAL", f"Nodule, see {who.latin}")]),
        content("PNAME", code("121008", "DCM", "Person Observer Name"), PersonName=staff),
        content("UIDREF", code("121018", "DCM", "Procedure Study Instance UID"), UID=who.study_uid),
        content("TEXT", code("121022", "DCM", "Accession Number"), TextValue=who.accession),
        content("TEXT", code("121013", "DCM", "Device Observer Name"), TextValue="OBSERVER-4471"),
    ]  # fmt: skip
    ds.ContentSequence = own + list(ds.ContentSequence)
    tree = "ContentSequence"
    file.uid("references of reports", "ContentSequence#0/ReferencedSOPSequence#0/ReferencedSOPInstanceUID", image)
    file.shifted("dates in reports", "ContentSequence#1/Date", stamp)
    file.shifted("dates in reports", "ContentSequence#2/DateTime", stamp + "101112")
    file.tag("numbers in reports", "ContentSequence#3/MeasuredValueSequence#0/NumericValue", "31.5")
    file.removed("text in reports", tree, who.latin, spellings(who.study_date)[3], who.id, who.accession)
    file.kept("text in reports", tree, "mass of 3 cm in the left lobe")
    file.removed("code meanings in reports", tree, f"see {who.latin}")
    file.kept("code meanings in reports", tree, "Nodule")
    file.removed("persons in reports", tree, staff.split("^")[0])
    file.line("uid_changed", "UIDs in reports", tree, who.study_uid)
    file.removed("devices in reports", tree, "OBSERVER-4471")
    observer = ds.VerifyingObserverSequence[0]
    observer.VerifyingObserverName, observer.VerifyingOrganization = who.staff[3], who.institution
    observer.VerificationDateTime = stamp + "111213"
    path = "VerifyingObserverSequence#0/"
    file.removed("persons in reports", path + "VerifyingObserverName", who.staff[3].split("^")[0])
    file.filled("persons in reports", path + "VerifyingObserverName")
    file.shifted("dates in reports", path + "VerificationDateTime", stamp + "111213")
    m.write(file)


def content(value_type: str, concept: Dataset, **value: Any) -> Dataset:
    made = item(RelationshipType="CONTAINS", ValueType=value_type, ConceptNameCodeSequence=[concept])
    for keyword, one in value.items():
        setattr(made, keyword, one)
    return made


def structures(m: Maker, who: Person) -> None:
    """A structure set."""
    file = m.open("rtstruct.dcm", who, "structures")
    ds, frame = file.ds, who.frame_of_reference
    ds.StructureSetLabel, ds.StructureSetName = f"{who.latin}"[:16], f"Plan {who.latin}"
    file.removed("structure set labels", "StructureSetLabel", who.latin[:10])
    file.filled("structure set labels", "StructureSetLabel")
    file.removed("structure set labels", "StructureSetName", who.latin)
    ds.StructureSetDate = da(who.study_date)
    file.shifted("dates at the root", "StructureSetDate", ds.StructureSetDate)
    roi = ds.StructureSetROISequence[1]
    roi.ROIName = f"PTV {who.latin} {who.id}"
    file.removed("names of regions", "StructureSetROISequence#1/ROIName", who.latin, who.id)
    file.kept("names of regions", "StructureSetROISequence#1/ROIName", "PTV")
    file.kept("names of regions", "StructureSetROISequence#2/ROIName", "Isocenter 2")
    for number, one in enumerate(ds.StructureSetROISequence):
        one.ReferencedFrameOfReferenceUID = frame
        path = f"StructureSetROISequence#{number}/ReferencedFrameOfReferenceUID"
        file.uid("references of structure sets", path, frame)
    ds.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = frame
    file.uid("references of structure sets", "ReferencedFrameOfReferenceSequence#0/FrameOfReferenceUID", frame)
    ds.RTROIObservationsSequence[0].ROIInterpreter = who.staff[1]
    path = "RTROIObservationsSequence#0/ROIInterpreter"
    file.removed("staff", path, who.staff[1].split("^")[0])
    contour = ds.ROIContourSequence[0].ContourSequence[0].ContourData
    file.tag("contours", "ROIContourSequence#0/ContourSequence#0/ContourData", plain(contour))
    m.write(file)


def plans(m: Maker, who: Person) -> None:
    """A treatment plan."""
    file = m.open("rtplan.dcm", who, "plan")
    ds = file.ds
    ds.RTPlanLabel, ds.RTPlanName, ds.RTPlanDescription = who.id, f"Boost {who.latin}", f"3D-CRT for {who.latin}"
    ds.RTPlanDate = da(who.study_date)
    file.shifted("dates at the root", "RTPlanDate", ds.RTPlanDate)
    file.removed("labels of plans", "RTPlanLabel", who.id)
    file.filled("labels of plans", "RTPlanLabel")
    file.removed("labels of plans", "RTPlanName", who.latin)
    file.removed("labels of plans", "RTPlanDescription", who.latin)
    file.kept("labels of plans", "RTPlanDescription", "3D-CRT")
    ds.BeamSequence[0].TreatmentMachineName = "LINAC-OST-7"
    file.removed("device", "BeamSequence#0/TreatmentMachineName", "LINAC-OST-7")
    file.tag("geometry and technique", "DoseReferenceSequence#1/TargetPrescriptionDose", "30.826203")
    m.write(file)


def presentation(m: Maker, who: Person) -> None:
    """A presentation state: text beside graphics."""
    file = m.made("1.2.840.10008.5.1.4.1.1.11.1", "PR", who, "presentation")
    ds, image = file.ds, m.uid()
    ds.ContentLabel, ds.ContentDescription = "ANNOTATED", f"Marks for {who.latin}"
    file.removed("texts that no rule names", "ContentDescription", who.latin)
    ds.ContentCreatorName = who.staff[0]
    file.removed("staff", "ContentCreatorName", who.staff[0].split("^")[0])
    ds.PresentationCreationDate, ds.PresentationCreationTime = da(who.study_date), "101112"
    file.shifted("dates at the root", "PresentationCreationDate", da(who.study_date))
    ds.ReferencedSeriesSequence = [
        item(
            SeriesInstanceUID=m.uid(),
            ReferencedImageSequence=[
                item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)
            ],
        )
    ]
    path = "ReferencedSeriesSequence#0/ReferencedImageSequence#0/ReferencedSOPInstanceUID"
    file.uid("referenced studies, series and instances", path, image)
    text = item(
        BoundingBoxAnnotationUnits="PIXEL",
        UnformattedTextValue=f"{who.latin}: lesion 12 mm",
        BoundingBoxTopLeftHandCorner=[10.0, 10.0],
        BoundingBoxBottomRightHandCorner=[90.0, 30.0],
        BoundingBoxTextHorizontalJustification="LEFT",
    )
    ds.GraphicAnnotationSequence = [item(GraphicLayer="LAYER1", TextObjectSequence=[text])]
    path = "GraphicAnnotationSequence#0/TextObjectSequence#0/"
    file.removed("text of graphic annotations", path + "UnformattedTextValue", who.latin)
    file.kept("text of graphic annotations", path + "UnformattedTextValue", "lesion 12 mm")
    file.tag("text of graphic annotations", path + "BoundingBoxTopLeftHandCorner", "10\\10")
    ds.GraphicLayerSequence = [
        item(GraphicLayer="LAYER1", GraphicLayerOrder=1, GraphicLayerDescription=f"for {who.id}")
    ]
    file.removed("texts that no rule names", "GraphicLayerSequence#0/GraphicLayerDescription", who.id)
    m.write(file)


def waveform(m: Maker, who: Person) -> None:
    """A waveform with annotations."""
    file = m.open("waveform_ecg.dcm", who, "waveform")
    ds = file.ds
    note = item(AnnotationGroupNumber=1, UnformattedTextValue=f"{who.latin_given} {who.latin}: sinus rhythm")
    ds.WaveformAnnotationSequence = [note, *(ds.get("WaveformAnnotationSequence") or [])]
    path = "WaveformAnnotationSequence#0/UnformattedTextValue"
    file.removed("waveform annotations", path, who.latin, who.latin_given)
    file.kept("waveform annotations", path, "sinus rhythm")
    channel = ds.WaveformSequence[0].ChannelDefinitionSequence[0]
    channel.ChannelLabel = f"Lead I {who.latin}"[:16]
    path = "WaveformSequence#0/ChannelDefinitionSequence#0/ChannelLabel"
    file.removed("waveform annotations", path, f"Lead I {who.latin}"[:16])
    file.tag(
        "samples of waveforms", "WaveformSequence#0/SamplingFrequency", plain(ds.WaveformSequence[0].SamplingFrequency)
    )
    file.tag("samples of waveforms", "WaveformSequence#0/WaveformData", plain(ds.WaveformSequence[0].WaveformData))
    m.write(file)


def overlays(m: Maker, who: Person) -> None:
    """Overlays and curves."""
    file = m.open("MR_small.dcm", who, "overlays")
    bits = np.zeros((64, 64), np.uint8)
    box = (4, 2, 14, 60)
    drawn = draw(np.zeros((64, 64), np.uint8), who.latin[:9].upper(), box, 12)
    bits[drawn > 100] = 1
    for tag, vr, value in (
        (0x60000010, "US", 64), (0x60000011, "US", 64), (0x60000040, "CS", "G"), (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 1), (0x60000102, "US", 0), (0x60000022, "LO", f"Overlay {who.latin}"),
        (0x60001500, "LO", who.id), (0x60003000, "OW", np.packbits(bits.ravel(), bitorder="little").tobytes()),
        (0x60004000, "LT", f"{who.latin} commented"),
    ):  # fmt: skip
        file.add(tag, vr, value)
    file.removed("overlay labels", "60000022", who.latin)
    file.removed("overlay labels", "60001500", who.id)
    file.removed("overlay labels", "60004000", who.latin)
    file.line("pixels_hidden", "text drawn in overlays", "60003000", box=box)
    points = struct.pack("<8h", *range(8))
    for tag, vr, value in (
        (0x50000005, "US", 2), (0x50000010, "US", 4), (0x50000020, "CS", "ECG"),
        (0x50000022, "LO", f"Curve {who.latin}"),
        (0x50000103, "US", 1), (0x50002500, "LO", who.id), (0x50003000, "OW", points),
    ):  # fmt: skip
        file.add(tag, vr, value)
    file.removed("curve data", "50000022", who.latin)
    file.removed("curve data", "50002500", who.id)
    m.write(file)


def document(m: Maker, who: Person) -> None:
    """An encapsulated document."""
    file = m.made("1.2.840.10008.5.1.4.1.1.104.1", "DOC", who, "document")
    ds = file.ds
    text = f"%PDF-1.4\n% {who.latin} {who.id} {who.phone}\n%%EOF\n".encode()
    ds.EncapsulatedDocument = text + b"\0" * (len(text) % 2)
    ds.DocumentTitle, ds.MIMETypeOfEncapsulatedDocument = f"Letter about {who.latin}", "application/pdf"
    ds.BurnedInAnnotation = "YES"
    file.removed("encapsulated documents", "EncapsulatedDocument", who.id, who.phone)
    file.removed("titles of documents", "DocumentTitle", who.latin)
    file.tag("encapsulated documents", "MIMETypeOfEncapsulatedDocument", "application/pdf")
    m.write(file)


def icon(m: Maker, who: Person) -> None:
    """An icon with the name in it."""
    file = m.open("CT_small.dcm", who, "icon")
    box = (2, 2, 14, 60)
    picture = draw(np.full((64, 64), 20, np.uint8), who.latin[:9].upper(), box, 12)
    file.ds.IconImageSequence = [
        item(
            SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2", Rows=64, Columns=64, BitsAllocated=8,
            BitsStored=8, HighBit=7, PixelRepresentation=0, PixelData=picture.tobytes(),
        )
    ]  # fmt: skip
    file.ds.IconImageSequence[0]["PixelData"].VR = "OB"
    file.line("pixels_hidden", "icon images", "IconImageSequence#0/PixelData", box=box)
    m.write(file)


def specimen(m: Maker, who: Person) -> None:
    """A slide."""
    file = m.open("examples_rgb_color.dcm", who, "specimen")
    ds = file.ds
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.77.1.2", "SM"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    as_class(file)
    file.hide("specimens", "", "ContainerIdentifier", f"S19-{who.id[2:]}")
    file.filled("specimens", "ContainerIdentifier")
    uid = m.uid()
    inner = item(SpecimenIdentifier=f"S19-{who.id[2:]}-A", SpecimenUID=uid,
                 SpecimenShortDescription=f"Biopsy liver {who.latin}")  # fmt: skip
    ds.SpecimenDescriptionSequence = [inner]
    path = "SpecimenDescriptionSequence#0/"
    file.removed("specimens", path + "SpecimenIdentifier", who.id[2:])
    file.filled("specimens", path + "SpecimenIdentifier")
    file.uid("specimens", path + "SpecimenUID", uid)
    file.removed("specimens", path + "SpecimenShortDescription", who.latin)
    file.kept("specimens", path + "SpecimenShortDescription", "Biopsy liver")
    file.hide("specimens", "", "BarcodeValue", f"BC{who.id[2:]}")
    file.hide("specimens", "", "LabelText", f"{who.latin} S19", who.latin)
    m.write(file)


def photo(m: Maker, who: Person) -> None:
    """A photograph: places on earth, owner of the camera."""
    file = m.open("SC_rgb_small_odd.dcm", who, "photo")
    for keyword, value in (
        ("GPSLatitude", "52\\31\\12.0"), ("GPSLongitude", "13\\24\\18.4"), ("CameraOwnerName", "Wolstenholme"),
        ("LensSerialNumber", "LSN-8820"), ("MakerNote", None),
    ):  # fmt: skip
        if value:
            tag = Tag(keyword)
            file.add(int(tag), pydicom.datadict.dictionary_VR(tag), value.split("\\"))
            file.removed("photographs", keyword, value.split("\\")[-1])
    m.write(file)


def as_class(file: File) -> None:
    """Lines that were written before the object got another SOP class and modality."""
    sop_class = str(file.ds.SOPClassUID)
    file.lines = [replace(one, sop_class=sop_class) for one in file.lines if one.path != "00080060"]


def nuclear(m: Maker, who: Person) -> None:
    """Positron emission: the tracer's times, and private times."""
    file = m.open("CT_small.dcm", who, "nuclear")
    ds, stamp = file.ds, da(who.study_date)
    ds.SOPClassUID, ds.Modality = "1.2.840.10008.5.1.4.1.1.128", "PT"
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    as_class(file)
    tracer = item(RadiopharmaceuticalStartDateTime=stamp + "091011", RadionuclideTotalDose="370500000",
                  RadionuclideHalfLife="6586.2", Radiopharmaceutical="FDG")  # fmt: skip
    ds.RadiopharmaceuticalInformationSequence = [tracer]
    path = "RadiopharmaceuticalInformationSequence#0/"
    file.shifted("times of tracers", path + "RadiopharmaceuticalStartDateTime", stamp + "091011")
    file.tag("geometry and technique", path + "RadionuclideTotalDose", plain(370500000.0))
    file.tag("geometry and technique", path + "RadionuclideHalfLife", plain(6586.2))
    ds.DecayFactor = "1.1234"
    file.tag("geometry and technique", "DecayFactor", "1.1234")
    path = file.private(0x0071, "SIEMENS MED PT", 0x22, "DT", stamp + "091011")
    file.removed("dates in private elements", path, stamp + "091011")
    m.write(file)


def registered(m: Maker, who: Person) -> None:
    """UIDs that name things of the standard stay."""
    file = m.open("MR_small.dcm", who, "registered")
    ds = file.ds
    ds.FrameOfReferenceUID = "1.2.840.10008.1.4.1.1"
    file.lines = [one for one in file.lines if one.path != "FrameOfReferenceUID"]
    file.tag("registered UIDs", "FrameOfReferenceUID", "1.2.840.10008.1.4.1.1")
    file.tag("registered UIDs", "SOPClassUID", ds.SOPClassUID)
    ds.CodingSchemeIdentificationSequence = [
        item(CodingSchemeDesignator="SCT", CodingSchemeUID="2.16.840.1.113883.6.96")
    ]
    path = "CodingSchemeIdentificationSequence#0/CodingSchemeUID"
    file.tag("registered UIDs", path, "2.16.840.1.113883.6.96")
    ds.PerformedProtocolCodeSequence = [
        item(CodeValue="1", CodingSchemeDesignator="DCM", CodeMeaning="x", ContextUID="1.2.840.10008.6.1.1")
    ]
    file.tag("registered UIDs", "PerformedProtocolCodeSequence#0/ContextUID", "1.2.840.10008.6.1.1")
    m.write(file)


def path_name(m: Maker, who: Person) -> None:
    """A file whose path has the name."""
    file = m.open("MR_small.dcm", who, "plain")
    file.name = f"{who.latin}_{who.id}/{who.latin_given} {who.accession}.dcm"
    file.lines = [replace(one, file=file.name) for one in file.lines]
    file.removed("names of files and folders", "@path", who.latin, who.id, who.accession)
    m.write(file)


# ---- pixels


@cache
def font(size: int) -> Any:
    return ImageFont.load_default(size)


def draw(picture: np.ndarray, text: str, box: Iterable[int], size: int, level: int = 255) -> np.ndarray:
    """Text in a box of an 8-bit picture."""
    top, left, _, _ = box
    image = Image.fromarray(picture)
    fill = level if picture.ndim == 2 else (level,) * 3
    ImageDraw.Draw(image).text((left, top), text, fill=fill, font=font(size))
    return np.array(image)


def banner(who: Person) -> tuple[str, str]:
    return f"{who.latin.upper()} {who.latin_given}", f"ID {who.id} {spellings(who.birth)[0]}"


Box = tuple[int, int, int, int]


def write_text(who: Person, frame: np.ndarray, size: int = 18) -> tuple[np.ndarray, list[Box]]:
    """Two lines in the upper left of a frame of any depth; the boxes."""
    boxes: list[Box] = []
    mask = np.zeros(frame.shape[:2], np.uint8)
    for number, text in enumerate(banner(who)):
        left, top, right, bottom = (int(one) for one in font(size).getbbox(text))
        at = (8 + number * (size + 8), 8)
        mask = draw(mask, text, (*at, 0, 0), size)
        boxes.append((at[0] + top, at[1] + left, bottom - top, min(right - left, frame.shape[1] - at[1] - 1)))
    bright = float(frame.max()) if frame.dtype != np.uint8 else 255.0
    blend = mask[..., None] / 255.0 if frame.ndim == 3 else mask / 255.0
    return (frame * (1 - blend) + bright * blend).astype(frame.dtype), boxes


def burnt(m: Maker, who: Person, base: str, recipe: str, place: str, encode: Encoder | None, plane: int = 0) -> None:
    """Text burnt into every frame of a file, which is then encoded."""
    file = m.open(base, who, recipe)
    ds = file.ds
    frames = native_frames(file)
    written = [write_text(who, frame) for frame in frames]
    boxes = written[0][1]
    pixels = [frame for frame, _ in written]
    store(file, pixels, encode)
    ds.BurnedInAnnotation = "YES"
    file.lines = [one for one in file.lines if one.action != "pixels_retained" and one.path != "00280004"]
    for box in boxes:
        file.line("pixels_hidden", place, "PixelData", box=box)
    rows, columns = frames[0].shape[:2]
    file.line("pixels_retained", place, box=(rows // 2, columns // 4, rows // 3, columns // 2))
    m.write(file)


Encoder = tuple[str, Callable[[np.ndarray], bytes] | None]


def native_frames(file: File) -> list[np.ndarray]:
    """The frames of a file, as they are stored or as they are decoded by imagecodecs."""
    from benches.deid_score import frames_of

    return frames_of(file.ds)


def store(file: File, frames: list[np.ndarray], encode: Encoder | None) -> None:
    """Frames put into a data set, native or encoded."""
    ds = file.ds
    if encode is None:
        data = b"".join(frame.tobytes() for frame in frames)
        ds.PixelData = data + b"\0" * (len(data) % 2)
        ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 else "OB"
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        if frames[0].ndim == 3:
            ds.PhotometricInterpretation, ds.PlanarConfiguration = "RGB", 0
        return
    syntax, codec = encode
    if codec is None:
        store(file, frames, None)
        ds.compress(syntax, generate_instance_uid=False)
        return
    ds.PixelData = encapsulate([codec(frame) for frame in frames])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    ds.file_meta.TransferSyntaxUID = syntax
    if frames[0].ndim == 3:
        ds.PlanarConfiguration = 0


def jpeg(frame: np.ndarray) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpeg8_encode(frame, level=92, subsampling="444"))


def jpeg2000(frame: np.ndarray) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpeg2k_encode(frame, codecformat="j2k", level=0, reversible=True))


def jpegls(frame: np.ndarray) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegls_encode(frame.view(f"u{frame.itemsize}")))


def burnt_native_us(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_rgb_color.dcm", "burnt-us", "text in native pixels", None)


def burnt_native_ct(m: Maker, who: Person) -> None:
    burnt(m, who, "693_UNCR.dcm", "burnt-ct", "text in native pixels", None)


def burnt_rle(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_overlay.dcm", "burnt-rle", "text in losslessly compressed pixels", (RLELossless, None))


def burnt_jpeg2000(m: Maker, who: Person) -> None:
    place = "text in losslessly compressed pixels"
    burnt(m, who, "examples_jpeg2k.dcm", "burnt-j2k", place, (JPEG2000Lossless, jpeg2000))


def burnt_jpegls(m: Maker, who: Person) -> None:
    burnt(m, who, "693_UNCR.dcm", "burnt-jls", "text in losslessly compressed pixels", (JPEGLSLossless, jpegls))


def burnt_jpeg(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_rgb_color.dcm", "burnt-jpeg", "text in lossy pixels", (JPEGBaseline8Bit, jpeg))


def burnt_cine(m: Maker, who: Person) -> None:
    burnt(m, who, "examples_ybr_color.dcm", "burnt-cine", "text in every frame of a cine", (JPEGBaseline8Bit, jpeg))


# ---- a file-set


def disc(m: Maker, who: Person) -> None:
    """A file-set whose directory and file IDs have the name."""
    folder = who.latin.upper()[:8]
    records = []
    files = []
    for number in range(3):
        file = m.open("MR_small.dcm", who, f"disc{number}")
        file.name = f"disc/{folder}/IM{number}"
        file.lines = [replace(one, file=file.name) for one in file.lines]
        files.append(file)
    files[1].ds.SeriesInstanceUID = files[0].ds.SeriesInstanceUID
    files[2].ds.SeriesInstanceUID = files[0].ds.SeriesInstanceUID
    for file in files[1:]:
        file.lines = [one for one in file.lines if one.path != "SeriesInstanceUID"]
    first = files[0].ds
    records.append(record("PATIENT", PatientName=who.named.name, PatientID=who.id))
    records.append(record("STUDY", StudyDate=first.StudyDate, StudyTime="104512", StudyDescription=f"MR {who.latin}",
                          StudyInstanceUID=who.study_uid, StudyID="SID", AccessionNumber=who.accession))  # fmt: skip
    records.append(record("SERIES", Modality="MR", SeriesInstanceUID=first.SeriesInstanceUID, SeriesNumber=1))
    for file in files:
        m.write(file)
        records.append(record("IMAGE", ReferencedFileID=file.name.split("/")[1:], InstanceNumber=file.number,
                              ReferencedSOPClassUIDInFile=file.ds.SOPClassUID,
                              ReferencedSOPInstanceUIDInFile=file.ds.SOPInstanceUID,
                              ReferencedTransferSyntaxUIDInFile=ExplicitVRLittleEndian))  # fmt: skip
    data = directory(records, who, m.uid())
    place = m.folder / "in" / "disc/DICOMDIR"
    place.write_bytes(data)
    about = File(m, "disc/DICOMDIR", Dataset(), who)
    about.number = 0
    about.removed("directories of file-sets", "", *who.identifiers, folder)
    about.line("patid_consistent", "directories of file-sets", "DirectoryRecordSequence#0/PatientID", who.id)
    study = "DirectoryRecordSequence#1/"
    about.shifted("directories of file-sets", study + "StudyDate", first.StudyDate)
    about.uid("directories of file-sets", study + "StudyInstanceUID", who.study_uid)
    about.uid("directories of file-sets", "DirectoryRecordSequence#2/SeriesInstanceUID", first.SeriesInstanceUID)
    about.tag("directories of file-sets", "DirectoryRecordSequence#2/Modality", "MR")
    for number, file in enumerate(files):
        path = f"DirectoryRecordSequence#{number + 3}/ReferencedSOPInstanceUIDInFile"
        about.uid("directories of file-sets", path, file.ds.SOPInstanceUID)
    m.lines += about.lines


def record(kind: str, **attributes: Any) -> Dataset:
    made = item(OffsetOfTheNextDirectoryRecord=0, RecordInUseFlag=0xFFFF, OffsetOfReferencedLowerLevelDirectoryEntity=0,
                DirectoryRecordType=kind)  # fmt: skip
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def directory(records: list[Dataset], who: Person, uid: str) -> bytes:
    """A DICOMDIR of one patient, study and series: written once for the offsets, and again with them."""
    ds = Dataset()
    if who.named.charset:
        for one in records:
            one.SpecificCharacterSet = list(who.named.charset)
    ds.FileSetID, ds.FileSetConsistencyFlag = "WEXSET", 0
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    ds.DirectoryRecordSequence = records
    ds.file_meta = FileMetaDataset()
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = DIRECTORY, uid
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = written(ds)
    at = [index for index in range(len(data) - 4) if data[index : index + 4] == b"\xfe\xff\x00\xe0"]
    ds.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = at[0]
    ds.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = at[0]
    for number in range(3):
        records[number].OffsetOfReferencedLowerLevelDirectoryEntity = at[number + 1]
    for number in range(3, len(records) - 1):
        records[number].OffsetOfTheNextDirectoryRecord = at[number + 1]
    return written(ds)


def written(ds: Dataset) -> bytes:
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


RECIPES: tuple[Callable[[Maker, Person], None], ...] = (
    root, characteristics, nested, persons, private, unread, around, trailing, descriptors, scripts, texts, dates,
    trial, frames, segments, report, structures, plans, presentation, waveform, overlays, document, icon, specimen, photo,
    nuclear, registered, path_name, burnt_native_us, burnt_native_ct, burnt_rle, burnt_jpeg2000, burnt_jpegls,
    burnt_jpeg, burnt_cine,
)  # fmt: skip


def make(folder: Path, *, seed: int = 1, count: int = 8, quick: bool = False) -> list[Action]:
    """Write the set below `folder`; its key. `quick` gives each recipe to one person only, in turn."""
    m = Maker(folder, seed)
    who = people(seed, count, m.uid)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, recipe in enumerate(RECIPES):
            for person in who:
                if not quick or number % count == person.number:
                    recipe(m, person)
        disc(m, who[0])
    text = "".join(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in m.lines)
    (folder / "key.jsonl").write_text(text, encoding="utf-8")
    return m.lines


def key(folder: Path) -> list[Action]:
    """The key of a set that was made."""
    found = []
    for line in (folder / "key.jsonl").read_text(encoding="utf-8").splitlines():
        read = json.loads(line)
        found.append(Action(**{**read, "values": tuple(read["values"]), "box": tuple(read["box"])}))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=8)
    told = parser.parse_args()
    lines = make(told.folder, seed=told.seed, count=told.people)
    places = {line.place for line in lines}
    print(f"{len({line.file for line in lines})} files, {len(lines)} actions in {len(places)} places")


if __name__ == "__main__":
    main()
