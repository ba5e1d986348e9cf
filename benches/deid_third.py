"""Recipes of the third de-identification set: places that public reports of leaks tell of, in other kinds of objects.

They stand in trackers and papers: Original Attributes Sequence (aces/DICAT 129), values below the second level of
items (mmiv-center/DICOMAnonymizer 20), descriptions that are kept (17 there), sequences that pass untouched
(pydicom/deid 259), UIDs with an ID in them (dicompyler 45), texts that repeat what other attributes say
(irrer/DICOMClient 24), and the free text, phones and dates of MIDI-B (arXiv 2507.23608, 2508.01889).
"""

from __future__ import annotations

from datetime import date
from random import Random

import pydicom
from pydicom.sequence import Sequence

from benches.deid_files import File, Maker, code, item
from benches.deid_people import Named, Person, UidMaker, da

NAMES = (
    Named("McAllister-Whitcombe^Persephone^J", (), ("McAllister-Whitcombe", "Whitcombe"), ("Persephone",)),
    Named("Dr. Ottoline LOXDALE", (), ("LOXDALE",), ("Ottoline",)),
    Named("de la Fuenllana Ólmos^María José", ("ISO_IR 100",), ("Fuenllana", "Ólmos"), ("María José", "Maria Jose")),
    Named("Takahashi^Kenzo=高橋^健三=たかはし^けんぞう", ("", "ISO 2022 IR 87"), ("高橋", "たかはし", "Takahashi"),
          ("健三", "Kenzo")),
    Named("Щербакова^Ольга^Петровна", ("ISO_IR 192",), ("Щербакова", "Shcherbakova"), ("Ольга", "Olga")),
    Named("Voss^Ida^^Mrs.^MD", (), ("Voss",), ("Ida",)),
)  # fmt: skip
STAFF = ("Ravenscroft^Gideon^^Dr", "Dr. Winifred Ashgrove", "Nakagawa-Pryce^Tomo", "Eklund^Sölve",
         "Mbeki-Torrance^Zola", "Quaresma^Telmo")  # fmt: skip
SITES = ("Pinehollow Memorial Hospital", "Clínica Montevalle", "Larchmere Imaging LLC")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FRENCH = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
          "décembre")  # fmt: skip
SPLIT = "SPLITSPLITSPLITS"


def people(seed: int, count: int, uid: UidMaker) -> list[Person]:
    """The first patients of a seed: IDs with leading zeros, and telephones of North America."""
    random = Random(seed)
    return [_person(random, number, uid) for number in range(count)]


def _person(random: Random, number: int, uid: UidMaker) -> Person:
    studied = date(random.randrange(2011, 2023), random.randrange(1, 13), random.randrange(1, 28))
    years = random.randrange(30, 85)
    birth = date(studied.year - years, random.randrange(1, 13), random.randrange(13, 28))
    area, line = random.choice((212, 415, 617, 303)), f"555-0{random.randrange(100, 200)}"
    return Person(
        number=number, named=NAMES[number % len(NAMES)], id=f"000{random.randrange(10**6, 10**7)}",
        other_id=f"{random.randrange(100, 800)}-{random.randrange(10, 100)}-{random.randrange(1000, 10000)}",
        birth=birth, sex="FM"[number % 2], age=f"{years:03}Y", phone=f"({area}) {line}",
        mail=f"{random.choice('klmnop')}{random.randrange(10**4, 10**5)}@post.example",
        address=f"{random.randrange(1000, 9999)} Thornapple Blvd", study_date=studied,
        accession=f"{studied.year % 100}-{random.randrange(10**5, 10**6)}", institution=SITES[number % len(SITES)],
        department="Nuclear Medicine West", staff=tuple(random.sample(STAFF, len(STAFF))),
        serial=f"00{random.randrange(10**5, 10**6)}-{random.choice('ABC')}",
        station=f"PHMR{random.randrange(100, 999)}",
        study_uid=uid(), frame_of_reference=uid(),
    )  # fmt: skip


def ordinal(day: int) -> str:
    return f"{day}{'th' if 10 < day < 20 else {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th')}"


def bare(who: Person) -> str:
    """The ID without its leading zeros."""
    return who.id.lstrip("0")


