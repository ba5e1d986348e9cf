"""Recipes of the de-identification set: attributes, items, private elements, bytes, texts and dates of an image."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import date, timedelta

import pydicom
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

from benches.deid_files import SMALL, File, Maker, code, item, plain
from benches.deid_people import Person, da, spellings
from benches.inputs import element


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


def deflated(m: Maker, who: Person) -> None:
    """A data set that is deflated, so that no search of the file's bytes finds anything."""
    file = m.open("image_dfl.dcm", who, "deflated")
    file.ds.StudyDescription = f"Chest {who.latin} PA"
    file.removed("deflated data sets", "StudyDescription", who.latin)
    file.kept("deflated data sets", "StudyDescription", "Chest", "PA")
    file.hide("deflated data sets", "", "PatientAddress", who.address)
    path = file.private(0x0099, "ACME 3.1", 0x10, "LO", who.id)
    file.removed("deflated data sets", path, who.id)
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
        (0x00181078, "DT", "20190399101112"),
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


def path_name(m: Maker, who: Person) -> None:
    """A file whose path has the name."""
    file = m.open("MR_small.dcm", who, "plain")
    file.name = f"{who.latin}_{who.id}/{who.latin_given} {who.accession}.dcm"
    file.lines = [replace(one, file=file.name) for one in file.lines]
    file.removed("names of files and folders", "@path", who.latin, who.id, who.accession)
    m.write(file)