def set_again(file: File, *keywords: str) -> None:
    """Nothing is asked of the former values of attributes that a recipe sets."""
    tags = {f"{pydicom.datadict.tag_for_keyword(keyword):08X}" for keyword in keywords}
    file.lines = [one for one in file.lines if one.path not in tags]


def with_text(file: File) -> None:
    """Nothing is asked of pixels of ultrasound, in which there is real text."""
    file.lines = [one for one in file.lines if one.action != "pixels_retained"]


def set_all(file: File, place: str, *rows: tuple[str, str, tuple[str, ...], tuple[str, ...]]) -> None:
    """Attributes of the root: keyword, value, what shall go, what shall stay."""
    set_again(file, *(row[0] for row in rows))
    for keyword, value, needles, words in rows:
        setattr(file.ds, keyword, value)
        if needles:
            file.removed(place, keyword, *needles)
        if words:
            file.kept(place, keyword, *words)


def lines_of_text(m: Maker, who: Person) -> None:
    """Comments of several lines."""
    file = m.open("emri_small.dcm", who, "lines")
    born = f"{ordinal(who.birth.day)} of {MONTHS[who.birth.month - 1]} {who.birth.year}"
    text = f"Pt: {who.latin.upper()}, {who.latin_given[0]}\r\nborn {born}\r\nTel. {who.phone}\r\nMRN {bare(who)}"
    text += "\r\nstable fracture of the left wrist"
    needles = (who.latin, born, who.phone, bare(who))
    set_all(file, "comments of several lines", ("ImageComments", text, needles, ("stable fracture of the left wrist",)))
    set_all(file, "comments of several lines", ("PatientComments", text.replace("\r\n", "\n"), needles, ("wrist",)))
    m.write(file)


def spelled_dates(m: Maker, who: Person) -> None:
    """Dates as people write them, and numbers that are none."""
    file = m.open("HTJ2K_08_RGB.dcm", who, "dates")
    set_again(file, "PhotometricInterpretation")  # of frames that are encoded again
    with_text(file)
    born, month = who.birth, MONTHS[who.birth.month - 1]
    for keyword, said, words in (
        ("StudyDescription", f"{month}. {ordinal(born.day)}, {born.year}", ("Chest PA",)),
        ("SeriesDescription", f"{born.month:02}/{born.day:02}/{born.year % 100:02}", ("Chest PA",)),
        ("ProtocolName", f"{born.day} {FRENCH[born.month - 1]} {born.year}", ("Chest PA",)),
        ("ImageComments", f"{born.year}年{born.month}月{born.day}日", ("Chest PA",)),
        ("AdditionalPatientHistory", f"the {ordinal(born.day)} day of {month} {born.year}", ("Chest PA",)),
        ("RequestedProcedureDescription", f"{born.day}-{month}-{born.year % 100:02}", ("Chest PA",)),
        ("AdmittingDiagnosesDescription", f"{born.day:02}.{born.month:02}.{born.year % 100:02}", ("Chest PA",)),
        ("StudyComments", f"{born.day:02}{month.upper()}{born.year}", ("Chest PA",)),
        ("ReasonForStudy", f"{born.year} {month} {born.day:02}", ("Chest PA",)),
    ):
        if not said.isascii() and who.named.charset != ("ISO_IR 192",):
            file.ds.SpecificCharacterSet = "ISO_IR 192"
        set_all(file, "dates in words", (keyword, f"Chest PA, DOB {said}", (said,), words))
    set_all(
        file, "numbers that are no dates",
        ("DerivationDescription", "score 3/10, slice 20/35, TI 1961 ms, TR/TE 2000/35", (),
         ("score 3/10", "slice 20/35", "TI 1961 ms", "TR/TE 2000/35")),
        ("AcquisitionComments", "T10-12, L1-L5, kernel B31f, 5.1.2 Abdomen, 120 kV 250 mAs", (),
         ("T10-12", "L1-L5", "B31f", "5.1.2 Abdomen", "120 kV 250 mAs")),
    )  # fmt: skip
    m.write(file)


def numbers(m: Maker, who: Person) -> None:
    """Telephones, social security numbers and IDs in other spellings."""
    file = m.open("JPEG-lossy.dcm", who, "numbers")
    digits = "".join(one for one in who.phone if one.isdigit())
    dotted = f"{digits[:3]}.{digits[3:6]}.{digits[6:]}"
    dashed = f"{digits[:3]}-{digits[3:6]}-{digits[6:]}"
    set_all(
        file, "telephones and numbers of people",
        ("PatientComments", f"Call {dotted} or {dashed} ext 12: knee implant", (dotted, dashed), ("knee implant",)),
        ("ImageComments", f"SSN {who.other_id}, knee implant", (who.other_id,), ("knee implant",)),
        ("StudyDescription", f"Knee 2 views MRN{bare(who)}", (bare(who),), ("Knee 2 views",)),
        ("SeriesDescription", f"Knee #{bare(who)[:3]}-{bare(who)[3:]} AP", (f"{bare(who)[:3]}-{bare(who)[3:]}",),
         ("Knee", "AP")),
        ("ProtocolName", f"Knee_{who.id}_AP", (bare(who),), ("Knee", "AP")),
        ("RequestedProcedureDescription", f"Knee {who.accession} acc", (who.accession,), ("Knee",)),
        ("PerformedProcedureStepDescription", f"Knee +1 {dashed}", (dashed,), ("Knee",)),
    )  # fmt: skip
    m.write(file)


def addresses(m: Maker, who: Person) -> None:
    """Addresses of computers and devices in texts."""
    file = m.open("OBXXXX1A_rle.dcm", who, "addresses")
    with_text(file)
    mac, host, url = "00:1B:44:11:3A:B7", "10.31.4.22", f"http://pacs.pinehollow.example/v?pid={bare(who)}"
    set_all(
        file, "addresses of computers",
        ("ImageComments", f"sent from {host} liver", (host,), ("liver",)),
        ("DerivationDescription", f"gateway {mac} JPEG", (mac,), ("JPEG",)),
        ("StudyComments", f"see {url} liver", (url, bare(who)), ("liver",)),
        ("AcquisitionDeviceProcessingDescription", f"SN {who.serial} filter", (who.serial,), ("filter",)),
        ("RetrieveURL", url, (bare(who), "pinehollow"), ()),
        ("RetrieveURI", url, (bare(who), "pinehollow"), ()),
    )  # fmt: skip
    path = file.private(0x0099, "ACME 3.2", 0x10, "UT", f"mac={mac} sn={who.serial}")
    file.removed("addresses of computers", path, mac, who.serial)
    m.write(file)


def joined(m: Maker, who: Person) -> None:
    """Names beside signs, halves of double names, possessives, initials."""
    file = m.open("RG3_JLSL", who, "joined")
    family, given = who.latin, who.latin_given
    half = family.split("-")[-1]
    staff = who.staff[0].replace("^^", "^").split("^")[0].split()[-1]
    set_all(
        file, "names beside signs",
        ("StudyDescription", f"{half.upper()}_{given[0]}_{da(who.study_date)}_CR", (half, da(who.study_date)), ("CR",)),
        ("SeriesDescription", f"{given}{half} wrist", (half,), ("wrist",)),
        ("ProtocolName", f"wrist {family.replace('-', ' ')}", (half,), ("wrist",)),
        ("ImageComments", f"{half}'s left wrist, cast", (half,), ("left wrist", "cast")),
        ("PatientComments", f"{given[0]}. {half} and {given[0]}{half[0]}: no pain", (half,), ("no pain",)),
        ("StudyComments", f"{half}, {given} / {half.lower()}: swelling", (half, given), ("swelling",)),
        ("ReasonForStudy", f"ref Dr. {staff}: pain", (staff,), ("pain",)),
        ("RequestedProcedureDescription", f"({half})(wrist)", (half,), ("wrist",)),
        ("CommentsOnThePerformedProcedureStep", f"{half}.{given} wrist-{half}", (half,), ("wrist",)),
    )  # fmt: skip
    m.write(file)


def numbers_of_the_study(m: Maker, who: Person) -> None:
    """Identifiers in attributes that are made for others."""
    file = m.open("966.dcm", who, "mixed")
    ds, half = file.ds, who.latin.split("-")[-1]
    set_all(
        file, "identifiers in other attributes",
        ("StudyID", who.id, (bare(who),), ()),
        ("AccessionNumber", half[:8].upper() + da(who.birth), (da(who.birth),), ()),
        ("RequestedContrastAgent", f"none {half}", (half,), ("none",)),
        ("AcquisitionNumber", "7", (), ()),
        ("ViewPosition", f"PA {half.upper()[:10]}", (half[:10],), ()),
        ("PatientInsurancePlanCodeSequence", [code(bare(who), "99INS", half)], (half, bare(who)), ()),
        ("ResponsiblePerson", f"{half}^Mother", (half,), ()),
        ("ServiceEpisodeDescription", f"Visit of {half}, trauma", (half,), ("trauma",)),
        ("RegionOfResidence", "Thornapple county", ("Thornapple",), ()),
        ("PerformedLocation", "Room Kestrel 12", ("Kestrel",), ()),
    )  # fmt: skip
    set_again(file, "ImageType")
    ds.ImageType = ["DERIVED", "SECONDARY", half.upper()[:16]]
    file.removed("identifiers in other attributes", "ImageType", half[:16])
    file.kept("identifiers in other attributes", "ImageType", "DERIVED", "SECONDARY")
    m.write(file)


def originals(m: Maker, who: Person) -> None:
    """What attributes were before, and where objects came from."""
    file = m.open("OsirixFake16BitsStoredFakeSpacing.dcm", who, "originals")
    old = item(PatientName=who.named.name, PatientID=who.id, IssuerOfPatientID="PINEHOLLOW")
    if who.named.charset:
        old.SpecificCharacterSet = list(who.named.charset)
    file.ds.OriginalAttributesSequence = [
        item(ModifiedAttributesSequence=[old], AttributeModificationDateTime=da(who.study_date) + "101112",
             ModifyingSystem=who.station, SourceOfPreviousValues=who.institution,
             ReasonForTheAttributeModification="COERCE")
    ]  # fmt: skip
    needles = (*who.named.family, bare(who), who.station, who.institution, "PINEHOLLOW", da(who.study_date))
    file.removed("original attributes", "OriginalAttributesSequence", *needles)
    file.ds.ReferencedFileID = ["DISC1", who.latin.upper()[:8]]
    file.removed("file IDs outside of directories", "ReferencedFileID", who.latin[:8])
    file.ds.StorageMediaFileSetID = who.latin.upper()[:16]
    file.removed("file IDs outside of directories", "StorageMediaFileSetID", who.latin[:16])
    m.write(file)


def uids(m: Maker, who: Person) -> None:
    """UIDs with an ID and a date in them, as objects' own and in texts."""
    file = m.open("MR1_JLSL", who, "uids")
    ds = file.ds
    made = f"1.2.826.0.1.3680043.{bare(who)}.{da(who.birth)}.{file.number}"
    ds.SeriesInstanceUID = made
    file.lines = [one for one in file.lines if one.path != "SeriesInstanceUID"]
    file.uid("UIDs with an ID in them", "SeriesInstanceUID", made)
    ds.SourceImageSequence = [item(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=f"{made}.1")]
    path = "SourceImageSequence#0/ReferencedSOPInstanceUID"
    file.uid("UIDs with an ID in them", path, f"{made}.1", optional=True)
    file.removed("UIDs with an ID in them", "", bare(who), da(who.birth))
    set_all(
        file, "UIDs with an ID in them",
        ("ImageComments", f"copy of {made}.9 axial", (bare(who),), ("axial",)),
        ("DerivationDescription", f"urn:oid:{made}.9 axial", (bare(who),), ("axial",)),
    )  # fmt: skip
    m.write(file)


def zones(m: Maker, who: Person) -> None:
    """Date times with zones, over the end of a day and of February."""
    file = m.open("emri_small_RLE.dcm", who, "zones")
    ds, day = file.ds, da(who.study_date)
    set_zone = "+1345"
    ds.TimezoneOffsetFromUTC = set_zone
    file.tag("zones", "TimezoneOffsetFromUTC")
    for keyword, value in (
        ("AcquisitionDateTime", day + "235959.999999+1400"), ("InstanceCoercionDateTime", "20200229000000-1200"),
        ("StartAcquisitionDateTime", day + "23+0530"), ("EndAcquisitionDateTime", "20191231235959.5"),
        ("FrameAcquisitionDateTime", day[:6] + "+0100"), ("DecayCorrectionDateTime", day),
    ):  # fmt: skip
        setattr(ds, keyword, value)
        file.shifted("zones", keyword, value)
    m.write(file)


def privates(m: Maker, who: Person) -> None:
    """Private sequences in private sequences, and creators in items."""
    file = m.open("693_J2KR.dcm", who, "privates")
    half = who.latin.split("-")[-1]
    deepest = item(PatientID=who.id)
    deepest.private_block(0x0071, "SIEMENS MED NM", create=True).add_new(0x05, "LO", f"tPatientName {half}")
    inner = item(SeriesDescription="axial")
    inner.private_block(0x0071, f"{half.upper()} OWN", create=True).add_new(0x01, "SQ", Sequence([deepest]))
    outer = item(CodeMeaning="x")
    outer.private_block(0x0071, "ACME 3.2", create=True).add_new(0x01, "SQ", Sequence([inner]))
    file.ds.RequestAttributesSequence = [outer]
    file.removed("private sequences in items", "RequestAttributesSequence", half, bare(who))
    csa = f'SV10\4\3\2\1PatientName\0{half}\0tPatID {who.id} <ParamString> {{ "{half}" }}'.encode()
    path = file.private(0x0029, "SIEMENS CSA HEADER", 0x20, "OB", csa + b"\0" * (len(csa) % 2))
    file.removed("private headers", path, half, bare(who))
    path = file.private(0x0019, "GEMS_ACQU_01 ", 0x23, "DS", "2.5")
    path = file.private(0x0043, "GEMS_PARM_01", 0x27, "SH", f"{half}"[:16])
    file.removed("names in private elements known to be safe", path, half[:16])
    path = file.private(0x7FE1, "ACME 3.2", 0x10, "UN", f"<Patient name='{half}' id='{who.id}'/>".encode() + b" ")
    file.removed("private headers", path, half, bare(who))
    m.write(file)


def padding(m: Maker, who: Person) -> None:
    """What is left behind the end of shorter values."""
    file = m.open("JPEG2000.dcm", who, "padding")
    half = who.latin.split("-")[-1]
    set_again(file, "PatientPosition")
    for keyword, text in (("SeriesDescription", "NM BONE"), ("PatientPosition", "HFS"), ("ProtocolName", "BONE")):
        setattr(file.ds, keyword, f"{text}\0{half.upper()[:8]}")
        file.removed("text behind a NUL", keyword, half[:8])
        file.kept("text behind a NUL", keyword, text)
    file.ds.ImageComments = "bone" + " " * 40 + f"{half}\t{half}\f{who.id}"
    file.removed("text behind blanks", "ImageComments", half, bare(who))
    file.kept("text behind blanks", "ImageComments", "bone")
    m.write(file)


def segments(m: Maker, who: Person) -> None:
    """Labels of segments, maps and structure sets."""
    file = m.open("partial_overlaps.dcm", who, "segments")
    half = who.latin.split("-")[-1]
    segment = file.ds.SegmentSequence[0]
    segment.SegmentLabel = f"L kidney {half}_{who.latin_given[0]}"
    segment.SegmentAlgorithmType, segment.SegmentAlgorithmName = "MANUAL", f"by {who.staff[1].split('^')[0]}"
    file.removed("labels of segments", "SegmentSequence#0/SegmentLabel", half)
    file.kept("labels of segments", "SegmentSequence#0/SegmentLabel", "kidney")
    file.removed("labels of segments", "SegmentSequence#0/SegmentAlgorithmName", who.staff[1].split("^")[0].split()[-1])
    set_all(
        file, "labels of segments",
        ("ContentLabel", half.upper()[:16], (half[:16],), ()),
        ("ContentDescription", f"kidneys of {half}, {bare(who)}", (half, bare(who)), ("kidneys",)),
    )  # fmt: skip
    m.write(file)


def structures(m: Maker, who: Person) -> None:
    """Names of regions of interest, observers and generations."""
    file = m.open("rtstruct.dcm", who, "rois")
    ds, half = file.ds, who.latin.split("-")[-1]
    set_all(
        file, "names of regions of interest",
        ("StructureSetLabel", f"PTV{bare(who)}", (bare(who),), ()),
        ("StructureSetName", f"{half} boost", (half,), ()),
        ("StructureSetDescription", f"boost for {half}, {who.phone}", (half, who.phone), ("boost",)),
    )  # fmt: skip
    roi = ds.StructureSetROISequence[0]
    roi.ROIName, roi.ROIGenerationDescription = f"GTV_{half}_{who.latin_given[0]}", f"by {who.staff[2].split('^')[0]}"
    file.removed("names of regions of interest", "StructureSetROISequence#0/ROIName", half)
    file.kept("names of regions of interest", "StructureSetROISequence#0/ROIName", "GTV")
    seen = "StructureSetROISequence#0/ROIGenerationDescription"
    file.removed("names of regions of interest", seen, who.staff[2].split("^")[0])
    observed = ds.RTROIObservationsSequence[0]
    observed.ROIObservationLabel, observed.ROIInterpreter = half[:16], who.staff[3]
    file.removed("names of regions of interest", "RTROIObservationsSequence", half[:16], who.staff[3].split("^")[0])
    m.write(file)


def plans(m: Maker, who: Person) -> None:
    """Beams, setups and doses."""
    file = m.open("rtplan.dcm", who, "beams")
    ds, half = file.ds, who.latin.split("-")[-1]
    set_all(
        file, "names of beams",
        ("RTPlanLabel", half[:16], (half[:16],), ()), ("RTPlanName", f"{half} pelvis", (half,), ()),
        ("RTPlanDescription", f"pelvis {bare(who)}", (bare(who),), ("pelvis",)),
        ("PrescriptionDescription", f"60 Gy for {half}", (half,), ("60 Gy",)),
    )  # fmt: skip
    beam = ds.BeamSequence[0]
    beam.BeamName, beam.BeamDescription = f"1 {half} AP", f"AP open field {bare(who)}"
    beam.TreatmentMachineName = f"{who.station}"
    file.removed("names of beams", "BeamSequence", half, bare(who), who.station)
    file.kept("names of beams", "BeamSequence#0/BeamDescription", "AP open field")
    setup = ds.PatientSetupSequence[0]
    setup.SetupTechniqueDescription = f"as on {da(who.study_date)}, {half}"
    file.removed("names of beams", "PatientSetupSequence", half, da(who.study_date))
    m.write(file)


def doses(m: Maker, who: Person) -> None:
    """Comments of doses and labels of maps."""
    half = who.latin.split("-")[-1]
    file = m.open("rtdose.dcm", who, "dose")
    set_all(file, "comments of doses", ("DoseComment", f"{half} plan 3", (half,), ("plan 3",)))
    m.write(file)
    file = m.open("parametric_map_float.dcm", who, "map")
    set_all(file, "labels of maps", ("ContentLabel", f"ADC{half.upper()}"[:16], (half[:13],), ()),
            ("ContentDescription", f"ADC of {half}", (half,), ("ADC",)))  # fmt: skip
    m.write(file)


def waveform(m: Maker, who: Person) -> None:
    """Labels of channels and annotations of an ECG."""
    file = m.open("waveform_ecg.dcm", who, "ecg")
    ds, half = file.ds, who.latin.split("-")[-1]
    group = ds.WaveformSequence[0]
    group.MultiplexGroupLabel = f"RHYTHM {half}"[:16]
    group.ChannelDefinitionSequence[0].ChannelLabel = half[:16]
    group.ChannelDefinitionSequence[0].ChannelDerivationDescription = f"raw, {who.staff[0].split('^')[0]}"
    file.removed("labels of channels", "WaveformSequence#0/MultiplexGroupLabel", half[:9])
    file.removed("labels of channels", "WaveformSequence#0/ChannelDefinitionSequence", half[:16],
                 who.staff[0].split("^")[0].split()[-1])  # fmt: skip
    note = item(UnformattedTextValue=f"{half} {who.birth.day}.{who.birth.month}.{who.birth.year} sinus rhythm")
    ds.WaveformAnnotationSequence = [note, *ds.get("WaveformAnnotationSequence", ())]
    file.removed("labels of channels", "WaveformAnnotationSequence", half)
    file.kept("labels of channels", "WaveformAnnotationSequence", "sinus rhythm")
    m.write(file)


def reports(m: Maker, who: Person) -> None:
    """A report in plain text, and texts of unlimited length."""
    file = m.open("reportsi.dcm", who, "text")
    half = who.latin.split("-")[-1]
    born = f"{ordinal(who.birth.day)} {MONTHS[who.birth.month - 1]} {who.birth.year}"
    text = f"REPORT\n{half.upper()} {who.latin_given} (DOB {born}, {who.phone}) was seen by Dr "
    text += f"{who.staff[1].split('^')[0]}. No pneumothorax. Heart size is normal."
    file.ds.ContentSequence = [
        item(RelationshipType="CONTAINS", ValueType="TEXT", TextValue=text,
             ConceptNameCodeSequence=[code("121071", "DCM", "Finding")]),
        item(RelationshipType="CONTAINS", ValueType="CODE", ConceptNameCodeSequence=[code("121071", "DCM", "Finding")],
             ConceptCodeSequence=[item(LongCodeValue=f"{half}/{who.id}/finding-of-long-code",
                                       CodingSchemeDesignator="99LOCAL", CodeMeaning="Nodule")]),
    ]  # fmt: skip
    needles = (half, who.latin_given, born, who.phone, who.staff[1].split("^")[0].split()[-1], bare(who))
    file.removed("reports in plain text", "ContentSequence", *needles)
    file.kept("reports in plain text", "ContentSequence", "No pneumothorax", "Heart size is normal", "Nodule")
    m.write(file)


def split_names(m: Maker, who: Person) -> None:
    """A Japanese name whose characters are each between escape sequences of their own, and inflected names."""
    file = m.open("examples_rgb_color.dcm", who, "split")
    with_text(file)
    native = who.named.family[0]
    if who.named.charset == ("", "ISO 2022 IR 87"):
        file.ds.StudyDescription = f"CT {SPLIT}"
        file.removed("names split by escape sequences", "StudyDescription", native)
        made = b"".join(one.encode("iso2022_jp") for one in native)
        file.edits.append(lambda data: data.replace(SPLIT.encode(), made.ljust(len(SPLIT))))
    set_all(
        file, "names in the script of the data set",
        ("ImageComments", f"{native}: thorax", (native,), ("thorax",)),
        ("PatientComments", f"у {native[:-1]}ой О.П. thorax" if native == "Щербакова" else f"thorax {native}",
         (native[:-1],), ("thorax",)),
    )  # fmt: skip
    m.write(file)


def codestreams(m: Maker, who: Person) -> None:
    """Comments of compressed frames."""
    half = who.latin.split("-")[-1]
    text = f"{half} {who.id} 37.7749N 122.4194W".encode("ascii", "ignore")
    comment = b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
    for base, mark in (("SC_rgb_jpeg_dcmtk.dcm", b"\xff\xd8"), ("CT1_JLSL", b"\xff\xd8")):
        file = m.open(base, who, f"comment{len(m.lines)}")
        data = bytes(file.ds.PixelData)
        at = data.index(mark, 16) + 2
        more = comment
        if len(more) % 2:
            more = b"\xff\xfe" + (len(text) + 3).to_bytes(2, "big") + text + b" "
        size = int.from_bytes(data[at - 6 : at - 2], "little") + len(more)
        file.ds.PixelData = data[: at - 6] + size.to_bytes(4, "little") + data[at - 2 : at] + more + data[at:]
        file.removed("comments in compressed frames", "", half, bare(who), "37.7749N")
        m.write(file)


def documents(m: Maker, who: Person) -> None:
    """A clinical document in XML and a mesh whose header has a name."""
    half = who.latin.split("-")[-1]
    file = m.made("1.2.840.10008.5.1.4.1.1.104.2", "DOC", who, "cda")
    file.ds.MIMETypeOfEncapsulatedDocument, file.ds.DocumentTitle = "text/xml", f"Letter about {half}"
    body = f"<ClinicalDocument><name>{half}</name><id extension='{who.id}'/></ClinicalDocument>".encode()
    file.add(0x00420011, "OB", body + b" " * (len(body) % 2))
    file.removed("encapsulated documents", "", bare(who), f"<name>{half}")
    file.removed("encapsulated documents", "DocumentTitle", half)
    m.write(file)


RECIPES = (
    lines_of_text, spelled_dates, numbers, addresses, joined, numbers_of_the_study, originals, uids, zones, privates,
    padding, segments, structures, plans, doses, waveform, reports, split_names, codestreams, documents,
)  # fmt: skip
